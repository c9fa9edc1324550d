// Reads one HTTP response for the client, with bounds on its header and body. No sockets and no waiting.
#pragma once

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "triage/net/client.h"

namespace triage::net {

class ResponseReader final : public boost::beast::http::basic_parser<false> {
 public:
  ResponseReader(std::size_t body_bytes, bool head_request) : room_(body_bytes) {
    header_limit(16 * 1024);
    body_limit(boost::none);
    eager(true);
    skip(head_request);
  }

  ClientResponse& response() { return response_; }
  bool cut() const { return cut_; }  // the body was larger than allowed: the first bytes are here

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int status, string_view, int, error_code&) override { response_.status = status; }
  void on_field_impl(boost::beast::http::field, string_view name, string_view value, error_code&) override {
    if (is_header_done()) return;  // a trailer
    response_.headers.emplace_back(std::string(name), std::string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code& ec) override { return take(body, ec); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) override { return take(body, ec); }
  void on_finish_impl(error_code&) override {}

  std::size_t take(string_view body, error_code& ec) {
    const std::size_t fits = std::min(body.size(), room_);
    response_.body.append(body.data(), fits);
    room_ -= fits;
    if (fits < body.size()) {
      cut_ = true;
      ec = boost::beast::http::error::body_limit;
    }
    return body.size();
  }

  ClientResponse response_;
  std::size_t room_;
  bool cut_ = false;
};

}  // namespace triage::net
