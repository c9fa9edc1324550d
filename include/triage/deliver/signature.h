// Signatures that we make: Standard Webhooks for callbacks (https://www.standardwebhooks.com, v1 symmetric).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "triage/model/error.h"
#include "triage/model/time.h"
#include "triage/net/http.h"

namespace triage::deliver {

// The raw key of a `whsec_…` or plain base64 secret; 16 to 96 bytes. The error never holds the secret.
Result<std::string> decode_secret(std::string_view secret);

// webhook-id, webhook-timestamp (seconds), webhook-signature: one `v1,` signature a key, newest first, so that a
// receiver can rotate.
net::Headers sign(std::string_view id, Time now, std::string_view body, const std::vector<std::string>& keys);

}  // namespace triage::deliver
