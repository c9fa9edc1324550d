// What a source file says of its platform's own interface: `api`, `replies`, `fetches` and `pulls`, compiled.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/body.h"
#include "ingest/call.h"
#include "ingest/mapping.h"
#include "ingest/platform_time.h"
#include "ingest/text_length.h"

namespace triage::ingest {

// The headers by which a platform says how many calls are left.
struct RateLimitSpec {
  std::string remaining, reset;      // headers; empty: none
  std::optional<TimeFormat> format;  // of `reset`; nothing: seconds from now
  ExpressionPtr retry_after;         // of the answer, in seconds, where a header does not say it
};

// What replies and fetches have in common. Expressions on the answer are one frame below the document.
struct CallRule {
  ConditionPtr when;
  std::optional<Call> before;
  Call call;
};

struct ReplyRule : CallRule {
  ExpressionPtr text;  // null: as the agent wrote it
  std::optional<std::size_t> max_length;
  LengthUnit count = LengthUnit::characters;
  bool repeat = false;
  ExpressionPtr native_id, url;
  ConditionPtr already_when;
};

struct FetchRule : CallRule {
  std::unique_ptr<const Mapping> mapping;  // of {…the document, "answer": …}
  ConditionPtr gone_when;
};

struct PullRule {
  std::string name;
  Duration every{60'000};
  ConditionPtr when;
  Call call;
  ExpressionPtr cursor, back;
  ConditionPtr more;
  std::optional<BodyFormat> body;
  std::optional<Call> stream;
  ExpressionPtr stream_cursor;  // of an event's body; null: `cursor`
};

struct ApiSpec {
  std::vector<Binding> bindings;  // of the document
  CallDefaults defaults;
  RateLimitSpec rate_limit;
  ConditionPtr retry_when, failed_when;
  ExpressionPtr error;
  std::vector<Auth> sessions;  // those that calls are made with; Auth::session is the place here
  std::vector<ReplyRule> replies;
  std::vector<FetchRule> fetches;
  std::vector<PullRule> pulls;
};

// The names that a file's expressions may use, and where their values are: brand_account and the settings, then, in
// calls alone, the secrets.
struct ApiNames {
  std::map<std::string, std::size_t> config;
  std::vector<std::string> secrets;
};

// Null where the file has none of the four. `platform` as in the file.
std::unique_ptr<const ApiSpec> compile_api(const Spec& file, const std::string& platform, const ApiNames& names);

}  // namespace triage::ingest
