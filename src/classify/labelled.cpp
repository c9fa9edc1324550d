// Labelled posts from files: TSV and JSON lines.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "classify/files.h"
#include "triage/classify/training.h"
#include "triage/model/json.h"

#define TRIAGED_CORPUS(name)                  \
  extern const char triage_embedded_##name[]; \
  extern const char triage_embedded_##name##_end[];
extern "C" {
TRIAGED_CORPUS(corpus)
TRIAGED_CORPUS(corpus_es)
TRIAGED_CORPUS(corpus_fr)
TRIAGED_CORPUS(corpus_de)
TRIAGED_CORPUS(corpus_pt)
TRIAGED_CORPUS(corpus_it)
TRIAGED_CORPUS(corpus_nl)
}
#undef TRIAGED_CORPUS

namespace triage::classify {
namespace {

constexpr std::string_view kMoments = "in_the_moment, after_the_fact or neither";

bool set_moment(Labels& labels, std::string_view value) {
  if (value != "in_the_moment" && value != "after_the_fact" && value != "neither") return false;
  labels.moment = std::string(value);
  return true;
}

bool set_intent(Labels& labels, std::string_view value) {
  return (labels.intent = parse_intent(value)).has_value();
}
bool set_topic(Labels& labels, std::string_view value) {
  return (labels.topic = parse_topic(value)).has_value();
}

bool set_actionable(Labels& labels, std::string_view value) {
  if (value != "0" && value != "1" && value != "true" && value != "false") return false;
  labels.actionable = value == "1" || value == "true";
  return true;
}

bool set_urgency(Labels& labels, std::string_view value) {
  if (value.size() != 1 || value[0] < '0' || value[0] > '3') return false;
  labels.urgency = value[0] - '0';
  return true;
}

struct Label {
  std::string_view name;
  bool (*set)(Labels&, std::string_view);
  std::string_view expected;
};

constexpr Label kLabels[] = {
    {"moment", set_moment, kMoments},
    {"intent", set_intent, "complaint, request, question, praise or other"},
    {"actionable", set_actionable, "0 or 1"},
    {"urgency", set_urgency, "0, 1, 2 or 3"},
    {"topic", set_topic, "delay, queue, staff, product, outage, delivery, billing, booking, safety or other"},
};

Error at_line(const std::filesystem::path& file, std::size_t line, std::string_view column, const std::string& what) {
  std::string detail = file.string() + ", line " + std::to_string(line);
  if (!column.empty()) detail += ", column " + std::string(column);
  return make_error(ErrorCode::unprocessable, detail + ": " + what);
}

std::string shown(std::string_view value) {
  constexpr std::size_t kMost = 40;
  return '"' + std::string(value.substr(0, kMost)) + (value.size() > kMost ? "…\"" : "\"");
}

std::vector<std::string_view> cut(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

Result<std::vector<LabelledPost>> read_tsv(const std::filesystem::path& file, std::string_view bytes) {
  std::vector<LabelledPost> posts;
  std::vector<std::string_view> header;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) {
      header = cut(line, '\t');
      if (std::find(header.begin(), header.end(), "text") == header.end()) {
        return at_line(file, 1, "", "expected a header row with a column \"text\", found " + shown(line));
      }
      continue;
    }
    if (line.empty()) continue;
    const std::vector<std::string_view> fields = cut(line, '\t');
    if (fields.size() != header.size()) {
      return at_line(file, number, "",
                     "expected " + std::to_string(header.size()) + " fields as in the header, found " +
                         std::to_string(fields.size()));
    }
    LabelledPost post;
    for (std::size_t i = 0; i < header.size(); ++i) {
      const std::string_view value = fields[i];
      if (header[i] == "text") post.post.text = std::string(value);
      if (header[i] == "id") post.id = std::string(value);
      if (header[i] == "language") post.post.language = std::string(value);
      if (value.empty()) continue;
      for (const Label& label : kLabels) {
        const bool own = header[i] == label.name;
        const bool second = header[i].size() == label.name.size() + 7 && header[i].starts_with(label.name) &&
                            header[i].ends_with("_reader");
        if (!own && !second) continue;
        if (!label.set(own ? post : post.reader, value)) {
          return at_line(file, number, header[i],
                         "expected " + std::string(label.expected) + ", found " + shown(value));
        }
      }
    }
    posts.push_back(std::move(post));
  }
  if (number == 0) return at_line(file, 1, "", "expected a header row, found an empty file");
  return posts;
}

// "" where all is well, or what was expected.
std::string labels_from_json(const nlohmann::json& in, Labels& labels, std::string& name) {
  if (!in.is_object()) return "expected an object of labels";
  for (const Label& label : kLabels) {
    name = label.name;
    const auto it = in.find(label.name);
    if (it == in.end() || it->is_null()) continue;
    const std::string value = it->is_string() ? it->get<std::string>() : it->dump();
    if (!label.set(labels, value)) return "expected " + std::string(label.expected) + ", found " + shown(value);
  }
  return {};
}

Result<std::vector<LabelledPost>> read_jsonl(const std::filesystem::path& file, std::string_view bytes) {
  std::vector<LabelledPost> posts;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<nlohmann::json> read = parse_json(line);
    if (!read) return at_line(file, number, "", read.error().detail);
    nlohmann::json& object = *read;
    if (!object.is_object()) return at_line(file, number, "", "expected an object");
    LabelledPost post;
    if (const auto id = object.find("id"); id != object.end() && id->is_string()) post.id = id->get<std::string>();
    if (!object.contains("native_id")) object["native_id"] = post.id.empty() ? std::to_string(number) : post.id;
    Result<Post> as_post = post_from_json(object, "");
    if (!as_post) {
      const Error& error = as_post.error();
      if (error.fields.empty()) return at_line(file, number, "", error.detail);
      return at_line(file, number, error.fields[0].pointer, error.fields[0].detail);
    }
    post.post = std::move(*as_post);
    for (const auto& [key, labels] :
         {std::pair<const char*, Labels*>{"labels", &post}, {"labels_reader", &post.reader}}) {
      const auto it = object.find(key);
      if (it == object.end()) continue;
      std::string name;
      const std::string problem = labels_from_json(*it, *labels, name);
      if (!problem.empty()) return at_line(file, number, std::string(key) + "/" + name, problem);
    }
    posts.push_back(std::move(post));
  }
  return posts;
}

}  // namespace

