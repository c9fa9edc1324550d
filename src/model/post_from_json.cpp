// A post from the generic shape. Collects every field at fault, so that a sender can mend all of them at once.
#include <cmath>
#include <nlohmann/json.hpp>

#include "triage/model/json.h"

namespace triage {
namespace {

using nlohmann::json;

// What a post may be at most. Generous next to every platform; there so that one post cannot be a megabyte.
constexpr std::size_t kTextBytes = 64 * 1024;
constexpr std::size_t kIdBytes = 256;
constexpr std::size_t kNameBytes = 1024;
constexpr std::size_t kUrlBytes = 8 * 1024;
constexpr std::size_t kLanguageBytes = 35;  // the longest that RFC 5646 asks software to keep
constexpr std::size_t kMediaItems = 64;

bool is_platform(std::string_view text) {
  for (const char c : text) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!ok) return false;
  }
  return !text.empty() && text.size() <= 64;
}

// Walks one object of the request. A field that is absent or null is left as it was; one that is wrong is noted.
class Fields {
 public:
  Fields(const json& object, std::string at, std::vector<FieldError>& errors)
      : object_(object), at_(std::move(at)), errors_(errors) {}

  void fail(const char* key, std::string detail) { errors_.push_back({pointer(key), std::move(detail)}); }
  std::string pointer(const char* key) const { return at_ + '/' + key; }

  const json* find(const char* key) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  // False where the field is absent or at fault.
  bool text(const char* key, std::string& out, std::size_t max_bytes) {
    const json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_string()) return wrong_type(key, *value, "a string");
    const auto& string = value->get_ref<const std::string&>();
    if (string.size() > max_bytes) {
      fail(key, "expected at most " + std::to_string(max_bytes) + " bytes, found " + std::to_string(string.size()));
      return false;
    }
    if (string.find('\0') != std::string::npos) {
      fail(key, "expected text without NUL characters");
      return false;
    }
    out = string;
    return true;
  }

  std::optional<double> number(const char* key, double least, double most) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) {
      wrong_type(key, *value, "a number");
      return std::nullopt;
    }
    const double number = value->get<double>();
    if (!(number >= least && number <= most)) {
      fail(key, "expected a number from " + short_number(least) + " to " + short_number(most));
      return std::nullopt;
    }
    return number;
  }

  std::optional<std::int64_t> count(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    constexpr double kMost = 9'000'000'000'000'000;  // whole numbers that a double holds exactly
    const double number = value->is_number() ? value->get<double>() : -1;
    if (!(number >= 0 && number <= kMost) || number != std::floor(number)) {
      fail(key, "expected a whole number, 0 or more");
      return std::nullopt;
    }
    return static_cast<std::int64_t>(number);
  }

  std::optional<bool> flag(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
      wrong_type(key, *value, "true or false");
      return std::nullopt;
    }
    return value->get<bool>();
  }

  const json* object(const char* key) {
    const json* value = find(key);
    if (value == nullptr || value->is_object()) return value;
    wrong_type(key, *value, "an object");
    return nullptr;
  }

  const json* array(const char* key) {
    const json* value = find(key);
    if (value == nullptr || value->is_array()) return value;
    wrong_type(key, *value, "an array");
    return nullptr;
  }

 private:
  bool wrong_type(const char* key, const json& value, const char* expected) {
    fail(key, std::string("expected ") + expected + ", found " + value.type_name());
    return false;
  }

  static std::string short_number(double value) { return std::to_string(static_cast<int>(value)); }

  const json& object_;
  std::string at_;
  std::vector<FieldError>& errors_;
};

void read_author(Fields& fields, std::vector<FieldError>& errors, Post& post) {
  const json* value = fields.object("author");
  if (value == nullptr) return;
  Fields in(*value, fields.pointer("author"), errors);
  Author author;
  in.text("native_id", author.native_id, kIdBytes);
  in.text("handle", author.handle, kNameBytes);
  if (!author.handle.empty() && author.handle.front() == '@') author.handle.erase(0, 1);
  in.text("name", author.name, kNameBytes);
  author.followers = in.count("followers");
  author.verified = in.flag("verified");
  const bool known = !author.native_id.empty() || !author.handle.empty() || !author.name.empty();
  if (known || author.followers || author.verified) post.author = std::move(author);
}

