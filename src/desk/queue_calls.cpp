// GET /v1/queue and POST /v1/queue/claim.
#include <charconv>
#include <list>
#include <mutex>

#include "desk/calls.h"
#include "desk/case_json.h"
#include "desk/digest.h"
#include "desk/event_log.h"
#include "triage/store/await.h"

namespace triage::desk {

using nlohmann::ordered_json;
using store::CaseState;
using store::QueueFilter;

namespace {

constexpr std::size_t kSnapshotCases = 5000;  // one page chain never runs longer
constexpr std::size_t kSnapshots = 256;
constexpr auto kSnapshotLife = std::chrono::minutes(10);

// The order of the queue as the first page saw it, so that its cursors page what was there then, without gaps or
// repeats while cases move. Kept in memory for ten minutes; a cursor that outlived it says so.
class Snapshots {
 public:
  std::string keep(std::vector<CaseId> ids, Time now) {
    std::lock_guard lock(mutex_);
    while (!kept_.empty() && (kept_.size() >= kSnapshots || now - kept_.front().at > kSnapshotLife)) kept_.pop_front();
    kept_.push_back({std::string(Id<struct SnapshotTag>::make(now).view()), now, std::move(ids)});
    return kept_.back().key;
  }
  std::optional<std::vector<CaseId>> find(std::string_view key, Time now) const {
    std::lock_guard lock(mutex_);
    for (const auto& s : kept_) {
      if (s.key == key && now - s.at <= kSnapshotLife) return s.ids;
    }
    return std::nullopt;
  }

 private:
  struct Snapshot {
    std::string key;
    Time at;
    std::vector<CaseId> ids;
  };
  mutable std::mutex mutex_;
  std::list<Snapshot> kept_;
};

Snapshots& snapshots() {
  static Snapshots kept;
  return kept;
}

template <class T, class Parse>
void read_values(const net::Request& request, const char* name, Parse parse, const char* expected, std::vector<T>& out,
                 std::vector<FieldError>& faults) {
  for (const auto& text : values_of(request, name)) {
    if (auto value = parse(text)) {
      out.push_back(*value);
    } else {
      faults.push_back({std::string("?") + name, "\"" + text.substr(0, 40) + "\": expected " + expected});
    }
  }
}

Result<QueueFilter> filter_of(const net::Request& request, const Caller& caller) {
  QueueFilter filter;
  std::vector<FieldError> faults;
  filter.teams = values_of(request, "team");
  if (!caller.team.empty() && caller.role == store::Role::agent) {
    for (const auto& team : filter.teams) {
      if (team != caller.team) return make_error(ErrorCode::forbidden, "your token is for one team only, another one");
    }
    filter.teams = {caller.team};
  }
  std::vector<Moment> moments;
  read_values(request, "moment", parse_moment, "in_the_moment or after_the_fact", moments, faults);
  if (moments.size() == 1) filter.moment = moments.front();
  if (const auto text = request.query_value("min_urgency")) {
    double value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || !(value >= 0 && value <= 100)) {
      faults.push_back({"?min_urgency", "expected a number from 0 to 100"});
    } else {
      filter.min_urgency = value;
    }
  }
  read_values(request, "priority", parse_priority, "critical, high, normal or low", filter.priority, faults);
  read_values(request, "topic", parse_topic, "one of the topics", filter.topic, faults);
  read_values(request, "state", store::parse_case_state, "new, claimed, waiting_customer or waiting_ops", filter.state,
              faults);
  for (const CaseState state : filter.state) {
    if (!is_open(state)) faults.push_back({"?state", "the queue holds open cases only"});
  }
  filter.platform = values_of(request, "platform");
  filter.site = values_of(request, "site");
  filter.language = values_of(request, "language");
  if (const auto text = request.query_value("assignee")) {
    filter.assignee = *text == "me" ? caller.token.str() : std::string(*text);
  }
  if (!faults.empty()) return Error{ErrorCode::bad_request, "the queue's filter is not valid", std::move(faults), {}};
  return filter;
}

struct QueuePage {
  std::vector<store::QueueItem> items;
  std::vector<CaseId> ids;
};

std::string strong_etag(std::string_view body) {
  return "\"" + sha256_hex(body).substr(0, 32) + "\"";
}

bool etag_matches(std::string_view header, std::string_view etag) {
  if (header == "*") return true;
  return header.find(etag) != std::string_view::npos;
}

}  // namespace

