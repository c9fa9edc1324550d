#include "app/demo_receiver.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "triage/model/json.h"

namespace triage::app {

using nlohmann::json;

namespace {

constexpr std::size_t kTextBytes = 90;

// The beginning of a text on one line, cut between characters.
std::string beginning(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() <= kTextBytes) return text;
  std::size_t end = kTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

// The member of that name, or null where there is none.
const json& at(const json& object, const char* key) {
  static const json null;
  if (!object.is_object()) return null;
  const auto it = object.find(key);
  return it == object.end() ? null : *it;
}

std::string text_at(const json& object, const char* key, const std::string& otherwise = "") {
  const json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : otherwise;
}

// A callback is signed as the generic source's posts are, so that source's verification is the receiver's too.
std::unique_ptr<ingest::Source> make_verifier(const std::string& secret) {
  auto generic = ingest::shipped_source("generic");
  if (!generic) throw std::runtime_error(generic.error().detail);
  ingest::SourceConfig config;
  config.name = "receiver";
  config.use = "generic";
  config.secrets["signing_key"] = {secret};
  auto source = (*generic)->bind(std::move(config));
  if (!source) throw std::runtime_error(source.error().detail);
  return std::move(*source);
}

}  // namespace

std::string callback_line(std::string_view team, std::string_view body) {
  std::string line = std::string(team) + "  ← ";
  const auto parsed = parse_json(body);
  if (!parsed) return line + "a callback that is not JSON";
  const json& data = at(*parsed, "data");
  const json& escalation = at(data, "escalation");
  const json& c = at(data, "case");
  const json& urgency = at(c, "urgency");
  line += text_at(*parsed, "type", "?") + "  " + text_at(c, "priority", "?") + " " +
          std::to_string(std::lround(urgency.is_number() ? urgency.get<double>() : 0.0)) + "  " +
          text_at(c, "topic", "?");
  if (const std::string site = text_at(c, "site"); !site.empty()) line += "  " + site;
  if (const json& posts = at(data, "posts"); posts.is_array() && !posts.empty()) {
    const std::string text = text_at(posts.back(), "text");
    line += text.empty() ? "  (direct message, text withheld)" : "  \"" + beginning(text) + "\"";
  }
  const std::string ack = text_at(escalation, "ack_url");
  if (!ack.empty() && text_at(escalation, "state") == "open") line += "  ack: " + ack;
  return line;
}

DemoReceiver::DemoReceiver(const std::string& secret, Print print)
    : runtime_(1), verifier_(make_verifier(secret)), print_(std::move(print)) {
  net::ServerOptions options;
  options.port = 0;
  net::Route route;
  route.method = net::Method::post;
  route.pattern = "/{team}";
  route.body_bytes = 4 << 20;
  route.handler = [this](net::Request& request) { return take(request); };
  std::vector<net::Route> routes;
  routes.push_back(std::move(route));
  server_ = std::make_unique<net::Server>(runtime_, options, std::move(routes), [](const net::Exchange&) {});
}

DemoReceiver::~DemoReceiver() {
  stop();
}

Result<void> DemoReceiver::start() {
  return server_->start();
}

std::string DemoReceiver::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port());
}

void DemoReceiver::stop() {
  server_->stop(std::chrono::milliseconds(1000));
  runtime_.stop();
}

boost::asio::awaitable<net::Response> DemoReceiver::take(net::Request& request) {
  const std::string team(request.param("team"));
  const ingest::Delivery delivery{&request.headers, &request.query, request.body};
  const auto verified = verifier_->verify(delivery, wall_clock_now());
  if (!verified) {
    ++refused_;
    print_(team + "  ← refused: " + verified.error().detail);
    co_return net::problem(verified.error());
  }
  ++received_;
  print_(callback_line(team, request.body));
  co_return net::Response::empty(204);
}

}  // namespace triage::app
