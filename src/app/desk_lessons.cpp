#include "app/desk_lessons.h"

#include "triage/store/store.h"

namespace triage::app {

Result<DeskLessons> read_desk_lessons(const DataPlace& place, unsigned weight) {
  const auto found = find_data(place);
  if (!found) return make_error(ErrorCode::bad_request, "the configuration is at fault");
  auto session = store::open_session(found->directory, false);
  if (!session) return session.error();
  std::vector<store::CorrectedPost> corrected;
  const Result<void> done = (*session)->read([&](store::Reader& reader) { corrected = reader.corrections(); });
  if (!done) return done.error();
  DeskLessons lessons;
  for (store::CorrectedPost& one : corrected) {
    classify::LabelledPost post;
    // Without a dash: they belong to no part of a corpus.
    post.id = "correction " + std::to_string(one.correction.seq);
    post.post = std::move(one.post);
    post.moment = one.correction.labels.moment;
    post.actionable = one.correction.labels.actionable;
    post.intent = one.correction.labels.intent;
    post.topic = one.correction.labels.topic;
    post.urgency = one.correction.labels.urgency;
    post.weight = weight;
    lessons.posts.push_back(std::move(post));
    lessons.numbers.push_back(one.correction.seq);
  }
  return lessons;
}

}  // namespace triage::app
