#include "app/pulls.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <random>

#include "triage/net/event_stream.h"
#include "triage/net/signal.h"
#include "triage/store/await.h"

namespace triage::app {

namespace {

namespace asio = boost::asio;
using ingest::Page;
using ingest::PullState;
using ingest::Taken;

constexpr std::size_t kPagesBack = 20;  // of one look, where the newest come first
constexpr std::size_t kPagesOn = 200;   // of one look, where the oldest come first; then the interval passes
constexpr int kTries = 5;               // of a page behind others, which would be lost
constexpr Duration kLongestBackoff = std::chrono::minutes(15);
constexpr Duration kLongestAsked = std::chrono::hours(1);   // a platform that asks for more is asked once an hour
constexpr Duration kStreamAgain = std::chrono::seconds(1);  // after a stream that ended, unless it says otherwise

// Counted while it lives, however that ends.
struct CountedOpen {
  explicit CountedOpen(std::atomic<std::int64_t>& count) : open(count) { ++open; }
  ~CountedOpen() { --open; }
  CountedOpen(const CountedOpen&) = delete;
  CountedOpen& operator=(const CountedOpen&) = delete;
  std::atomic<std::int64_t>& open;
};

PullState state_of(const std::optional<store::CursorRecord>& known) {
  if (!known) return {};
  return {known->cursor, known->etag, known->last_modified};
}

}  // namespace

struct Pulls::Loop : std::enable_shared_from_this<Pulls::Loop> {
  Loop(asio::io_context& on, Admissions& to, std::shared_ptr<const BoundSource> of, std::size_t which,
       const net::ClientOptions& options, std::shared_ptr<Running> counted)
      : context(on),
        admissions(to),
        bound(std::move(of)),
        api(*bound->source->api()),
        index(which),
        pull(api.pulls()[which]),
        source(bound->source->config().name),
        every(bound->source->config().pull_every.value_or(pull.every)),
        client_options(options),
        client(std::make_shared<net::Client>(options)),
        running(std::move(counted)) {}

  asio::io_context& context;
  Admissions& admissions;
  const std::shared_ptr<const BoundSource> bound;
  const ingest::Api& api;
  const std::size_t index;
  const ingest::Pull pull;
  const std::string source;
  const Duration every;
  const net::ClientOptions client_options;
  const std::shared_ptr<net::Client> client;
  const std::shared_ptr<Running> running;
  asio::cancellation_signal cut;  // on the context only
  std::atomic<bool> stopping{false};
  net::Signal stopped;
  int failures = 0;  // in a row
  std::mt19937 dice{std::random_device{}()};

  void start();
  void stop();
  asio::awaitable<void> run();
  asio::awaitable<Result<void>> poll(std::optional<Duration>& wait);
  asio::awaitable<Result<void>> listen(std::optional<Duration>& wait);
  asio::awaitable<Result<Page>> ask(const PullState& state, const std::string& page);
  asio::awaitable<Result<std::optional<store::CursorRecord>>> read_cursor();
  asio::awaitable<Result<bool>> anything_new(const std::vector<Event>& events);
  asio::awaitable<Result<void>> drop_foreign_deletions(std::vector<Event>& events);
  asio::awaitable<Result<void>> keep(std::vector<Event> events, int ignored, PullState state);
  Duration after_failure(const Error& error, std::optional<Duration> asked);
};

void Pulls::Loop::start() {
  {
    const std::scoped_lock lock(running->mutex);
    ++running->count;
  }
  const auto self = shared_from_this();
  auto ended = [self](std::exception_ptr) {
    const std::scoped_lock lock(self->running->mutex);
    if (--self->running->count == 0) self->running->none.notify_all();
  };
  asio::post(context, [self, ended] {
    asio::co_spawn(self->context, self->run(), asio::bind_cancellation_slot(self->cut.slot(), ended));
  });
}

void Pulls::Loop::stop() {
  stopping = true;
  stopped.close();
  asio::post(context, [self = shared_from_this()] { self->cut.emit(asio::cancellation_type::terminal); });
}

asio::awaitable<void> Pulls::Loop::run() {
  while (!stopping) {
    std::optional<Duration> asked;
    Duration listened{};
    Result<void> done = boost::system::in_place_value;
    try {
      auto polling = poll(asked);
      done = co_await std::move(polling);
      if (done && pull.stream && !asked && !stopping) {
        const auto from = std::chrono::steady_clock::now();
        auto listening = listen(asked);
        done = co_await std::move(listening);
        listened = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - from);
      }
    } catch (const std::exception& error) {
      done = make_error(ErrorCode::internal, error.what());
    }
    if (stopping) break;
    if (asked) asked = std::min(*asked, kLongestAsked);
    Duration wait = every;
    if (pull.stream && listened >= every) wait = kStreamAgain;
    if (!done) {
      wait = after_failure(done.error(), asked);
    } else if (asked) {
      wait = std::max(wait, *asked);
    }
    auto waiting = stopped.wait(0, wait);
    co_await std::move(waiting);
  }
}

