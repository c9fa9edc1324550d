#include "classify/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace triage::classify {
namespace {

Error failed(ErrorCode code, const std::filesystem::path& file, const char* what, int reason) {
  return make_error(code, file.string() + ' ' + what + ": " + std::generic_category().message(reason));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return failed(ErrorCode::not_found, file, "cannot be opened", errno);
  std::string bytes;
  constexpr std::size_t kStep = 1U << 18U;
  for (;;) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kStep);
    const ssize_t got = ::read(in.get(), bytes.data() + size, kStep);
    const int reason = errno;
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return bytes;
    if (got < 0 && reason != EINTR) return failed(ErrorCode::not_found, file, "cannot be read", reason);
  }
}

Result<void> write_file(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path part = file.string() + ".part" + std::to_string(::getpid());
  const auto give_up = [&](int reason) {
    ::unlink(part.c_str());
    return failed(ErrorCode::unavailable, file, "cannot be written", reason);
  };
  {
    const Descriptor out(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (out.get() < 0) return give_up(errno);
    while (!bytes.empty()) {
      const ssize_t put = ::write(out.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return give_up(errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    if (::fsync(out.get()) != 0) return give_up(errno);
  }
  if (::rename(part.c_str(), file.c_str()) != 0) return give_up(errno);
  return {};
}

}  // namespace triage::classify
