/*
 * Loaded before libc (LD_PRELOAD), it writes down what a process does to the files of one folder: every write, sync,
 * truncation, creation, removal and renaming, in one order, each before anybody learns that it was done.
 *
 * TAPE_RECORD_FOLDER: the folder, absolute. TAPE_RECORD_LOG: where to write.
 *
 * A record: "R", an operation, the length of the path and of the data, an offset, then path and data; numbers are those
 * of this machine. A write to a file whose name ends in ".marks" is a mark of the process itself.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct header {
  char magic;
  char operation;
  uint16_t path_length;
  uint32_t data_length;
  uint64_t offset;
};

#define MOST_FILES 65536
static char *paths[MOST_FILES];
static const char *folder;
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("TAPE_RECORD_FOLDER");
  const char *log = getenv("TAPE_RECORD_LOG");
  if (folder != NULL && log != NULL)
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *path_of(int fd) { return fd >= 0 && fd < MOST_FILES && log_fd >= 0 ? paths[fd] : NULL; }

static int is_ours(const char *path) {
  size_t length = folder == NULL ? 0 : strlen(folder);
  return log_fd >= 0 && path != NULL && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The lock is held. A log that cannot be written must not look like one without a crash. */
static void record(char operation, const char *path, uint64_t offset, const void *data, size_t length) {
  struct header header = {'R', operation, (uint16_t)strlen(path), (uint32_t)length, offset};
  struct iovec parts[3] = {
      {&header, sizeof header}, {(void *)path, header.path_length}, {(void *)data, length}};
  size_t whole = sizeof header + header.path_length + length;
  if (syscall(SYS_writev, log_fd, parts, length == 0 ? 2 : 3) != (long)whole) abort();
}

static int has_suffix(const char *path, const char *suffix) {
  size_t length = strlen(path), end = strlen(suffix);
  return length >= end && strcmp(path + length - end, suffix) == 0;
}

static int open_file(int folder_fd, const char *path, int flags, mode_t mode) {
  if (!is_ours(path)) return (int)syscall(SYS_openat, folder_fd, path, flags, mode);
  pthread_mutex_lock(&lock);
  int existed = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  int fd = (int)syscall(SYS_openat, folder_fd, path, flags, mode);
  int failure = errno;
  if (fd >= 0 && fd < MOST_FILES) {
    free(paths[fd]);
    paths[fd] = strdup(path);
    if (!existed) record('C', path, 0, NULL, 0);
    else if (flags & O_TRUNC) record('T', path, 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = failure;
  return fd;
}

#define OPEN(name)                                     \
  int name(const char *path, int flags, ...) {         \
    va_list more;                                      \
    va_start(more, flags);                             \
    mode_t mode = va_arg(more, mode_t);                \
    va_end(more);                                      \
    return open_file(AT_FDCWD, path, flags, mode);     \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                          \
  int name(int folder_fd, const char *path, int flags, ...) { \
    va_list more;                                             \
    va_start(more, flags);                                    \
    mode_t mode = va_arg(more, mode_t);                       \
    va_end(more);                                             \
    return open_file(folder_fd, path, flags, mode);           \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  if (path_of(fd) != NULL) {
    pthread_mutex_lock(&lock);
    free(paths[fd]);
    paths[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return (int)syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *data, size_t length, off64_t offset) {
  const char *path = path_of(fd);
  int positioned = offset >= 0;
  if (path == NULL) return positioned ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
  pthread_mutex_lock(&lock);
  if (!positioned) offset = (off64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t written = positioned ? syscall(SYS_pwrite64, fd, data, length, offset) : syscall(SYS_write, fd, data, length);
  int failure = errno;
  if (written > 0) record(has_suffix(path, ".marks") ? 'M' : 'W', path, (uint64_t)offset, data, (size_t)written);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return written;
}

ssize_t write(int fd, const void *data, size_t length) { return write_at(fd, data, length, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return write_at(fd, data, length, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return write_at(fd, data, length, offset); }

/* SQLite does not use it on its files; should it ever, the log would lack something. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (path_of(fd) != NULL) abort();
  return syscall(SYS_writev, fd, parts, count);
}

static int sync_file(long call, int fd) {
  const char *path = path_of(fd);
  if (path == NULL) return (int)syscall(call, fd);
  pthread_mutex_lock(&lock);
  int result = (int)syscall(call, fd);
  int failure = errno;
  if (result == 0) record('S', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

int fsync(int fd) { return sync_file(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_file(SYS_fdatasync, fd); }

static int cut(int fd, off64_t length) {
  const char *path = path_of(fd);
  if (path == NULL) return (int)syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_ftruncate, fd, length);
  int failure = errno;
  if (result == 0) record('T', path, (uint64_t)length, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

int unlink(const char *path) {
  if (!is_ours(path)) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  int failure = errno;
  if (result == 0) record('U', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

int rename(const char *from, const char *to) {
  if (is_ours(from) || is_ours(to)) abort();
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