Duration Pulls::Loop::after_failure(const Error& error, std::optional<Duration> asked) {
  ++bound->stats->pull_failures;
  if (failures == 0) spdlog::warn("source {}: the pull {} failed: {}", source, pull.name, error.detail);
  ++failures;
  const double jitter = std::uniform_real_distribution<double>(0.8, 1.2)(dice);
  const Duration longest = std::max(every, kLongestBackoff);
  Duration wait = std::min(every * (1 << std::min(failures - 1, 10)), longest);
  wait = Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * jitter));
  return asked ? std::max(wait, *asked) : wait;
}

asio::awaitable<Result<std::optional<store::CursorRecord>>> Pulls::Loop::read_cursor() {
  const auto found = std::make_shared<std::optional<store::CursorRecord>>();
  store::Store::Read read = [found, source = source, name = pull.name](store::Reader& reader) {
    *found = reader.cursor(source, name);
  };
  auto reading = store::read(admissions.store(), std::move(read));
  const Result<void> done = co_await std::move(reading);
  if (!done) co_return done.error();
  co_return std::move(*found);
}

// One page of the platform's answer.
asio::awaitable<Result<Page>> Pulls::Loop::ask(const PullState& state, const std::string& page) {
  for (int round = 0; round < 2; ++round) {
    const bool renewed = round > 0;
    auto getting = bound->session->get(client, api, pull.session);
    const auto session = co_await std::move(getting);
    if (!session) co_return session.error();
    auto request = api.pull_request(index, state, page, *session ? &**session : nullptr, wall_clock_now());
    if (!request) co_return request.error();
    auto sending = send(client, std::move(*request));
    const Result<net::ClientResponse> answer = co_await std::move(sending);
    if (!answer) co_return answer.error();
    if (answer->status == 401 && *session && !renewed) {
      bound->session->drop((*session)->token);
      continue;
    }
    co_return api.read_page(index, state, page, incoming_of(*answer), wall_clock_now());
  }
  co_return make_error(ErrorCode::unauthenticated, "the platform does not take the session");
}

// Whether one of them is not stored yet.
asio::awaitable<Result<bool>> Pulls::Loop::anything_new(const std::vector<Event>& events) {
  const auto any = std::make_shared<bool>();
  store::Store::Read read = [any, events](store::Reader& reader) {
    *any = std::any_of(events.begin(), events.end(), [&](const Event& event) {
      const Post& post = event.post;
      if (event.kind == EventKind::deletion) return false;  // it may never be known
      if (const auto known = reader.find_post(post.source, post.platform, post.kind, post.native_id)) {
        return post.revision > known->revision;
      }
      if (event.kind != EventKind::own_post) return true;
      // A reply from here is known under our own word for its kind.
      const auto all = reader.find_posts(post.source, post.platform, post.native_id);
      return std::none_of(all.begin(), all.end(), [](const auto& key) { return key.state == store::PostState::own; });
    });
  };
  auto reading = store::read(admissions.store(), std::move(read));
  const Result<void> done = co_await std::move(reading);
  if (!done) co_return done.error();
  co_return *any;
}

