// Links as X finds them in a text that is about to be posted: each is replaced by one of its own, of a fixed length.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace triage::ingest {

// In UTF-16 units.
struct XLink {
  std::size_t start = 0;
  std::size_t size = 0;
};

// What extractUrlsWithIndices of twitter-text 3.1.0 finds in the text, which is UTF-16 in NFC, in order: URLs of http
// and https, and names of hosts without either ("example.com/path"). Both need a known top-level domain (or one that
// begins with xn--), so http://localhost is none. Takes time in proportion to the text's length.
std::vector<XLink> find_x_links(std::u16string_view text);

}  // namespace triage::ingest
