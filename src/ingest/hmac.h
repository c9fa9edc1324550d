// HMAC with a key that is prepared once: the hash states after the padded key are kept and copied for each message, so
// that a short body costs little more than hashing it. Thread-safe once made.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace triage::ingest {

enum class Hash { sha1, sha256, sha512 };
std::optional<Hash> parse_hash(std::string_view name);

struct Digest {
  std::array<unsigned char, 64> bytes{};
  std::size_t size = 0;
  std::string str() const { return std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)); }
};

// True where `candidate` is the digest, in time that does not depend on where they differ.
bool same_bytes(const Digest& digest, std::string_view candidate);

class HmacKey {
 public:
  HmacKey(Hash hash, std::string_view key);

  // Over the parts, one after the other. Throws std::runtime_error where OpenSSL fails.
  Digest sign(std::span<const std::string_view> parts) const;
  Digest sign(std::initializer_list<std::string_view> parts) const {
    return sign(std::span<const std::string_view>(parts.begin(), parts.size()));
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  static Context start(const EVP_MD* hash, std::string_view key, unsigned char pad);

  Context inner_;
  Context outer_;
};

// Secrets that a received one is compared with. Digests are, so that neither content nor length of a secret shows in
// the time taken; always all of them.
class SecretSet {
 public:
  explicit SecretSet(const std::vector<std::string>& secrets);
  bool holds(std::string_view given) const;

 private:
  std::vector<Digest> digests_;
};

}  // namespace triage::ingest
