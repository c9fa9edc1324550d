#include "classify/features.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "classify/hash.h"
#include "classify/language.h"

namespace triage::classify {
namespace {

// One seed for each family of features, so that they never share a key but by accident.
enum Family : std::uint64_t {
  kWord = 1,
  kBigram,
  kTrigram,
  kNegatedWord,
  kFirstWord,
  kLastWord,
  kSkip,
  kLetters = 16,
  kCue,
  kCuePair,
  kCueBoth,
  kNegatedCue,
  kDuration,
  kForm,
  kTense,
  kCueWord,
  kOpening,
  kField,
  kForeignLetters,
  kForeignCopy,
  kForeignPost
};

std::uint32_t key_of(Family family, std::uint64_t value) {
  return static_cast<std::uint32_t>(combine(family, value) >> 32U);
}

// Letters of a word, framed as "<word>": every run of three to five.
constexpr std::size_t kShortestGram = 3, kLongestGram = 5;
constexpr std::size_t kMostFramed = 24;  // of a longer word, its beginning

std::size_t framed_size(std::size_t length) {
  return std::min(length + 2, kMostFramed);
}

std::size_t gram_count(std::size_t framed) {
  std::size_t count = 0;
  for (std::size_t n = kShortestGram; n <= kLongestGram; ++n) count += framed >= n ? framed - n + 1 : 0;
  return count;
}

template <class Use>
void for_each_gram(Family family, const char* framed, std::size_t size, Use use) {
  for (std::size_t start = 0; start + kShortestGram <= size; ++start) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, framed + start, 8);
    const std::size_t longest = std::min(kLongestGram, size - start);
    for (std::size_t n = kShortestGram; n <= longest; ++n) {
      use(key_of(family, eight & ((std::uint64_t{1} << (8 * n)) - 1)));
    }
  }
}

class Extractor {
 public:
  explicit Extractor(Features& out) : out_(out), tokens_(out.tokens.list) {}

