// How text is cut.
#include "classify/tokenizer.h"

#include "helpers.h"

namespace triage::classify {
namespace {

const Vocabulary& words() {
  static const Vocabulary vocabulary({"the", "delayed", "again", "never", "stuck", "in", "flight", "fail"});
  return vocabulary;
}

// The forms, separated by spaces.
std::string cut(std::string_view text) {
  Tokens tokens;
  tokenize(text, words(), tokens);
  std::string out;
  for (const Token& token : tokens.list) {
    if (!out.empty()) out += ' ';
    out += tokens.form(token);
  }
  return out;
}

Tokens tokens_of(std::string_view text) {
  Tokens tokens;
  tokenize(text, words(), tokens);
  return tokens;
}

TEST(Tokenizer, FoldsLetters) {
  EXPECT_EQ(cut("ÉTÉ Straße Ｆｕｌｌ"), "ete strase full");
  EXPECT_EQ(cut("cafe\xCC\x81"), "cafe");
}

TEST(Tokenizer, ShortensElongation) {
  EXPECT_EQ(cut("sooooo slooooow"), "soo sloow");
  EXPECT_TRUE((tokens_of("sooooo").list.at(0).flags & kElongated) != 0);
}

TEST(Tokenizer, WritesContractionsAndChatSpellingsOut) {
  EXPECT_EQ(cut("can't won’t we're that's airline's I'm"), "cant wont we are that is airline i am");
  EXPECT_EQ(cut("pls help tmrw thx u"), "please help tomorrow thanks you");
}

TEST(Tokenizer, ReducesMentionsAndAddressesToTheirKind) {
  EXPECT_EQ(cut("@SomeBrand see https://t.co/abc?x=1 now"), "#at see #url now");
  EXPECT_TRUE(tokens_of("@a @b hi").leading_mention);
  EXPECT_FALSE(tokens_of("hi @a").leading_mention);
}

TEST(Tokenizer, SplitsHashtags) {
  EXPECT_EQ(cut("#StuckInFlight"), "stuck in flight");
  EXPECT_EQ(cut("#delayedagain"), "delayed again");
  EXPECT_EQ(cut("#neveragain!"), "never again !");
  EXPECT_EQ(cut("#flight_fail"), "flight fail");
}

TEST(Tokenizer, ReadsNumbersTimesAndDurations) {
  EXPECT_EQ(cut("2hrs 45min 10:30 4pm 3rd $50 £3.99 BA123 7%"),
            "#n hours #n minute #time #time #ordinal #money #money #code #percent");
  const Tokens tokens = tokens_of("45 min");
  EXPECT_EQ(tokens.list.at(0).number, 45);
}

TEST(Tokenizer, ReadsEntitiesAndEmoticons) {
  EXPECT_EQ(cut("bags &amp; coats &lt;3 :( 😡"), "bags and coats e:love e:sad e:angry");
}

TEST(Tokenizer, KnowsWhatANegatorReaches) {
  const Tokens tokens = tokens_of("not working at all. fine");
  EXPECT_TRUE((tokens.list.at(1).flags & kNegated) != 0);
  EXPECT_FALSE((tokens.list.back().flags & kNegated) != 0);
}

TEST(Tokenizer, KnowsThreadsQuestionsAndRetweets) {
  EXPECT_TRUE(tokens_of("and then (2/3)").thread_part);
  EXPECT_TRUE(tokens_of("is it late?").ends_with_question);
  EXPECT_FALSE(tokens_of("late? yes").ends_with_question);
  EXPECT_TRUE(tokens_of("RT @a hello").retweet);
}

TEST(Tokenizer, RemembersWhereATokenStood) {
  const std::string text = "été, we're #StuckInFlight 😡";
  const Tokens tokens = tokens_of(text);
  EXPECT_EQ(text.substr(tokens.list.at(0).begin, tokens.list.at(0).end - tokens.list.at(0).begin), "été");
  for (const Token& token : tokens.list) {
    EXPECT_LT(token.begin, token.end);
    EXPECT_LE(token.end, text.size());
  }
}

}  // namespace
}  // namespace triage::classify
