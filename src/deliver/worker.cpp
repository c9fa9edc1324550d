#include "deliver/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "triage/deliver/signature.h"
#include "triage/store/await.h"

namespace triage::deliver {
namespace asio = boost::asio;
namespace {

// The longest sleep: the system clock may be set meanwhile, and another process may have changed rows.
constexpr Duration kLongestPause = std::chrono::minutes(1);
constexpr Duration kReadRetry = std::chrono::seconds(1);
constexpr Duration kFirstCommitRetry{100}, kLastCommitRetry{5'000};
// Rows that were answered but not recorded yet, for each that may be sent at a time. A store that falls behind slows
// the sending down before much would have to be sent again after a crash.
constexpr std::size_t kUnrecorded = 4;

// Of a team's endpoint: the row's body, signed.
asio::awaitable<Performed> call_back(std::shared_ptr<net::Client> client, net::Url url, std::vector<std::string> keys,
                                     store::DeliveryRecord row) {
  net::ClientRequest request;
  request.url = std::move(url);
  request.headers = sign(row.id.view(), wall_clock_now(), row.body, keys);
  request.headers.emplace_back("content-type", "application/json");
  request.body = std::move(row.body);
  auto sending = client->send(request);
  const Result<net::ClientResponse> answer = co_await std::move(sending);
  Performed performed;
  performed.outcome = outcome_of(answer, wall_clock_now());
  co_return performed;
}

net::ClientOptions client_options(const Settings& settings) {
  net::ClientOptions options;
  options.allow_private_addresses = settings.options.allow_private_addresses;
  options.timeout = settings.options.timeout;
  options.ca_file = settings.options.ca_file;
  options.idle_connections_per_origin = settings.endpoint.concurrency;
  options.response_bytes = settings.endpoint.response_bytes;
  return options;
}

int gone_limit(const Settings& settings) {
  return std::max(settings.options.gone_limit, 1);
}

// The next rows, the longest due first, and whether the endpoint is on. Rows that are not due yet are wanted
// too: the first of them says how long to sleep.
struct Page {
  bool off = false;
  bool all = false;  // there are no further rows
  std::vector<store::DeliveryRecord> rows;

  // `in_order`: without those that wait behind another of their case.
  void read(store::Reader& reader, const store::Destination& to, std::size_t limit, bool in_order) {
    off = false;
    if (to.kind == store::Destination::Kind::team) {
      for (const store::EndpointRecord& endpoint : reader.endpoints()) {
        if (endpoint.team == to.name) off = !endpoint.enabled;
      }
    }
    rows.clear();
    if (!off) rows = reader.due_deliveries(to, Time::max(), limit);
    all = rows.size() < limit;
    if (in_order) std::erase_if(rows, [&](const store::DeliveryRecord& row) { return reader.waits_behind(row); });
  }
};

// The outcome of an attempt that ended by an exception. `marked`: the row, where it may have left and may not leave
// again.
Performed without_end(const Endpoint& endpoint, const std::optional<store::DeliveryRecord>& marked,
                      const std::string& what) {
  if (marked && endpoint.interrupted) return endpoint.interrupted(*marked);
  Performed performed;
  if (marked) performed.outcome.kind = Outcome::Kind::lost;
  performed.outcome.error = what;
  return performed;
}

// What a commit made of a row.
struct Recorded {
  std::optional<store::DeliveryRecord> row;  // nothing: it is not there any more
  bool was_cancelled = false;
  bool switched_off = false;
};

}  // namespace

Endpoint callback_endpoint(std::string team, net::Url url, std::vector<std::string> keys, std::size_t concurrency) {
  Endpoint endpoint;
  endpoint.to = store::to_team(std::move(team));
  endpoint.concurrency = concurrency;
  endpoint.perform = [url = std::move(url), keys = std::move(keys)](std::shared_ptr<net::Client> client,
                                                                    store::DeliveryRecord row) {
    return call_back(std::move(client), url, keys, std::move(row));
  };
  return endpoint;
}

Worker::Worker(asio::io_context& context, store::Destination to, std::shared_ptr<Hub> hub)
    : context_(context), to_(std::move(to)), hub_(std::move(hub)) {}

void Worker::start() {
  hub_->running.enter();
  const auto self = shared_from_this();
  asio::co_spawn(context_, run(), asio::bind_executor(context_, [self](std::exception_ptr) {
                   self->client_.reset();  // here, on its own context
                   self->hub_->running.leave();
                 }));
}

void Worker::configure(SettingsPtr settings) {
  asio::post(context_, [self = shared_from_this(), settings = std::move(settings)] {
    Worker& worker = *self;
    worker.settings_ = settings;
    worker.client_ = settings ? std::make_shared<net::Client>(client_options(*settings)) : nullptr;
    // Whatever was wrong may have been put right: the endpoint gets a fresh start.
    const bool was_open = worker.breaker_.open();
    worker.breaker_ = Breaker();
    worker.count_breaker(was_open);
    worker.gone_ = 0;
    worker.paused_until_ = {};
    if (settings) {
      const Options& options = settings->options;
      worker.breaker_.set_limits({options.breaker_failures, options.breaker_wait, options.breaker_wait_max});
    }
    worker.changed_.raise();
  });
}

void Worker::abandon() {
  asio::post(context_, [self = shared_from_this()] {
    // Cancelling may end a coroutine at once, and with it its entry.
    std::vector<DeliveryId> ids;
    for (const auto& entry : self->busy_) ids.push_back(entry.first);
    for (const DeliveryId& id : ids) {
      const auto entry = self->busy_.find(id);
      if (entry != self->busy_.end()) entry->second.cancel.emit(asio::cancellation_type::terminal);
    }
    self->changed_.raise();
  });
}

asio::awaitable<void> Worker::run() {
  while (!hub_->stopping) {
    const std::uint64_t seen = changed_.count();
    const Duration pause = co_await send_due();
    if (hub_->stopping) break;
    co_await changed_.wait(seen, pause);
  }
}

// Starts what is due and finds room. Returns how long there is nothing to do unless something changes.
asio::awaitable<Duration> Worker::send_due() {
  backlog_ = true;
  if (!settled_ && settings_) {
    if (settings_->endpoint.interrupted) {
      auto settling = settle_interrupted(settings_);
      co_await std::move(settling);
      if (hub_->stopping) co_return kLongestPause;
    }
    settled_ = true;
  }
  const std::size_t free = room();
  if (free == 0) co_return until_room();

  const auto page = std::make_shared<Page>();
  // The busy ones still stand in the store as waiting. What waits for another row of its case may hide what comes after
  // it: then more is looked at.
  for (std::size_t limit = busy_.size() + free;; limit *= 2) {
    const bool in_order = settings_ && settings_->endpoint.one_a_case;
    store::Store::Read read = [page, to = to_, limit, in_order](store::Reader& reader) {
      page->read(reader, to, limit, in_order);
    };
    finished_.clear();
    const Result<void> done = co_await store::read(hub_->store, std::move(read));
    if (!done) {
      store_failed(done.error());
      co_return kReadRetry;
    }
    if (hub_->stopping) co_return kLongestPause;
    set_off(page->off);

    const Time now = wall_clock_now();
    bool held = false;
    for (store::DeliveryRecord& row : page->rows) {
      if (busy_.contains(row.id) || finished_.contains(row.id)) continue;
      if (row.next_attempt_at > now) {
        backlog_ = false;
        co_return std::min(row.next_attempt_at - now, kLongestPause);
      }
      if (room() == 0) co_return until_room();  // the settings changed, or the breaker opened, during the read
      if (case_is_busy(row)) {
        held = true;  // the end of that one looks again
        continue;
      }
      launch(std::move(row));
    }
    backlog_ = !page->all;
    held = held || page->rows.size() < limit;
    if (!backlog_ || room() == 0) co_return until_room();
    if (!held) co_return Duration(0);
  }
}

// What an earlier run was sending when it ended: whether it arrived is not known.
asio::awaitable<void> Worker::settle_interrupted(SettingsPtr settings) {
  const auto rows = std::make_shared<std::vector<store::DeliveryRecord>>();
  for (;;) {
    store::Store::Read read = [rows, to = to_](store::Reader& reader) { *rows = reader.sending_deliveries(to); };
    auto reading = store::read(hub_->store, std::move(read));
    const Result<void> done = co_await std::move(reading);
    if (done) break;
    store_failed(done.error());
    auto waiting = hub_->abandon.wait(0, kReadRetry);
    co_await std::move(waiting);
    if (hub_->stopping) co_return;
  }
  for (const store::DeliveryRecord& row : *rows) {
    if (busy_.contains(row.id)) continue;
    auto recording = record(settings, row.id, settings->endpoint.interrupted(row), false);
    co_await std::move(recording);
  }
}

bool Worker::case_is_busy(const store::DeliveryRecord& row) const {
  if (!settings_->endpoint.one_a_case || !row.case_id) return false;
  return std::any_of(busy_.begin(), busy_.end(),
                     [&](const auto& entry) { return entry.second.case_id == row.case_id; });
}

std::size_t Worker::room() const {
  if (!settings_ || gone_ >= gone_limit(*settings_) || Breaker::Clock::now() < paused_until_) return 0;
  if (breaker_.open()) return sending_ == 0 && Breaker::Clock::now() >= breaker_.probe_at() ? 1 : 0;
  const std::size_t most = std::max<std::size_t>(settings_->endpoint.concurrency, 1);
  if (sending_ >= most || busy_.size() >= most * (1 + kUnrecorded)) return 0;
  return most - sending_;
}

Duration Worker::until_room() const {
  const auto now = Breaker::Clock::now();
  if (settings_ && now < paused_until_)
    return std::min(std::chrono::ceil<Duration>(paused_until_ - now), kLongestPause);
  if (!settings_ || !breaker_.open() || sending_ > 0) return kLongestPause;
  const auto wait = std::chrono::ceil<Duration>(breaker_.probe_at() - now);
  // A probe that may leave already waits for a row, not for the time.
  return wait.count() <= 0 ? kLongestPause : std::min(wait, kLongestPause);
}

void Worker::launch(store::DeliveryRecord row) {
  const DeliveryId id = row.id;
  Attempt& entry = busy_[id];
  entry.case_id = row.case_id;
  const auto slot = entry.cancel.slot();
  ++sending_;
  ++hub_->stats.in_flight;
  hub_->running.enter();
  auto done = asio::bind_executor(context_, [self = shared_from_this(), id](std::exception_ptr error) {
    if (error && !self->hub_->abandoned) spdlog::error("delivery {}: the attempt ended by an exception", id.view());
    // Posted, so that the cancellation signal outlives the coroutine that is bound to it.
    asio::post(self->context_, [self, id] { self->ended(id); });
  });
  asio::co_spawn(context_, attempt(settings_, client_, std::move(row), breaker_.open()),
                 asio::bind_cancellation_slot(slot, std::move(done)));
}

void Worker::ended(const DeliveryId& id) {
  const auto entry = busy_.find(id);
  const bool ordered = settings_ && settings_->endpoint.one_a_case;
  const bool look_again = backlog_ || entry->second.again || ordered;
  busy_.erase(entry);
  finished_.insert(id);
  if (look_again) changed_.raise();
  hub_->running.leave();
}

asio::awaitable<void> Worker::attempt(SettingsPtr settings, ClientPtr client, store::DeliveryRecord row, bool probe) {
  const DeliveryId id = row.id;
  const Endpoint& endpoint = settings->endpoint;
  std::optional<store::DeliveryRecord> marked;
  std::optional<std::string> thrown;
  Performed performed;
  try {
    bool may_leave = true;
    const bool once = endpoint.only_once && endpoint.only_once(row);
    if (once) {
      auto marking = mark_sending(id);
      may_leave = co_await std::move(marking);
    }
    if (!may_leave) {  // it waits as it did
      --sending_;
      --hub_->stats.in_flight;
      busy_.at(id).again = true;
      co_return;
    }
    if (once) {
      marked = row;
      marked->state = store::DeliveryState::sending;
    }
    auto performing = endpoint.perform(client, std::move(row));
    performed = co_await std::move(performing);
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  --sending_;
  --hub_->stats.in_flight;
  if (hub_->abandoned) co_return;  // not known what became of it: the next start sees to it
  if (thrown) {
    spdlog::error("delivery {} to {}: the attempt ended by an exception: {}", id.view(), label(to_), *thrown);
    performed = without_end(endpoint, marked, *thrown);
  }

  const Outcome& outcome = performed.outcome;
  const bool delivered = outcome.kind == Outcome::Kind::delivered;
  observe(outcome, *settings, probe);
  const bool switch_off = outcome.kind == Outcome::Kind::gone && gone_ >= gone_limit(*settings);
  if (backlog_) changed_.raise();  // there is room already, while this one is being recorded
  busy_.at(id).again = !delivered;
  auto recording = record(settings, id, std::move(performed), switch_off);
  co_await std::move(recording);
}

// Whether the row is marked as being sent, and may leave. It may have been cancelled meanwhile.
asio::awaitable<bool> Worker::mark_sending(const DeliveryId& id) {
  const auto marked = std::make_shared<bool>();
  store::Store::Work work = [marked, id](store::Writer& writer) {
    *marked = false;
    auto row = writer.delivery(id);
    if (!row || row->state != store::DeliveryState::waiting) return;
    row->state = store::DeliveryState::sending;
    writer.update_delivery(*row);
    *marked = true;
  };
  auto writing = store::write(hub_->store, std::move(work));
  const Result<void> done = co_await std::move(writing);
  if (done) co_return *marked;
  store_failed(done.error());
  auto waiting = hub_->abandon.wait(0, kReadRetry);
  co_await std::move(waiting);
  co_return false;
}

void Worker::observe(const Outcome& outcome, const Settings& settings, bool probe) {
  if (outcome.kind == Outcome::Kind::gone) {
    ++gone_;
  } else if (outcome.status != 0) {
    gone_ = 0;
  }
  const bool was_open = breaker_.open();
  if (outcome.pause) {
    const auto until = Breaker::Clock::now() + *outcome.pause;
    if (until > paused_until_) {
      spdlog::info("{} takes nothing for {} ms, as it said", label(to_), outcome.pause->count());
      paused_until_ = until;
    }
  }
  if (outcome.kind == Outcome::Kind::delivered || outcome.kind == Outcome::Kind::refused) {
    breaker_.succeeded();  // it answers
  } else {
    breaker_.failed(Breaker::Clock::now(), probe);
  }
  count_breaker(was_open);
  if (!was_open && breaker_.open()) {
    spdlog::warn("deliveries to {} are held back after {} failures in a row; the last: {}", label(to_),
                 settings.options.breaker_failures, outcome.error);
  } else if (was_open && !breaker_.open()) {
    spdlog::info("deliveries to {} go through again", label(to_));
    changed_.raise();
  }
}

void Worker::count_breaker(bool was_open) {
  if (was_open != breaker_.open()) hub_->stats.breakers_open += breaker_.open() ? 1 : -1;
}

void Worker::set_off(bool off) {
  if (off_ != off) hub_->stats.endpoints_off += off ? 1 : -1;
  off_ = off;
  if (!off) return;
  // When it is enabled again it starts afresh.
  gone_ = 0;
  const bool was_open = breaker_.open();
  breaker_.succeeded();
  count_breaker(was_open);
}

// Commits the outcome, however long the store cannot: the endpoint has its answer, and the row must have it too.
asio::awaitable<void> Worker::record(SettingsPtr settings, DeliveryId id, Performed performed, bool switch_off) {
  const auto recorded = std::make_shared<Recorded>();
  const double jitter = std::uniform_real_distribution<double>(0.8, 1.2)(dice_);
  const Time now = wall_clock_now();
  const Outcome& outcome = performed.outcome;
  // A defect in what is stored beside the outcome must not hold the outcome back for ever.
  constexpr int kTriesOfADefect = 5;
  const auto alone = std::make_shared<bool>(false);
  const store::Store::Work work = [recorded, settings, id, outcome, commit = performed.commit, alone, switch_off,
                                   jitter, now](store::Writer& writer) {
    *recorded = Recorded();
    recorded->row = writer.delivery(id);
    if (recorded->row) {
      recorded->was_cancelled = recorded->row->state == store::DeliveryState::cancelled;
      apply(outcome, settings->options, jitter, now, *recorded->row);
      writer.update_delivery(*recorded->row);
      if (commit && !*alone) commit(writer, *recorded->row);
    }
    if (!switch_off) return;
    const std::string& team = settings->endpoint.to.name;
    const std::vector<store::EndpointRecord> known = writer.endpoints();
    const auto same = [&team](const store::EndpointRecord& endpoint) { return endpoint.team == team; };
    const auto endpoint = std::find_if(known.begin(), known.end(), same);
    if (endpoint != known.end() && !endpoint->enabled) return;
    writer.set_endpoint({team, false, "the endpoint answered 410 Gone, repeatedly", now});
    recorded->switched_off = true;
  };

  Duration wait = kFirstCommitRetry;
  for (int tries = 1;; ++tries) {
    store::Store::Work copy = work;
    const Result<void> done = co_await store::write(hub_->store, std::move(copy));
    if (done) break;
    store_failed(done.error());
    if (done.error().code == ErrorCode::internal && tries == kTriesOfADefect) {
      spdlog::error("delivery {} to {}: its outcome is recorded alone: {}", id.view(), label(to_), done.error().detail);
      *alone = true;
    }
    co_await hub_->abandon.wait(0, wait);
    if (hub_->abandoned) co_return;
    wait = std::min(wait * 2, kLastCommitRetry);
  }
  store_works();
  if (performed.committed) performed.committed();
  if (to_.kind == store::Destination::Kind::source && recorded->row && outcome.kind == Outcome::Kind::failed &&
      recorded->row->state == store::DeliveryState::waiting) {
    // Once for each, so that an outage is seen and does not flood.
    const auto level = recorded->row->attempts == 1 ? spdlog::level::warn : spdlog::level::debug;
    spdlog::log(level, "{} {} to {}: attempt {} failed, it is tried again: {}", recorded->row->type, id.view(),
                label(to_), recorded->row->attempts, outcome.error);
  }

  Stats& stats = hub_->stats;
  if (outcome.kind == Outcome::Kind::delivered) {
    ++stats.delivered;
  } else {
    ++stats.failed;
    if (recorded->was_cancelled) ++stats.cancelled;
    if (recorded->row && recorded->row->state == store::DeliveryState::dead) {
      ++stats.dead;
      spdlog::warn("{} {} to {} (case {}) is dead after {} attempts, last status {}: {}", recorded->row->type,
                   id.view(), label(to_), recorded->row->case_id ? recorded->row->case_id->view() : "none",
                   recorded->row->attempts, outcome.status, outcome.error);
    }
  }
  if (switch_off) {
    set_off(true);
    changed_.raise();
  }
  if (recorded->switched_off) {
    spdlog::error("the callback endpoint of {} is switched off: it answered 410 Gone {} times in a row", label(to_),
                  gone_limit(*settings));
    if (hub_->endpoint_off) hub_->endpoint_off(to_.name);
  }
}

void Worker::store_failed(const Error& error) {
  if (!store_trouble_) spdlog::warn("deliveries to {}: the store does not serve: {}", label(to_), error.detail);
  store_trouble_ = true;
}

void Worker::store_works() {
  if (store_trouble_) spdlog::info("deliveries to {}: the store serves again", label(to_));
  store_trouble_ = false;
}

}  // namespace triage::deliver
