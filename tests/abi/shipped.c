/* The file that a customer gets, in a process of its own: loading it has no effect, a panic inside of it is contained, and its
 * code stays mapped for as long as a thread of it may run.
 *
 *   shipped LIBRARY LICENCE-FOLDER STATE-FOLDER KEYS-FILE LICENCE-FILE
 *
 * How it panics: this program has a clock_gettime of its own, which the library finds before that of the C library. It fails when
 * it is told to, and the standard library of Rust panics then. Linux only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "ors.h"

extern char **environ;

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define SAME(what, a, b) ((a) == (b) ? (void)0 : (void)FAIL("%s: %lld instead of %lld", what, (long long)(a), (long long)(b)))
#define HOLDS(condition) ((condition) ? (void)0 : (void)FAIL("line %d: not so: %s", __LINE__, #condition))

/* ---- a clock that fails ------------------------------------------------------------------------------------------------ */
static __thread int fails_here;   /* on this thread, until it is set back */
static int fails_on_agent;        /* once, on the thread of the library */
static int failures;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_MONOTONIC) {
        int fails = fails_here;
        if (!fails && __atomic_load_n(&fails_on_agent, __ATOMIC_SEQ_CST)) {
            char name[17] = "";
            prctl(PR_GET_NAME, name);
            fails = strcmp(name, "ors-agent") == 0 && __atomic_exchange_n(&fails_on_agent, 0, __ATOMIC_SEQ_CST);
        }
        if (fails) {
            __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
            errno = EINVAL;
            return -1;
        }
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}

/* ---- the library, by name ---------------------------------------------------------------------------------------------- */
#define FUNCTIONS(F) F(abi_version) F(open) F(close) F(wait) F(notify_status) F(check_licence) F(settings_set) F(read_log) \
    F(install_licence) F(acknowledge) F(check_update) F(set_log) F(about)
#define POINTER(name) static __typeof__(&ors_##name) name##_;
FUNCTIONS(POINTER)

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        FAIL("%s", dlerror());
#define FIND(name) \
    if ((*(void **)&name##_ = dlsym(library, "ors_" #name)) == NULL) \
        FAIL("%s", dlerror());
    FUNCTIONS(FIND)
    return library;
}

/* ---- what a library could change behind its host's back ------------------------------------------------------------------ */
struct process {
    int threads, descriptors;
    mode_t umask;
    char **environment;
    unsigned long variables; /* a sum of all bytes with their places */
    char folder[4096], locale[4096];
    struct sigaction actions[65];
    sigset_t blocked;
    stack_t alternate; /* the stack of signal handlers, on this thread */
    fenv_t floating;   /* rounding, exceptions, control words */
    struct rlimit limits[RLIM_NLIMITS];
    struct itimerval timers[3];
    cpu_set_t processors;
    int standard_flags[3]; /* of the standard handles: a library that makes them non-blocking breaks others */
    char name[17];
    struct {
        long long nice, policy, personality, dumpable, keeps_capabilities, no_new_privileges, slack, oom, effective_user;
    } numbers;
};

static long long number_in(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "r");
    HOLDS(file != NULL && fgets(text, sizeof text, file) != NULL);
    fclose(file);
    return atoll(text);
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *open = opendir(folder);
    while (open && readdir(open))
        count++;
    if (open)
        closedir(open);
    return count;
}

static struct process look(void)
{
    struct process found;
    char **variable;
    int signal, index;
    memset(&found, 0, sizeof found);
    found.threads = entries("/proc/self/task");
    found.descriptors = entries("/proc/self/fd");
    umask(found.umask = umask(0));
    found.environment = environ;
    for (variable = environ; *variable; variable++) {
        const char *at = *variable;
        for (; *at; at++)
            found.variables = found.variables * 31 + (unsigned char)*at;
    }
    HOLDS(getcwd(found.folder, sizeof found.folder) != NULL);
    snprintf(found.locale, sizeof found.locale, "%s", setlocale(LC_ALL, NULL));
    for (signal = 1; signal < 65; signal++)
        sigaction(signal, NULL, &found.actions[signal]);
    pthread_sigmask(SIG_SETMASK, NULL, &found.blocked);
    sigaltstack(NULL, &found.alternate);
    fegetenv(&found.floating);
    for (index = 0; index < RLIM_NLIMITS; index++)
        getrlimit(index, &found.limits[index]);
    getitimer(ITIMER_REAL, &found.timers[0]);
    getitimer(ITIMER_VIRTUAL, &found.timers[1]);
    getitimer(ITIMER_PROF, &found.timers[2]);
    sched_getaffinity(0, sizeof found.processors, &found.processors);
    for (index = 0; index < 3; index++)
        found.standard_flags[index] = fcntl(index, F_GETFL);
    prctl(PR_GET_NAME, found.name);
    found.numbers.nice = getpriority(PRIO_PROCESS, 0);
    found.numbers.policy = sched_getscheduler(0);
    found.numbers.personality = personality(0xffffffff);
    found.numbers.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    found.numbers.keeps_capabilities = prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0);
    found.numbers.no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    found.numbers.slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    found.numbers.oom = number_in("/proc/self/oom_score_adj");
    found.numbers.effective_user = geteuid();
    return found;
}

