#include "app/hooks.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "triage/desk/intake.h"
#include "triage/model/json_writer.h"
#include "triage/store/await.h"

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

// One webhook's posts on their way through the writer, kept alive by whoever is last done with it.
struct Admission {
  std::shared_ptr<const desk::Policy> policy;
  std::vector<desk::Judged> judged;
  Time now;
  std::chrono::steady_clock::time_point
      latest;  // to begin; the platform should not wait longer to hear that we are behind
  bool late = false;
  std::vector<Admitted> admitted;
  desk::Effects effects;
};

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
    spdlog::debug("source {}: no rule for \"{}\" (request {})", source.config().name, kind, request.id);
  }

  auto admission = std::make_shared<Admission>();
  admission->policy = policy_.get();
  admission->now = now;
  admission->judged.reserve(mapped->events.size());
  std::vector<const Post*> posts;
  for (auto& event : mapped->events) {
    event.post.id = PostId::make(now);
    desk::Judged judged;
    judged.event = std::move(event);
    admission->judged.push_back(std::move(judged));
  }
  for (const desk::Judged& judged : admission->judged) {
    if (judged.event.kind == EventKind::post) posts.push_back(&judged.event.post);
  }
  auto judging = judges_.judge(std::move(posts), now);
  std::vector<Judgement> judgements = co_await std::move(judging);
  auto judgement = judgements.begin();
  for (desk::Judged& judged : admission->judged) {
    if (judged.event.kind != EventKind::post) continue;
    verdict_stats_.count(judgement->verdict);
    judged.verdict = std::move(judgement->verdict);
    judged.second_look = judgement->second_look;
    ++judgement;
  }

  if (!admission->judged.empty()) {
    admission->latest = std::chrono::steady_clock::now() + admission->policy->writer_wait;
    auto work = store::Store::Work([admission](store::Writer& writer) {
      admission->admitted.clear();
      admission->effects = {};
      admission->late = std::chrono::steady_clock::now() > admission->latest;
      if (admission->late) return;
      for (const auto& judged : admission->judged) {
        admission->admitted.push_back(
            desk::admit(writer, *admission->policy, judged, admission->now, admission->effects));
      }
    });
    const Result<void> stored = co_await store::write(store_, std::move(work));
    if (!stored) co_return net::problem(stored.error());
    if (admission->late) co_return net::problem(store::error_of(store::Committed::overloaded, "the writer is behind"));
    tell_(admission->effects);
    stats.last_event_ms = to_millis(now);
  }
  std::int64_t accepted = 0;
  for (const auto& a : admission->admitted) accepted += a.what == Admitted::What::accepted ? 1 : 0;
  stats.accepted += accepted;
  stats.duplicates += static_cast<std::int64_t>(admission->admitted.size()) - accepted;
  stats.ignored += mapped->ignored;
  co_return Response::json(200, answer_json(admission->admitted, mapped->ignored));
}

}  // namespace triage::app
