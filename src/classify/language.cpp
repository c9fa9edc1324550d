#include "classify/language.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "classify/hash.h"
#include "classify/tokenizer.h"
#include "classify/utf8.h"

namespace triage::classify {
namespace {

constexpr std::string_view kLatinLanguages[] = {"en", "es", "fr", "de", "pt", "it", "nl"};
constexpr std::size_t kLanguages = std::size(kLatinLanguages);
static_assert(kLanguages == kLearntLanguages);

// Words that are frequent in one language and mean nothing alone, or that people say to companies, folded as the
// tokeniser folds them. A word that two languages share stands in both lists and says less.
constexpr std::string_view kFrequent[kLanguages] = {
    "the a and to of is are was you i it for on my in with this that have has be not at your me just but so what why "
    "we they no can cant dont will would from been how do did get got when there an as or if please thank thanks by "
    "am our need help still now service flight good great love all about out up over never hi hello any one more back "
    "im its isnt doesnt didnt yes again",
    "el la los las de que y en un una es no se por con para mi me lo su como mas pero le ya al del si esta este muy "
    "tengo estoy ha han hola gracias cuando donde porque nada hay todo son fue ser vuelo desde hace llevo mis sus nos "
    "servicio buenas ayuda una unos sin hasta ni sale esto esa ese pq tambien ahora hoy ayer siempre otra otro vez "
    "dias horas pedido cuenta va van dice dicen puedo pueden puede tiene tienen solo os te tu yo gente bien mal quiero "
    "alguien nadie aqui aca entre sobre antes jaja jajaja luz agua primera segunda",
    "le la les de des et un une est je ne pas que qui vous nous mon ma mes pour sur dans avec ce cette il elle on au "
    "du en suis jai cest plus depuis bonjour merci votre vos mais tout bien faire fait sont ai train vol toujours rien "
    "aucun aucune encore pourquoi comment heures ca svp stp si quand chez sans apres avant deja moi toi mdr ptdr jour "
    "jours ete etait ont avez avait peut peux faut ou meme tres trop commande colis appli client ligne heure",
    "der die das und ist ich nicht ein eine zu mit auf es sie wir den dem von im fur wie war hat habe bei mein meine "
    "mich mir kein keine was warum seit noch aber auch nach wird sind uns euch euer ihr ihre bitte danke hallo immer "
    "schon jetzt uber wenn dass einen einem stunden am zum zur aus bis doch mal nur so dann hab haben wieder heute "
    "gestern kann konnt geht gibt vom ins an ab ohne leider mehr sehr dieser diese dieses man alles nix nichts niemand "
    "uhr tage tagen moin hier da paket zug bahn euro",
    "o a os as de que e em um uma nao se por com para meu minha eu voce voces esta isso mas mais ja do da no na dos "
    "das foi tem estou muito obrigado obrigada ola bom dia ate quando porque pra pelo pela ser sao meus minhas faz "
    "horas atendimento voo tenho ainda ta to ne vc vcs pfv pq aqui agora hoje ontem nada ninguem sem so tambem gente "
    "fazer quero pode dias conta cade aplicativo encomenda pedido nem ao essa esse isto boa tarde noite num numa",
    "il lo la i gli le di che e un una non si per con in mi sono del della da ho ha come ma piu anche questo questa al "
    "nel alla vostro vostra ciao grazie buongiorno sempre ancora perche quando siamo abbiamo stato treno volo ore dopo "
    "tutto molto servizio cosa nessuno avete dal dalla nella sul sulla dei delle degli ora oggi ieri fa ci vi mai solo "
    "qui gia senza niente fermi fermo pacco ordine giorni euro bene buonasera salve quindi poi pero ogni",
    "de het een en van ik is dat niet in te op mijn met voor je jullie er maar aan zijn heb heeft naar wat waarom nog "
    "al om bij als ook wel geen dit die we wij kan kunnen graag bedankt hallo goed weer nu uur sinds moet word wordt "
    "trein vlucht hoe deze ons was tot dan dus gaat hier vandaag gisteren alweer niks niemand iemand pakket pakketje "
    "bezorgd dagen klant klantenservice jaar zonder toch even mag hebben ff uit over bestelling"};

// Letters that few of the languages have.
void count_letters(std::string_view text, std::array<float, kLanguages>& score) {
  constexpr std::size_t kRead = 400;
  const char* p = text.data();
  const char* end = p + std::min(text.size(), kRead);
  while (p < end) {
    if (static_cast<unsigned char>(*p) < 0x80) {
      ++p;
      continue;
    }
    switch (next_code_point(p, end)) {
      case 0xA1:  // ¡
      case 0xBF:  // ¿
      case 0xD1:  // Ñ
      case 0xF1:  // ñ
        score[1] += 1;
        break;
      case 0xE8:  // è
      case 0xF9:  // ù
        score[2] += 0.4F;
        score[5] += 0.4F;
        break;
      case 0xEA:  // ê
        score[2] += 0.5F;
        score[4] += 0.3F;
        break;
      case 0xE7:  // ç
        score[2] += 0.5F;
        score[4] += 0.5F;
        break;
      case 0xEE:   // î
      case 0x153:  // œ
        score[2] += 1;
        break;
      case 0xDF:  // ß
        score[3] += 2;
        break;
      case 0xC4:  // Ä
      case 0xD6:  // Ö
      case 0xDC:  // Ü
      case 0xE4:  // ä
      case 0xF6:  // ö
      case 0xFC:  // ü
        score[3] += 0.7F;
        break;
      case 0xE3:  // ã
      case 0xF5:  // õ
        score[4] += 1.5F;
        break;
      case 0xF3:  // ó
      case 0xED:  // í
        score[1] += 0.5F;
        score[4] += 0.2F;
        break;
      default:
        break;
    }
  }
}

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

// BCP 47 as far as it matters: anything else that a platform claims is not repeated, nor is a tag that says that there
// is no language.
bool is_tag(std::string_view text) {
  constexpr std::size_t kLongest = 35;
  if (text.size() < 2 || text.size() > kLongest) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      })) {
    return false;
  }
  const std::string_view primary = text.substr(0, text.find('-'));
  constexpr std::string_view kNone[] = {"und", "zxx", "mul", "mis", "art"};
  return !(primary.size() == 3 && primary[0] == 'q') &&
         std::find(std::begin(kNone), std::end(kNone), primary) == std::end(kNone);
}

