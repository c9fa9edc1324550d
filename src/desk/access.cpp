#include "triage/desk/access.h"

#include <openssl/rand.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include "desk/digest.h"
#include "triage/net/signal.h"
#include "triage/store/await.h"

namespace triage::desk {

namespace {

constexpr auto kRefresh = std::chrono::milliseconds(500);
constexpr auto kTouchEvery = std::chrono::minutes(1);

// "Bearer SECRET", the scheme in any case (RFC 6750, RFC 9110).
std::optional<std::string_view> bearer(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) return std::nullopt;
  }
  header.remove_prefix(kScheme.size());
  while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
  while (!header.empty() && header.back() == ' ') header.remove_suffix(1);
  return header;
}

}  // namespace

std::string make_token_secret() {
  unsigned char bytes[32];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("the system gave no random bytes");
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out = "trg_";
  unsigned buffer = 0;
  int bits = 0;
  for (const unsigned char byte : bytes) {
    buffer = buffer << 8 | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += kAlphabet[buffer >> bits & 63U];
    }
  }
  out += kAlphabet[buffer << (6 - bits) & 63U];
  return out;
}

std::string hash_token_secret(std::string_view secret) {
  return sha256_hex(secret);
}

bool called(const store::EscalationRecord& escalation, std::string_view team) {
  for (int level = 0; level <= escalation.level; ++level) {
    if (escalation.rungs[static_cast<std::size_t>(level)].team == team) return true;
  }
  return false;
}

bool may_see(const Caller& caller, const store::CaseRecord& c,
             const std::vector<store::EscalationRecord>& escalations) {
  switch (caller.role) {
    case store::Role::supervisor:
    case store::Role::admin:
      return true;
    case store::Role::agent:
      return caller.team.empty() || caller.team == c.team;
    case store::Role::ops:
      for (const auto& e : escalations) {
        if (caller.team.empty() || called(e, caller.team)) return true;
      }
      return false;
  }
  return false;
}

struct Access::Impl : std::enable_shared_from_this<Access::Impl> {
  Impl(net::Runtime& r, store::Store& s) : runtime(r), store(s) {}

  net::Runtime& runtime;
  store::Store& store;
  net::Signal stopping;

  struct Entry {
    Caller caller;
    Time touched{};
  };
  std::mutex mutex;
  std::unordered_map<std::string, Entry> by_hash;

  // Reads the table again. Leaves what is known in force when the database cannot be read.
  boost::asio::awaitable<void> refresh() {
    auto rows = std::make_shared<std::vector<store::TokenRecord>>();
    auto work = store::Store::Read([rows](store::Reader& reader) { *rows = reader.tokens(); });
    const Result<void> done = co_await store::read(store, std::move(work));
    if (!done) co_return;
    std::lock_guard lock(mutex);
    std::unordered_map<std::string, Entry> next;
    for (auto& row : *rows) {
      if (row.revoked_at) continue;
      Entry entry{{row.id, row.name, row.role, row.team}, row.last_used_at.value_or(Time{})};
      const auto known = by_hash.find(row.hash);
      if (known != by_hash.end() && known->second.touched > entry.touched) entry.touched = known->second.touched;
      next.emplace(std::move(row.hash), std::move(entry));
    }
    by_hash.swap(next);
  }

  std::optional<Caller> find(const std::string& hash, Time now, bool& touch) {
    std::lock_guard lock(mutex);
    const auto it = by_hash.find(hash);
    if (it == by_hash.end()) return std::nullopt;
    touch = now - it->second.touched >= kTouchEvery;
    if (touch) it->second.touched = now;
    return it->second.caller;
  }

  boost::asio::awaitable<void> keep_fresh(std::shared_ptr<Impl> self) {
    const std::uint64_t start = stopping.count();
    for (;;) {
      co_await self->refresh();
      const std::uint64_t seen = co_await stopping.wait(start, kRefresh);
      if (seen != start) co_return;
    }
  }
};

Access::Access(net::Runtime& runtime, store::Store& store) : impl_(std::make_shared<Impl>(runtime, store)) {}
Access::~Access() {
  stop();
}

void Access::start() {
  boost::asio::co_spawn(impl_->runtime.next(), impl_->keep_fresh(impl_), boost::asio::detached);
}

void Access::stop() {
  impl_->stopping.raise();
  impl_->stopping.close();
}

boost::asio::awaitable<Result<Caller>> Access::authenticate(const net::Request& request) {
  const auto header = request.header("Authorization");
  const auto secret = header ? bearer(*header) : std::nullopt;
  if (!secret) {
    co_return make_error(ErrorCode::unauthenticated,
                         "send `Authorization: Bearer TOKEN`; `triaged token create` makes one");
  }
  const std::string hash = hash_token_secret(*secret);
  const Time now = wall_clock_now();
  bool touch = false;
  std::optional<Caller> caller = impl_->find(hash, now, touch);
  if (!caller) {
    // It may have been made a moment ago.
    co_await impl_->refresh();
    caller = impl_->find(hash, now, touch);
  }
  if (!caller) co_return make_error(ErrorCode::unauthenticated, "the token is unknown or revoked");
  if (touch) {
    // For `token list` only: nobody waits for it, and a failing disk does not lock callers out.
    const TokenId id = caller->token;
    impl_->store.write([id, now](store::Writer& writer) { writer.touch_token(id, now); },
                       [](store::Committed, const std::string&) {});
  }
  co_return *caller;
}

}  // namespace triage::desk
