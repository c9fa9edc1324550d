// links: triage_ingest
// seeds: tests/fixtures/*.json tests/fixtures/*.xml
//
// Any bytes as the answer of a platform: to the replies, fetches, sessions, pulls and streams of each shipped source,
// and of one that reads answers in every way there is. Never a crash; what comes of it is within its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "check.h"
#include "triage/ingest/api.h"
#include "triage/model/json.h"

namespace {

using namespace triage;
using ingest::Headers;
using ingest::Incoming;
using ingest::Taken;

constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const Time kNow = from_millis(1'760'000'000'000);

const std::vector<Post>& posts();

// What agents might answer, and what may have to be fetched.
struct Platform {
  std::unique_ptr<ingest::Source> source;
  std::vector<std::string> documents;
  std::vector<const Post*> fetched;  // null: of a reply
  std::size_t sessions = 0;
};

std::string file_of_all() {
  return R"({
    "name": "fuzz", "platform": "fuzz", "secrets": {"key": {}, "token": {}},
    "events": [{"each": [["/items", "/data", ""]], "let": {"html": {"text": "/html", "html": true}},
      "rules": [{"when": {"exists": "/gone"}, "event": "deletion", "fields": {"native_id": "/id"}},
                {"event": "post", "fields": {"native_id": {"first": ["/id", {"split": "/url", "by": "/", "at": -1}]},
                 "text": {"first": ["@html", "/text", "/data"]}, "created_at": {"time": "/at", "format": ["rfc3339", "epoch"]}}}]}],
    "api": {
      "let": {"part": {"split": "/post/native_id", "by": "1", "at": 0}},
      "base": {"const": "https://api.fuzz.example/v1/"},
      "headers": {"X-Cursor": "/cursor", "X-Page": "/page/a"},
      "auth": {"scheme": "session", "token": {"first": ["/token", "/id"]}, "expires_in": {"first": ["/expires_in", "/at"]},
               "call": {"method": "POST", "path": "/login", "auth": {"scheme": "bearer", "secret": "token"}, "form": {"now": "/now"}}},
      "rate_limit": {"remaining": "x-left", "reset": "x-reset", "retry_after": {"first": ["/retry_after", "/at"]}},
      "retry_when": {"value": "/error/code", "in": [1, "2"]}, "failed_when": {"exists": "/failed/0"},
      "error": {"first": [{"template": "{/error/message} {/id} {@part}"}, "/text"]}},
    "replies": [{"before": {"path": "/before/{+/post/native_id}"},
      "call": {"method": "POST", "path": "/say/{/before/id}{+/before/url}", "query": {"list": "/before/items", "at": "/before/at"},
               "headers": {"X-Before": "/before/text"}, "json": {"object": {"text": "/text", "all": "/before", "word": {"words": "/before/text", "at": -1}}}},
      "native_id": {"first": ["/id", "$/before/id"]}, "url": {"first": ["/url", {"template": "https://fuzz.example/{/id}"}]},
      "already_when": {"value": "$/status", "is": 400}}],
    "fetches": [{"call": {"path": "/f"}, "gone_when": {"value": "/gone", "is": true}, "own": {"value": "/own", "is": true},
      "fields": {"text": {"first": [{"text": "/html", "html": true}, "/text"]}, "created_at": {"time": "/at", "format": ["rfc3339", "epoch"]},
                 "url": "/url", "language": "/language", "author": {"native_id": "/by/id", "handle": "/by/handle"}, "rating": "/rating",
                 "geo": {"place": "/place"}, "revision": "/revision", "native_id": "/id", "kind": "/kind",
                 "media": [{"each": ["/media", "/items"], "url": {"first": ["/url", ""]}}]}}],
    "pulls": [{"name": "more", "call": {"path": "/i", "query": {"since": "/cursor", "page": "/page"}}, "cursor": {"first": ["/cursor", "/items/0/id", "/at"]},
               "more": {"exists": "/next"}, "stream": {"call": {"path": "/s", "query": {"since": "/cursor"}}, "cursor": "/data/id"}},
              {"name": "back", "body": "xml", "call": {"url": "https://{/now}.fuzz.example/{+/page}"}, "back": {"first": ["/r/next", "/r"]}},
              {"name": "form", "body": "form", "call": {"path": "/i", "query": {"page": "/page"}}, "back": "/next", "cursor": ""}]})";
}

