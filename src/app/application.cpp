#include "triage/app/application.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/embedded.h"
#include "app/hooks.h"
#include "app/judges.h"
#include "app/logging.h"
#include "app/metrics.h"
#include "app/platform_calls.h"
#include "app/pulls.h"
#include "app/rate_limiter.h"
#include "app/second_looks.h"
#include "triage/clock/timetable.h"
#include "triage/deliver/deliverer.h"
#include "triage/desk/api.h"
#include "triage/desk/escalations.h"
#include "triage/desk/intake.h"
#include "triage/store/await.h"

namespace triage::app {

namespace {

constexpr std::size_t kLinkKeyBytes = 32;

// The key of acknowledge links, made once beside the database, so that links outlive a restart.
Result<std::string> link_key(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "link.key";
  auto failed = [&](const char* what) {
    return make_error(ErrorCode::internal,
                      file.string() + ": cannot " + what + ": " + std::generic_category().message(errno));
  };
  std::string key(kLinkKeyBytes, '\0');
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    const ssize_t size = read(fd, key.data(), key.size());
    close(fd);
    if (size == static_cast<ssize_t>(kLinkKeyBytes)) return key;
    return make_error(ErrorCode::internal,
                      file.string() + ": expected 32 bytes; remove it and acknowledge links sent so far stop working");
  }
  if (errno != ENOENT) return failed("read it");
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1) {
    return make_error(ErrorCode::internal, "the system gave no random bytes");
  }
  fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failed("make it");
  const bool written = write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && fsync(fd) == 0;
  close(fd);
  if (!written) {
    unlink(file.c_str());
    return failed("write it");
  }
  return key;
}

std::shared_ptr<const desk::Policy> make_policy(const Config& config, const std::string& key, const std::string& url,
                                                std::shared_ptr<const Sources> sources) {
  auto policy = std::make_shared<desk::Policy>(config.plan);
  for (const auto& team : config.teams) {
    desk::Team& known = policy->teams[team.name];
    if (!team.callback) continue;
    known.has_callback = true;
    known.callback_url = team.callback->shown_url;
    known.include = team.callback->include;
  }
  policy->platforms = platforms_of(std::move(sources));
  policy->factors = config.classifier.factors;
  policy->join_within = config.cases.join_within;
  policy->reopen_within = config.cases.reopen_within;
  policy->repeat_every = config.escalations.repeat_every;
  policy->link_ttl = config.escalations.link_ttl;
  policy->lease = config.limits.lease;
  policy->lease_max = config.limits.lease_max;
  policy->queue_wait_max = config.limits.queue_wait_max;
  policy->writer_wait = config.limits.writer_wait;
  policy->public_url = config.public_url.empty() ? url : config.public_url;
  policy->link_key = key;
  return policy;
}

// `before`: sources that keep their counters over a reload.
Result<std::shared_ptr<const Sources>> bind_sources(const Config& config, const Sources& before) {
  auto sources = std::make_shared<Sources>();
  for (const auto& wanted : config.sources) {
    auto source = wanted.bind();
    if (!source) {
      Error error = source.error();
      error.detail = "source \"" + wanted.name + "\": " + error.detail;
      return error;
    }
    auto bound = std::make_shared<BoundSource>();
    bound->source = std::move(*source);
    const auto known = before.find(wanted.name);
    bound->stats = known != before.end() ? known->second->stats : std::make_shared<SourceStats>();
    sources->emplace(wanted.name, std::move(bound));
  }
  return std::shared_ptr<const Sources>(std::move(sources));
}

// Everybody whom the outbox goes to: teams, and the platforms behind the sources.
std::vector<deliver::Endpoint> all_endpoints(const Config& config, const Sources& sources, Admissions& admissions) {
  std::vector<deliver::Endpoint> all = endpoints(config);
  for (deliver::Endpoint& endpoint : platform_endpoints(sources, admissions)) all.push_back(std::move(endpoint));
  return all;
}

