// The outbox: callbacks that a commit ordered, their attempts, and the endpoints that are switched off.
#include "store/database.h"

namespace triage::store {
namespace {

#define TRIAGED_DELIVERY_COLUMNS                                                                                 \
  "id, team, source, type, case_id, escalation_id, body, state, attempts, created_at, next_attempt_at, done_at," \
  " last_status, last_error, in_doubt"

const Sql kGet("SELECT " TRIAGED_DELIVERY_COLUMNS " FROM deliveries WHERE id = ?");
const Sql kDue("SELECT " TRIAGED_DELIVERY_COLUMNS
               " FROM deliveries WHERE state = 'waiting' AND team = ? AND source = ? AND next_attempt_at <= ?"
               " ORDER BY next_attempt_at, seq LIMIT ?");
const Sql kNextDue(
    "SELECT next_attempt_at FROM deliveries WHERE state = 'waiting' AND team = ? AND source = ?"
    " ORDER BY next_attempt_at LIMIT 1");
const Sql kBehind(
    "SELECT 1 FROM deliveries WHERE state = 'waiting' AND team = ? AND source = ? AND case_id = ? AND id < ? LIMIT 1");
const Sql kSending("SELECT " TRIAGED_DELIVERY_COLUMNS
                   " FROM deliveries WHERE state = 'sending' AND team = ? AND source = ? ORDER BY id");
const Sql kInsert("INSERT INTO deliveries (" TRIAGED_DELIVERY_COLUMNS
                  ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kUpdate(
    "UPDATE deliveries SET team = ?, source = ?, type = ?, case_id = ?, escalation_id = ?, state = ?, attempts = ?,"
    " created_at = ?, next_attempt_at = ?, done_at = ?, last_status = ?, last_error = ?, in_doubt = ? WHERE id = ?");
const Sql kCancel(
    "UPDATE deliveries SET state = 'cancelled', done_at = ?, last_error = ? WHERE state = 'waiting' AND"
    " escalation_id = ?");
const Sql kEndpoints("SELECT team, enabled, reason, changed_at FROM endpoints ORDER BY team");
const Sql kSetEndpoint(
    "INSERT INTO endpoints (team, enabled, reason, changed_at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (team) DO UPDATE SET enabled = ?2, reason = ?3, changed_at = ?4");

DeliveryRecord read_delivery(Query& row) {
  DeliveryRecord d;
  d.id = row.id<DeliveryId>();
  const std::string_view team = row.text();
  if (!team.empty()) d.to = to_team(std::string(team));
  const std::string_view source = row.text();
  if (!source.empty()) d.to = to_source(std::string(source));
  d.type = row.string();
  d.case_id = row.optional_id<CaseId>();
  d.escalation = row.optional_id<EscalationId>();
  d.body = row.string();
  d.state = read_enum(row, parse_delivery_state);
  d.attempts = row.small();
  d.created_at = row.time();
  d.next_attempt_at = row.time();
  d.done_at = row.optional_time();
  d.last_status = row.small();
  d.last_error = row.string();
  d.in_doubt = row.boolean();
  return d;
}

std::vector<DeliveryRecord> read_deliveries(Query& row) {
  std::vector<DeliveryRecord> deliveries;
  while (row.step()) deliveries.push_back(read_delivery(row));
  return deliveries;
}

// The two columns of a destination: one of them is empty.
std::string_view team_of(const Destination& to) {
  return to.kind == Destination::Kind::team ? std::string_view(to.name) : std::string_view();
}
std::string_view source_of(const Destination& to) {
  return to.kind == Destination::Kind::source ? std::string_view(to.name) : std::string_view();
}

}  // namespace

std::optional<DeliveryRecord> Database::delivery(const DeliveryId& id) {
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_delivery(row);
}

std::vector<DeliveryRecord> Database::deliveries(std::optional<DeliveryState> state,
                                                 const std::optional<Destination>& to, const Page& page) {
  std::string sql = "SELECT " TRIAGED_DELIVERY_COLUMNS " FROM deliveries WHERE id < ?";
  if (state) sql += " AND state = ?";
  if (to) sql += " AND team = ? AND source = ?";
  sql += " ORDER BY id DESC LIMIT ?";
  auto row = c_.use(sql);
  row.bind(page.after.empty() ? std::string_view("~") : std::string_view(page.after));  // "~": beyond any id
  if (state) row.bind(*state);
  const std::string_view team = to ? team_of(*to) : std::string_view();
  const std::string_view source = to ? source_of(*to) : std::string_view();
  if (to) row.bind(team, source);
  return read_deliveries(row.bind(page.limit));
}

std::vector<DeliveryRecord> Database::due_deliveries(const Destination& to, Time now, std::size_t limit) {
  auto row = c_.use(kDue);
  return read_deliveries(row.bind(team_of(to), source_of(to), now, limit));
}

bool Database::waits_behind(const DeliveryRecord& d) {
  if (!d.case_id) return false;
  auto row = c_.use(kBehind);
  return row.bind(team_of(d.to), source_of(d.to), *d.case_id, d.id).step();
}

std::optional<Time> Database::next_delivery_at(const Destination& to) {
  auto row = c_.use(kNextDue);
  if (!row.bind(team_of(to), source_of(to)).step()) return std::nullopt;
  return row.time();
}

std::vector<DeliveryRecord> Database::sending_deliveries(const Destination& to) {
  auto row = c_.use(kSending);
  return read_deliveries(row.bind(team_of(to), source_of(to)));
}

void Database::insert_delivery(const DeliveryRecord& d) {
  c_.use(kInsert)
      .bind(d.id, team_of(d.to), source_of(d.to), d.type, d.case_id, d.escalation, d.body, d.state, d.attempts,
            d.created_at, d.next_attempt_at, d.done_at, d.last_status, d.last_error, d.in_doubt)
      .exec();
}

void Database::update_delivery(const DeliveryRecord& d) {
  auto row = c_.use(kUpdate);
  row.bind(team_of(d.to), source_of(d.to), d.type, d.case_id, d.escalation, d.state, d.attempts, d.created_at,
           d.next_attempt_at, d.done_at, d.last_status, d.last_error, d.in_doubt, d.id)
      .exec();
  if (row.changes() != 1) throw std::runtime_error("update_delivery: there is no delivery " + d.id.str());
}

void Database::cancel_deliveries(const EscalationId& id, Time now, std::string_view why) {
  c_.use(kCancel).bind(now, why, id).exec();
}

std::vector<EndpointRecord> Database::endpoints() {
  std::vector<EndpointRecord> endpoints;
  auto row = c_.use(kEndpoints);
  while (row.step()) {
    EndpointRecord endpoint;
    endpoint.team = row.string();
    endpoint.enabled = row.boolean();
    endpoint.reason = row.string();
    endpoint.changed_at = row.time();
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

void Database::set_endpoint(const EndpointRecord& endpoint) {
  c_.use(kSetEndpoint).bind(endpoint.team, endpoint.enabled, endpoint.reason, endpoint.changed_at).exec();
}

}  // namespace triage::store
