#include "net/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "net/text.h"

namespace triage::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kSmallestBuffer = 16 * 1024;
constexpr std::size_t kUnstatedBodyLimit = 64 * 1024;
constexpr std::size_t kLargestKeptBody = 64 * 1024;   // a larger body's memory is given back after the request
constexpr std::size_t kLargestReserve = 1024 * 1024;  // memory taken on the client's word alone

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::get;
    case http::verb::head:
      return Method::head;
    case http::verb::post:
      return Method::post;
    case http::verb::put:
      return Method::put;
    case http::verb::patch:
      return Method::patch;
    case http::verb::delete_:
      return Method::del;
    case http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

std::size_t body_limit(const Route& route) {
  return route.body_bytes ? route.body_bytes : kUnstatedBodyLimit;
}

Response too_large(const Route& route) {
  return problem(make_error(ErrorCode::too_large, fmt::format("the body is larger than {} bytes", body_limit(route))));
}

bool is_host(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return std::string_view(" \t,/?#@\\").find(c) != std::string_view::npos; });
}

}  // namespace

RequestReader::RequestReader(Shared shared, Peer peer)
    : shared_(shared), peer_(std::move(peer)), capacity_(std::max(kSmallestBuffer, shared.header_bytes + 1)) {
  // Not zeroed: pages that no request fills cost nothing.
  buffer_.reset(new char[capacity_]);
  begin();
}

void RequestReader::begin() {
  parser_.emplace(*this);
  parser_->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(capacity_, UINT32_MAX)));
  parser_->body_limit(boost::none);  // set when the route is known
  request_.query.clear();
  request_.params.clear();
  if (request_.body.capacity() > kLargestKeptBody) {
    request_.body = std::string();
  } else {
    request_.body.clear();
  }
  request_.forwarded = false;
  request_.tls = shared_.tls;
  raw_path_ = {};
  route_ = nullptr;
  answer_.reset();
  header_used_ = headers_ = 0;
  hosts_ = lengths_ = encodings_ = 0;
  version_ = 11;
  expects_continue_ = header_read_ = malformed_ = unread_ = done_ = false;
  keep_alive_ = true;
}

void RequestReader::next() {
  begin();
}

RequestReader::Phase RequestReader::phase() const {
  if (done_) return Phase::done;
  if (header_read_) return Phase::body;
  return header_used_ + buffered() == 0 ? Phase::idle : Phase::header;
}

boost::asio::mutable_buffer RequestReader::prepare() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

RequestReader::Step RequestReader::advance() {
  if (done_) return Step::complete;
  return header_read_ ? read_body() : read_header();
}

RequestReader::Step RequestReader::read_header() {
  if (header_used_ == 0) {
    // RFC 9112, 2.2: empty lines before a request are ignored.
    while (begin_ < end_ && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n')) ++begin_;
  }
  if (begin_ == end_) return Step::need_bytes;

  boost::beast::error_code ec;
  const std::size_t used = parser_->put(boost::asio::const_buffer(buffer_.get() + begin_, buffered()), ec);
  begin_ += used;
  header_used_ += used;
  const bool need_more = ec == http::error::need_more;
  if (ec == http::error::header_limit || header_used_ + (need_more ? buffered() : 0) > shared_.header_bytes) {
    return malformed(ErrorCode::header_too_large,
                     fmt::format("the request line and headers are larger than {} bytes", shared_.header_bytes));
  }
  if (need_more) return Step::need_bytes;
  if (ec) return malformed(ErrorCode::bad_request, "not an HTTP/1.1 request: " + ec.message());

  request_.headers.resize(headers_);
  if (auto fault = fault_of_header()) return malformed(ErrorCode::bad_request, std::move(*fault));
  if (auto fault = read_target()) return malformed(ErrorCode::bad_request, std::move(*fault));
  header_read_ = true;
  keep_alive_ = parser_->keep_alive();
  if (request_.forwarded && peer_.trusted) {
    request_.remote = client_address(peer_, request_.headers, shared_.trusted);
  } else {
    request_.remote = peer_.text;
  }

  if (!find_route()) {
    if (!parser_->is_done()) return reject(std::move(*answer_));
    done_ = true;
    return Step::complete;
  }
  if (parser_->is_done()) {
    done_ = true;
    return Step::complete;
  }
  const std::size_t limit = body_limit(*route_);
  if (const auto length = parser_->content_length()) {
    if (*length > limit) return reject(too_large(*route_));
    request_.body.reserve(std::min<std::size_t>(*length, kLargestReserve));
  }
  parser_->body_limit(limit);
  parser_->eager(true);
  return read_body();
}

RequestReader::Step RequestReader::read_body() {
  while (!parser_->is_done()) {
    if (begin_ == end_) {
      const bool ask = expects_continue_ && request_.body.empty();
      expects_continue_ = false;
      return ask ? Step::send_continue : Step::need_bytes;
    }
    boost::beast::error_code ec;
    begin_ += parser_->put(boost::asio::const_buffer(buffer_.get() + begin_, buffered()), ec);
    if (ec == http::error::body_limit) return reject(too_large(*route_));
    if (ec == http::error::need_more) {
      if (buffered() == capacity_) return malformed(ErrorCode::bad_request, "a chunk's header is too long");
      return Step::need_bytes;
    }
    if (ec) return malformed(ErrorCode::bad_request, "not a sound body: " + ec.message());
  }
  done_ = true;
  return Step::complete;
}

// What Beast lets pass and what could let two servers in a row see two different requests (request smuggling).
std::optional<std::string> RequestReader::fault_of_header() const {
  if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) return "expected one Host header";
  if (hosts_ == 1 && !is_host(request_.header("Host").value_or(""))) return "Host is not a host and port";
  if (lengths_ > 1) return "more than one Content-Length";
  if (lengths_ == 1 && request_.header("Content-Length").value_or("").find(',') != std::string_view::npos) {
    return "more than one Content-Length";
  }
  if (encodings_ > 0) {
    if (version_ == 10) return "Transfer-Encoding in HTTP/1.0";
    if (lengths_ > 0) return "both Content-Length and Transfer-Encoding";
    if (encodings_ > 1 || !iequals(request_.header("Transfer-Encoding").value_or(""), "chunked")) {
      return "the only Transfer-Encoding that is understood is chunked";
    }
  }
  return std::nullopt;
}

