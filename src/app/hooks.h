// The webhook door: verify, map, admit, answer.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "app/admissions.h"
#include "app/sources.h"
#include "triage/desk/api.h"
#include "triage/net/server.h"

namespace triage::app {

class Hooks {
 public:
  Hooks(Admissions& admissions, desk::RateCheck address_rate)
      : admissions_(admissions), address_rate_(std::move(address_rate)) {}

  // GET and POST /v1/hooks/{source}. The object must outlive the server.
  std::vector<net::Route> routes(std::size_t body_bytes);

  void set_sources(std::shared_ptr<const Sources> sources);
  std::shared_ptr<const Sources> sources() const;

 private:
  boost::asio::awaitable<net::Response> handshake(net::Request& request);
  boost::asio::awaitable<net::Response> receive(net::Request& request);
  std::shared_ptr<const BoundSource> find(std::string_view name) const;
  net::Response refuse(const BoundSource& bound, const net::Request& request, const Error& error);

  Admissions& admissions_;
  desk::RateCheck address_rate_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Sources> sources_ = std::make_shared<Sources>();
};

}  // namespace triage::app
