// The store's queries and changes on one connection. The readers use it as a Reader, the writer's thread as a Writer.
// What it does is spread over one file a subject: authors.cpp, posts.cpp, cases.cpp, queue.cpp, … It opens and ends no
// transaction.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/sqlite.h"
#include "triage/store/store.h"

namespace triage::store {

class Database final : public Writer {
 public:
  explicit Database(Connection& connection) : c_(connection) {}

  // Writes what is kept back because writing it late is cheaper. Call before the commit (or the release of the
  // savepoint); forget() after a rollback.
  void flush();
  void forget() {
    newest_.clear();
    new_author_.reset();
  }

  std::optional<PostRecord> post(const PostId& id) override;
  std::optional<PostKey> find_post(std::string_view source, std::string_view platform, PostKind kind,
                                   std::string_view native_id) override;
  std::vector<PostKey> find_posts(std::string_view source, std::string_view platform,
                                  std::string_view native_id) override;
  std::vector<PostRecord> posts_of_case(const CaseId& id) override;

  std::optional<CaseRecord> find_case(const CaseId& id) override;
  int crowd(std::string_view site, Topic topic, const std::optional<AuthorId>& author, Time since, Time until,
            int most) override;
  std::vector<CaseRecord> cases_of_author(const AuthorId& author, std::string_view platform,
                                          std::string_view brand_account, std::size_t limit) override;
  std::optional<CaseId> case_of_conversation(std::string_view platform, std::string_view brand_account,
                                             std::string_view conversation_id, std::string_view in_reply_to,
                                             const std::optional<AuthorId>& author) override;
  std::vector<CorrectedPost> corrections() override;
  std::vector<NoteRecord> notes(const CaseId& id) override;
  std::vector<CaseEvent> events(const CaseId& id) override;
  std::vector<EscalationRecord> escalations_of_case(const CaseId& id) override;

  std::optional<AuthorRecord> author(const AuthorId& id) override;
  std::vector<CaseRecord> history(const AuthorId& id, std::size_t limit) override;

  std::vector<CaseId> queue(const QueueFilter& filter, std::size_t limit) override;
  std::vector<QueueItem> queue_items(const std::vector<CaseId>& ids) override;
  std::vector<CaseId> claimable(const QueueFilter& filter, Time now, std::size_t limit) override;

  std::optional<EscalationRecord> escalation(const EscalationId& id) override;
  std::vector<EscalationRecord> escalations(std::optional<EscalationState> state,
                                            const std::optional<std::string>& team, const Page& page) override;

  std::optional<DeliveryRecord> delivery(const DeliveryId& id) override;
  std::vector<DeliveryRecord> deliveries(std::optional<DeliveryState> state, const std::optional<Destination>& to,
                                         const Page& page) override;
  std::vector<DeliveryRecord> due_deliveries(const Destination& to, Time now, std::size_t limit) override;
  bool waits_behind(const DeliveryRecord& delivery) override;
  std::optional<Time> next_delivery_at(const Destination& to) override;
  std::vector<DeliveryRecord> sending_deliveries(const Destination& to) override;
  std::vector<EndpointRecord> endpoints() override;

  std::optional<ReplyRecord> reply(const ReplyId& id) override;
  std::vector<ReplyRecord> replies_of_case(const CaseId& id) override;
  std::optional<ReplyRecord> reply_of_delivery(const DeliveryId& id) override;
  std::optional<CursorRecord> cursor(std::string_view source, std::string_view pull) override;

  std::vector<SecondLook> second_looks(std::size_t limit) override;
  std::vector<Due> due(Time now, std::size_t limit) override;
  std::optional<Time> next_due() override;

  std::vector<TokenRecord> tokens() override;
  std::optional<IdempotentAnswer> idempotent_answer(const TokenId& token, std::string_view key, Time now) override;
  Figures figures() override;

  AuthorRecord upsert_author(std::string_view platform, const Author& author, Time now) override;
  void insert_post(const PostRecord& post) override;
  void update_post(const PostRecord& post) override;
  void delete_post(const PostId& id, Time now) override;
  void insert_tombstone(std::string_view source, std::string_view platform, std::optional<PostKind> kind,
                        std::string_view native_id, Time now) override;
  void ask_second_look(const SecondLook& look) override;
  void end_second_look(const SecondLook& look) override;
  Asked ask_second_looks(Time since, const std::optional<PostId>& after, std::size_t limit) override;
  void count_share(std::string_view platform, std::string_view shared_native_id) override;

  void keep_correction(const CorrectionRecord& correction) override;
  void insert_case(const CaseRecord& c) override;
  void update_case(CaseRecord& c) override;
  void count_case_of_author(const AuthorId& id) override;
  void insert_note(const NoteRecord& note) override;
  void insert_event(const CaseEvent& event) override;

  void insert_escalation(const EscalationRecord& escalation) override;
  void update_escalation(const EscalationRecord& escalation) override;

  void insert_delivery(const DeliveryRecord& delivery) override;
  void update_delivery(const DeliveryRecord& delivery) override;
  void cancel_deliveries(const EscalationId& id, Time now, std::string_view why) override;
  void insert_reply(const ReplyRecord& reply) override;
  void update_reply(const ReplyRecord& reply) override;
  void set_cursor(const CursorRecord& cursor) override;
  void set_endpoint(const EndpointRecord& endpoint) override;

  void set_due(const Due& due) override;
  void clear_due(DueKind kind, std::string_view subject) override;

  void insert_token(const TokenRecord& token) override;
  bool revoke_token(const TokenId& id, Time now) override;
  void touch_token(const TokenId& id, Time now) override;
  void keep_idempotent_answer(const TokenId& token, std::string_view key, const IdempotentAnswer& answer,
                              Time now) override;
  void forget_idempotent_answers(Time before) override;

 private:
  void insert_new_author();
  // Whose case a post counts for when its conversation is looked up; nothing where it has none.
  std::optional<AuthorId> thread_author(const PostRecord& post);
  std::optional<AuthorId> author_of_case(const CaseId& id);
  std::vector<CaseId> walk_queue(const QueueFilter& filter, std::optional<Time> claimable_at, std::size_t limit);

  Connection& c_;
  std::optional<AuthorRecord> new_author_;  // not written yet
  std::string new_author_key_;
  std::vector<std::pair<std::string, Time>> newest_;  // newest received_at by source, since the last flush
  std::string document_, second_document_;            // JSON under way, kept for its memory
};

// Reads an enumeration's name from a column.
template <class Enum>
Enum read_enum(Query& row, std::optional<Enum> (*parse)(std::string_view)) {
  const std::string_view text = row.text();
  if (const auto value = parse(text)) return *value;
  throw std::runtime_error("the database holds the unknown name \"" + std::string(text) + "\"");
}

}  // namespace triage::store