std::optional<std::string> RequestReader::read_target() {
  std::string_view target = request_.target;
  request_.path.clear();
  if (target == "*" && request_.method == Method::options) {
    request_.path = "*";
    return std::nullopt;
  }
  // The absolute form, as proxies send it, must be understood (RFC 9112, 3.2.2).
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!istarts_with(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    if (target.empty() || target.front() == '?') return "the target has no path";
    break;
  }
  if (target.empty() || target.front() != '/') return "the target is not a path";
  if (target.find('#') != std::string_view::npos) return "the target has a fragment";

  const std::size_t question = target.find('?');
  raw_path_ = target.substr(0, question);
  if (!percent_decode(raw_path_, false, request_.path)) return "the path's percent-encoding is broken";
  if (question == std::string_view::npos) return std::nullopt;

  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = request_.query.emplace_back();
    if (!percent_decode(pair.substr(0, equals), true, name) ||
        !percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, value)) {
      return "the query's percent-encoding is broken";
    }
  }
  return std::nullopt;
}

bool RequestReader::find_route() {
  if (request_.path == "*") {
    answer_ = Response::empty(204);
    answer_->headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    return false;
  }
  auto match = shared_.routes.find(request_.method, raw_path_, request_.params);
  route_ = match.route;
  if (route_) return true;
  if (match.allow.empty()) {
    answer_ = problem(make_error(ErrorCode::not_found, "there is nothing at " + request_.path));
  } else if (request_.method == Method::options) {
    answer_ = Response::empty(204);
    answer_->headers.emplace_back("Allow", std::move(match.allow));
  } else {
    answer_ = problem(make_error(ErrorCode::method_not_allowed, "this path takes " + match.allow));
    answer_->headers.emplace_back("Allow", std::move(match.allow));
  }
  return false;
}

RequestReader::Step RequestReader::reject(Response answer) {
  answer_ = std::move(answer);
  keep_alive_ = false;
  unread_ = true;
  done_ = true;
  return Step::complete;
}

RequestReader::Step RequestReader::malformed(ErrorCode code, std::string detail) {
  malformed_ = true;
  return reject(problem(make_error(code, std::move(detail))));
}

void RequestReader::fail(Response answer) {
  reject(std::move(answer));
}

void RequestReader::Parser::on_request_impl(http::verb method, string_view, string_view target, int version,
                                            error_code&) {
  reader_.request_.method = method_of(method);
  reader_.request_.target.assign(target.data(), target.size());
  reader_.version_ = version;
}

void RequestReader::Parser::on_field_impl(http::field field, string_view name, string_view value, error_code&) {
  if (reader_.header_read_) return;  // a trailer: never taken for a header
  auto& headers = reader_.request_.headers;
  if (reader_.headers_ == headers.size()) headers.emplace_back();
  auto& [key, text] = headers[reader_.headers_++];
  key.assign(name.data(), name.size());
  text.assign(value.data(), value.size());

  switch (field) {
    case http::field::host:
      ++reader_.hosts_;
      break;
    case http::field::content_length:
      ++reader_.lengths_;
      break;
    case http::field::transfer_encoding:
      ++reader_.encodings_;
      break;
    case http::field::expect:
      reader_.expects_continue_ = reader_.version_ == 11 && iequals(text, "100-continue");
      break;
    default:
      if (is_forwarding_header(key)) reader_.request_.forwarded = true;
      break;
  }
}

void RequestReader::Parser::on_header_impl(error_code&) {}

void RequestReader::Parser::on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) {}

std::size_t RequestReader::Parser::on_body_impl(string_view body, error_code&) {
  reader_.request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestReader::Parser::on_chunk_body_impl(std::uint64_t, string_view body, error_code&) {
  reader_.request_.body.append(body.data(), body.size());
  return body.size();
}

}  // namespace triage::net