  void words() {
    std::vector<Feature>& features = out_.group[static_cast<std::size_t>(Group::words)];
    // N-grams run over words and numbers; mentions, addresses and marks between them are not in the way.
    std::uint64_t previous = 0, before_previous = 0;
    std::uint16_t previous_at = 0, before_previous_at = 0;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      const auto at = static_cast<std::uint16_t>(i);
      if (token.kind == TokenKind::url) continue;
      if (token.kind == TokenKind::mention) continue;
      features.push_back({key_of(kWord, token.hash), at, 1, Fact::none});
      if (token.kind == TokenKind::punctuation || token.kind == TokenKind::emoji) continue;
      if ((token.flags & kNegated) != 0) features.push_back({key_of(kNegatedWord, token.hash), at, 1, Fact::none});
      if (seen >= 1) {
        const std::uint64_t two = combine(previous, token.hash);
        features.push_back({key_of(kBigram, two), previous_at, span(previous_at, i), Fact::none});
        if (seen >= 2) {
          const std::uint64_t three = combine(before_previous, two);
          features.push_back({key_of(kTrigram, three), before_previous_at, span(before_previous_at, i), Fact::none});
          features.push_back({key_of(kSkip, combine(before_previous, token.hash)), before_previous_at,
                              span(before_previous_at, i), Fact::none});
        }
      } else {
        features.push_back({key_of(kFirstWord, token.hash), at, 1, Fact::none});
      }
      before_previous = previous;
      before_previous_at = previous_at;
      previous = token.hash;
      previous_at = at;
      ++seen;
    }
    if (seen >= 1) features.push_back({key_of(kLastWord, previous), previous_at, 1, Fact::none});
  }

  void letters(const LetterSums* sums) {
    std::vector<Feature>& features = out_.group[static_cast<std::size_t>(Group::letters)];
    std::size_t& count = out_.size[static_cast<std::size_t>(Group::letters)];
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind != TokenKind::word || out_.tokens.forms[token.form] == '#') continue;
      const std::size_t size = framed_size(token.length);
      count += gram_count(size);
      const LetterSums::Sum* sum = sums == nullptr ? nullptr : sums->find(token.hash);
      if (sum != nullptr) {
        out_.known.push_back({sum, static_cast<std::uint16_t>(i)});
        continue;
      }
      const Family family = (token.flags & kForeign) != 0 ? kForeignLetters : kLetters;
      for_each_gram(family, out_.tokens.forms.data() + token.form - 1, size, [&](std::uint32_t key) {
        features.push_back({key, static_cast<std::uint16_t>(i), 1, Fact::none});
      });
    }
  }

  void cues() {
    CueMask seen = 0, negated = 0;
    std::array<std::uint16_t, kCues> where{};
    // Cues in their order: each with those of the few words before it.
    struct Recent {
      std::uint16_t token;
      CueMask cues;
    };
    std::array<Recent, 4> recent{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.cues == 0) continue;
      for (CueMask rest = token.cues & ~seen; rest != 0; rest &= rest - 1) {
        const auto cue = static_cast<std::size_t>(std::countr_zero(rest));
        where[cue] = static_cast<std::uint16_t>(i);
        add(kCue, cue, i, 1);
      }
      seen |= token.cues;
      if ((token.flags & kNegated) != 0) {
        for (CueMask rest = token.cues & ~negated; rest != 0; rest &= rest - 1) {
          add(kNegatedCue, static_cast<std::uint64_t>(std::countr_zero(rest)), i, 1);
        }
        negated |= token.cues;
      }
      for (std::size_t back = 0; back < std::min(count, recent.size()); ++back) {
        const Recent& other = recent[(count - 1 - back) % recent.size()];
        if (i - other.token > 5) break;
        for (CueMask left = other.cues; left != 0; left &= left - 1) {
          for (CueMask right = token.cues; right != 0; right &= right - 1) {
            const auto pair = static_cast<std::uint64_t>(std::countr_zero(left) * 64 + std::countr_zero(right));
            add(kCuePair, pair, other.token, span(other.token, i));
          }
        }
      }
      recent[count % recent.size()] = {static_cast<std::uint16_t>(i), token.cues};
      ++count;
    }
    // The rarer and telling classes, two by two, wherever they stand.
    constexpr CueMask kTelling =
        bit(Cue::now) | bit(Cue::still) | bit(Cue::waiting) | bit(Cue::stuck) | bit(Cue::missing) | bit(Cue::missed) |
        bit(Cue::connection) | bit(Cue::delay) | bit(Cue::cancelled) | bit(Cue::soon) | bit(Cue::broken) |
        bit(Cue::failing) | bit(Cue::yesterday) | bit(Cue::was) | bit(Cue::future) | bit(Cue::asking) |
        bit(Cue::thanks) | bit(Cue::positive) | bit(Cue::negative) | bit(Cue::verdict) | bit(Cue::money) |
        bit(Cue::charged) | bit(Cue::help) | bit(Cue::direct_message) | bit(Cue::danger) | bit(Cue::fraud) |
        bit(Cue::vulnerable) | bit(Cue::staff) | bit(Cue::phone) | bit(Cue::luggage) | bit(Cue::parcel) |
        bit(Cue::app) | bit(Cue::network) | bit(Cue::booking) | bit(Cue::mock_praise) | bit(Cue::solved) |
        bit(Cue::lost) | bit(Cue::quiet) | bit(Cue::negation) | bit(Cue::travel) | bit(Cue::device) | bit(Cue::food);
    for (CueMask left = seen & kTelling; left != 0; left &= left - 1) {
      for (CueMask right = left & (left - 1); right != 0; right &= right - 1) {
        const auto a = static_cast<std::size_t>(std::countr_zero(left));
        const auto b = static_cast<std::size_t>(std::countr_zero(right));
        add(kCueBoth, a * 64 + b, std::min(where[a], where[b]), 1);
      }
    }
    durations();
    tense();
  }

  // "45 min", "2 hrs ago", "for the past 3 hours", "in 20 minutes", "3 weeks".
  void durations() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      const bool is_short = (token.cues & bit(Cue::unit_short)) != 0, is_long = (token.cues & bit(Cue::unit_long)) != 0;
      if (!is_short && !is_long) continue;
      const std::string_view unit = out_.tokens.form(token);
      std::uint64_t size = is_long ? 3 : unit[0] == 'h' ? 2 : 1;  // minutes, hours, days
      if (is_long && unit[0] != 'd') size = 4;
      std::size_t first = i;
      std::uint64_t amount = 0;
      if (i > 0 && tokens_[i - 1].kind == TokenKind::number) {
        const float n = tokens_[i - 1].number;
        amount = n < 2 ? 1 : n < 10 ? 2 : n < 30 ? 3 : 4;
        first = i - 1;
      } else if (i > 0 && (tokens_[i - 1].cues & bit(Cue::quantity)) != 0) {
        amount = 5;
        first = i - 1;
      }
      enum Role : std::uint64_t { plain, ago, within, lasting, late, later };
      Role role = plain;
      for (std::size_t back = 1; back <= 3 && back <= first; ++back) {
        const std::string_view left = out_.tokens.form(tokens_[first - back]);
        if (left == "in" || left == "within") role = within;
        if (left == "for" || left == "over" || left == "past" || left == "been" || left == "since" || left == "already")
          role = lasting;
        if (role != plain) break;
      }
      if (i + 1 < tokens_.size()) {
        const std::string_view right = out_.tokens.form(tokens_[i + 1]);
        if (right == "ago") role = ago;
        if (right == "late" || right == "delay" || right == "delayed" || right == "behind") role = late;
        if (right == "later" || right == "after") role = later;
        if (right == "now" || right == "and" || right == "already" || right == "so") role = lasting;
      }
      add(kDuration, size * 8 + role, first, span(first, i));
      add(kDuration, 1000 + amount * 64 + size * 8 + role, first, span(first, i));
      add(kDuration, 2000 + size, first, span(first, i));
    }
  }

  void tense() {
    unsigned past = 0, present = 0, future = 0;
    std::uint64_t first = 0, last = 0;
    for (const Token& token : tokens_) {
      if (token.kind != TokenKind::word) continue;
      std::uint64_t is = 0;
      const std::string_view form = out_.tokens.form(token);
      if ((token.cues & bit(Cue::was)) != 0 || (form.size() > 4 && form.ends_with("ed"))) {
        is = 1;
        ++past;
      } else if ((token.cues & bit(Cue::is_now)) != 0 || (form.size() > 5 && form.ends_with("ing"))) {
        is = 2;
        ++present;
      } else if ((token.cues & bit(Cue::future)) != 0) {
        is = 3;
        ++future;
      }
      if (is == 0) continue;
      if (first == 0) first = is;
      last = is;
    }
    const std::uint64_t profile = std::min(past, 3U) * 16 + std::min(present, 3U) * 4 + std::min(future, 2U);
    add_fact(kTense, profile, Fact::tense);
    add_fact(kTense, 100 + first * 4 + last, Fact::tense);
    if (past + present > 0) add_fact(kTense, 200 + (past * 4) / (past + present), Fact::tense);
  }

  void form() {
    const Tokens& t = out_.tokens;
    const unsigned words = t.words;
    const std::uint64_t length = words < 3    ? 0
                                 : words < 6  ? 1
                                 : words < 10 ? 2
                                 : words < 16 ? 3
                                 : words < 26 ? 4
                                 : words < 45 ? 5
                                              : 6;
    add_fact(kForm, length, words < 10 ? Fact::short_post : words < 45 ? Fact::form : Fact::long_post);
    if (t.ends_with_question) add_fact(kForm, 10, Fact::question);
    if (t.question_marks > 0) add_fact(kForm, 11 + std::min(t.question_marks, 2U), Fact::question);
    if (t.exclamations > 0) add_fact(kForm, 15 + std::min(t.exclamations, 4U), Fact::exclamations);
    if (t.capital_words > 0) add_fact(kForm, 20 + std::min(t.capital_words, 4U), Fact::capitals);
    if (t.capital_words * 2 > words && words > 3) add_fact(kForm, 25, Fact::capitals);
    if (t.ellipses > 0) add_fact(kForm, 26, Fact::form);
    if (t.hashtags > 0) add_fact(kForm, 27 + std::min(t.hashtags, 3U), Fact::hashtags);
    if (t.emoji > 0) add_fact(kForm, 32 + std::min(t.emoji, 2U), Fact::emoji);
    if (t.thread_part) add_fact(kForm, 35, Fact::thread);
    if (t.retweet) add_fact(kForm, 36, Fact::form);
    if (t.mentions > 2) add_fact(kForm, 39, Fact::mentions);
    if (t.quoted) add_fact(kForm, 40, Fact::form);
    if (t.urls > 0) add_fact(kForm, 41, Fact::link);
    // How it opens: the classes of the first word that is one.
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind != TokenKind::word) continue;
      for (CueMask rest = tokens_[i].cues; rest != 0; rest &= rest - 1) {
        add(kOpening, static_cast<std::uint64_t>(std::countr_zero(rest)), i, 1);
      }
      break;
    }
  }

  // A post in another language tells its words and cues twice: as English, with what they are worth there, and once
  // more with a weight of their own for what differs. They count once in the group's size.
  void foreign_copies() {
    for (const Group group : {Group::words, Group::cues}) {
      std::vector<Feature>& features = out_.group[static_cast<std::size_t>(group)];
      const std::size_t count = features.size();
      for (std::size_t i = 0; i < count; ++i) {
        Feature copy = features[i];
        copy.key = key_of(kForeignCopy, copy.key);
        features.push_back(copy);
      }
    }
    add_fact(kForeignPost, 0, Fact::form);
  }

  void fields(const Post& post) {
    if (post.kind == PostKind::review) add_fact(kField, 1, Fact::review);
    if (post.kind == PostKind::direct_message) add_fact(kField, 2, Fact::direct_message);
    if (!post.in_reply_to.empty() || post.kind == PostKind::reply) add_fact(kField, 3, Fact::reply);
    if (!post.media.empty()) add_fact(kField, 4, Fact::media);
    if (post.rating) {
      const double stars = *post.rating;
      const Fact fact = stars <= 2 ? Fact::low_rating : stars < 4 ? Fact::middle_rating : Fact::high_rating;
      add_fact(kField, 8 + static_cast<std::uint64_t>(fact), fact);
    }
  }

 private:
  static std::uint8_t span(std::size_t first, std::size_t last) {
    return static_cast<std::uint8_t>(std::min<std::size_t>(last - first + 1, 255));
  }
  void add(Family family, std::uint64_t value, std::size_t token, std::uint8_t length) {
    out_.group[static_cast<std::size_t>(Group::cues)].push_back(
        {key_of(family, value), static_cast<std::uint16_t>(token), length, Fact::none});
  }
  void add_fact(Family family, std::uint64_t value, Fact fact) {
    out_.group[static_cast<std::size_t>(Group::cues)].push_back({key_of(family, value), 0, 0, fact});
  }

  Features& out_;
  const std::vector<Token>& tokens_;
};

}  // namespace