Platform bind(const ingest::SourceFile& file) {
  ingest::SourceConfig config;
  config.name = file.name() + "-main";
  config.use = file.name();
  for (const auto& name : file.secret_names()) config.secrets[name] = {kSecret};
  for (const auto& name : file.setting_names()) {
    if (name.ends_with("_url") || name == "url") config.settings[name] = "https://" + file.name() + ".example/v1";
  }
  for (const char* name : {"app", "package", "location", "business", "query", "subreddit"}) {
    const auto& known = file.setting_names();
    if (std::find(known.begin(), known.end(), name) != known.end()) config.settings[name] = "accounts/1 & co";
  }
  config.brand_account = file.name() == "youtube" ? "UC1" : "acme";
  auto source = file.bind(std::move(config));
  CHECK(source.has_value());
  Platform out{std::move(*source), {}, {}, 0};
  const ingest::Api* api = out.source->api();
  if (api == nullptr) return out;
  for (const Post& post : posts()) {
    Post to = post;
    if (to.platform.empty()) to.platform = file.platform();
    if (auto reply = api->plan_reply(to, "On its way", "0199c0de-0000-7000-8000-000000000001")) {
      out.documents.push_back(std::move(*reply));
      out.fetched.push_back(nullptr);
    }
    if (auto fetch = api->plan_fetch(to)) {
      out.documents.push_back(std::move(*fetch));
      out.fetched.push_back(&post);
    }
  }
  const auto count = [&out](const std::optional<std::size_t>& session) {
    if (session) out.sessions = std::max(out.sessions, *session + 1);
  };
  for (const auto& pull : api->pulls()) count(pull.session);
  for (const auto& document : out.documents) {
    const auto attempt = api->attempt(document, false, nullptr);
    CHECK(attempt.has_value());
    count((*attempt)->session());
  }
  return out;
}

// Of each kind, and of the platforms that a file has several of.
const std::vector<Post>& posts() {
  static const auto made = [] {
    std::vector<Post> list;
    for (const char* platform : {"", "facebook", "messenger", "instagram", "whatsapp", "threads"}) {
      for (const PostKind kind : {PostKind::mention, PostKind::comment, PostKind::direct_message, PostKind::review}) {
        Post post;
        post.id = *PostId::parse("0199c0de-0000-7000-8000-000000000002");
        post.source = "fuzz-main";
        post.platform = platform;
        post.kind = kind;
        post.native_id =
            kind == PostKind::comment ? "urn:li:comment:(urn:li:activity:1,2)" : "accounts/1/locations/2/reviews/3";
        post.conversation_id = "12/34:56";
        post.in_reply_to = kind == PostKind::mention ? "" : "11";
        post.url = "https://fuzz.example/1";
        post.brand_account = "acme";
        post.created_at = post.received_at = kNow;
        post.author = Author{"5", "ann", "Ann", {}, {}};
        list.push_back(std::move(post));
      }
    }
    return list;
  }();
  return made;
}

const std::vector<Platform>& platforms() {
  static const auto made = [] {
    std::vector<Platform> list;
    for (const auto& name : ingest::shipped_source_names()) {
      const auto file = ingest::shipped_source(name);
      CHECK(file.has_value());
      list.push_back(bind(**file));
    }
    const auto file = ingest::parse_source_file("fuzz", file_of_all());
    CHECK(file.has_value());
    list.push_back(bind(**file));
    CHECK(list.back().documents.size() == 2 * posts().size());
    return list;
  }();
  return made;
}

bool is_utf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

void check_wait(const std::optional<Duration>& wait, Duration longest) {
  if (wait) CHECK(*wait >= Duration(0) && *wait <= longest);
}

