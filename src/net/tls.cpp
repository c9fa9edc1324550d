#include "net/tls.h"

#include <openssl/ssl.h>

namespace triage::net {
namespace {

namespace ssl = boost::asio::ssl;

Error unusable(const std::string& what, const std::string& file, const boost::system::error_code& ec) {
  return make_error(ErrorCode::unprocessable, "cannot use the " + what + " " + file + ": " + ec.message());
}

}  // namespace

Result<TlsContext> make_server_tls(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_options(ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                       ssl::context::single_dh_use);
  // Idle connections give their 34 KB of record buffers back.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);

  boost::system::error_code ec;
  // OpenSSL would ask for an encrypted key's passphrase on the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, ec);
  context->use_certificate_chain_file(files.certificate, ec);
  if (ec) return unusable("certificate", files.certificate, ec);
  context->use_private_key_file(files.key, ssl::context::pem, ec);
  if (ec) return unusable("private key", files.key, ec);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return make_error(ErrorCode::unprocessable,
                      "the private key " + files.key + " does not belong to the certificate " + files.certificate);
  }
  return context;
}

Result<TlsContext> make_client_tls(const std::string& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_options(ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  context->set_verify_mode(ssl::verify_peer);

  boost::system::error_code ec;
  context->set_default_verify_paths(ec);
  if (ec) return unusable("system's", "trusted certificates", ec);
  if (!ca_file.empty()) {
    context->load_verify_file(ca_file, ec);
    if (ec) return unusable("trusted certificates of", ca_file, ec);
  }
  return context;
}

}  // namespace triage::net
