/* A host that loads, opens, closes and unloads again and again: life LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE CYCLES
 * From its main thread and from threads that live for one cycle. What it leaves behind is counted: threads, descriptors or handles,
 * resident memory. For Linux and for Windows.
 *
 * First the installer's question, a hundred times: no agent, no thread, and on Windows the library is really gone after each. Then
 * agents, after which the library stays where it is (it is linked so, or pins itself), whatever the host unloads.
 *
 * Prints ASKED CYCLES GROWTH-IN-KIB HARMED; what harmed is told on standard error. With the word `leak` behind it, one agent is left
 * open on purpose: that has to be counted as harm. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ors.h"
#include "system.h"

#define FUNCTIONS(F) F(open) F(close) F(notify_status) F(check_licence) F(check_update) F(settings_set) F(about)

typedef struct library {
  module handle;
#define POINTER(name) __typeof__(&ors_##name) name;
  FUNCTIONS(POINTER)
} library;

static char *const *arguments;
static char keys[4096];
static int leaks;
static counter harmed;

#ifdef _WIN32
__attribute__((format(gnu_printf, 1, 2)))
#else
__attribute__((format(printf, 1, 2)))
#endif
static void harm(const char *format, ...) {
  va_list list;
  va_start(list, format);
  if (add(&harmed) < 20) {
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
  }
  va_end(list);
}

static library load(void) {
  library ors;
  ors.handle = module_load(arguments[1]);
#define FIND(name) *(void **)&ors.name = module_symbol(ors.handle, "ors_" #name);
  FUNCTIONS(FIND)
  return ors;
}

/* ---- without an agent ---------------------------------------------------------------------------------------------------- */
static void ask(unsigned round) {
  library ors = load();
  ors_update_query query;
  ors_update_verdict verdict;
  ors_error error;
  ORS_INIT(&query);
  ORS_INIT(&verdict);
  ORS_INIT(&error);
  query.licence_folder = arguments[3];
  query.product = "prismaprepare";
  query.trusted_keys = keys;
  query.release_date = "2026-01-01";
  int32_t code = ors.check_update(&query, &verdict, &error);
  if (code != ORS_OK || verdict.verdict != 1) harm("round %u: ors_check_update %d, verdict %d: %s", round, code, verdict.verdict, error.message);
  module_unload(ors.handle);
#ifdef _WIN32
  if (module_is_loaded(arguments[1])) harm("round %u: the library is loaded still", round);
#endif
}

/* ---- with one -------------------------------------------------------------------------------------------------------------- */
static void cycle(unsigned number) {
  library ors = load();
  ors_options options;
  ors_error error;
  ors_agent agent = 0;
  ORS_INIT(&options);
  ORS_INIT(&error);
  options.flags = number % 5 == 4 ? ORS_OPEN_READ_ONLY : 0;
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  int32_t code = ors.open(&options, &agent, &error);
  if (code != ORS_OK) {
    harm("cycle %u: ors_open %d: %s", number, code, error.message);
  } else {
    char text[4096];
    size_t needed;
    ors_notice_status notices;
    ors_licence_status status;
    ORS_INIT(&notices);
    ORS_INIT(&status);
    code = ors.notify_status(agent, &notices);
    if (code != ORS_OK) harm("cycle %u: ors_notify_status %d", number, code);
    code = ors.check_licence(agent, &status);
    if (code != ORS_OK || status.state != ORS_LICENCE_VALID) harm("cycle %u: ors_check_licence %d, state %u", number, code, status.state);
    code = ors.about(agent, text, sizeof text, &needed);
    if (code != ORS_OK) harm("cycle %u: ors_about %d", number, code);
    if (number % 20 == 0) {
      code = ors.settings_set(agent, "{\"language\":\"en\"}", ORS_NTS, "host", ORS_NTS, &error);
      if (code != ORS_OK) harm("cycle %u: ors_settings_set %d: %s", number, code, error.message);
    }
    /* Now and then as a finaliser closes: without waiting. */
    uint32_t wait = number % 10 == 7 ? 0 : 10000;
    if (leaks && number == 3) return;
    code = ors.close(agent, wait);
    if (code != ORS_OK && !(wait == 0 && code == ORS_E_TIMEOUT)) harm("cycle %u: ors_close %d", number, code);
    code = ors.notify_status(agent, &notices);
    if (code != ORS_E_CLOSED) harm("cycle %u: ors_notify_status of a closed handle %d", number, code);
  }
  module_unload(ors.handle);
}

/* Three at a time share one runtime, or find one that is just ending. */
static void some_at_once(unsigned number) {
  thread threads[3];
  for (unsigned i = 0; i < 3; i++) threads[i] = thread_start(cycle, number);
  for (unsigned i = 0; i < 3; i++) thread_join(threads[i]);
}

int main(int count, char **given) {
  leaks = count == 7 && strcmp(given[6], "leak") == 0;
  if (count != 6 && !leaks) FAIL("life LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE CYCLES [leak]");
  arguments = given;
  unsigned cycles = (unsigned)atoi(given[5]), asked = 100;
  FILE *file = fopen(given[4], "rb");
  if (file == NULL || fread(keys, 1, sizeof keys - 1, file) == 0) FAIL("cannot read %s", given[4]);
  fclose(file);

  /* What the system sets up for threads and libraries of any kind is there from here on. */
  thread_join(thread_start(ask, 0));
  struct left before = left_now();
  for (unsigned round = 1; round < asked; round++) ask(round);
  struct left after_asking = left_when_back_to(before);
  if (!same(after_asking, before)) harm("after asking: %s", left_text(after_asking, before));

  /* What a first agent sets up for good. */
  cycle(0);
  struct left first = left_when_back_to(before);
  if (first.threads != before.threads) harm("after the first cycle: %s", left_text(first, before));
#ifndef _WIN32
  if (first.files != before.files) harm("after the first cycle: %s", left_text(first, before));
#endif
  long warm = 0;
  for (unsigned number = 1; number < cycles; number++) {
    switch (number % 4) {
      case 0: thread_join(thread_start(cycle, number)); break;
      case 2: some_at_once(number); break;
      default: cycle(number);
    }
    if (number == 100) {
      left_when_back_to(first);
      warm = resident();
    }
  }
  struct left last = left_when_back_to(first);
  if (!same(last, first)) harm("after %u cycles: %s", cycles, left_text(last, first));
  long growth = cycles > 100 ? resident() - warm : 0;
  if (growth >= 1024) harm("resident memory grew by %ld KiB after cycle 100", growth);
  printf("%u %u %ld %u\n", asked, cycles, growth, value(&harmed));
  return 0;
}