static void unchanged(const char *when, const struct process *before, int threads)
{
    const struct process now = look();
    int signal;
    SAME(when, now.threads - before->threads, threads);
    SAME(when, now.umask, before->umask);
    HOLDS(now.environment == before->environment && now.variables == before->variables);
    HOLDS(strcmp(now.folder, before->folder) == 0 && strcmp(now.locale, before->locale) == 0);
    HOLDS(memcmp(&now.blocked, &before->blocked, sizeof now.blocked) == 0);
    for (signal = 1; signal < 65; signal++)
        if (now.actions[signal].sa_handler != before->actions[signal].sa_handler
            || now.actions[signal].sa_flags != before->actions[signal].sa_flags)
            FAIL("%s: signal %d is handled otherwise", when, signal);
    HOLDS(now.alternate.ss_sp == before->alternate.ss_sp && now.alternate.ss_flags == before->alternate.ss_flags
          && now.alternate.ss_size == before->alternate.ss_size);
    HOLDS(memcmp(&now.floating, &before->floating, sizeof now.floating) == 0);
    HOLDS(memcmp(now.limits, before->limits, sizeof now.limits) == 0);
    HOLDS(memcmp(now.timers, before->timers, sizeof now.timers) == 0);
    HOLDS(memcmp(&now.processors, &before->processors, sizeof now.processors) == 0);
    HOLDS(memcmp(now.standard_flags, before->standard_flags, sizeof now.standard_flags) == 0);
    HOLDS(strcmp(now.name, before->name) == 0);
    HOLDS(memcmp(&now.numbers, &before->numbers, sizeof now.numbers) == 0);
    if (threads == 0)
        SAME(when, now.descriptors, before->descriptors);
    printf("ok   %s: nothing of the process has changed\n", when);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */
static ors_options options;
static ors_agent agent;
static char licence[1 << 20]; /* the one in use */
static size_t licence_length;

static void until_valid(void)
{
    ors_licence_status status;
    int round;
    for (round = 0; round < 1000; round++) {
        ORS_INIT(&status);
        SAME("ors_check_licence", check_licence_(agent, &status), ORS_OK);
        if (status.state == ORS_LICENCE_VALID)
            return;
        usleep(10000);
    }
    FAIL("the licence is not valid: state %u", (unsigned)status.state);
}

static int32_t set(ors_error *error)
{
    static const char json[] = "{\"language\":\"en\"}";
    return settings_set_(agent, json, sizeof json - 1, NULL, 0, error);
}

static void works(const char *when)
{
    ors_notice_status shown;
    ors_error error;
    int32_t code = ORS_E_TIMEOUT;
    int round;
    until_valid();
    ORS_INIT(&shown);
    ORS_INIT(&error);
    SAME(when, notify_status_(agent, &shown), ORS_OK);
    for (round = 0; round < 10 && (code = set(&error)) != ORS_OK; round++)
        usleep(500000);
    SAME(when, code, ORS_OK);
    SAME(when, error.code, ORS_OK);
    SAME(when, wait_(agent, shown.revision, 50, NULL), ORS_E_TIMEOUT);
    printf("ok   %s: it works\n", when);
}

static void panics(void)
{
    ors_error error;
    ors_agent opened = 7;
    ors_install_result result;
    uint64_t number = 7, after = 0;
    char text[2000] = "stale";
    size_t needed = 7;

    SAME("failures before", failures, 0);
    fails_here = 1;
    SAME("ors_wait", wait_(agent, 0, 1000, &number), ORS_E_INTERNAL);
    HOLDS(number == 0);
    SAME("ors_read_log", read_log_(agent, &after, 0, NULL, text, sizeof text, &needed), ORS_E_INTERNAL);
    HOLDS(needed == 0 && text[0] == 0 && after == 0);
    ORS_INIT(&error);
    SAME("ors_settings_set", set(&error), ORS_E_INTERNAL);
    SAME("error.code", error.code, ORS_E_INTERNAL);
    HOLDS(error.message[0] != 0);
    SAME("ors_open", open_(&options, &opened, &error), ORS_E_INTERNAL);
    HOLDS(opened == 0);
    ORS_INIT(&error);
    SAME("ors_acknowledge", acknowledge_(agent, 1, NULL, 0, &error), ORS_E_INTERNAL);
    SAME("error.code", error.code, ORS_E_INTERNAL);
    ORS_INIT(&result);
    result.sequence = 7;
    ORS_INIT(&error);
    SAME("ors_install_licence", install_licence_(agent, (const uint8_t *)licence, licence_length, NULL, 0, &result, &error),
         ORS_E_INTERNAL);
    HOLDS(result.sequence == 0 && result.state == 0 && error.code == ORS_E_INTERNAL);
    {
        /* What asks no clock goes on, panics or not. */
        ors_licence_status status;
        ORS_INIT(&status);
        SAME("ors_check_licence", check_licence_(agent, &status), ORS_OK);
        HOLDS(status.state == ORS_LICENCE_VALID);
    }
    fails_here = 0;
    HOLDS(failures >= 6);
    printf("ok   a panic on a thread of the host is ORS_E_INTERNAL\n");
    works("after panics on a thread of the host");
}

static void *refresh(void *stop)
{
    long good = 0;
    while (!__atomic_load_n((int *)stop, __ATOMIC_SEQ_CST)) {
        ors_licence_status status;
        ORS_INIT(&status);
        if (check_licence_(agent, &status) != ORS_OK || status.state != ORS_LICENCE_VALID)
            FAIL("a refresh failed while the library's own thread did");
        good++;
    }
    HOLDS(good > 0);
    return NULL;
}

static void own_thread_panics(void)
{
    pthread_t thread;
    int stop = 0, told = 0, round;
    uint64_t after = 0;
    char text[2000];
    HOLDS(pthread_create(&thread, NULL, refresh, &stop) == 0);
    __atomic_store_n(&fails_on_agent, 1, __ATOMIC_SEQ_CST);
    for (round = 0; round < 100 && !told; round++)
        while (read_log_(agent, &after, 100, NULL, text, sizeof text, NULL) == ORS_OK)
            told |= strstr(text, "starts anew") != NULL;
    HOLDS(told);
    works("after a panic on the library's own thread");
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    HOLDS(pthread_join(thread, NULL) == 0);
}

/* A close that panics has closed, and the runtime goes all the same. */
static void panics_closing(int threads_before)
{
    int round;
    fails_here = 1;
    SAME("ors_close", close_(agent, ORS_DEFAULT_WAIT), ORS_E_INTERNAL);
    fails_here = 0;
    SAME("ors_close, again", close_(agent, ORS_DEFAULT_WAIT), ORS_E_CLOSED);
    for (round = 0; round < 1000 && look().threads != threads_before; round++)
        usleep(10000);
    SAME("threads after a close that panicked", look().threads, threads_before);
    printf("ok   a close that panics leaves no thread\n");
}

static int mapped(const char *path)
{
    char line[8192];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    HOLDS(maps != NULL);
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, path) != NULL;
    fclose(maps);
    return found;
}

