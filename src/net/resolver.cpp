#include "net/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "triage/net/signal.h"

namespace triage::net {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kKeep{15};
constexpr std::size_t kMostThreads = 16;
constexpr std::size_t kMostKept = 1024;

struct Answer {
  std::vector<IpAddress> addresses;
  std::string error;
};

Answer look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  Answer answer;
  if (failure != 0) {
    answer.error = gai_strerror(failure);
    return answer;
  }
  for (const addrinfo* at = found; at; at = at->ai_next) {
    IpAddress address;
    if (at->ai_family == AF_INET6) {
      sockaddr_in6 in{};
      std::memcpy(&in, at->ai_addr, sizeof in);
      std::memcpy(address.bytes.data(), &in.sin6_addr, 16);
    } else if (at->ai_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, at->ai_addr, sizeof in);
      address.bytes[10] = address.bytes[11] = 0xff;
      std::memcpy(address.bytes.data() + 12, &in.sin_addr, 4);
    } else {
      continue;
    }
    if (std::find(answer.addresses.begin(), answer.addresses.end(), address) == answer.addresses.end()) {
      answer.addresses.push_back(address);
    }
  }
  freeaddrinfo(found);
  if (answer.addresses.empty()) answer.error = "it has no address";
  return answer;
}

}  // namespace

struct Resolver::Lookup {
  explicit Lookup(std::string name) : host(std::move(name)) {}
  const std::string host;
  Answer answer;  // written before `done` is raised, not after
  Signal done;
};

struct Resolver::State {
  struct Kept {
    std::vector<IpAddress> addresses;
    Clock::time_point until;
  };

  std::mutex mutex;
  std::unordered_map<std::string, Kept> kept;
  std::unordered_map<std::string, std::shared_ptr<Lookup>> under_way;
  std::deque<std::shared_ptr<Lookup>> waiting;
  std::size_t threads = 0;

  void keep(const Lookup& lookup) {
    const auto now = Clock::now();
    if (kept.size() >= kMostKept) {
      std::erase_if(kept, [&](const auto& entry) { return entry.second.until <= now; });
      if (kept.size() >= kMostKept) kept.clear();
    }
    kept[lookup.host] = Kept{lookup.answer.addresses, now + kKeep};
  }

  // A thread's life: lookups until none waits. It is detached, since getaddrinfo cannot be interrupted.
  static void work(std::shared_ptr<State> state) {
    std::unique_lock lock(state->mutex);
    while (!state->waiting.empty()) {
      const std::shared_ptr<Lookup> lookup = std::move(state->waiting.front());
      state->waiting.pop_front();
      lock.unlock();
      lookup->answer = look_up(lookup->host);
      lock.lock();
      if (lookup->answer.error.empty()) state->keep(*lookup);
      state->under_way.erase(lookup->host);
      lookup->done.raise();
    }
    --state->threads;
  }
};

Resolver::Resolver() : state_(std::make_shared<State>()) {}

Resolver::~Resolver() = default;

Resolver& Resolver::shared() {
  static Resolver resolver;
  return resolver;
}

boost::asio::awaitable<Result<std::vector<IpAddress>>> Resolver::resolve(std::string host,
                                                                         std::chrono::milliseconds timeout) {
  if (const auto literal = IpAddress::parse(host)) co_return std::vector<IpAddress>{*literal};

  std::shared_ptr<Lookup> lookup;
  {
    const std::scoped_lock lock(state_->mutex);
    const auto kept = state_->kept.find(host);
    if (kept != state_->kept.end() && kept->second.until > Clock::now()) co_return kept->second.addresses;

    auto& under_way = state_->under_way[host];
    if (!under_way) {
      under_way = std::make_shared<Lookup>(host);
      state_->waiting.push_back(under_way);
      if (state_->threads < kMostThreads) {
        ++state_->threads;
        std::thread(State::work, state_).detach();
      }
    }
    lookup = under_way;
  }

  boost::asio::awaitable<std::uint64_t> finished = lookup->done.wait(0, timeout);
  const std::uint64_t raised = co_await std::move(finished);
  if (raised == 0) {
    co_return make_error(ErrorCode::timeout, "could not resolve " + host + ": no answer in time");
  }
  if (!lookup->answer.error.empty()) {
    co_return make_error(ErrorCode::bad_gateway, "could not resolve " + host + ": " + lookup->answer.error);
  }
  co_return lookup->answer.addresses;
}

}  // namespace triage::net
