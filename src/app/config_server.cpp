// The server's own sections: where it listens, for whom, its limits, and how it logs.
#include <charconv>
#include <fstream>

#include "app/config_sections.h"
#include "triage/net/address.h"

namespace triage::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);
constexpr std::int64_t kMebibyte = 1024 * 1024;

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!ok) return false;
  }
  return true;
}

// HOST:PORT, an IPv6 host in brackets.
bool parse_listen(std::string_view text, net::ServerOptions& out) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos || !net::IpAddress::parse(host)) return false;
  } else if (!is_host(host)) {
    return false;
  }
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) return false;
  out.host = host;
  out.port = static_cast<unsigned short>(port);
  return true;
}

constexpr const char* kListen = "HOST:PORT, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";

void read_public_url(const Value& value, Config& config) {
  const auto text = value.text();
  if (!text) return;
  const auto url = net::parse_url(*text);
  if (!url) return value.fail(url.error().detail);
  if (url->target.find('?') != std::string::npos) return value.fail("expected a URL without a query");
  config.public_url = *text;
  while (config.public_url.ends_with('/')) config.public_url.pop_back();
}

}  // namespace

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  const auto address = net::IpAddress::parse(host);
  if (!address) return false;
  if (address->is_v4()) return address->bytes[12] == 127;
  return address == net::IpAddress::parse("::1");
}

std::optional<std::string> readable_file(const Value& value, const Place& place) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  const std::filesystem::path path = place.directory / *text;
  std::error_code error;
  if (std::filesystem::is_directory(path, error) || !std::ifstream(path)) {
    value.fail("expected a file that can be read" + (value.written_out() ? ", cannot read " + path.string() : ""));
    return std::nullopt;
  }
  return path.string();
}

void read_server(Object& root, const Place& place, const Overrides& overrides, Config& config) {
  if (const auto listen = root.find("listen")) {
    const auto text = listen->text();
    if (text && !parse_listen(*text, config.server)) listen->expected(kListen);
  }
  if (overrides.listen && !parse_listen(*overrides.listen, config.server)) {
    root.value().findings().fail("", "--listen: expected " + std::string(kListen));
  }

  if (const auto data = root.find("data")) {
    if (const auto text = data->text()) config.store.directory = place.directory / *text;
  }
  if (overrides.data) config.store.directory = *overrides.data;

  if (const auto url = root.find("public_url")) read_public_url(*url, config);
  root.whole("threads", config.threads, 0, 256);
  root.duration("drain_grace", config.drain_grace, milliseconds(0), minutes(10));

  root.object("tls", [&](Object& in) {
    net::TlsFiles files;
    if (const auto value = in.require("certificate", "the path of a PEM file")) {
      files.certificate = readable_file(*value, place).value_or("");
    }
    if (const auto value = in.require("key", "the path of a PEM file")) {
      files.key = readable_file(*value, place).value_or("");
    }
    config.server.tls = std::move(files);
  });

  if (const auto proxies = root.find("trusted_proxies")) {
    for (const Value& element : proxies->elements()) {
      const auto text = element.text();
      if (!text) continue;
      if (net::Network::parse(*text)) {
        config.server.trusted_proxies.push_back(*text);
      } else {
        element.expected("an address or a network such as \"10.0.0.0/8\"");
      }
    }
  }
}

