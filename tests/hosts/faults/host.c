/* A product's process while the machine around it breaks: host LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE LICENCE-FILE
 * Driven by tests/hosts/faults over its standard handles: one command a line, one line in answer. Threads of it refresh as a web server
 * does and make cold calls as an administrator's page does; each call is measured. Linux only.
 *
 *   open              opens the agent                                       -> CODE MILLISECONDS
 *   close             closes it, with the default wait                      -> CODE MILLISECONDS
 *   begin | end       the calls are measured from here to there             -> see `report`
 *   status            what a login asks                                     -> STATE SEQUENCE
 *   set               changes a setting                                     -> CODE MILLISECONDS
 *   install FILE      uploads a licence                                     -> CODE MILLISECONDS
 *   clock SECONDS     moves the wall clock of this process from now on      -> ok
 *   files off | on    no descriptor can be opened from now on; or again     -> ok
 *   new-threads off | on   the same with threads                            -> ok
 *   threads           threads of the library that exist                     -> COUNT
 *
 * What is the library's and what is the machine's: on two busy cores a thread that waits for nothing may still be kept from running
 * for 50 ms. A call during which this thread never gave the processor away (no voluntary context switch) therefore counts with the
 * processor time that it used, which a loop or spin would show. One that did wait counts with the whole of its time, less the time by
 * which a thread that only sleeps overslept just then: that is what the scheduler does to everybody, and SIGSTOP, too. */
#include "../hot/host.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LENGTH(array) (sizeof array / sizeof *array)

/* ---- clocks: the library finds this one before that of the C library --------------------------------------------------------- */
static atomic_llong moved; /* seconds */

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += atomic_load(&moved);
  return result;
}