std::string_view fact_text(Fact fact) {
  switch (fact) {
    case Fact::question:
      return "asks a question";
    case Fact::exclamations:
      return "exclamation marks";
    case Fact::capitals:
      return "words in capitals";
    case Fact::short_post:
      return "a short post";
    case Fact::long_post:
      return "a long post";
    case Fact::link:
      return "a link";
    case Fact::media:
      return "a photo or video";
    case Fact::emoji:
      return "emoji";
    case Fact::hashtags:
      return "hashtags";
    case Fact::thread:
      return "part of a thread";
    case Fact::reply:
      return "a reply";
    case Fact::review:
      return "a review";
    case Fact::low_rating:
      return "a low rating";
    case Fact::middle_rating:
      return "a middling rating";
    case Fact::high_rating:
      return "a high rating";
    case Fact::direct_message:
      return "a direct message";
    case Fact::mentions:
      return "many mentions";
    case Fact::tense:
    case Fact::form:
    case Fact::none:
    case Fact::count_:
      break;
  }
  return {};
}

LetterSums::LetterSums(std::size_t words) : slots_(std::bit_ceil(words * 3 / 2 + 1)), mask_(slots_.size() - 1) {}

void LetterSums::add(std::uint64_t hash, const Sum& sum) {
  std::size_t i = hash & mask_;
  while (slots_[i].hash != 0) i = (i + 1) & mask_;
  slots_[i] = {hash, sum};
}

