// The agents' queue: a walk along the index on its order, which stops at the limit.
#include "store/database.h"

namespace triage::store {
namespace {

const Sql kWhole(
    "SELECT id FROM cases WHERE queue_band IS NOT NULL ORDER BY queue_band DESC, queue_due, urgency DESC, id LIMIT ?");

// " AND column IN (?, ?, …)" with as many places as there are values; nothing when any value will do.
void add_choice(std::string& sql, const char* column, std::size_t count) {
  if (count == 0) return;
  sql += " AND ";
  sql += column;
  sql += " IN (?";
  for (std::size_t i = 1; i < count; ++i) sql += ", ?";
  sql += ')';
}

template <class T>
void bind_choice(Query& query, const std::vector<T>& values) {
  for (const T& value : values) query.bind(value);
}

bool is_empty(const QueueFilter& f) {
  return f.teams.empty() && !f.moment && !f.min_urgency && f.priority.empty() && f.platform.empty() && f.site.empty() &&
         f.topic.empty() && f.language.empty() && !f.assignee && f.state.empty();
}

std::vector<CaseId> read_ids(Query& row) {
  std::vector<CaseId> ids;
  while (row.step()) ids.push_back(row.id<CaseId>());
  return ids;
}

}  // namespace

std::vector<CaseId> Database::walk_queue(const QueueFilter& filter, std::optional<Time> claimable_at,
                                         std::size_t limit) {
  if (!claimable_at && is_empty(filter)) {
    auto row = c_.use(kWhole);
    return read_ids(row.bind(limit));
  }
  const bool unclaimed = filter.assignee && *filter.assignee == "none";
  std::string sql = "SELECT id FROM cases WHERE queue_band IS NOT NULL";
  add_choice(sql, "team", filter.teams.size());
  add_choice(sql, "state", filter.state.size());
  if (claimable_at) sql += " AND state = 'new' AND (claim_until IS NULL OR claim_until <= ?)";
  if (filter.moment) sql += " AND moment = ?";
  if (filter.min_urgency) sql += " AND urgency >= ?";
  add_choice(sql, "priority", filter.priority.size());
  add_choice(sql, "platform", filter.platform.size());
  add_choice(sql, "site", filter.site.size());
  add_choice(sql, "topic", filter.topic.size());
  add_choice(sql, "language", filter.language.size());
  if (unclaimed) {
    sql += " AND claim_token IS NULL";
  } else if (filter.assignee) {
    sql += " AND (claim_token = ? OR claim_name = ?)";
  }
  sql += " ORDER BY queue_band DESC, queue_due, urgency DESC, id LIMIT ?";

  auto row = c_.use(sql);
  bind_choice(row, filter.teams);
  bind_choice(row, filter.state);
  if (claimable_at) row.bind(*claimable_at);
  if (filter.moment) row.bind(*filter.moment);
  if (filter.min_urgency) row.bind(*filter.min_urgency);
  bind_choice(row, filter.priority);
  bind_choice(row, filter.platform);
  bind_choice(row, filter.site);
  bind_choice(row, filter.topic);
  bind_choice(row, filter.language);
  if (filter.assignee && !unclaimed) row.bind(*filter.assignee, *filter.assignee);
  row.bind(limit);
  return read_ids(row);
}

std::vector<CaseId> Database::queue(const QueueFilter& filter, std::size_t limit) {
  return walk_queue(filter, std::nullopt, limit);
}

std::vector<CaseId> Database::claimable(const QueueFilter& filter, Time now, std::size_t limit) {
  return walk_queue(filter, now, limit);
}

std::vector<QueueItem> Database::queue_items(const std::vector<CaseId>& ids) {
  std::vector<QueueItem> items;
  items.reserve(ids.size());
  for (const CaseId& id : ids) {
    auto c = find_case(id);
    if (!c) continue;
    QueueItem item;
    item.c = std::move(*c);
    if (auto newest = post(item.c.newest_post)) item.newest = std::move(*newest);
    if (item.c.author) item.author = author(*item.c.author);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace triage::store
