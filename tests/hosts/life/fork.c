/* A busy host that forks: fork LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE FORKS
 * Four threads refresh, wait and change settings; four others fork, one child after the other: children that only read, that start
 * another program, that use the inherited handle, and that close it and open their own. Each child ends by itself, or an alarm ends
 * it, which is harm. None may have a lock file of its parent open, and another program none of the library's files at all.
 * Linux only. Prints FORKS HARMED; what harmed is told on standard error. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "ors.h"
#include "system.h"

#define FUNCTIONS(F) F(open) F(close) F(wait) F(notify_status) F(check_licence) F(settings_set) F(about) F(diagnostics) F(text)
#define POINTER(name) static __typeof__(&ors_##name) name##_;
FUNCTIONS(POINTER)

#define FORKERS 4
#define ALARM 30 /* seconds; a child needs a few milliseconds */

static char *const *arguments;
static char keys[4096], folder[4096], files_before[16];
static ors_agent agent;
static atomic_uint forks_left, finished, harmed;
static atomic_ullong served;

__attribute__((format(printf, 1, 2))) static void harm(const char *format, ...) {
  va_list list;
  va_start(list, format);
  if (add(&harmed) < 20) {
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
  }
  va_end(list);
}

/* How many descriptors of this process are open on a name that ends so, below the folder of state and licences. */
static int open_below(const char *end) {
  int count = 0;
  DIR *all = opendir("/proc/self/fd");
  if (all == NULL) return -1;
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    char path[300], target[4096];
    snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = 0;
    size_t tail = strlen(end);
    count += strncmp(target, folder, strlen(folder)) == 0 && (size_t)length >= tail && strcmp(target + length - tail, end) == 0;
  }
  closedir(all);
  return count;
}

static int32_t licence_now(ors_agent of, ors_licence_status *status) {
  ORS_INIT(status);
  return check_licence_(of, status);
}

static int32_t open_agent(ors_agent *out) {
  ors_options options;
  ORS_INIT(&options);
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  return open_(&options, out, NULL);
}

/* ---- the load ------------------------------------------------------------------------------------------------------------ */
static void busy(unsigned number) {
  static const char *const sets[] = { "{\"language\":\"de\"}", "{\"language\":\"en\"}", "{\"enabled\":true}", "{\"enabled\":false}" };
  static char rooms[4][1 << 17];
  char *text = rooms[number];
  size_t needed;
  for (unsigned round = 0; !atomic_load(&finished); round++) {
    ors_notice_status notices;
    ors_licence_status status;
    ORS_INIT(&notices);
    int32_t code = notify_status_(agent, &notices);
    if (code != ORS_OK) harm("ors_notify_status: %d", code);
    code = licence_now(agent, &status);
    if (code != ORS_OK || status.state != ORS_LICENCE_VALID) harm("ors_check_licence: %d, state %u", code, status.state);
    switch (number) {
      case 0: code = wait_(agent, notices.revision, 2, NULL); break;
      case 1: code = diagnostics_(agent, text, sizeof rooms[0], &needed); break;
      case 2: code = about_(agent, text, sizeof rooms[0], &needed); break;
      default: code = settings_set_(agent, sets[round % 4], ORS_NTS, "host", ORS_NTS, NULL);
    }
    if (code != ORS_OK && code != ORS_E_TIMEOUT) harm("thread %u: %d", number, code);
    atomic_fetch_add(&served, 1);
    if (number != 0) pause_for(1);
  }
}

/* ---- children: they return their exit code, 0 when all is well ------------------------------------------------------------------ */
#define NEED(number, condition) \
  if (!(condition)) return number

static int reads(void) {
  ors_notice_status notices;
  ors_licence_status status;
  char text[256];
  size_t needed;
  NEED(11, open_below(".lock") == 0);
  for (int round = 0; round < 20; round++) {
    ORS_INIT(&notices);
    NEED(12, notify_status_(agent, &notices) == ORS_OK);
    NEED(13, licence_now(agent, &status) == ORS_OK && status.state == ORS_LICENCE_VALID && status.sequence == 1);
    NEED(14, text_(agent, ORS_TEXT_SERIAL, 0, text, sizeof text, &needed) == ORS_OK && strcmp(text, "1234567890") == 0);
  }
  NEED(15, left_now().threads == 1);
  return 0;
}

static int uses_the_inherited(void) {
  ors_licence_status status;
  ors_notice_status notices;
  int32_t code = settings_set_(agent, "{\"language\":\"fr\"}", ORS_NTS, "child", ORS_NTS, NULL);
  NEED(21, code == ORS_OK || code == ORS_E_TIMEOUT);
  NEED(22, licence_now(agent, &status) == ORS_OK && status.state == ORS_LICENCE_VALID);
  ORS_INIT(&notices);
  NEED(23, notify_status_(agent, &notices) == ORS_OK);
  code = wait_(agent, notices.revision, 5, NULL);
  NEED(24, code == ORS_OK || code == ORS_E_TIMEOUT);
  code = close_(agent, 10000);
  NEED(25, code == ORS_OK || code == ORS_E_TIMEOUT);
  NEED(26, notify_status_(agent, &notices) == ORS_E_CLOSED);
  return 0;
}

