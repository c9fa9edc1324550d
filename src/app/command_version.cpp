// `triaged version`: what this binary is and what it was built with.
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "triage/classify/classifier.h"

namespace triage::app {

namespace {

void print(const char* name, const std::string& value) {
  std::printf("%-15s %s\n", name, value.c_str());
}

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

void version() {
  std::printf("triaged %s\n", TRIAGED_VERSION);
  print("commit", TRIAGED_COMMIT);
#if defined(__clang__)
  print("compiler", std::string("clang ") + __clang_version__);
#else
  print("compiler", std::string("g++ ") + __VERSION__);
#endif
  const auto model = classify::shipped_model();
  print("model", model ? std::string((*model)->model_version()) : model.error().detail);
  print("Boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100));
  print("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
  print("SQLite", sqlite3_libversion());
  print("nlohmann/json", dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH));
  print("spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH));
  print("fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100));
  print("CLI11", CLI11_VERSION);
  print("prometheus-cpp", TRIAGED_PROMETHEUS_VERSION);
}

}  // namespace

void add_version(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("version", "Print version, commit and the versions of libraries and model");
  command->callback([&exit_code] {
    version();
    exit_code = 0;
  });
}

}  // namespace triage::app
