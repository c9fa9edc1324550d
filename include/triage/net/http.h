// HTTP as the rest of the project sees it: plain structs, no Beast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "triage/model/error.h"

namespace triage::net {

enum class Method { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);
std::optional<Method> parse_method(std::string_view name);  // "GET", …; nothing for what has no name above

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name (RFC 9110: names ignore case), or nothing.
std::optional<std::string_view> find_header(const Headers& headers, std::string_view name);

struct Request {
  Method method = Method::get;
  std::string target;                                       // as sent: path and query, still percent-encoded
  std::string path;                                         // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
  std::vector<std::pair<std::string, std::string>> params;  // what the route's {names} matched, decoded
  Headers headers;
  std::string body;        // the raw bytes
  std::string id;          // request id: ours, in every log line and in the X-Request-Id of the answer
  std::string remote;      // the client's address; behind a trusted proxy the one that it forwarded
  bool forwarded = false;  // carries Forwarded or X-Forwarded-*: came through some proxy
  bool tls = false;

  std::optional<std::string_view> header(std::string_view name) const { return find_header(headers, name); }
  std::optional<std::string_view> query_value(std::string_view name) const;  // the first of that name
  std::string_view param(std::string_view name) const;                       // "" when the route has none such
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;

  static Response json(int status, std::string body);
  static Response text(int status, std::string body);
  static Response empty(int status);
};

// RFC 9457 application/problem+json with type, title, status, detail, errors[]; Retry-After when the error has one.
Response problem(const Error& error);
int status_of(ErrorCode code);

}  // namespace triage::net
