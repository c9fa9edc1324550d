#include "ingest/hmac.h"

#include <openssl/crypto.h>

#include <stdexcept>

namespace triage::ingest {
namespace {

void check(int ok, const char* what) {
  if (ok != 1) throw std::runtime_error(std::string("OpenSSL failed: ") + what);
}

// Fetched once: an implicit fetch on every call costs more than hashing a short body.
const EVP_MD* fetch(Hash hash) {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  const EVP_MD* md = hash == Hash::sha1 ? sha1 : hash == Hash::sha256 ? sha256 : sha512;
  if (md == nullptr) throw std::runtime_error("OpenSSL offers no such hash");
  return md;
}

const HmacKey& blind() {
  static const HmacKey key(Hash::sha256, "shared secrets");
  return key;
}

}  // namespace

std::optional<Hash> parse_hash(std::string_view name) {
  if (name == "sha1") return Hash::sha1;
  if (name == "sha256") return Hash::sha256;
  if (name == "sha512") return Hash::sha512;
  return std::nullopt;
}

bool same_bytes(const Digest& digest, std::string_view candidate) {
  if (candidate.size() != digest.size) return false;
  return CRYPTO_memcmp(digest.bytes.data(), candidate.data(), digest.size) == 0;
}

HmacKey::Context HmacKey::start(const EVP_MD* hash, std::string_view key, unsigned char pad) {
  std::string block(key);
  block.resize(static_cast<std::size_t>(EVP_MD_get_block_size(hash)), '\0');
  for (char& c : block) c = static_cast<char>(static_cast<unsigned char>(c) ^ pad);
  Context context(EVP_MD_CTX_new());
  if (context == nullptr) throw std::bad_alloc();
  check(EVP_DigestInit_ex2(context.get(), hash, nullptr), "init");
  check(EVP_DigestUpdate(context.get(), block.data(), block.size()), "update");
  OPENSSL_cleanse(block.data(), block.size());
  return context;
}

HmacKey::HmacKey(Hash hash, std::string_view key) {
  const EVP_MD* md = fetch(hash);
  std::string shortened;
  if (key.size() > static_cast<std::size_t>(EVP_MD_get_block_size(md))) {
    shortened.resize(static_cast<std::size_t>(EVP_MD_get_size(md)));
    check(EVP_Digest(key.data(), key.size(), reinterpret_cast<unsigned char*>(shortened.data()), nullptr, md, nullptr),
          "digest");
    key = shortened;
  }
  inner_ = start(md, key, 0x36);
  outer_ = start(md, key, 0x5c);
  OPENSSL_cleanse(shortened.data(), shortened.size());
}

Digest HmacKey::sign(std::span<const std::string_view> parts) const {
  thread_local const Context scratch(EVP_MD_CTX_new());
  Digest digest;
  unsigned int size = 0;
  check(EVP_MD_CTX_copy_ex(scratch.get(), inner_.get()), "copy");
  for (const auto part : parts) check(EVP_DigestUpdate(scratch.get(), part.data(), part.size()), "update");
  check(EVP_DigestFinal_ex(scratch.get(), digest.bytes.data(), &size), "final");
  check(EVP_MD_CTX_copy_ex(scratch.get(), outer_.get()), "copy");
  check(EVP_DigestUpdate(scratch.get(), digest.bytes.data(), size), "update");
  check(EVP_DigestFinal_ex(scratch.get(), digest.bytes.data(), &size), "final");
  digest.size = size;
  return digest;
}

SecretSet::SecretSet(const std::vector<std::string>& secrets) {
  digests_.reserve(secrets.size());
  for (const auto& secret : secrets) digests_.push_back(blind().sign({secret}));
}

bool SecretSet::holds(std::string_view given) const {
  const Digest digest = blind().sign({given});
  const std::string_view bytes(reinterpret_cast<const char*>(digest.bytes.data()), digest.size);
  bool same = false;
  for (const auto& known : digests_) same |= same_bytes(known, bytes);
  return same;
}

}  // namespace triage::ingest
