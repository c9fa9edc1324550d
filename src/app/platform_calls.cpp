#include "app/platform_calls.h"

#include <spdlog/spdlog.h>

#include "triage/desk/replies.h"
#include "triage/store/await.h"

namespace triage::app {

namespace {

using deliver::Outcome;
using deliver::Performed;
using ingest::Taken;
using store::DeliveryRecord;
using BoundPtr = std::shared_ptr<const BoundSource>;
using ClientPtr = std::shared_ptr<net::Client>;

// At a time: platforms count calls, and replies of one case go one after another.
constexpr std::size_t kConcurrency = 4;
constexpr std::size_t kAnswerBytes = 1024 * 1024;
// After so many attempts without its text a post is shown to agents as it is; the fetching goes on.
constexpr int kPatience = 3;

class SourcePlatforms : public desk::Platforms {
 public:
  explicit SourcePlatforms(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)) {}

  Result<std::string> plan_reply(const Post& to, std::string_view text, const ReplyId& id) const override {
    const auto api = api_of(to.source);
    if (!api) return api.error();
    return (*api)->plan_reply(to, text, id.view());
  }

  Result<std::string> plan_fetch(const Post& pending) const override {
    const auto api = api_of(pending.source);
    if (!api) return api.error();
    return (*api)->plan_fetch(pending);
  }

 private:
  Result<const ingest::Api*> api_of(const std::string& source) const {
    const auto it = sources_->find(source);
    if (it == sources_->end()) {
      return make_error(ErrorCode::unprocessable, "the source \"" + source + "\" is not configured any more");
    }
    const ingest::Api* api = it->second->source->api();
    if (api == nullptr) {
      return make_error(ErrorCode::unprocessable, "the source \"" + source + "\" knows no way to answer its platform");
    }
    return api;
  }

