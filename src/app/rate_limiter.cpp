#include "app/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace triage::app {

void RateLimiter::set_rate(double per_minute) {
  per_minute_ = per_minute;
}

std::optional<std::chrono::seconds> RateLimiter::take(std::string_view key, std::chrono::steady_clock::time_point now) {
  const double limit = per_minute_;
  if (limit <= 0) return std::nullopt;
  Shard& shard = shards_[std::hash<std::string_view>()(key) % kShards];
  std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= kKeysPerShard && !shard.buckets.contains(std::string(key))) {
    // A full bucket says no more than a missing one: those of a minute ago can go, and all can when none has.
    std::erase_if(shard.buckets, [&](const auto& entry) { return now - entry.second.at > std::chrono::minutes(1); });
    if (shard.buckets.size() >= kKeysPerShard) shard.buckets.clear();
  }
  const auto [it, made] = shard.buckets.try_emplace(std::string(key), Bucket{limit, now});
  Bucket& bucket = it->second;
  const double minutes = std::chrono::duration<double, std::ratio<60>>(now - bucket.at).count();
  bucket.tokens = std::min(limit, bucket.tokens + minutes * limit);
  bucket.at = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double seconds = std::ceil((1 - bucket.tokens) / limit * 60);
  return std::chrono::seconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(seconds)));
}

}  // namespace triage::app
