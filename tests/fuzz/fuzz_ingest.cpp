// links: triage_ingest
// seeds: tests/fixtures/*.json tests/fixtures/*.xml tests/fixtures/*.form
//
// Any bytes at the door of each shipped source, and of one for each kind of body: refused with a clear error, or mapped
// to events that are whole. What was signed is taken; where the body is signed, any other body is not.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "check.h"
#include "triage/ingest/source.h"
#include "triage/model/json.h"

namespace {

using namespace triage;
using ingest::Headers;

// Good for every scheme.
constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

struct Door {
  std::unique_ptr<ingest::Source> source;
  Headers headers;          // that it signs with; none where the secret stands in the address
  bool signs_body = false;  // not only who sends it
};

Door bind(const ingest::SourceFile& file) {
  ingest::SourceConfig config;
  config.name = file.name() + "-main";
  config.use = file.name();
  for (const auto& name : file.secret_names()) config.secrets[name] = {kSecret};
  config.brand_account = "acme";
  // What is polled of a platform that has no other way in.
  for (const auto& name : file.setting_names()) {
    const bool polled = name == "app" || name == "business" || name == "location" || name == "package" || name == "url";
    if (polled) config.settings[name] = "https://example.com";
  }
  auto source = file.bind(std::move(config));
  CHECK(source.has_value());
  Door door{std::move(*source), {}, false};
  const Time now = from_millis(1'760'000'000'000);
  if (const auto headers = door.source->sign("a", now, "msg_1")) {
    door.headers = *headers;
    door.signs_body = !door.source->verify({&door.headers, nullptr, "b"}, now);
  }
  return door;
}

// A post that is read from the body in every way there is.
std::string file_for(const std::string& format) {
  const nlohmann::json rules = nlohmann::json::parse(R"([
    {"when": {"exists": "/gone"}, "event": "deletion"},
    {"event": "post"}
  ])");
  nlohmann::json file = nlohmann::json::parse(R"({
    "platform": "fuzz",
    "secrets": {"key": {}},
    "signatures": [{"scheme": "hmac", "secret": "key", "header": "x-fuzz", "part": "s", "signed": "{timestamp}.{body}",
                    "timestamp": {"part": "t"}}],
    "events": [{
      "each": [["/a", "/feed/entry", ""]],
      "let": {"made": {"object": {"all": {"list": ["/a", "/content", "@nested/list"]}, "last": {"words": "/text", "at": -1}}},
              "nested": {"json": "/json"}, "base64": {"json": "/data", "encoding": "base64"},
              "html": {"text": {"first": ["/html", "/content", "/content/#text"]}, "html": true, "until": "/until"}},
      "own": {"value": "@nested/by", "same_handle_as": {"config": "brand_account"}},
      "event_name": {"name_of": ""},
      "fields": {
        "native_id": {"first": ["/id", "@made/all/0/id", "@nested/id", "@base64/id", {"const": "1"}]},
        "text": {"first": [{"template": "{@html} {@nested/text}"}, "@html", "@nested/text", "@base64/text", "@made/last", "/text"]},
        "created_at": {"time": "/at", "format": ["rfc3339", "epoch", "x"]},
        "author": {"handle": {"first": ["/by", "/author/name", "@nested/by"]}},
        "url": {"first": ["/url", "/link/@href"]},
        "media": [{"each": ["/media", "@nested/media"], "url": {"first": ["/url", ""]}}]
      }
    }]
  })");
  file["name"] = "fuzz-" + format;
  file["body"] = format;
  file["events"][0]["rules"] = rules;
  return file.dump();
}

const std::vector<Door>& doors() {
  static const auto made = [] {
    std::vector<Door> list;
    for (const auto& name : ingest::shipped_source_names()) {
      const auto file = ingest::shipped_source(name);
      CHECK(file.has_value());
      list.push_back(bind(**file));
    }
    for (const std::string format : {"json", "xml", "form"}) {
      const auto file = ingest::parse_source_file("fuzz-" + format, file_for(format));
      CHECK(file.has_value());
      list.push_back(bind(**file));
    }
    return list;
  }();
  return made;
}

void check_mapped(const ingest::Source& source, const ingest::Mapped& mapped, Time now) {
  CHECK(mapped.ignored >= 0);
  for (const auto& event : mapped.events) {
    const Post& post = event.post;
    CHECK(post.source == source.config().name);
    CHECK(!post.platform.empty());
    CHECK(!post.native_id.empty());
    CHECK(post.received_at == now);
    if (event.kind == EventKind::post) {
      CHECK(!post.text.empty() || !post.media.empty() || post.rating);
      CHECK(post.created_at != Time{});
    }
    if (event.kind == EventKind::share) CHECK(!event.shared_native.empty());
    CHECK(!nlohmann::json(post).dump().empty());  // throws on what is not UTF-8
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const Time now = from_millis(1'760'000'000'000);
  for (const auto& door : doors()) {
    const auto& source = *door.source;
    Headers query;
    for (const auto* name : {"crc_token", "hub.challenge", "challengeCode", "challenge", "token", "secret"}) {
      query.emplace_back(name, body.substr(0, 200));
    }
    query.emplace_back("hub.mode", "subscribe");
    query.emplace_back("hub.verify_token", kSecret);
    Headers garbage = door.headers;
    for (auto& [name, value] : garbage) value = body.substr(0, 200);
    ingest::Delivery delivery{&garbage, &query, body};
    if (const auto answer = source.handshake(delivery); answer) CHECK(answer->status == 200);
    CHECK(!source.verify(delivery, now));

    const auto signature = source.sign(body, now, "msg_1");
    CHECK(signature.has_value() == !door.headers.empty());
    if (signature) {
      delivery.headers = &*signature;
      CHECK(source.verify(delivery, now).has_value());
      const std::string other = body + ' ';
      if (door.signs_body) CHECK(!source.verify({&*signature, &query, other}, now));
    }

    const auto mapped = source.map(delivery, now);
    if (mapped) {
      check_mapped(source, *mapped, now);
    } else {
      CHECK(!mapped.error().detail.empty());
      CHECK(mapped.error().code == ErrorCode::bad_request || mapped.error().code == ErrorCode::unprocessable ||
            mapped.error().code == ErrorCode::too_large);
    }
  }
  return 0;
}
