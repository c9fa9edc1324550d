// The other direction: what a source asks of its platform. Replies that agents write, posts that came by id only, and
// platforms that are polled or listened to. Pure: documents and answers in, requests out; who sends them is elsewhere.
// docs/sources.md, "The platform's own interface", says what a source file may hold of it. Immutable once made, and may
// be used from many threads at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/ingest/source.h"

namespace triage::ingest {

struct Outgoing {
  std::string method = "GET";
  std::string url;  // absolute; as the source file and the configuration made it, so it may be none
  Headers headers;
  std::string body;
};

// A platform's answer. Views are the caller's, for the call only.
struct Incoming {
  int status = 0;
  const Headers* headers = nullptr;  // names in any case
  std::string_view body;
};

// What another call gave for all others to be made with. Kept in memory only.
struct Session {
  std::string token;
  std::optional<Time> until;  // nothing: the platform does not say
};

// What an answer means for the call.
enum class Taken {
  yes,
  gone,   // of a fetch: the post is no longer there
  again,  // a passing failure
  no,     // a final one
};

struct Reading {
  Taken taken = Taken::no;
  bool may_have_acted = false;          // of again: the platform may have done it all the same
  std::string error;                    // for people: the status and what the platform says of it
  std::optional<Duration> retry_after;  // before this call is made again
  std::optional<Duration> pause;        // before any other is made
  std::string native_id, url;           // of a reply: as the platform calls it, where it says
  std::optional<Event> event;           // of a fetch: the post with its text, or our own
};

// One attempt at a document: its requests, one after another.
class Attempt {
 public:
  virtual ~Attempt() = default;
  // Which session the next request is made with; nothing: with none.
  virtual std::optional<std::size_t> session() const = 0;
  // The next request; nothing when result() stands. The error: it cannot be made, and never will be from this document.
  virtual Result<std::optional<Outgoing>> next(const Session* session, Time now) = 0;
  // Whether the request that next() gave is the one that acts. Those before it only ask.
  virtual bool acts() const = 0;
  virtual void answered(const Incoming& answer, Time now) = 0;
  virtual const Reading& result() const = 0;
};

// How far a pull has read.
struct PullState {
  std::string cursor;  // JSON; "" at first
  std::string etag, last_modified;
};

// One page of a pull.
struct Page {
  Taken taken = Taken::no;
  std::string error;
  std::optional<Duration> retry_after, pause;
  bool unchanged = false;  // 304
  Mapped mapped;
  PullState state;                  // after this page, where it is kept with what the page brought
  bool more = false;                // the next call should follow at once
  std::optional<std::string> back;  // JSON: asks for the page before this one; nothing: there is none
};

struct Pull {
  std::string name;
  Duration every{60'000};
  bool newest_first = false;  // it has `back`
  bool stream = false;
  std::optional<std::size_t> session, stream_session;  // that its calls are made with
};

class Api {
 public:
  virtual ~Api() = default;

  // The request that gives a session, and what its answer gives. The error of read_session says what the platform says;
  // unavailable is passing. `session` is what an attempt or a pull said.
  virtual Result<Outgoing> session_request(std::size_t session, Time now) const = 0;
  virtual Result<Session> read_session(std::size_t session, const Incoming& answer, Time now) const = 0;

  // The documents that calls are made from: to be kept until they are done. They hold no secret. unprocessable: the
  // source cannot (says why), or with "/text" among the fields: longer than the platform takes.
  virtual Result<std::string> plan_reply(const Post& to, std::string_view text, std::string_view reply_id) const = 0;
  virtual Result<std::string> plan_fetch(const Post& pending) const = 0;

  // Whether one of its rules for replies has its secrets.
  virtual bool can_reply() const = 0;

  enum class Repeat {
    safe,      // the platform takes the same call twice as one
    detected,  // it refuses the second, and says so
    unsafe,
  };
  virtual Repeat repeat_of(std::string_view document) const = 0;
  // The reply's id, or the fetched post's; "" where the document is none of ours.
  virtual std::string subject_of(std::string_view document) const = 0;

  // `earlier`: an earlier attempt may have arrived. `post`: of a fetch, as it is stored.
  virtual Result<std::unique_ptr<Attempt>> attempt(std::string_view document, bool earlier, const Post* post) const = 0;

  virtual const std::vector<Pull>& pulls() const = 0;  // those that the configuration has all for
  virtual Result<Outgoing> pull_request(std::size_t pull, const PullState& state, const std::string& page,
                                        const Session* session, Time now) const = 0;
  virtual Page read_page(std::size_t pull, const PullState& state, const std::string& page, const Incoming& answer,
                         Time now) const = 0;
  virtual Result<Outgoing> stream_request(std::size_t pull, const PullState& state, const Session* session,
                                          Time now) const = 0;
  // An event of the stream: as a page that asks for no other.
  virtual Page read_streamed(std::size_t pull, const PullState& state, std::string_view event, std::string_view id,
                             std::string_view data, Time now) const = 0;
};

}  // namespace triage::ingest
