// A post about the brand, as every room sees it, whatever platform it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/id.h"

namespace triage {

enum class PostKind { post, mention, comment, reply, direct_message, review };

std::string_view to_string(PostKind kind);
std::optional<PostKind> parse_post_kind(std::string_view text);

struct Author {
  std::string native_id;  // the platform's id; empty when the platform gives only a name
  std::string handle;     // without the leading @
  std::string name;
  std::optional<std::int64_t> followers;  // 0 or more
  std::optional<bool> verified;
};

struct Geo {
  std::optional<double> lat;  // degrees, -90 to 90; set together with lon
  std::optional<double> lon;  // degrees, -180 to 180
  std::string place;          // the platform's name of it
};

struct Media {
  std::string type;  // photo, video, audio, animation, link, file
  std::string url;
};

struct Post {
  PostId id;           // ours, made on arrival
  std::string source;  // the configured source's name
  std::string platform;
  PostKind kind = PostKind::post;
  std::string native_id;  // unique with (source, platform, kind)
  std::string text;       // UTF-8, valid; may be empty where media or a rating is there
  Time created_at{};      // when the customer wrote it, by the platform; received_at when it does not say
  Time received_at{};
  std::optional<Author> author;
  std::string url;
  std::string language;  // BCP 47 as the platform says it; empty: unknown
  std::string in_reply_to;
  std::string conversation_id;
  std::optional<Geo> geo;
  std::vector<Media> media;
  std::optional<double> rating;  // 1 to 5, as the platform's stars
  std::string brand_account;     // which of our accounts it was said to
  std::int64_t revision = 0;     // grows with each edit; 0 where the platform has none
};

// What a platform told us of one post.
enum class EventKind {
  post,      // a customer's post, or a newer revision of it
  own_post,  // our account's own: joins its case, is not judged
  share,     // a retweet or pure share: counts as reach, opens nothing
  pending,   // known by id only: stored, judged when its text has been fetched
  deletion,  // only source, platform, native_id, and kind where known, are set
};

struct Event {
  EventKind kind = EventKind::post;
  Post post;
  bool kind_known = true;     // false for a deletion that does not say what kind of post it deletes
  std::string shared_native;  // for a share: the native id of what was shared
};

}  // namespace triage
