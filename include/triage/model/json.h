// The wire spellings of the model, as docs/openapi.yaml states them. Absent optional fields are left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "triage/model/decision.h"
#include "triage/model/error.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage {

void to_json(nlohmann::json& out, const Author& author);
void to_json(nlohmann::json& out, const Post& post);
void to_json(nlohmann::json& out, const Verdict& verdict);
void to_json(nlohmann::json& out, const Decision& decision);

// Reads what to_json wrote. Throws nlohmann::json::exception on anything else: only for our own stored documents.
void from_json(const nlohmann::json& in, Verdict& verdict);
void from_json(const nlohmann::json& in, Decision& decision);

// A Post from the generic shape of the contract. `at` is the pointer of `in` within the request. Every field at fault
// is named; unknown fields are ignored. `source`, `id` and `received_at` are the caller's to set; created_at is left
// zero when absent.
Result<Post> post_from_json(const nlohmann::json& in, const std::string& at);

// Parses untrusted bytes: valid UTF-8 JSON and nothing after it, at most `max_depth` brackets deep, iteratively. Of
// duplicate keys the last wins. The error (bad_request) names the byte, counted from 0, where reading stopped and what
// was expected, and repeats nothing of the body. More than 250,000 values are too_large: they would take far more
// memory than their bytes.
Result<nlohmann::json> parse_json(std::string_view bytes, int max_depth = 128);

// Parses a document that a person wrote: as above, but comments (// and /* */) are passed over, a key that stands twice
// in one object is refused, and the error names line and column, both counted from 1.
Result<nlohmann::json> parse_written_json(std::string_view text, int max_depth = 128);

}  // namespace triage
