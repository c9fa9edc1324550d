// The names of the kinds of post on the wire.
#include "triage/model/post.h"

#include "model/names.h"

namespace triage {
namespace {

constexpr Names<PostKind, 6> kPostKinds{{{PostKind::post, "post"},
                                         {PostKind::mention, "mention"},
                                         {PostKind::comment, "comment"},
                                         {PostKind::reply, "reply"},
                                         {PostKind::direct_message, "direct_message"},
                                         {PostKind::review, "review"}}};

}  // namespace

std::string_view to_string(PostKind kind) {
  return name_of(kPostKinds, kind);
}
std::optional<PostKind> parse_post_kind(std::string_view text) {
  return value_of(kPostKinds, text);
}

}  // namespace triage
