// The steps, and how they are applied.
//
// Ids are their 36 characters, so that the sqlite3 shell shows and takes them as the API does; SQLite compares text
// keys faster than blobs, and UUIDv7 makes the index on them grow at its end only. Times are integer milliseconds since
// 1970 (the views show them as dates). Each index beside the ids' serves a query on the way of a post or of an agent;
// one more costs every post about half a microsecond, and up to a page of the log where its keys are scattered.
#include "store/schema.h"

#include <array>

namespace triage::store {
namespace {

constexpr const char* kFirst = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;

CREATE TABLE authors (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  platform TEXT NOT NULL,
  native_key TEXT NOT NULL,            -- the platform's id; "handle:…" or "name:…" where it gives none
  native_id TEXT NOT NULL,
  handle TEXT NOT NULL,
  name TEXT NOT NULL,
  followers INTEGER,
  verified INTEGER,
  first_seen INTEGER NOT NULL,
  cases INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX authors_native ON authors (native_key, platform);

CREATE TABLE posts (
  seq INTEGER PRIMARY KEY,             -- the order of arrival
  id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  platform TEXT NOT NULL,
  kind TEXT NOT NULL,                  -- '' for a deletion that did not say which kind it deletes
  native_id TEXT NOT NULL,
  state TEXT NOT NULL,                 -- judged, pending, own, share, deleted
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  deleted_at INTEGER,
  author_id TEXT,
  author TEXT,                         -- JSON, where it is no customer: our own account's, a sharer
  case_id TEXT,
  text TEXT NOT NULL,
  url TEXT NOT NULL,
  language TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  thread_id TEXT,                      -- conversation_id, unless that is the post itself or it has no case
  thread_author TEXT,                  -- with thread_id: whose case it is
  lat REAL, lon REAL, place TEXT,
  media TEXT NOT NULL,                 -- JSON [[type, url], …]
  rating REAL,
  brand_account TEXT NOT NULL,
  moment TEXT,                         -- the verdict, all NULL without one
  moment_confidence REAL,
  actionable INTEGER,
  actionable_confidence REAL,
  intent TEXT,
  topic TEXT,
  sentiment REAL,
  verdict_language TEXT,
  text_urgency REAL,
  urgency REAL,
  priority TEXT,
  reasons TEXT,                        -- JSON [[for, cue, weight], …]
  judge TEXT,
  model TEXT
) STRICT;
CREATE UNIQUE INDEX posts_native ON posts (native_id, platform, source, kind);
CREATE INDEX posts_case ON posts (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX posts_thread ON posts (thread_id, thread_author) WHERE thread_id IS NOT NULL;

CREATE TABLE sources (source TEXT PRIMARY KEY, newest_post_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE shares (
  native_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (native_id, platform)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,                 -- new, claimed, waiting_customer, waiting_ops, resolved, closed
  team TEXT NOT NULL,
  claim_token TEXT,
  claim_name TEXT,
  claim_until INTEGER,
  platform TEXT NOT NULL,
  brand_account TEXT NOT NULL,
  author_id TEXT,
  moment TEXT NOT NULL,
  priority TEXT NOT NULL,
  urgency REAL NOT NULL,
  intent TEXT NOT NULL,
  topic TEXT NOT NULL,
  language TEXT NOT NULL,
  site TEXT,
  actionable INTEGER NOT NULL,
  overdue INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_post_at INTEGER NOT NULL,
  newest_post TEXT NOT NULL,
  posts_since_reply INTEGER NOT NULL,
  waiting_since INTEGER,
  first_response_due INTEGER,
  first_response_at INTEGER,
  resolved_at INTEGER,
  outcome TEXT,
  resolution_note TEXT NOT NULL,
  reopened INTEGER NOT NULL,
  decision TEXT NOT NULL,              -- JSON
  queue_band INTEGER,                  -- 3 critical … 0 low, one higher when overdue; NULL: not in the queue
  queue_due INTEGER                    -- first_response_due, or the end of time
) STRICT;
CREATE INDEX cases_queue ON cases (queue_band DESC, queue_due, urgency DESC, id, team, state)
  WHERE queue_band IS NOT NULL;
CREATE INDEX cases_author ON cases (author_id, last_post_at) WHERE author_id IS NOT NULL;

CREATE TABLE notes (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  token_id TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX notes_case ON notes (case_id);

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  case_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL                   -- JSON
) STRICT;
CREATE INDEX events_case ON events (case_id);

CREATE TABLE escalations (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL,
  ladder TEXT NOT NULL,
  rungs TEXT NOT NULL,                 -- JSON [[after in ms, team], …]
  level INTEGER NOT NULL,
  state TEXT NOT NULL,                 -- open, acknowledged, resolved, ended
  reason TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  ack_by INTEGER,
  last_repeat_at INTEGER,
  acknowledged_at INTEGER,
  resolved_at INTEGER,
  answered_by TEXT NOT NULL,
  note TEXT NOT NULL,
  eta TEXT NOT NULL,
  action TEXT NOT NULL
) STRICT;
CREATE INDEX escalations_case ON escalations (case_id);
CREATE INDEX escalations_state ON escalations (state, id);

CREATE TABLE deliveries (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  team TEXT NOT NULL,
  type TEXT NOT NULL,
  case_id TEXT,
  escalation_id TEXT,
  body TEXT NOT NULL,
  state TEXT NOT NULL,                 -- waiting, delivered, dead, cancelled, held
  attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  done_at INTEGER,
  last_status INTEGER NOT NULL,
  last_error TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_state ON deliveries (state, id);
CREATE INDEX deliveries_due ON deliveries (team, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_escalation ON deliveries (escalation_id) WHERE state = 'waiting';

CREATE TABLE endpoints (
  team TEXT PRIMARY KEY,
  enabled INTEGER NOT NULL,
  reason TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE timetable (
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,                  -- rung, first_response, lease_end
  at INTEGER NOT NULL,
  PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX timetable_at ON timetable (at);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  team TEXT NOT NULL,
  hash TEXT NOT NULL,                  -- SHA-256 of the secret, which is kept nowhere
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (                 -- what was answered under an Idempotency-Key
  seq INTEGER PRIMARY KEY,
  token_id TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  request_hash TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  etag TEXT NOT NULL,
  UNIQUE (token_id, key)
) STRICT;
CREATE INDEX answers_at ON answers (at);

-- For people at the sqlite3 shell.
CREATE VIEW queue_view AS
  SELECT id, state, team, priority, overdue, urgency, moment, topic, site, platform, claim_name,
         strftime('%Y-%m-%dT%H:%M:%fZ', opened_at / 1000.0, 'unixepoch') AS opened,
         strftime('%Y-%m-%dT%H:%M:%fZ', first_response_due / 1000.0, 'unixepoch') AS due,
         json_extract(decision, '$.why') AS why
  FROM cases WHERE queue_band IS NOT NULL ORDER BY queue_band DESC, queue_due, urgency DESC, id;
CREATE VIEW posts_view AS
  SELECT p.id, p.source, p.platform, p.kind, p.native_id, p.state, a.handle, p.moment, p.priority, p.urgency, p.case_id,
         strftime('%Y-%m-%dT%H:%M:%fZ', p.received_at / 1000.0, 'unixepoch') AS received, p.text
  FROM posts p LEFT JOIN authors a ON a.id = p.author_id ORDER BY p.seq DESC;
CREATE VIEW deliveries_view AS
  SELECT id, state, team, type, case_id, attempts, last_status, last_error,
         strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%fZ', next_attempt_at / 1000.0, 'unixepoch') AS next_attempt
  FROM deliveries ORDER BY seq DESC;
CREATE VIEW timetable_view AS
  SELECT kind, subject, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS due FROM timetable ORDER BY at;
)sql";

// Posts to be judged again, the most pressing first. A flood writes a row for each post, so there is one index alone.
constexpr const char* kSecondLooks = R"sql(
CREATE TABLE second_looks (
  score INTEGER NOT NULL,
  post_id TEXT NOT NULL,
  PRIMARY KEY (score DESC, post_id)
) STRICT, WITHOUT ROWID;
)sql";

// What people said of posts that the judge had judged otherwise. The text stays in posts alone, and goes with it.
constexpr const char* kCorrections = R"sql(
CREATE TABLE corrections (
  seq INTEGER PRIMARY KEY,
  post_id TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL,
  token_id TEXT NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  revision INTEGER NOT NULL,           -- of the text that was read
  moment TEXT,                         -- in_the_moment, after_the_fact, neither; NULL: not said
  actionable INTEGER,
  intent TEXT,
  topic TEXT,
  urgency INTEGER,                     -- 0 to 3
  judge TEXT NOT NULL,                 -- who had judged it, and what that one said
  model TEXT NOT NULL,
  said_moment TEXT,
  said_actionable INTEGER,
  said_intent TEXT,
  said_topic TEXT,
  said_urgency INTEGER
) STRICT;
CREATE VIEW corrections_view AS
  SELECT c.post_id, strftime('%Y-%m-%dT%H:%M:%fZ', c.at / 1000.0, 'unixepoch') AS corrected, c.name, c.judge, c.model,
         c.said_moment, c.moment, c.said_actionable, c.actionable, c.said_urgency, c.urgency, c.said_intent, c.intent,
         c.said_topic, c.topic, p.text
  FROM corrections c JOIN posts p ON p.id = c.post_id ORDER BY c.seq DESC;
)sql";

// Who is in the moment where, for the crowd at a site. Cases without a site are not in it.
constexpr const char* kCrowd = R"sql(
CREATE INDEX cases_crowd ON cases (site, topic, last_post_at, author_id, moment)
  WHERE site IS NOT NULL AND moment = 'in_the_moment';
)sql";

// The other direction: replies of agents, posts that are fetched, platforms that are read. They go through the outbox
// as the callbacks do, to a source in place of a team.
constexpr const char* kPlatforms = R"sql(
ALTER TABLE deliveries ADD COLUMN source TEXT NOT NULL DEFAULT '';  -- where it is set, team is ''
ALTER TABLE deliveries ADD COLUMN in_doubt INTEGER NOT NULL DEFAULT 0;  -- an attempt may have arrived all the same
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (team, source, next_attempt_at) WHERE state = 'waiting';
DROP VIEW deliveries_view;
CREATE VIEW deliveries_view AS
  SELECT id, state, team, source, type, case_id, attempts, last_status, last_error,
         strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%fZ', next_attempt_at / 1000.0, 'unixepoch') AS next_attempt
  FROM deliveries ORDER BY seq DESC;

CREATE TABLE replies (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL,
  post_id TEXT NOT NULL,
  source TEXT NOT NULL,
  delivery_id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  token_id TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL,                 -- waiting, sent, failed, unknown
  native_id TEXT NOT NULL,             -- the platform's, '' until it is there
  url TEXT NOT NULL,
  sent_at INTEGER,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX replies_case ON replies (case_id);

CREATE TABLE cursors (
  source TEXT NOT NULL,
  pull TEXT NOT NULL,
  cursor TEXT NOT NULL,                -- JSON, or ''
  etag TEXT NOT NULL,
  last_modified TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (source, pull)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<const char*, 5> kSteps{kFirst, kSecondLooks, kCorrections, kCrowd, kPlatforms};

}  // namespace

std::span<const char* const> migrations() {
  return kSteps;
}

Schema inspect(Connection& connection, std::span<const char* const> steps) {
  const auto version = connection.integer("PRAGMA user_version");
  const auto application = connection.integer("PRAGMA application_id");
  if (application == 0 && version == 0 && connection.integer("SELECT count(*) FROM sqlite_schema") == 0) {
    return Schema::empty;
  }
  if (application != kApplicationId || version < 0) return Schema::foreign;
  return version > static_cast<std::int64_t>(steps.size()) ? Schema::newer : Schema::ours;
}

void migrate(Connection& connection, std::span<const char* const> steps) {
  const auto current = [&] { return static_cast<std::size_t>(connection.integer("PRAGMA user_version")); };
  while (current() < steps.size()) {
    connection.exec("BEGIN IMMEDIATE");
    try {
      const std::size_t version = current();  // another process may have been quicker
      if (version < steps.size()) {
        connection.exec(steps[version]);
        connection.exec(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
        connection.exec(("PRAGMA user_version=" + std::to_string(version + 1)).c_str());
      }
      connection.exec("COMMIT");
    } catch (...) {
      connection.rollback();
      throw;
    }
  }
}

}  // namespace triage::store
