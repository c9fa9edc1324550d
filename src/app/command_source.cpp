// `triaged source`: which sources there are, and what a payload would become, rule by rule.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/config_reader.h"
#include "app/source_files.h"
#include "triage/app/config.h"
#include "triage/model/json.h"

namespace triage::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kInputAtFault = 1;

struct TestOptions {
  std::string source;
  std::string payload;
  std::string headers;
  std::vector<std::string> query;
  std::string config;
  std::string brand_account;
  bool json = false;
};

int fail(const std::string& what) {
  std::fprintf(stderr, "triaged source: %s\n", what.c_str());
  return kInputAtFault;
}

int fail(const Error& error) {
  for (const FieldError& field : error.fields)
    std::fprintf(stderr, "  %s: %s\n", field.pointer.c_str(), field.detail.c_str());
  return fail(error.detail);
}

// --- list ---

int list(bool json) {
  Json items = Json::array();
  for (const std::string& name : ingest::shipped_source_names()) {
    const auto file = ingest::shipped_source(name);
    if (!file) return fail(file.error());
    if (json) {
      items.push_back({{"name", name},
                       {"title", (*file)->title()},
                       {"platform", (*file)->platform()},
                       {"ways", (*file)->ways()},
                       {"secrets", (*file)->secret_names()},
                       {"settings", (*file)->setting_names()}});
      continue;
    }
    const auto listed = [](const std::vector<std::string>& names) {
      std::string out;
      for (const std::string& one : names) out += (out.empty() ? "" : ", ") + one;
      return out;
    };
    std::printf("%-18s %-34s %-35s %s\n", name.c_str(), (*file)->title().c_str(), listed((*file)->ways()).c_str(),
                listed((*file)->secret_names()).c_str());
  }
  if (json) std::cout << items.dump(2) << '\n';
  return 0;
}

// --- test ---

Result<std::string> read_input(const std::string& path, const std::string& what) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  return read_whole(path, what);
}

// "Name: value" a line, as `curl -D` or a log has them; other lines (a request line) are passed over.
ingest::Headers read_headers(const std::string& text) {
  ingest::Headers out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.substr(0, colon).find(' ') != std::string_view::npos)
      continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.remove_suffix(1);
    out.emplace_back(line.substr(0, colon), value);
  }
  return out;
}

// The source of the configuration where one is named, with its secrets; else the file alone, whose requests are taken
// as they come.
Result<std::unique_ptr<ingest::Source>> bind(const TestOptions& options) {
  if (!options.config.empty()) {
    const ConfigResult loaded = load_config(options.config);
    if (!loaded) {
      Error error = make_error(ErrorCode::unprocessable, options.config + " is not valid; see triaged check");
      for (const Finding& finding : loaded.error()) error.fields.push_back({finding.pointer, finding.message});
      return error;
    }
    for (const ConfiguredSource& source : loaded->config.sources) {
      if (source.name == options.source) return source.bind();
    }
    return make_error(ErrorCode::not_found, options.config + " has no source \"" + options.source + "\"");
  }
  const auto file = open_source_file(options.source, ".");
  if (!file) {
    if (file.error().code != ErrorCode::not_found || is_source_path(options.source)) return file.error();
    return make_error(ErrorCode::not_found, "expected a source file (./forum.json) or one of " +
                                                or_list(ingest::shipped_source_names()) + ", found \"" +
                                                options.source + "\"");
  }
  ingest::SourceConfig config;
  config.name = config.use = (*file)->name();
  config.brand_account = options.brand_account;
  config.unsigned_ok = true;
  return (*file)->bind(std::move(config));
}

Json post_of(const Event& event) {
  Json out = Json(nlohmann::json(event.post));
  out.erase("id");
  if (!event.shared_native.empty()) out["shared_native"] = event.shared_native;
  return out;
}

Json trace_of(const ingest::Mapped& mapped) {
  Json out = Json::array();
  for (const ingest::Traced& one : mapped.trace) {
    Json considered = Json::array();
    for (const auto& rule : one.considered) considered.push_back({{"at", rule.place}, {"why", rule.why}});
    Json item{{"element", one.element},
              {"considered", std::move(considered)},
              {"rule", one.place},
              {"outcome", one.outcome.empty() ? "passed over" : one.outcome}};
    if (!one.why.empty()) item["why"] = one.why;
    if (one.event) item["post"] = post_of(mapped.events[*one.event]);
    out.push_back(std::move(item));
  }
  return out;
}

