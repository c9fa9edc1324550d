// The queue: its order, its filters, and what can be claimed.
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

class QueueTest : public StoreTest {
 protected:
  // Cases by a letter each.
  std::vector<std::pair<char, CaseId>> names_;

  void add(char name, const std::function<void(CaseRecord&)>& shape) {
    CaseRecord c = sample_case();
    shape(c);
    names_.emplace_back(name, c.id);
    must_write(*store_, [&](Writer& w) { w.insert_case(c); });
  }
  std::string letters(const std::vector<CaseId>& ids) {
    std::string out;
    for (const auto& id : ids) {
      for (const auto& [name, known] : names_) {
        if (known == id) out += name;
      }
    }
    return out;
  }
  std::string queue(const QueueFilter& filter = {}, std::size_t limit = 100) {
    return letters(ask([&](Reader& r) { return r.queue(filter, limit); }));
  }
  std::string claimable(const QueueFilter& filter = {}, std::size_t limit = 100) {
    return letters(ask([&](Reader& r) { return r.claimable(filter, kNow, limit); }));
  }
};

TEST_F(QueueTest, TheMostPressingStandsFirst) {
  const auto shape = [](Priority priority, int due_minutes, double urgency, bool overdue = false) {
    return [=](CaseRecord& c) {
      c.priority = priority;
      c.urgency = urgency;
      c.overdue = overdue;
      c.first_response_due.reset();
      if (due_minutes >= 0) c.first_response_due = after(std::chrono::minutes(due_minutes));
    };
  };
  // In the order in which they belong: band, then the clock that ends first (none last), then urgency, then id.
  add('a', shape(Priority::critical, 1, 80));
  add('b', shape(Priority::high, 2, 60, true));  // overdue: one band higher
  add('c', shape(Priority::critical, 3, 95));
  add('d', shape(Priority::critical, 5, 90));
  add('e', shape(Priority::critical, 5, 85, true));  // there is no higher band
  add('f', shape(Priority::critical, -1, 99));
  add('g', shape(Priority::high, 1, 60));
  add('h', shape(Priority::normal, 2, 21, true));
  add('i', shape(Priority::normal, 1, 30));
  add('j', shape(Priority::normal, 1, 30));  // by id, which ascends
  add('k', shape(Priority::low, 0, 5));
  EXPECT_EQ(queue(), "abcdefghijk");
  EXPECT_EQ(queue({}, 3), "abc");
  EXPECT_EQ(queue({}, 0), "");
}

TEST_F(QueueTest, OnlyOpenCasesStandInTheQueueAndTheyMoveWithTheirState) {
  for (const auto& [name, state] : {std::pair{'n', CaseState::fresh}, std::pair{'c', CaseState::claimed},
                                    std::pair{'u', CaseState::waiting_customer}, std::pair{'o', CaseState::waiting_ops},
                                    std::pair{'r', CaseState::resolved}, std::pair{'x', CaseState::closed}}) {
    add(name, [state = state](CaseRecord& c) { c.state = state; });
  }
  EXPECT_EQ(queue(), "ncuo");
  must_write(*store_, [&](Writer& w) {
    auto resolved = *w.find_case(names_[0].second);
    resolved.state = CaseState::resolved;
    w.update_case(resolved);
    auto reopened = *w.find_case(names_[4].second);
    reopened.state = CaseState::fresh;
    reopened.priority = Priority::critical;
    w.update_case(reopened);
  });
  EXPECT_EQ(queue(), "rcuo");
}

