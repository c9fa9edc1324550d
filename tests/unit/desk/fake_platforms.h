// Platforms that take every reply and give every text, or say why not.
#pragma once

#include <optional>
#include <string>

#include "triage/desk/platforms.h"

namespace triage::desk {

struct FakePlatforms : Platforms {
  Result<std::string> plan_reply(const Post& to, std::string_view text, const ReplyId& id) const override {
    if (reply_error) return *reply_error;
    return "reply " + id.str() + " to " + to.native_id + ": " + std::string(text);
  }
  Result<std::string> plan_fetch(const Post& pending) const override {
    if (fetch_error) return *fetch_error;
    return "fetch " + pending.native_id + " " + pending.id.str();
  }

  std::optional<Error> reply_error, fetch_error;
};

}  // namespace triage::desk
