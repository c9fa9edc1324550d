// flock, with the patience of a poll.
#include "store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "triage/store/store.h"

namespace triage::store {
namespace {

constexpr std::chrono::milliseconds kPoll{1};

int open_lock_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw Unavailable("cannot open " + file.string() + ": " + std::generic_category().message(errno));
  return descriptor;
}

bool lock(int descriptor, int operation, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(descriptor, operation | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace

std::optional<FileLock> FileLock::take(const std::filesystem::path& file, std::chrono::milliseconds patience) {
  FileLock held(open_lock_file(file));
  if (!lock(held.descriptor_, LOCK_EX, patience)) return std::nullopt;
  return held;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Turnstile::Turnstile(const std::filesystem::path& file) : descriptor_(open_lock_file(file)) {}
Turnstile::~Turnstile() {
  ::close(descriptor_);
}

void Turnstile::give_way(std::chrono::milliseconds patience) noexcept {
  if (lock(descriptor_, LOCK_SH, patience)) ::flock(descriptor_, LOCK_UN);
}

}  // namespace triage::store
