// What the store's tests share: a directory that goes away, a store in it, calls that wait, and sample records.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "triage/store/store.h"

namespace triage::store::testing {

inline const Time kNow = from_millis(1'795'340'000'000);  // 2026-11-22

inline Time after(std::chrono::milliseconds duration) {
  return kNow + duration;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "triaged-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TempDir() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path data() const { return path_ / "data"; }
  std::filesystem::path database() const { return data() / "triaged.db"; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<Store> open_or_throw(const Options& options) {
  auto opened = open(options);
  if (!opened) throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

inline Options options_in(const std::filesystem::path& directory) {
  Options options;
  options.directory = directory;
  options.busy_timeout = std::chrono::milliseconds(200);
  options.probe_every = std::chrono::milliseconds(50);
  return options;
}

struct Told {
  Committed outcome = Committed::failed;
  std::string detail;
};

inline std::future<Told> submit(Store& store, Store::Work work) {
  auto promise = std::make_shared<std::promise<Told>>();
  auto future = promise->get_future();
  store.write(std::move(work), [promise](Committed outcome, const std::string& detail) {
    promise->set_value({outcome, detail});
  });
  return future;
}

inline Told commit(Store& store, Store::Work work) {
  return submit(store, std::move(work)).get();
}

inline void must_write(Store& store, Store::Work work) {
  const Told told = commit(store, std::move(work));
  ASSERT_EQ(told.outcome, Committed::yes) << told.detail;
}

inline bool look(Store& store, Store::Read work) {
  std::promise<bool> promise;
  store.read(std::move(work), [&](bool ok, const std::string&) { promise.set_value(ok); });
  return promise.get_future().get();
}

// Holds the writer inside a work, so that what is submitted meanwhile shares the next commit.
class HeldWriter {
 public:
  explicit HeldWriter(Store& store) {
    auto entered = std::make_shared<std::promise<void>>();
    auto inside = entered->get_future();
    done_ = submit(store, [entered, opened = opened_.get_future().share()](Writer&) {
      entered->set_value();
      opened.wait();
    });
    inside.wait();
  }
  void release() {
    if (!released_) opened_.set_value();
    released_ = true;
  }
  ~HeldWriter() {
    release();
    done_.wait();
  }

 private:
  std::promise<void> opened_;
  std::future<Told> done_;
  bool released_ = false;
};

inline Verdict sample_verdict(double urgency = 62.5) {
  Verdict v;
  v.moment = Moment::in_the_moment;
  v.moment_confidence = 0.93;
  v.actionable = true;
  v.actionable_confidence = 0.97;
  v.intent = Intent::complaint;
  v.topic = Topic::queue;
  v.sentiment = -0.7;
  v.language = "en";
  v.text_urgency = urgency - 5;
  v.urgency = urgency;
  v.priority = priority_of(urgency);
  v.reasons = {{"moment", "stuck in", 0.41}, {"urgency", "miss \"our\" flight \\ \n\x01 ✈", -0.125}};
  v.model = "2026.11.1";
  return v;
}

inline PostRecord sample_post(const std::string& native_id, Time at = kNow) {
  PostRecord record;
  Post& p = record.post;
  p.id = PostId::make(at);
  p.source = "x-main";
  p.platform = "x";
  p.kind = PostKind::mention;
  p.native_id = native_id;
  p.text = "still stuck in the queue \"here\" 🛫 שלום";
  p.created_at = at;
  p.received_at = at;
  p.brand_account = "acme";
  record.verdict = sample_verdict();
  return record;
}

inline CaseRecord sample_case(Time at = kNow) {
  CaseRecord c;
  c.id = CaseId::make(at);
  c.team = "care";
  c.platform = "x";
  c.brand_account = "acme";
  c.moment = Moment::in_the_moment;
  c.priority = Priority::high;
  c.urgency = 62.5;
  c.intent = Intent::complaint;
  c.topic = Topic::queue;
  c.language = "en";
  c.actionable = true;
  c.opened_at = c.updated_at = c.last_post_at = at;
  c.newest_post = PostId::make(at);
  c.posts_since_reply = 1;
  c.waiting_since = at;
  c.first_response_due = at + std::chrono::minutes(15);
  c.decision.path = {"airport", "routes/0/routes/1"};
  c.decision.team = "care";
  c.decision.ladder = "ops";
  c.decision.rungs = {{std::chrono::seconds(0), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
  c.decision.site = SiteMatch{"LHR-T5", "alias \"Heathrow T5\""};
  c.decision.why = "airport-ops is called";
  c.decision.first_response = std::chrono::minutes(15);
  c.decision.first_response_rule = "in_the_moment";
  return c;
}

inline DeliveryRecord sample_delivery(const std::string& team, Time next = kNow) {
  DeliveryRecord d;
  d.id = DeliveryId::make(next);
  d.to = to_team(team);
  d.type = "escalation.raised";
  d.body = R"({"type":"escalation.raised"})";
  d.created_at = kNow;
  d.next_attempt_at = next;
  return d;
}

inline EscalationRecord sample_escalation(const CaseId& id) {
  EscalationRecord e;
  e.id = EscalationId::make(kNow);
  e.case_id = id;
  e.ladder = "ops";
  e.rungs = {{std::chrono::seconds(0), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
  e.reason = "in the moment, urgency 88";
  e.raised_at = kNow;
  e.ack_by = after(std::chrono::minutes(10));
  return e;
}

// A store in a directory of its own.
class StoreTest : public ::testing::Test {
 protected:
  TempDir dir_;
  std::unique_ptr<Store> store_ = open_or_throw(options_in(dir_.data()));

  void reopen() {
    store_.reset();
    store_ = open_or_throw(options_in(dir_.data()));
  }
  // Reads one thing.
  template <class Ask>
  auto ask(Ask question) {
    std::decay_t<decltype(question(std::declval<Reader&>()))> answer{};
    EXPECT_TRUE(look(*store_, [&](Reader& r) { answer = question(r); }));
    return answer;
  }
};

}  // namespace triage::store::testing
