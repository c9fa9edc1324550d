#include "ingest/generic.h"

#include <nlohmann/json.hpp>

#include "ingest/text.h"
#include "triage/model/json.h"

namespace triage::ingest {
namespace {

using nlohmann::json;

constexpr std::size_t kMostFaults = 100;

// A post whose author is the account that it was said to.
bool is_own(const Post& post) {
  return !post.brand_account.empty() && post.author &&
         (same_ignoring_case(post.author->handle, post.brand_account) || post.author->native_id == post.brand_account);
}

Error fault(const std::string& at, std::string detail) {
  Error error = make_error(ErrorCode::unprocessable, "the request holds no posts that can be taken");
  error.fields.push_back({at, std::move(detail)});
  return error;
}

}  // namespace

Result<void> map_generic(const GenericSpec& spec, const json& body, const SourceConfig& config,
                         const std::string& platform, Time now, bool trace, Mapped& out) {
  const bool wrapped = body.is_object() && body.contains("posts");
  const json& posts = wrapped ? body["posts"] : body;
  const std::string at = wrapped ? "/posts" : "";
  const bool several = wrapped || body.is_array();
  if (!several && !body.is_object()) {
    return fault("", std::string("expected a post, an array of posts or {\"posts\": […]}, found ") + body.type_name());
  }
  if (several && !posts.is_array())
    return fault(at, std::string("expected an array of posts, found ") + posts.type_name());
  if (several && posts.size() > spec.max) {
    return fault(at, "expected at most " + std::to_string(spec.max) + " posts, found " + std::to_string(posts.size()));
  }

  std::vector<FieldError> faults;
  const std::size_t count = several ? posts.size() : 1;
  out.events.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string element = several ? at + '/' + std::to_string(i) : at;
    auto post = post_from_json(several ? posts[i] : posts, element);
    if (!post) {
      Error error = post.error();
      for (auto& field : error.fields) {
        if (faults.size() < kMostFaults) faults.push_back(std::move(field));
      }
      continue;
    }
    if (!faults.empty()) continue;
    Event& event = out.events.emplace_back();
    event.post = std::move(*post);
    event.post.source = config.name;
    event.post.received_at = now;
    if (event.post.platform.empty()) event.post.platform = platform;
    if (event.post.created_at == Time{}) event.post.created_at = now;
    if (event.post.brand_account.empty()) event.post.brand_account = config.brand_account;
    if (is_own(event.post)) event.kind = EventKind::own_post;
    if (trace) out.trace.push_back({element, {}, "/posts", std::string(outcome_of(event.kind)), "", i});
  }
  if (faults.empty()) return {};
  Error error = make_error(ErrorCode::unprocessable,
                           faults.size() == 1 ? "a field of a post is at fault" : "fields of the posts are at fault");
  error.fields = std::move(faults);
  return error;
}

}  // namespace triage::ingest
