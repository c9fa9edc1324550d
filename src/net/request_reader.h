// Reads the requests of one connection out of its bytes: parse the header, find the route, set the route's body limit,
// parse the body. No sockets and no waiting: it is fed bytes, and says what it needs next. Its buffer and the Request's
// strings are used again for the next request, so a kept connection allocates next to nothing.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <memory>
#include <optional>

#include "net/forwarded.h"
#include "net/routes.h"
#include "triage/net/http.h"

namespace triage::net {

class RequestReader {
 public:
  enum class Step {
    need_bytes,     // read into prepare(), then commit()
    send_continue,  // the client waits for 100 Continue before it sends the body
    complete        // call the route's handler, or send answer() if there is one
  };
  enum class Phase { idle, header, body, done };

  // What all requests of a connection share. References must outlive the reader.
  struct Shared {
    const RouteTable& routes;
    const std::vector<Network>& trusted;
    std::size_t header_bytes;
    bool tls;
  };

  RequestReader(Shared shared, Peer peer);

  boost::asio::mutable_buffer prepare();
  void commit(std::size_t bytes) { end_ += bytes; }

  Step advance();

  // Ends the request with an answer of ours: 408. The connection closes after it.
  void fail(Response answer);

  // Forgets the request that is complete. What is already in the buffer is the start of the next one (pipelining).
  void next();

  Phase phase() const;
  Request& request() { return request_; }
  const Route* route() const { return route_; }          // null when the header was not read, or no route matched
  std::optional<Response>& answer() { return answer_; }  // set when no handler is to be called
  bool readable() const { return header_read_; }         // the request line and header were sound
  bool malformed() const { return malformed_; }
  bool keep_alive() const { return keep_alive_; }
  bool unread() const { return unread_; }  // bytes of this request may still be on their way
  bool http10() const { return version_ == 10; }

 private:
  // Beast's parser, writing straight into our Request.
  class Parser final : public boost::beast::http::basic_parser<true> {
   public:
    explicit Parser(RequestReader& reader) : reader_(reader) {}

   private:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;
    void on_request_impl(boost::beast::http::verb method, string_view method_text, string_view target, int version,
                         error_code& ec) override;
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(boost::beast::http::field field, string_view name, string_view value, error_code& ec) override;
    void on_header_impl(error_code& ec) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;
    std::size_t on_body_impl(string_view body, error_code& ec) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& ec) override;
    void on_finish_impl(error_code&) override {}

    RequestReader& reader_;
  };

  std::size_t buffered() const { return end_ - begin_; }
  void begin();
  Step read_header();
  Step read_body();
  Step reject(Response answer);
  Step malformed(ErrorCode code, std::string detail);
  std::optional<std::string> fault_of_header() const;
  std::optional<std::string> read_target();
  bool find_route();  // false: answer() is set instead

  const Shared shared_;
  const Peer peer_;

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  std::optional<Parser> parser_;
  Request request_;
  std::string_view raw_path_;  // within request_.target
  const Route* route_ = nullptr;
  std::optional<Response> answer_;

  std::size_t header_used_ = 0;
  std::size_t headers_ = 0;
  unsigned hosts_ = 0;
  unsigned lengths_ = 0;
  unsigned encodings_ = 0;
  int version_ = 11;
  bool expects_continue_ = false;
  bool header_read_ = false;
  bool malformed_ = false;
  bool keep_alive_ = true;
  bool unread_ = false;
  bool done_ = false;
};

}  // namespace triage::net
