#include "app/hooks.h"

#include <spdlog/spdlog.h>

#include "triage/desk/intake.h"
#include "triage/store/await.h"

namespace triage::app {

namespace {

using desk::Admitted;
using net::Request;
using net::Response;

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += ch;
    } else if (c < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += ch;
    }
  }
  out += '"';
}

// Written by hand: it is on the way of each post, and all of it is ours but the native id, which is valid UTF-8.
std::string answer_json(const std::vector<Admitted>& admitted, int ignored) {
  int accepted = 0;
  for (const auto& a : admitted) accepted += a.what == Admitted::What::accepted ? 1 : 0;
  std::string out;
  out.reserve(64 + admitted.size() * 192);
  out.append("{\"accepted\":").append(std::to_string(accepted));
  out.append(",\"duplicates\":").append(std::to_string(static_cast<int>(admitted.size()) - accepted));
  out.append(",\"ignored\":").append(std::to_string(ignored)).append(",\"posts\":[");
  bool first = true;
  for (const auto& a : admitted) {
    if (!first) out += ',';
    first = false;
    out.append("{\"id\":\"").append(a.id.view()).append("\",\"native_id\":");
    append_json_string(out, a.native_id);
    out.append(",\"case_id\":");
    if (a.case_id) {
      out.append("\"").append(a.case_id->view()).append("\"");
    } else {
      out.append("null");
    }
    if (a.moment) out.append(",\"moment\":\"").append(to_string(*a.moment)).append("\"");
    if (a.priority) out.append(",\"priority\":\"").append(to_string(*a.priority)).append("\"");
    if (a.what == Admitted::What::duplicate) out.append(",\"duplicate\":true");
    out += '}';
  }
  out.append("]}");
  return out;
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

void Hooks::set_judge(std::shared_ptr<const classify::Classifier> judge) {
  std::lock_guard lock(mutex_);
  judge_.swap(judge);
}

std::shared_ptr<const classify::Classifier> Hooks::judge() const {
  std::lock_guard lock(mutex_);
  return judge_;
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
  const auto judge = this->judge();
  const auto judging = std::chrono::steady_clock::now();
  std::int64_t posts = 0;
  for (auto& event : mapped->events) {
    event.post.id = PostId::make(now);
    desk::Judged judged{std::move(event), std::nullopt};
    if (judged.event.kind == EventKind::post) {
      judged.verdict = judge->judge(judged.event.post, now);
      ++posts;
      ++(judged.verdict->moment == Moment::in_the_moment ? judge_stats_.in_the_moment : judge_stats_.after_the_fact);
      if (!judged.verdict->actionable) ++judge_stats_.not_actionable;
      ++judge_stats_.priority[static_cast<int>(judged.verdict->priority)];
    }
    admission->judged.push_back(std::move(judged));
  }
  judge_stats_.posts += posts;
  judge_stats_.nanos += (std::chrono::steady_clock::now() - judging).count();

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
