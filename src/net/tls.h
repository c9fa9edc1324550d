// TLS settings of the server and the client.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "triage/net/server.h"

namespace triage::net {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and later. The error names the file and what OpenSSL said of it.
Result<TlsContext> make_server_tls(const TlsFiles& files);

// Verifies the server against the system's roots and those in `ca_file` (may be empty).
Result<TlsContext> make_client_tls(const std::string& ca_file);

}  // namespace triage::net
