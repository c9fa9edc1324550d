// links: triage_ingest
// seeds: tests/fixtures/*.json
//
// Any bytes at the door of each shipped source: refused with a clear error, or mapped to events that are whole. A body
// that was signed is taken, and any other byte in it is not.
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

std::unique_ptr<ingest::Source> bind(const char* use, std::map<std::string, std::vector<std::string>> secrets) {
  const auto file = ingest::shipped_source(use);
  CHECK(file.has_value());
  ingest::SourceConfig config;
  config.name = std::string(use) + "-main";
  config.use = use;
  config.secrets = std::move(secrets);
  config.brand_account = "acme";
  auto source = (*file)->bind(std::move(config));
  CHECK(source.has_value());
  return std::move(*source);
}

const std::vector<std::unique_ptr<ingest::Source>>& sources() {
  static const auto made = [] {
    std::vector<std::unique_ptr<ingest::Source>> list;
    list.push_back(bind("generic", {{"signing_key", {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}}));
    list.push_back(bind("x", {{"consumer_secret", {"a consumer secret"}}}));
    list.push_back(bind("meta", {{"app_secret", {"an app secret"}}, {"verify_token", {"a verify token"}}}));
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
  for (const auto& source : sources()) {
    const Headers query{{"crc_token", body.substr(0, 200)},
                        {"hub.mode", "subscribe"},
                        {"hub.verify_token", "a verify token"},
                        {"hub.challenge", body.substr(0, 200)}};
    const Headers garbage{{"x-hub-signature-256", body.substr(0, 100)},
                          {"x-twitter-webhooks-signature", body.substr(0, 100)},
                          {"webhook-id", body.substr(0, 20)},
                          {"webhook-timestamp", body.substr(0, 10)},
                          {"webhook-signature", body.substr(0, 100)}};
    ingest::Delivery delivery{&garbage, &query, body};
    if (const auto answer = source->handshake(delivery); answer) CHECK(answer->status == 200);
    CHECK(!source->verify(delivery, now));

    const auto signature = source->sign(body, now, "msg_1");
    CHECK(signature.has_value());
    delivery.headers = &*signature;
    CHECK(source->verify(delivery, now).has_value());
    const std::string other = body + ' ';
    CHECK(!source->verify({&*signature, &query, other}, now));

    const auto mapped = source->map(delivery, now);
    if (mapped) {
      check_mapped(*source, *mapped, now);
    } else {
      CHECK(!mapped.error().detail.empty());
      CHECK(mapped.error().code == ErrorCode::bad_request || mapped.error().code == ErrorCode::unprocessable);
    }
  }
  return 0;
}