boost::asio::awaitable<Answer> get_queue(Call& call) {
  auto filter = filter_of(call.request, call.caller);
  if (!filter) co_return filter.error();
  const auto limit = limit_of(call.request, 50, 200);
  if (!limit) co_return limit.error();
  std::chrono::milliseconds wait{0};
  if (const auto text = call.request.query_value("wait")) {
    int seconds = -1;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (error != std::errc() || end != text->data() + text->size() || seconds < 0) {
      co_return make_error(ErrorCode::bad_request, "wait: expected whole seconds, 0 or more");
    }
    wait = std::min<Duration>(std::chrono::seconds(seconds), call.policy->queue_wait_max);
  }

  // A cursor is "<snapshot>.<offset>".
  std::size_t offset = 0;
  std::string snapshot;
  std::optional<std::vector<CaseId>> ids;
  if (const auto cursor = call.request.query_value("cursor")) {
    const std::size_t dot = cursor->find('.');
    const auto digits = dot == std::string_view::npos ? std::string_view() : cursor->substr(dot + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      co_return make_error(ErrorCode::bad_request, "cursor: expected next_cursor of an earlier page");
    }
    snapshot = std::string(cursor->substr(0, dot));
    ids = snapshots().find(snapshot, call.now);
    if (!ids) co_return make_error(ErrorCode::bad_request, "cursor: it has expired; start again without one");
    wait = {};
  }

  const auto known = call.request.header("If-None-Match");
  const auto deadline = std::chrono::steady_clock::now() + wait;
  net::Signal& changed = call.context->queue_changed;
  for (;;) {
    const std::uint64_t seen = changed.count();
    auto page = std::make_shared<QueuePage>();
    auto work = store::Store::Read([page, filter = *filter, limit = *limit, offset, ids](store::Reader& reader) {
      page->ids = ids ? *ids : reader.queue(filter, kSnapshotCases);
      const std::size_t from = std::min(offset, page->ids.size());
      const std::size_t to = std::min(from + limit, page->ids.size());
      const std::vector<CaseId> wanted(page->ids.begin() + static_cast<std::ptrdiff_t>(from),
                                       page->ids.begin() + static_cast<std::ptrdiff_t>(to));
      page->items = reader.queue_items(wanted);
    });
    const Result<void> done = co_await store::read(call.context->store, std::move(work));
    if (!done) co_return done.error();

    ordered_json items = ordered_json::array();
    for (const auto& item : page->items) {
      // Between two pages a case may have been resolved or handed to another team.
      if (call.caller.role == store::Role::agent && !may_see(call.caller, item.c, {})) continue;
      if (is_open(item.c.state)) items.push_back(queue_item_json(item));
    }
    const std::string content = dump(items);
    const std::string etag = strong_etag(content);
    if (known && etag_matches(*known, etag)) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      std::uint64_t count = seen;
      if (left.count() > 0) count = co_await changed.wait(seen, left);
      // Unraised: the time is up, or the server is about to stop.
      if (count == seen) {
        net::Response unchanged = net::Response::empty(304);
        unchanged.headers.emplace_back("ETag", etag);
        co_return unchanged;
      }
      continue;
    }
    const bool more = offset + *limit < page->ids.size();
    std::string next = "null";
    if (more) {
      if (snapshot.empty()) snapshot = snapshots().keep(page->ids, call.now);
      next = "\"" + snapshot + "." + std::to_string(offset + *limit) + "\"";
    }
    net::Response response = net::Response::json(200, "{\"items\":" + content + ",\"next_cursor\":" + next + "}");
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("Cache-Control", "no-store");
    co_return response;
  }
}

boost::asio::awaitable<Answer> claim_from_queue(Call& call) {
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const auto team = fields->text("team", 200);
  const auto limit = static_cast<std::size_t>(fields->integer("limit", 1, 100).value_or(1));
  const auto max_lease = std::chrono::duration_cast<std::chrono::seconds>(call.policy->lease_max).count();
  const auto lease = fields->integer("lease_seconds", 1, max_lease);
  if (team && !call.policy->teams.contains(*team)) fields->fault("team", "no such team");
  if (auto faults = fields->faults()) co_return *faults;

  QueueFilter filter;
  if (!call.caller.team.empty() && call.caller.role == store::Role::agent) {
    if (team && *team != call.caller.team) {
      co_return make_error(ErrorCode::forbidden, "your token is for one team only, another one");
    }
    filter.teams = {call.caller.team};
  } else if (team) {
    filter.teams = {*team};
  }
  const Duration length = lease ? Duration(std::chrono::seconds(*lease)) : call.policy->lease;

  Change change = [filter, limit, length, caller = call.caller, now = call.now](store::Writer& writer,
                                                                                Effects& effects) -> Answer {
    const auto ids = writer.claimable(filter, now, limit);
    for (const CaseId& id : ids) {
      auto c = writer.find_case(id);
      if (c) take_claim(writer, *c, caller, now + length, now, effects);
    }
    ordered_json items = ordered_json::array();
    for (const auto& item : writer.queue_items(ids)) items.push_back(queue_item_json(item));
    return json_response(200, {{"items", std::move(items)}});
  };
  co_return co_await commit(call, std::move(change));
}

void take_claim(store::Writer& writer, store::CaseRecord& c, const Caller& caller, Time until, Time now,
                Effects& effects) {
  const bool renewed = c.claim && c.claim->token == caller.token;
  c.claim = store::Claim{caller.token, caller.name, until};
  if (c.state == CaseState::fresh) c.state = CaseState::claimed;
  c.updated_at = now;
  writer.update_case(c);
  writer.set_due({store::DueKind::lease_end, c.id.str(), until});
  effects.due_at(until);
  effects.queue = true;
  if (!renewed) log_event(writer, c.id, now, "claimed", caller.name, {{"until", format_time(until)}});
}

}  // namespace triage::desk