// A stream tells of deletions of whatever its account can see: of posts that never were here there is nothing to keep.
asio::awaitable<Result<void>> Pulls::Loop::drop_foreign_deletions(std::vector<Event>& events) {
  const auto is_deletion = [](const Event& event) { return event.kind == EventKind::deletion; };
  if (std::none_of(events.begin(), events.end(), is_deletion)) co_return Result<void>(boost::system::in_place_value);
  const auto left = std::make_shared<std::vector<Event>>(events);
  store::Store::Read read = [left, events, is_deletion](store::Reader& reader) {
    *left = events;
    std::erase_if(*left, [&](const Event& event) {
      const Post& post = event.post;
      const bool comes_with_it = std::any_of(events.begin(), events.end(), [&](const Event& other) {
        return !is_deletion(other) && other.post.native_id == post.native_id;
      });
      return is_deletion(event) && !comes_with_it &&
             reader.find_posts(post.source, post.platform, post.native_id).empty();
    });
  };
  auto reading = store::read(admissions.store(), std::move(read));
  const Result<void> done = co_await std::move(reading);
  if (done) events = std::move(*left);
  co_return done;
}

asio::awaitable<Result<void>> Pulls::Loop::keep(std::vector<Event> events, int ignored, PullState state) {
  auto sifting = drop_foreign_deletions(events);
  const Result<void> sifted = co_await std::move(sifting);
  if (!sifted) co_return sifted.error();
  store::CursorRecord cursor;
  cursor.source = source;
  cursor.pull = pull.name;
  cursor.cursor = std::move(state.cursor);
  cursor.etag = std::move(state.etag);
  cursor.last_modified = std::move(state.last_modified);
  const Time now = wall_clock_now();
  cursor.changed_at = now;
  const bool any = !events.empty();
  // The oldest first, however the platform lists them, and so our answers after what they answer.
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.post.created_at < b.post.created_at; });
  auto admitting = admissions.admit(std::move(events), now, std::nullopt,
                                    [cursor](store::Writer& writer) { writer.set_cursor(cursor); });
  const auto admitted = co_await std::move(admitting);
  if (!admitted) co_return admitted.error();
  std::int64_t accepted = 0;
  for (const auto& one : *admitted) accepted += one.what == desk::Admitted::What::accepted ? 1 : 0;
  SourceStats& stats = *bound->stats;
  stats.accepted += accepted;
  stats.duplicates += static_cast<std::int64_t>(admitted->size()) - accepted;
  stats.ignored += ignored;
  if (any) stats.last_event_ms = to_millis(now);
  co_return Result<void>(boost::system::in_place_value);
}