  std::shared_ptr<const Sources> sources_;
};

// A reading of the platform's answer, as an outcome of the attempt.
Outcome outcome_of(const ingest::Reading& reading, int status, ingest::Api::Repeat repeat) {
  Outcome outcome;
  outcome.status = status;
  outcome.error = reading.error;
  outcome.retry_after = reading.retry_after;
  outcome.pause = reading.pause;
  outcome.in_doubt = reading.taken == Taken::again && reading.may_have_acted;
  switch (reading.taken) {
    case Taken::yes:
    case Taken::gone:
      outcome.kind = Outcome::Kind::delivered;
      break;
    case Taken::again:
      outcome.kind =
          reading.may_have_acted && repeat == ingest::Api::Repeat::unsafe ? Outcome::Kind::lost : Outcome::Kind::failed;
      break;
    case Taken::no:
      outcome.kind = Outcome::Kind::refused;
      break;
  }
  if (outcome.kind == Outcome::Kind::lost) outcome.error += "; whether it was taken is not known";
  return outcome;
}

// One attempt, from its session to what the platform said of it.
struct Tried {
  Outcome outcome;
  ingest::Reading reading;
};

boost::asio::awaitable<Tried> attempt(BoundPtr bound, ClientPtr client, const DeliveryRecord& row, const Post* post) {
  const ingest::Api& api = *bound->source->api();
  const ingest::Api::Repeat repeat = api.repeat_of(row.body);
  Tried tried;
  for (int round = 0; round < 2; ++round) {
    const bool renewed = round > 0;
    auto trying = api.attempt(row.body, row.in_doubt, post);
    if (!trying) {
      tried.outcome.kind = Outcome::Kind::refused;
      tried.outcome.error = trying.error().detail;
      co_return tried;
    }
    ingest::Attempt& calls = **trying;
    int status = 0;
    bool expired = false;
    for (;;) {
      auto getting = bound->session->get(client, api, calls.session());
      const auto session = co_await std::move(getting);
      if (!session) {
        const Error& error = session.error();
        tried.outcome.error = "no session: " + error.detail;
        tried.outcome.retry_after = error.retry_after;
        co_return tried;
      }
      auto next = calls.next(*session ? &**session : nullptr, wall_clock_now());
      if (!next) {
        tried.outcome.kind = Outcome::Kind::refused;
        tried.outcome.error = next.error().detail;
        co_return tried;
      }
      if (!*next) break;
      const bool acts = calls.acts();
      bool sent = false;
      auto sending = send(client, std::move(**next), !acts || repeat == ingest::Api::Repeat::safe, &sent);
      const Result<net::ClientResponse> answer = co_await std::move(sending);
      if (!answer) {
        ingest::Reading& none = tried.reading;
        none.taken = answer.error().code == ErrorCode::unprocessable ? Taken::no : Taken::again;
        none.may_have_acted = acts && sent;
        none.error = answer.error().detail;
        tried.outcome = outcome_of(none, 0, repeat);
        co_return tried;
      }
      status = answer->status;
      expired = status == 401 && *session;
      if (expired) {
        bound->session->drop((*session)->token);
        break;
      }
      calls.answered(incoming_of(*answer), wall_clock_now());
    }
    if (expired && !renewed) continue;
    if (expired) {
      tried.outcome.status = status;
      tried.outcome.error = "the platform answered 401, also to a new session";
      co_return tried;
    }
    tried.reading = calls.result();
    tried.outcome = outcome_of(tried.reading, status, repeat);
    co_return tried;
  }
  co_return tried;
}

// Effects of what a commit did, told after it.
struct Told {
  Admissions& admissions;
  desk::Effects effects;
};

boost::asio::awaitable<Performed> send_reply(BoundPtr bound, Admissions* admissions, ClientPtr client,
                                             DeliveryRecord row) {
  auto trying = attempt(bound, client, row, nullptr);
  const Tried tried = co_await std::move(trying);
  Performed performed;
  performed.outcome = tried.outcome;
  const auto id = ReplyId::parse(bound->source->api()->subject_of(row.body));
  if (!id) co_return performed;
  const auto told = std::make_shared<Told>(Told{*admissions, {}});
  const Time now = wall_clock_now();
  performed.commit = [told, tried, id = *id, now](store::Writer& writer, const DeliveryRecord& after) {
    told->effects = {};
    if (tried.outcome.kind == Outcome::Kind::delivered) {
      desk::reply_sent(writer, id, tried.reading.native_id, tried.reading.url, now, told->effects);
      return;
    }
    if (after.state == store::DeliveryState::cancelled) return;  // it was withdrawn meanwhile
    using store::ReplyState;
    const bool lost = tried.outcome.kind == Outcome::Kind::lost;
    const bool over = after.state == store::DeliveryState::dead;
    const bool in_doubt = lost || (over && after.in_doubt);
    const ReplyState state = in_doubt ? ReplyState::unknown : over ? ReplyState::failed : ReplyState::waiting;
    desk::reply_not_sent(writer, id, state, tried.outcome.error, now, told->effects);
  };
  const bool delivered = tried.outcome.kind == Outcome::Kind::delivered;
  performed.committed = [told, bound, delivered] {
    ++(delivered ? bound->stats->replies_sent : bound->stats->reply_failures);
    told->admissions.tell(told->effects);
  };
  co_return performed;
}

// The reply of a row whose attempt was cut off by the end of the process.
Performed reply_in_doubt(const BoundPtr& bound, Admissions& admissions, const DeliveryRecord& row) {
  Performed performed;
  performed.outcome.error = "the server stopped while it was on its way; whether it was taken is not known";
  const ingest::Api& api = *bound->source->api();
  const bool unsafe = api.repeat_of(row.body) == ingest::Api::Repeat::unsafe;
  performed.outcome.kind = unsafe ? Outcome::Kind::lost : Outcome::Kind::failed;
  performed.outcome.in_doubt = true;
  const auto id = ReplyId::parse(api.subject_of(row.body));
  if (!id) return performed;
  const auto told = std::make_shared<Told>(Told{admissions, {}});
  performed.commit = [told, id = *id, error = performed.outcome.error](store::Writer& writer,
                                                                       const DeliveryRecord& after) {
    told->effects = {};
    if (after.state != store::DeliveryState::dead) return;
    desk::reply_not_sent(writer, id, store::ReplyState::unknown, error, wall_clock_now(), told->effects);
  };
  performed.committed = [told] { told->admissions.tell(told->effects); };
  return performed;
}

boost::asio::awaitable<Performed> fetch_post(BoundPtr bound, Admissions* admissions, ClientPtr client,
                                             DeliveryRecord row) {
  Performed performed;
  const auto id = PostId::parse(bound->source->api()->subject_of(row.body));
  const auto stored = std::make_shared<std::optional<store::PostRecord>>();
  if (id) {
    store::Store::Read read = [stored, id = *id](store::Reader& reader) { *stored = reader.post(id); };
    auto reading = store::read(admissions->store(), std::move(read));
    const Result<void> done = co_await std::move(reading);
    if (!done) {
      performed.outcome.error = done.error().detail;
      co_return performed;
    }
  }
  if (!id || !*stored || (*stored)->state == store::PostState::deleted) {
    performed.outcome.kind = Outcome::Kind::delivered;  // there is nothing to fetch any more
    co_return performed;
  }
  auto trying = attempt(bound, client, row, &(*stored)->post);
  const Tried tried = co_await std::move(trying);
  performed.outcome = tried.outcome;

  const Time now = wall_clock_now();
  const auto told = std::make_shared<Told>(Told{*admissions, {}});
  const auto policy = admissions->policy();
  std::vector<Event> events;
  if (tried.reading.event) events.push_back(*tried.reading.event);
  auto judging = admissions->judge(std::move(events), now);
  const auto judged = std::make_shared<const std::vector<desk::Judged>>(co_await std::move(judging));
  performed.commit = [told, tried, judged, policy, id = *id, now](store::Writer& writer, const DeliveryRecord& after) {
    told->effects = {};
    for (const desk::Judged& one : *judged) desk::admit(writer, *policy, one, now, told->effects);
    if (tried.outcome.kind == Outcome::Kind::delivered) return;
    if (after.state == store::DeliveryState::dead || after.attempts >= kPatience) {
      desk::show_unread(writer, *policy, id, tried.outcome.error, now, told->effects);
    }
  };
  const bool fetched = tried.outcome.kind == Outcome::Kind::delivered;
  performed.committed = [told, bound, fetched] {
    ++(fetched ? bound->stats->fetched : bound->stats->fetch_failures);
    told->admissions.tell(told->effects);
  };
  co_return performed;
}

}  // namespace

