// ${NAME} and {"file": PATH} in a configuration. What they give is put in place before anything is read, and remembered
// as something that must not be shown.
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "app/config_reader.h"

namespace triage::app {
namespace {

using nlohmann::json;

constexpr std::size_t kFileBytes = 1024 * 1024;

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  if (text.empty() || !letter(text.front())) return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

class Expander {
 public:
  Expander(const std::filesystem::path& directory, Findings& findings) : directory_(directory), findings_(findings) {}

  void walk(json& value, const std::string& pointer) {
    if (value.is_string()) return expand_text(value.get_ref<std::string&>(), pointer);
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) walk(value[i], pointer + '/' + std::to_string(i));
    } else if (value.is_object()) {
      if (value.size() == 1 && value.contains("file")) {
        value = read_file(value["file"], pointer);
        expanded_.insert(pointer);
        return;
      }
      for (auto& [name, member] : value.items()) walk(member, pointer + '/' + pointer_token(name));
    }
  }

  std::set<std::string> take() { return std::move(expanded_); }

 private:
  void fault(const std::string& value, const std::string& place, std::string message) {
    findings_.fail(place, std::move(message));
    findings_.close(value);
  }

  void expand_text(std::string& text, const std::string& pointer) {
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", from)) {
      if (at > from && text[at - 1] == '$') {  // "$${" stands for "${"
        out.append(text, from, at - 1 - from).append("${");
        from = at + 2;
        continue;
      }
      out.append(text, from, at - from);
      const std::size_t end = text.find('}', at);
      const std::string name = end == std::string::npos ? "" : text.substr(at + 2, end - at - 2);
      if (!is_name(name)) {
        fault(pointer, pointer,
              "expected ${NAME} with the name of an environment variable (a literal \"${\" is \"$${\")");
        return;
      }
      expanded_.insert(pointer);
      const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing here sets any
      if (value == nullptr) {
        fault(pointer, pointer, "the environment variable " + name + " is not set");
      } else {
        out.append(value);
      }
      from = end + 1;
    }
    if (from == 0) return;
    out.append(text, from);
    text = std::move(out);
    if (expanded_.count(pointer) != 0 && !is_text(text)) {
      fault(pointer, pointer, "what the environment gives is not UTF-8 text");
      text.clear();
    }
  }

  json read_file(const json& path, const std::string& pointer) {
    if (!path.is_string() || path.get_ref<const std::string&>().empty()) {
      fault(pointer, pointer + "/file", "expected the path of a file whose content is the value");
      return "";
    }
    const std::filesystem::path file = directory_ / path.get_ref<const std::string&>();
    std::ifstream in(file, std::ios::binary);
    std::string text(kFileBytes + 1, '\0');
    if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad() || std::filesystem::is_directory(file)) {
      fault(pointer, pointer + "/file",
            "cannot read " + file.string() + ": " +
                (std::filesystem::is_directory(file) ? "it is a directory" : std::generic_category().message(errno)));
      return "";
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kFileBytes || !is_text(text)) {
      fault(pointer, pointer + "/file", "expected a file of UTF-8 text, at most 1 MiB");
      return "";
    }
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  // Whatever is put into the document must be something that a JSON document can hold.
  static bool is_text(const std::string& text) {
    try {
      (void)json(text).dump();
      return text.find('\0') == std::string::npos;
    } catch (const json::exception&) {
      return false;
    }
  }

  const std::filesystem::path& directory_;
  Findings& findings_;
  std::set<std::string> expanded_;
};

}  // namespace

std::set<std::string> expand(json& document, const std::filesystem::path& directory, Findings& findings) {
  Expander expander(directory, findings);
  expander.walk(document, "");
  return expander.take();
}

}  // namespace triage::app
