/* What the measuring hosts have in common: the library is loaded from the path they are given, as a web server's plug-in would
 * load it, so that they measure the very file that is shipped. Linux only. */
#ifndef ORS_MEASURING_HOST_H
#define ORS_MEASURING_HOST_H
#ifndef _GNU_SOURCE
#  define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ors.h"

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

typedef struct library {
  void *handle;
  int32_t (*open)(const ors_options *, ors_agent *, ors_error *);
  int32_t (*close)(ors_agent, uint32_t);
  int32_t (*notify_status)(ors_agent, ors_notice_status *);
  int32_t (*check_licence)(ors_agent, ors_licence_status *);
  int32_t (*install_licence)(ors_agent, const uint8_t *, size_t, const char *, size_t, ors_install_result *, ors_error *);
} library;

static void *symbol(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (found == NULL) FAIL("no %s: %s", name, dlerror());
  return found;
}

__attribute__((unused)) static library load(const char *path) {
  library ors;
  ors.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (ors.handle == NULL) FAIL("%s", dlerror());
  /* POSIX promises that a function's address fits; ISO C has no cast for it. */
  *(void **)&ors.open = symbol(ors.handle, "ors_open");
  *(void **)&ors.close = symbol(ors.handle, "ors_close");
  *(void **)&ors.notify_status = symbol(ors.handle, "ors_notify_status");
  *(void **)&ors.check_licence = symbol(ors.handle, "ors_check_licence");
  *(void **)&ors.install_licence = symbol(ors.handle, "ors_install_licence");
  return ors;
}

/* Reads a small file whole into `to` and ends it with a NUL. Allocates nothing. Returns its length. */
__attribute__((unused)) static size_t read_file(const char *path, char *to, size_t room) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) FAIL("cannot read %s", path);
  size_t length = fread(to, 1, room - 1, file);
  if (!feof(file)) FAIL("%s is longer than %zu bytes", path, room - 1);
  fclose(file);
  to[length] = 0;
  return length;
}

/* Where an agent finds things. Every host takes these four first: LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE. */
__attribute__((unused)) static ors_agent open_agent(const library *ors, char *const *arguments, uint32_t flags) {
  static char keys[4096];
  ors_options options;
  ors_error error;
  ors_agent agent = 0;
  ORS_INIT(&options);
  ORS_INIT(&error);
  read_file(arguments[4], keys, sizeof keys);
  options.flags = flags;
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  int32_t code = ors->open(&options, &agent, &error);
  if (code != ORS_OK) FAIL("ors_open: %d: %s (%s, os %d)", code, error.message, error.where, error.os_code);
  return agent;
}

__attribute__((unused)) static ors_licence_status licence_status(const library *ors, ors_agent agent) {
  ors_licence_status status;
  ORS_INIT(&status);
  int32_t code = ors->check_licence(agent, &status);
  if (code != ORS_OK) FAIL("ors_check_licence: %d", code);
  return status;
}

/* Nanoseconds on a clock that only goes forward. */
__attribute__((unused)) static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

__attribute__((unused)) static void pause_for(long microseconds) {
  struct timespec time = { microseconds / 1000000, microseconds % 1000000 * 1000 };
  nanosleep(&time, NULL);
}

/* Waits until the licence in use has this sequence; fails after `seconds`. Returns how long it took, in nanoseconds. */
__attribute__((unused)) static double wait_for_sequence(const library *ors, ors_agent agent, uint64_t sequence, double seconds) {
  double began = now();
  for (;;) {
    ors_licence_status status = licence_status(ors, agent);
    double waited = now() - began;
    if (status.state == ORS_LICENCE_VALID && status.sequence >= sequence) return waited;
    if (waited > seconds * 1e9)
      FAIL("sequence %llu is not in use after %.1f s: state %u, reason %d, sequence %llu", (unsigned long long)sequence, seconds,
           status.state, status.reason, (unsigned long long)status.sequence);
    pause_for(200);
  }
}
#endif
