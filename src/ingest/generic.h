// The generic shape: {"posts": [Post, …]}, one Post, or an array of them. The sender writes our own words, so what is
// wrong is the sender's to mend: every field at fault is named, and nothing of such a request is taken.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "triage/ingest/source.h"

namespace triage::ingest {

struct GenericSpec {
  std::size_t max = 1000;  // posts in one request
};

Result<void> map_generic(const GenericSpec& spec, const nlohmann::json& body, const SourceConfig& config,
                         const std::string& platform, Time now, bool trace, Mapped& out);

}  // namespace triage::ingest
