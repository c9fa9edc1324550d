// How a post is written out for the encoder, and cut into pieces.
#include "classify/pieces.h"

#include "classify/deep_text.h"
#include "helpers.h"

namespace triage::classify {
namespace {

const std::string kReserved = "<unk>\t0\n<s>\t0\n</s>\t0\na1\t0\na2\t0\na3\t0\n";

Pieces pieces_of(const std::string& lines) {
  auto pieces = Pieces::read(kReserved + lines, "test");
  if (!pieces) throw std::runtime_error(pieces.error().detail);
  return std::move(*pieces);
}

std::vector<int> cut(const Pieces& pieces, std::string_view text) {
  std::vector<Piece> out;
  pieces.cut(text, out);
  std::vector<int> ids;
  std::uint32_t before = 0;
  for (const Piece& piece : out) {
    EXPECT_GE(piece.begin, before);
    EXPECT_LT(piece.begin, text.size());
    before = piece.begin + 1;
    ids.push_back(piece.id);
  }
  return ids;
}

using Ids = std::vector<int>;

TEST(Pieces, TheLikeliestRowOfPiecesIsTaken) {
  const Pieces pieces = pieces_of("\u2581late\t-5\n\u2581l\t-3\nate\t-3\nate\t-1.5\n\u2581\t-1\nlate\t-4.2\nr\t-2\n");
  EXPECT_EQ(cut(pieces, " late"), (Ids{7, 9})) << "-4.5 beats -5 and -5.2; the later entry of a piece counts";
  EXPECT_EQ(cut(pieces, " later late"), (Ids{7, 9, 12, 7, 9}));
  EXPECT_EQ(cut(pieces, ""), Ids{});
}

TEST(Pieces, AmongEqualSumsTheLaterCandidateWins) {
  const Pieces pieces = pieces_of("ab\t-2\na\t-1\nb\t-1\n");
  EXPECT_EQ(cut(pieces, "ab"), (Ids{7, 8}));
}

TEST(Pieces, WhatNoPieceBeginsWithIsOnePieceZero) {
  const Pieces pieces = pieces_of("a\t-1\n\u00e9\t-2\n");
  EXPECT_EQ(cut(pieces, "a\u4e2d\u6587xa"), (Ids{6, 0, 6}));
  EXPECT_EQ(cut(pieces, "\u00e9"), (Ids{7})) << "a character of two bytes is one piece";
  EXPECT_EQ(cut(pieces, "\xC3"), (Ids{0})) << "half a character is unknown";
  EXPECT_EQ(cut(pieces,
                "\xFF\xFE"
                "a"),
            (Ids{0, 6}));
}

TEST(Pieces, AKnownPieceIsWorthMoreThanAnUnknownCharacter) {
  const Pieces pieces = pieces_of("a\t-1\nab\t-30\n");
  EXPECT_EQ(cut(pieces, "ab"), (Ids{7}));
}

TEST(Pieces, AMissingScoreIsThatOfTheLineBefore) {
  const Pieces pieces = pieces_of("ab\t-3\na\t-1\nb\t\n");
  EXPECT_EQ(cut(pieces, "ab"), (Ids{7, 8})) << "-1 and -1 beat -3";
}

TEST(Pieces, DamagedListsAreRefusedWithTheLine) {
  const auto refusal = [](const std::string& lines) {
    const auto pieces = Pieces::read(kReserved + lines, "here");
    return pieces ? std::string() : pieces.error().detail;
  };
  EXPECT_NE(refusal("a\t-1").find("line 7"), std::string::npos) << "no end of line";
  EXPECT_NE(refusal("a\t-1\nb -1\n").find("line 8"), std::string::npos);
  EXPECT_NE(refusal("a\tmuch\n").find("not a number"), std::string::npos);
  EXPECT_NE(refusal("a\tnan\n").find("not a number"), std::string::npos);
  EXPECT_NE(refusal("\t-1\n").find("line 7"), std::string::npos);
  EXPECT_NE(refusal(std::string(65, 'a') + "\t-1\n").find("line 7"), std::string::npos);
  EXPECT_NE(refusal("").find("no piece"), std::string::npos);
  std::string many;
  for (int i = 0; i < 70'000; ++i) many += "a\t-1\n";
  EXPECT_NE(refusal(many).find("too many"), std::string::npos);
}

TEST(Pieces, ALongTextIsReadAtItsBeginningAndItsEnd) {
  const Pieces pieces = pieces_of("\u2581on\t-1\n\u2581off\t-1\n\u2581first\t-1\n\u2581last\t-1\n");
  std::string text = " first";
  for (int i = 0; i < 4000; ++i) text += i % 3 == 0 ? " off" : " on";
  text += " last";
  std::vector<Piece> whole, ends;
  pieces.cut(text, whole);
  pieces.cut_ends(text, 10, 5, ends);
  ASSERT_EQ(ends.size(), 15U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(ends[i].id, whole[i].id) << i;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(ends[10 + i].id, whole[whole.size() - 5 + i].id) << i;
    EXPECT_EQ(ends[10 + i].begin, whole[whole.size() - 5 + i].begin) << i;
  }
  pieces.cut_ends(text.substr(0, 30), 10, 5, ends);
  pieces.cut(text.substr(0, 30), whole);
  EXPECT_EQ(ends.size(), whole.size()) << "a short text is read whole";
}

std::string read_as(std::string_view text) {
  const std::vector<std::string> words{"late", "stuck", "on", "tarmac"};
  const Vocabulary vocabulary(words);
  Tokens tokens;
  tokenize(text, vocabulary, tokens);
  DeepText out;
  write_deep_text(tokens, text, out);
  std::uint32_t before = 0;
  for (const DeepWord& word : out.words) {  // the words share the text out among them, in order
    EXPECT_EQ(word.begin, before);
    EXPECT_LE(word.begin, word.end);
    EXPECT_LT(word.token, tokens.list.size());
    before = word.end;
  }
  EXPECT_EQ(before, out.text.size());
  return out.text;
}

TEST(DeepText, APostIsWrittenOutInPlainWords) {
  EXPECT_EQ(read_as("@acme STUCK at the gate, still no news!!! https://t.co/x"), " stuck at the gate, still no news!!");
  EXPECT_EQ(read_as("Can't believe it... we're l8 u r rude"), " can't believe it... we are late you are rude");
  EXPECT_EQ(read_as("i WON'T pay $49.99 for flight BA123 at 10:30pm"),
            " I won't pay $49.99 for flight ba123 at 10:30pm");
  EXPECT_EQ(read_as("check-in took 2hrs (again) - why?"), " check-in took 2 hours (again) - why?");
  EXPECT_EQ(read_as("great job \U0001F644 \u2764\uFE0F :("), " great job sigh :) :(");
  EXPECT_EQ(read_as("#StuckOnTarmac #stucklate"), " stuck on tarmac stuck late");
  EXPECT_EQ(read_as("caf\u00e9 na\u00efve"), " cafe naive");
}

TEST(DeepText, WhatHasNoWordsIsEmpty) {
  for (const char* text :
       {"", "   ", "@acme", "@acme @other https://t.co/x", "http://a.b www.c.d", "\xFF\xFE", "...", "\U0001F9FF"}) {
    EXPECT_EQ(read_as(text), "") << text;
  }
}

TEST(DeepText, MarksAreWrittenOnceHoweverOftenTheyAreTyped) {
  EXPECT_EQ(read_as("late,,,,,,, again"), " late, again");
  EXPECT_EQ(read_as("late " + std::string(5000, '(') + "again" + std::string(5000, ')')), " late (again");
  EXPECT_EQ(read_as("order 123456789012345678901234567890"), " order 123456789012");
}

TEST(DeepText, AnyBytesAreWrittenOut) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes.push_back(static_cast<char>((i * 7919 + i / 256) & 255));
  read_as(bytes);
}

}  // namespace
}  // namespace triage::classify