void check_request(const ingest::Outgoing& request) {
  CHECK(request.url.starts_with("https://"));
  for (const char c : request.url) CHECK(c > ' ' && c < '\x7f');
  for (const auto& [name, value] : request.headers) {
    CHECK(!name.empty());
    CHECK(value.find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
  }
  CHECK(!request.body.empty() || !request.method.empty());
}

void check_post(const Event& event) {
  CHECK(!event.post.native_id.empty() && event.post.native_id.size() <= 256);
  CHECK(event.post.text.size() <= 64 * 1024);
  CHECK(event.post.media.size() <= 64);
  CHECK(!nlohmann::json(event.post).dump().empty());  // throws on what is not UTF-8
}

void check_reading(const ingest::Reading& reading, const Post* fetched) {
  CHECK(reading.error.empty() == (reading.taken == Taken::yes || reading.taken == Taken::gone));
  CHECK(reading.error.size() <= 512 && is_utf8(reading.error));
  CHECK(reading.native_id.size() <= 256 && is_utf8(reading.native_id));
  CHECK(reading.url.empty() || reading.url.starts_with("https://") || reading.url.starts_with("http://"));
  CHECK(reading.url.size() <= 8192 && is_utf8(reading.url));
  check_wait(reading.retry_after, std::chrono::hours(24 * 365));
  check_wait(reading.pause, std::chrono::hours(1));
  CHECK(reading.event.has_value() == (fetched != nullptr && reading.error.empty()));
  if (!reading.event) return;
  check_post(*reading.event);
  const Post& post = reading.event->post;
  CHECK(post.id == fetched->id && post.native_id == fetched->native_id && post.kind == fetched->kind &&
        post.platform == fetched->platform && post.source == fetched->source);
}

void try_document(const ingest::Api& api, const std::string& document, const Post* fetched, const Incoming& answer) {
  const ingest::Session session{std::string(answer.body.substr(0, 100)), {}};
  const Incoming fine{200, answer.headers, answer.body};
  const auto attempt = api.attempt(document, answer.body.size() % 2 == 0, fetched);
  CHECK(attempt.has_value());
  for (int calls = 0;; ++calls) {
    CHECK(calls < 3);
    const auto request = (*attempt)->next(&session, kNow);
    if (!request) {
      CHECK(request.error().code == ErrorCode::unprocessable && !request.error().detail.empty());
      return;
    }
    if (!*request) break;
    check_request(**request);
    (*attempt)->answered((*attempt)->acts() ? answer : fine, kNow);
  }
  check_reading((*attempt)->result(), fetched);
}

void check_page(const ingest::Page& page, const ingest::PullState& before) {
  CHECK(page.error.empty() == (page.taken == Taken::yes));
  CHECK(page.error.size() <= 512 && is_utf8(page.error));
  check_wait(page.retry_after, std::chrono::hours(24 * 365));
  check_wait(page.pause, std::chrono::hours(1));
  CHECK(page.mapped.events.size() <= 10'000);
  for (const auto& event : page.mapped.events) check_post(event);
  if (page.taken == Taken::yes) {
    CHECK(page.state.cursor == before.cursor || nlohmann::json::accept(page.state.cursor));
    CHECK(!page.back || nlohmann::json::accept(*page.back));
  } else {
    CHECK(page.mapped.events.empty() || page.taken == Taken::no);
    CHECK(page.state.cursor == before.cursor);
    CHECK(!page.more && !page.back);
  }
}

void try_pull(const ingest::Api& api, std::size_t pull, const Incoming& answer) {
  const ingest::Session session{"token", {}};
  const std::string bytes(answer.body);
  const auto state = bytes.size() / 16 % 2 == 0 ? ingest::PullState() : ingest::PullState{bytes, "\"e\"", "m"};
  const auto first = api.pull_request(pull, state, "", &session, kNow);
  if (first) check_request(*first);
  const ingest::Page page = api.read_page(pull, state, "", answer, kNow);
  check_page(page, state);
  const auto next = api.pull_request(pull, page.state, page.back.value_or(""), &session, kNow);
  if (next) check_request(*next);
  if (page.back) check_page(api.read_page(pull, page.state, *page.back, answer, kNow), page.state);
  if (!api.pulls()[pull].stream) return;
  const auto stream = api.stream_request(pull, state, &session, kNow);
  CHECK(stream.has_value());
  check_request(*stream);
  const auto line = answer.body.find('\n');
  const std::string_view rest = line == std::string_view::npos ? answer.body : answer.body.substr(line + 1);
  for (const std::string_view event :
       {std::string_view("notification"), std::string_view("delete"), answer.body.substr(0, line)}) {
    check_page(api.read_streamed(pull, state, event, answer.body.substr(0, 20), rest, kNow), state);
    check_page(api.read_streamed(pull, state, event, "", answer.body, kNow), state);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  // What else there is to choose goes by what is easily changed without changing what the body says, its length: the
  // status, and which sources and documents are tried, since all of them at once would take too long.
  constexpr int kStatuses[] = {400, 401, 403, 404, 409, 429, 500, 503, 304, 204};
  const int status = kStatuses[size / 2 % std::size(kStatuses)];
  Headers headers;
  for (const char* name :
       {"Retry-After", "x-left", "x-reset", "x-rate-limit-remaining", "x-rate-limit-reset", "ratelimit-remaining",
        "ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset", "etag"}) {
    std::string value =
        std::string(name).ends_with("remaining") || std::string(name) == "x-left" ? "0" : body.substr(0, 40);
    headers.emplace_back(name, std::move(value));
  }
  const Headers none;
  for (const auto& platform : platforms()) {
    const auto place = static_cast<std::size_t>(&platform - platforms().data());
    if (place + 1 != platforms().size() && (place + size) % 8 != 0) continue;
    const ingest::Api* api = platform.source->api();
    if (api == nullptr) continue;
    for (const Incoming& answer : {Incoming{200, &none, body}, Incoming{status, &headers, body}}) {
      for (std::size_t i = 0; i < platform.documents.size(); ++i) {
        if ((i + size / 8) % 8 == 0) try_document(*api, platform.documents[i], platform.fetched[i], answer);
      }
      for (std::size_t i = 0; i < api->pulls().size(); ++i) try_pull(*api, i, answer);
      for (std::size_t i = 0; i < platform.sessions; ++i) {
        const auto request = api->session_request(i, kNow);
        if (request) check_request(*request);
        const auto session = api->read_session(i, answer, kNow);
        if (session) {
          CHECK(!session->token.empty());
          if (session->until) CHECK(*session->until >= kNow);
        } else {
          CHECK(!session.error().detail.empty() && is_utf8(session.error().detail));
        }
      }
    }
    // A document that is none of ours.
    if (const auto attempt = api->attempt(body, false, nullptr)) {
      const ingest::Session session{"token", {}};
      (void)(*attempt)->next(&session, kNow);
    }
    (void)api->repeat_of(body);
    (void)api->subject_of(body);
  }
  return 0;
}
