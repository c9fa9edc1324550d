// What the tests of this room share: the shipped sources bound to test secrets, and requests to give them.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "triage/ingest/api.h"
#include "triage/ingest/source.h"

namespace triage::ingest::test {

inline constexpr std::string_view kConsumerSecret = "x-consumer-secret-of-the-tests";
inline constexpr std::string_view kAppSecret = "meta-app-secret-of-the-tests";
inline constexpr std::string_view kVerifyToken = "meta-verify-token-of-the-tests";
// base64 of "0123456789abcdef0123456789abcdef"
inline constexpr std::string_view kSigningKey = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

inline Time now() {
  return *parse_time("2026-11-22T09:30:05.000Z");
}

inline std::string describe(const Error& error) {
  std::string out = error.detail;
  for (const auto& field : error.fields) out += "\n  " + field.pointer + ": " + field.detail;
  return out;
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}

inline SourceConfig config_of(const std::string& use) {
  SourceConfig config;
  config.name = use + "-test";
  config.use = use;
  if (use == "x") {
    config.secrets["consumer_secret"] = {std::string(kConsumerSecret)};
    config.brand_account = "acme";
  } else if (use == "meta") {
    config.secrets["app_secret"] = {std::string(kAppSecret)};
    config.secrets["verify_token"] = {std::string(kVerifyToken)};
  } else if (use == "generic") {
    config.secrets["signing_key"] = {std::string(kSigningKey)};
    config.brand_account = "acme";
  } else {
    // Each secret that the file knows; this one is good for every scheme.
    const auto file = must(shipped_source(use));
    for (const auto& name : file->secret_names()) config.secrets[name] = {std::string(kSigningKey)};
    config.brand_account = "acme";
  }
  // What is polled of a platform that has no other way in.
  for (const auto& [source, setting] :
       {std::pair("app-store", "app"), std::pair("feed", "url"), std::pair("google-play", "package"),
        std::pair("tripadvisor", "location"), std::pair("yelp", "business")}) {
    if (use == source) config.settings[setting] = "https://example.com";
  }
  return config;
}

inline std::unique_ptr<Source> bind(const SourceConfig& config) {
  return must(must(shipped_source(config.use))->bind(config));
}

inline std::unique_ptr<Source> bind(const std::string& use) {
  return bind(config_of(use));
}

// Every field at fault, as "pointer: detail" lines.
inline std::string faults(const Error& error) {
  std::string out;
  for (const auto& field : error.fields) out += field.pointer + ": " + field.detail + "\n";
  return out;
}

// A request that owns what a Delivery only looks at.
struct Request {
  Headers headers;
  Headers query;
  std::string body;
  Delivery delivery() const { return {&headers, &query, body}; }
};

inline Request signed_request(const Source& source, std::string body, Time at = now()) {
  Request request;
  request.headers = must(sign(source, body, at, "msg_1"));
  request.body = std::move(body);
  return request;
}

// Where the secret stands in the address, there is no header to sign with.
inline bool can_be_signed(const Source& source) {
  return static_cast<bool>(sign(source, "", now(), "msg_1"));
}

// As a webhook, or as a page that was polled where the payload's name says that: those may be written in another way.
inline Result<Mapped> map_payload(const Source& source, const std::string& name, const Request& request) {
  auto mapped = source.map(request.delivery(), now());
  if (mapped || !name.starts_with("pull-") || source.api() == nullptr) return mapped;
  const Headers none;
  for (std::size_t i = 0; i < source.api()->pulls().size(); ++i) {
    Page page = source.api()->read_page(i, {}, "", Incoming{200, &none, request.body}, now());
    if (page.taken == Taken::yes) return std::move(page.mapped);
  }
  return mapped;
}

inline Mapped map(const Source& source, const std::string& body) {
  Request request;
  request.body = body;
  return must(source.map(request.delivery(), now()));
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string fixture_path(const std::string& use, const std::string& name) {
  return std::string(TRIAGED_SOURCE_DIR) + "/tests/fixtures/" + use + "/" + name;
}

// With what config.json beside the payloads says of it, where there is one: {"brand_account": "…", "settings": {…}}.
inline SourceConfig config_for(const std::string& use) {
  SourceConfig config = config_of(use);
  const std::string path = fixture_path(use, "config.json");
  if (!std::filesystem::exists(path)) return config;
  const auto said = nlohmann::json::parse(read_file(path));
  config.brand_account = said.value("brand_account", config.brand_account);
  const auto settings = said.value("settings", nlohmann::json::object());
  for (const auto& setting : settings.items()) {
    config.settings[setting.key()] = setting.value().get<std::string>();
  }
  return config;
}

}  // namespace triage::ingest::test
