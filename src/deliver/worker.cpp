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

net::ClientRequest request_for(const store::DeliveryRecord& row, const Endpoint& endpoint, Time now) {
  net::ClientRequest request;
  request.url = endpoint.url;
  request.headers = sign(row.id.view(), now, row.body, endpoint.keys);
  request.headers.emplace_back("content-type", "application/json");
  request.body = row.body;
  return request;
}

net::ClientOptions client_options(const Settings& settings) {
  net::ClientOptions options;
  options.allow_private_addresses = settings.options.allow_private_addresses;
  options.timeout = settings.options.timeout;
  options.ca_file = settings.options.ca_file;
  options.idle_connections_per_origin = settings.endpoint.concurrency;
  return options;
}

int gone_limit(const Settings& settings) {
  return std::max(settings.options.gone_limit, 1);
}

// The next rows of a team, the longest due first, and whether its endpoint is on. Rows that are not due yet are wanted
// too: the first of them says how long to sleep.
struct Page {
  bool off = false;
  std::vector<store::DeliveryRecord> rows;

  void read(store::Reader& reader, const std::string& team, std::size_t limit) {
    off = false;
    for (const store::EndpointRecord& endpoint : reader.endpoints()) {
      if (endpoint.team == team) off = !endpoint.enabled;
    }
    rows.clear();
    if (!off) rows = reader.due_deliveries(team, Time::max(), limit);
  }
};

// What a commit made of a row.
struct Recorded {
  std::optional<store::DeliveryRecord> row;  // nothing: it is not there any more
  bool was_cancelled = false;
  bool switched_off = false;
};

}  // namespace

Worker::Worker(asio::io_context& context, std::string team, std::shared_ptr<Hub> hub)
    : context_(context), team_(std::move(team)), hub_(std::move(hub)) {}

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
  const std::size_t free = room();
  if (free == 0) co_return until_probe();

  const auto page = std::make_shared<Page>();
  const std::size_t limit = busy_.size() + free;  // the busy ones still stand in the store as waiting
  store::Store::Read read = [page, team = team_, limit](store::Reader& reader) { page->read(reader, team, limit); };
  finished_.clear();
  const Result<void> done = co_await store::read(hub_->store, std::move(read));
  if (!done) {
    store_failed(done.error());
    co_return kReadRetry;
  }
  if (hub_->stopping) co_return kLongestPause;
  set_off(page->off);

  const Time now = wall_clock_now();
  for (store::DeliveryRecord& row : page->rows) {
    if (busy_.contains(row.id) || finished_.contains(row.id)) continue;
    if (row.next_attempt_at > now) {
      backlog_ = false;
      co_return std::min(row.next_attempt_at - now, kLongestPause);
    }
    if (room() == 0) co_return until_probe();  // the settings changed, or the breaker opened, during the read
    launch(std::move(row));
  }
  backlog_ = page->rows.size() == limit;
  co_return backlog_&& room() > 0 ? Duration(0) : until_probe();
}

std::size_t Worker::room() const {
  if (!settings_ || gone_ >= gone_limit(*settings_)) return 0;
  if (breaker_.open()) return sending_ == 0 && Breaker::Clock::now() >= breaker_.probe_at() ? 1 : 0;
  const std::size_t most = std::max<std::size_t>(settings_->endpoint.concurrency, 1);
  if (sending_ >= most || busy_.size() >= most * (1 + kUnrecorded)) return 0;
  return most - sending_;
}

Duration Worker::until_probe() const {
  if (!settings_ || !breaker_.open() || sending_ > 0) return kLongestPause;
  const auto wait = std::chrono::ceil<Duration>(breaker_.probe_at() - Breaker::Clock::now());
  // A probe that may leave already waits for a row, not for the time.
  return wait.count() <= 0 ? kLongestPause : std::min(wait, kLongestPause);
}

void Worker::launch(store::DeliveryRecord row) {
  const DeliveryId id = row.id;
  const auto slot = busy_[id].cancel.slot();
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
  const bool look_again = backlog_ || entry->second.again;
  busy_.erase(entry);
  finished_.insert(id);
  if (look_again) changed_.raise();
  hub_->running.leave();
}

