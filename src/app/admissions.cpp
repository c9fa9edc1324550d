#include "app/admissions.h"

#include "triage/store/await.h"

namespace triage::app {

namespace {

// Some posts on their way through the writer, kept alive by whoever is last done with them.
struct Admission {
  std::shared_ptr<const desk::Policy> policy;
  std::vector<desk::Judged> judged;
  Time now;
  std::optional<std::chrono::steady_clock::time_point> latest;  // to begin
  std::function<void(store::Writer&)> with;
  bool late = false;
  std::vector<desk::Admitted> admitted;
  desk::Effects effects;
};

void run(store::Writer& writer, Admission& admission) {
  admission.admitted.clear();
  admission.effects = {};
  admission.late = admission.latest && std::chrono::steady_clock::now() > *admission.latest;
  if (admission.late) return;
  for (const auto& judged : admission.judged) {
    admission.admitted.push_back(desk::admit(writer, *admission.policy, judged, admission.now, admission.effects));
  }
  if (admission.with) admission.with(writer);
}

}  // namespace

boost::asio::awaitable<std::vector<desk::Judged>> Admissions::judge(std::vector<Event> events, Time now) {
  std::vector<desk::Judged> all;
  all.reserve(events.size());
  for (Event& event : events) {
    if (event.post.id == PostId()) event.post.id = PostId::make(now);
    desk::Judged judged;
    judged.event = std::move(event);
    all.push_back(std::move(judged));
  }
  std::vector<const Post*> posts;
  for (const desk::Judged& judged : all) {
    if (judged.event.kind == EventKind::post) posts.push_back(&judged.event.post);
  }
  auto judging = judges_.judge(std::move(posts), now);
  std::vector<Judgement> judgements = co_await std::move(judging);
  auto judgement = judgements.begin();
  for (desk::Judged& judged : all) {
    if (judged.event.kind != EventKind::post) continue;
    stats_.count(judgement->verdict);
    judged.verdict = std::move(judgement->verdict);
    judged.second_look = judgement->second_look;
    ++judgement;
  }
  co_return all;
}

boost::asio::awaitable<Result<std::vector<desk::Admitted>>> Admissions::admit(
    std::vector<Event> events, Time now, std::optional<Duration> wait, std::function<void(store::Writer&)> with) {
  auto admission = std::make_shared<Admission>();
  admission->policy = policy_.get();
  admission->now = now;
  admission->with = std::move(with);
  auto judging = judge(std::move(events), now);
  admission->judged = co_await std::move(judging);
  if (admission->judged.empty() && !admission->with) co_return std::vector<desk::Admitted>();

  if (wait) admission->latest = std::chrono::steady_clock::now() + *wait;
  auto work = store::Store::Work([admission](store::Writer& writer) { run(writer, *admission); });
  auto writing = store::write(store_, std::move(work));
  const Result<void> stored = co_await std::move(writing);
  if (!stored) co_return stored.error();
  if (admission->late) co_return store::error_of(store::Committed::overloaded, "the writer is behind");
  tell_(admission->effects);
  co_return std::move(admission->admitted);
}

}  // namespace triage::app
