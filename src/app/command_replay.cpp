// `triaged replay`: sends recorded posts to a running server through its webhook door, at a given pace.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include "app/commands.h"
#include "app/hook_sender.h"
#include "app/recorded_posts.h"
#include "triage/app/config.h"
#include "triage/model/json.h"

namespace triage::app {

namespace {

namespace asio = boost::asio;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kDone = 0;
constexpr int kInputAtFault = 1;
constexpr int kUsage = 2;
constexpr int kEnvironmentAtFault = 3;

constexpr int kTries = 6;           // of one request that found no server, a second apart
constexpr int kBusyTries = 120;     // of one that the server asked to wait
constexpr int kFailuresShown = 20;  // the rest are counted
constexpr auto kProgress = std::chrono::seconds(2);

struct ReplayOptions {
  std::string data, url, source, config, id_prefix, ca_file;
  double rate = 0;
  bool unsigned_posts = false;
  int connections = 8;
  std::size_t batch = 1;
};

struct Tally {
  std::int64_t sent = 0, accepted = 0, duplicates = 0, ignored = 0, failures = 0, waits = 0;
  std::map<std::string, std::int64_t> moments, priorities;
  std::vector<float> millis;  // of each request that was answered

  float percentile(double p) {
    if (millis.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(p * static_cast<double>(millis.size() - 1));
    std::nth_element(millis.begin(), millis.begin() + at, millis.end());
    return millis[static_cast<std::size_t>(at)];
  }
};

class Replay {
 public:
  Replay(const ReplayOptions& options, RecordedPosts posts, HookSender sender)
      : options_(options), posts_(std::move(posts)), sender_(std::move(sender)) {}

  int run(asio::io_context& io) {
    start_ = Clock::now();
    running_ = options_.connections;
    const auto ended = [this, &io](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
      if (--running_ == 0) io.stop();  // the kept connections would wait for more
    };
    for (int i = 0; i < options_.connections; ++i) asio::co_spawn(io, work(), ended);
    asio::co_spawn(io, show_progress(), asio::detached);
    io.run();
    summarise();
    if (unreachable_) return kEnvironmentAtFault;
    return tally_.failures > 0 ? kInputAtFault : kDone;
  }

 private:
  // One connection's work: the next posts, at their time, until there are no more.
  asio::awaitable<void> work() {
    while (!stopping_) {
      std::vector<json> batch;
      const auto slot = take(batch);
      if (batch.empty()) co_return;
      const std::string body = batch.size() == 1 ? batch.front().dump() : json{{"posts", batch}}.dump();
      if (slot) {
        asio::steady_timer timer(co_await asio::this_coro::executor, *slot);
        co_await timer.async_wait(asio::use_awaitable);
      }
      co_await send(body, batch.size());
    }
  }

  // The next posts of the file, and when they are to go.
  std::optional<Clock::time_point> take(std::vector<json>& batch) {
    std::optional<Clock::time_point> slot;
    if (options_.rate > 0) {
      slot = start_ + std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(static_cast<double>(taken_) / options_.rate));
    }
    while (batch.size() < options_.batch) {
      auto post = posts_.next();
      if (!post) {
        failed(post.error().detail, 1);
        continue;
      }
      if (!*post) break;
      batch.push_back(std::move(**post));
      ++taken_;
    }
    return slot;
  }

