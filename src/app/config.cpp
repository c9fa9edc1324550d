// From a file to a Config: parse, put in what the environment and other files give, read section by section.
#include "triage/app/config.h"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "app/config_sections.h"
#include "triage/model/json.h"

namespace triage::app {
namespace {

constexpr std::size_t kFileBytes = 16 * 1024 * 1024;

std::vector<Finding> one_finding(const std::filesystem::path& file, std::string message) {
  return {{file.string(), "", std::move(message)}};
}

// What stands in force where the file says nothing. (Where a struct's own default is right, it is not repeated.)
Config defaults() {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  Config config;
  config.delivery.schedule = {seconds(5), seconds(30), minutes(2), minutes(15), hours(1), hours(5), hours(10)};
  config.plan.first_response = {{"in_the_moment", minutes(15)}, {"default", hours(4)}};
  return config;
}

ConfigResult read_document(nlohmann::json document, const std::filesystem::path& file, const Overrides& overrides) {
  Findings findings(file.string());
  const Place place{file.parent_path()};
  const std::set<std::string> expanded = expand(document, place.directory, findings);

  LoadedConfig loaded{defaults(), {}};
  Config& config = loaded.config;
  config.file = file;
  {
    Object root(Value(document, "", findings, expanded));
    root.find("$schema");  // for editors
    KnownNames names;
    std::size_t concurrency = CallbackConfig().concurrency;
    read_server(root, place, overrides, config);
    read_limits(root, config);
    read_operation(root, place, config);
    read_delivery(root, place, concurrency, config);
    read_sources(root, place, names, config);
    read_teams(root, concurrency, names, config);
    if (root.find("clocks")) config.plan.first_response.clear();
    read_routing(root, names, config);
    if (!names.callback_teams.empty() && config.public_url.empty()) {
      root.place("public_url")
          .warn(
              "missing, so the links in callbacks (ack_url) lead to the address listened on, which others may not "
              "reach");
    }
  }
  if (!findings.errors().empty()) return std::move(findings.errors());
  loaded.warnings = std::move(findings.warnings());
  return loaded;
}

}  // namespace

std::string to_string(const Finding& finding) {
  std::string text = finding.file.empty() ? "configuration" : finding.file;
  text += ": ";
  if (!finding.pointer.empty()) text += finding.pointer + ": ";
  return text + finding.message;
}

ConfigResult parse_config(std::string_view text, const std::filesystem::path& file, const Overrides& overrides) {
  auto document = parse_written_json(text);
  if (!document) return one_finding(file, document.error().detail);
  return read_document(std::move(*document), file, overrides);
}

ConfigResult load_config(const std::filesystem::path& file, const Overrides& overrides) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return one_finding(file, "expected a file, found a directory");
  std::ifstream in(file, std::ios::binary);
  if (!in) return one_finding(file, std::string("cannot read the file: ") + std::generic_category().message(errno));
  std::string text;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kFileBytes) return one_finding(file, "expected at most 16 MiB");
  }
  if (in.bad()) return one_finding(file, "cannot read the file to its end");
  return parse_config(text, file, overrides);
}

ConfigResult default_config(const Overrides& overrides) {
  return read_document(nlohmann::json::object(), {}, overrides);
}

std::vector<deliver::Endpoint> endpoints(const Config& config) {
  std::vector<deliver::Endpoint> out;
  for (const TeamConfig& team : config.teams) {
    if (!team.callback) continue;
    const CallbackConfig& callback = *team.callback;
    out.push_back(deliver::callback_endpoint(team.name, callback.url, callback.keys, callback.concurrency));
  }
  return out;
}

void throw_exception_from_error(const std::vector<Finding>& findings, const boost::source_location& where) {
  throw std::logic_error(std::string("unchecked findings at ") + where.file_name() + ": " +
                         (findings.empty() ? "none" : to_string(findings.front())));
}

}  // namespace triage::app
