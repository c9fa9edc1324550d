// What people said of posts, as the judge should have judged them. The text is the post's own row's.
#include "store/database.h"

namespace triage::store {
namespace {

// The values of the row that stands are kept where the new ones are NULL; but what was said of an older text is worth
// nothing for the new one.
const Sql kKeep(
    "INSERT INTO corrections (post_id, case_id, token_id, name, at, revision, moment, actionable, intent, topic,"
    " urgency, judge, model, said_moment, said_actionable, said_intent, said_topic, said_urgency)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (post_id) DO UPDATE SET case_id = excluded.case_id, token_id = excluded.token_id,"
    " name = excluded.name, at = excluded.at, revision = excluded.revision,"
    " moment = iif(revision = excluded.revision, coalesce(excluded.moment, moment), excluded.moment),"
    " actionable = iif(revision = excluded.revision, coalesce(excluded.actionable, actionable), excluded.actionable),"
    " intent = iif(revision = excluded.revision, coalesce(excluded.intent, intent), excluded.intent),"
    " topic = iif(revision = excluded.revision, coalesce(excluded.topic, topic), excluded.topic),"
    " urgency = iif(revision = excluded.revision, coalesce(excluded.urgency, urgency), excluded.urgency),"
    " judge = iif(revision = excluded.revision, judge, excluded.judge),"
    " model = iif(revision = excluded.revision, model, excluded.model),"
    " said_moment = iif(revision = excluded.revision, said_moment, excluded.said_moment),"
    " said_actionable = iif(revision = excluded.revision, said_actionable, excluded.said_actionable),"
    " said_intent = iif(revision = excluded.revision, said_intent, excluded.said_intent),"
    " said_topic = iif(revision = excluded.revision, said_topic, excluded.said_topic),"
    " said_urgency = iif(revision = excluded.revision, said_urgency, excluded.said_urgency)");
const Sql kAll(
    "SELECT c.seq, c.post_id, c.case_id, c.token_id, c.name, c.at, c.revision, c.moment, c.actionable, c.intent,"
    " c.topic, c.urgency, c.judge, c.model, c.said_moment, c.said_actionable, c.said_intent, c.said_topic,"
    " c.said_urgency FROM corrections c JOIN posts p ON p.id = c.post_id"
    " WHERE p.state = 'judged' AND p.revision = c.revision ORDER BY c.seq");

void bind_labels(Query& query, const PostLabels& labels) {
  query.bind(labels.moment, labels.actionable, labels.intent, labels.topic, labels.urgency);
}

template <class Value, class Read>
std::optional<Value> optional_column(Query& row, Read read) {
  if (row.null()) return row.skip(), std::nullopt;
  return read();
}

PostLabels read_labels(Query& row) {
  PostLabels labels;
  labels.moment = optional_column<std::string>(row, [&] { return row.string(); });
  labels.actionable = optional_column<bool>(row, [&] { return row.boolean(); });
  labels.intent = optional_column<Intent>(row, [&] { return read_enum(row, parse_intent); });
  labels.topic = optional_column<Topic>(row, [&] { return read_enum(row, parse_topic); });
  labels.urgency = optional_column<int>(row, [&] { return row.small(); });
  return labels;
}

}  // namespace

void Database::keep_correction(const CorrectionRecord& c) {
  auto row = c_.use(kKeep);
  row.bind(c.post, c.case_id, c.token, c.name, c.at, c.revision);
  bind_labels(row, c.labels);
  row.bind(c.judge, c.model);
  bind_labels(row, c.said);
  row.exec();
}

std::vector<CorrectedPost> Database::corrections() {
  std::vector<CorrectedPost> all;
  {
    auto row = c_.use(kAll);
    while (row.step()) {
      CorrectionRecord c;
      c.seq = row.integer();
      c.post = row.id<PostId>();
      c.case_id = row.id<CaseId>();
      c.token = row.id<TokenId>();
      c.name = row.string();
      c.at = row.time();
      c.revision = row.integer();
      c.labels = read_labels(row);
      c.judge = row.string();
      c.model = row.string();
      c.said = read_labels(row);
      all.push_back({std::move(c), {}});
    }
  }
  for (CorrectedPost& corrected : all) {
    if (auto record = post(corrected.correction.post)) corrected.post = std::move(record->post);
  }
  return all;
}

}  // namespace triage::store