std::string_view primary_of(std::string_view tag) {
  return tag.substr(0, tag.find('-'));
}

constexpr float kClear = 2, kClearlyMore = 2, kClearShare = 6;
constexpr std::size_t kEnoughWords = 4;

// CLD2 on the words alone: mentions, links and hashtags are in no language. Empty where it is not sure.
std::string_view ask_cld2(const Tokens& tokens, std::string_view text, std::string_view claimed) {
  constexpr std::size_t kRead = 600;
  thread_local std::string words;
  words.clear();
  std::uint32_t written = 0;
  for (const Token& token : tokens.list) {
    if (words.size() > kRead) break;
    if (token.kind != TokenKind::word || (token.flags & kHashtag) != 0 || token.begin < written) continue;
    words.append(text, token.begin, token.end - token.begin).push_back(' ');
    written = token.end;  // a contraction is two tokens of one place
  }
  CLD2::CLDHints hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  if (!claimed.empty()) hints.language_hint = CLD2::GetLanguageFromName(std::string(primary_of(claimed)).c_str());
  std::array<CLD2::Language, 3> languages{};
  std::array<int, 3> percent{};
  std::array<double, 3> score{};
  int bytes = 0, valid = 0;
  bool reliable = false;
  const CLD2::Language best = CLD2::ExtDetectLanguageSummaryCheckUTF8(words.data(), static_cast<int>(words.size()),
                                                                      true, &hints, 0, languages.data(), percent.data(),
                                                                      score.data(), nullptr, &bytes, &reliable, &valid);
  if (best == CLD2::UNKNOWN_LANGUAGE || !reliable) return {};
  const std::string_view code = CLD2::LanguageCode(best);
  return code == "iw" ? "he" : code;
}

}  // namespace

Language language_of(std::string_view tag) {
  if (tag.empty() || tag == "und") return Language::english;
  const std::string_view primary = primary_of(tag);
  for (std::size_t i = 0; i < kLanguages; ++i) {
    if (primary == kLatinLanguages[i]) return static_cast<Language>(i);
  }
  return Language::other;
}

std::string detect_language(const Tokens& tokens, std::string_view text, std::string_view claimed) {
  if (!is_tag(claimed)) claimed = {};
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
      if (!shared) return std::string(language);
      if (!claimed.empty() && language_of(claimed) == Language::other) return std::string(claimed);
      if (tokens.words < kEnoughWords) return std::string(language);
      const std::string_view found = ask_cld2(tokens, text, claimed);
      return std::string(language_of(found) == Language::other ? found : language);
    }
    const std::string_view found = ask_cld2(tokens, text, claimed);
    return found.empty() ? otherwise : std::string(found);
  }

  static const FrequentWords frequent;
  std::array<float, kLanguages> score{};
  std::size_t counted = 0;
  for (const Token& token : tokens.list) {
    if (token.kind != TokenKind::word) continue;
    if (++counted > 200) break;
    const std::uint8_t languages = frequent.languages(token.hash);
    if (languages == 0) continue;
    const float share = 1.0F / static_cast<float>(std::popcount(languages));
    for (std::size_t i = 0; i < kLanguages; ++i) {
      if ((languages & (1U << i)) != 0) score[i] += share;
    }
  }
  const auto best_of = [&] {
    const auto best = static_cast<std::size_t>(std::max_element(score.begin(), score.end()) - score.begin());
    float second = 0;
    for (std::size_t i = 0; i < kLanguages; ++i) {
      if (i != best) second = std::max(second, score[i]);
    }
    return std::pair{best, second};
  };
  // Most posts are clearly English, and asking CLD2 costs as much as half of the judgement.
  if (const auto [best, second] = best_of(); best == 0 && score[0] >= kClear && score[0] >= kClearlyMore * second &&
                                             score[0] * kClearShare >= static_cast<float>(counted)) {
    return "en";
  }
  std::array<float, kLanguages> by_words_alone = score;
  count_letters(text, score);
  const auto [best, second] = best_of();
  const std::string_view by_words = score[best] >= 0.9F && score[best] > 1.3F * second ? kLatinLanguages[best] : "";
  const std::string_view found = ask_cld2(tokens, text, claimed);
  if (const Language language = language_of(found); !found.empty()) {
    if (language != Language::other) {
      const bool contradicted = !by_words.empty() && score[best] >= 2 && by_words != found &&
                                score[static_cast<std::size_t>(language)] * 3 < score[best];
      return std::string(contradicted ? by_words : found);
    }
    // A few words of slang look like some far language or other; and much Spanish looks like Galician to CLD2.
    const bool enough = counted >= kEnoughWords &&
                        (by_words_alone[best] < kClear || by_words_alone[best] * 4 < static_cast<float>(counted));
    const bool relative =
        (found == "gl" && (by_words == "es" || by_words == "pt")) || (found == "af" && by_words == "nl");
    if (enough && !relative) return std::string(found);
  }
  return by_words.empty() ? otherwise : std::string(by_words);
}

}  // namespace triage::classify
