/* What stays behind in memory: arrivals LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE ARRIVALS WARM-UP LAST REFRESHES
 * Licences 2 ... LAST of the folder ARRIVALS arrive, every 50th by the licence folder and the others by ors_install_licence, while another
 * thread refreshes at least REFRESHES times. Resident memory is taken after licence WARM-UP, when every path has run once, and at the end.
 * Prints kilobytes before, after, refreshes, and how many licences came by the folder. */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

static library ors;
static ors_agent agent;
static atomic_long refreshes;
static atomic_int finished;

/* Pages that came and went can leave it smaller, too. smaps_rollup is exact where statm is counted per processor. */
static long resident(void) {
  char text[2048];
  long kilobytes = -1;
  int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length > 0) {
    text[length] = 0;
    const char *line = strstr(text, "\nRss:");
    if (line != NULL) kilobytes = atol(line + 5);
  }
  if (kilobytes < 0) FAIL("/proc/self/smaps_rollup tells nothing");
  close(file);
  return kilobytes;
}

/* A busy web server: many refreshes, with room for the others on a machine of two cores. */
static void *refresh(void *at_least) {
  while (!atomic_load(&finished) || atomic_load(&refreshes) < *(long *)at_least) {
    for (int i = 0; i < 1000; i++) {
      ors_notice_status notices;
      ORS_INIT(&notices);
      int32_t code = ors.notify_status(agent, &notices);
      if (code != ORS_OK) FAIL("ors_notify_status: %d", code);
    }
    atomic_fetch_add(&refreshes, 1000);
    pause_for(500);
  }
  return NULL;
}

static void install(const char *text, size_t length, uint64_t sequence) {
  for (int attempt = 0;; attempt++) {
    ors_install_result result;
    ors_error error;
    ORS_INIT(&result);
    ORS_INIT(&error);
    int32_t code = ors.install_licence(agent, (const uint8_t *)text, length, "administrator", ORS_NTS, &result, &error);
    if (code == ORS_OK) return;
    /* Not yet in force; repeating is safe by contract. */
    if (code == ORS_E_TIMEOUT && attempt < 5) continue;
    FAIL("licence %llu: %d, reason %d: %s", (unsigned long long)sequence, code, result.reason, error.message);
  }
}

static void drop(const char *folder, const char *text, size_t length) {
  char temporary[4096], final[4096];
  snprintf(temporary, sizeof temporary, "%s/arriving.part", folder);
  snprintf(final, sizeof final, "%s/prismaprepare-1234567890.ors.json", folder);
  FILE *file = fopen(temporary, "wb");
  if (file == NULL || fwrite(text, 1, length, file) != length || fclose(file) != 0) FAIL("cannot write %s", temporary);
  if (rename(temporary, final) != 0) FAIL("cannot rename to %s", final);
}

int main(int argc, char **argv) {
  static char text[1 << 20];
  if (argc != 9) FAIL("arrivals LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE ARRIVALS WARM-UP LAST REFRESHES");
  uint64_t warm_up = strtoull(argv[6], NULL, 10), last = strtoull(argv[7], NULL, 10);
  long at_least = atol(argv[8]), before = 0;
  int by_folder = 0;
  pthread_t refresher;
  ors = load(argv[1]);
  agent = open_agent(&ors, argv, 0);
  wait_for_sequence(&ors, agent, 1, 10);
  if (pthread_create(&refresher, NULL, refresh, &at_least) != 0) FAIL("no thread");

  for (uint64_t sequence = 2; sequence <= last; sequence++) {
    char from[4096];
    snprintf(from, sizeof from, "%s/%llu.ors.json", argv[5], (unsigned long long)sequence);
    size_t length = read_file(from, text, sizeof text);
    if (sequence % 50 == 0) {
      wait_for_sequence(&ors, agent, sequence - 1, 10);
      drop(argv[3], text, length);
      wait_for_sequence(&ors, agent, sequence, 10);
      by_folder += sequence > warm_up;
    } else {
      install(text, length, sequence);
    }
    if (sequence == warm_up) {
      wait_for_sequence(&ors, agent, sequence, 10);
      before = resident();
      atomic_store(&refreshes, 0);
    }
  }
  wait_for_sequence(&ors, agent, last, 10);
  atomic_store(&finished, 1);
  pthread_join(refresher, NULL);
  printf("%ld %ld %ld %d\n", before, resident(), atomic_load(&refreshes), by_folder);
  return ors.close(agent, 2000) == ORS_OK ? 0 : 1;
}
