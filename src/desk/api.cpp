// The table of the REST calls, and what all of them go through: authentication, rate, role, error format.
#include "triage/desk/api.h"

#include "desk/calls.h"

namespace triage::desk {

namespace {

using net::Method;
using net::Request;
using net::Response;
using store::Role;

constexpr unsigned bit(Role role) {
  return 1U << static_cast<unsigned>(role);
}
constexpr unsigned kCare = bit(Role::agent) | bit(Role::supervisor) | bit(Role::admin);
constexpr unsigned kOps = bit(Role::ops) | bit(Role::supervisor) | bit(Role::admin);
constexpr unsigned kLead = bit(Role::supervisor) | bit(Role::admin);
constexpr unsigned kAll = kCare | kOps;

boost::asio::awaitable<Answer> link_ack(Call& call) {
  return use_escalation_link(call, false);
}
boost::asio::awaitable<Answer> link_resolve(Call& call) {
  return use_escalation_link(call, true);
}

struct Entry {
  Method method;
  const char* path;
  unsigned roles;
  boost::asio::awaitable<Answer> (*call)(Call&);
  // Instead, when the call carries a callback's signature and no token.
  boost::asio::awaitable<Answer> (*by_link)(Call&) = nullptr;
};

constexpr Entry kTable[] = {
    {Method::get, "/v1/queue", kCare, get_queue},
    {Method::post, "/v1/queue/claim", kCare, claim_from_queue},
    {Method::get, "/v1/cases/{id}", kAll, get_case},
    {Method::get, "/v1/cases/{id}/timeline", kAll, get_timeline},
    {Method::post, "/v1/cases/{id}/claim", kCare, claim_case},
    {Method::post, "/v1/cases/{id}/release", kCare, release_case},
    {Method::post, "/v1/cases/{id}/note", kAll, add_note},
    {Method::post, "/v1/cases/{id}/reply", kCare, reply_to_case},
    {Method::post, "/v1/cases/{id}/correct", kCare, correct_case},
    {Method::post, "/v1/cases/{id}/resolve", kCare, resolve_case},
    {Method::get, "/v1/escalations", kAll, list_escalations},
    {Method::get, "/v1/escalations/{id}/ack", kOps, nullptr, show_escalation_link},
    {Method::post, "/v1/escalations/{id}/ack", kOps, acknowledge_escalation, link_ack},
    {Method::post, "/v1/escalations/{id}/resolve", kOps, resolve_escalation_call, link_resolve},
    {Method::get, "/v1/deliveries", kLead, list_deliveries},
    {Method::post, "/v1/deliveries/{id}/retry", kLead, retry_delivery},
    {Method::get, "/v1/teams", kAll, list_teams},
    {Method::post, "/v1/teams/{id}/enable", kLead, enable_team},
    {Method::get, "/v1/sites", kAll, list_sites},
};

std::string roles_text(unsigned roles) {
  std::string out;
  for (const Role role : {Role::agent, Role::ops, Role::supervisor, Role::admin}) {
    if ((roles & bit(role)) == 0) continue;
    if (!out.empty()) out += ", ";
    out += to_string(role);
  }
  return out;
}

Response refuse(const Error& error) {
  Response response = net::problem(error);
  if (error.code == ErrorCode::unauthenticated) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// The caller by token, within their rate and of one of these roles.
boost::asio::awaitable<Result<Caller>> admit(const ApiContext& context, const Request& request, unsigned roles) {
  const auto rate = [](std::optional<std::chrono::seconds> wait) -> std::optional<Error> {
    if (!wait) return std::nullopt;
    Error error =
        make_error(ErrorCode::too_many_requests, "more requests a minute than `limits.requests_per_minute` allows");
    error.retry_after = *wait;
    return error;
  };
  Result<Caller> known = co_await context.access.authenticate(request);
  if (!known) {
    if (auto error = rate(context.address_rate(request.remote))) co_return std::move(*error);
    co_return known.error();
  }
  if (auto error = rate(context.token_rate(known->token.view()))) co_return std::move(*error);
  if ((roles & bit(known->role)) == 0) {
    co_return make_error(ErrorCode::forbidden, "this call needs the role " + roles_text(roles) + "; yours is " +
                                                   std::string(to_string(known->role)));
  }
  co_return known;
}

boost::asio::awaitable<Response> serve(std::shared_ptr<const ApiContext> context, const Entry* entry,
                                       Request& request) {
  const bool by_link =
      entry->by_link != nullptr && !request.header("Authorization") && request.query_value("signature");
  Caller caller;
  if (by_link) {
    if (const auto wait = context->address_rate(request.remote)) {
      Error error = make_error(ErrorCode::too_many_requests, "too many requests from this address");
      error.retry_after = *wait;
      co_return refuse(error);
    }
  } else if (entry->call == nullptr) {
    co_return refuse(make_error(ErrorCode::unauthenticated, "open this page by a callback's ack_url"));
  } else {
    Result<Caller> admitted = co_await admit(*context, request, entry->roles);
    if (!admitted) co_return refuse(admitted.error());
    caller = std::move(*admitted);
  }
  Call call{context, request, std::move(caller), context->policy.get(), wall_clock_now()};
  const auto run = by_link ? entry->by_link : entry->call;
  Answer answer = co_await run(call);
  if (!answer) co_return refuse(answer.error());
  co_return std::move(*answer);
}

boost::asio::awaitable<Response> serve_any(std::shared_ptr<const ApiContext> context,
                                           std::shared_ptr<const net::Handler> handler, Request& request) {
  Result<Caller> admitted = co_await admit(*context, request, kAll);
  if (!admitted) co_return refuse(admitted.error());
  co_return co_await (*handler)(request);
}

}  // namespace

std::vector<net::Route> api_routes(std::shared_ptr<const ApiContext> context) {
  std::vector<net::Route> routes;
  for (const Entry& entry : kTable) {
    net::Route route;
    route.method = entry.method;
    route.pattern = entry.path;
    route.body_bytes = entry.method == Method::post ? context->body_bytes : 0;
    route.handler = [context, e = &entry](Request& request) { return serve(context, e, request); };
    routes.push_back(std::move(route));
  }
  return routes;
}

net::Handler for_any_token(std::shared_ptr<const ApiContext> context, net::Handler handler) {
  auto held = std::make_shared<const net::Handler>(std::move(handler));
  return [context, held](Request& request) { return serve_any(context, held, request); };
}

}  // namespace triage::desk
