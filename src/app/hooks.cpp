#include "app/hooks.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "triage/model/json_writer.h"

namespace triage::app {

namespace {

using desk::Admitted;
using net::Request;
using net::Response;

// Written from front to back, without a document tree: it is on the way of each post.
std::string answer_json(const std::vector<Admitted>& admitted, int ignored) {
  const auto accepted = std::count_if(admitted.begin(), admitted.end(),
                                      [](const Admitted& a) { return a.what == Admitted::What::accepted; });
  JsonWriter json(64 + admitted.size() * 192);
  json.begin_object().key("accepted").number(static_cast<std::int64_t>(accepted));
  json.key("duplicates").number(std::ssize(admitted) - accepted).key("ignored").number(std::int64_t{ignored});
  json.key("posts").begin_array();
  for (const Admitted& a : admitted) {
    json.begin_object().key("id").string(a.id.view()).key("native_id").string(a.native_id);
    json.key("case_id").string_or_null(a.case_id ? a.case_id->view() : std::string_view());
    if (a.moment) json.key("moment").string(to_string(*a.moment));
    if (a.priority) json.key("priority").string(to_string(*a.priority));
    if (a.what == Admitted::What::duplicate) json.key("duplicate").boolean(true);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

ingest::Delivery delivery_of(const Request& request) {
  return {&request.headers, &request.query, request.body};
}

}  // namespace

void Hooks::set_sources(std::shared_ptr<const Sources> sources) {
  std::lock_guard lock(mutex_);
  sources_.swap(sources);
}

std::shared_ptr<const Sources> Hooks::sources() const {
  std::lock_guard lock(mutex_);
  return sources_;
}

std::shared_ptr<const BoundSource> Hooks::find(std::string_view name) const {
  const auto all = sources();
  const auto it = all->find(name);
  return it == all->end() ? nullptr : it->second;
}

std::vector<net::Route> Hooks::routes(std::size_t body_bytes) {
  std::vector<net::Route> out(2);
  out[0].method = net::Method::get;
  out[0].pattern = "/v1/hooks/{source}";
  out[0].handler = [this](Request& request) { return handshake(request); };
  out[1].method = net::Method::post;
  out[1].pattern = "/v1/hooks/{source}";
  out[1].body_bytes = body_bytes;
  out[1].handler = [this](Request& request) { return receive(request); };
  return out;
}

// What fails here came without a good signature: this is what the address's rate counts.
Response Hooks::refuse(const BoundSource& bound, const Request& request, const Error& error) {
  if (const auto wait = address_rate_(request.remote)) {
    Error slow = make_error(ErrorCode::too_many_requests, "too many refused requests from this address");
    slow.retry_after = *wait;
    return net::problem(slow);
  }
  spdlog::warn("refused a request to source {} from {}: {} (request {})", bound.source->config().name, request.remote,
               error.detail, request.id);
  return net::problem(error);
}

boost::asio::awaitable<Response> Hooks::handshake(Request& request) {
  const auto bound = find(request.param("source"));
  if (!bound) co_return net::problem(make_error(ErrorCode::not_found, "no such source"));
  const auto answer = bound->source->handshake(delivery_of(request));
  if (!answer) {
    ++bound->stats->handshakes_failed;
    Response refusal = refuse(*bound, request, answer.error());
    if (refusal.status == 405) refusal.headers.emplace_back("Allow", "POST");
    co_return refusal;
  }
  ++bound->stats->handshakes;
  Response response;
  response.status = answer->status;
  response.content_type = answer->content_type;
  response.body = answer->body;
  co_return response;
}

boost::asio::awaitable<Response> Hooks::receive(Request& request) {
  const auto bound = find(request.param("source"));
  if (!bound) co_return net::problem(make_error(ErrorCode::not_found, "no such source"));
  const ingest::Source& source = *bound->source;
  SourceStats& stats = *bound->stats;
  ++stats.requests;
  const Time now = wall_clock_now();

  if (source.config().unsigned_ok && request.forwarded) {
    ++stats.signatures_failed;
    co_return refuse(*bound, request,
                     make_error(ErrorCode::unauthenticated,
                                "this source takes unsigned requests, and none that came through a proxy"));
  }
  const ingest::Delivery delivery = delivery_of(request);
  const auto verified = source.verify(delivery, now);
  if (!verified) {
    ++stats.signatures_failed;
    co_return refuse(*bound, request, verified.error());
  }
  auto mapped = source.map(delivery, now);
  if (!mapped) {
    ++stats.rejected;
    spdlog::warn("source {}: {} (request {})", source.config().name, mapped.error().detail, request.id);
    co_return net::problem(mapped.error());
  }
  for (const auto& kind : mapped->ignored_kinds) {
    if (!stats.is_new_kind(kind)) continue;
    spdlog::info("source {}: \"{}\" is ignored, by no rule or by one that says so (request {}; said once)",
                 source.config().name, kind, request.id);
  }

  std::vector<Admitted> admitted;
  if (!mapped->events.empty()) {
    auto admitting = admissions_.admit(std::move(mapped->events), now, admissions_.policy()->writer_wait);
    auto stored = co_await std::move(admitting);
    if (!stored) co_return net::problem(stored.error());
    admitted = std::move(*stored);
    stats.last_event_ms = to_millis(now);
  }
  std::int64_t accepted = 0;
  for (const auto& a : admitted) accepted += a.what == Admitted::What::accepted ? 1 : 0;
  stats.accepted += accepted;
  stats.duplicates += static_cast<std::int64_t>(admitted.size()) - accepted;
  stats.ignored += mapped->ignored;
  co_return Response::json(200, answer_json(admitted, mapped->ignored));
}

}  // namespace triage::app
