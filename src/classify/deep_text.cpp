#include "classify/deep_text.h"

#include <algorithm>
#include <iterator>

#include "classify/utf8.h"

namespace triage::classify {
namespace {

// What an emoji of each class says in words that the encoder has met in running text.
struct Said {
  std::string_view form, words;
};
constexpr Said kEmoji[] = {
    {"e:angry", "angry"},   {"e:sad", ":("},     {"e:laugh", "haha"},  {"e:love", ":)"},
    {"e:thanks", "thanks"}, {"e:irony", "sigh"}, {"e:alarm", "alert"}, {"e:sick", "sick"},
    {"e:up", "great"},      {"e:down", "bad"},   {"e:party", "yay"},   {"e:travel", "travel"},
};

// Forms of negated verbs: the tokenizer takes the apostrophe out, the encoder knows them with it.
constexpr std::string_view kNegatedVerbs[] = {"arent", "cant",   "couldnt", "didnt",  "doesnt", "dont",
                                              "hadnt", "hasnt",  "havent",  "isnt",   "neednt", "shouldnt",
                                              "wasnt", "werent", "wont",    "wouldnt"};

constexpr std::size_t kLongestNumber = 12;  // of a number or a code; the first digits say what it is

// Numbers and codes as they were typed, letters folded; any currency is a dollar.
void put_typed(std::string_view source, const Token& token, std::string_view form, std::string& out) {
  const char* p = source.data() + token.begin;
  const char* end = source.data() + token.end;
  std::size_t left = kLongestNumber;
  if (form == "#money") out.push_back('$');
  while (p < end && left > 0) {
    const char32_t c = next_code_point(p, end);
    const bool mark = c == '.' || c == ',' || c == ':' || c == '/' || c == '%' || c == '-';
    const char32_t folded = mark ? c : fold_letter(c);
    if (folded == 0 || folded >= 0x80) continue;
    out.push_back(static_cast<char>(folded));
    --left;
  }
}

class Writer {
 public:
  Writer(const Tokens& tokens, std::string_view source, DeepText& out)
      : tokens_(tokens), source_(source), text_(out.text), words_(out.words) {}

  void run() {
    std::uint32_t behind = 0;  // the end of the token before
    for (std::uint32_t i = 0; i < tokens_.list.size(); ++i) {
      const Token& token = tokens_.list[i];
      if (token.begin > behind) between(source_.substr(behind, token.begin - behind));
      behind = std::max(behind, token.end);
      write(token, i);
    }
  }

 private:
  // The marks between two tokens, each once however often it is typed.
  void between(std::string_view gap) {
    const bool joins = gap.size() == 1;  // nothing else, so "check-in" and not "check - in"
    for (const char c : gap) {
      switch (c) {
        case ',':
        case ';':
        case ':':
        case ')':
          if (!words_.empty() && text_.back() != c) {
            text_.push_back(c);
            words_.back().end = static_cast<std::uint32_t>(text_.size());
          }
          break;
        case '(':
          opening_ = " (";
          break;
        case '-':
        case '/':
          if (!words_.empty()) opening_ = joins ? (c == '-' ? "-" : "/") : (c == '-' ? " - " : " / ");
          break;
        default:
          break;
      }
    }
  }

  void write(const Token& token, std::uint32_t index) {
    const std::string_view form = tokens_.form(token);
    const auto begin = static_cast<std::uint32_t>(text_.size());
    switch (token.kind) {
      case TokenKind::mention:
      case TokenKind::url:
        return;
      case TokenKind::punctuation:
        if (words_.empty()) return;
        text_ += form;
        break;
      case TokenKind::emoji: {
        const auto* said =
            std::find_if(std::begin(kEmoji), std::end(kEmoji), [&](const Said& s) { return s.form == form; });
        if (said == std::end(kEmoji)) return;
        text_.push_back(' ');
        text_ += said->words;
        break;
      }
      case TokenKind::number:
        open();
        put_typed(source_, token, form, text_);
        break;
      case TokenKind::word:
        open();
        if (form == "i") {
          text_.push_back('I');
        } else if (form == "#code") {
          put_typed(source_, token, form, text_);
        } else if (std::binary_search(std::begin(kNegatedVerbs), std::end(kNegatedVerbs), form)) {
          text_ += form.substr(0, form.size() - 1);
          text_ += "'t";
        } else {
          text_ += form;
        }
        break;
    }
    opening_ = {};
    words_.push_back({begin, static_cast<std::uint32_t>(text_.size()), index});
  }

  void open() {
    if (opening_.empty()) {
      text_.push_back(' ');
    } else {
      text_ += opening_;
    }
  }

  const Tokens& tokens_;
  std::string_view source_;
  std::string& text_;
  std::vector<DeepWord>& words_;
  std::string_view opening_;  // what stands before the next word in place of a space
};

}  // namespace

void write_deep_text(const Tokens& tokens, std::string_view source, DeepText& out) {
  out.text.clear();
  out.words.clear();
  Writer(tokens, source, out).run();
}

}  // namespace triage::classify