static int64_t microseconds(clockid_t clock) {
  struct timespec time;
  syscall(SYS_clock_gettime, clock, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* ---- the library ------------------------------------------------------------------------------------------------------------- */
#define FUNCTIONS(F) F(open) F(close) F(wait) F(notify_status) F(check_licence) F(notice_text) F(text) F(about) F(settings_get) \
  F(diagnostics) F(settings_set) F(install_licence) F(acknowledge) F(check_update) F(read_log) F(set_log)
#define POINTER(name) static __typeof__(&ors_##name) name##_;
FUNCTIONS(POINTER)

static char *const *arguments;
static char keys[4096], licence[1 << 20];
static size_t licence_length;
static _Atomic ors_agent agent;
static atomic_int measuring;

static ors_options options_with(uint32_t flags) {
  ors_options options;
  ORS_INIT(&options);
  options.flags = flags;
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  return options;
}

/* ---- what went wrong: told by `end`, once each --------------------------------------------------------------------------------- */
static pthread_mutex_t complaints_lock = PTHREAD_MUTEX_INITIALIZER;
static char complaints[16][160];
static unsigned complaint_count;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...) {
  char text[160];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  pthread_mutex_lock(&complaints_lock);
  unsigned known = 0;
  while (known < complaint_count && strcmp(complaints[known], text) != 0) known++;
  if (known == complaint_count && known < LENGTH(complaints)) strcpy(complaints[complaint_count++], text);
  pthread_mutex_unlock(&complaints_lock);
}

/* ---- the machine's own delays -------------------------------------------------------------------------------------------------- */
struct stall {
  int64_t from, to; /* by how much a sleep was longer than it should have been, and when */
};
static struct stall stalls[200000];
static atomic_uint stall_count;

static void *oversleep(void *unused) {
  for (;;) {
    int64_t before = microseconds(CLOCK_MONOTONIC);
    pause_for(1000);
    int64_t after = microseconds(CLOCK_MONOTONIC);
    unsigned index = atomic_load(&stall_count);
    if (after - before > 2000 && index < LENGTH(stalls)) {
      stalls[index] = (struct stall){ before + 1000, after };
      atomic_store(&stall_count, index + 1);
    }
  }
  return unused;
}

static int64_t stalled(int64_t from, int64_t to) {
  int64_t sum = 0;
  for (unsigned i = 0, count = atomic_load(&stall_count); i < count; i++) {
    int64_t begin = stalls[i].from > from ? stalls[i].from : from;
    int64_t end = stalls[i].to < to ? stalls[i].to : to;
    if (end > begin) sum += end - begin;
  }
  return sum;
}

/* ---- hot calls ------------------------------------------------------------------------------------------------------------------ */
static const char *const hot_names[] = { "ors_notify_status", "ors_check_licence", "ors_notice_text", "ors_text", "ors_about",
                                         "ors_settings_get", "ors_diagnostics" };

static int32_t hot_call(unsigned which, char *text, size_t room) {
  static __thread ors_notice_status shown;
  ors_licence_status status;
  size_t needed;
  ors_agent handle = atomic_load(&agent);
  switch (which) {
    case 0: ORS_INIT(&shown); return notify_status_(handle, &shown);
    case 1: ORS_INIT(&status); return check_licence_(handle, &status);
    /* The lowest bit that holds; none is a mistake of the caller, which is an answer, too. */
    case 2: return notice_text_(handle, &shown, shown.notices & -shown.notices, NULL, 0, text, room, &needed);
    case 3: return text_(handle, ORS_TEXT_CUSTOMER, 0, text, room, &needed);
    case 4: return about_(handle, text, room, &needed);
    case 5: return settings_get_(handle, text, room, &needed);
    default: return diagnostics_(handle, text, room, &needed);
  }
}

static int hot_code_is_right(unsigned which, int32_t code) {
  return code == ORS_OK || (which == 2 && (code == ORS_E_ARGUMENT || code == ORS_E_STALE));
}

struct sample {
  int64_t from, to, own; /* microseconds; own = 0: look at the stalls */
  unsigned which;
};
static struct sample samples[4000000];
static unsigned sample_count;

static void *measure(void *unused) {
  static char text[1 << 20];
  for (;;) {
    if (atomic_load(&measuring) != 1) {
      pause_for(2000);
      continue;
    }
    for (unsigned which = 0; which < LENGTH(hot_names); which++) {
      struct rusage before, after;
      getrusage(RUSAGE_THREAD, &before);
      int64_t used = microseconds(CLOCK_THREAD_CPUTIME_ID), from = microseconds(CLOCK_MONOTONIC);
      int32_t code = hot_call(which, text, sizeof text);
      int64_t to = microseconds(CLOCK_MONOTONIC);
      used = microseconds(CLOCK_THREAD_CPUTIME_ID) - used;
      getrusage(RUSAGE_THREAD, &after);
      int waited = after.ru_nvcsw != before.ru_nvcsw;
      if (!hot_code_is_right(which, code)) complain("%s: %d", hot_names[which], code);
      if (sample_count < LENGTH(samples)) samples[sample_count++] = (struct sample){ from, to, waited ? -1 : used, which };
    }
    pause_for(200);
  }
  return unused;
}

/* Others do the same beside it. The states that they see are told by `end`. */
static atomic_uint states;

static void *refresh(void *unused) {
  for (;;) {
    if (atomic_load(&measuring) != 1) {
      pause_for(2000);
      continue;
    }
    char text[512];
    ors_licence_status status;
    ORS_INIT(&status);
    int32_t code = check_licence_(atomic_load(&agent), &status);
    if (code != ORS_OK) complain("ors_check_licence: %d", code);
    atomic_fetch_or(&states, 1u << status.state);
    for (unsigned which = 0; which < 4; which++) {
      code = hot_call(which, text, sizeof text);
      if (!hot_code_is_right(which, code)) complain("%s: %d", hot_names[which], code);
    }
    pause_for(500);
  }
  return unused;
}

/* ---- cold calls ------------------------------------------------------------------------------------------------------------------ */
static const char set_json[] = "{\"unreachable_hours\":24,\"language\":\"en\"}";

static int32_t cold_set(void) { return settings_set_(atomic_load(&agent), set_json, sizeof set_json - 1, NULL, 0, NULL); }

static int32_t cold_install(void) {
  ors_install_result result;
  ORS_INIT(&result);
  return install_licence_(atomic_load(&agent), (const uint8_t *)licence, licence_length, NULL, 0, &result, NULL);
}

static int32_t cold_acknowledge(void) { return acknowledge_(atomic_load(&agent), UINT64_C(1) << 52, NULL, 0, NULL); }

static int32_t cold_wait(void) {
  ors_notice_status shown;
  ORS_INIT(&shown);
  notify_status_(atomic_load(&agent), &shown);
  return wait_(atomic_load(&agent), shown.revision, 100, NULL);
}

static int32_t cold_read_log(void) {
  char line[1001];
  size_t needed;
  uint64_t after = UINT64_MAX - 1;
  return read_log_(atomic_load(&agent), &after, 50, NULL, line, sizeof line, &needed);
}

static int32_t cold_set_log(void) { return set_log_(atomic_load(&agent), 3, NULL, NULL); }

static int32_t cold_check_update(void) {
  ors_update_query query;
  ors_update_verdict verdict;
  ORS_INIT(&query);
  ORS_INIT(&verdict);
  query.timeout_ms = 1500;
  query.licence_folder = arguments[3];
  query.product = "prismaprepare";
  query.trusted_keys = keys;
  query.release_date = "2026-01-01";
  return check_update_(&query, &verdict, NULL);
}

static int32_t opened_and_closed(const ors_options *options, uint32_t wait) {
  ors_agent opened = 7;
  int32_t code = open_(options, &opened, NULL);
  if (code != ORS_OK) {
    if (opened != 0) complain("ors_open failed and gave a handle");
    return code;
  }
  int64_t from = microseconds(CLOCK_MONOTONIC);
  code = close_(opened, wait);
  int64_t took = microseconds(CLOCK_MONOTONIC) - from;
  if (code != ORS_OK && code != ORS_E_TIMEOUT) complain("ors_close: %d", code);
  if (took > 3000000) complain("ors_close took %lld ms", (long long)took / 1000);
  return ORS_OK;
}

static int32_t cold_open(void) {
  ors_options options = options_with(0);
  return opened_and_closed(&options, 0);
}

/* Equal to the agent's for people, and another one for the library: a runtime of its own. */
static int32_t cold_open_other(void) {
  static char other[4200];
  ors_options options = options_with(0);
  if (!other[0]) snprintf(other, sizeof other, "# another product's process\n%s", keys);
  options.trusted_keys = other;
  return opened_and_closed(&options, ORS_DEFAULT_WAIT);
}

static int32_t cold_open_read_only(void) {
  ors_options options = options_with(ORS_OPEN_READ_ONLY);
  return opened_and_closed(&options, 0);
}

#define NONE 1 /* no code: they are 0 or negative */
static const struct {
  const char *name;
  int32_t (*call)(void);
  int64_t most; /* milliseconds, as the header says */
  int32_t codes[8]; /* of those that the header lists, what the state of the machine may lead to */
} cold_calls[] = {
  { "ors_settings_set", cold_set, 2000, { ORS_OK, ORS_E_TIMEOUT, ORS_E_IO, ORS_E_PERMISSION, NONE } },
  { "ors_install_licence", cold_install, 2000,
    { ORS_OK, ORS_E_TIMEOUT, ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION, ORS_E_REFUSED, NONE } },
  { "ors_acknowledge", cold_acknowledge, 2000, { ORS_E_STALE, ORS_E_TIMEOUT, ORS_E_IO, ORS_E_PERMISSION, NONE } },
  { "ors_wait", cold_wait, 100, { ORS_OK, ORS_E_TIMEOUT, NONE } },
  { "ors_read_log", cold_read_log, 50, { ORS_OK, ORS_E_TIMEOUT, NONE } },
  { "ors_set_log", cold_set_log, 2000, { ORS_OK, ORS_E_TIMEOUT, NONE } },
  { "ors_check_update", cold_check_update, 1500, { ORS_OK, NONE } },
  { "ors_open", cold_open, 2000, { ORS_OK, ORS_E_TIMEOUT, ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION, NONE } },
  { "ors_open with other options", cold_open_other, 4000,
    { ORS_OK, ORS_E_TIMEOUT, ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION, NONE } },
  { "ors_open read only", cold_open_read_only, 5000,
    { ORS_OK, ORS_E_TIMEOUT, ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION, NONE } },
};
/* For the steps between two waits, on a computer that does something else as well. */
#define SLACK 1500

static _Atomic(const char *) inside; /* the cold call that runs now */
static unsigned cold_count;

static void *administer(void *unused) {
  for (;;) {
    for (unsigned which = 0; which < LENGTH(cold_calls) && atomic_load(&measuring) == 1; which++) {
      int64_t from = microseconds(CLOCK_MONOTONIC);
      atomic_store(&inside, cold_calls[which].name);
      int32_t code = cold_calls[which].call();
      int64_t to = microseconds(CLOCK_MONOTONIC), took = (to - from - stalled(from, to)) / 1000;
      const int32_t *right = cold_calls[which].codes;
      while (*right != NONE && *right != code) right++;
      if (*right == NONE) complain("%s: %d", cold_calls[which].name, code);
      if (took > cold_calls[which].most + SLACK) complain("%s took %lld ms", cold_calls[which].name, (long long)took);
      cold_count++;
      atomic_store(&inside, NULL);
    }
    pause_for(5000);
  }
  return unused;
}

/* ---- the driver's commands --------------------------------------------------------------------------------------------------------- */
static int by_own(const void *a, const void *b) {
  int64_t left = ((const struct sample *)a)->own, right = ((const struct sample *)b)->own;
  return (left > right) - (left < right);
}

/* CALLS P99.9 WORST NAME-OF-THE-WORST (microseconds) COLD-CALLS STATES (a bit for each that was seen) COMPLAINTS... ("; " between) */
static void report(void) {
  const char *stuck;
  atomic_store(&measuring, 0);
  for (int round = 0; (stuck = atomic_load(&inside)) != NULL && round < 1000; round++) pause_for(10000);
  if (stuck != NULL) complain("%s has not returned", stuck);
  /* The sleep that was the last call's floor has to have ended. */
  pause_for(50000);
  for (unsigned i = 0; i < sample_count; i++)
    if (samples[i].own < 0) {
      samples[i].own = samples[i].to - samples[i].from - stalled(samples[i].from, samples[i].to);
      if (samples[i].own < 0) samples[i].own = 0;
    }
  qsort(samples, sample_count, sizeof *samples, by_own);
  struct sample none = { 0, 0, 0, 0 };
  struct sample worst = sample_count ? samples[sample_count - 1] : none;
  printf("%u %lld %lld %s %u %u ", sample_count, (long long)(sample_count ? samples[sample_count - 1 - sample_count / 1000].own : 0),
         (long long)worst.own, hot_names[worst.which], cold_count, atomic_load(&states));
  pthread_mutex_lock(&complaints_lock);
  for (unsigned i = 0; i < complaint_count; i++) printf("%s%s", i ? "; " : "", complaints[i]);
  pthread_mutex_unlock(&complaints_lock);
  printf("\n");
}

static void begin(void) {
  sample_count = cold_count = 0;
  atomic_store(&states, 0);
  atomic_store(&stall_count, 0);
  atomic_store(&measuring, 1);
}

static void limit_to(__rlimit_resource_t resource, rlim_t most) {
  struct rlimit limit;
  getrlimit(resource, &limit);
  limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
  if (setrlimit(resource, &limit) != 0) FAIL("setrlimit: %s", strerror(errno));
}

static rlim_t descriptors_before;

static int own_threads(void) {
  int count = 0;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit_to(RLIMIT_NOFILE, descriptors_before);
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL) FAIL("/proc/self/task: %s", strerror(errno));
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    char path[300], name[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE *file = fopen(path, "r");
    if (file != NULL && fgets(name, sizeof name, file) != NULL) count += strncmp(name, "ors-", 4) == 0;
    if (file != NULL) fclose(file);
  }
  closedir(tasks);
  limit_to(RLIMIT_NOFILE, limit.rlim_cur);
  return count;
}

