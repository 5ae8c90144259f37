/* A host that is killed. It reads orders from one socket and answers each on the same socket after the library has answered it: what
 * the harness has read is what the library has acknowledged. It speaks by recv() and send() only, so that every read(), write() and
 * openat() that it makes once it is ready is one of the library's. Standard error is for a host that is broken itself.
 *
 *   host LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE
 *
 *   open | close
 *   set N | install N     followed by N bytes
 *   acknowledge ID
 *   until SEQUENCE        waits, for as long as `patience` says, until this licence or a newer one is in use
 *   raised ID             the same for an announcement
 *   patience MS
 *   wait MS               until something changes
 *   ask                   tells everything that can be told
 * An answer is any number of lines "NAME TEXT" and one "done CODE PLACE|MESSAGE". Linux only. */
#include "host.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define ORDERS 0

static library ors;
static ors_agent agent;
static char given[128 << 10], answer[2 << 20];
static size_t answered;

#define FUNCTIONS(F) F(settings_set) F(settings_get) F(diagnostics) F(about) F(acknowledge) F(wait)
#define POINTER(name) static __typeof__(&ors_##name) library_##name;
FUNCTIONS(POINTER)

static void find(void) {
#define FIND(name) *(void **)&library_##name = symbol(ors.handle, "ors_" #name);
  FUNCTIONS(FIND)
}

/* ---- the harness's side ---------------------------------------------------------------------------------------------------- */
static char pool[16 << 10];
static size_t pool_at, pool_end;

/* 0: the harness is gone. */
static int next_byte(char *to) {
  if (pool_at == pool_end) {
    ssize_t got;
    do got = recv(ORDERS, pool, sizeof pool, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return 0;
    pool_at = 0;
    pool_end = (size_t)got;
  }
  *to = pool[pool_at++];
  return 1;
}

static int read_line(char *to, size_t room) {
  for (size_t length = 0; length + 1 < room; length++) {
    if (!next_byte(to + length)) return 0;
    if (to[length] == '\n') {
      to[length] = 0;
      return 1;
    }
  }
  FAIL("an order is too long");
}

static void read_bytes(char *to, size_t count) {
  if (count > sizeof given) FAIL("too many bytes");
  while (count-- > 0)
    if (!next_byte(to++)) FAIL("the bytes end too early");
}

static void tell(const char *name, const char *text) {
  int length = snprintf(answer + answered, sizeof answer - answered, "%s %s\n", name, text);
  if (length < 0 || answered + (size_t)length >= sizeof answer) FAIL("the answer is too long");
  for (char *at = answer + answered; at + 1 < answer + answered + length; at++)
    if (*at == '\n' || *at == '\r') *at = ' ';
  answered += (size_t)length;
}

static void done(int32_t code, const ors_error *error) {
  static char text[2048];
  snprintf(text, sizeof text, "%d %s|%s", code, error ? error->where : "", error ? error->message : "");
  tell("done", text);
  for (size_t sent = 0; sent < answered;) {
    ssize_t went = send(ORDERS, answer + sent, answered - sent, MSG_NOSIGNAL);
    if (went < 0 && errno != EINTR) exit(0);
    if (went > 0) sent += (size_t)went;
  }
  answered = 0;
}

/* ---- the library's side ---------------------------------------------------------------------------------------------------- */
static void open_it(char *const *arguments, const char *keys) {
  ors_options options;
  ors_error error;
  ORS_INIT(&options);
  ORS_INIT(&error);
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  done(ors.open(&options, &agent, &error), &error);
}

static ors_notice_status notices(void) {
  ors_notice_status status;
  ORS_INIT(&status);
  /* A failed call has emptied it. */
  ors.notify_status(agent, &status);
  return status;
}

static ors_licence_status licence(void) {
  ors_licence_status status;
  ORS_INIT(&status);
  ors.check_licence(agent, &status);
  return status;
}

static void ask(void) {
  static char text[1 << 20];
  int32_t (*const texts[])(ors_agent, char *, size_t, size_t *) = { library_settings_get, library_about, library_diagnostics };
  const char *const names[] = { "settings", "about", "diagnostics" };
  int32_t worst = ORS_OK;
  for (size_t index = 0; index < 3; index++) {
    int32_t code = texts[index](agent, text, sizeof text, NULL);
    if (code == ORS_OK) tell(names[index], text);
    else worst = code;
  }
  ors_licence_status status = licence();
  snprintf(text, sizeof text, "{\"state\":%u,\"sequence\":%llu,\"copy_sequence\":%llu,\"notices\":%u,\"announcement\":%llu}",
           (unsigned)status.state, (unsigned long long)status.sequence, (unsigned long long)status.copy_sequence,
           (unsigned)notices().notices, (unsigned long long)notices().announcement);
  tell("status", text);
  done(worst, NULL);
}

static void until(uint64_t wanted, int announcement, double patience) {
  double began = now();
  for (;;) {
    ors_notice_status seen = notices();
    uint64_t found = announcement ? seen.announcement : licence().sequence;
    double left = patience - (now() - began) / 1e6;
    if (found >= wanted) break;
    if (left <= 0) {
      done(ORS_E_TIMEOUT, NULL);
      return;
    }
    library_wait(agent, seen.revision, (uint32_t)left + 1, NULL);
  }
  done(ORS_OK, NULL);
}

int main(int count, char **arguments) {
  static char keys[4096];
  char line[100], verb[16];
  unsigned long number, patience = 10000;
  if (count != 5) FAIL("usage: host LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE");
  /* A harness that dies takes its hosts along; and strace, which is no parent of this process, may come in. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  ors = load(arguments[1]);
  find();
  read_file(arguments[4], keys, sizeof keys);
  while (read_line(line, sizeof line)) {
    ors_error error;
    ORS_INIT(&error);
    number = 0;
    if (sscanf(line, "%15s %lu", verb, &number) < 1) FAIL("an empty line");
    if (strcmp(verb, "open") == 0) {
      open_it(arguments, keys);
    } else if (strcmp(verb, "close") == 0) {
      done(ors.close(agent, ORS_DEFAULT_WAIT), NULL);
    } else if (strcmp(verb, "set") == 0) {
      read_bytes(given, number);
      done(library_settings_set(agent, given, number, "an administrator", ORS_NTS, &error), &error);
    } else if (strcmp(verb, "install") == 0) {
      read_bytes(given, number);
      ors_install_result result;
      ORS_INIT(&result);
      done(ors.install_licence(agent, (const uint8_t *)given, number, "an administrator", ORS_NTS, &result, &error), &error);
    } else if (strcmp(verb, "acknowledge") == 0) {
      done(library_acknowledge(agent, number, "a user", ORS_NTS, &error), &error);
    } else if (strcmp(verb, "until") == 0) {
      until(number, 0, (double)patience);
    } else if (strcmp(verb, "raised") == 0) {
      until(number, 1, (double)patience);
    } else if (strcmp(verb, "patience") == 0) {
      patience = number;
      done(ORS_OK, NULL);
    } else if (strcmp(verb, "wait") == 0) {
      library_wait(agent, notices().revision, (uint32_t)number, NULL);
      done(ORS_OK, NULL);
    } else if (strcmp(verb, "ask") == 0) {
      ask();
    } else {
      FAIL("%s is no command", verb);
    }
  }
  return 0;
}
