// A small platform for the tests of what a source asks of its own, and the calls that are made of it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "support.h"
#include "triage/ingest/api.h"

namespace triage::ingest::test {

inline constexpr std::string_view kToken = "the-token-of-the-tests";

inline nlohmann::json mini_file() {
  return nlohmann::json::parse(R"({
    "name": "mini", "platform": "mini",
    "secrets": {"key": {}, "token": {}, "token_secret": {}, "user": {}, "password": {}},
    "settings": {"api_url": {"default": "https://api.mini.example"}, "place": {}},
    "signatures": [{"scheme": "hmac", "secret": "key", "header": "x-mini"}],
    "events": [{"each": ["/items"], "rules": [{"event": "post", "fields": {"native_id": "/id", "text": "/text"}}]}],
    "api": {"base": {"config": "api_url"}},
    "replies": [{"call": {"method": "POST", "path": "/say", "json": {"object": {"text": "/text"}}},
                 "native_id": "/id", "url": "/url"}]
  })");
}

// The same with these in place of what stands there; null takes away.
inline nlohmann::json mini_file(const std::string& pointer, const std::string& value) {
  nlohmann::json file = mini_file();
  file[nlohmann::json::json_pointer(pointer)] = nlohmann::json::parse(value);
  return file;
}

inline SourceConfig mini_config() {
  SourceConfig config;
  config.name = "mini-test";
  config.use = "mini";
  config.secrets = {{"key", {std::string(kSigningKey)}},
                    {"token", {std::string(kToken), "an-older-one"}},
                    {"token_secret", {"the-token-secret-of-the-tests"}},
                    {"user", {"ann"}},
                    {"password", {"p:w\u00e9"}}};
  config.brand_account = "acme";
  return config;
}

inline std::unique_ptr<Source> mini(const nlohmann::json& file, SourceConfig config = mini_config()) {
  return must(must(parse_source_file("mini", file.dump()))->bind(std::move(config)));
}

inline Post a_post() {
  Post post;
  post.id = PostId::make(now());
  post.source = "mini-test";
  post.platform = "mini";
  post.kind = PostKind::comment;
  post.native_id = "77";
  post.text = "Where is my bag?";
  post.created_at = now() - std::chrono::hours(1);
  post.received_at = now();
  post.author = Author{"5", "ann", "Ann", {}, {}};
  post.url = "https://mini.example/77";
  return post;
}

inline std::optional<std::string> header_of(const Outgoing& request, std::string_view name) {
  std::optional<std::string> out;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    if (out) throw std::runtime_error("two headers " + key);
    out = value;
  }
  return out;
}

inline constexpr std::string_view kReplyId = "0199c0de-0000-7000-8000-000000000001";

inline std::unique_ptr<Attempt> attempt_of(const Source& source, const Post& to = a_post(),
                                           std::string_view text = "On its way", bool earlier = false) {
  return must(source.api()->attempt(must(source.api()->plan_reply(to, text, kReplyId)), earlier, nullptr));
}

// The request that a reply is.
inline Outgoing reply_request(const Source& source, const Post& to = a_post(), std::string_view text = "On its way",
                              const Session* session = nullptr) {
  auto request = must(attempt_of(source, to, text)->next(session, now()));
  if (!request) throw std::runtime_error("there is no request");
  return std::move(*request);
}

// An answer of the platform, which owns what an Incoming only looks at.
struct Said {
  int status = 200;
  std::string body;
  Headers headers;
  Incoming incoming() const { return {status, &headers, body}; }
};

// What the platform's answer to a reply means.
inline Reading reading_of(const Source& source, const Said& said, bool earlier = false) {
  const auto attempt = attempt_of(source, a_post(), "On its way", earlier);
  must(attempt->next(nullptr, now()));
  attempt->answered(said.incoming(), now());
  if (must(attempt->next(nullptr, now()))) throw std::runtime_error("there is another request");
  return attempt->result();
}

}  // namespace triage::ingest::test
