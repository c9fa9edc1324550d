// GET /v1/cases/{id}, its timeline, and the work on it: claim, release, note, resolve.
#include "desk/calls.h"
#include "desk/case_json.h"
#include "desk/case_write.h"
#include "desk/event_log.h"
#include "triage/desk/case_rules.h"
#include "triage/desk/escalations.h"
#include "triage/store/await.h"

namespace triage::desk {

using store::CaseState;

namespace {

boost::asio::awaitable<Answer> read_case(Call& call, nlohmann::ordered_json (*as_json)(const WholeCase&)) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  struct State {
    WholeCase whole;
    Result<void> loaded = boost::system::in_place_value;
  };
  auto state = std::make_shared<State>();
  auto work = store::Store::Read([state, id = *id, caller = call.caller](store::Reader& reader) {
    state->loaded = load_case(reader, id, caller, state->whole);
  });
  const Result<void> done = co_await store::read(call.context->store, std::move(work));
  if (!done) co_return done.error();
  if (!state->loaded) co_return state->loaded.error();
  co_return with_etag(json_response(200, as_json(state->whole)), state->whole.c.version);
}

}  // namespace

boost::asio::awaitable<Answer> get_case(Call& call) {
  return read_case(call, case_json);
}
boost::asio::awaitable<Answer> get_timeline(Call& call) {
  return read_case(call, timeline_json);
}

boost::asio::awaitable<Answer> claim_case(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const auto max_lease = std::chrono::duration_cast<std::chrono::seconds>(call.policy->lease_max).count();
  const auto seconds = fields->integer("lease_seconds", 1, max_lease);
  if (auto faults = fields->faults()) co_return *faults;
  const Duration lease = seconds ? Duration(std::chrono::seconds(*seconds)) : call.policy->lease;

  Change change = [id = *id, caller = call.caller, lease, if_match = if_match_of(call.request), now = call.now](
                      store::Writer& writer, Effects& effects) -> Answer {
    auto c = for_write(writer, id, caller, if_match, now);
    if (!c) return c.error();
    if (!is_open(c->state)) {
      return make_error(ErrorCode::conflict,
                        "the case is " + std::string(to_string(c->state)) + "; only open cases can be claimed");
    }
    take_claim(writer, *c, caller, now + lease, now, effects);
    return whole_case(writer, id, caller);
  };
  co_return co_await commit(call, std::move(change));
}

boost::asio::awaitable<Answer> release_case(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  Change change = [id = *id, caller = call.caller, if_match = if_match_of(call.request), now = call.now](
                      store::Writer& writer, Effects& effects) -> Answer {
    auto c = for_write(writer, id, caller, if_match, now);
    const bool over_others = caller.role == store::Role::supervisor || caller.role == store::Role::admin;
    if (!c && c.error().code == ErrorCode::conflict && over_others) c = *writer.find_case(id);
    if (!c) return c.error();
    if (!c->claim || c->claim->until <= now) return make_error(ErrorCode::conflict, "nobody holds this case");
    log_event(writer, id, now, "released", caller.name, {{"holder", c->claim->name}});
    c->claim.reset();
    if (c->state == CaseState::claimed) c->state = unclaimed(*c);
    c->updated_at = now;
    writer.clear_due(store::DueKind::lease_end, id.view());
    writer.update_case(*c);
    effects.queue = true;
    return whole_case(writer, id, caller);
  };
  co_return co_await commit(call, std::move(change));
}

boost::asio::awaitable<Answer> add_note(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const std::string text = fields->required_text("text");
  if (auto faults = fields->faults()) co_return *faults;

  Change change = [id = *id, text, caller = call.caller, if_match = if_match_of(call.request), now = call.now,
                   lease = call.policy->lease](store::Writer& writer, Effects& effects) -> Answer {
    auto c = for_write(writer, id, caller, if_match, now);
    if (!c) return c.error();
    store::NoteRecord note;
    note.id = NoteId::make(now);
    note.case_id = id;
    note.at = now;
    note.token = caller.token;
    note.name = caller.name;
    note.text = text;
    writer.insert_note(note);
    c->updated_at = now;
    renew(writer, *c, caller, lease, now, effects);
    writer.update_case(*c);
    effects.queue = true;
    return with_etag(json_response(201, note_json(note)), c->version);
  };
  co_return co_await commit(call, std::move(change));
}

boost::asio::awaitable<Answer> resolve_case(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const auto outcome_text = fields->text("outcome", 100);
  const auto outcome = outcome_text ? store::parse_outcome(*outcome_text) : std::nullopt;
  if (!outcome) {
    fields->fault("outcome", "expected resolved_in_moment, resolved_after_care, unresolved or no_action");
  }
  const std::string note = fields->text("note").value_or("");
  if (auto faults = fields->faults()) co_return *faults;

  Change change = [id = *id, outcome = *outcome, note, caller = call.caller, if_match = if_match_of(call.request),
                   now = call.now](store::Writer& writer, Effects& effects) -> Answer {
    auto c = for_write(writer, id, caller, if_match, now);
    if (!c) return c.error();
    if (!is_open(c->state)) {
      return make_error(ErrorCode::conflict, "the case is " + std::string(to_string(c->state)) + " already");
    }
    resolve(*c, outcome, note, now);
    writer.clear_due(store::DueKind::first_response, id.view());
    writer.clear_due(store::DueKind::lease_end, id.view());
    writer.update_case(*c);
    log_event(writer, id, now, "resolved", caller.name, {{"outcome", std::string(to_string(outcome))}, {"note", note}});
    end_escalations(writer, id, "the case was resolved", now);
    effects.queue = true;
    return whole_case(writer, id, caller);
  };
  co_return co_await commit(call, std::move(change));
}

}  // namespace triage::desk
