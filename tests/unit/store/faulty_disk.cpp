// A VFS in front of SQLite's own.
#include "unit/store/faulty_disk.h"

#include <sqlite3.h>

#include <cstring>

namespace triage::store::testing {
namespace {

FaultyDisk* g_disk = nullptr;
sqlite3_vfs* g_real = nullptr;
sqlite3_vfs g_vfs;

struct File {
  sqlite3_file base;
  bool log;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* as_file(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}

int close_file(sqlite3_file* file) {
  auto* real = as_file(file)->real();
  return real->pMethods != nullptr ? real->pMethods->xClose(real) : SQLITE_OK;
}
int read_file(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
  if (g_disk->read_error != 0) return g_disk->read_error;
  auto* real = as_file(file)->real();
  return real->pMethods->xRead(real, data, size, at);
}
int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  if (g_disk->write_error != 0) return g_disk->write_error;
  if (as_file(file)->log) g_disk->log_unsynced = true;
  auto* real = as_file(file)->real();
  return real->pMethods->xWrite(real, data, size, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (g_disk->write_error != 0) return g_disk->write_error;
  auto* real = as_file(file)->real();
  return real->pMethods->xTruncate(real, size);
}
int sync_file(sqlite3_file* file, int flags) {
  if (g_disk->sync_error != 0) return g_disk->sync_error;
  auto* real = as_file(file)->real();
  const int code = real->pMethods->xSync(real, flags);
  if (code == SQLITE_OK && as_file(file)->log) {
    g_disk->log_unsynced = false;
    ++g_disk->log_syncs;
  }
  return code;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  auto* real = as_file(file)->real();
  return real->pMethods->xFileSize(real, size);
}
int lock_file(sqlite3_file* file, int level) {
  auto* real = as_file(file)->real();
  return real->pMethods->xLock(real, level);
}
int unlock_file(sqlite3_file* file, int level) {
  auto* real = as_file(file)->real();
  return real->pMethods->xUnlock(real, level);
}
int check_reserved(sqlite3_file* file, int* out) {
  auto* real = as_file(file)->real();
  return real->pMethods->xCheckReservedLock(real, out);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  auto* real = as_file(file)->real();
  return real->pMethods->xFileControl(real, operation, argument);
}
int sector_size(sqlite3_file* file) {
  auto* real = as_file(file)->real();
  return real->pMethods->xSectorSize(real);
}
int characteristics(sqlite3_file* file) {
  auto* real = as_file(file)->real();
  return real->pMethods->xDeviceCharacteristics(real);
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  auto* real = as_file(file)->real();
  return real->pMethods->xShmMap(real, page, size, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  auto* real = as_file(file)->real();
  return real->pMethods->xShmLock(real, offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  auto* real = as_file(file)->real();
  real->pMethods->xShmBarrier(real);
}
int shm_unmap(sqlite3_file* file, int remove) {
  auto* real = as_file(file)->real();
  return real->pMethods->xShmUnmap(real, remove);
}

const sqlite3_io_methods kMethods = {
    2,         close_file,  read_file,      write_file,   truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_reserved, control_file, sector_size,   characteristics, shm_map,
    shm_lock,  shm_barrier, shm_unmap,      nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  File* f = as_file(file);
  std::memset(static_cast<void*>(f), 0, sizeof(File));
  f->log = (flags & SQLITE_OPEN_WAL) != 0;
  const int code = g_real->xOpen(g_real, name, f->real(), flags, out_flags);
  if (code == SQLITE_OK || f->real()->pMethods != nullptr) f->base.pMethods = &kMethods;
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  g_disk = this;
  g_real = sqlite3_vfs_find(nullptr);
  g_vfs = *g_real;
  g_vfs.zName = "faulty";
  g_vfs.szOsFile = static_cast<int>(sizeof(File)) + g_real->szOsFile;
  g_vfs.xOpen = open_file;
  sqlite3_vfs_register(&g_vfs, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&g_vfs);
  sqlite3_vfs_register(g_real, 1);
  g_disk = nullptr;
}

}  // namespace triage::store::testing
