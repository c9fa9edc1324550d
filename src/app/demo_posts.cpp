#include "app/demo_posts.h"

#include "triage/model/json.h"

namespace triage::app {

using nlohmann::json;

namespace {

Error at_line(std::size_t line, const std::string& what) {
  return make_error(ErrorCode::unprocessable, "line " + std::to_string(line) + ": " + what);
}

Result<DemoPost> parse_line(std::string_view text, std::size_t line) {
  auto parsed = parse_json(text);
  if (!parsed) return at_line(line, parsed.error().detail);
  json post = std::move(*parsed);
  DemoPost out;
  for (const auto& [key, target] : {std::pair("at", &out.at), std::pair("source", &out.source)}) {
    const auto it = post.find(key);
    if (it == post.end() || !it->is_string()) return at_line(line, std::string(key) + ": expected a string");
    *target = it->get<std::string>();
    post.erase(it);
  }
  if (const auto it = post.find("age"); it != post.end()) {
    const auto age = parse_duration(it->is_string() ? it->get_ref<const std::string&>() : std::string());
    if (!age) return at_line(line, "age: " + age.error().detail);
    out.age = *age;
    post.erase(it);
  }
  const auto valid = post_from_json(post, "");
  if (!valid) {
    const auto& fields = valid.error().fields;
    return at_line(line, fields.empty() ? valid.error().detail : fields[0].pointer + ": " + fields[0].detail);
  }
  out.post = std::move(post);
  return out;
}

}  // namespace

Result<std::vector<DemoPost>> parse_demo_posts(std::string_view jsonl) {
  std::vector<DemoPost> posts;
  for (std::size_t line = 1; !jsonl.empty(); ++line) {
    const std::size_t end = std::min(jsonl.find('\n'), jsonl.size());
    if (end > 0) {
      auto post = parse_line(jsonl.substr(0, end), line);
      if (!post) return post.error();
      posts.push_back(std::move(*post));
    }
    jsonl.remove_prefix(std::min(end + 1, jsonl.size()));
  }
  return posts;
}

std::string demo_body(const DemoPost& post, std::string_view round, Time now) {
  json body = post.post;
  const auto renew = [round](json& object, const char* key) {
    const auto it = object.find(key);
    if (it != object.end()) *it = it->get<std::string>() + "." + std::string(round);
  };
  for (const char* key : {"native_id", "in_reply_to", "conversation_id"}) renew(body, key);
  const auto author = body.find("author");
  // The brand stays the brand.
  if (author != body.end() && author->value("native_id", "") != post.source) renew(*author, "native_id");
  body["created_at"] = format_time(now - post.age);
  return body.dump();
}

std::string demo_config(std::string_view text, std::string_view callbacks, std::string_view secret,
                        std::string_view key) {
  std::string out(text);
  const std::pair<std::string_view, std::string_view> values[] = {
      {"${TRIAGED_DEMO_CALLBACKS}", callbacks}, {"${TRIAGED_DEMO_SECRET}", secret}, {"${TRIAGED_DEMO_KEY}", key}};
  for (const auto& [name, value] : values) {
    for (std::size_t at = out.find(name); at != std::string::npos; at = out.find(name, at + value.size())) {
      out.replace(at, name.size(), value);
    }
  }
  return out;
}

}  // namespace triage::app
