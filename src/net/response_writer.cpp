#include "net/response_writer.h"

#include <charconv>

#include "net/status.h"
#include "net/text.h"

namespace triage::net {
namespace {

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool is_ours(std::string_view name) {
  for (const std::string_view ours :
       {"Content-Length", "Transfer-Encoding", "Connection", "Content-Type", "Date", "X-Request-Id"}) {
    if (iequals(name, ours)) return true;
  }
  return false;
}

bool status_without_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

bool has_body(const Response& response, const ResponseContext& context) {
  return !context.head && !status_without_body(response.status);
}

void write_head(const Response& response, const ResponseContext& context, std::string& out) {
  if (response.status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(response.status));
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  }
  append_header(out, "Date", context.date);
  append_header(out, "X-Request-Id", context.id);
  if (!response.content_type.empty() && is_header_value(response.content_type)) {
    append_header(out, "Content-Type", response.content_type);
  }
  if (!status_without_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  if (!context.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (context.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const auto& [name, value] : response.headers) {
    if (is_token(name) && is_header_value(value) && !is_ours(name)) append_header(out, name, value);
  }
  out.append("\r\n");
}

}  // namespace triage::net