void print(const Json& trace) {
  for (const Json& one : trace) {
    const std::string element = one["element"];
    std::cout << (element.empty() ? "the body" : element) << '\n';
    for (const Json& rule : one["considered"]) {
      std::cout << "    " << rule["at"].get<std::string>() << ": " << rule["why"].get<std::string>() << '\n';
    }
    const std::string rule = one["rule"], outcome = one["outcome"];
    std::cout << "  " << (rule.empty() ? "" : rule + " -> ") << outcome
              << (one.contains("why") ? ": " + one["why"].get<std::string>() : "") << '\n';
    if (one.contains("post")) {
      for (const auto& [key, value] : one["post"].items()) std::cout << "      " << key << ": " << value.dump() << '\n';
    }
  }
}

int test(const TestOptions& options) {
  const auto source = bind(options);
  if (!source) return fail(source.error());
  const auto body = read_input(options.payload, "the payload");
  if (!body) return fail(body.error());
  ingest::Headers headers{{"content-type", "application/json"}};
  if (!options.headers.empty()) {
    const auto text = read_input(options.headers, "the headers");
    if (!text) return fail(text.error());
    headers = read_headers(*text);
  }
  ingest::Headers query;
  for (const std::string& pair : options.query) {
    const std::size_t equals = pair.find('=');
    query.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
  const ingest::Delivery delivery{&headers, &query, *body};
  const Time now = wall_clock_now();

  Json out;
  int exit_code = 0;
  if ((*source)->config().unsigned_ok) {
    out["signature"] = "not looked at: no secrets here (--config FILE takes them from a configuration)";
  } else {
    const Result<void> verified = (*source)->verify(delivery, now);
    out["signature"] = verified ? "right" : verified.error().detail;
    if (!verified) exit_code = 1;  // the server would refuse it
  }
  const auto mapped = (*source)->explain(delivery, now);
  if (!mapped) {
    std::cout << "signature: " << out["signature"].get<std::string>() << '\n';
    return fail(mapped.error());
  }
  out["accepted"] = mapped->events.size();
  out["ignored"] = mapped->ignored;
  out["ignored_kinds"] = mapped->ignored_kinds;
  out["trace"] = trace_of(*mapped);
  if (options.json) {
    std::cout << out.dump(2) << '\n';
    return exit_code;
  }
  std::cout << "signature: " << out["signature"].get<std::string>() << '\n';
  print(out["trace"]);
  std::cout << mapped->events.size() << " taken, " << mapped->ignored << " ignored";
  for (const std::string& kind : mapped->ignored_kinds)
    std::cout << (&kind == &mapped->ignored_kinds.front() ? ": " : ", ") << kind;
  std::cout << '\n';
  return exit_code;
}

}  // namespace

void add_source(CLI::App& root, int& exit_code) {
  auto* command =
      root.add_subcommand("source", "The platforms' doors: which there are, and what a payload would become");
  command->require_subcommand(1);

  auto* lists = command->add_subcommand("list", "The shipped sources with their secrets");
  auto as_json = std::make_shared<bool>(false);
  lists->add_flag("--json", *as_json, "As JSON");
  lists->callback([as_json, &exit_code] { exit_code = list(*as_json); });

  auto* tests = command->add_subcommand("test", "Shows what a payload would become, rule by rule; stores nothing");
  auto options = std::make_shared<TestOptions>();
  tests->add_option("source", options->source, "A source file, a shipped source, or with --config one of its sources")
      ->required()
      ->type_name("FILE|NAME");
  tests->add_option("--payload", options->payload, "The request's body; - is stdin")->required()->type_name("FILE");
  tests->add_option("--headers", options->headers, "The request's headers, \"Name: value\" a line")->type_name("FILE");
  tests->add_option("--query", options->query, "Parameters of the address")->type_name("NAME=VALUE ...");
  tests
      ->add_option("--config", options->config,
                   "Takes the source, with its secrets, from this configuration, and checks the signature")
      ->type_name("FILE");
  tests->add_option("--brand-account", options->brand_account, "Our account there, where no configuration says it")
      ->type_name("ACCOUNT");
  tests->add_flag("--json", options->json, "As JSON");
  tests->callback([options, &exit_code] { exit_code = test(*options); });
}

}  // namespace triage::app
