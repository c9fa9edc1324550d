// A source's calls to its platform, with the configuration's secrets and settings in them.
#pragma once

#include <memory>

#include "ingest/api_file.h"
#include "triage/ingest/api.h"

namespace triage::ingest {

struct ApiBinding {
  std::shared_ptr<const void> file;  // what `spec` and `mapping` belong to, kept
  const ApiSpec* spec = nullptr;
  const Mapping* mapping = nullptr;  // of polled bodies; null without `events`
  BodyFormat body = BodyFormat::json;
  const SourceConfig* config = nullptr;  // outlives the binding's use
  std::vector<Value> values;             // of ApiNames::config, then of its secrets
};

std::unique_ptr<const Api> bind_api(ApiBinding binding);

}  // namespace triage::ingest
