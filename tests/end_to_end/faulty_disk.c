/* A disk that fails under a real program: to be loaded before its libraries (LD_PRELOAD).
 *
 * Below the directory UPDRAFT_DISK, while a file of this name lies in the directory UPDRAFT_FAULTS:
 *
 *   full         writing fails for want of space
 *   read-only    opening for writing, making, renaming and removing fail as on a read-only mount
 *   sync-fails   fsync and fdatasync fail, as when the disk does
 *   sync-hangs   fsync and fdatasync do not return until the file is gone
 *
 * Reads are never touched. */
#undef _FILE_OFFSET_BITS  /* Each function stands for itself here, not for its 64-bit brother. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int active(const char *fault) {
  const char *faults = getenv("UPDRAFT_FAULTS");
  char path[PATH_MAX];
  if (faults == NULL) return 0;
  snprintf(path, sizeof(path), "%s/%s", faults, fault);
  return REAL(access)(path, F_OK) == 0;
}

static int below(const char *path) {
  const char *disk = getenv("UPDRAFT_DISK");
  return disk != NULL && strncmp(path, disk, strlen(disk)) == 0;
}

static int fd_below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return below(path);
}

static int fails(int holds, int error) {
  if (holds) errno = error;
  return holds;
}

#define WRITE(name, fd, ...)                                        \
  if (fails(active("full") && fd_below(fd), ENOSPC)) return -1;     \
  return REAL(name)(fd, __VA_ARGS__)

ssize_t write(int fd, const void *data, size_t size) { WRITE(write, fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { WRITE(pwrite, fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  WRITE(pwrite64, fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { WRITE(writev, fd, parts, count); }

static int sync_fault(int fd) {
  while (active("sync-hangs") && fd_below(fd)) usleep(10 * 1000);
  return fails(active("sync-fails") && fd_below(fd), EIO);
}
int fsync(int fd) { return sync_fault(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return sync_fault(fd) ? -1 : REAL(fdatasync)(fd); }

static int read_only(const char *path) { return fails(active("read-only") && below(path), EROFS); }

static int for_writing(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

#define OPEN(name)                                        \
  int name(const char *path, int flags, ...) {            \
    va_list rest;                                         \
    va_start(rest, flags);                                \
    mode_t mode = va_arg(rest, mode_t);                   \
    va_end(rest);                                         \
    if (for_writing(flags) && read_only(path)) return -1; \
    return REAL(name)(path, flags, mode);                 \
  }
OPEN(open)
OPEN(open64)

FILE *fopen(const char *path, const char *mode) {
  return mode[0] != 'r' && read_only(path) ? NULL : REAL(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
  return mode[0] != 'r' && read_only(path) ? NULL : REAL(fopen64)(path, mode);
}
int mkdir(const char *path, mode_t mode) {
  return read_only(path) ? -1 : REAL(mkdir)(path, mode);
}
int rename(const char *from, const char *to) {
  return read_only(to) ? -1 : REAL(rename)(from, to);
}
int unlink(const char *path) { return read_only(path) ? -1 : REAL(unlink)(path); }
int access(const char *path, int mode) {
  return (mode & W_OK) != 0 && read_only(path) ? -1 : REAL(access)(path, mode);
}
int faccessat(int dir, const char *path, int mode, int flags) {
  if ((mode & W_OK) != 0 && read_only(path)) return -1;
  return REAL(faccessat)(dir, path, mode, flags);
}