// For whoever reads the log at night: what comes in how, and what can be answered.
void tell_sources(const Sources& sources) {
  for (const auto& [name, bound] : sources) {
    std::string ways;
    const auto add = [&ways](const std::string& way) { ways += (ways.empty() ? "" : ", ") + way; };
    if (bound->source->takes_webhooks()) add(bound->source->config().unsigned_ok ? "webhooks (unsigned)" : "webhooks");
    if (const ingest::Api* api = bound->source->api()) {
      for (const ingest::Pull& pull : api->pulls()) {
        const Duration every = bound->source->config().pull_every.value_or(pull.every);
        add("polls " + pull.name + " every " + format_duration(every) + (pull.stream ? ", with a stream" : ""));
      }
      if (api->can_reply()) add("replies");
    }
    spdlog::info("source {} ({}): {}", name, bound->source->config().use, ways);
  }
}

net::ClientOptions pull_options(const Config& config) {
  net::ClientOptions options;
  options.allow_private_addresses = config.delivery.allow_private_addresses;
  options.timeout = config.delivery.timeout;
  options.ca_file = config.delivery.ca_file;
  options.response_bytes = config.limits.hook_body_bytes;
  return options;
}

// Whether the trusted roots can be read: who calls makes a client of them whenever the configuration changes.
Result<void> check_roots(const Config& config) {
  if (config.delivery.ca_file.empty()) return {};  // the system's alone cannot be at fault
  try {
    const net::Client client(pull_options(config));
    return {};
  } catch (const std::exception& error) {
    return make_error(ErrorCode::unprocessable, "delivery.ca_file: " + std::string(error.what()));
  }
}

// The cores that this process may use: fewer than the machine has under taskset or in a container.
unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

std::string shown_host(const net::ServerOptions& options) {
  return options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
}

}  // namespace

struct Application::Impl {
  Config config;
  std::string key;
  std::unique_ptr<net::Runtime> runtime;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<desk::PolicyHolder> policy;
  net::Signal queue_changed;
  std::unique_ptr<RateLimiter> token_rate;
  std::unique_ptr<RateLimiter> address_rate;
  std::unique_ptr<desk::Access> access;
  std::unique_ptr<deliver::Deliverer> deliverer;
  std::unique_ptr<clock::Timetable> timetable;
  std::unique_ptr<Judges> judges;
  std::unique_ptr<SecondLooks> second_looks;
  std::unique_ptr<Admissions> admissions;
  std::unique_ptr<Pulls> pulls;
  std::unique_ptr<Hooks> hooks;
  std::unique_ptr<net::Server> server;
  Metrics metrics;
  std::atomic<bool> draining{false};
  bool stopped = false;

  // What the timetable's work leaves to tell; its commits come one after another.
  std::mutex clock_mutex;
  desk::Effects clock_effects;

  void tell(const desk::Effects& effects) {
    for (const auto& to : effects.outbox) deliverer->wake(to);
    if (effects.due) timetable->note(*effects.due);
    if (effects.queue) queue_changed.raise();
  }

  // Where this cannot be stored the ladders climb at their time, and the next start tries again.
  void climb_past_unreachable() {
    auto effects = std::make_shared<desk::Effects>();
    store->write(
        [this, effects](store::Writer& writer) {
          *effects = {};
          desk::climb_past_unreachable(writer, *policy->get(), wall_clock_now(), *effects);
        },
        [this, effects](store::Committed outcome, const std::string& detail) {
          if (outcome == store::Committed::yes) {
            tell(*effects);
          } else {
            spdlog::error("escalations did not climb past a switched-off endpoint: {}", detail);
          }
        });
  }

  std::vector<net::Route> routes();
  boost::asio::awaitable<net::Response> metrics_page();
  boost::asio::awaitable<net::Response> ready();
  boost::asio::awaitable<net::Response> list_sources();
  void observe(const net::Exchange& exchange);
};

