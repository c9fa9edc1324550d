// LD_PRELOAD: a disk that fails while a file says so. TRIAGED_FAULT names that file; it holds "read-only" (every write
// to a database file fails with EROFS, as after the kernel has remounted a failing disk) or "sync" (fsync and fdatasync
// fail with EIO).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_database(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strstr(path, "/triaged.db") != NULL;
}

static int faulty(const char *kind, int fd) {
  const char *name = getenv("TRIAGED_FAULT");
  if (!name) return 0;
  static int (*real_open)(const char *, int, ...);
  if (!real_open) real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  int file = real_open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[32] = {0};
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return size > 0 && strcmp(text, kind) == 0 && is_database(fd);
}

#define FAIL(kind, code, result) \
  if (faulty(kind, fd)) {        \
    errno = code;                \
    return result;               \
  }

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  FAIL("read-only", EROFS, -1)
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return real(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
ssize_t write(int fd, const void *data, size_t size) {
  FAIL("read-only", EROFS, -1)
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  return real(fd, data, size);
}
int fdatasync(int fd) {
  FAIL("sync", EIO, -1)
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return real(fd);
}
int fsync(int fd) {
  FAIL("sync", EIO, -1)
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return real(fd);
}
