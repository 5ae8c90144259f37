/* A host that does what it is told on its standard input, a line at a time, and answers each line with one or more of its own,
 * the last of which begins with "done". It keeps nothing of what it is given: bytes come by read() into one buffer and are wiped
 * before it answers, so that what is found in its memory afterwards was left there by the library.
 *
 *   told LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE      the agent is opened by the first command, `open`
 *
 *   open | look | close     an agent; one that only reads; no agent
 *   set N | install N       followed by N bytes
 *   fail K | set N          the K-th look at the clock by the library's own thread from now on makes it panic
 *   acknowledge ID
 *   ask                     everything that the library tells about itself
 *   keep N                  followed by N bytes that stay in memory: for finding out whether a search would find them
 *   until SEQUENCE          waits until this licence is in use
 * Linux only. */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static library ors;
static ors_agent agent;
static char **arguments;
static char given[128 << 10];

/* ---- a clock that fails when it is told to (tests/abi/shipped.c) ---------------------------------------------------------- */
static int fails_after;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (clock == CLOCK_MONOTONIC && __atomic_load_n(&fails_after, __ATOMIC_SEQ_CST) > 0) {
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "ors-agent") == 0 && __atomic_sub_fetch(&fails_after, 1, __ATOMIC_SEQ_CST) == 0) {
      errno = EINVAL;
      return -1;
    }
  }
  return (int)syscall(SYS_clock_gettime, clock, now);
}

/* ---- what the library has besides what host.h loads ----------------------------------------------------------------------- */
#define FUNCTIONS(F) F(settings_set) F(settings_get) F(diagnostics) F(about) F(text) F(acknowledge) F(read_log) F(set_log)
#define POINTER(name) static __typeof__(&ors_##name) name;
FUNCTIONS(POINTER)

static void find(void) {
#define FIND(name) *(void **)&name = symbol(ors.handle, "ors_" #name);
  FUNCTIONS(FIND)
}

/* Told to the harness at once: lines of the sink are part of what is searched. */
static void ORS_CALL sink(void *context, uint32_t level, const char *line, size_t length) {
  (void)context;
  fprintf(stderr, "log %u %.*s\n", (unsigned)level, (int)length, line);
}

/* ---- the harness's side ---------------------------------------------------------------------------------------------------- */
static int read_line(char *to, size_t room) {
  size_t length = 0;
  while (length + 1 < room) {
    if (read(0, to + length, 1) != 1) return 0;
    if (to[length] == '\n') break;
    length++;
  }
  to[length] = 0;
  return 1;
}

static void read_bytes(char *to, size_t count) {
  while (count > 0) {
    ssize_t got = read(0, to, count);
    if (got <= 0) FAIL("the bytes end too early");
    to += got;
    count -= (size_t)got;
  }
}

/* Not memset: a compiler may leave that out. */
static void wipe(char *from, size_t count) {
  volatile char *at = from;
  while (count-- > 0) *at++ = 0;
}

static void one_line(const char *name, char *shown) {
  for (char *at = shown; *at; at++)
    if (*at == '\n' || *at == '\r') *at = ' ';
  printf("%s %s\n", name, shown);
}

static void done(int32_t code, const ors_error *error) {
  static char message[sizeof error->message + 1];
  snprintf(message, sizeof message, "%s", error ? error->message : "");
  for (char *at = message; *at; at++)
    if (*at == '\n') *at = ' ';
  printf("done %d %s|%s\n", code, error ? error->where : "", message);
  fflush(stdout);
}

static void ask(void) {
  static char shown[1 << 20];
  uint64_t after = 0;
  int32_t (*const texts[])(ors_agent, char *, size_t, size_t *) = { settings_get, about, diagnostics };
  const char *const names[] = { "settings", "about", "diagnostics" };
  for (size_t index = 0; index < 3; index++) {
    int32_t code = texts[index](agent, shown, sizeof shown, NULL);
    if (code != ORS_OK) FAIL("%s: %d", names[index], code);
    one_line(names[index], shown);
  }
  for (uint32_t field = 0; field < 32; field++)
    if (text(agent, field, 0, shown, sizeof shown, NULL) == ORS_OK) one_line("text", shown);
  while (read_log(agent, &after, 0, NULL, shown, sizeof shown, NULL) == ORS_OK) one_line("line", shown);
  done(0, NULL);
}

static void open_with(uint32_t flags) {
  agent = open_agent(&ors, arguments, flags);
  int32_t code = set_log(agent, 4, sink, NULL);
  if (code != ORS_OK) FAIL("ors_set_log: %d", code);
}

int main(int count, char **given_arguments) {
  char line[100], verb[16];
  unsigned long number;
  if (count != 5) FAIL("usage: told LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE");
  arguments = given_arguments;
  ors = load(arguments[1]);
  find();
  while (read_line(line, sizeof line)) {
    ors_error error;
    ORS_INIT(&error);
    number = 0;
    if (sscanf(line, "%15s %lu", verb, &number) < 1) FAIL("an empty line");
    if (strcmp(verb, "open") == 0) {
      open_with(0);
      done(0, NULL);
    } else if (strcmp(verb, "look") == 0) {
      open_with(ORS_OPEN_READ_ONLY);
      done(0, NULL);
    } else if (strcmp(verb, "close") == 0) {
      done(ors.close(agent, ORS_DEFAULT_WAIT), NULL);
    } else if (strcmp(verb, "set") == 0 || strcmp(verb, "install") == 0) {
      if (number > sizeof given) FAIL("too many bytes");
      read_bytes(given, number);
      int32_t code;
      if (verb[0] == 's') {
        code = settings_set(agent, given, number, "an administrator", ORS_NTS, &error);
      } else {
        ors_install_result result;
        ORS_INIT(&result);
        code = ors.install_licence(agent, (const uint8_t *)given, number, "an administrator", ORS_NTS, &result, &error);
      }
      wipe(given, sizeof given);
      done(code, &error);
    } else if (strcmp(verb, "fail") == 0) {
      __atomic_store_n(&fails_after, (int)number, __ATOMIC_SEQ_CST);
      done(0, NULL);
    } else if (strcmp(verb, "acknowledge") == 0) {
      done(acknowledge(agent, number, "a user", ORS_NTS, &error), &error);
    } else if (strcmp(verb, "keep") == 0) {
      char *kept = malloc(number);
      if (kept == NULL) FAIL("no memory");
      read_bytes(kept, number);
      done(0, NULL);
    } else if (strcmp(verb, "until") == 0) {
      wait_for_sequence(&ors, agent, number, 30);
      done(0, NULL);
    } else if (strcmp(verb, "ask") == 0) {
      ask();
    } else {
      FAIL("%s is no command", verb);
    }
  }
  return 0;
}
