// The posts that are to be judged again.
#include "store/database.h"

namespace triage::store {
namespace {

const Sql kAsk("INSERT OR IGNORE INTO second_looks (score, post_id) VALUES (?, ?)");
const Sql kEnd("DELETE FROM second_looks WHERE score = ? AND post_id = ?");
const Sql kFirst("SELECT score, post_id FROM second_looks ORDER BY score DESC LIMIT ?");
// Along the index on the ids, which ascend with time.
const Sql kJudged(
    "SELECT id, urgency FROM posts WHERE id > ? AND state = 'judged' AND moment IS NOT NULL AND received_at >= ?"
    " ORDER BY id LIMIT ?");

}  // namespace

void Database::ask_second_look(const SecondLook& look) {
  c_.use(kAsk).bind(look.score, look.post).exec();
}

void Database::end_second_look(const SecondLook& look) {
  c_.use(kEnd).bind(look.score, look.post).exec();
}

std::vector<SecondLook> Database::second_looks(std::size_t limit) {
  std::vector<SecondLook> looks;
  auto row = c_.use(kFirst);
  row.bind(limit);
  while (row.step()) {
    SecondLook look;
    look.score = static_cast<int>(row.integer());
    look.post = row.id<PostId>();
    looks.push_back(look);
  }
  return looks;
}

Asked Database::ask_second_looks(Time since, const std::optional<PostId>& after, std::size_t limit) {
  std::vector<SecondLook> looks;
  {
    auto row = c_.use(kJudged);
    row.bind(after ? after->view() : std::string_view(), since, limit);
    while (row.step()) {
      SecondLook look;
      look.post = row.id<PostId>();
      look.score = static_cast<int>(row.real());
      looks.push_back(look);
    }
  }
  for (const SecondLook& look : looks) ask_second_look(look);
  Asked asked;
  asked.posts = looks.size();
  if (!looks.empty()) asked.last = looks.back().post;
  return asked;
}

}  // namespace triage::store