  asio::awaitable<void> send(const std::string& body, std::size_t posts) {
    const std::string id = new_message_id();
    int unreached = 0;
    for (int busy = 0; !stopping_;) {
      const auto from = Clock::now();
      const Result<net::ClientResponse> answer = co_await sender_.send(body, id);
      std::chrono::milliseconds wait{1000};
      if (!answer) {
        if (++unreached == kTries) {
          failed(answer.error().detail, static_cast<std::int64_t>(posts));
          unreachable_ = stopping_ = true;
          co_return;
        }
      } else if (const auto asked = asked_to_wait(*answer)) {
        ++tally_.waits;
        wait = *asked;
        if (++busy == kBusyTries) {
          failed("the server stayed overloaded: " + what_failed(*answer), static_cast<std::int64_t>(posts));
          unreachable_ = stopping_ = true;
          co_return;
        }
      } else {
        tally_.millis.push_back(std::chrono::duration<float, std::milli>(Clock::now() - from).count());
        tally_.sent += static_cast<std::int64_t>(posts);
        count(*answer, posts);
        co_return;
      }
      asio::steady_timer timer(co_await asio::this_coro::executor, wait);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  void count(const net::ClientResponse& answer, std::size_t posts) {
    if (answer.status != 200) {
      failed(what_failed(answer), static_cast<std::int64_t>(posts));
      // What is wrong with the source or its secret is wrong for every post.
      if (answer.status == 401 || answer.status == 404) stopping_ = true;
      return;
    }
    const auto received = parse_json(answer.body);
    if (!received || !received->is_object()) {
      failed("an answer that is no JSON object", static_cast<std::int64_t>(posts));
      return;
    }
    tally_.accepted += received->value("accepted", 0);
    tally_.duplicates += received->value("duplicates", 0);
    tally_.ignored += received->value("ignored", 0);
    for (const json& post : received->value("posts", json::array())) {
      if (post.contains("duplicate")) continue;
      if (post.contains("moment")) ++tally_.moments[post.value("moment", "")];
      if (post.contains("priority")) ++tally_.priorities[post.value("priority", "")];
    }
  }

  static std::string what_failed(const net::ClientResponse& answer) {
    std::string what = std::to_string(answer.status);
    const auto problem = parse_json(answer.body);
    if (!problem || !problem->is_object()) return what;
    what += " " + problem->value("title", "") + ": " + problem->value("detail", "");
    for (const json& field : problem->value("errors", json::array())) {
      what += "; " + field.value("pointer", "") + ": " + field.value("detail", "");
    }
    return what;
  }

  void failed(const std::string& what, std::int64_t posts) {
    tally_.failures += posts;
    if (++shown_ <= kFailuresShown) std::fprintf(stderr, "replay: %s\n", what.c_str());
    if (shown_ == kFailuresShown) std::fprintf(stderr, "replay: further failures are only counted\n");
  }

  asio::awaitable<void> show_progress() {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto last = Clock::now();
    while (running_ > 0) {
      timer.expires_after(std::chrono::milliseconds(50));
      co_await timer.async_wait(asio::use_awaitable);
      if (Clock::now() - last < kProgress) continue;
      last = Clock::now();
      std::fprintf(stderr, "replay: %lld sent, %lld accepted, %lld duplicates, %lld failures, %.0f posts/s\n",
                   static_cast<long long>(tally_.sent), static_cast<long long>(tally_.accepted),
                   static_cast<long long>(tally_.duplicates), static_cast<long long>(tally_.failures), rate());
    }
  }

  double rate() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return seconds > 0 ? static_cast<double>(tally_.sent) / seconds : 0;
  }

  static void row(const char* name, std::int64_t value) {
    std::printf("%-16s %10lld\n", name, static_cast<long long>(value));
  }

  void summarise() {
    const double per_second = rate();
    row("sent", tally_.sent);
    row("accepted", tally_.accepted);
    row("duplicates", tally_.duplicates);
    row("ignored", tally_.ignored);
    row("failures", tally_.failures);
    row("asked to wait", tally_.waits);
    for (const char* moment : {"in_the_moment", "after_the_fact"}) row(moment, tally_.moments[moment]);
    for (const char* priority : {"critical", "high", "normal", "low"}) row(priority, tally_.priorities[priority]);
    std::printf("%-16s %10.0f\n", "posts/s", per_second);
    std::printf("%-16s %10.2f\n", "p50 ms", static_cast<double>(tally_.percentile(0.5)));
    std::printf("%-16s %10.2f\n", "p99 ms", static_cast<double>(tally_.percentile(0.99)));
  }

  const ReplayOptions& options_;
  RecordedPosts posts_;
  HookSender sender_;
  Tally tally_;
  Clock::time_point start_;
  std::int64_t taken_ = 0;
  int running_ = 0;
  int shown_ = 0;
  bool stopping_ = false;
  bool unreachable_ = false;
};

// The source as the configuration has it, to sign with. The error is a sentence for the operator.
Result<std::shared_ptr<const ingest::Source>> find_signer(const ReplayOptions& options) {
  auto loaded = load_config(options.config);
  if (!loaded) {
    Error error = make_error(ErrorCode::unprocessable, "");
    for (const auto& finding : loaded.error()) error.detail += (error.detail.empty() ? "" : "\n") + to_string(finding);
    return error;
  }
  for (const auto& source : loaded->config.sources) {
    if (source.name != options.source) continue;
    if (source.use != "generic") {
      return make_error(ErrorCode::unprocessable, options.config + ": source \"" + source.name + "\" takes " +
                                                      source.use + "'s own format; replay sends the generic one");
    }
    auto bound = source.bind();
    if (!bound) return bound.error();
    return std::shared_ptr<const ingest::Source>(std::move(*bound));
  }
  return make_error(ErrorCode::unprocessable, options.config + ": no source \"" + options.source + "\"");
}

int fail(int code, const std::string& why) {
  std::fprintf(stderr, "triaged replay: %s\n", why.c_str());
  return code;
}

int replay(const ReplayOptions& options) {
  std::shared_ptr<const ingest::Source> signer;
  if (!options.unsigned_posts) {
    if (options.config.empty()) {
      return fail(kUsage, "expected --config with the source's secret, or --unsigned for a source that takes that");
    }
    auto found = find_signer(options);
    if (!found) return fail(kInputAtFault, found.error().detail);
    signer = std::move(*found);
  }
  std::string prefix = options.id_prefix;
  if (prefix.empty()) prefix = "replay-" + std::to_string(to_millis(wall_clock_now())) + "-";
  auto posts = RecordedPosts::open(options.data, prefix);
  if (!posts) return fail(kInputAtFault, posts.error().detail);

  asio::io_context io(1);
  net::ClientOptions client_options;
  client_options.allow_private_addresses = true;  // the operator names the server
  client_options.timeout = std::chrono::seconds(30);
  client_options.idle_connections_per_origin = static_cast<std::size_t>(options.connections);
  client_options.response_bytes = 8 << 20;
  client_options.ca_file = options.ca_file;
  net::Client client(client_options);
  auto sender = HookSender::make(client, options.url, options.source, signer);
  if (!sender) return fail(kUsage, "--url: " + sender.error().detail);
  Replay run(options, std::move(*posts), std::move(*sender));
  return run.run(io);
}

}  // namespace

void add_replay(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* command =
      root.add_subcommand("replay", "Send recorded posts (TSV or JSONL) to a running server's generic source");
  command
      ->add_option("--data", options->data,
                   "TSV with a header row (text, id, created_at, author, …), or JSONL of posts")
      ->required();
  command->add_option("--url", options->url, "The server, e.g. http://127.0.0.1:8080")->required();
  command->add_option("--source", options->source, "The source's name there")->required();
  command->add_option("--rate", options->rate, "Posts a second; 0: as fast as it goes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--config", options->config, "Configuration that has the source's secret");
  command->add_flag("--unsigned", options->unsigned_posts, "Send without a signature");
  command->add_option("--id-prefix", options->id_prefix,
                      "In front of ids of posts that bring none; the same again resumes (default: new each time)");
  command->add_option("--ca-file", options->ca_file, "Further certificate authorities to trust, PEM")
      ->check(CLI::ExistingFile);
  command->add_option("--batch", options->batch, "Posts a request")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--connections", options->connections, "Kept connections")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = replay(*options); });
}

}  // namespace triage::app
