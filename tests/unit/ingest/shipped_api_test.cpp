// Each shipped source that can reply makes requests to the configured platform of the posts of its own fixtures, or
// says why not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "platform.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

json file_of(const std::string& use) {
  return json::parse(read_file(std::string(TRIAGED_SOURCE_DIR) + "/config/sources/" + use + ".json"));
}

std::vector<std::string> sources_with(const char* key) {
  std::vector<std::string> out;
  for (const auto& use : shipped_source_names()) {
    if (file_of(use).contains(key)) out.push_back(use);
  }
  return out;
}

// With every secret; each address that may be configured is one of its own: "api_url" is https://api-url.example.
SourceConfig addressed(const std::string& use) {
  SourceConfig config = config_for(use);
  const auto file = must(shipped_source(use));
  for (const auto& secret : file->secret_names()) config.secrets.emplace(secret, std::vector{std::string(kSigningKey)});
  for (const auto& setting : file->setting_names()) {
    if (!setting.ends_with("_url")) continue;
    std::string host = setting;
    std::replace(host.begin(), host.end(), '_', '-');
    config.settings[setting] = "https://" + host + ".example";
  }
  return config;
}

std::vector<Event> events_of(const Source& source, const std::string& use) {
  std::vector<Event> out;
  for (const auto& entry : std::filesystem::directory_iterator(fixture_path(use, ""))) {
    const std::string name = entry.path().stem().string();
    if (name.ends_with(".expected") || name == "config" || name == "hostile") continue;
    Request request;
    request.body = read_file(entry.path());
    const auto mapped = map_payload(source, name, request);
    if (mapped) out.insert(out.end(), mapped->events.begin(), mapped->events.end());
  }
  return out;
}

