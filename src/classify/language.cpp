#include "classify/language.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "classify/hash.h"
#include "classify/utf8.h"

namespace triage::classify {
namespace {

constexpr std::string_view kLatinLanguages[] = {"en", "es", "fr", "de", "pt", "it", "nl"};
constexpr std::size_t kLanguages = std::size(kLatinLanguages);

// Words that are frequent in one language and mean nothing alone, folded as the tokeniser folds them. A word that two
// languages share stands in both lists and says less.
constexpr std::string_view kFrequent[kLanguages] = {
    "the a and to of is are was you i it for on my in with this that have has be not at your me just but so what why "
    "we they no can cant dont will would from been how do did get got when there an as or if please thank thanks by "
    "am our need help still now service flight good great love all about out up over never hi hello any one more back",
    "el la los las de que y en un una es no se por con para mi me lo su como mas pero le ya al del si esta este muy "
    "tengo estoy ha han hola gracias cuando donde porque nada hay todo son fue ser vuelo desde hace llevo mis sus nos "
    "servicio buenas ayuda una unos sin hasta",
    "le la les de des et un une est je ne pas que qui vous nous mon ma mes pour sur dans avec ce cette il elle on au "
    "du "
    "en suis jai cest plus depuis bonjour merci votre vos mais tout bien faire fait sont ai train vol toujours rien "
    "aucun aucune encore pourquoi comment heures ca",
    "der die das und ist ich nicht ein eine zu mit auf es sie wir den dem von im fur wie war hat habe bei mein meine "
    "mich mir kein keine was warum seit noch aber auch nach wird sind uns euch euer ihr ihre bitte danke hallo immer "
    "schon jetzt uber wenn dass einen einem stunden",
    "o a os as de que e em um uma nao se por com para meu minha eu voce voces esta isso mas mais ja do da no na dos "
    "das "
    "foi tem estou muito obrigado obrigada ola bom dia ate quando porque pra pelo pela ser sao meus minhas faz horas "
    "atendimento voo tenho ainda",
    "il lo la i gli le di che e un una non si per con in mi sono del della da ho ha come ma piu anche questo questa al "
    "nel alla vostro vostra ciao grazie buongiorno sempre ancora perche quando siamo abbiamo stato treno volo ore dopo "
    "tutto molto servizio cosa nessuno avete",
    "de het een en van ik is dat niet in te op mijn met voor je jullie er maar aan zijn heb heeft naar wat waarom nog "
    "al "
    "om bij als ook wel geen dit die we wij kan kunnen graag bedankt hallo goed weer nu uur sinds moet word wordt "
    "trein "
    "vlucht hoe deze ons"};

struct WordSlot {
  std::uint64_t hash = 0;
  std::uint8_t languages = 0;
};

class FrequentWords {
 public:
  FrequentWords() : slots_(2048) {
    for (std::size_t language = 0; language < kLanguages; ++language) {
      std::string_view rest = kFrequent[language];
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        slot(hash_text(rest.substr(0, end))).languages |= static_cast<std::uint8_t>(1U << language);
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
  }
  std::uint8_t languages(std::uint64_t hash) const {
    for (std::size_t i = hash & (slots_.size() - 1); slots_[i].hash != 0; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].hash == hash) return slots_[i].languages;
    }
    return 0;
  }

 private:
  WordSlot& slot(std::uint64_t hash) {
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].hash != 0 && slots_[i].hash != hash) i = (i + 1) & (slots_.size() - 1);
    slots_[i].hash = hash;
    return slots_[i];
  }
  std::vector<WordSlot> slots_;
};

// BCP 47 as far as it matters: anything else that a platform claims is not repeated.
bool is_tag(std::string_view text) {
  constexpr std::size_t kLongest = 35;
  return text.size() >= 2 && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

std::string detect_language(const Tokens& tokens, std::string_view claimed) {
  if (!is_tag(claimed) || claimed == "und") claimed = {};
  const auto letters = [&](Script script) { return tokens.letters_of_script[static_cast<std::size_t>(script)]; };
  std::uint32_t all = 0;
  for (const std::uint32_t n : tokens.letters_of_script) all += n;
  const std::string otherwise(claimed.empty() ? "und" : claimed);
  if (all == 0) return otherwise;
  if (letters(Script::latin) * 2 < all) {
    if (letters(Script::kana) * 5 > all) return "ja";
    constexpr std::pair<Script, std::string_view> kOfScript[] = {
        {Script::han, "zh"},  {Script::hangul, "ko"}, {Script::arabic, "ar"},     {Script::hebrew, "he"},
        {Script::thai, "th"}, {Script::greek, "el"},  {Script::devanagari, "hi"}, {Script::cyrillic, "ru"}};
    for (const auto& [script, language] : kOfScript) {
      if (letters(script) * 2 <= all) continue;
      // The script is certain, the language not: the platform's claim counts where it is not English or the like.
      const bool shared = script == Script::han || script == Script::arabic || script == Script::cyrillic ||
                          script == Script::devanagari;
      const bool latin_claim = std::any_of(std::begin(kLatinLanguages), std::end(kLatinLanguages),
                                           [&](std::string_view known) { return claimed.substr(0, 2) == known; });
      return shared && !claimed.empty() && !latin_claim ? std::string(claimed) : std::string(language);
    }
    return otherwise;
  }
  static const FrequentWords words;
  std::array<float, kLanguages> score{};
  std::size_t counted = 0;
  for (const Token& token : tokens.list) {
    if (token.kind != TokenKind::word) continue;
    if (++counted > 200) break;
    const std::uint8_t languages = words.languages(token.hash);
    if (languages == 0) continue;
    const float share = 1.0F / static_cast<float>(std::popcount(languages));
    for (std::size_t i = 0; i < kLanguages; ++i) {
      if ((languages & (1U << i)) != 0) score[i] += share;
    }
  }
  const auto best = static_cast<std::size_t>(std::max_element(score.begin(), score.end()) - score.begin());
  float second = 0;
  for (std::size_t i = 0; i < kLanguages; ++i) {
    if (i != best) second = std::max(second, score[i]);
  }
  const bool sure = score[best] >= 1 && score[best] > 1.3F * second;
  if (!sure && !claimed.empty()) return std::string(claimed);
  return sure ? std::string(kLatinLanguages[best]) : "und";
}

}  // namespace triage::classify
