// The durable truth behind one interface; SQLite now. Nothing else in the project knows SQL.
//
// One writer: every write is a unit of work that runs on the writer's thread inside a transaction that it shares with
// the others that wait (group commit, synchronous=FULL). Reads run on a pool of readers, each in a snapshot of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "triage/model/error.h"
#include "triage/store/records.h"

namespace triage::store {

struct Page {
  std::size_t limit = 50;
  std::string after;  // "" or the previous page's next
};

// Queries. A Reader is one consistent snapshot, for the call that was given it only; on its thread only. A failing
// disk throws store::Unavailable, which ends the unit of work and becomes its outcome.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::optional<PostRecord> post(const PostId& id) = 0;
  // Posts with that native id: one a kind and source. `source` and `platform` as in the event. A tombstone is found too
  // (state deleted), also one that came before its post and did not say its kind: one look says new, known or deleted.
  virtual std::optional<PostKey> find_post(std::string_view source, std::string_view platform, PostKind kind,
                                           std::string_view native_id) = 0;
  virtual std::vector<PostKey> find_posts(std::string_view source, std::string_view platform,
                                          std::string_view native_id) = 0;
  virtual std::vector<PostRecord> posts_of_case(const CaseId& id) = 0;  // oldest first

  // What may be learnt from, the oldest first: corrections of posts that are still there with the text that the person
  // read. One that was deleted or edited since is left out.
  virtual std::vector<CorrectedPost> corrections() = 0;

  virtual std::optional<CaseRecord> find_case(const CaseId& id) = 0;
  // The author's cases of that platform and brand account, the one with the latest post first.
  virtual std::vector<CaseRecord> cases_of_author(const AuthorId& author, std::string_view platform,
                                                  std::string_view brand_account, std::size_t limit) = 0;
  // The case of the post whose native id is in_reply_to; where there is none, of the newest post of that conversation:
  // many customers may share one (the comments under a post), and an answer is to the one that it names. `author`, when
  // set: only cases of that author. Either of the two ids may be empty.
  virtual std::optional<CaseId> case_of_conversation(std::string_view platform, std::string_view brand_account,
                                                     std::string_view conversation_id, std::string_view in_reply_to,
                                                     const std::optional<AuthorId>& author) = 0;
  // How many cases of other customers than `author` are in the moment at that site, about that topic, with their last
  // post between the two times; counted up to `most`.
  virtual int crowd(std::string_view site, Topic topic, const std::optional<AuthorId>& author, Time since, Time until,
                    int most) = 0;
  virtual std::vector<NoteRecord> notes(const CaseId& id) = 0;
  virtual std::vector<CaseEvent> events(const CaseId& id) = 0;  // oldest first
  virtual std::vector<EscalationRecord> escalations_of_case(const CaseId& id) = 0;

  virtual std::optional<AuthorRecord> author(const AuthorId& id) = 0;
  virtual std::vector<CaseRecord> history(const AuthorId& id, std::size_t limit) = 0;  // all cases, newest first

  // Ids of the open cases in the queue's order: band (see queue_band) descending, first_response_due ascending (none
  // last), urgency descending, id. At most `limit`.
  virtual std::vector<CaseId> queue(const QueueFilter& filter, std::size_t limit) = 0;
  virtual std::vector<QueueItem> queue_items(const std::vector<CaseId>& ids) = 0;  // in that order; gone ones left out
  // As queue(), only those in no lease at `now` and in state new.
  virtual std::vector<CaseId> claimable(const QueueFilter& filter, Time now, std::size_t limit) = 0;

  virtual std::optional<EscalationRecord> escalation(const EscalationId& id) = 0;
  // Newest first; `after` is the last id of the page before. `team`: those that its ladder has called so far.
  virtual std::vector<EscalationRecord> escalations(std::optional<EscalationState> state,
                                                    const std::optional<std::string>& team, const Page& page) = 0;

  virtual std::optional<DeliveryRecord> delivery(const DeliveryId& id) = 0;
  virtual std::vector<DeliveryRecord> deliveries(std::optional<DeliveryState> state,
                                                 const std::optional<Destination>& to, const Page& page) = 0;
  // Waiting deliveries to there whose next attempt is due at `now`, the longest due first.
  virtual std::vector<DeliveryRecord> due_deliveries(const Destination& to, Time now, std::size_t limit) = 0;
  // Whether an older delivery to there waits for the same case.
  virtual bool waits_behind(const DeliveryRecord& delivery) = 0;
  // When the next waiting delivery to there falls due; nothing when none waits.
  virtual std::optional<Time> next_delivery_at(const Destination& to) = 0;
  // Those in state sending: of an earlier run, or under way.
  virtual std::vector<DeliveryRecord> sending_deliveries(const Destination& to) = 0;
  virtual std::vector<EndpointRecord> endpoints() = 0;

