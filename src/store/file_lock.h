// An advisory lock on a file of its own (flock), held until the object or the process ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

namespace triage::store {

class FileLock {
 public:
  // The lock, or nothing when somebody else holds it after `patience`. Throws Unavailable when the file cannot be made.
  static std::optional<FileLock> take(const std::filesystem::path& file, std::chrono::milliseconds patience);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// How a command beside the server gets its turn. The server's writer begins its next transaction right after the last,
// so that one who waits for SQLite's lock by polling might wait long. The command holds the turnstile while it writes;
// the writer looks at it between commits and lets the command go first, but never waits longer than `patience`.
class Turnstile {
 public:
  explicit Turnstile(const std::filesystem::path& file);
  ~Turnstile();
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;
  void give_way(std::chrono::milliseconds patience) noexcept;

 private:
  int descriptor_;
};

}  // namespace triage::store
