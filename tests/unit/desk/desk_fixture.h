// A desk on a real database in a temporary directory, with a small brand: care, two ops teams, a ladder, a site.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "triage/desk/case_rules.h"
#include "triage/desk/escalations.h"
#include "triage/desk/intake.h"
#include "triage/store/store.h"

namespace triage::desk {

class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "triaged-desk-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    store::Options options;
    options.directory = directory_;
    auto opened = store::open(options);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
    set_plan(plan());
  }

  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  static route::Plan plan() {
    route::Plan plan;
    plan.team = "care";
    route::Route live;
    live.name = "live";
    live.match.min_urgency = 55;
    live.escalate = "ops";
    plan.routes.push_back(live);
    plan.ladders["ops"] = {{Duration::zero(), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
    plan.first_response["default"] = std::chrono::hours(4);
    return plan;
  }

  void set_plan(route::Plan wanted) {
    auto policy = std::make_shared<Policy>(std::move(wanted));
    policy->teams["care"];
    for (const char* team : {"airport-ops", "duty-manager"}) policy->teams[team].has_callback = true;
    policy->public_url = "https://care.example.com";
    policy->link_key = std::string(32, 'k');
    policy_ = policy;
  }

  // Runs `work` as one unit of work and waits until it is durable.
  template <class F>
  void write(F work) {
    std::promise<std::pair<store::Committed, std::string>> done;
    store_->write([&](store::Writer& writer) { work(writer); },
                  [&](store::Committed outcome, const std::string& detail) {
                    done.set_value({outcome, detail});
                  });
    const auto [outcome, detail] = done.get_future().get();
    ASSERT_EQ(outcome, store::Committed::yes) << detail;
  }

  Post post(const std::string& native_id, const std::string& author = "77") {
    Post p;
    p.id = PostId::make(now_);
    p.source = "x-main";
    p.platform = "x";
    p.kind = PostKind::mention;
    p.native_id = native_id;
    p.text = "stuck at the gate";
    p.created_at = now_;
    p.received_at = now_;
    p.brand_account = "acme";
    if (!author.empty()) p.author = Author{author, "ann", "Ann", 120, false};
    return p;
  }

  static Verdict verdict(double urgency, bool actionable = true) {
    Verdict v;
    v.moment = urgency >= 55 ? Moment::in_the_moment : Moment::after_the_fact;
    v.moment_confidence = 0.9;
    v.actionable = actionable;
    v.actionable_confidence = 0.9;
    v.intent = Intent::complaint;
    v.topic = Topic::queue;
    v.language = "en";
    v.text_urgency = urgency;
    v.urgency = urgency;
    v.priority = priority_of(urgency);
    v.model = "test";
    return v;
  }

  Admitted admit_event(Event event, std::optional<Verdict> v) {
    Admitted out;
    write([&](store::Writer& writer) {
      effects_ = {};
      out = admit(writer, *policy_, Judged{event, v}, now_, effects_);
    });
    return out;
  }

  Admitted say(const Post& p, const Verdict& v) {
    Event event;
    event.post = p;
    return admit_event(event, v);
  }

  store::CaseRecord case_of(const Admitted& admitted) {
    store::CaseRecord out;
    write([&](store::Writer& writer) { out = writer.find_case(admitted.case_id.value()).value(); });
    return out;
  }

  std::vector<store::EscalationRecord> escalations_of(const CaseId& id) {
    std::vector<store::EscalationRecord> out;
    write([&](store::Writer& writer) { out = writer.escalations_of_case(id); });
    return out;
  }

  std::vector<store::DeliveryRecord> deliveries(std::optional<store::DeliveryState> state = std::nullopt) {
    std::vector<store::DeliveryRecord> out;
    write([&](store::Writer& writer) { out = writer.deliveries(state, std::nullopt, store::Page{100, ""}); });
    return out;
  }

  // Carries out what is due at now_, as the timetable does.
  void switch_off(const std::string& team) {
    write([&](store::Writer& writer) {
      writer.set_endpoint({team, false, "the endpoint answered 410 Gone, repeatedly", now_});
    });
  }

  void run_clock() {
    write([&](store::Writer& writer) {
      effects_ = {};
      for (const auto& due : writer.due(now_, 100)) {
        writer.clear_due(due.kind, due.subject);
        when_due(writer, *policy_, due, now_, effects_);
      }
    });
  }

  Time now_ = from_millis(1'795'000'000'000);
  std::filesystem::path directory_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<Policy> policy_;
  Effects effects_;
};

}  // namespace triage::desk