  virtual std::optional<ReplyRecord> reply(const ReplyId& id) = 0;
  virtual std::vector<ReplyRecord> replies_of_case(const CaseId& id) = 0;  // oldest first
  virtual std::optional<ReplyRecord> reply_of_delivery(const DeliveryId& id) = 0;
  virtual std::optional<CursorRecord> cursor(std::string_view source, std::string_view pull) = 0;

  virtual std::vector<SecondLook> second_looks(std::size_t limit) = 0;  // the highest score first
  virtual std::vector<Due> due(Time now, std::size_t limit) = 0;        // earliest first
  virtual std::optional<Time> next_due() = 0;

  virtual std::vector<TokenRecord> tokens() = 0;
  virtual std::optional<IdempotentAnswer> idempotent_answer(const TokenId& token, std::string_view key, Time now) = 0;

  // For metrics: cases by state, oldest waiting delivery, dead letters, newest received_at per source.
  struct Figures {
    std::int64_t open_cases = 0;
    std::int64_t second_looks = 0;  // posts to be judged again
    std::int64_t waiting_deliveries = 0;
    std::int64_t dead_deliveries = 0;
    std::optional<Time> oldest_waiting_delivery;
    std::vector<std::pair<std::string, Time>> newest_post_by_source;
  };
  virtual Figures figures() = 0;
};

// Changes, within the writer's transaction; its queries see what the transaction wrote.
class Writer : public Reader {
 public:
  // The author's row, made or brought up to date (handle, name, followers, verified where given).
  virtual AuthorRecord upsert_author(std::string_view platform, const Author& author, Time now) = 0;

  virtual void insert_post(const PostRecord& post) = 0;  // (source, platform, kind, native_id) is not there yet
  // Replaces text, revision, media, state, verdict and case of the row with post.post.id; of the rest, what is set (not
  // empty), so that an event which tells less loses nothing. The row must be there.
  virtual void update_post(const PostRecord& post) = 0;
  // A tombstone: the text and media go, what refers to the post stays.
  virtual void delete_post(const PostId& id, Time now) = 0;
  // A deletion that came before its post: keeps the post from being stored later.
  virtual void insert_tombstone(std::string_view source, std::string_view platform, std::optional<PostKind> kind,
                                std::string_view native_id, Time now) = 0;
  virtual void ask_second_look(const SecondLook& look) = 0;
  virtual void end_second_look(const SecondLook& look) = 0;
  // Asks for a look at every judged post that came at `since` or later, the most urgent first: up to `limit` of those
  // whose ids follow `after`.
  virtual Asked ask_second_looks(Time since, const std::optional<PostId>& after, std::size_t limit) = 0;
  virtual void count_share(std::string_view platform, std::string_view shared_native_id) = 0;

  // One a post: a later one of the same text replaces what it says of the same labels, and leaves the rest and what the
  // judge had said as they were; one of a newer text replaces all.
  virtual void keep_correction(const CorrectionRecord& correction) = 0;

  virtual void insert_case(const CaseRecord& c) = 0;
  // Raises c.version. Throws when the row is not at c.version: `c` must have been read in this very unit of work.
  virtual void update_case(CaseRecord& c) = 0;
  virtual void count_case_of_author(const AuthorId& id) = 0;
  virtual void insert_note(const NoteRecord& note) = 0;
  virtual void insert_event(const CaseEvent& event) = 0;  // seq is given by the store

  virtual void insert_escalation(const EscalationRecord& escalation) = 0;
  virtual void update_escalation(const EscalationRecord& escalation) = 0;

  virtual void insert_delivery(const DeliveryRecord& delivery) = 0;
  virtual void update_delivery(const DeliveryRecord& delivery) = 0;  // all but the body
  // Deliveries of that escalation that still wait become cancelled.
  virtual void cancel_deliveries(const EscalationId& id, Time now, std::string_view why) = 0;
  virtual void insert_reply(const ReplyRecord& reply) = 0;
  virtual void update_reply(const ReplyRecord& reply) = 0;
  virtual void set_cursor(const CursorRecord& cursor) = 0;
  virtual void set_endpoint(const EndpointRecord& endpoint) = 0;

  virtual void set_due(const Due& due) = 0;
  virtual void clear_due(DueKind kind, std::string_view subject) = 0;

