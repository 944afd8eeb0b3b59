// For LD_PRELOAD: the N-th call of a class fails, once or from then on. See README.md beside it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name, ...)                                     \
  static __typeof__(name)* real;                            \
  if (real == NULL) real = (__typeof__(name)*)find(#name)

enum { kMaxFiles = 1024, kPathBytes = 4096 };

static long fail_at;        // 0: count only
static int is_forever;      // all calls from fail_at on
static int error_number;    // of failing input/output calls
static const char* classes; // ",open,write,"
static const char* folder;  // only files below it; NULL: all
static const char* count_file;
static int owner;           // the process whose calls count, 0 before it has begun
static atomic_long calls;
static atomic_bool is_below[kMaxFiles];  // descriptors of files below `folder`
static __thread int is_inside;           // our own calls, and those of dlsym

// dlsym allocates: from here, before the real functions are known.
static char early[65536] __attribute__((aligned(64)));
static size_t early_used;

static void* find(const char* name) {
  ++is_inside;
  void* found = dlsym(RTLD_NEXT, name);
  --is_inside;
  if (found == NULL) abort();
  return found;
}

static void* early_alloc(size_t bytes) {
  size_t at = early_used;
  early_used += (bytes + 63) / 64 * 64;
  if (early_used > sizeof early) abort();
  return early + at;
}
static int is_early(const void* memory) {
  return (const char*)memory >= early && (const char*)memory < early + sizeof early;
}

static void write_count(void) {
  if (count_file == NULL || getpid() != owner) return;
  ++is_inside;
  int file = (int)syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  char text[32];
  int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
  if (file >= 0) {
    (void)!syscall(SYS_write, file, text, (size_t)length);
    (void)syscall(SYS_close, file);
  }
  --is_inside;
}

// Before main of the program: its libraries have been set up, what they allocated does not count.
__attribute__((constructor)) static void start(void) {
  const char* chosen = getenv("FAIL_CLASS");
  if (chosen == NULL) return;
  static char list[256];
  snprintf(list, sizeof list, ",%s,", chosen);
  const char* at = getenv("FAIL_AT");
  fail_at = at == NULL ? 0 : atol(at);
  is_forever = getenv("FAIL_FOREVER") != NULL;
  const char* number = getenv("FAIL_ERRNO");
  error_number = number == NULL ? EIO : atoi(number);
  folder = getenv("FAIL_BELOW");
  count_file = getenv("FAIL_COUNT");
  // A program that starts itself again is watched from its second start on.
  const char* again = getenv("FAIL_SKIP_START");
  if (again != NULL && atoi(again) > 0) {
    setenv("FAIL_SKIP_START", "0", 1);
    return;
  }
  owner = getpid();
  atexit(write_count);
  classes = list;
}

// Does this call fail? Counts it if it is of a chosen class.
static int fails(const char* class_name) {
  if (classes == NULL || is_inside > 0 || getpid() != owner) return 0;
  char wanted[32];
  ++is_inside;
  snprintf(wanted, sizeof wanted, ",%s,", class_name);
  const int is_chosen = strstr(classes, wanted) != NULL;
  --is_inside;
  if (!is_chosen) return 0;
  const long number = atomic_fetch_add(&calls, 1) + 1;
  return fail_at > 0 && (is_forever ? number >= fail_at : number == fail_at);
}

static int path_is_below(const char* path) {
  if (folder == NULL) return 1;
  char whole[kPathBytes];
  ++is_inside;
  if (path[0] == '/' || getcwd(whole, sizeof whole) == NULL) {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    const size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
  }
  const size_t length = strlen(folder);
  const int is_below_it = strncmp(whole, folder, length) == 0;
  --is_inside;
  return is_below_it;
}

static int file_is_below(int file) {
  if (folder == NULL) return file > 2;
  return file >= 0 && file < kMaxFiles && atomic_load(&is_below[file]);
}

static int path_fails(const char* class_name, const char* path) {
  if (classes == NULL || is_inside > 0 || !path_is_below(path) || !fails(class_name)) return 0;
  errno = error_number;
  return 1;
}
static int file_fails(const char* class_name, int file) {
  if (classes == NULL || is_inside > 0 || !file_is_below(file) || !fails(class_name)) return 0;
  errno = error_number;
  return 1;
}

static int opened(int file, const char* path) {
  if (file >= 0 && file < kMaxFiles) atomic_store(&is_below[file], path_is_below(path));
  return file;
}

// Allocation: class "memory".
static int memory_fails(void) {
  if (!fails("memory")) return 0;
  errno = ENOMEM;
  return 1;
}

EXPORT void* malloc(size_t bytes) {
  static void* (*real)(size_t);
  if (real == NULL) {
    if (is_inside > 0) return early_alloc(bytes);
    real = (void* (*)(size_t))find("malloc");
  }
  return memory_fails() ? NULL : real(bytes);
}
EXPORT void* calloc(size_t count, size_t bytes) {
  static void* (*real)(size_t, size_t);
  if (real == NULL) {
    if (is_inside > 0) return early_alloc(count * bytes);  // static: zero
    real = (void* (*)(size_t, size_t))find("calloc");
  }
  return memory_fails() ? NULL : real(count, bytes);
}
EXPORT void* realloc(void* memory, size_t bytes) {
  static void* (*real)(void*, size_t);
  if (real == NULL) real = (void* (*)(void*, size_t))find("realloc");
  if (is_early(memory)) {
    void* moved = malloc(bytes);
    if (moved != NULL) memcpy(moved, memory, bytes);
    return moved;
  }
  return memory_fails() ? NULL : real(memory, bytes);
}
EXPORT void free(void* memory) {
  static void (*real)(void*);
  if (memory == NULL || is_early(memory)) return;
  if (real == NULL) real = (void (*)(void*))find("free");
  real(memory);
}
EXPORT int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  REAL(posix_memalign);
  return memory_fails() ? ENOMEM : real(memory, alignment, bytes);
}
EXPORT void* aligned_alloc(size_t alignment, size_t bytes) {
  REAL(aligned_alloc);
  return memory_fails() ? NULL : real(alignment, bytes);
}
EXPORT void* mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  REAL(mmap);
  const int is_memory = (flags & MAP_ANONYMOUS) != 0;
  if (is_memory ? memory_fails() : file_fails("mmap", file)) return MAP_FAILED;
  return real(at, bytes, protection, flags, file, offset);
}

