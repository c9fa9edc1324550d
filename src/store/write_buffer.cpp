// The VFS.
#include "store/write_buffer.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "store/sqlite.h"

namespace triage::store {
namespace {

constexpr std::size_t kCapacity = 512 * 1024;
constexpr std::size_t kPiece = 64 * 1024;  // SQLite's own VFS cuts what is 128 KiB or more
constexpr const char* kName = "triaged-write-buffer";

// A file of ours. SQLite owns its memory and knows only its first member.
struct File {
  sqlite3_file base;
  sqlite3_file* real;
  bool is_log;
  char* buffer;  // kCapacity bytes, made at the first write
  std::size_t filled;
  sqlite3_int64 at;  // where the buffer begins in the file
};

File& as_file(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

int flush(File& file) {
  const std::size_t filled = std::exchange(file.filled, 0);
  int code = SQLITE_OK;
  for (std::size_t done = 0; done < filled && code == SQLITE_OK; done += kPiece) {
    const int size = static_cast<int>(std::min(kPiece, filled - done));
    code = file.real->pMethods->xWrite(file.real, file.buffer + done, size, file.at + static_cast<sqlite3_int64>(done));
  }
  return code;
}

int close_file(sqlite3_file* handle) {
  File& file = as_file(handle);
  const int flushed = flush(file);
  const int code = file.real->pMethods != nullptr ? file.real->pMethods->xClose(file.real) : SQLITE_OK;
  delete[] file.buffer;
  ::operator delete(file.real);
  return code != SQLITE_OK ? code : flushed;
}

int write_file(sqlite3_file* handle, const void* data, int size, sqlite3_int64 at) {
  File& file = as_file(handle);
  const auto length = static_cast<std::size_t>(size);
  if (!file.is_log) return file.real->pMethods->xWrite(file.real, data, size, at);
  const bool continues = file.filled > 0 && at == file.at + static_cast<sqlite3_int64>(file.filled);
  if (file.filled > 0 && (!continues || file.filled + length > kCapacity)) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
  }
  if (length > kCapacity) return file.real->pMethods->xWrite(file.real, data, size, at);
  if (file.buffer == nullptr) file.buffer = new (std::nothrow) char[kCapacity];
  if (file.buffer == nullptr) return SQLITE_IOERR_NOMEM;
  if (file.filled == 0) file.at = at;
  std::memcpy(file.buffer + file.filled, data, length);
  file.filled += length;
  return SQLITE_OK;
}

// Every other call that has to do with what is in the file.
template <auto Method, class... Arguments>
int after_flush(sqlite3_file* handle, Arguments... arguments) {
  File& file = as_file(handle);
  if (const int code = flush(file); code != SQLITE_OK) return code;
  return (file.real->pMethods->*Method)(file.real, arguments...);
}

int read_file(sqlite3_file* handle, void* data, int size, sqlite3_int64 at) {
  File& file = as_file(handle);
  const bool apart = at + size <= file.at || at >= file.at + static_cast<sqlite3_int64>(file.filled);
  if (!apart) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
  }
  return file.real->pMethods->xRead(file.real, data, size, at);
}

template <auto Method, class... Arguments>
auto pass(sqlite3_file* handle, Arguments... arguments) {
  File& file = as_file(handle);
  return (file.real->pMethods->*Method)(file.real, arguments...);
}

using Io = sqlite3_io_methods;
const Io kMethods = {
    2,  // without memory mapping, which would look past the buffer
    close_file,
    read_file,
    write_file,
    after_flush<&Io::xTruncate, sqlite3_int64>,
    after_flush<&Io::xSync, int>,
    after_flush<&Io::xFileSize, sqlite3_int64*>,
    after_flush<&Io::xLock, int>,
    after_flush<&Io::xUnlock, int>,
    after_flush<&Io::xCheckReservedLock, int*>,
    pass<&Io::xFileControl, int, void*>,
    pass<&Io::xSectorSize>,
    pass<&Io::xDeviceCharacteristics>,
    pass<&Io::xShmMap, int, int, int, void volatile**>,
    pass<&Io::xShmLock, int, int, int>,
    pass<&Io::xShmBarrier>,
    pass<&Io::xShmUnmap, int>,
    nullptr,
    nullptr,
};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  File& file = as_file(handle);
  std::memset(&file, 0, sizeof file);
  file.is_log = (flags & SQLITE_OPEN_WAL) != 0;
  const auto size = static_cast<std::size_t>(real->szOsFile);
  file.real = static_cast<sqlite3_file*>(::operator new(size, std::nothrow));
  if (file.real == nullptr) return SQLITE_NOMEM;
  std::memset(static_cast<void*>(file.real), 0, size);
  const int code = real->xOpen(real, name, file.real, flags, out_flags);
  // SQLite closes what has methods, also after a failure.
  file.base.pMethods = &kMethods;
  return code;
}

}  // namespace

const char* write_buffer_vfs() {
  static std::once_flag once;
  static sqlite3_vfs vfs;
  std::call_once(once, [] {
    start_library();
    vfs = *sqlite3_vfs_find("unix");
    vfs.zName = kName;
    vfs.szOsFile = sizeof(File);
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 0);
  });
  return kName;
}

}  // namespace triage::store