  virtual void insert_token(const TokenRecord& token) = 0;
  virtual bool revoke_token(const TokenId& id, Time now) = 0;
  virtual void touch_token(const TokenId& id, Time now) = 0;
  virtual void keep_idempotent_answer(const TokenId& token, std::string_view key, const IdempotentAnswer& answer,
                                      Time now) = 0;
  virtual void forget_idempotent_answers(Time before) = 0;
};

// Thrown by Reader and Writer when the database cannot serve: full disk, I/O error, read-only. Let it pass.
struct Unavailable : std::exception {
  explicit Unavailable(std::string why) : text(std::move(why)) {}
  const char* what() const noexcept override { return text.c_str(); }
  std::string text;
};

enum class Committed {
  yes,          // durable: on disk by fdatasync before this was said
  overloaded,   // the writer's queue is full; not run
  unavailable,  // rolled back: the disk is full, read-only or failing
  failed,       // rolled back: the work threw; its neighbours were not touched
};

// Turns an outcome into the error that the edge answers: 503 with Retry-After for overload and a failing disk, 500 for
// a failed work.
Error error_of(Committed outcome, const std::string& detail);

struct Options {
  std::filesystem::path directory = "./data";  // made when missing (mode 0700); the database is triaged.db in it
  std::size_t queue_depth = 4096;              // units of work that may wait; more are `overloaded`
  std::size_t batch = 256;                     // units of work in one commit at most
  unsigned readers = 2;
  std::chrono::milliseconds probe_every{1000};  // how often a failing disk is tried again
  std::size_t read_queue_depth = 4096;          // reads that may wait; more fail at once
  int wal_pages = 8192;  // 4 KiB each: from here on the log is written back; at four times this, works wait for it
  std::chrono::milliseconds busy_timeout{5000};  // for another process (token, backup) that holds the lock
};

class Store {
 public:
  virtual ~Store() = default;  // finishes what was submitted, checkpoints, closes

  using Work = std::function<void(Writer&)>;
  using WorkDone = std::function<void(Committed, const std::string& detail)>;
  using Read = std::function<void(Reader&)>;
  using ReadDone = std::function<void(bool ok, const std::string& detail)>;

  // Runs `work` on the writer's thread in the next transaction and calls `done` after the commit, on the writer's
  // thread: it must be short (post to an executor). `work` may be run more than once (a neighbour's failure undoes the
  // transaction, and the others run again), so it must set its results anew each time. A work that throws undoes only
  // itself. Works run in the order of submission. Thread-safe; never blocks on the disk.
  virtual void write(Work work, WorkDone done) = 0;

  // Runs `read` on a reader's thread in a snapshot taken then, which holds all that was committed before the call.
  virtual void read(Read read, ReadDone done) = 0;

  // Whether commits succeed. While they do not, the writer tries by itself every second, so that this becomes true
  // again without traffic. Thread-safe.
  virtual bool healthy() const = 0;
  virtual std::string trouble() const = 0;  // why not, for people

  struct Stats {
    std::uint64_t commits = 0, works = 0, failed = 0, overloaded = 0, unavailable = 0;
    std::size_t queued = 0;
    std::uint64_t commit_nanos = 0;                       // spent in COMMIT, total
    std::uint64_t checkpoints = 0, checkpoint_nanos = 0;  // the log written back, while works wait
  };
  virtual Stats stats() const = 0;
};

// Opens or makes the database and brings its schema up to date (versioned migrations, each in one transaction). The
// error says what is wrong: cannot open, not a triaged database, made by a newer version, another server runs on it.
Result<std::unique_ptr<Store>> open(const Options& options);

// For commands beside a running server (`token`, `backup`): one connection, synchronous, no server lock.
class Session {
 public:
  virtual ~Session() = default;
  virtual Result<void> write(const std::function<void(Writer&)>& work) = 0;
  virtual Result<void> read(const std::function<void(Reader&)>& read) = 0;
  // A consistent copy (SQLite's online backup), mode 0600, whole or not at all; refuses to overwrite.
  virtual Result<void> backup(const std::filesystem::path& file) = 0;
};
Result<std::unique_ptr<Session>> open_session(const std::filesystem::path& directory, bool create);

// Copies a backup into an empty data directory after checking that it is one (integrity_check, schema version);
// refuses when a database is there. Waiting deliveries become `held` unless `release_deliveries`.
Result<void> restore(const std::filesystem::path& file, const std::filesystem::path& directory,
                     bool release_deliveries);

}  // namespace triage::store
