// Reads one HTTP response for the client, with bounds on its header and body. No sockets and no waiting.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <string>
#include <utility>

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
  // What came of the body since the last call; there is room for as much again.
  std::string take_body() {
    room_ += response_.body.size();
    return std::exchange(response_.body, {});
  }
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

// Reads the answer to a request from the pieces in which it comes; interim answers (100 Continue, 103 Early Hints) are
// passed over. Fill space(), then say with take() how much came.
class ResponseIntake {
 public:
  static constexpr std::size_t kBufferBytes = 16 * 1024;  // no read is larger

  ResponseIntake(std::size_t body_bytes, bool head_request) : body_bytes_(body_bytes), head_request_(head_request) {
    reader_.emplace(body_bytes_, head_request_);
  }

  boost::asio::mutable_buffer space() { return boost::asio::buffer(buffer_) + have_; }

  // Only while !is_complete(). Returns what is wrong with the answer, if anything: nothing more must be taken then.
  std::optional<std::string> take(std::size_t bytes) {
    namespace http = boost::beast::http;
    have_ += bytes;
    any_ = any_ || bytes > 0;
    while (have_ > 0 && !is_complete()) {
      boost::system::error_code parse;
      const std::size_t used = reader_->put(boost::asio::const_buffer(buffer_.data(), have_), parse);
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
                buffer_.begin() + static_cast<std::ptrdiff_t>(have_), buffer_.begin());
      have_ -= used;
      if (reader_->cut()) break;
      if (parse && parse != http::error::need_more) return "it is not HTTP: " + parse.message();
      if (reader_->is_done()) {
        const int status = reader_->response().status;
        if (status < 100 || status >= 200 || status == 101) break;
        reader_.emplace(body_bytes_, head_request_);  // the answer follows
        continue;
      }
      if (have_ == buffer_.size()) return "its header is too large";
      if (used == 0 || parse) break;
    }
    return std::nullopt;
  }

  // The connection was ended in order. True when the answer is complete with that: a body without a length.
  bool end() {
    if (!reader_->is_header_done() || !reader_->need_eof()) return false;
    boost::system::error_code ec;
    reader_->put_eof(ec);
    return !ec;
  }

  bool any() const { return any_; }                              // a byte came
  bool has_header() const { return reader_->is_header_done(); }  // status and headers are all there
  bool is_complete() const { return reader_->is_done() || reader_->cut(); }
  bool is_cut() const { return reader_->cut(); }  // its body is larger than allowed
  bool is_clean() const { return reader_->is_done() && !reader_->cut() && have_ == 0; }  // and nothing came after it
  bool keep_alive() const { return reader_->keep_alive(); }
  ClientResponse& response() { return reader_->response(); }
  std::string take_body() { return reader_->take_body(); }

 private:
  std::size_t body_bytes_;
  bool head_request_;
  std::optional<ResponseReader> reader_;
  std::array<char, kBufferBytes> buffer_{};
  std::size_t have_ = 0;
  bool any_ = false;
};

}  // namespace triage::net
