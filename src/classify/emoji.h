// What an emoji says, in the few classes that matter for care. Any other is a token of its own code point.
#pragma once

#include <string_view>

namespace triage::classify {

bool is_emoji(char32_t c);

// "e:angry", "e:sad", "e:laugh", "e:love", "e:thanks", "e:irony", "e:alarm", "e:sick", "e:up", "e:down", "e:party",
// "e:travel", or empty for the rest.
std::string_view emoji_class(char32_t c);

}  // namespace triage::classify
