// What the schemes of signatures share. Only signature*.cpp include this.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/hmac.h"
#include "ingest/signature.h"

namespace triage::ingest {

inline constexpr std::size_t kLongestHeader = 4096;
inline constexpr std::size_t kMostSignatures = 16;  // that one header may hold
inline constexpr std::size_t kMostSignedParts = 16;

Error unauthenticated(std::string detail);

// Every key against every candidate, whatever the outcome so far.
bool any_matches(const std::vector<HmacKey>& keys, std::span<const std::string_view> parts,
                 const std::vector<std::string>& candidates);

// A whole number of `unit`s since 1970, within `tolerance` of now on both sides. `where` names it in the error.
Result<void> check_timestamp(std::string_view timestamp, const std::string& where, Duration unit, Duration tolerance,
                             Time now);
std::string timestamp_of(Time now, Duration unit);

bool is_header_name(std::string_view name);

std::unique_ptr<const Signature> make_hmac(const SignatureSpec& spec, Hash hash, bool hex, std::string header,
                                           std::string prefix, const std::vector<std::string>& secrets);
std::unique_ptr<const Signature> make_token(const SignatureSpec& spec, std::string header, std::string prefix,
                                            const std::vector<std::string>& secrets);
std::unique_ptr<const Signature> make_basic(const std::vector<std::string>& users,
                                            const std::vector<std::string>& passwords);
std::unique_ptr<const Signature> make_standard_webhooks(std::vector<HmacKey> keys);

}  // namespace triage::ingest