int main(int count, char **arguments)
{
    static char keys[65536];
    struct process before;
    ors_update_query query;
    ors_update_verdict verdict;
    char real[4096];
    void *library;
    FILE *file;
    int round;

    if (count != 6)
        FAIL("usage: shipped LIBRARY LICENCE-FOLDER STATE-FOLDER KEYS-FILE LICENCE-FILE");
    HOLDS((file = fopen(arguments[5], "rb")) != NULL);
    HOLDS((licence_length = fread(licence, 1, sizeof licence, file)) > 0);
    fclose(file);
    HOLDS((file = fopen(arguments[4], "rb")) != NULL);
    HOLDS(fread(keys, 1, sizeof keys - 1, file) > 0);
    fclose(file);
    HOLDS(realpath(arguments[1], real) != NULL);

    before = look();
    library = load(arguments[1]);
    unchanged("after loading", &before, 0);
    SAME("ors_abi_version", abi_version_(), ORS_ABI_VERSION);

    ORS_INIT(&query);
    query.licence_folder = arguments[2];
    query.product = "prismaprepare";
    query.trusted_keys = keys;
    query.release_date = "2026-01-01";
    ORS_INIT(&verdict);
    SAME("ors_check_update", check_update_(&query, &verdict, NULL), ORS_OK);
    SAME("verdict", verdict.verdict, 1);
    ORS_INIT(&options);
    options.flags = ORS_OPEN_READ_ONLY;
    options.product = query.product;
    options.trusted_keys = keys;
    options.licence_folder = arguments[2];
    SAME("ors_open, read only", open_(&options, &agent, NULL), ORS_OK);
    until_valid();
    unchanged("after the installer's question and a read-only open", &before, 0);
    SAME("ors_close", close_(agent, ORS_DEFAULT_WAIT), ORS_OK);
    unchanged("after closing what was opened read only", &before, 0);

    options.flags = 0;
    options.state_folder = arguments[3];
    SAME("ors_open", open_(&options, &agent, NULL), ORS_OK);
    works("after opening");
    unchanged("while it is open", &before, 2);

    panics();
    own_thread_panics();

    /* A plug-in is unloaded with its threads still running. */
    HOLDS(mapped(real));
    HOLDS(dlclose(library) == 0);
    HOLDS(mapped(real));
    works("after dlclose");
    SAME("ors_close without waiting", close_(agent, 0) == ORS_OK || 1, 1);
    usleep(300000);
    library = load(arguments[1]);
    SAME("ors_open, loaded again", open_(&options, &agent, NULL), ORS_OK);
    works("loaded again");
    panics_closing(before.threads);
    SAME("ors_open, after that", open_(&options, &agent, NULL), ORS_OK);
    works("after a close that panicked");
    SAME("ors_close", close_(agent, ORS_DEFAULT_WAIT), ORS_OK);
    HOLDS(dlclose(library) == 0);
    for (round = 0; round < 500 && look().threads != before.threads; round++)
        usleep(10000);
    unchanged("after closing", &before, 0);
    return 0;
}
