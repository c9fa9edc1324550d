// `triaged demo`: the whole server on sample posts, with a callback receiver built in, until SIGINT or SIGTERM.
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>

#include "app/commands.h"
#include "app/demo_posts.h"
#include "app/demo_receiver.h"
#include "app/embedded.h"
#include "app/hook_sender.h"
#include "app/logging.h"
#include "triage/app/application.h"
#include "triage/app/config.h"
#include "triage/desk/access.h"
#include "triage/net/signal.h"

namespace triage::app {

namespace {

namespace asio = boost::asio;

constexpr int kDone = 0;
constexpr int kInputAtFault = 1;
constexpr int kEnvironmentAtFault = 3;

constexpr const char* kOpsTeam = "airport-ops";  // whose escalations the ops token sees

struct DemoOptions {
  std::string listen;
  std::string data;
  double rate = 0.7;  // posts a second
};

int fail(const std::string& why) {
  std::fprintf(stderr, "triaged: %s\n", why.c_str());
  return kEnvironmentAtFault;
}

// One line at a time, whoever prints, and at once.
void print(const std::string& line) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// As print(), with the time of day in front.
void print_event(const std::string& line) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char clock[16];
  std::strftime(clock, sizeof clock, "%H:%M:%S", &local);
  print(std::string(clock) + "  " + line);
}

// A fresh Standard Webhooks secret.
std::string make_signing_secret() {
  unsigned char bytes[24];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("the system gave no random bytes");
  unsigned char text[33];
  EVP_EncodeBlock(text, bytes, sizeof bytes);
  return std::string("whsec_") + reinterpret_cast<const char*>(text);
}

// A data directory that was made for this run alone goes with it.
class DataDirectory {
 public:
  static Result<DataDirectory> make(const std::string& given) {
    if (!given.empty()) return DataDirectory(given, false);
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "triaged-demo-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr) {
      return make_error(ErrorCode::unavailable, name + ": cannot make a directory for the demo's database");
    }
    return DataDirectory(name, true);
  }
  DataDirectory(DataDirectory&& other) noexcept : path_(std::move(other.path_)), own_(other.own_) {
    other.own_ = false;
  }
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory() {
    std::error_code ignored;
    if (own_) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  bool is_temporary() const { return own_; }

 private:
  DataDirectory(std::string path, bool own) : path_(std::move(path)), own_(own) {}
  std::string path_;
  bool own_;
};

struct Tokens {
  std::string agent, ops, supervisor, admin;
};

// One token a role. Those of an earlier demo on the same data are revoked.
Result<Tokens> make_tokens(const std::filesystem::path& directory) {
  auto session = store::open_session(directory, true);
  if (!session) return session.error();
  Tokens tokens;
  const auto written = (*session)->write([&tokens](store::Writer& writer) {
    const Time now = wall_clock_now();
    for (const auto& token : writer.tokens()) {
      if (token.name.starts_with("demo-") && !token.revoked_at) writer.revoke_token(token.id, now);
    }
    const std::pair<store::Role, std::string*> wanted[] = {{store::Role::agent, &tokens.agent},
                                                           {store::Role::ops, &tokens.ops},
                                                           {store::Role::supervisor, &tokens.supervisor},
                                                           {store::Role::admin, &tokens.admin}};
    for (const auto& [role, secret] : wanted) {
      *secret = desk::make_token_secret();
      store::TokenRecord token;
      token.id = TokenId::make(now);
      token.name = "demo-" + std::string(to_string(role));
      token.role = role;
      if (role == store::Role::ops) token.team = kOpsTeam;
      token.hash = desk::hash_token_secret(*secret);
      token.created_at = now;
      writer.insert_token(token);
    }
  });
  if (!written) return written.error();
  return tokens;
}

void print_welcome(const std::string& url, const Tokens& tokens, const DataDirectory& data) {
  print("");
  print("A day at four invented brands: an airline, a hotel, a shop and a telecom. Their posts come in through the");
  print("signed webhook door; what the operations teams are called for is printed below.");
  print("");
  print("  API     " + url + "/openapi.json");
  print("  data    " + data.path() + (data.is_temporary() ? "  (removed at the end; --data keeps one)" : ""));
  print("  tokens  agent       " + tokens.agent);
  print("          ops         " + tokens.ops + "  (of " + kOpsTeam + ")");
  print("          supervisor  " + tokens.supervisor);
  print("          admin       " + tokens.admin);
  print("");
  print("Try, in another terminal:");
  print("  curl -s -H 'Authorization: Bearer " + tokens.agent + "' '" + url + "/v1/queue?limit=5'");
  print("  curl -s -H 'Authorization: Bearer " + tokens.agent + "' -X POST '" + url + "/v1/queue/claim'");
  print("  curl -s -X POST -d 'action=second desk open' -d 'eta=09:40' 'ACK'    # ACK: an ack address below");
  print("");
}

// Sends the day's posts one by one until it is told to stop.
class Feeder {
 public:
  Feeder(std::vector<DemoPost> posts, double rate) : runtime_(1), posts_(std::move(posts)), rate_(rate) {}
  ~Feeder() { stop(); }

