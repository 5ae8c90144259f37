/* What the hosts of this folder need of the operating system: libraries, threads, and what a process has open. */
#ifndef ORS_LIFE_SYSTEM_H
#define ORS_LIFE_SYSTEM_H

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(2))

/* What a library may leave in its host. */
struct left {
  long threads, files; /* descriptors; on Windows handles */
};

struct start {
  void (*work)(unsigned);
  unsigned number;
};

#ifdef _WIN32
#  include <windows.h>
#  include <psapi.h>
#  include <tlhelp32.h>

typedef HMODULE module;
typedef HANDLE thread;
typedef volatile LONG counter;

static unsigned add(counter *count) { return (unsigned)InterlockedIncrement(count); }
static unsigned value(counter *count) { return (unsigned)*count; }
static void pause_for(unsigned milliseconds) { Sleep(milliseconds); }

static module module_load(const char *path) {
  module handle = LoadLibraryA(path);
  if (handle == NULL) FAIL("cannot load %s: %lu", path, GetLastError());
  return handle;
}

static void *module_symbol(module handle, const char *name) {
  void *found = (void *)GetProcAddress(handle, name);
  if (found == NULL) FAIL("no %s", name);
  return found;
}

__attribute__((unused)) static void module_unload(module handle) {
  if (!FreeLibrary(handle)) FAIL("FreeLibrary: %lu", GetLastError());
}

static int module_is_loaded(const char *path) { return GetModuleHandleA(path) != NULL; }

static DWORD WINAPI begin(void *given) {
  struct start start = *(struct start *)given;
  free(given);
  start.work(start.number);
  return 0;
}

static thread thread_start(void (*work)(unsigned), unsigned number) {
  struct start *given = malloc(sizeof *given);
  *given = (struct start){ work, number };
  thread started = CreateThread(NULL, 0, begin, given, 0, NULL);
  if (started == NULL) FAIL("no thread: %lu", GetLastError());
  return started;
}

static void thread_join(thread started) {
  WaitForSingleObject(started, INFINITE);
  CloseHandle(started);
}

static struct left left_now(void) {
  struct left now = { 0, 0 };
  DWORD handles = 0;
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry;
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry))
    now.threads += entry.th32OwnerProcessID == GetCurrentProcessId();
  CloseHandle(all);
  if (!GetProcessHandleCount(GetCurrentProcess(), &handles)) FAIL("GetProcessHandleCount: %lu", GetLastError());
  now.files = (long)handles;
  return now;
}

__attribute__((unused)) static long resident(void) {
  PROCESS_MEMORY_COUNTERS counters;
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) FAIL("GetProcessMemoryInfo: %lu", GetLastError());
  return (long)(counters.WorkingSetSize / 1024);
}

#else
#  include <dirent.h>
#  include <dlfcn.h>
#  include <fcntl.h>
#  include <pthread.h>
#  include <stdatomic.h>
#  include <time.h>
#  include <unistd.h>

typedef void *module;
typedef pthread_t thread;
typedef atomic_uint counter;

static unsigned add(counter *count) { return atomic_fetch_add(count, 1) + 1; }
static unsigned value(counter *count) { return atomic_load(count); }

static void pause_for(unsigned milliseconds) {
  struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
  nanosleep(&time, NULL);
}

static module module_load(const char *path) {
  module handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) FAIL("%s", dlerror());
  return handle;
}

static void *module_symbol(module handle, const char *name) {
  void *found = dlsym(handle, name);
  if (found == NULL) FAIL("no %s: %s", name, dlerror());
  return found;
}

__attribute__((unused)) static void module_unload(module handle) {
  if (dlclose(handle) != 0) FAIL("%s", dlerror());
}

static void *begin(void *given) {
  struct start start = *(struct start *)given;
  free(given);
  start.work(start.number);
  return NULL;
}

static thread thread_start(void (*work)(unsigned), unsigned number) {
  struct start *given = malloc(sizeof *given);
  thread started;
  *given = (struct start){ work, number };
  if (pthread_create(&started, NULL, begin, given) != 0) FAIL("no thread");
  return started;
}

static void thread_join(thread started) { pthread_join(started, NULL); }

static long entries(const char *folder) {
  long count = 0;
  DIR *open = opendir(folder);
  if (open == NULL) FAIL("cannot read %s", folder);
  while (readdir(open) != NULL) count++;
  closedir(open);
  return count - 2; /* . and .. */
}

/* Less the one that it takes to look. */
static struct left left_now(void) { return (struct left){ entries("/proc/self/task"), entries("/proc/self/fd") - 1 }; }

/* smaps_rollup is exact where statm is counted per processor. */
__attribute__((unused)) static long resident(void) {
  char text[2048];
  int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length <= 0) FAIL("/proc/self/smaps_rollup tells nothing");
  close(file);
  text[length] = 0;
  const char *line = strstr(text, "\nRss:");
  if (line == NULL) FAIL("/proc/self/smaps_rollup has no Rss");
  return atol(line + 5);
}
#endif

static int same(struct left a, struct left b) { return a.threads == b.threads && a.files == b.files; }

/* A thread that was told to end is gone a moment later. What is there when it is as before, or after five seconds. */
static struct left left_when_back_to(struct left before) {
  struct left now = left_now();
  for (int round = 0; round < 500 && !same(now, before); round++) {
    pause_for(10);
    now = left_now();
  }
  return now;
}

static const char *left_text(struct left now, struct left before) {
  static char text[120];
  snprintf(text, sizeof text, "%ld threads instead of %ld, %ld files or handles instead of %ld", now.threads, before.threads, now.files,
           before.files);
  return text;
}
#endif
