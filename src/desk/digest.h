// Digests as lower-case hex: what is kept of a token's secret and of a request, and the signature of a link.
#pragma once

#include <string>
#include <string_view>

namespace triage::desk {

std::string sha256_hex(std::string_view text);
std::string hmac_sha256_hex(std::string_view key, std::string_view text);

}  // namespace triage::desk