asio::awaitable<void> Worker::attempt(SettingsPtr settings, ClientPtr client, store::DeliveryRecord row, bool probe) {
  Result<net::ClientResponse> answer = make_error(ErrorCode::internal, "the attempt did not run");
  try {
    const net::ClientRequest request = request_for(row, settings->endpoint, wall_clock_now());
    answer = co_await client->send(request);
  } catch (const std::exception& error) {
    answer = make_error(ErrorCode::internal, error.what());
  }
  --sending_;
  --hub_->stats.in_flight;
  if (hub_->abandoned) co_return;  // not known what became of it: it is sent again after the restart

  Outcome outcome = outcome_of(answer, wall_clock_now());
  const bool delivered = outcome.kind == Outcome::Kind::delivered;
  observe(outcome, *settings, probe);
  const bool switch_off = outcome.kind == Outcome::Kind::gone && gone_ >= gone_limit(*settings);
  if (backlog_) changed_.raise();  // there is room already, while this one is being recorded
  busy_.at(row.id).again = !delivered;
  co_await record(settings, row.id, std::move(outcome), switch_off);
}

void Worker::observe(const Outcome& outcome, const Settings& settings, bool probe) {
  if (outcome.kind == Outcome::Kind::gone) {
    ++gone_;
  } else if (outcome.status != 0) {
    gone_ = 0;
  }
  const bool was_open = breaker_.open();
  if (outcome.kind == Outcome::Kind::delivered) {
    breaker_.succeeded();
  } else {
    breaker_.failed(Breaker::Clock::now(), probe);
  }
  count_breaker(was_open);
  if (!was_open && breaker_.open()) {
    spdlog::warn("callbacks to team {} are held back after {} failures in a row; the last: {}", team_,
                 settings.options.breaker_failures, outcome.error);
  } else if (was_open && !breaker_.open()) {
    spdlog::info("callbacks to team {} go through again", team_);
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
asio::awaitable<void> Worker::record(SettingsPtr settings, DeliveryId id, Outcome outcome, bool switch_off) {
  const auto recorded = std::make_shared<Recorded>();
  const double jitter = std::uniform_real_distribution<double>(0.8, 1.2)(dice_);
  const Time now = wall_clock_now();
  const store::Store::Work work = [recorded, settings, id, outcome, switch_off, jitter, now](store::Writer& writer) {
    *recorded = Recorded();
    recorded->row = writer.delivery(id);
    if (recorded->row) {
      recorded->was_cancelled = recorded->row->state == store::DeliveryState::cancelled;
      apply(outcome, settings->options, jitter, now, *recorded->row);
      writer.update_delivery(*recorded->row);
    }
    if (!switch_off) return;
    const std::string& team = settings->endpoint.team;
    const std::vector<store::EndpointRecord> known = writer.endpoints();
    const auto same = [&team](const store::EndpointRecord& endpoint) { return endpoint.team == team; };
    const auto endpoint = std::find_if(known.begin(), known.end(), same);
    if (endpoint != known.end() && !endpoint->enabled) return;
    writer.set_endpoint({team, false, "the endpoint answered 410 Gone, repeatedly", now});
    recorded->switched_off = true;
  };

  Duration wait = kFirstCommitRetry;
  for (;;) {
    store::Store::Work copy = work;
    const Result<void> done = co_await store::write(hub_->store, std::move(copy));
    if (done) break;
    store_failed(done.error());
    co_await hub_->abandon.wait(0, wait);
    if (hub_->abandoned) co_return;
    wait = std::min(wait * 2, kLastCommitRetry);
  }
  store_works();

  Stats& stats = hub_->stats;
  if (outcome.kind == Outcome::Kind::delivered) {
    ++stats.delivered;
  } else {
    ++stats.failed;
    if (recorded->was_cancelled) ++stats.cancelled;
    if (recorded->row && recorded->row->state == store::DeliveryState::dead) {
      ++stats.dead;
      spdlog::warn("delivery {} to team {} is dead after {} attempts, last status {}: {}", id.view(), team_,
                   recorded->row->attempts, outcome.status, outcome.error);
    }
  }
  if (switch_off) {
    set_off(true);
    changed_.raise();
  }
  if (recorded->switched_off) {
    spdlog::error("the callback endpoint of team {} is switched off: it answered 410 Gone {} times in a row", team_,
                  gone_limit(*settings));
    if (hub_->endpoint_off) hub_->endpoint_off(team_);
  }
}

void Worker::store_failed(const Error& error) {
  if (!store_trouble_) spdlog::warn("deliveries to team {}: the store does not serve: {}", team_, error.detail);
  store_trouble_ = true;
}

void Worker::store_works() {
  if (store_trouble_) spdlog::info("deliveries to team {}: the store serves again", team_);
  store_trouble_ = false;
}

}  // namespace triage::deliver
