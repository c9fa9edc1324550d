// Turns a Response into bytes. Written by hand into a string that a connection keeps, so that an answer costs no
// allocation and one write.
#pragma once

#include <string>
#include <string_view>

#include "triage/net/http.h"

namespace triage::net {

struct ResponseContext {
  std::string_view date;  // IMF-fixdate
  std::string_view id;
  bool keep_alive = true;
  bool http10 = false;
  bool head = false;  // the request was HEAD: no body
};

// The status line and headers, with the empty line after them. Content-Length, Connection, Date and X-Request-Id are
// ours: the handler's own are left out, as is a header that is not one (a line break in a value must not start
// another).
void write_head(const Response& response, const ResponseContext& context, std::string& out);

// True when the answer to `context` carries response.body after the head.
bool has_body(const Response& response, const ResponseContext& context);

}  // namespace triage::net
