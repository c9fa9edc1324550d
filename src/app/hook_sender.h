// Sends posts through a server's webhook door, signed as their platform would: for `triaged demo` and `replay`.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "triage/ingest/source.h"
#include "triage/net/client.h"

namespace triage::app {

class HookSender {
 public:
  // `server`: http://HOST:PORT, with or without a path before /v1. `signer`: the source's own side of the signature;
  // null sends unsigned. The client must outlive this.
  static Result<HookSender> make(net::Client& client, std::string_view server, const std::string& source,
                                 std::shared_ptr<const ingest::Source> signer);

  // One POST. `message_id` stays the same when the same body is sent again.
  boost::asio::awaitable<Result<net::ClientResponse>> send(const std::string& body,
                                                           const std::string& message_id) const;

 private:
  HookSender(net::Client& client, net::Url url, std::shared_ptr<const ingest::Source> signer)
      : client_(&client), url_(std::move(url)), signer_(std::move(signer)) {}

  net::Client* client_;
  net::Url url_;
  std::shared_ptr<const ingest::Source> signer_;
};

std::string new_message_id();

// How long the server asks to wait before trying again; nothing when its answer stands.
std::optional<std::chrono::milliseconds> asked_to_wait(const net::ClientResponse& response);

}  // namespace triage::app