boost::asio::awaitable<net::Response> Application::Impl::metrics_page() {
  auto figures = std::make_shared<store::Reader::Figures>();
  auto work = store::Store::Read([figures](store::Reader& reader) { *figures = reader.figures(); });
  // Without a readable disk the counters are still worth having.
  const Result<void> read = co_await store::read(*store, std::move(work));
  if (!read) spdlog::warn("metrics without figures from the database: {}", read.error().detail);
  Metrics::Parts parts{server->stats(),       store->stats(),     store->healthy(),    *figures,
                       deliverer->stats(),    timetable->stats(), admissions->stats(), judges->stats(),
                       second_looks->stats(), hooks->sources(),   judges->bench(),     wall_clock_now()};
  net::Response response = net::Response::text(200, metrics.text(parts));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

boost::asio::awaitable<net::Response> Application::Impl::ready() {
  if (draining) co_return net::problem(make_error(ErrorCode::unavailable, "draining: the server is about to stop"));
  if (!store->healthy()) {
    Error error = make_error(ErrorCode::unavailable, "the database cannot commit: " + store->trouble());
    error.retry_after = std::chrono::seconds(1);
    co_return net::problem(error);
  }
  // A source that fell silent (expect_every) is for people to look at: this server can take work all the same.
  const Time now = wall_clock_now();
  const auto sources = hooks->sources();
  nlohmann::ordered_json silent = nlohmann::ordered_json::array();
  for (const auto& [name, bound] : *sources) {
    const auto every = bound->source->config().expect_every;
    const Time last = std::max(bound->stats->since, from_millis(bound->stats->last_event_ms));
    if (every && now - last > *every) silent.push_back(name);
  }
  const nlohmann::ordered_json out{{"status", "ready"}, {"silent_sources", std::move(silent)}};
  co_return net::Response::json(200, out.dump());
}

void Application::Impl::observe(const net::Exchange& exchange) {
  metrics.observe(exchange);
  const auto level = exchange.status >= 500   ? spdlog::level::warn
                     : exchange.status >= 400 ? spdlog::level::info
                                              : spdlog::level::debug;
  if (!exchange.request || !spdlog::should_log(level)) return;
  // The path without its query: an acknowledge link's signature stays out of the log.
  log_line(level, "request",
           {{"request_id", exchange.request->id},
            {"method", std::string(net::to_string(exchange.request->method))},
            {"path", exchange.request->path.substr(0, 200)},
            {"status", std::to_string(exchange.status)},
            {"remote", exchange.request->remote},
            {"took_us", std::to_string(exchange.took.count())}});
}

std::vector<net::Route> Application::Impl::routes() {
  std::vector<net::Route> out = hooks->routes(config.limits.hook_body_bytes);
  auto api = std::make_shared<desk::ApiContext>(
      desk::ApiContext{*store, *policy, *access, queue_changed, [this](const desk::Effects& effects) { tell(effects); },
                       [this](std::string_view k) { return token_rate->take(k, std::chrono::steady_clock::now()); },
                       [this](std::string_view k) { return address_rate->take(k, std::chrono::steady_clock::now()); },
                       config.limits.api_body_bytes});
  for (auto& route : desk::api_routes(api)) out.push_back(std::move(route));

  auto open = [&out](const char* path, net::Handler handler) {
    net::Route route;
    route.method = net::Method::get;
    route.pattern = path;
    route.handler = std::move(handler);
    out.push_back(std::move(route));
  };
  open("/healthz", [](net::Request&) -> boost::asio::awaitable<net::Response> {
    co_return net::Response::json(200, R"({"status":"alive"})");
  });
  open("/readyz", [this](net::Request&) { return ready(); });
  open("/openapi.json", [](net::Request&) -> boost::asio::awaitable<net::Response> {
    co_return net::Response::json(200, std::string(openapi_json()));
  });
  open("/metrics", desk::for_any_token(api, [this](net::Request&) { return metrics_page(); }));
  open("/v1/sources", desk::for_any_token(api, [this](net::Request&) { return list_sources(); }));
  return out;
}

boost::asio::awaitable<net::Response> Application::Impl::list_sources() {
  auto figures = std::make_shared<store::Reader::Figures>();
  auto work = store::Store::Read([figures](store::Reader& reader) { *figures = reader.figures(); });
  const Result<void> done = co_await store::read(*store, std::move(work));
  if (!done) co_return net::problem(done.error());
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  const auto sources = hooks->sources();
  for (const auto& [name, bound] : *sources) {
    const ingest::SourceConfig& c = bound->source->config();
    nlohmann::ordered_json item{{"id", name}, {"name", name}, {"use", c.use}, {"brand_account", c.brand_account}};
    item["unsigned"] = c.unsigned_ok;
    item["webhooks"] = bound->source->takes_webhooks();
    item["replies"] = bound->source->api() != nullptr && bound->source->api()->can_reply();
    item["polls"] = nlohmann::ordered_json::array();
    if (const ingest::Api* asks = bound->source->api()) {
      for (const ingest::Pull& pull : asks->pulls()) {
        item["polls"].push_back({{"name", pull.name}, {"every", format_duration(c.pull_every.value_or(pull.every))}});
      }
    }
    item["expect_every"] =
        c.expect_every ? nlohmann::ordered_json(format_duration(*c.expect_every)) : nlohmann::ordered_json(nullptr);
    std::int64_t last = bound->stats->last_event_ms;
    for (const auto& [source, at] : figures->newest_post_by_source) {
      if (source == name) last = std::max(last, to_millis(at));
    }
    item["last_event_at"] =
        last > 0 ? nlohmann::ordered_json(format_time(from_millis(last))) : nlohmann::ordered_json(nullptr);
    items.push_back(std::move(item));
  }
  const nlohmann::ordered_json out{{"items", std::move(items)}, {"next_cursor", nullptr}};
  co_return net::Response::json(200, out.dump());
}

Application::Application(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Application::~Application() {
  stop();
}

Result<std::unique_ptr<Application>> Application::create(Config config) {
  auto impl = std::make_unique<Impl>();
  impl->config = std::move(config);
  const Config& c = impl->config;

  if (const auto usable = check_roots(c); !usable) return usable.error();
  auto bench = load_bench(c.classifier);
  if (!bench) return bench.error();
  auto sources = bind_sources(c, {});
  if (!sources) return sources.error();
  auto store = store::open(c.store);
  if (!store) return store.error();
  impl->store = std::move(*store);
  auto key = link_key(c.store.directory);
  if (!key) return key.error();
  impl->key = std::move(*key);

  Impl* const self = impl.get();
  impl->runtime = std::make_unique<net::Runtime>(c.threads > 0 ? c.threads : usable_cores());
  impl->policy = std::make_unique<desk::PolicyHolder>(make_policy(c, impl->key, "", *sources));
  impl->token_rate = std::make_unique<RateLimiter>(c.limits.token_requests_per_minute);
  impl->address_rate = std::make_unique<RateLimiter>(c.limits.address_requests_per_minute);
  impl->access = std::make_unique<desk::Access>(*impl->runtime, *impl->store);
  impl->timetable = std::make_unique<clock::Timetable>(
      *impl->runtime, *impl->store,
      [self](store::Writer& writer, const store::Due& due, Time now) {
        std::lock_guard lock(self->clock_mutex);
        desk::when_due(writer, *self->policy->get(), due, now, self->clock_effects);
      },
      [self] {
        desk::Effects effects;
        {
          std::lock_guard lock(self->clock_mutex);
          std::swap(effects, self->clock_effects);
        }
        self->tell(effects);
      });
  const unsigned deep_threads =
      c.classifier.deep_threads > 0 ? c.classifier.deep_threads : std::max(1U, usable_cores() / 2);
  impl->judges = std::make_unique<Judges>(std::move(*bench), deep_threads);
  impl->second_looks = std::make_unique<SecondLooks>(*impl->runtime, *impl->store, *impl->judges, *impl->policy,
                                                     [self](const desk::Effects& effects) { self->tell(effects); });
  impl->admissions = std::make_unique<Admissions>(*impl->store, *impl->policy, *impl->judges,
                                                  [self](const desk::Effects& effects) { self->tell(effects); });
  impl->deliverer =
      std::make_unique<deliver::Deliverer>(*impl->runtime, *impl->store, all_endpoints(c, **sources, *impl->admissions),
                                           c.delivery, [self](const std::string&) { self->climb_past_unreachable(); });
  impl->pulls = std::make_unique<Pulls>(*impl->runtime, *impl->admissions);
  impl->hooks = std::make_unique<Hooks>(*impl->admissions, [self](std::string_view k) {
    return self->address_rate->take(k, std::chrono::steady_clock::now());
  });
  impl->hooks->set_sources(std::move(*sources));
  impl->server = std::make_unique<net::Server>(*impl->runtime, c.server, impl->routes(),
                                               [self](const net::Exchange& exchange) { self->observe(exchange); });
  return std::unique_ptr<Application>(new Application(std::move(impl)));
}

Result<void> Application::start() {
  Impl& i = *impl_;
  i.access->start();
  const Result<void> listening = i.server->start();
  if (!listening) return listening.error();
  // Links in callbacks need an address; without a public one it is the one that was bound.
  i.policy->set(make_policy(i.config, i.key, url(), i.hooks->sources()));
  i.deliverer->start();
  i.timetable->start();
  i.climb_past_unreachable();
  i.second_looks->start();
  i.pulls->configure(i.hooks->sources(), pull_options(i.config));
  tell_sources(*i.hooks->sources());
  return boost::system::in_place_value;
}

std::string Application::url() const {
  const net::ServerOptions& options = impl_->config.server;
  return std::string(options.tls ? "https" : "http") + "://" + shown_host(options) + ":" +
         std::to_string(impl_->server->port());
}

Result<void> Application::reload(Config config) {
  Impl& i = *impl_;
  if (const auto usable = check_roots(config); !usable) return usable.error();
  auto bench = load_bench(config.classifier);
  if (!bench) return bench.error();
  auto sources = bind_sources(config, *i.hooks->sources());
  if (!sources) return sources.error();
  if (const auto tls = i.server->reload_tls(); !tls && config.server.tls) return tls.error();

  const net::ServerOptions& before = i.config.server;
  if (config.server.host != before.host || config.server.port != before.port ||
      config.store.directory != i.config.store.directory || config.threads != i.config.threads ||
      config.classifier.deep_threads != i.config.classifier.deep_threads) {
    spdlog::warn("listen, data, threads and deep_threads take a restart; the present ones stay in force");
  }
  i.judges->set(std::move(*bench));
  i.hooks->set_sources(*sources);
  i.deliverer->configure(all_endpoints(config, **sources, *i.admissions), config.delivery);
  i.pulls->configure(*sources, pull_options(config));
  i.token_rate->set_rate(config.limits.token_requests_per_minute);
  i.address_rate->set_rate(config.limits.address_requests_per_minute);
  // What a reload cannot change keeps its present value, so that url() and the next comparison stay true.
  config.server = i.config.server;
  config.store = i.config.store;
  config.threads = i.config.threads;
  config.classifier.deep_threads = i.config.classifier.deep_threads;
  i.config = std::move(config);
  i.policy->set(make_policy(i.config, i.key, url(), i.hooks->sources()));
  return boost::system::in_place_value;
}

void Application::stop() {
  Impl& i = *impl_;
  if (i.stopped) return;
  i.stopped = true;
  i.draining = true;
  i.queue_changed.close();
  i.server->stop(i.config.drain_grace);
  i.pulls->stop();
  i.second_looks->stop();
  i.judges->stop();
  i.timetable->stop();
  i.deliverer->stop(i.config.drain_grace);
  i.access->stop();
  i.store.reset();  // finishes what was submitted, before the threads that wait for it end
  i.runtime->stop();
}

}  // namespace triage::app
