// POST /v1/cases/{id}/reply: an agent's answer, on its way to the platform. It is in the outbox when this is answered.
#include <algorithm>

#include "desk/calls.h"
#include "desk/case_json.h"
#include "desk/case_write.h"
#include "desk/event_log.h"
#include "triage/desk/replies.h"

namespace triage::desk {

using store::PostRecord;
using store::PostState;

namespace {

Error not_answerable(const char* pointer, std::string what) {
  return Error{ErrorCode::unprocessable, "the reply cannot be sent", {{pointer, std::move(what)}}, {}};
}

// The post that is answered: the one named, or else the customer's newest.
Result<PostRecord> post_meant(store::Reader& reader, const CaseId& id, const std::optional<PostId>& named) {
  std::vector<PostRecord> posts = reader.posts_of_case(id);
  const auto answerable = [](const PostRecord& p) {
    return p.state == PostState::judged || p.state == PostState::pending;
  };
  if (named) {
    const auto it = std::find_if(posts.begin(), posts.end(), [&](const PostRecord& p) { return p.post.id == *named; });
    if (it == posts.end()) return not_answerable("/post", "expected the id of a post of this case");
    if (it->state == PostState::deleted) return not_answerable("/post", "this post was deleted by its author");
    if (!answerable(*it)) return not_answerable("/post", "expected a post of the customer");
    return std::move(*it);
  }
  const auto it = std::find_if(posts.rbegin(), posts.rend(), answerable);
  if (it == posts.rend()) return not_answerable("/post", "the customer deleted every post of this case");
  return std::move(*it);
}

}  // namespace

boost::asio::awaitable<Answer> reply_to_case(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const std::string text = fields->required_text("text", 64 * 1024);
  const auto post_text = fields->text("post");
  std::optional<PostId> named;
  if (post_text) {
    named = PostId::parse(*post_text);
    if (!named) fields->fault("post", "expected the id of a post of this case");
  }
  if (auto faults = fields->faults()) co_return *faults;

  Change change = [id = *id, text, named, caller = call.caller, if_match = if_match_of(call.request), now = call.now,
                   policy = call.policy](store::Writer& writer, Effects& effects) -> Answer {
    auto c = for_write(writer, id, caller, if_match, now);
    if (!c) return c.error();
    const auto to = post_meant(writer, id, named);
    if (!to) return to.error();
    const WantedReply wanted{&*to, text, caller.token, caller.name};
    const auto reply = order_reply(writer, *policy, *c, wanted, now, effects);
    if (!reply) return reply.error();
    // Who answers holds the case, so that nobody else answers it meanwhile.
    const bool free = !c->claim || c->claim->until <= now;
    if (free && is_open(c->state)) {
      take_claim(writer, *c, caller, now + policy->lease, now, effects);
    } else {
      c->updated_at = now;
      renew(writer, *c, caller, policy->lease, now, effects);
      writer.update_case(*c);
    }
    effects.queue = true;
    const auto after = writer.find_case(id);
    return with_etag(json_response(202, reply_json(*reply)), after->version);
  };
  auto committing = commit(call, std::move(change));
  co_return co_await std::move(committing);
}

}  // namespace triage::desk
