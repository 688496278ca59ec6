/* Stands between a server and its files: slows, fails and writes down what is done to the log.

   Loaded by LD_PRELOAD. FAULT_LOG is the path of the database: files whose name begins with it are
   watched. FAULT_CONTROL is a file of the numbers below, mapped, so that a fault begins and ends
   while the server runs. FAULT_JOURNAL, if it is set, gets every change and every sync, in the
   order in which the kernel was asked; journal.py reads it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* shim.py writes these in the same order. */
struct control {
  volatile int64_t clock_offset_ns; /* added to the time of day */
  volatile int64_t sync_delay_us;   /* before each sync */
  volatile int64_t failing_writes;  /* how many writes still fail with EIO */
  volatile int64_t failing_syncs;   /* how many syncs still do, whose data may be lost */
  volatile int64_t failed;          /* how many calls have failed so far */
};

enum kind { CREATED = 1, WRITTEN, SYNCED, SYNC_FAILED, CUT, REMOVED, RENAMED };

#define MOST_FILES 4096
static char *watched[MOST_FILES]; /* path by descriptor */
static struct control none, *control = &none;
static const char *prefix;
static int journal = -1;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define KEEP_REAL(name)                                                                            \
  static __typeof__(&name) real;                                                                   \
  if (!real) real = REAL(name)

__attribute__((constructor)) static void begin(void) {
  prefix = getenv("FAULT_LOG");
  const char *path = getenv("FAULT_CONTROL");
  int file = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
  if (file >= 0) {
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
    REAL(close)(file);
  }
  if ((path = getenv("FAULT_JOURNAL")))
    journal = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static int is_watched(const char *path) {
  return prefix && path && !strncmp(path, prefix, strlen(prefix));
}

static const char *path_of(int file) {
  return file >= 0 && file < MOST_FILES ? watched[file] : NULL;
}

/* One record: kind, length of the path, offset, length of the data; the path; the data. */
static void note(enum kind kind, const char *path, int64_t offset, const void *data, int64_t size) {
  if (journal < 0) return;
  int64_t head[4] = {kind, (int64_t)strlen(path), offset, size};
  char *record = malloc(sizeof head + head[1] + size);
  if (!record) abort();
  memcpy(record, head, sizeof head);
  memcpy(record + sizeof head, path, head[1]);
  if (size) memcpy(record + sizeof head + head[1], data, size);
  ssize_t all = sizeof head + head[1] + size;
  /* A journal with a hole would prove what never was. */
  if (REAL(write)(journal, record, all) != all) abort();
  free(record);
}

static int fails(volatile int64_t *left) {
  if (*left <= 0) return 0;
  --*left;
  ++control->failed;
  errno = EIO;
  return 1;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  KEEP_REAL(open);
  if (!is_watched(path)) return real(path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat found;
  int is_new = (flags & O_CREAT) && stat(path, &found);
  int file = real(path, flags, mode);
  if (file >= 0 && file < MOST_FILES) {
    free(watched[file]);
    watched[file] = strdup(path);
    if (is_new) note(CREATED, path, 0, NULL, 0);
    else if (flags & O_TRUNC) note(CUT, path, 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  return file;
}

int close(int file) {
  KEEP_REAL(close);
  if (path_of(file)) {
    pthread_mutex_lock(&lock);
    free(watched[file]);
    watched[file] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return real(file);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
  KEEP_REAL(pwrite);
  if (!path_of(file)) return real(file, data, size, offset);
  pthread_mutex_lock(&lock);
  ssize_t done = fails(&control->failing_writes) ? -1 : real(file, data, size, offset);
  if (done > 0) note(WRITTEN, path_of(file), offset, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int file, const void *data, size_t size) {
  KEEP_REAL(write);
  if (!path_of(file)) return real(file, data, size);
  pthread_mutex_lock(&lock);
  ssize_t done = fails(&control->failing_writes) ? -1 : real(file, data, size);
  /* After a write that appended, this is its end as well. */
  if (done > 0) note(WRITTEN, path_of(file), lseek(file, 0, SEEK_CUR) - done, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}

static int synced(int file, int (*real)(int)) {
  if (!path_of(file)) return real(file);
  if (control->sync_delay_us > 0) usleep(control->sync_delay_us);
  pthread_mutex_lock(&lock);
  int is_failed = fails(&control->failing_syncs);
  int code = is_failed ? -1 : real(file);
  if (path_of(file)) note(code ? SYNC_FAILED : SYNCED, path_of(file), 0, NULL, 0);
  if (is_failed) errno = EIO;
  pthread_mutex_unlock(&lock);
  return code;
}

int fdatasync(int file) {
  KEEP_REAL(fdatasync);
  return synced(file, real);
}

int fsync(int file) {
  KEEP_REAL(fsync);
  return synced(file, real);
}

int ftruncate(int file, off_t size) {
  KEEP_REAL(ftruncate);
  if (!path_of(file)) return real(file, size);
  pthread_mutex_lock(&lock);
  int code = real(file, size);
  if (!code) note(CUT, path_of(file), size, NULL, 0);
  pthread_mutex_unlock(&lock);
  return code;
}

static int removed(const char *path, int (*real)(const char *)) {
  if (!is_watched(path)) return real(path);
  pthread_mutex_lock(&lock);
  int code = real(path);
  if (!code) note(REMOVED, path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return code;
}

int unlink(const char *path) {
  KEEP_REAL(unlink);
  return removed(path, real);
}

int remove(const char *path) {
  KEEP_REAL(remove);
  return removed(path, real);
}

int rename(const char *from, const char *to) {
  KEEP_REAL(rename);
  if (!is_watched(from)) return real(from, to);
  pthread_mutex_lock(&lock);
  int code = real(from, to);
  if (!code) {
    note(RENAMED, from, 0, to, strlen(to));
    for (int file = 0; file < MOST_FILES; file++)
      if (watched[file] && !strcmp(watched[file], from)) {
        free(watched[file]);
        watched[file] = strdup(to);
      }
  }
  pthread_mutex_unlock(&lock);
  return code;
}

int clock_gettime(clockid_t which, struct timespec *now) {
  KEEP_REAL(clock_gettime);
  int code = real(which, now);
  if (!code && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + control->clock_offset_ns;
    now->tv_sec = ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
  }
  return code;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  (void)zone;
  int code = clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return code;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
