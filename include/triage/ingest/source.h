// A source: one platform's door. Handshake, signature and mapping are data (config/sources/*.json); this room has the
// handful of mechanisms that such a file names. Pure: bytes and time in, events out.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/error.h"
#include "triage/model/post.h"

namespace triage::ingest {

// What the configuration says of one source.
struct SourceConfig {
  std::string name;                                         // in the URL: [a-z0-9][a-z0-9._-]{0,63}
  std::string use;                                          // the source file: "generic", "x", "meta"
  std::map<std::string, std::vector<std::string>> secrets;  // several values while they rotate, the first is newest
  std::map<std::string, std::string> settings;  // further strings that the source file allows: header, algorithm, …
  std::string brand_account;                    // our account there: its posts are ours, and the default brand_account
  bool unsigned_ok = false;                     // "unsigned": true; loopback only, the caller enforces that
  std::optional<Duration> expect_every;         // an alarm when nothing came for so long
};

// A request as a platform sent it. Views are the caller's, for the call only.
struct Delivery {
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;
  const std::vector<std::pair<std::string, std::string>>* query = nullptr;
  std::string_view body;
};

struct Mapped {
  std::vector<Event> events;
  int ignored = 0;                         // events that no rule maps
  std::vector<std::string> ignored_kinds;  // what they called themselves, each once, for a log line
};

struct Answer {
  int status = 200;
  std::string content_type;
  std::string body;
};

class Source {
 public:
  virtual ~Source() = default;
  virtual const SourceConfig& config() const = 0;

  // GET: the platform's handshake. bad_request/forbidden/method_not_allowed otherwise.
  virtual Result<Answer> handshake(const Delivery& delivery) const = 0;

  // The signature over the raw bytes, in constant time, and the timestamp's tolerance. unauthenticated when missing,
  // wrong, or too old; never says which secret was tried.
  virtual Result<void> verify(const Delivery& delivery, Time now) const = 0;

  // The events in the body, in order; each post has source, platform, received_at = now and created_at set, valid
  // UTF-8, and no id yet. bad_request: not JSON (names the byte); unprocessable: a generic post without a required
  // field (names every field by pointer).
  virtual Result<Mapped> map(const Delivery& delivery, Time now) const = 0;
};

// A source file, read and checked. The error names each key at fault by JSON pointer and what was expected.
class SourceFile {
 public:
  virtual ~SourceFile() = default;
  virtual const std::string& name() const = 0;

  // Binds it to a configured source. unprocessable with pointers below the source's own object: "/secrets/app_secret"
  // missing, …
  virtual Result<std::unique_ptr<Source>> bind(SourceConfig config) const = 0;
};

Result<std::shared_ptr<const SourceFile>> parse_source_file(std::string_view name, std::string_view json_text);

// The files built into the binary, by name: generic, x, meta.
std::vector<std::string> shipped_source_names();
Result<std::shared_ptr<const SourceFile>> shipped_source(std::string_view name);

// Signs a body as a platform would, for `triaged replay`, `demo` and tests: the headers to add. unprocessable when the
// source's scheme has no signature made from its configured secrets.
Result<std::vector<std::pair<std::string, std::string>>> sign(const Source& source, std::string_view body, Time now,
                                                              std::string_view message_id);

}  // namespace triage::ingest
