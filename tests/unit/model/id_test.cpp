#include "triage/model/id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace triage {
namespace {

TEST(Id, IsAUuidOfVersionSevenThatBeginsWithItsTime) {
  const auto id = PostId::make(from_millis(0x0123456789AB));
  EXPECT_TRUE(is_uuid(id.view()));
  EXPECT_EQ(id.view().substr(0, 15), "01234567-89ab-7");
  EXPECT_NE(std::string_view("89ab").find(id.view()[19]), std::string_view::npos);
}

TEST(Id, AscendsWithinAMillisecondAndBeyond) {
  const Time now = wall_clock_now();
  PostId last = PostId::make(now);
  for (int i = 0; i < 20'000; ++i) {
    const PostId next = PostId::make(now + Duration(i / 10'000));
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Id, IsNeverMadeTwiceByThreadsOfTheSameMillisecond) {
  const Time now = wall_clock_now();
  std::vector<std::vector<CaseId>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids, now] {
      for (int i = 0; i < 5'000; ++i) ids.push_back(CaseId::make(now));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string_view> all;
  for (const auto& ids : made) {
    for (const auto& id : ids) all.insert(id.view());
  }
  EXPECT_EQ(all.size(), 20'000U);
}

TEST(Id, IsReadInEitherCaseAndWrittenInLower) {
  const auto id = PostId::parse("0190F5C8-1A2B-7C3D-8E4F-A0B1C2D3E4F5");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->str(), "0190f5c8-1a2b-7c3d-8e4f-a0b1c2d3e4f5");
}

TEST(Id, RefusesWhatIsNotAUuid) {
  for (const char* text : {"", "0190f5c8-1a2b-7c3d-8e4f-a0b1c2d3e4f", "0190f5c8-1a2b-7c3d-8e4f-a0b1c2d3e4f55",
                           "0190f5c81a2b-7c3d-8e4f-a0b1-c2d3e4f5", "g190f5c8-1a2b-7c3d-8e4f-a0b1c2d3e4f5",
                           "{190f5c8-1a2b-7c3d-8e4f-a0b1c2d3e4f}", "0190f5c8-1a2b-7c3d-8e4f_a0b1c2d3e4f5"}) {
    EXPECT_FALSE(PostId::parse(text)) << text;
  }
}

TEST(Id, OfATimeBeforeTheEpochIsStillAUuid) {
  EXPECT_EQ(PostId::make(from_millis(-5)).view().substr(0, 15), "00000000-0000-7");
}

}  // namespace
}  // namespace triage