  Result<void> start(const Config& config, const std::string& url) {
    net::ClientOptions options;
    options.allow_private_addresses = true;
    client_ = std::make_unique<net::Client>(options);
    for (const auto& source : config.sources) {
      auto bound = source.bind();
      if (!bound) return bound.error();
      auto sender = HookSender::make(*client_, url, source.name, std::move(*bound));
      if (!sender) return sender.error();
      senders_.emplace(source.name, std::move(*sender));
    }
    auto ended = [this](const std::exception_ptr& error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::exception& e) {
        print_event(std::string("no more posts: ") + e.what());
      }
      ended_.set_value();
    };
    done_ = ended_.get_future();
    asio::co_spawn(runtime_.at(0), run(), ended);
    return boost::system::in_place_value;
  }

  void stop() {
    stopping_ = true;
    wake_.close();
    if (done_.valid()) done_.get();
    runtime_.stop();
  }

  std::int64_t sent() const { return sent_; }

 private:
  asio::awaitable<void> run() {
    // Ids of this run are no other run's on the same data.
    const std::string run = std::to_string(to_millis(wall_clock_now()) / 1000);
    std::mt19937 random(std::random_device{}());
    std::uniform_real_distribution<double> jitter(0.3, 1.7);
    for (int round = 1; !stopping_; ++round) {
      print_event(round == 1 ? "the day begins" : "the day begins again");
      const std::string suffix = run + "." + std::to_string(round);
      for (const DemoPost& post : posts_) {
        co_await deliver(post, suffix);
        const auto pause = std::chrono::duration<double>(jitter(random) / rate_);
        co_await wake_.wait(0, std::chrono::duration_cast<std::chrono::milliseconds>(pause));
        if (stopping_) co_return;
      }
    }
  }

  // Until the server has it: it asks for patience while it is overloaded.
  asio::awaitable<void> deliver(const DemoPost& post, const std::string& round) {
    const HookSender& sender = senders_.at(post.source);
    const std::string body = demo_body(post, round, wall_clock_now());
    const std::string id = new_message_id();
    while (!stopping_) {
      const Result<net::ClientResponse> answer = co_await sender.send(body, id);
      auto wait = std::chrono::milliseconds(1000);
      if (answer) {
        if (const auto asked = asked_to_wait(*answer)) {
          wait = *asked;
        } else {
          if (answer->status != 200) print_event("a post was refused: " + answer->body);
          ++sent_;
          co_return;
        }
      } else {
        print_event("a post was not sent: " + answer.error().detail);
      }
      co_await wake_.wait(0, wait);
    }
  }

  net::Runtime runtime_;  // outlives what its thread uses
  const std::vector<DemoPost> posts_;
  const double rate_;
  net::Signal wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> sent_{0};
  std::map<std::string, HookSender, std::less<>> senders_;
  std::unique_ptr<net::Client> client_;
  std::promise<void> ended_;
  std::future<void> done_;  // valid once started
};

int demo(const DemoOptions& options) {
  auto posts = parse_demo_posts(demo_posts_jsonl());
  if (!posts) return fail("the sample posts: " + posts.error().detail);
  auto data = DataDirectory::make(options.data);
  if (!data) return fail(data.error().detail);

  setup_logging({"warn", false});
  // Blocked before any thread starts, so that every thread leaves them to the wait below.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  const std::string secret = make_signing_secret();
  DemoReceiver receiver(secret, print_event);
  if (const auto listening = receiver.start(); !listening) return fail(listening.error().detail);

  const std::string text = demo_config(demo_config_json(), receiver.url(), secret, make_signing_secret());
  Overrides overrides;
  overrides.data = data->path();
  if (!options.listen.empty()) overrides.listen = options.listen;
  auto loaded = parse_config(text, "demo/triaged.json", overrides);
  if (!loaded) {
    for (const auto& finding : loaded.error()) std::fprintf(stderr, "triaged: %s\n", to_string(finding).c_str());
    return kInputAtFault;
  }
  const Config config = loaded->config;

  const auto tokens = make_tokens(config.store.directory);
  if (!tokens) return fail(tokens.error().detail);
  auto application = Application::create(config);
  if (!application) return fail(application.error().detail);
  if (const auto started = (*application)->start(); !started) return fail(started.error().detail);
  const std::string url = (*application)->url();
  print("triaged listening on " + url);
  print_welcome(url, *tokens, *data);

  Feeder feeder(std::move(*posts), options.rate);
  if (const auto fed = feeder.start(config, url); !fed) return fail(fed.error().detail);

  int number = 0;
  while (sigwait(&signals, &number) != 0) continue;
  print_event("stopping");
  feeder.stop();
  (*application)->stop();  // what is in hand is still delivered, so the receiver goes last
  receiver.stop();
  print_event(std::to_string(feeder.sent()) + " posts sent, " + std::to_string(receiver.received()) +
              " callbacks received" +
              (receiver.refused() > 0 ? ", " + std::to_string(receiver.refused()) + " refused" : ""));
  return kDone;
}

}  // namespace

void add_demo(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command = root.add_subcommand(
      "demo", "Run the server on sample posts of a day, with a built-in callback receiver, until SIGINT or SIGTERM");
  command->add_option("--listen", options->listen, "HOST:PORT to listen on (127.0.0.1:8080)");
  command->add_option("--data", options->data, "Directory of the database; without it a temporary one");
  command->add_option("--rate", options->rate, "Posts a second, on average")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = demo(*options); });
}

}  // namespace triage::app
