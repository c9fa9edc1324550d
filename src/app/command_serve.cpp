// `triaged serve`: the server until SIGTERM or SIGINT; SIGHUP reads the configuration and certificates again.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/logging.h"
#include "triage/app/application.h"
#include "triage/app/config.h"

namespace triage::app {

namespace {

constexpr int kInputAtFault = 1;
constexpr int kEnvironmentAtFault = 3;

struct ServeOptions {
  std::string config;
  std::string listen;
  std::string data;
};

ConfigResult read_config(const ServeOptions& options) {
  Overrides overrides;
  if (!options.listen.empty()) overrides.listen = options.listen;
  if (!options.data.empty()) overrides.data = options.data;
  return options.config.empty() ? default_config(overrides) : load_config(options.config, overrides);
}

void log_warnings(const LoadedConfig& loaded) {
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", to_string(warning));
}

void reload(Application& application, const ServeOptions& options) {
  auto loaded = read_config(options);
  if (!loaded) {
    for (const auto& finding : loaded.error()) spdlog::error("{}", to_string(finding));
    spdlog::error("the configuration was not reloaded; the present one stays in force");
    return;
  }
  log_warnings(*loaded);
  setup_logging({loaded->config.log.level, loaded->config.log.format == LogFormat::json});
  const Result<void> done = application.reload(std::move(loaded->config));
  if (done) {
    spdlog::info("configuration reloaded");
  } else {
    spdlog::error("the configuration was not reloaded; the present one stays in force: {}", done.error().detail);
  }
}

int serve(const ServeOptions& options) {
  auto loaded = read_config(options);
  if (!loaded) {
    for (const auto& finding : loaded.error()) std::fprintf(stderr, "%s\n", to_string(finding).c_str());
    return kInputAtFault;
  }
  setup_logging({loaded->config.log.level, loaded->config.log.format == LogFormat::json});
  log_warnings(*loaded);

  // Blocked before any thread starts, so that every thread leaves them to the loop below.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto application = Application::create(std::move(loaded->config));
  if (!application) {
    std::fprintf(stderr, "triaged: %s\n", application.error().detail.c_str());
    return kEnvironmentAtFault;
  }
  const Result<void> started = (*application)->start();
  if (!started) {
    std::fprintf(stderr, "triaged: %s\n", started.error().detail.c_str());
    return kEnvironmentAtFault;
  }
  std::printf("triaged listening on %s\n", (*application)->url().c_str());
  std::fflush(stdout);

  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    reload(**application, options);
  }
  spdlog::info("draining");
  (*application)->stop();
  spdlog::info("stopped");
  return 0;
}

}  // namespace

void add_serve(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = root.add_subcommand("serve", "Run the server until SIGTERM; SIGHUP reloads the configuration");
  command->add_option("--config", options->config, "Configuration file; without one: safe defaults, loopback only");
  command->add_option("--listen", options->listen, "HOST:PORT to listen on, over the configuration's");
  command->add_option("--data", options->data, "Directory of the database, over the configuration's");
  command->callback([options, &exit_code] { exit_code = serve(*options); });
}

}  // namespace triage::app
