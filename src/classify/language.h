// Which language a post is in, from its script and its commonest words. Cheap and honest: where it cannot tell, it
// says what the platform claims, and else "und".
#pragma once

#include <string>
#include <string_view>

#include "classify/tokenizer.h"

namespace triage::classify {

std::string detect_language(const Tokens& tokens, std::string_view claimed);

}  // namespace triage::classify
