// Each payload in tests/fixtures/<source>/ (.json, .xml or .form) becomes exactly what its .expected.json says. After a
// change that is meant, run with TRIAGED_WRITE_EXPECTED=1 to write them anew, and read the difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support.h"
#include "triage/model/json.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;

json to_document(const Mapped& mapped) {
  json events = json::array();
  for (const auto& event : mapped.events) {
    json out = {{"event", outcome_of(event.kind)}};
    to_json(out["post"], event.post);
    for (const auto* key : {"id", "source", "received_at"}) out["post"].erase(key);
    if (!event.kind_known) {
      out["kind_known"] = false;
      out["post"].erase("kind");
    }
    if (!event.shared_native.empty()) out["shared_native"] = event.shared_native;
    events.push_back(std::move(out));
  }
  return {{"events", events}, {"ignored", mapped.ignored}, {"ignored_kinds", mapped.ignored_kinds}};
}

struct Fixture {
  std::string use;
  std::string name;
  std::string extension;
  friend std::ostream& operator<<(std::ostream& out, const Fixture& one) { return out << one.use << '/' << one.name; }
};

std::vector<Fixture> all_fixtures() {
  std::vector<Fixture> out;
  for (const auto& use : shipped_source_names()) {
    if (!std::filesystem::is_directory(fixture_path(use, ""))) continue;
    for (const auto& entry : std::filesystem::directory_iterator(fixture_path(use, ""))) {
      const auto extension = entry.path().extension();
      const std::string name = entry.path().stem().string();
      if (extension != ".json" && extension != ".xml" && extension != ".form") continue;
      if (name.ends_with(".expected") || name == "config") continue;
      out.push_back({use, name, extension.string()});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Fixture& a, const Fixture& b) { return std::tie(a.use, a.name) < std::tie(b.use, b.name); });
  return out;
}

std::string test_name(const testing::TestParamInfo<Fixture>& one) {
  std::string name = one.param.use + "_" + one.param.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class EveryPayload : public testing::TestWithParam<Fixture> {};

TEST_P(EveryPayload, BecomesTheEventsThatStandBesideIt) {
  const auto source = bind(config_for(GetParam().use));
  const std::string body = read_file(fixture_path(GetParam().use, GetParam().name + GetParam().extension));
  const std::string expected_path = fixture_path(GetParam().use, GetParam().name + ".expected.json");

  // The way of a request: signed, verified, mapped.
  Request request;
  request.body = body;
  if (can_be_signed(*source)) {
    request = signed_request(*source, body);
    ASSERT_TRUE(source->verify(request.delivery(), now()));
  }
  const Mapped mapped = must(map_payload(*source, GetParam().name, request));
  const json found = to_document(mapped);

  for (const auto& event : mapped.events) {
    EXPECT_EQ(event.post.source, source->config().name);
    EXPECT_FALSE(event.post.platform.empty());
    EXPECT_FALSE(event.post.native_id.empty());
    EXPECT_EQ(event.post.received_at, now());
    EXPECT_NE(event.post.created_at, Time{});
  }
  if (std::getenv("TRIAGED_WRITE_EXPECTED") != nullptr) {
    std::ofstream(expected_path) << found.dump(2) << '\n';
    return;
  }
  EXPECT_EQ(found, json::parse(read_file(expected_path))) << found.dump(2);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, EveryPayload, testing::ValuesIn(all_fixtures()), test_name);

}  // namespace
}  // namespace triage::ingest::test
