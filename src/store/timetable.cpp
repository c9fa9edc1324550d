// What falls due, and the figures for the metrics.
#include "store/database.h"

namespace triage::store {
namespace {

const Sql kSet(
    "INSERT INTO timetable (subject, kind, at) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (subject, kind) DO UPDATE SET at = ?3");
const Sql kClear("DELETE FROM timetable WHERE subject = ? AND kind = ?");
const Sql kDue("SELECT kind, subject, at FROM timetable WHERE at <= ? ORDER BY at LIMIT ?");
const Sql kNext("SELECT at FROM timetable ORDER BY at LIMIT 1");

const Sql kOpenCases("SELECT count(*) FROM cases WHERE queue_band IS NOT NULL");
const Sql kInState("SELECT count(*) FROM deliveries WHERE state = ?");
// Ids ascend with time, so the first waiting one is the oldest.
const Sql kOldestWaiting("SELECT created_at FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT 1");
const Sql kSecondLooks("SELECT count(*) FROM second_looks");
const Sql kSources("SELECT source, newest_post_at FROM sources ORDER BY source");

}  // namespace

void Database::set_due(const Due& due) {
  c_.use(kSet).bind(due.subject, due.kind, due.at).exec();
}

void Database::clear_due(DueKind kind, std::string_view subject) {
  c_.use(kClear).bind(subject, kind).exec();
}

std::vector<Due> Database::due(Time now, std::size_t limit) {
  std::vector<Due> dues;
  auto row = c_.use(kDue);
  row.bind(now, limit);
  while (row.step()) {
    Due due;
    due.kind = read_enum(row, parse_due_kind);
    due.subject = row.string();
    due.at = row.time();
    dues.push_back(std::move(due));
  }
  return dues;
}

std::optional<Time> Database::next_due() {
  auto row = c_.use(kNext);
  if (!row.step()) return std::nullopt;
  return row.time();
}

Reader::Figures Database::figures() {
  Figures figures;
  const auto number = [&](Query query) { return query.step() ? query.integer() : 0; };
  figures.open_cases = number(c_.use(kOpenCases));
  figures.second_looks = number(c_.use(kSecondLooks));
  {
    auto row = c_.use(kInState);
    if (row.bind(DeliveryState::waiting).step()) figures.waiting_deliveries = row.integer();
  }
  {
    auto row = c_.use(kInState);
    if (row.bind(DeliveryState::dead).step()) figures.dead_deliveries = row.integer();
  }
  {
    auto row = c_.use(kOldestWaiting);
    if (row.step()) figures.oldest_waiting_delivery = row.time();
  }
  auto row = c_.use(kSources);
  while (row.step()) {
    auto source = row.string();
    figures.newest_post_by_source.emplace_back(std::move(source), row.time());
  }
  return figures;
}

}  // namespace triage::store
