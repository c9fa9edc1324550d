#include "app/second_looks.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "triage/desk/intake.h"
#include "triage/store/await.h"

namespace triage::app {

namespace {

using std::chrono::milliseconds;

// At a time: few, so that new posts soon find the deep judge free, and share a commit.
constexpr std::size_t kAtOnce = 16;
// When there are none: a flood or `triaged rejudge` may bring some at any time.
constexpr milliseconds kIdle{1000};
constexpr milliseconds kBusy{50};
constexpr milliseconds kTrouble{1000};

// One post on its way through a second look.
struct Look {
  store::SecondLook wish;
  std::optional<store::PostRecord> record;  // as it was judged; none when there is nothing to judge
  std::optional<Verdict> verdict;
};

struct Looks {
  std::vector<Look> list;
  desk::Effects effects;
  std::int64_t same = 0, changed = 0, gone = 0;
};

void read(store::Reader& reader, Looks& looks) {
  looks.list.clear();
  for (const store::SecondLook& wish : reader.second_looks(kAtOnce)) {
    Look look;
    look.wish = wish;
    look.record = reader.post(wish.post);
    if (look.record && (look.record->state != store::PostState::judged || !look.record->verdict)) look.record.reset();
    looks.list.push_back(std::move(look));
  }
}

// An edit that came meanwhile has a verdict of its own text, and a wish of its own where that was hasty.
void commit(store::Writer& writer, const desk::Policy& policy, Looks& looks, Time now) {
  looks.effects = {};
  looks.same = looks.changed = looks.gone = 0;
  for (const Look& look : looks.list) {
    writer.end_second_look(look.wish);
    const auto current = look.verdict ? writer.post(look.wish.post) : std::nullopt;
    if (!current || current->post.text != look.record->post.text) {
      ++looks.gone;
      continue;
    }
    desk::Renewal renewal;
    renewal.post = look.wish.post;
    renewal.verdict = *look.verdict;
    ++(desk::renew_verdict(writer, policy, renewal, now, looks.effects) ? looks.changed : looks.same);
  }
}

}  // namespace

void SecondLooks::start() {
  boost::asio::co_spawn(runtime_.next(), run(), boost::asio::detached);
}

void SecondLooks::stop() {
  stopping_ = true;
  stopped_.close();
}

boost::asio::awaitable<void> SecondLooks::run() {
  while (!stopping_) {
    auto looking = look();
    const milliseconds pause = co_await std::move(looking);
    if (stopping_) break;
    if (pause.count() == 0) continue;
    auto waiting = stopped_.wait(0, pause);
    co_await std::move(waiting);
  }
}

boost::asio::awaitable<milliseconds> SecondLooks::look() {
  if (!judges_.has_time()) co_return kBusy;
  auto looks = std::make_shared<Looks>();
  store::Store::Read reading = [looks](store::Reader& reader) { read(reader, *looks); };
  const Result<void> known = co_await store::read(store_, std::move(reading));
  if (!known) co_return kTrouble;
  if (looks->list.empty()) co_return kIdle;

  const Bench bench = judges_.bench();
  std::vector<Post> posts;
  std::vector<Look*> judged;
  for (Look& look : looks->list) {
    // A person's word stands, and the same judge would only repeat itself.
    if (!look.record || look.record->verdict->judge == kPerson) continue;
    if (look.record->verdict->judge == bench.best().judge_name() &&
        look.record->verdict->model == bench.best().model_version()) {
      continue;
    }
    posts.push_back(look.record->post);
    judged.push_back(&look);
  }
  const Time now = wall_clock_now();
  if (!posts.empty()) {
    auto judging = judges_.judge_again(std::move(posts), now);
    std::vector<Verdict> verdicts = co_await std::move(judging);
    if (verdicts.size() != judged.size()) co_return kTrouble;
    for (std::size_t i = 0; i < judged.size(); ++i) judged[i]->verdict = std::move(verdicts[i]);
  }

  store::Store::Work committing = [looks, policy = policy_.get(), now](store::Writer& writer) {
    commit(writer, *policy, *looks, now);
  };
  const Result<void> done = co_await store::write(store_, std::move(committing));
  if (!done) co_return kTrouble;
  stats_.same += looks->same;
  stats_.changed += looks->changed;
  stats_.gone += looks->gone;
  tell_(looks->effects);
  co_return milliseconds(0);
}

}  // namespace triage::app
