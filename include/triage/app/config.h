// The configuration as the rooms want it, and how it is read from a file. Reading finds every fault, not only the
// first, and shows no secret. config/triaged.json is the commented reference of what may stand in the file.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "triage/classify/classifier.h"
#include "triage/deliver/deliverer.h"
#include "triage/deliver/payload.h"
#include "triage/ingest/source.h"
#include "triage/model/time.h"
#include "triage/net/client.h"
#include "triage/net/server.h"
#include "triage/route/router.h"
#include "triage/store/store.h"

namespace triage::app {

struct CallbackConfig {
  net::Url url;
  std::string shown_url;          // for people: scheme and host alone, since a path may be a secret
  std::vector<std::string> keys;  // raw keys of the Standard Webhooks signature, newest first; secret
  deliver::Include include;
  std::size_t concurrency = 8;
};

struct TeamConfig {
  std::string name;
  std::optional<CallbackConfig> callback;  // none: the team works in the queue
};

struct CasesConfig {
  Duration join_within = std::chrono::hours(24);
  Duration reopen_within = std::chrono::hours(72);
};

struct EscalationsConfig {
  Duration repeat_every = std::chrono::minutes(5);  // escalation.repeated at most so often
  Duration link_ttl = std::chrono::hours(48);       // how long an acknowledge link works
};

// Many posts, one cause, one place. Read and checked; nothing opens incidents yet.
struct IncidentsConfig {
  std::vector<std::string> by = {"site", "topic"};
  Duration window = std::chrono::minutes(15);
  int open_at = 3;
};

struct LimitsConfig {
  std::size_t hook_body_bytes = 8 * 1024 * 1024;
  std::size_t api_body_bytes = 1024 * 1024;
  double token_requests_per_minute = 6000;                 // 0: no limit
  double address_requests_per_minute = 6000;               // of requests that nobody signed; 0: no limit
  Duration writer_wait = std::chrono::milliseconds(1500);  // of a webhook for the writer to begin with it
  Duration queue_wait_max = std::chrono::seconds(60);
  Duration lease = std::chrono::seconds(300);  // of a claim that names none
  Duration lease_max = std::chrono::hours(8);
};

// Read and checked; nothing is deleted by it yet.
struct RetentionConfig {
  Duration posts = std::chrono::hours(24 * 400);
  Duration audit = std::chrono::hours(24 * 730);
};

struct ClassifierConfig {
  std::filesystem::path model;       // of the fast judge; empty: the one built into the binary
  std::filesystem::path deep_model;  // empty: the one built in; none where `model` is set, which it does not fit
  bool deep = true;                  // false: the fast judge alone
  Duration deep_wait = std::chrono::milliseconds(25);  // of a new post for the deep judge
  unsigned deep_threads = 0;                           // 0: half of the cores
  classify::FactorWeights factors;
};

enum class LogFormat { text, json };

struct LogConfig {
  std::string level = "info";  // as spdlog names it: trace, debug, info, warn, error
  LogFormat format = LogFormat::text;
};

// A source, and the file that says what it is.
struct ConfiguredSource : ingest::SourceConfig {
  std::shared_ptr<const ingest::SourceFile> file;

  Result<std::unique_ptr<ingest::Source>> bind() const {
    const ingest::SourceConfig& config = *this;
    return file->bind(config);
  }
};

struct Config {
  std::filesystem::path file;  // where it was read; empty for the defaults
  net::ServerOptions server;   // listen, tls, trusted_proxies, and the connections' limits
  std::string public_url;      // without a slash at its end; empty: none is set
  unsigned threads = 0;        // of network and judging; 0: as many as there are cores
  Duration drain_grace = std::chrono::seconds(10);
  store::Options store;  // data, and the writer's limits
  std::vector<ConfiguredSource> sources;
  std::vector<TeamConfig> teams;
  route::Plan plan;  // routing, ladders, sites, clocks: every name in it is known
  CasesConfig cases;
  EscalationsConfig escalations;
  IncidentsConfig incidents;
  deliver::Options delivery;
  LimitsConfig limits;
  RetentionConfig retention;
  ClassifierConfig classifier;
  LogConfig log;
};

// A fault, or something to know, at one place of a file.
struct Finding {
  std::string file;     // as it was named on the command line
  std::string pointer;  // RFC 6901; "" is the whole file
  std::string message;  // what is there and what was expected; never a secret
};

// "config.json: /teams/0/name: expected …"
std::string to_string(const Finding& finding);

struct LoadedConfig {
  Config config;
  std::vector<Finding> warnings;
};

// What the command line sets over the file, checked together with it.
struct Overrides {
  std::optional<std::string> listen;  // HOST:PORT
  std::optional<std::string> data;    // a directory, relative to where the command runs
};

// Either the configuration or all of what is wrong with it. Paths in the file are relative to the file.
using ConfigResult = boost::system::result<LoadedConfig, std::vector<Finding>>;
ConfigResult load_config(const std::filesystem::path& file, const Overrides& overrides = {});

// The same from text, for tests and the demo. `file` is where it stands: its name in findings, its directory for paths.
ConfigResult parse_config(std::string_view text, const std::filesystem::path& file, const Overrides& overrides = {});

// What `serve` runs without a file, the same as an empty one: SQLite in ./data, one team "care", loopback only and
// there one unsigned source "generic". The findings can only be the overrides' faults.
ConfigResult default_config(const Overrides& overrides = {});

// The endpoints of the teams that have a callback, as the deliverer takes them.
std::vector<deliver::Endpoint> endpoints(const Config& config);

// True for an address that only this machine can reach: localhost, 127.0.0.0/8, ::1.
bool is_loopback(const std::string& host);

[[noreturn]] void throw_exception_from_error(const std::vector<Finding>& findings, const boost::source_location& where);

}  // namespace triage::app
