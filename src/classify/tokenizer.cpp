#include "classify/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "classify/emoji.h"
#include "classify/hash.h"
#include "classify/utf8.h"

namespace triage::classify {
namespace {

constexpr std::size_t kLongestForm = 48;  // of one word; what is longer is cut

struct Entity {
  std::string_view name;
  char32_t character;
};
constexpr Entity kEntities[] = {{"amp;", '&'},   {"lt;", '<'},   {"gt;", '>'},   {"quot;", '"'},
                                {"apos;", '\''}, {"#39;", '\''}, {"nbsp;", ' '}, {"hellip;", 0x2026}};

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_handle(char c) {
  return is_ascii_letter(c) || is_digit(c) || c == '_';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// One run over one text. A class only so that the steps can share the cursor.
class Scanner {
 public:
  Scanner(std::string_view text, const Vocabulary& vocabulary, const Lexicon& lexicon, Tokens& out)
      : begin_(text.data()),
        p_(text.data()),
        end_(text.data() + text.size()),
        vocabulary_(vocabulary),
        lexicon_(lexicon),
        english_(lexicon.language() == Language::english),
        out_(out) {}

  void run() {
    while (p_ < end_) step();
    out_.ends_with_question = last_mark_ == '?';
  }

 private:
  std::uint32_t offset(const char* p) const { return static_cast<std::uint32_t>(p - begin_); }
  char peek(std::ptrdiff_t ahead) const { return end_ - p_ > ahead ? p_[ahead] : '\0'; }
  bool at(std::string_view what) const {
    if (static_cast<std::size_t>(end_ - p_) < what.size()) return false;
    for (std::size_t i = 0; i < what.size(); ++i) {
      const char c = p_[i] >= 'A' && p_[i] <= 'Z' ? static_cast<char>(p_[i] + 32) : p_[i];
      if (c != what[i]) return false;
    }
    return true;
  }

  void step() {
    const char c = *p_;
    if (is_space(c)) {
      ++p_;
    } else if (is_ascii_letter(c)) {
      if ((c == 'h' || c == 'H') && (at("http://") || at("https://"))) return url();
      if ((c == 'w' || c == 'W') && at("www.")) return url();
      word();
    } else if (is_digit(c)) {
      number(false, p_);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      beyond_ascii();
    } else {
      symbol(c);
    }
  }

  void symbol(char c) {
    switch (c) {
      case '@':
        if (is_handle(peek(1))) return mention();
        break;
      case '#':
        if (is_ascii_letter(peek(1)) || static_cast<unsigned char>(peek(1)) >= 0x80) {
          ++p_;
          return hashtag();
        }
        break;
      case '&':
        for (const Entity& entity : kEntities) {
          ++p_;
          const bool here = at(entity.name);
          --p_;
          if (!here) continue;
          const char* start = p_;
          p_ += 1 + entity.name.size();
          if (entity.character == '&') add_word("and", start, p_, 0);
          if (entity.character == '<' && peek(0) == '3') ++p_, add_special("e:love", start, p_, TokenKind::emoji);
          return;
        }
        add_word("and", p_, p_ + 1, 0);
        break;
      case '$':
        if (is_digit(peek(1))) {
          ++p_;
          return number(true, p_ - 1);
        }
        break;
      case '!':
      case '?':
      case '.':
        return marks();
      case '"':
        out_.quoted = true;
        break;
      case ':':
      case ';':
      case '=':
        return emoticon();
      case '<':
        if (peek(1) == '3') {
          add_special("e:love", p_, p_ + 2, TokenKind::emoji);
          p_ += 2;
          return;
        }
        break;
      case ',':
      case '\n':
        negation_left_ = 0;
        break;
      default:
        break;
    }
    ++p_;
  }

  void emoticon() {
    std::ptrdiff_t i = 1;
    if (peek(i) == '-' || peek(i) == '\'') ++i;
    const char mouth = peek(i);
    std::string_view says;
    if (mouth == ')' || mouth == 'D' || mouth == ']') says = *p_ == ';' ? "e:irony" : "e:love";
    if (mouth == '(' || mouth == '[') says = "e:sad";
    if (mouth == '/' || mouth == '\\' || mouth == '|') says = "e:irony";
    if (says.empty() || (mouth == 'D' && is_ascii_letter(peek(i + 1))) || (mouth == '/' && peek(i + 1) == '/')) {
      ++p_;
      return;
    }
    add_special(says, p_, p_ + i + 1, TokenKind::emoji);
    p_ += i + 1;
  }

  void marks() {
    const char* start = p_;
    std::uint32_t exclamations = 0, questions = 0, dots = 0;
    for (; p_ < end_ && (*p_ == '!' || *p_ == '?' || *p_ == '.'); ++p_) {
      exclamations += *p_ == '!';
      questions += *p_ == '?';
      dots += *p_ == '.';
    }
    mark(start, exclamations, questions, dots);
  }

  void mark(const char* start, std::uint32_t exclamations, std::uint32_t questions, std::uint32_t dots) {
    out_.exclamations += exclamations;
    out_.question_marks += questions;
    out_.ellipses += dots >= 2;
    std::string_view form = ".";
    if (questions > 0) {
      form = exclamations > 0 ? "?!" : questions > 1 ? "??" : "?";
    } else if (exclamations > 0) {
      form = exclamations > 1 ? "!!" : "!";
    } else if (dots >= 2) {
      form = "...";
    }
    last_mark_ = questions > 0 ? '?' : '.';
    add_special(form, start, p_, TokenKind::punctuation);
    sentence_start_ = true;
    negation_left_ = 0;
  }

  void beyond_ascii() {
    const char* start = p_;
    const char32_t c = next_code_point(p_, end_);
    if (is_invisible(c) || c == kInvalid) return;
    if (fold_letter(c) != 0) {
      p_ = start;
      return word();
    }
    if (is_emoji(c)) {
      ++out_.emoji;
      std::string_view says = emoji_class(c);
      char own[8] = "e:";
      if (says.empty()) says = std::string_view(own, 2 + static_cast<std::size_t>(put_utf8(c, own + 2)));
      // A row of the same emoji says it once.
      if (!out_.list.empty() && out_.list.back().kind == TokenKind::emoji && out_.list.back().hash == hash_text(says)) {
        out_.list.back().end = offset(p_);
        return;
      }
      return add_special(says, start, p_, TokenKind::emoji);
    }
    if (c == 0x2026) return mark(start, 0, 0, 3);
    if (c == 0xFF01 || c == 0xA1) return mark(start, 1, 0, 0);
    if (c == 0xFF1F || c == 0xBF || c == 0x61F) return mark(start, 0, 1, 0);
    if (c == 0x201C || c == 0x201D) out_.quoted = true;
    if ((c == 0xA3 || c == 0x20AC || c == 0xA5 || c == 0x20B9) && is_digit(peek(0))) number(true, start);
  }

  void url() {
    const char* start = p_;
    while (p_ < end_ && !is_space(*p_)) ++p_;
    ++out_.urls;
    add_special("#url", start, p_, TokenKind::url);
  }

  void mention() {
    const char* start = p_++;
    while (p_ < end_ && is_handle(*p_)) ++p_;
    if (out_.list.empty() || (out_.leading_mention && out_.mentions == out_.list.size())) out_.leading_mention = true;
    ++out_.mentions;
    add_special("#at", start, p_, TokenKind::mention);
  }

  // Whether the word that begins at `p` has an ASCII letter.
  bool latin_in_word(const char* p) const {
    while (p < end_) {
      const char32_t c = next_code_point(p, end_);
      if (c < 0x80 && is_ascii_letter(static_cast<char>(c))) return true;
      if (fold_letter(c) == 0 && !is_invisible(c)) return false;
    }
    return false;
  }

  // Letters and digits up to what is neither; hyphens end a word, apostrophes do not.
  void word() {
    const char* start = p_;
    char form[kLongestForm + 8];
    std::size_t length = 0;
    std::size_t apostrophe = 0;  // where in the form, 0: none
    std::uint32_t letters = 0, capitals = 0, digits = 0;
    char32_t previous = 0;
    int run = 0;
    bool elongated = false;
    std::optional<bool> mixed;
    Script script = Script::latin;
    while (p_ < end_) {
      const char* before = p_;
      const char32_t c = next_code_point(p_, end_);
      if (is_invisible(c)) continue;
      const char32_t small = fold_letter(c);
      char32_t folded = small;
      // In a word with Latin letters, what only looks like one is meant to be read as one.
      if (small >= 0x370 && small < 0x530) {
        if (!mixed) mixed = latin_in_word(start);
        if (*mixed) folded = latin_look_alike(small);
      }
      if (folded == 0) {
        const bool joins =
            is_apostrophe(c) && p_ < end_ && (is_ascii_letter(*p_) || static_cast<unsigned char>(*p_) >= 0xC3);
        p_ = joins ? p_ : before;
        if (!joins) break;
        apostrophe = length;
        continue;
      }
      script = script_of(folded);
      ++out_.letters_of_script[static_cast<std::size_t>(script)];
      ++letters;
      const bool digit = folded >= '0' && folded <= '9';
      digits += digit;
      capitals += c != small && (c < 0x80 || small != folded);
      // Scripts without spaces: two characters make a token, which is what n-grams can use.
      if (script == Script::han || script == Script::kana || script == Script::thai) {
        length += static_cast<std::size_t>(put_utf8(folded, form + length));
        if (++run >= 2 || length >= kLongestForm) break;
        continue;
      }
      run = folded == previous ? run + 1 : 1;
      previous = folded;
      if (run > 2 && !digit) {
        elongated = true;
        continue;
      }
      if (length < kLongestForm) length += static_cast<std::size_t>(put_utf8(folded, form + length));
    }
    std::uint8_t flags = 0;
    if (letters >= 2 && capitals + digits == letters && capitals > 1) flags |= kCapitals;
    if (elongated) flags |= kElongated;
    if (digits > 0) {
      if (digits == letters) return add_number(0, start, p_, "#n");
      // "b4" and "gr8" are words with a spelling of their own; "BA123" and "C19" are codes.
      if (Lexicon::english().find(hash_bytes(form, length)) == nullptr)
        return add_special("#code", start, p_, TokenKind::word);
    }
    if (capitals == 2 && length == 2 && form[0] == 'r' && form[1] == 't' && out_.list.empty()) out_.retweet = true;
    add_contracted({form, length}, apostrophe, start, p_, flags);
  }

  // "can't" → cant, "we're" → we are, "that's" → that is, "airline's" → airline.
  void add_contracted(std::string_view form, std::size_t apostrophe, const char* start, const char* stop,
                      std::uint8_t flags) {
    if (apostrophe > 0 && apostrophe < form.size() && !english_) {
      // "l'appli", "dell'ordine": an article and a word.
      add_word(form.substr(0, apostrophe), start, stop, flags);
      return add_word(form.substr(apostrophe), start, stop, flags);
    }
    if (apostrophe > 0 && apostrophe < form.size()) {
      const std::string_view base = form.substr(0, apostrophe);
      const std::string_view rest = form.substr(apostrophe);
      std::string_view second;
      if (rest == "re") second = "are";
      if (rest == "m") second = "am";
      if (rest == "ve") second = "have";
      if (rest == "ll") second = "will";
      if (rest == "d") second = "would";
      if (rest == "s") {
        static constexpr std::string_view kIs[] = {"it", "that", "what", "there", "where", "who",
                                                   "he", "she",  "here", "how",   "when"};
        if (std::find(std::begin(kIs), std::end(kIs), base) == std::end(kIs)) return add_word(base, start, stop, flags);
        second = "is";
      }
      if (!second.empty()) {
        add_word(base, start, stop, flags);
        return add_word(second, start, stop, flags);
      }
    }
    add_word(form, start, stop, flags);
  }

  void hashtag() {
    const char* start = p_ - 1;
    ++out_.hashtags;
    // Camel case says where the words are; a run of one case is split by the vocabulary.
    while (p_ < end_) {
      const char* piece = p_;
      char form[kLongestForm + 8];
      std::size_t length = 0;
      bool was_lower = false, all_capitals = true;
      while (p_ < end_ && length < kLongestForm - 4) {
        const char* before = p_;
        const char32_t c = next_code_point(p_, end_);
        if (c == '_') break;
        const char32_t folded = fold_letter(c);
        if (folded == 0) {
          p_ = before;
          break;
        }
        const bool capital = c != folded;
        const bool next_lower = p_ < end_ && *p_ >= 'a' && *p_ <= 'z';
        // A new word begins at "kL" and at the last capital of "USAirways".
        if (length > 0 && capital && (was_lower || (length > 1 && next_lower))) {
          p_ = before;
          break;
        }
        was_lower = !capital;
        all_capitals = all_capitals && capital;
        ++out_.letters_of_script[static_cast<std::size_t>(script_of(folded))];
        length += static_cast<std::size_t>(put_utf8(folded, form + length));
      }
      if (length > 0) {
        const std::uint8_t flags = kHashtag;
        const std::string_view run(form, length);
        out_.pieces.clear();
        vocabulary_.split(run, out_.pieces);
        std::size_t from = 0;
        for (const std::uint8_t taken : out_.pieces) {
          add_word(run.substr(from, taken), start, p_, flags);
          from += taken;
        }
      }
      const bool goes_on = p_ < end_ && p_ > piece && (p_[-1] == '_' || fold_letter(code_point_at(p_)) != 0);
      if (!goes_on) break;
    }
  }

  char32_t code_point_at(const char* p) const { return next_code_point(p, end_); }

  // `start` is where it begins, its currency's sign included.
  void number(bool money, const char* start) {
    float value = 0;
    int digits = 0;
    bool fraction = false, time = false, ratio = false;
    while (p_ < end_) {
      const char c = *p_;
      if (is_digit(c)) {
        if (!fraction && !time && !ratio && digits < 9) value = value * 10 + static_cast<float>(c - '0');
        ++digits;
      } else if ((c == '.' || c == ',') && is_digit(peek(1))) {
        fraction = fraction || c == '.';
      } else if (c == ':' && is_digit(peek(1))) {
        time = true;
      } else if (c == '/' && is_digit(peek(1))) {
        ratio = true;
      } else {
        break;
      }
      ++p_;
    }
    const char next = p_ < end_ ? *p_ : '\0';
    if (ratio && digits == 2) out_.thread_part = true;
    if (money) return add_number(value, start, p_, "#money");
    if (next == '%') {
      ++p_;
      return add_number(value, start, p_, "#percent");
    }
    if (is_ascii_letter(next)) {
      const char* letters = p_;
      char unit[8];
      std::size_t length = 0;
      while (p_ < end_ && (is_ascii_letter(*p_) || is_digit(*p_))) {
        if (length < sizeof unit) unit[length] = static_cast<char>(fold_letter(static_cast<unsigned char>(*p_)));
        ++length;
        ++p_;
      }
      const std::string_view name(unit, std::min(length, sizeof unit));
      if (name == "am" || name == "pm" || name == "a" || name == "p") return add_number(value, start, p_, "#time");
      if (name == "st" || name == "nd" || name == "rd" || name == "th") return add_number(value, start, p_, "#ordinal");
      if (name == "x") return add_number(value, start, p_, "#times");
      static constexpr std::string_view kUnits[] = {"h",   "m",    "d",     "k",       "min",   "mins",  "hr",
                                                    "hrs", "hour", "hours", "minutes", "sec",   "secs",  "days",
                                                    "day", "wks",  "weeks", "yrs",     "years", "months"};
      if (std::find(std::begin(kUnits), std::end(kUnits), name) != std::end(kUnits)) {
        add_number(value, start, letters, "#n");
        if (name == "h") return add_english("hours", letters, p_, 0);
        if (name == "m") return add_english("minutes", letters, p_, 0);
        if (name == "d") return add_english("days", letters, p_, 0);
        return add_english(name, letters, p_, 0);
      }
      if (!english_ && lexicon_.find(hash_text(name)) != nullptr) {
        add_number(value, start, letters, "#n");
        return add_word(name, letters, p_, 0);
      }
      const std::string_view whole(start, static_cast<std::size_t>(p_ - start));
      if (Lexicon::english().find(hash_text(whole)) != nullptr) return add_word(whole, start, p_, 0);
      return add_special("#code", start, p_, TokenKind::word);
    }
    if (time) return add_number(value, start, p_, "#time");
    if (ratio) return add_number(value, start, p_, "#ratio");
    add_number(value, start, p_,
               fraction      ? "#n"
               : digits <= 1 ? "#n1"
               : digits == 2 ? "#n2"
               : digits <= 4 ? "#n4"
                             : "#n5");
  }

  void add_number(float value, const char* start, const char* stop, std::string_view form) {
    add_special(form, start, stop, TokenKind::number);
    out_.list.back().number = value;
    last_mark_ = 0;
  }

  void add_word(std::string_view form, const char* start, const char* stop, std::uint8_t flags) {
    if (english_) return add_english(form, start, stop, flags);
    const std::uint64_t hash = hash_text(form);
    if (const LexiconEntry* entry = lexicon_.find(hash)) {
      written_out(*entry->spelling, start, stop, flags);
    } else {
      constexpr std::uint64_t kForeignHash = 0x666F726569676EULL;
      append_word(form, combine(kForeignHash, hash), nullptr, start, stop, flags | kForeign);
    }
    count_word(flags);
  }

  void add_english(std::string_view form, const char* start, const char* stop, std::uint8_t flags) {
    const std::uint64_t hash = hash_text(form);
    const LexiconEntry* entry = Lexicon::english().find(hash);
    if (entry != nullptr && entry->spelling != nullptr) {
      written_out(*entry->spelling, start, stop, flags);
    } else {
      append_word(form, hash, entry, start, stop, flags);
    }
    count_word(flags);
  }

  void written_out(const Spelling& spelling, const char* start, const char* stop, std::uint8_t flags) {
    append_word(spelling.first, start, stop, flags);
    if (!spelling.second.empty()) append_word(spelling.second, start, stop, flags);
  }

  void count_word(std::uint8_t flags) {
    ++out_.words;
    out_.capital_words += (flags & kCapitals) != 0;
    last_mark_ = 0;
  }

  void append_word(std::string_view form, const char* start, const char* stop, std::uint8_t flags) {
    const std::uint64_t hash = hash_text(form);
    append_word(form, hash, Lexicon::english().find(hash), start, stop, flags);
  }

  void append_word(std::string_view form, std::uint64_t hash, const LexiconEntry* entry, const char* start,
                   const char* stop, std::uint8_t flags) {
    Token& token = append(form, hash, start, stop, TokenKind::word, flags);
    if (entry != nullptr) token.cues = entry->cues;
    if (sentence_start_) token.flags |= kSentenceStart;
    sentence_start_ = false;
    if (negation_left_ > 0) {
      token.flags |= kNegated;
      --negation_left_;
    }
    if ((token.cues & bit(Cue::negation)) == 0) return;
    negation_left_ = 3;
    if (!english_) negate_before();
  }

  // "funktioniert nicht", "marche pas": elsewhere the negator may stand behind.
  void negate_before() {
    std::size_t words = 0;
    for (std::size_t i = out_.list.size() - 1; i > 0 && words < 2; ++words) {
      Token& before = out_.list[--i];
      if (before.kind == TokenKind::punctuation) return;
      before.flags |= kNegated;
    }
  }

  void add_special(std::string_view form, const char* start, const char* stop, TokenKind kind) {
    if (kind == TokenKind::word) return append_word(form, start, stop, 0);
    append(form, hash_text(form), start, stop, kind, 0);
  }

  Token& append(std::string_view form, std::uint64_t hash, const char* start, const char* stop, TokenKind kind,
                std::uint8_t flags) {
    Token& token = out_.list.emplace_back();
    token.begin = offset(start);
    token.end = offset(stop);
    token.kind = kind;
    token.flags = flags;
    token.hash = hash;
    token.length = static_cast<std::uint16_t>(form.size());
    char framed[kLongestForm + 16];
    framed[0] = '<';
    std::memcpy(framed + 1, form.data(), form.size());
    framed[form.size() + 1] = '>';
    token.form = static_cast<std::uint32_t>(out_.forms.size() + 1);
    out_.forms.append(framed, form.size() + 2);
    return token;
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  const Vocabulary& vocabulary_;
  const Lexicon& lexicon_;
  const bool english_;
  Tokens& out_;
  bool sentence_start_ = true;
  int negation_left_ = 0;
  char last_mark_ = 0;
};

// Phrases of two and three words add their cues to their first word.
void mark_phrases(Tokens& tokens) {
  const Lexicon& lexicon = Lexicon::english();
  std::vector<Token>& list = tokens.list;
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    if (list[i].kind != TokenKind::word || !lexicon.begins_phrase(list[i].hash)) continue;
    if (list[i + 1].kind != TokenKind::word) continue;
    const std::uint64_t two = combine(list[i].hash, list[i + 1].hash);
    if (const LexiconEntry* entry = lexicon.find(two)) list[i].cues |= entry->cues;
    if (i + 2 < list.size() && list[i + 2].kind == TokenKind::word) {
      if (const LexiconEntry* entry = lexicon.find(combine(two, list[i + 2].hash))) list[i].cues |= entry->cues;
    }
  }
}

}  // namespace

void tokenize(std::string_view text, const Vocabulary& vocabulary, Tokens& out, const Lexicon& lexicon) {
  if (text.size() > kLongestText) {
    std::size_t size = kLongestText;
    while (size > kLongestText - 4 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    text = text.substr(0, size);
  }
  out.list.clear();
  out.forms.clear();
  out.letters_of_script.fill(0);
  out.words = out.capital_words = out.hashtags = out.mentions = out.urls = out.emoji = 0;
  out.exclamations = out.question_marks = out.ellipses = 0;
  out.retweet = out.thread_part = out.leading_mention = out.ends_with_question = out.quoted = false;
  Scanner(text, vocabulary, lexicon, out).run();
  mark_phrases(out);
  // Eight bytes of padding, so that short n-grams can be read as one machine word.
  out.forms.append(8, '\0');
}

}  // namespace triage::classify
