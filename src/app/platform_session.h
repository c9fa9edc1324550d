// Calls to a platform: one request, and the session that some platforms want first.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "triage/ingest/api.h"
#include "triage/net/client.h"

namespace triage::app {

// Sends a request as the source made it. Errors as net::Client::send; unprocessable where its address is none.
boost::asio::awaitable<Result<net::ClientResponse>> send(std::shared_ptr<net::Client> client, ingest::Outgoing outgoing,
                                                         bool repeatable = true, bool* sent = nullptr);
Result<net::ClientRequest> client_request(ingest::Outgoing outgoing);
ingest::Incoming incoming_of(const net::ClientResponse& response);

// A source's sessions, each asked for when it is needed. Thread-safe; two that need it at the same time may both ask.
class PlatformSession {
 public:
  // The present one of that number, or a new one. Nothing for a call without a session.
  boost::asio::awaitable<Result<std::optional<ingest::Session>>> get(std::shared_ptr<net::Client> client,
                                                                     const ingest::Api& api,
                                                                     std::optional<std::size_t> number);
  // The platform does not take this token any more.
  void drop(const std::string& token);

 private:
  std::mutex mutex_;
  std::map<std::size_t, ingest::Session> sessions_;
};

}  // namespace triage::app
