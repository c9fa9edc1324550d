#include "app/classify_lines.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "triage/model/json.h"

namespace triage::app {
namespace {

using nlohmann::json;

std::string written(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string refused(const json& id, const Error& error) {
  json out = json::object();
  if (!id.is_null()) out["id"] = id;
  std::string detail = error.detail;
  json fields = json::array();
  for (const FieldError& field : error.fields) fields.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
  out["error"] = detail;
  if (!fields.empty()) out["errors"] = fields;
  return written(out);
}

std::string judged(const classify::Classifier& judge, const Post& post, const json& id) {
  // Time is the post's own: the same line gets the same verdict tomorrow.
  const Verdict verdict =
      classify::weigh(judge.judge(post, post.created_at), post, Context{}, classify::FactorWeights{});
  json out = verdict;
  if (!id.is_null()) out["id"] = id;
  return written(out);
}

}  // namespace

std::string classify_line(const classify::Classifier& judge, std::string_view line, bool& valid) {
  valid = false;
  Result<json> read = parse_json(line);
  if (!read) return refused(nullptr, read.error());
  json& object = *read;
  if (!object.is_object()) {
    return refused(
        nullptr, make_error(ErrorCode::unprocessable, "expected an object, found " + std::string(object.type_name())));
  }
  const auto named = object.find("id");
  const json id = named == object.end() ? json() : *named;
  const auto text = object.find("text");
  if (text == object.end() || !text->is_string()) {
    return refused(id, make_error(ErrorCode::unprocessable, "expected a field \"text\" with a string"));
  }
  // A line needs no id of a platform and may be empty, where a webhook's post may not: both are lent for the reading.
  const bool empty = text->get_ref<const std::string&>().empty();
  if (empty) *text = "-";
  if (!object.contains("native_id")) object["native_id"] = "line";
  Result<Post> post = post_from_json(object, "");
  if (!post) return refused(id, post.error());
  if (empty) post->text.clear();
  valid = true;
  return judged(judge, *post, id);
}

bool classify_lines(const classify::Classifier& judge, std::istream& in, std::ostream& out) {
  bool all = true;
  std::string line;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    bool valid = false;
    out << classify_line(judge, line, valid) << '\n';
    if (in.rdbuf()->in_avail() <= 0) out.flush();  // an interactive reader gets its answer at once
    all = all && valid;
  }
  out.flush();
  return all;
}

std::string classify_text(const classify::Classifier& judge, std::string_view text) {
  Post post;
  post.text = std::string(text);
  return judged(judge, post, nullptr);
}

}  // namespace triage::app
