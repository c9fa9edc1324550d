#include "triage/desk/replies.h"

#include <algorithm>
#include <utility>

#include "desk/event_log.h"
#include "desk/outbox.h"
#include "triage/desk/case_rules.h"
#include "triage/desk/escalations.h"

namespace triage::desk {

using store::DeliveryRecord;
using store::PostRecord;
using store::PostState;
using store::ReplyRecord;
using store::ReplyState;

namespace {

// What platforms leave of a text: they put mentions before it, shorten its links and change its white space.
std::string words_of(std::string_view text) {
  std::string out;
  bool leading = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    const bool link = word.starts_with("http://") || word.starts_with("https://");
    if (word.empty() || link || (leading && word.starts_with('@'))) continue;
    leading = false;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// Where the reply stands in the thread: what answers it finds the case by it.
void put_in_thread(store::Writer& writer, const ReplyRecord& reply, const PostRecord& to, Time now, Effects& effects) {
  const Post& post = to.post;
  PostRecord own;
  own.state = PostState::own;
  own.case_id = reply.case_id;
  own.post.id = PostId::make(now);
  own.post.source = post.source;
  own.post.platform = post.platform;
  own.post.kind = post.kind == PostKind::direct_message ? PostKind::direct_message : PostKind::reply;
  own.post.native_id = reply.native_id;
  own.post.text = reply.text;
  own.post.created_at = now;
  own.post.received_at = now;
  own.post.url = reply.url;
  own.post.in_reply_to = post.native_id;
  own.post.conversation_id = post.conversation_id.empty() ? post.native_id : post.conversation_id;
  own.post.brand_account = post.brand_account;
  for (const auto& known : writer.find_posts(post.source, post.platform, reply.native_id)) {
    if (known.state == PostState::own) return;
    if (known.kind != own.post.kind && !known.any_kind) continue;
    // The platform was quicker. What it told by its id only needs no fetching any more; what it deleted stays deleted.
    auto pending = known.state == PostState::pending ? writer.post(known.id) : std::nullopt;
    if (!pending) return;
    become_own(writer, *pending, now, effects);
    own.post.id = known.id;
    writer.update_post(own);
    return;
  }
  writer.insert_post(own);
}

// What has arrived is not sent again, whatever its delivery had come to.
void end_delivery(store::Writer& writer, const DeliveryId& id, Time now) {
  auto d = writer.delivery(id);
  if (!d || d->state == store::DeliveryState::delivered) return;
  d->state = store::DeliveryState::delivered;
  d->done_at = now;
  writer.update_delivery(*d);
}

}  // namespace

Result<ReplyRecord> order_reply(store::Writer& writer, const Policy& policy, const store::CaseRecord& c,
                                const WantedReply& wanted, Time now, Effects& effects) {
  ReplyRecord reply;
  reply.id = ReplyId::make(now);
  reply.case_id = c.id;
  reply.post = wanted.to->post.id;
  reply.source = wanted.to->post.source;
  reply.at = now;
  reply.token = wanted.token;
  reply.name = wanted.name;
  reply.text = wanted.text;
  if (!policy.platforms) return make_error(ErrorCode::unprocessable, "replies are not set up");
  auto body = policy.platforms->plan_reply(wanted.to->post, wanted.text, reply.id);
  if (!body) return body.error();

  DeliveryRecord d;
  d.to = store::to_source(reply.source);
  d.type = "reply";
  d.case_id = c.id;
  d.body = std::move(*body);
  reply.delivery = put_in_outbox(writer, std::move(d), now, effects);
  writer.insert_reply(reply);
  return reply;
}

void reply_sent(store::Writer& writer, const ReplyId& id, const std::string& native_id, const std::string& url,
                Time now, Effects& effects) {
  auto reply = writer.reply(id);
  if (!reply) return;
  const bool known = reply->state == ReplyState::sent;
  const bool tells_more = (!native_id.empty() && reply->native_id != native_id) || (!url.empty() && reply->url != url);
  if (known && !tells_more) return;
  reply->state = ReplyState::sent;
  if (!native_id.empty()) reply->native_id = native_id;
  if (!url.empty()) reply->url = url;
  if (!reply->sent_at) reply->sent_at = now;
  reply->error.clear();
  writer.update_reply(*reply);
  end_delivery(writer, reply->delivery, now);
  const auto to = writer.post(reply->post);
  if (to && !reply->native_id.empty()) put_in_thread(writer, *reply, *to, now, effects);
  if (known) return;

  auto c = writer.find_case(reply->case_id);
  if (!c) return;
  add_reply(*c, now, now);
  writer.clear_due(store::DueKind::first_response, c->id.view());
  writer.update_case(*c);
  log_event(writer, c->id, now, "reply.sent", reply->name, {{"reply", id.str()}, {"native_id", reply->native_id}});
  effects.queue = true;
}

void reply_not_sent(store::Writer& writer, const ReplyId& id, ReplyState state, const std::string& error, Time now,
                    Effects& effects) {
  auto reply = writer.reply(id);
  if (!reply || reply->state == ReplyState::sent) return;
  const bool over = state != ReplyState::waiting && reply->state != state;
  reply->state = state;
  reply->error = error;
  writer.update_reply(*reply);
  if (!over) return;
  // The customer is still not answered: the case's clock has not stopped, and its holder should know.
  log_event(writer, reply->case_id, now, state == ReplyState::failed ? "reply.failed" : "reply.unknown", "system",
            {{"reply", id.str()}, {"error", error}});
  if (auto c = writer.find_case(reply->case_id)) {
    c->updated_at = now;
    writer.update_case(*c);
  }
  effects.queue = true;
}

Result<void> retry_reply(store::Writer& writer, const DeliveryId& delivery, const std::string& by, Time now) {
  auto reply = writer.reply_of_delivery(delivery);
  if (!reply) return {};
  if (reply->state == ReplyState::sent)
    return make_error(ErrorCode::conflict, "the reply arrived: it stands in the case");
  reply->state = ReplyState::waiting;
  reply->error.clear();
  writer.update_reply(*reply);
  log_event(writer, reply->case_id, now, "reply.retried", by, {{"reply", reply->id.str()}});
  return {};
}

void withdraw_replies(store::Writer& writer, const CaseId& id, const PostId& post, Time now, Effects& effects) {
  for (const ReplyRecord& reply : writer.replies_of_case(id)) {
    if (reply.post != post || reply.state != ReplyState::waiting) continue;
    auto d = writer.delivery(reply.delivery);
    if (!d || d->state != store::DeliveryState::waiting) continue;
    d->state = store::DeliveryState::cancelled;
    d->done_at = now;
    d->last_error = "the customer deleted the post that it answers";
    writer.update_delivery(*d);
    reply_not_sent(writer, reply.id, ReplyState::failed, d->last_error, now, effects);
  }
}

std::optional<ReplyRecord> reply_of_own_post(store::Reader& reader, const CaseId& id, const Post& own) {
  const auto replies = reader.replies_of_case(id);
  const auto by_id = std::find_if(replies.begin(), replies.end(), [&](const ReplyRecord& reply) {
    return reply.source == own.source && reply.native_id == own.native_id;
  });
  if (by_id != replies.end()) return *by_id;
  const std::string words = words_of(own.text);
  if (words.empty()) return std::nullopt;  // a picture alone is no proof
  const auto by_words = std::find_if(replies.begin(), replies.end(), [&](const ReplyRecord& reply) {
    return reply.native_id.empty() && reply.source == own.source && words_of(reply.text) == words;
  });
  if (by_words != replies.end()) return *by_words;
  return std::nullopt;
}

void become_own(store::Writer& writer, PostRecord& post, Time now, Effects& effects) {
  const auto shown_on = std::exchange(post.case_id, std::nullopt);
  post.state = PostState::own;
  post.verdict.reset();
  writer.update_post(post);
  auto c = shown_on ? writer.find_case(*shown_on) : std::nullopt;
  if (!c) return;
  const auto posts = writer.posts_of_case(c->id);
  const auto newest = std::find_if(posts.rbegin(), posts.rend(), speaks);
  if (newest != posts.rend()) {
    if (c->newest_post == post.post.id) c->newest_post = newest->post.id;
    rejudge(*c, posts, now);
  } else if (c->state == store::CaseState::fresh) {
    end_escalations(writer, c->id, "the post was our own", now);
    close_unactionable(*c, now);
    writer.clear_due(store::DueKind::first_response, c->id.view());
    log_event(writer, c->id, now, "closed", "system", {{"why", "its post was our own"}});
  }
  writer.update_case(*c);
  effects.queue = true;
}

}  // namespace triage::desk
