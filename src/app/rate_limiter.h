// Token buckets by key: so many requests a minute, with a burst of as many. Bounded in memory; thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace triage::app {

class RateLimiter {
 public:
  explicit RateLimiter(double per_minute) : per_minute_(per_minute) {}

  // Takes one token of `key`; when there is none left, the seconds until there is. 0 per minute: no limit.
  std::optional<std::chrono::seconds> take(std::string_view key, std::chrono::steady_clock::time_point now);

  void set_rate(double per_minute);

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::steady_clock::time_point at;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Bucket> buckets;
  };
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kKeysPerShard = 4096;

  std::atomic<double> per_minute_;
  std::array<Shard, kShards> shards_;
};

}  // namespace triage::app
