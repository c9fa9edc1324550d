// Whatever a signed body holds, mapping it ends in events that keep the promises of a post, or in a clear error.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support.h"
#include "triage/model/json.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;

void expect_sound(const Mapped& mapped) {
  EXPECT_LE(mapped.ignored_kinds.size(), 32u);
  for (const auto& kind : mapped.ignored_kinds) EXPECT_LE(kind.size(), 64u);
  for (const auto& event : mapped.events) {
    const Post& post = event.post;
    EXPECT_FALSE(post.native_id.empty());
    EXPECT_FALSE(post.platform.empty());
    EXPECT_NE(post.created_at, Time{});
    EXPECT_GE(post.revision, 0);
    const Geo geo = post.geo.value_or(Geo());
    EXPECT_EQ(geo.lat.has_value(), geo.lon.has_value());
    const double rating = post.rating.value_or(1);
    EXPECT_TRUE(rating >= 1 && rating <= 5);
    if (event.kind == EventKind::share) {
      EXPECT_FALSE(event.shared_native.empty());
    }
    if (event.kind == EventKind::post || event.kind == EventKind::own_post) {
      EXPECT_TRUE(!post.text.empty() || !post.media.empty() || post.rating);
    }
    json document;
    to_json(document, post);
    EXPECT_NO_THROW(document.dump()) << "invalid UTF-8 would throw";
  }
}

// Every node of the document replaced by `with`, one after the other.
template <class Try>
void replace_each(json& document, json& node, const json& with, const Try& attempt) {
  if (node.is_structured()) {
    for (auto& child : node) replace_each(document, child, with, attempt);
  }
  json kept = with;
  std::swap(node, kept);
  attempt(document);
  std::swap(node, kept);
}

TEST(HostileBodies, EveryValueOfEveryPayloadMayBeMissingNullOrOfAnotherType) {
  const json deep = json::parse(std::string(100, '[') + std::string(100, ']'));
  const std::vector<json> instead{nullptr,        7,   -1.5e300, true, "", "\u202e\U0001F6EB<script>", json::array(),
                                  json::object(), deep};
  std::size_t bodies = 0;
  for (const auto& use : shipped_source_names()) {
    const json file = json::parse(read_file(std::string(TRIAGED_SOURCE_DIR) + "/config/sources/" + use + ".json"));
    if (!file.contains("events") || !std::filesystem::is_directory(fixture_path(use, ""))) continue;
    const auto source = bind(config_for(use));
    for (const auto& entry : std::filesystem::directory_iterator(fixture_path(use, ""))) {
      const std::string path = entry.path().string();
      if (!path.ends_with(".json") || path.ends_with(".expected.json") || path.ends_with("/config.json")) continue;
      json document = json::parse(read_file(path));
      const json original = document;
      for (const auto& with : instead) {
        replace_each(document, document, with, [&](const json& changed) {
          Request request;
          request.body = changed.dump();
          if (request.body.size() > 20'000) return;
          const auto mapped = map_payload(*source, entry.path().stem().string(), request);
          ASSERT_TRUE(mapped) << path;
          expect_sound(*mapped);
          ++bodies;
        });
        if (HasFatalFailure()) return;
      }
      ASSERT_EQ(document, original);
    }
  }
  EXPECT_GT(bodies, 5'000u);
}

TEST(HostileBodies, EveryPrefixOfAPayloadIsRefusedAsNotJson) {
  const std::string body = json::parse(read_file(fixture_path("x", "mention.json"))).dump();
  const auto source = bind("x");
  for (std::size_t size = 0; size < body.size(); ++size) {
    Request request;
    request.body = body.substr(0, size);
    const auto mapped = source->map(request.delivery(), now());
    ASSERT_FALSE(mapped) << size;
    EXPECT_EQ(mapped.error().code, ErrorCode::bad_request);
  }
}

TEST(HostileBodies, DeepNestingAndInvalidUtf8AreBadRequests) {
  for (const std::string use : {"generic", "x", "meta"}) {
    const auto source = bind(use);
    for (const std::string& body :
         {std::string(100'000, '['),
          "{\"tweet_create_events\":" + std::string(1000, '[') + std::string(1000, ']') + "}",
          std::string("{\"a\":\"\xc3\x28\"}"), std::string("\0\0\0", 3), std::string("\xef\xbb\xbf")}) {
      Request request;
      request.body = body;
      const auto mapped = source->map(request.delivery(), now());
      ASSERT_FALSE(mapped);
      EXPECT_EQ(mapped.error().code, ErrorCode::bad_request);
    }
  }
}

TEST(HostileBodies, IgnoredKindsAreFewShortAndSafeToLog) {
  json events = json::array();
  for (int i = 0; i < 200; ++i) {
    events.push_back({{"type", "a\nb\x1b[31m" + std::to_string(i) + std::string(300, 'x')}});
  }
  const Mapped mapped = map(*bind("x"), json{{"direct_message_events", events}}.dump());
  EXPECT_EQ(mapped.ignored, 200);
  EXPECT_EQ(mapped.ignored_kinds.size(), 32u);
  for (const auto& kind : mapped.ignored_kinds) {
    EXPECT_LE(kind.size(), 64u);
    EXPECT_EQ(kind.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-?"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace triage::ingest::test