void expect_request(const Outgoing& request, const std::string& use) {
  const auto host = AnyOf(StartsWith("https://api-url.example/"), StartsWith("https://reply-url.example"),
                          StartsWith("https://threads-url.example/"));
  EXPECT_THAT(request.url, host) << use;
  EXPECT_TRUE(std::all_of(request.url.begin(), request.url.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
      << request.url;
  EXPECT_TRUE(request.body.empty() || header_of(request, "Content-Type")) << use;
}

// Whatever a platform may say before: the ids of things.
const Said kBefore{200, R"({"id": "1", "conversationId": "2", "posts": [{"uri": "at://u", "cid": "c"}]})", {}};

class ShippedReplies : public testing::TestWithParam<std::string> {};

TEST_P(ShippedReplies, AreRequestsToTheConfiguredPlatform) {
  const auto source = bind(addressed(GetParam()));
  const Api& api = *source->api();
  const Session session{"session-token", std::nullopt};
  int requests = 0;
  for (const Event& event : events_of(*source, GetParam())) {
    if (event.kind != EventKind::post && event.kind != EventKind::pending) continue;
    const auto planned = api.plan_reply(event.post, "Thank you, we look into it.", kReplyId);
    if (!planned) {
      EXPECT_EQ(planned.error().code, ErrorCode::unprocessable);
      EXPECT_THAT(planned.error().detail,
                  AnyOf(HasSubstr("no rule for replies to this post"), HasSubstr("cannot be sent: ")))
          << event.post.native_id;
      continue;
    }
    for (const auto& [name, values] : source->config().secrets) {
      for (const auto& value : values) EXPECT_THAT(*planned, testing::Not(HasSubstr(value))) << name;
    }
    EXPECT_EQ(api.subject_of(*planned), kReplyId);
    const auto attempt = must(api.attempt(*planned, false, nullptr));
    std::string sent;
    if (!attempt->acts()) {
      const Outgoing before = must(attempt->next(&session, now())).value();
      expect_request(before, GetParam());
      sent = before.url + before.body;
      attempt->answered(kBefore.incoming(), now());
    }
    ASSERT_TRUE(attempt->acts());
    const Outgoing request = must(attempt->next(&session, now())).value();
    expect_request(request, GetParam());
    EXPECT_THAT(request.method, AnyOf("POST", "PUT"));
    EXPECT_THAT(sent + request.url + request.body, testing::ContainsRegex("Thank(%20|[+ ])you"));
    ++requests;
  }
  EXPECT_GT(requests, 0) << "no post of its fixtures can be answered";
}

TEST_P(ShippedReplies, WithoutASecretForThemSayWhich) {
  SourceConfig config = addressed(GetParam());
  const json secrets = file_of(GetParam()).value("secrets", json::object());
  const bool relay = config.settings.contains("reply_url");
  if (relay) config.secrets.erase("signing_key");  // what comes may be signed in another way
  bool any = relay;
  for (const auto& secret : secrets.items()) {
    if (relay || secret.value().value("required", false) || secret.key() == "push_token" ||
        secret.key() == "hub_secret" || secret.key() == "webhook_secret" || secret.key() == "api_key") {
      continue;
    }
    any |= config.secrets.erase(secret.key()) > 0;
  }
  if (!any) GTEST_SKIP() << "what it must have for webhooks is all that it needs";
  const auto bound = must(shipped_source(GetParam()))->bind(config);
  if (!bound) return;  // nothing can come in either, which is said when it is set up
  for (const Event& event : events_of(**bound, GetParam())) {
    if (event.kind != EventKind::post) continue;
    const auto planned = (*bound)->api()->plan_reply(event.post, "x", kReplyId);
    ASSERT_FALSE(planned) << event.post.native_id;
    EXPECT_THAT(planned.error().detail, AnyOf(HasSubstr("is not set up for it: among its secrets there is no "),
                                              HasSubstr("no rule for replies to this post")));
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, ShippedReplies, testing::ValuesIn(sources_with("replies")), [](const auto& one) {
  std::string name = one.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

class ShippedPulls : public testing::TestWithParam<std::string> {};

TEST_P(ShippedPulls, AskTheConfiguredPlatform) {
  SourceConfig config = addressed(GetParam());
  const auto file = must(shipped_source(GetParam()));
  for (const auto& name : file->setting_names()) {
    if (!config.settings.contains(name) && name != "visibility") config.settings[name] = name + " & co";
  }
  if (GetParam() == "feed") config.settings["url"] = "https://api-url.example/feed.xml";
  const auto source = bind(config);
  const Api& api = *source->api();
  const json pulls = file_of(GetParam()).at("pulls");
  EXPECT_EQ(api.pulls().size(), pulls.size()) << "the configuration has all that they need";
  const Session session{"session-token", std::nullopt};
  for (std::size_t i = 0; i < api.pulls().size(); ++i) {
    for (const std::string cursor : {"", "\"2026-11-22T09:00:00Z\"", "17"}) {
      const Outgoing request = must(api.pull_request(i, {cursor, "\"e\"", ""}, "", &session, now()));
      EXPECT_EQ(request.method, "GET");
      EXPECT_THAT(request.url, AnyOf(StartsWith("https://api-url.example/"))) << pulls[i];
      EXPECT_EQ(header_of(request, "If-None-Match"), "\"e\"");
      EXPECT_THAT(must(api.pull_request(i, {cursor, "", ""}, "\"next/page\"", &session, now())).url,
                  StartsWith("https://api-url.example/"));
    }
    if (api.pulls()[i].stream) {
      EXPECT_THAT(must(api.stream_request(i, {}, &session, now())).url, StartsWith("https://streaming-url.example/"));
    }
    if (api.pulls()[i].session) {
      const Outgoing login = must(api.session_request(*api.pulls()[i].session, now()));
      EXPECT_THAT(login.url, AnyOf(StartsWith("https://token-url.example"), StartsWith("https://api-url.example/")));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, ShippedPulls, testing::ValuesIn(sources_with("pulls")), [](const auto& one) {
  std::string name = one.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace triage::ingest::test
