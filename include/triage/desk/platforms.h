// What the desk asks of the platforms that posts come from, without knowing any of them. The application answers with
// its sources.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "triage/model/error.h"
#include "triage/model/post.h"

namespace triage::desk {

class Platforms {
 public:
  virtual ~Platforms() = default;

  // The body of the delivery that answers `to`. unprocessable: the source cannot answer such a post (says what is
  // missing), or with "/text" among its fields: the text is longer than the platform takes.
  virtual Result<std::string> plan_reply(const Post& to, std::string_view text, const ReplyId& id) const = 0;

  // The body of the delivery that fetches the text of `pending`; the error says why the source cannot.
  virtual Result<std::string> plan_fetch(const Post& pending) const = 0;
};

}  // namespace triage::desk