// Reads what is new, to its end. `wait`: what the platform asks for before the next call.
asio::awaitable<Result<void>> Pulls::Loop::poll(std::optional<Duration>& wait) {
  auto looking = read_cursor();
  const auto known = co_await std::move(looking);
  if (!known) co_return known.error();
  const bool first_ever = !*known;
  PullState state = state_of(*known);

  std::vector<Event> gathered;  // where the newest come first: all pages, for one commit
  std::optional<PullState> newest;
  int ignored = 0;
  std::string back;
  int tries = 0;
  for (std::size_t pages = 0; !stopping; ++pages) {
    auto asking = ask(state, back);
    auto page = co_await std::move(asking);
    if (!page) {
      wait = page.error().retry_after;
      co_return page.error();
    }
    wait = page->retry_after ? page->retry_after : page->pause;
    if (page->taken == Taken::again && wait && !back.empty() && ++tries < kTries) {
      auto waiting = stopped.wait(0, std::min(*wait, kLongestAsked));
      co_await std::move(waiting);
      --pages;  // the same page again
      continue;
    }
    if (page->taken != Taken::yes) co_return make_error(ErrorCode::bad_gateway, page->error);
    if (page->unchanged) break;
    if (!pull.newest_first) {
      auto keeping = keep(std::move(page->mapped.events), page->mapped.ignored, page->state);
      const Result<void> kept = co_await std::move(keeping);
      if (!kept) co_return kept.error();
      const bool moved = page->state.cursor != state.cursor;
      state = page->state;
      if (!page->more || !moved || wait || pages + 1 == kPagesOn) break;
      continue;
    }
    if (!newest) newest = page->state;
    auto comparing = anything_new(page->mapped.events);
    const Result<bool> fresh = co_await std::move(comparing);
    if (!fresh) co_return fresh.error();
    const bool nothing_to_go_by = page->mapped.events.empty() && page->mapped.ignored > 0;
    ignored += page->mapped.ignored;
    std::vector<Event>& events = page->mapped.events;
    gathered.insert(gathered.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
    if (!page->back || !(*fresh || nothing_to_go_by) || first_ever || pages + 1 == kPagesBack) break;
    back = *page->back;
    // What is behind it would be lost if this look ended here.
    if (wait) {
      auto waiting = stopped.wait(0, std::min(*wait, kLongestAsked));
      co_await std::move(waiting);
      wait.reset();
    }
  }
  if (stopping) co_return Result<void>(boost::system::in_place_value);  // half of it would hide the other half
  if (newest) {
    std::reverse(gathered.begin(), gathered.end());
    auto keeping = keep(std::move(gathered), ignored, std::move(*newest));
    const Result<void> kept = co_await std::move(keeping);
    if (!kept) co_return kept.error();
  }
  ++bound->stats->pulls;
  if (failures > 0) spdlog::info("source {}: the pull {} works again", source, pull.name);
  failures = 0;
  co_return Result<void>(boost::system::in_place_value);
}

// Listens until the stream ends.
asio::awaitable<Result<void>> Pulls::Loop::listen(std::optional<Duration>& wait) {
  auto getting = bound->session->get(client, api, pull.stream_session);
  const auto session = co_await std::move(getting);
  if (!session) co_return session.error();
  auto outgoing = api.stream_request(index, {}, *session ? &**session : nullptr, wall_clock_now());
  if (!outgoing) co_return outgoing.error();
  auto request = client_request(std::move(*outgoing));
  if (!request) co_return request.error();

  net::EventStreamOptions options;
  options.allow_private_addresses = client_options.allow_private_addresses;
  options.ca_file = client_options.ca_file;
  options.connect_timeout = client_options.timeout;
  net::EventStream stream(options);
  auto opening = stream.open(request->url, request->headers);
  const auto opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  if (opened->status != 200) {
    if (opened->status == 401 && *session) bound->session->drop((*session)->token);
    const Page refused = api.read_page(index, {}, "", incoming_of(*opened), wall_clock_now());
    wait = refused.retry_after ? refused.retry_after : refused.pause;
    co_return make_error(ErrorCode::bad_gateway, "the stream was not opened: " + refused.error);
  }
  const CountedOpen open(bound->stats->streams_open);
  // What came between the last poll and now is not in the stream.
  auto catching_up = poll(wait);
  Result<void> done = co_await std::move(catching_up);
  while (done && !stopping) {
    auto waiting = stream.next();
    const auto event = co_await std::move(waiting);
    if (!event) break;  // it ended, as all streams do: the caller polls and opens it again
    auto looking = read_cursor();
    const auto known = co_await std::move(looking);
    if (!known) {
      done = known.error();
      break;
    }
    const PullState state = state_of(*known);
    Page page = api.read_streamed(index, state, event->event, event->id, event->data, wall_clock_now());
    if (page.taken != Taken::yes) {
      spdlog::warn("source {}: the stream of {} sent what cannot be read: {}", source, pull.name, page.error);
      continue;
    }
    if (page.mapped.events.empty() && page.state.cursor == state.cursor) {
      bound->stats->ignored += page.mapped.ignored;
      continue;
    }
    auto keeping = keep(std::move(page.mapped.events), page.mapped.ignored, std::move(page.state));
    done = co_await std::move(keeping);
  }
  if (const auto retry = stream.retry())
    wait = std::max(wait.value_or(Duration(0)), std::min(Duration(*retry), kLongestBackoff));
  co_return done;
}

void Pulls::configure(std::shared_ptr<const Sources> sources, const net::ClientOptions& options) {
  const std::scoped_lock lock(mutex_);
  if (stopped_) return;
  for (const auto& loop : loops_) loop->stop();
  loops_.clear();
  for (const auto& [name, bound] : *sources) {
    const ingest::Api* api = bound->source->api();
    for (std::size_t i = 0; api != nullptr && i < api->pulls().size(); ++i) {
      loops_.push_back(std::make_shared<Loop>(runtime_.next(), admissions_, bound, i, options, running_));
      loops_.back()->start();
    }
  }
}

void Pulls::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    for (const auto& loop : loops_) loop->stop();
    loops_.clear();
  }
  std::unique_lock lock(running_->mutex);
  running_->none.wait_for(lock, std::chrono::seconds(5), [this] { return running_->count == 0; });
}

}  // namespace triage::app
