#include "app/hook_sender.h"

#include <charconv>

namespace triage::app {

namespace {
constexpr std::chrono::seconds kLongestWait{60};
}

Result<HookSender> HookSender::make(net::Client& client, std::string_view server, const std::string& source,
                                    std::shared_ptr<const ingest::Source> signer) {
  while (server.ends_with('/')) server.remove_suffix(1);
  auto url = net::parse_url(std::string(server) + "/v1/hooks/" + source);
  if (!url) return url.error();
  return HookSender(client, std::move(*url), std::move(signer));
}

boost::asio::awaitable<Result<net::ClientResponse>> HookSender::send(const std::string& body,
                                                                     const std::string& message_id) const {
  net::ClientRequest request;
  request.url = url_;
  request.body = body;
  if (signer_) {
    auto headers = ingest::sign(*signer_, body, wall_clock_now(), message_id);
    if (!headers) co_return headers.error();
    request.headers = std::move(*headers);
  }
  request.headers.emplace_back("Content-Type", "application/json");
  Result<net::ClientResponse> response = co_await client_->send(request);
  co_return response;
}

std::string new_message_id() {
  const UuidText id = make_uuid7(wall_clock_now());
  return "msg_" + std::string(id.data(), id.size());
}

std::optional<std::chrono::milliseconds> asked_to_wait(const net::ClientResponse& response) {
  if (response.status != 429 && response.status != 503) return std::nullopt;
  std::int64_t seconds = 1;
  if (const auto header = net::find_header(response.headers, "Retry-After")) {
    std::from_chars(header->data(), header->data() + header->size(), seconds);
  }
  return std::clamp<std::chrono::milliseconds>(std::chrono::seconds(seconds), std::chrono::milliseconds(100),
                                               kLongestWait);
}

}  // namespace triage::app