void read_geo(Fields& fields, std::vector<FieldError>& errors, Post& post) {
  const json* value = fields.object("geo");
  if (value == nullptr) return;
  Fields in(*value, fields.pointer("geo"), errors);
  Geo geo;
  geo.lat = in.number("lat", -90, 90);
  geo.lon = in.number("lon", -180, 180);
  const bool has_lat = in.find("lat") != nullptr;
  const bool has_lon = in.find("lon") != nullptr;
  if (has_lat != has_lon) in.fail(has_lat ? "lon" : "lat", "expected lat and lon together, this one is missing");
  in.text("place", geo.place, kNameBytes);
  if (geo.lat || !geo.place.empty()) post.geo = std::move(geo);
}

void read_media(Fields& fields, std::vector<FieldError>& errors, Post& post) {
  const json* value = fields.array("media");
  if (value == nullptr) return;
  if (value->size() > kMediaItems) {
    return fields.fail(
        "media", "expected at most " + std::to_string(kMediaItems) + " items, found " + std::to_string(value->size()));
  }
  post.media.reserve(value->size());
  for (std::size_t i = 0; i < value->size(); ++i) {
    const json& item = (*value)[i];
    std::string at = fields.pointer("media") + '/' + std::to_string(i);
    if (!item.is_object()) {
      errors.push_back({std::move(at), std::string("expected an object, found ") + item.type_name()});
      continue;
    }
    Fields in(item, std::move(at), errors);
    Media media;
    if (in.find("type") == nullptr) in.fail("type", "expected a string such as \"photo\", it is missing");
    in.text("type", media.type, 64);
    in.text("url", media.url, kUrlBytes);
    post.media.push_back(std::move(media));
  }
}

}  // namespace

Result<Post> post_from_json(const json& in, const std::string& at) {
  if (!in.is_object()) {
    Error error = make_error(ErrorCode::unprocessable, "a post is not an object");
    error.fields.push_back({at, std::string("expected an object, found ") + in.type_name()});
    return error;
  }

  std::vector<FieldError> errors;
  Fields fields(in, at, errors);
  Post post;

  if (fields.find("native_id") == nullptr) {
    fields.fail("native_id", "expected the post's id on its platform, it is missing");
  } else if (fields.text("native_id", post.native_id, kIdBytes) && post.native_id.empty()) {
    fields.fail("native_id", "expected the post's id on its platform, it is empty");
  }

  if (fields.text("platform", post.platform, 64) && !is_platform(post.platform)) {
    fields.fail("platform", "expected a lower-case name of letters, digits, '_' and '-', such as \"x\"");
  }

  std::string spelling;
  if (fields.text("kind", spelling, 64)) {
    if (const auto kind = parse_post_kind(spelling)) {
      post.kind = *kind;
    } else {
      fields.fail("kind", "expected post, mention, comment, reply, direct_message or review");
    }
  }
  if (fields.text("created_at", spelling, 64)) {
    if (const auto time = parse_time(spelling)) {
      post.created_at = *time;
    } else {
      fields.fail("created_at", time.error().detail);
    }
  }

  read_author(fields, errors, post);
  fields.text("url", post.url, kUrlBytes);
  fields.text("language", post.language, kLanguageBytes);
  fields.text("in_reply_to", post.in_reply_to, kIdBytes);
  fields.text("conversation_id", post.conversation_id, kIdBytes);
  read_geo(fields, errors, post);
  read_media(fields, errors, post);
  post.rating = fields.number("rating", 1, 5);
  fields.text("brand_account", post.brand_account, kIdBytes);
  if (const auto revision = fields.count("revision")) post.revision = *revision;

  if (fields.find("text") == nullptr) {
    fields.fail("text", "expected the text of the post, it is missing");
  } else if (fields.text("text", post.text, kTextBytes) && post.text.empty()) {
    const json* media = fields.find("media");
    const bool has_media = media != nullptr && !media->empty();
    if (!has_media && fields.find("rating") == nullptr) {
      fields.fail("text", "expected a text, it is empty and there is neither media nor a rating");
    }
  }

  if (errors.empty()) return post;
  Error error = make_error(ErrorCode::unprocessable,
                           errors.size() == 1 ? "a field of the post is at fault"
                                              : std::to_string(errors.size()) + " fields of the post are at fault");
  error.fields = std::move(errors);
  return error;
}

}  // namespace triage