Result<std::vector<LabelledPost>> shipped_corpus() {
  struct Part {
    const char *begin, *end;
  };
  const Part parts[] = {{triage_embedded_corpus, triage_embedded_corpus_end},
                        {triage_embedded_corpus_es, triage_embedded_corpus_es_end},
                        {triage_embedded_corpus_fr, triage_embedded_corpus_fr_end},
                        {triage_embedded_corpus_de, triage_embedded_corpus_de_end},
                        {triage_embedded_corpus_pt, triage_embedded_corpus_pt_end},
                        {triage_embedded_corpus_it, triage_embedded_corpus_it_end},
                        {triage_embedded_corpus_nl, triage_embedded_corpus_nl_end}};
  std::vector<LabelledPost> posts;
  for (const Part& part : parts) {
    auto read = read_tsv("the shipped corpus", {part.begin, static_cast<std::size_t>(part.end - part.begin)});
    if (!read) return read;
    posts.insert(posts.end(), std::make_move_iterator(read->begin()), std::make_move_iterator(read->end()));
  }
  return posts;
}

Result<std::vector<LabelledPost>> read_labelled(const std::filesystem::path& file) {
  const std::string ending = file.extension().string();
  if (ending != ".tsv" && ending != ".jsonl") {
    return make_error(ErrorCode::bad_request, file.string() + ": expected a file that ends in .tsv or .jsonl");
  }
  Result<std::string> bytes = read_file(file);
  if (!bytes) return bytes.error();
  return ending == ".tsv" ? read_tsv(file, *bytes) : read_jsonl(file, *bytes);
}

}  // namespace triage::classify
