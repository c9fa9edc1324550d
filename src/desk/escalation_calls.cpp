// What operations teams call: by token, or by the signed link of a callback.
#include "desk/calls.h"
#include "desk/case_json.h"
#include "triage/desk/escalations.h"
#include "triage/store/await.h"

namespace triage::desk {

using nlohmann::ordered_json;
using store::EscalationRecord;

namespace {

bool is_form(const net::Request& request) {
  const auto type = request.header("Content-Type");
  return type && type->starts_with("application/x-www-form-urlencoded");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string form_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string form_value(std::string_view body, std::string_view name) {
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view pair = body.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (form_decode(pair.substr(0, equals)) == name && equals < pair.size()) {
      return form_decode(pair.substr(equals + 1)).substr(0, 2000);
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return {};
}

// note, eta, action: as JSON, or as the link's form sends them.
Result<OpsAnswer> read_answer(const net::Request& request, std::string by) {
  OpsAnswer answer;
  answer.by = std::move(by);
  if (is_form(request)) {
    answer.note = form_value(request.body, "note");
    answer.eta = form_value(request.body, "eta");
    answer.action = form_value(request.body, "action");
    return answer;
  }
  auto fields = Fields::of(request);
  if (!fields) return fields.error();
  answer.note = fields->text("note", 2000).value_or("");
  answer.eta = fields->text("eta", 200).value_or("");
  answer.action = fields->text("action", 2000).value_or("");
  if (auto faults = fields->faults()) return *faults;
  return answer;
}

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

net::Response page(int status, const std::string& title, const std::string& body) {
  net::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>" +
      html_escape(title) +
      "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}"
      "label{display:block;margin:.8rem 0 .2rem}input,textarea{width:100%;box-sizing:border-box;font:inherit;"
      "padding:.5rem}button{font:inherit;font-weight:600;padding:.7rem 1.4rem;margin:1rem .5rem 0 0}</style><h1>" +
      html_escape(title) + "</h1>" + body + "</html>";
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

struct Link {
  EscalationId id;
  std::string team;
};

Result<Link> link_of(const Call& call) {
  const auto id = path_id<EscalationId>(call.request, "escalation");
  if (!id) return id.error();
  const auto team = check_ack_link(*call.policy, *id, call.request.query_value("team").value_or(""),
                                   call.request.query_value("expires").value_or(""),
                                   call.request.query_value("signature").value_or(""), call.now);
  if (!team) return team.error();
  return Link{*id, *team};
}

using Act = Result<EscalationRecord> (*)(store::Writer&, const Policy&, const EscalationId&, const OpsAnswer&, Time,
                                         Effects&);

boost::asio::awaitable<Answer> act_by_token(Call& call, Act act) {
  const auto id = path_id<EscalationId>(call.request, "escalation");
  if (!id) co_return id.error();
  auto answer = read_answer(call.request, call.caller.name);
  if (!answer) co_return answer.error();
  Change change = [id = *id, answer = *answer, caller = call.caller, policy = call.policy, act, now = call.now](
                      store::Writer& writer, Effects& effects) -> Answer {
    const auto e = writer.escalation(id);
    if (!e) return make_error(ErrorCode::not_found, "no such escalation");
    if (caller.role == store::Role::ops && !caller.team.empty() && !called(*e, caller.team)) {
      return make_error(ErrorCode::forbidden, "this escalation was not raised to your team");
    }
    const auto done = act(writer, *policy, id, answer, now, effects);
    if (!done) return done.error();
    return json_response(200, escalation_json(*done));
  };
  co_return co_await commit(call, std::move(change));
}

}  // namespace

boost::asio::awaitable<Answer> list_escalations(Call& call) {
  std::optional<store::EscalationState> state;
  if (const auto text = call.request.query_value("state")) {
    using store::EscalationState;
    for (const auto s :
         {EscalationState::open, EscalationState::acknowledged, EscalationState::resolved, EscalationState::ended}) {
      if (to_string(s) == *text) state = s;
    }
    if (!state) co_return make_error(ErrorCode::bad_request, "state: expected open, acknowledged, resolved or ended");
  }
  std::optional<std::string> team;
  if (const auto text = call.request.query_value("team")) team = std::string(*text);
  if (call.caller.role == store::Role::ops && !call.caller.team.empty()) {
    if (team && *team != call.caller.team) {
      co_return make_error(ErrorCode::forbidden, "your token is for one team only, another one");
    }
    team = call.caller.team;
  }
  RowsOfPage<EscalationRecord> rows = [state, team](store::Reader& reader, const store::Page& page) {
    return reader.escalations(state, team, page);
  };
  auto listing = list_page<EscalationRecord>(call, std::move(rows), escalation_json);
  co_return co_await std::move(listing);
}

boost::asio::awaitable<Answer> acknowledge_escalation(Call& call) {
  return act_by_token(call, acknowledge);
}
boost::asio::awaitable<Answer> resolve_escalation_call(Call& call) {
  return act_by_token(call, resolve_escalation);
}

boost::asio::awaitable<Answer> show_escalation_link(Call& call) {
  const auto link = link_of(call);
  if (!link) co_return page(403, "This link cannot be used", "<p>" + html_escape(link.error().detail) + "</p>");
  struct State {
    std::optional<EscalationRecord> e;
    std::optional<store::CaseRecord> c;
  };
  auto state = std::make_shared<State>();
  auto work = store::Store::Read([state, id = link->id](store::Reader& reader) {
    state->e = reader.escalation(id);
    state->c = state->e ? reader.find_case(state->e->case_id) : std::nullopt;
  });
  const Result<void> done = co_await store::read(call.context->store, std::move(work));
  if (!done) co_return done.error();
  if (!state->e || !state->c) co_return page(404, "No such escalation", "");
  const EscalationRecord& e = *state->e;
  const store::CaseRecord& c = *state->c;
  std::string body = "<p>Raised " + format_time(e.raised_at) + " to <b>" + html_escape(link->team) +
                     "</b>: " + std::string(to_string(c.priority)) + ", " + std::string(to_string(c.topic)) +
                     (c.site ? ", " + html_escape(*c.site) : "") + ".</p><p>" + html_escape(e.reason) + "</p>";
  if (e.state != store::EscalationState::open) {
    body += "<p>It is <b>" + std::string(to_string(e.state)) + "</b>" +
            (e.answered_by.empty() ? "" : " by " + html_escape(e.answered_by)) + ".</p>";
  }
  if (e.state == store::EscalationState::open || e.state == store::EscalationState::acknowledged) {
    const std::string query =
        call.request.target.substr(std::min(call.request.target.find('?'), call.request.target.size()));
    const std::string base = "/v1/escalations/" + e.id.str();
    body += "<form method=\"post\" action=\"" + html_escape(base + "/ack" + query) +
            "\"><label for=\"action\">What are you doing about it?</label><input id=\"action\" name=\"action\" "
            "maxlength=\"500\" placeholder=\"second desk open 09:40\"><label for=\"eta\">By when?</label><input "
            "id=\"eta\" name=\"eta\" maxlength=\"100\"><label for=\"note\">Note for the care agent</label><textarea "
            "id=\"note\" name=\"note\" rows=\"3\" maxlength=\"1500\"></textarea><button>Acknowledge</button><button "
            "formaction=\"" +
            html_escape(base + "/resolve" + query) + "\">Resolved</button></form>";
  }
  co_return page(200, "Escalation", body);
}

boost::asio::awaitable<Answer> use_escalation_link(Call& call, bool resolve) {
  const bool form = is_form(call.request);
  const auto link = link_of(call);
  if (!link) {
    if (form) co_return page(403, "This link cannot be used", "<p>" + html_escape(link.error().detail) + "</p>");
    co_return link.error();
  }
  auto answer = read_answer(call.request, link->team);
  if (!answer) co_return answer.error();
  const Act act = resolve ? &desk::resolve_escalation : &desk::acknowledge;
  Change change = [id = link->id, answer = *answer, policy = call.policy, act, form, resolve, now = call.now](
                      store::Writer& writer, Effects& effects) -> Answer {
    const auto done = act(writer, *policy, id, answer, now, effects);
    if (!done) {
      if (form) return page(409, "Not done", "<p>" + html_escape(done.error().detail) + "</p>");
      return done.error();
    }
    if (form) return page(200, resolve ? "Resolved" : "Acknowledged", "<p>Thank you. The care team sees it now.</p>");
    return json_response(200, escalation_json(*done));
  };
  co_return co_await commit(call, std::move(change));
}

}  // namespace triage::desk
