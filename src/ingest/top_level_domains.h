// The top-level domains by which X tells a link from a word with a point in it.
#pragma once

#include <cstddef>
#include <string_view>

namespace triage::ingest {

// In UTF-16 units, of any of them; the longest is 18.
inline constexpr std::size_t kLongestTopLevelDomain = 18;

// Whether twitter-text 3.1.0 (validGTLD and validCCTLD; once IANA's root zone) lists that name, which is in lower case
// and, where it is not ASCII, as it is shown rather than as it is encoded (xn--).
bool is_top_level_domain(std::u16string_view name);

}  // namespace triage::ingest
