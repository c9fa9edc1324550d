// Which language a post is in: from its script, its commonest words, and CLD2 where those are not clearly English's.
// Honest: where it cannot tell, it says what the platform claims, and else "und".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace triage::classify {

struct Tokens;

// The languages that the fast judge has learnt; `other` is any that it has not. Text of an unknown language is read as
// English.
enum class Language : std::uint8_t { english, spanish, french, german, portuguese, italian, dutch, other };
inline constexpr std::size_t kLearntLanguages = 7;

// By a BCP 47 tag: "pt-BR" is Portuguese, "und" English.
Language language_of(std::string_view tag);

// `tokens` are those of `text` in the English reading. `claimed` is what the platform says.
std::string detect_language(const Tokens& tokens, std::string_view text, std::string_view claimed);

}  // namespace triage::classify