void read_limits(Object& root, Config& config) {
  root.object("limits", [&](Object& in) {
    LimitsConfig& limits = config.limits;
    net::ServerLimits& server = config.server.limits;
    in.whole("hook_body_bytes", limits.hook_body_bytes, 1024, 256 * kMebibyte);
    in.whole("api_body_bytes", limits.api_body_bytes, 1024, 64 * kMebibyte);
    in.whole("header_bytes", server.header_bytes, 1024, kMebibyte);
    in.whole("connections", server.connections, 1, 1'000'000);
    in.duration("header_timeout", server.header_timeout, milliseconds(1), minutes(10));
    in.duration("body_timeout", server.body_timeout, milliseconds(1), minutes(10));
    in.duration("idle_timeout", server.idle_timeout, milliseconds(1), hours(1));
    in.duration("write_timeout", server.write_timeout, milliseconds(1), minutes(10));
    in.duration("handshake_timeout", server.handshake_timeout, milliseconds(1), minutes(10));
    in.object("requests_per_minute", [&](Object& rates) {
      rates.number("token", limits.token_requests_per_minute, 0, 1e9);
      rates.number("address", limits.address_requests_per_minute, 0, 1e9);
    });
    in.whole("writer_queue", config.store.queue_depth, 1, 1'000'000);
    in.whole("commit_batch", config.store.batch, 1, 10'000);
    in.whole("readers", config.store.readers, 1, 64);
    in.duration("writer_wait", limits.writer_wait, milliseconds(100), minutes(10));
    in.duration("queue_wait", limits.queue_wait_max, seconds(0), minutes(10));
    in.duration("lease", limits.lease, seconds(1), 7 * kDay);
    in.duration("lease_max", limits.lease_max, seconds(1), 7 * kDay);
    if (limits.lease > limits.lease_max) {
      in.place("lease").fail("expected at most lease_max, which is " + format_duration(limits.lease_max));
    }
  });
}

void read_operation(Object& root, const Place& place, Config& config) {
  root.object("cases", [&](Object& in) {
    in.duration("join_within", config.cases.join_within, seconds(0), 365 * kDay);
    in.duration("reopen_within", config.cases.reopen_within, seconds(0), 365 * kDay);
  });
  root.object("escalations", [&](Object& in) {
    in.duration("repeat_every", config.escalations.repeat_every, seconds(0), 7 * kDay);
    in.duration("link_ttl", config.escalations.link_ttl, minutes(1), 90 * kDay);
  });
  root.object("incidents", [&](Object& in) {
    if (const auto by = in.find("by")) {
      config.incidents.by.clear();
      for (const Value& element : by->one_or_more()) {
        auto name = element.one_of({"site", "topic", "platform", "brand_account", "language"});
        if (name) take_name(element, *name, "grouping", config.incidents.by);
      }
    }
    in.duration("window", config.incidents.window, minutes(1), 7 * kDay);
    in.whole("open_at", config.incidents.open_at, 2, 1'000'000);
  });
  root.object("retention", [&](Object& in) {
    in.duration("posts", config.retention.posts, kDay, 36'500 * kDay);
    in.duration("audit", config.retention.audit, kDay, 36'500 * kDay);
  });
  root.object("classifier", [&](Object& in) {
    if (const auto model = in.find("model")) config.classifier.model = readable_file(*model, place).value_or("");
    if (const auto model = in.find("deep_model")) {
      config.classifier.deep_model = readable_file(*model, place).value_or("");
    }
    if (const auto judge = in.find("judge")) config.classifier.deep = judge->one_of({"deep", "fast"}) != "fast";
    in.duration("deep_wait", config.classifier.deep_wait, milliseconds(1), seconds(1));
    in.whole("deep_threads", config.classifier.deep_threads, 0, 256);
    in.object("factors", [&](Object& factors) {
      classify::FactorWeights& weights = config.classifier.factors;
      factors.number("reach", weights.reach, 0, 100);
      factors.number("failed_before", weights.failed_before, 0, 100);
      factors.number("repeated", weights.repeated, 0, 100);
      factors.number("waiting", weights.waiting, 0, 100);
      factors.number("low_rating", weights.low_rating, 0, 100);
      factors.number("crowd", weights.crowd, 0, 100);
      factors.number("how_long", weights.how_long, 0, 100);
      factors.number("vulnerable", weights.vulnerable, 0, 100);
      factors.number("danger", weights.danger, 0, 100);
    });
  });
  root.object("log", [&](Object& in) {
    if (const auto level = in.find("level")) {
      config.log.level = level->one_of({"trace", "debug", "info", "warn", "error"}).value_or(config.log.level);
    }
    if (const auto format = in.find("format")) {
      config.log.format = format->one_of({"text", "json"}) == "json" ? LogFormat::json : LogFormat::text;
    }
  });
}

void read_delivery(Object& root, const Place& place, std::size_t& concurrency, Config& config) {
  root.object("delivery", [&](Object& in) {
    deliver::Options& delivery = config.delivery;
    in.flag("allow_private_addresses", delivery.allow_private_addresses);
    in.duration("timeout", delivery.timeout, milliseconds(1), minutes(5));
    in.whole("concurrency", concurrency, 1, 256);
    if (const auto schedule = in.find("schedule")) {
      delivery.schedule.clear();
      for (const Value& element : schedule->elements()) {
        if (const auto wait = element.duration(milliseconds(1), 30 * kDay)) delivery.schedule.push_back(*wait);
      }
      if (delivery.schedule.size() > 32) schedule->fail("expected at most 32 waits");
    }
    in.object("breaker", [&](Object& breaker) {
      breaker.whole("failures", delivery.breaker_failures, 1, 1000);
      breaker.duration("wait", delivery.breaker_wait, milliseconds(1), hours(1));
      breaker.duration("wait_max", delivery.breaker_wait_max, milliseconds(1), kDay);
      if (delivery.breaker_wait > delivery.breaker_wait_max) {
        breaker.place("wait").fail("expected at most wait_max, which is " + format_duration(delivery.breaker_wait_max));
      }
    });
    in.whole("gone_limit", delivery.gone_limit, 1, 100);
    if (const auto ca_file = in.find("ca_file")) delivery.ca_file = readable_file(*ca_file, place).value_or("");
  });
}

}  // namespace triage::app