TEST_F(QueueTest, AFilterKeepsTheOrderAndTakesOnlyWhatMatches) {
  const TokenId ann = TokenId::make(kNow);
  add('a', [](CaseRecord& c) { c.team = "care"; });
  add('b', [](CaseRecord& c) { c.team = "vip"; });
  add('c', [](CaseRecord& c) { c.moment = Moment::after_the_fact; });
  add('d', [](CaseRecord& c) {
    c.priority = Priority::critical;
    c.urgency = 90;
  });
  add('e', [](CaseRecord& c) { c.platform = "facebook"; });
  add('f', [](CaseRecord& c) { c.site = "LHR-T5"; });
  add('g', [](CaseRecord& c) { c.topic = Topic::billing; });
  add('h', [](CaseRecord& c) { c.language = "de"; });
  add('i', [&](CaseRecord& c) {
    c.state = CaseState::claimed;
    c.claim = Claim{ann, "Ann", after(std::chrono::minutes(5))};
  });
  add('j', [](CaseRecord& c) { c.state = CaseState::waiting_ops; });
  const auto with = [&](auto set) {
    QueueFilter filter;
    set(filter);
    return queue(filter);
  };
  EXPECT_EQ(queue(), "dabcefghij");
  EXPECT_EQ(with([](QueueFilter& f) { f.teams = {"vip"}; }), "b");
  EXPECT_EQ(with([](QueueFilter& f) { f.teams = {"vip", "care"}; }), "dabcefghij");
  EXPECT_EQ(with([](QueueFilter& f) { f.teams = {"nobody"}; }), "");
  EXPECT_EQ(with([](QueueFilter& f) { f.moment = Moment::after_the_fact; }), "c");
  EXPECT_EQ(with([](QueueFilter& f) { f.min_urgency = 80; }), "d");
  EXPECT_EQ(with([](QueueFilter& f) { f.priority = {Priority::critical, Priority::low}; }), "d");
  EXPECT_EQ(with([](QueueFilter& f) { f.platform = {"facebook"}; }), "e");
  EXPECT_EQ(with([](QueueFilter& f) { f.site = {"LHR-T5", "LGW"}; }), "f");
  EXPECT_EQ(with([](QueueFilter& f) { f.topic = {Topic::billing}; }), "g");
  EXPECT_EQ(with([](QueueFilter& f) { f.language = {"de", "fr"}; }), "h");
  EXPECT_EQ(with([](QueueFilter& f) { f.assignee = "Ann"; }), "i");
  EXPECT_EQ(with([&](QueueFilter& f) { f.assignee = ann.str(); }), "i");
  EXPECT_EQ(with([](QueueFilter& f) { f.assignee = "none"; }), "dabcefghj");
  EXPECT_EQ(with([](QueueFilter& f) { f.state = {CaseState::waiting_ops, CaseState::claimed}; }), "ij");
  EXPECT_EQ(with([](QueueFilter& f) { f.state = {CaseState::resolved}; }), "");
  EXPECT_EQ(with([](QueueFilter& f) {
              f.teams = {"care"};
              f.platform = {"x"};
              f.topic = {Topic::queue};
              f.min_urgency = 60;
              f.moment = Moment::in_the_moment;
              f.language = {"en"};
              f.state = {CaseState::fresh};
              f.assignee = "none";
            }),
            "daf");
  EXPECT_EQ(with([](QueueFilter& f) { f.teams = {"'; DROP TABLE cases; --"}; }), "");
}

TEST_F(QueueTest, ACaseUnderALeaseIsGivenToNoOneElseUntilItEnds) {
  add('a', [](CaseRecord& c) { c.priority = Priority::critical; });
  add('b', [](CaseRecord& c) { c.claim = Claim{TokenId::make(kNow), "Ann", after(std::chrono::milliseconds(1))}; });
  add('c', [](CaseRecord& c) { c.claim = Claim{TokenId::make(kNow), "Ann", kNow}; });
  add('d', [](CaseRecord& c) { c.state = CaseState::claimed; });
  add('e', [](CaseRecord& c) { c.state = CaseState::waiting_ops; });
  add('f', [](CaseRecord& c) { c.team = "vip"; });
  EXPECT_EQ(claimable(), "acf");
  EXPECT_EQ(claimable({}, 1), "a");
  QueueFilter vip;
  vip.teams = {"vip"};
  EXPECT_EQ(claimable(vip), "f");
}

TEST_F(QueueTest, ItemsComeInTheOrderAskedForAndGoneOnesAreLeftOut) {
  CaseRecord c = sample_case(), bare = sample_case();
  auto post = sample_post("1");
  must_write(*store_, [&](Writer& w) {
    c.author = w.upsert_author("x", {"77", "ann", "Ann", {}, {}}, kNow).id;
    c.newest_post = post.post.id;
    post.case_id = c.id;
    w.insert_post(post);
    w.insert_case(c);
    w.insert_case(bare);
  });
  const auto items = ask([&](Reader& r) { return r.queue_items({bare.id, CaseId::make(kNow), c.id}); });
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].c.id, bare.id);
  EXPECT_FALSE(items[0].author);
  EXPECT_EQ(items[1].c.id, c.id);
  EXPECT_EQ(items[1].newest.post.text, post.post.text);
  EXPECT_EQ(items[1].author->author.handle, "ann");
}

}  // namespace
}  // namespace triage::store::testing
