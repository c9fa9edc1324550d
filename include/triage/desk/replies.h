// The brand's answers: those that agents write here and a platform takes, and those that it made elsewhere. Each call
// changes rows inside the writer's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/store/store.h"

namespace triage::desk {

// Orders a reply to a post of the case `c`, which the caller has read and writes back. Errors are those of
// Platforms::plan_reply.
struct WantedReply {
  const store::PostRecord* to = nullptr;
  std::string text;
  TokenId token;
  std::string name;  // the token's
};
Result<store::ReplyRecord> order_reply(store::Writer& writer, const Policy& policy, const store::CaseRecord& c,
                                       const WantedReply& wanted, Time now, Effects& effects);

// The platform took it: it stands in the thread as our own post, the case is answered, and its delivery is over. Does
// nothing the second time.
void reply_sent(store::Writer& writer, const ReplyId& id, const std::string& native_id, const std::string& url,
                Time now, Effects& effects);

// It has not gone. waiting: it will be tried again; failed, unknown: not by itself.
void reply_not_sent(store::Writer& writer, const ReplyId& id, store::ReplyState state, const std::string& error,
                    Time now, Effects& effects);

// Somebody wants a reply tried again whose delivery is over. conflict: it arrived.
Result<void> retry_reply(store::Writer& writer, const DeliveryId& delivery, const std::string& by, Time now);

// The customer deleted a post: what was to answer it and has not left is not sent.
void withdraw_replies(store::Writer& writer, const CaseId& id, const PostId& post, Time now, Effects& effects);

// Our own post came from the platform: the reply of that case that it is, if any. By the platform's id, else by its
// words among those not known to have arrived.
std::optional<store::ReplyRecord> reply_of_own_post(store::Reader& reader, const CaseId& id, const Post& own);

// A post that was known by its id only is our own. It is stored as such and belongs to no case any more; the one on
// which it was shown to agents goes by what else is there, and is closed when there is nothing.
void become_own(store::Writer& writer, store::PostRecord& post, Time now, Effects& effects);

}  // namespace triage::desk