std::shared_ptr<const desk::Platforms> platforms_of(std::shared_ptr<const Sources> sources) {
  return std::make_shared<SourcePlatforms>(std::move(sources));
}

std::vector<deliver::Endpoint> platform_endpoints(const Sources& sources, Admissions& admissions) {
  std::vector<deliver::Endpoint> out;
  for (const auto& [name, bound] : sources) {
    if (bound->source->api() == nullptr) continue;
    deliver::Endpoint endpoint;
    endpoint.to = store::to_source(name);
    endpoint.concurrency = kConcurrency;
    endpoint.response_bytes = kAnswerBytes;
    endpoint.one_a_case = true;
    endpoint.perform = [bound = bound, to = &admissions](ClientPtr client, DeliveryRecord row) {
      return row.type == "fetch" ? fetch_post(bound, to, std::move(client), std::move(row))
                                 : send_reply(bound, to, std::move(client), std::move(row));
    };
    endpoint.only_once = [bound = bound](const DeliveryRecord& row) {
      return row.type == "reply" && bound->source->api()->repeat_of(row.body) != ingest::Api::Repeat::safe;
    };
    endpoint.interrupted = [bound = bound, to = &admissions](const DeliveryRecord& row) {
      return reply_in_doubt(bound, *to, row);
    };
    out.push_back(std::move(endpoint));
  }
  return out;
}

}  // namespace triage::app