/* The kernel gives the lowest free number: a limit at that number leaves none. */
static void files(int allowed) {
  int lowest = dup(0);
  if (lowest >= 0) close(lowest);
  limit_to(RLIMIT_NOFILE, allowed ? descriptors_before : (rlim_t)(lowest < 0 ? 0 : lowest));
}

/* The account has one thread already, whatever else runs under it. */
static void new_threads(int allowed) {
  static rlim_t before;
  struct rlimit limit;
  getrlimit(RLIMIT_NPROC, &limit);
  if (!allowed) before = limit.rlim_cur;
  limit_to(RLIMIT_NPROC, allowed ? before : 1);
}

static void answer_with_time(int32_t code, int64_t from) {
  int64_t to = microseconds(CLOCK_MONOTONIC);
  pause_for(5000);
  printf("%d %lld\n", code, (long long)(to - from - stalled(from, to)) / 1000);
}

static void start(void *(*work)(void *)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, NULL) != 0) FAIL("no thread");
}

int main(int count, char **given) {
  char line[4200];
  if (count != 6) FAIL("host LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE LICENCE-FILE");
  arguments = given;
  void *library = dlopen(given[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) FAIL("%s", dlerror());
#define FIND(name) *(void **)&name##_ = symbol(library, "ors_" #name);
  FUNCTIONS(FIND)
  read_file(given[4], keys, sizeof keys);
  licence_length = read_file(given[5], licence, sizeof licence);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  descriptors_before = limit.rlim_cur;
  setvbuf(stdout, NULL, _IOLBF, 0);
  start(oversleep);
  start(measure);
  start(refresh);
  start(refresh);
  start(administer);

  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    char *rest = line + strcspn(line, " ");
    if (*rest) *rest++ = 0;
    int64_t from = microseconds(CLOCK_MONOTONIC);
    if (strcmp(line, "open") == 0) {
      ors_options options = options_with(0);
      ors_agent opened = 0;
      int32_t code = open_(&options, &opened, NULL);
      if (code == ORS_OK) atomic_store(&agent, opened);
      answer_with_time(code, from);
    } else if (strcmp(line, "close") == 0) {
      int32_t code = close_(atomic_load(&agent), ORS_DEFAULT_WAIT);
      answer_with_time(code, from);
    } else if (strcmp(line, "begin") == 0) {
      begin();
      printf("ok\n");
    } else if (strcmp(line, "end") == 0) {
      report();
    } else if (strcmp(line, "status") == 0) {
      ors_licence_status status;
      ORS_INIT(&status);
      int32_t code = check_licence_(atomic_load(&agent), &status);
      if (code != ORS_OK) FAIL("ors_check_licence: %d", code);
      printf("%u %llu\n", status.state, (unsigned long long)status.sequence);
    } else if (strcmp(line, "set") == 0) {
      answer_with_time(cold_set(), from);
    } else if (strcmp(line, "install") == 0) {
      static char bytes[1 << 20];
      size_t length = read_file(rest, bytes, sizeof bytes);
      ors_install_result result;
      ORS_INIT(&result);
      answer_with_time(install_licence_(atomic_load(&agent), (const uint8_t *)bytes, length, NULL, 0, &result, NULL), from);
    } else if (strcmp(line, "clock") == 0) {
      atomic_store(&moved, atoll(rest));
      printf("ok\n");
    } else if (strcmp(line, "files") == 0) {
      files(strcmp(rest, "on") == 0);
      printf("ok\n");
    } else if (strcmp(line, "new-threads") == 0) {
      new_threads(strcmp(rest, "on") == 0);
      printf("ok\n");
    } else if (strcmp(line, "threads") == 0) {
      printf("%d\n", own_threads());
    } else {
      FAIL("%s is no command", line);
    }
  }
  return 0;
}