void letter_keys(const char* framed, std::size_t size, std::vector<std::uint32_t>& keys) {
  for_each_gram(kLetters, framed, std::min(size, kMostFramed), [&](std::uint32_t key) { keys.push_back(key); });
}

void extract(const Post& post, const Vocabulary& vocabulary, Fields fields, Features& out, const LetterSums* sums) {
  tokenize(post.text, vocabulary, out.tokens);
  out.language = detect_language(out.tokens, post.text, post.language);
  const Lexicon& lexicon = Lexicon::of(language_of(out.language));
  if (lexicon.language() != Language::english) {
    static const Vocabulary unsplit;  // the vocabulary is English: it would cut another language's hashtags anywhere
    tokenize(post.text, unsplit, out.tokens, lexicon);
  }
  for (std::vector<Feature>& group : out.group) group.clear();
  out.known.clear();
  out.size.fill(0);
  Extractor extractor(out);
  extractor.words();
  extractor.letters(sums);
  extractor.cues();
  extractor.form();
  if (fields == Fields::shown) extractor.fields(post);
  for (const Group group : {Group::words, Group::cues}) {
    out.size[static_cast<std::size_t>(group)] = out.group[static_cast<std::size_t>(group)].size();
  }
  if (lexicon.language() != Language::english) extractor.foreign_copies();
}

}  // namespace triage::classify
