// The outbox and the configured teams and sites, for supervisors and whoever is on call.
#include "desk/calls.h"
#include "desk/case_json.h"
#include "triage/desk/replies.h"
#include "triage/store/await.h"

namespace triage::desk {

using nlohmann::ordered_json;
using store::DeliveryRecord;
using store::DeliveryState;

boost::asio::awaitable<Answer> list_deliveries(Call& call) {
  std::optional<DeliveryState> state;
  if (const auto text = call.request.query_value("state")) {
    state = store::parse_delivery_state(*text);
    if (!state) {
      co_return make_error(ErrorCode::bad_request,
                           "state: expected waiting, sending, delivered, dead, cancelled or held");
    }
  }
  std::optional<store::Destination> to;
  if (const auto text = call.request.query_value("team")) to = store::to_team(std::string(*text));
  if (const auto text = call.request.query_value("source")) {
    if (to) co_return make_error(ErrorCode::bad_request, "expected team or source, not both");
    to = store::to_source(std::string(*text));
  }
  RowsOfPage<DeliveryRecord> rows = [state, to](store::Reader& reader, const store::Page& page) {
    return reader.deliveries(state, to, page);
  };
  auto listing = list_page<DeliveryRecord>(call, std::move(rows), delivery_json);
  co_return co_await std::move(listing);
}

boost::asio::awaitable<Answer> retry_delivery(Call& call) {
  const auto id = path_id<DeliveryId>(call.request, "delivery");
  if (!id) co_return id.error();
  Change change = [id = *id, by = call.caller.name, now = call.now](store::Writer& writer, Effects& effects) -> Answer {
    auto d = writer.delivery(id);
    if (!d) return make_error(ErrorCode::not_found, "no such delivery");
    if (d->state == DeliveryState::delivered) return make_error(ErrorCode::conflict, "it was delivered already");
    if (d->state == DeliveryState::sending) return make_error(ErrorCode::conflict, "it is on its way");
    if (d->type == "reply") {
      const auto allowed = retry_reply(writer, d->id, by, now);
      if (!allowed) return allowed.error();
    }
    // It goes out again at once, under the same webhook-id, with the whole schedule before it.
    d->state = DeliveryState::waiting;
    d->attempts = 0;
    d->next_attempt_at = now;
    d->done_at.reset();
    writer.update_delivery(*d);
    effects.wake(d->to);
    return json_response(202, delivery_json(*d));
  };
  co_return co_await commit(call, std::move(change));
}

boost::asio::awaitable<Answer> enable_team(Call& call) {
  const std::string team(call.request.param("id"));
  const auto found = call.policy->teams.find(team);
  if (found == call.policy->teams.end()) co_return make_error(ErrorCode::not_found, "no such team");
  if (!found->second.has_callback) co_return make_error(ErrorCode::conflict, "the team has no callback");
  Change change = [team, by = call.caller.name, now = call.now](store::Writer& writer, Effects& effects) -> Answer {
    writer.set_endpoint({team, true, "enabled by " + by, now});
    effects.wake(store::to_team(team));
    return json_response(200, {{"team", team}, {"enabled", true}});
  };
  co_return co_await commit(call, std::move(change));
}

boost::asio::awaitable<Answer> list_teams(Call& call) {
  auto endpoints = std::make_shared<std::vector<store::EndpointRecord>>();
  auto work = store::Store::Read([endpoints](store::Reader& reader) { *endpoints = reader.endpoints(); });
  const Result<void> done = co_await store::read(call.context->store, std::move(work));
  if (!done) co_return done.error();
  ordered_json items = ordered_json::array();
  for (const auto& [name, team] : call.policy->teams) {
    ordered_json item{{"id", name}, {"name", name}, {"callback", nullptr}};
    if (team.has_callback) {
      ordered_json include = ordered_json::array();
      if (team.include.post_text) include.push_back("post_text");
      if (team.include.direct_message_text) include.push_back("direct_message_text");
      if (team.include.author) include.push_back("author");
      ordered_json callback{
          {"url", team.callback_url}, {"format", "standard"}, {"include", include}, {"enabled", true}};
      for (const auto& e : *endpoints) {
        if (e.team != name || e.enabled) continue;
        callback["enabled"] = false;
        callback["disabled_because"] = e.reason;
        callback["disabled_at"] = format_time(e.changed_at);
      }
      item["callback"] = callback;
    }
    items.push_back(std::move(item));
  }
  co_return json_response(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

boost::asio::awaitable<Answer> list_sites(Call& call) {
  ordered_json items = ordered_json::array();
  for (const auto& site : call.policy->router.plan().sites) {
    ordered_json item{{"id", site.name}, {"name", site.name}, {"aliases", site.aliases}};
    item["lat"] = site.lat ? ordered_json(*site.lat) : ordered_json(nullptr);
    item["lon"] = site.lon ? ordered_json(*site.lon) : ordered_json(nullptr);
    item["radius_m"] = site.radius_m;
    items.push_back(std::move(item));
  }
  co_return json_response(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

}  // namespace triage::desk
