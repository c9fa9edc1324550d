#include "app/platform_session.h"

namespace triage::app {

Result<net::ClientRequest> client_request(ingest::Outgoing outgoing) {
  net::ClientRequest request;
  const auto method = net::parse_method(outgoing.method);
  if (!method) return make_error(ErrorCode::unprocessable, "the call's method is unknown: " + outgoing.method);
  auto url = net::parse_url(outgoing.url);
  if (!url) {
    return make_error(ErrorCode::unprocessable, "the call's address is none: " + url.error().detail);
  }
  request.method = *method;
  request.url = std::move(*url);
  request.headers = std::move(outgoing.headers);
  request.body = std::move(outgoing.body);
  return request;
}

ingest::Incoming incoming_of(const net::ClientResponse& response) {
  return {response.status, &response.headers, response.body};
}

boost::asio::awaitable<Result<net::ClientResponse>> send(std::shared_ptr<net::Client> client, ingest::Outgoing outgoing,
                                                         bool repeatable, bool* sent) {
  auto request = client_request(std::move(outgoing));
  if (!request) co_return request.error();
  request->repeatable = repeatable;
  auto sending = client->send(*request, sent);
  co_return co_await std::move(sending);
}

boost::asio::awaitable<Result<std::optional<ingest::Session>>> PlatformSession::get(std::shared_ptr<net::Client> client,
                                                                                    const ingest::Api& api,
                                                                                    std::optional<std::size_t> number) {
  if (!number) co_return std::optional<ingest::Session>();
  const Time now = wall_clock_now();
  {
    const std::scoped_lock lock(mutex_);
    const auto known = sessions_.find(*number);
    const bool good = known != sessions_.end() && (!known->second.until || *known->second.until > now);
    if (good) co_return known->second;
  }
  auto asking = api.session_request(*number, now);
  if (!asking) co_return asking.error();
  auto sending = send(client, std::move(*asking));
  const Result<net::ClientResponse> answer = co_await std::move(sending);
  if (!answer) co_return answer.error();
  auto session = api.read_session(*number, incoming_of(*answer), wall_clock_now());
  if (!session) co_return session.error();
  const std::scoped_lock lock(mutex_);
  sessions_[*number] = *session;
  co_return std::move(*session);
}

void PlatformSession::drop(const std::string& token) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(sessions_, [&](const auto& known) { return known.second.token == token; });
}

}  // namespace triage::app
