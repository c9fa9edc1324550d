// A source: one platform's door. Handshake, signature and mapping are data (config/sources/*.json, docs/sources.md);
// this room has the handful of mechanisms that such a file names. Pure: bytes and time in, events out. Everything here
// is immutable once made and may be used from many threads at once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "triage/model/error.h"
#include "triage/model/post.h"

namespace triage::ingest {

using Headers = std::vector<std::pair<std::string, std::string>>;

// What the configuration says of one source.
struct SourceConfig {
  std::string name;                                         // in the URL: [a-z0-9][a-z0-9._-]{0,63}
  std::string use;                                          // the source file: "generic", "x", "meta", …
  std::map<std::string, std::vector<std::string>> secrets;  // several values while they rotate, the first is newest
  std::map<std::string, std::string> settings;  // further strings that the source file allows: header, algorithm, …
  std::string brand_account;                    // our account there: its posts are ours, and the default brand_account
  bool unsigned_ok = false;                     // "unsigned": true; loopback only, the caller enforces that
  std::optional<Duration> expect_every;         // an alarm when nothing came for so long
  std::optional<Duration> pull_every;           // in place of what the source file says of its pulls
};

// A request as a platform sent it. Views are the caller's, for the call only.
struct Delivery {
  const Headers* headers = nullptr;  // names in any case
  const Headers* query = nullptr;    // decoded
  std::string_view body;             // the raw bytes
};

// What became of one element of a body, for people (`triaged source test`).
struct Traced {
  struct Considered {
    std::string place;  // in the source file: "/events/0" is a group, "/events/0/rules/1" a rule
    std::string why;    // it did not take the element
  };
  std::string element;                 // where it stands in the body: "/entry/0/changes/1"; "" is the body itself
  std::vector<Considered> considered;  // in the order of the file, before the one that took it
  std::string place;                   // of the rule that took it; empty where none did
  std::string outcome;                 // post, own_post, share, pending, deletion or ignored
  std::string why;                     // of an ignored one
  std::optional<std::size_t> event;    // which of Mapped::events it became
};

// What Traced::outcome calls it.
std::string_view outcome_of(EventKind kind);

struct Mapped {
  std::vector<Event> events;
  int ignored = 0;                         // events that no rule maps, or that lack what a post must have
  std::vector<std::string> ignored_kinds;  // what they called themselves, each once, safe to log; at most 32
  std::vector<Traced> trace;               // of Source::explain only
};

struct Answer {
  int status = 200;
  std::string content_type;
  std::string body;
};

class Api;

class Source {
 public:
  virtual ~Source() = default;
  virtual const SourceConfig& config() const = 0;

  // What it asks of its platform (triage/ingest/api.h); null where the source file says nothing of that. Lives as long
  // as the source.
  virtual const Api* api() const = 0;

  // Whether it has a door at all: what is only polled has none.
  virtual bool takes_webhooks() const = 0;

  // GET: the platform's handshake. bad_request: a parameter is missing or a token is not of the platform's pattern;
  // forbidden: the wrong verify token; method_not_allowed: this source has no handshake.
  virtual Result<Answer> handshake(const Delivery& delivery) const = 0;

  // The signature over the raw bytes, in constant time, and the timestamp's tolerance. unauthenticated when missing,
  // wrong, or too old; never says which secret was tried.
  virtual Result<void> verify(const Delivery& delivery, Time now) const = 0;

  // The events in the body, in order; each post has source, platform, received_at = now and created_at set, valid
  // UTF-8, and no id yet. bad_request: not JSON, or not the XML or form that the file says (names the byte);
  // unprocessable: a generic post without a required field (names every field by pointer), or more events than one
  // request may carry.
  virtual Result<Mapped> map(const Delivery& delivery, Time now) const = 0;

  // The same, with `trace`: element by element and rule by rule. Slower.
  virtual Result<Mapped> explain(const Delivery& delivery, Time now) const = 0;

  // The headers that the platform would send with this body, made from the newest secret. Empty for an unsigned
  // source. unprocessable where the source's scheme cannot be signed from its configured secrets.
  virtual Result<Headers> sign(std::string_view body, Time now, std::string_view message_id) const = 0;
};

// A source file, read and checked. The error names each key at fault by JSON pointer and what was expected.
class SourceFile {
 public:
  virtual ~SourceFile() = default;
  virtual const std::string& name() const = 0;
  virtual const std::string& title() const = 0;                       // for people: "X (Twitter)"
  virtual const std::string& platform() const = 0;                    // of its posts where they do not say
  virtual const std::vector<std::string>& secret_names() const = 0;   // what "secrets" may hold
  virtual const std::vector<std::string>& setting_names() const = 0;  // what may stand beside "secrets"
  // Which ways there are between the platform and us, of: webhooks, polls, fetches, replies.
  virtual std::vector<std::string> ways() const = 0;

  // Binds it to a configured source. unprocessable with pointers below the source's own object: "/secrets/app_secret"
  // missing, "/secrets/hmac_key/1" empty, "/header" unknown, … Values of secrets are never repeated.
  virtual Result<std::unique_ptr<Source>> bind(SourceConfig config) const = 0;
};

// `name` is the file's name without ".json"; the file must call itself so.
Result<std::shared_ptr<const SourceFile>> parse_source_file(std::string_view name, std::string_view json_text);

// The files built into the binary: all of config/sources, in the order of their names.
std::vector<std::string> shipped_source_names();
Result<std::shared_ptr<const SourceFile>> shipped_source(std::string_view name);

// Signs a body as a platform would, for `triaged replay`, `demo` and tests: the headers to add. See Source::sign.
Result<Headers> sign(const Source& source, std::string_view body, Time now, std::string_view message_id);

}  // namespace triage::ingest