static int opens_its_own(void) {
  ors_licence_status status;
  ors_agent own = 0;
  NEED(31, close_(agent, 10000) == ORS_OK);
  int32_t code = open_agent(&own);
  NEED(32, code == ORS_OK || code == ORS_E_TIMEOUT);
  if (code != ORS_OK) return 0;
  NEED(33, own != agent && licence_now(own, &status) == ORS_OK && status.state == ORS_LICENCE_VALID);
  code = close_(own, 10000);
  NEED(34, code == ORS_OK || code == ORS_E_TIMEOUT);
  return 0;
}

/* What the started program does: it looks at what it was given. */
static int looks(const char *below, const char *given_before) {
  snprintf(folder, sizeof folder, "%s", below);
  NEED(41, open_below("") == 0);
  NEED(42, left_now().files == atol(given_before));
  return 0;
}

static void forker(unsigned number) {
  while (atomic_load(&forks_left) > 0) {
    unsigned left = atomic_fetch_sub(&forks_left, 1);
    if (left == 0 || left > 1u << 30) {
      atomic_store(&forks_left, 0);
      return;
    }
    unsigned kind = left % 4;
    pid_t child = fork();
    if (child < 0) {
      harm("fork: %s", strerror(errno));
      continue;
    }
    if (child == 0) {
      alarm(ALARM);
      switch (kind) {
        case 0: _exit(reads());
        case 1: execl("/proc/self/exe", "fork", "looks", folder, files_before, (char *)NULL); _exit(51);
        case 2: _exit(uses_the_inherited());
        default: _exit(opens_its_own());
      }
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status)) harm("thread %u: a child of kind %u was ended by signal %d%s", number, kind, WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it hung" : "");
    else if (WEXITSTATUS(status) != 0) harm("thread %u: a child of kind %u ended with %d", number, kind, WEXITSTATUS(status));
  }
}

/* A child that outlives its parent's agent keeps no lock. */
static void the_lock_is_free(void) {
  char path[4200];
  snprintf(path, sizeof path, "%s/leader.lock", arguments[2]);
  pid_t sleeper = fork();
  if (sleeper == 0) {
    alarm(60);
    for (;;) pause();
  }
  if (open_below("leader.lock") != 1) harm("this process does not lead");
  int32_t code = close_(agent, 10000);
  if (code != ORS_OK) harm("ors_close: %d", code);
  int lock = open(path, O_RDWR | O_CLOEXEC), taken = -1;
  for (int round = 0; round < 500 && taken != 0; round++) {
    taken = flock(lock, LOCK_EX | LOCK_NB);
    if (taken != 0) pause_for(10);
  }
  if (taken != 0) harm("the leader's lock is held after the close: %s", strerror(errno));
  close(lock);
  kill(sleeper, SIGKILL);
  waitpid(sleeper, NULL, 0);
}

int main(int count, char **given) {
  if (count == 4 && strcmp(given[1], "looks") == 0) return looks(given[2], given[3]);
  if (count != 6) FAIL("fork LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE FORKS");
  arguments = given;
  unsigned forks = (unsigned)atoi(given[5]);
  FILE *file = fopen(given[4], "rb");
  if (file == NULL || fread(keys, 1, sizeof keys - 1, file) == 0) FAIL("cannot read %s", given[4]);
  fclose(file);
  /* State and licences lie in one folder. */
  snprintf(folder, sizeof folder, "%s", given[3]);
  char *slash = strrchr(folder, '/');
  if (slash == NULL) FAIL("%s is no absolute path", folder);
  *slash = 0;

  module library = module_load(given[1]);
#define FIND(name) *(void **)&name##_ = module_symbol(library, "ors_" #name);
  FUNCTIONS(FIND)
  struct left before = left_now();
  snprintf(files_before, sizeof files_before, "%ld", before.files);
  int32_t code = open_agent(&agent);
  if (code != ORS_OK) FAIL("ors_open: %d", code);

  thread load[4], forkers[FORKERS];
  atomic_store(&forks_left, forks);
  for (unsigned i = 0; i < 4; i++) load[i] = thread_start(busy, i);
  for (unsigned i = 0; i < FORKERS; i++) forkers[i] = thread_start(forker, i);
  for (unsigned i = 0; i < FORKERS; i++) thread_join(forkers[i]);
  unsigned long long so_far = atomic_load(&served);
  for (int round = 0; round < 1000 && atomic_load(&served) == so_far; round++) pause_for(10);
  if (atomic_load(&served) == so_far) harm("the parent does not go on");
  atomic_store(&finished, 1);
  for (unsigned i = 0; i < 4; i++) thread_join(load[i]);

  the_lock_is_free();
  struct left last = left_when_back_to(before);
  if (!same(last, before)) harm("at the end: %s", left_text(last, before));
  fprintf(stderr, "%llu rounds of the parent's threads meanwhile\n", so_far);
  printf("%u %u\n", forks, value(&harmed));
  return 0;
}