// Input and output: a class for each function.
static mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}
#define OPEN(name)                                          \
  EXPORT int name(const char* path, int flags, ...) {       \
    REAL(name);                                             \
    va_list arguments;                                      \
    va_start(arguments, flags);                             \
    const mode_t mode = mode_of(flags, arguments);          \
    va_end(arguments);                                      \
    if (path_fails("open", path)) return -1;                \
    return opened(real(path, flags, mode), path);           \
  }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                   \
  EXPORT int name(int at, const char* path, int flags, ...) {          \
    REAL(name);                                                        \
    va_list arguments;                                                 \
    va_start(arguments, flags);                                        \
    const mode_t mode = mode_of(flags, arguments);                     \
    va_end(arguments);                                                 \
    if (path_fails("open", path)) return -1;                           \
    return opened(real(at, path, flags, mode), path);                  \
  }
OPENAT(openat)
OPENAT(openat64)
#define FOPEN(name)                                         \
  EXPORT FILE* name(const char* path, const char* mode) {   \
    REAL(name);                                             \
    if (path_fails("open", path)) return NULL;              \
    FILE* file = real(path, mode);                          \
    if (file != NULL) opened(fileno(file), path);           \
    return file;                                            \
  }
FOPEN(fopen)
FOPEN(fopen64)

EXPORT ssize_t read(int file, void* to, size_t bytes) {
  REAL(read);
  return file_fails("read", file) ? -1 : real(file, to, bytes);
}
EXPORT ssize_t pread(int file, void* to, size_t bytes, off_t offset) {
  REAL(pread);
  return file_fails("read", file) ? -1 : real(file, to, bytes, offset);
}
EXPORT ssize_t readv(int file, const struct iovec* to, int count) {
  REAL(readv);
  return file_fails("read", file) ? -1 : real(file, to, count);
}
EXPORT ssize_t write(int file, const void* from, size_t bytes) {
  REAL(write);
  return file_fails("write", file) ? -1 : real(file, from, bytes);
}
EXPORT ssize_t writev(int file, const struct iovec* from, int count) {
  REAL(writev);
  return file_fails("write", file) ? -1 : real(file, from, count);
}
EXPORT ssize_t pwrite(int file, const void* from, size_t bytes, off_t offset) {
  REAL(pwrite);
  return file_fails("write", file) ? -1 : real(file, from, bytes, offset);
}
EXPORT size_t fwrite(const void* from, size_t bytes, size_t count, FILE* file) {
  REAL(fwrite);
  return file_fails("write", fileno(file)) ? 0 : real(from, bytes, count, file);
}
EXPORT int fflush(FILE* file) {
  REAL(fflush);
  return file != NULL && file_fails("write", fileno(file)) ? EOF : real(file);
}
EXPORT int fsync(int file) {
  REAL(fsync);
  return file_fails("fsync", file) ? -1 : real(file);
}
EXPORT int fdatasync(int file) {
  REAL(fdatasync);
  return file_fails("fsync", file) ? -1 : real(file);
}
EXPORT int close(int file) {
  REAL(close);
  const int has_failed = file_fails("close", file);
  if (file >= 0 && file < kMaxFiles) atomic_store(&is_below[file], 0);
  const int result = real(file);  // as the system does: it is closed whatever it says
  if (!has_failed) return result;
  errno = error_number;
  return -1;
}
EXPORT int fclose(FILE* file) {
  REAL(fclose);
  const int has_failed = file_fails("close", fileno(file));
  if (fileno(file) >= 0 && fileno(file) < kMaxFiles) atomic_store(&is_below[fileno(file)], 0);
  const int result = real(file);
  if (!has_failed) return result;
  errno = error_number;
  return EOF;
}
EXPORT int rename(const char* from, const char* to) {
  REAL(rename);
  return path_fails("rename", to) ? -1 : real(from, to);
}
EXPORT int unlink(const char* path) {
  REAL(unlink);
  return path_fails("unlink", path) ? -1 : real(path);
}
EXPORT int mkdir(const char* path, mode_t mode) {
  REAL(mkdir);
  return path_fails("mkdir", path) ? -1 : real(path, mode);
}
EXPORT int ftruncate(int file, off_t length) {
  REAL(ftruncate);
  return file_fails("ftruncate", file) ? -1 : real(file, length);
}
EXPORT int fstat(int file, struct stat* status) {
  REAL(fstat);
  return file_fails("stat", file) ? -1 : real(file, status);
}
