#include "desk/case_write.h"

#include "desk/case_json.h"

namespace triage::desk {

using store::CaseRecord;

namespace {

bool held_by_other(const CaseRecord& c, const Caller& caller, Time now) {
  return c.claim && c.claim->until > now && c.claim->token != caller.token;
}

Error held(const CaseRecord& c) {
  return make_error(ErrorCode::conflict, "held by " + c.claim->name + " until " + format_time(c.claim->until));
}

}  // namespace

Result<CaseRecord> for_write(store::Writer& writer, const CaseId& id, const Caller& caller,
                             const std::optional<std::string>& if_match, Time now) {
  auto c = writer.find_case(id);
  if (!c) return make_error(ErrorCode::not_found, "no such case");
  if (!may_see(caller, *c, writer.escalations_of_case(id))) {
    return make_error(ErrorCode::forbidden, "this case is not yours to work on");
  }
  if (if_match && *if_match != "*" && *if_match != "\"" + std::to_string(c->version) + "\"") {
    return make_error(ErrorCode::precondition_failed,
                      "the case has changed: it is at version " + std::to_string(c->version) + " now");
  }
  if (held_by_other(*c, caller, now)) return held(*c);
  return std::move(*c);
}

std::optional<std::string> if_match_of(const net::Request& request) {
  const auto header = request.header("If-Match");
  return header ? std::optional<std::string>(*header) : std::nullopt;
}

bool renew(store::Writer& writer, CaseRecord& c, const Caller& caller, Duration lease, Time now, Effects& effects) {
  if (!c.claim || c.claim->token != caller.token) return false;
  if (c.claim->until >= now + lease) return false;
  c.claim->until = now + lease;
  writer.set_due({store::DueKind::lease_end, c.id.str(), c.claim->until});
  effects.due_at(c.claim->until);
  return true;
}

Answer whole_case(store::Writer& writer, const CaseId& id, const Caller& caller) {
  WholeCase whole;
  const Result<void> loaded = load_case(writer, id, caller, whole);
  if (!loaded) return loaded.error();
  return with_etag(json_response(200, case_json(whole)), whole.c.version);
}

}  // namespace triage::desk
