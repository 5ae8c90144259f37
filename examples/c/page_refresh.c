/* page_refresh: what a web tier does on every page, on the console.
 *
 *   page_refresh --licence-folder DIR --product NAME --keys FILE --state-folder DIR
 *                [--pages N] [--wait-ms N] [--language TAG] [--acknowledge NAME]
 *
 * Shows N pages (default 1). Between two pages it waits until something changes, --wait-ms at most (default 1000). With
 * --acknowledge, the user NAME has read the announcement that a page shows. Exit code 0; 1 when a call failed; 3 when called wrongly.
 *
 * Build: cc page_refresh.c -lors.
 */
#include "ors.h"

#include "host.h"

static const char usage[] =
    "usage: page_refresh --licence-folder DIR --product NAME --keys FILE --state-folder DIR\n"
    "                    [--pages N] [--wait-ms N] [--language TAG] [--acknowledge NAME]\n";

/* Most urgent first: the order in which a page shows its banners. */
static const struct {
    uint32_t bit;
    const char *name;
} notices[] = {
    {ORS_NOTICE_NO_LICENCE, "no-licence"},
    {ORS_NOTICE_LICENCE_EXPIRED, "licence-expired"},
    {ORS_NOTICE_ASSISTANCE_REQUESTED, "assistance-requested"},
    {ORS_NOTICE_ASSISTANCE_ACTIVE, "assistance-active"},
    {ORS_NOTICE_CLOCK_WRONG, "clock-wrong"},
    {ORS_NOTICE_LICENCE_EXPIRING, "licence-expiring"},
    {ORS_NOTICE_MAINTENANCE_EXPIRED, "maintenance-expired"},
    {ORS_NOTICE_MAINTENANCE_EXPIRING, "maintenance-expiring"},
    {ORS_NOTICE_MANUAL_COPY, "manual-copy"},
    {ORS_NOTICE_SERVICE_UNREACHABLE, "service-unreachable"},
    {ORS_NOTICE_NEW_FEATURES, "new-features"},
};

static const char *state_name(uint32_t state)
{
    static const char *const names[] = {"unknown", "valid", "expired", "missing", "refused"};
    return state < sizeof names / sizeof *names ? names[state] : "unknown";
}

static int failed(const char *what, int32_t code)
{
    char sentence[512] = "";
    size_t needed = 0;
    if (ors_error_text(code, NULL, 0, sentence, sizeof sentence, &needed) != ORS_OK)
        sentence[0] = '\0';
    fprintf(stderr, "%s: %ld %s\n", what, (long)code, sentence);
    return 1;
}

static int opened_badly(const ors_error *error)
{
    fprintf(stderr, "ors_open: %ld %s: %s\n", (long)error->code, error->where, error->message);
    return 1;
}

/* One page. The login form asks ors_check_licence, every page after it ors_notify_status. */
static int show_page(ors_agent agent, long number, const char *language, uint64_t *revision, uint64_t *announcement)
{
    ors_notice_status status;
    char sentence[4096];
    size_t needed = 0;
    size_t k;
    int32_t code;

    ORS_INIT(&status);
    code = ors_notify_status(agent, &status);
    if (code != ORS_OK)
        return failed("ors_notify_status", code);
    printf("page %ld: licence to %ld, maintenance to %ld, users %lu, announcement %llu\n", number, (long)status.licence_last_day,
           (long)status.maintenance_last_day, (unsigned long)status.users, (unsigned long long)status.announcement);
    for (k = 0; k < sizeof notices / sizeof *notices; k++) {
        if (!(status.notices & notices[k].bit))
            continue;
        code = ors_notice_text(agent, &status, notices[k].bit, language, ORS_NTS, sentence, sizeof sentence, &needed);
        /* Stale: what the banner is about has gone since the line above. The next page knows. */
        if (code == ORS_OK)
            printf("  %s: %s\n", notices[k].name, sentence);
        else if (code != ORS_E_STALE)
            return failed("ors_notice_text", code);
    }
    fflush(stdout);
    *revision = status.revision;
    *announcement = status.announcement;
    return 0;
}

static int show_pages(ors_agent agent, long pages, uint32_t wait_ms, const char *language, const char *reader)
{
    ors_licence_status login;
    ors_error error;
    uint64_t revision = 0, announcement = 0;
    int32_t code;
    long page;

    ORS_INIT(&login);
    code = ors_check_licence(agent, &login);
    if (code != ORS_OK)
        return failed("ors_check_licence", code);
    printf("login: licence %s, sequence %llu, reason %ld\n", state_name(login.state), (unsigned long long)login.sequence,
           (long)login.reason);

    for (page = 1; page <= pages; page++) {
        if (page > 1) {
            code = ors_wait(agent, revision, wait_ms, &revision);
            if (code != ORS_OK && code != ORS_E_TIMEOUT)
                return failed("ors_wait", code);
        }
        if (show_page(agent, page, language, &revision, &announcement) != 0)
            return 1;
        if (reader && announcement != 0) {
            ORS_INIT(&error);
            code = ors_acknowledge(agent, announcement, reader, ORS_NTS, &error);
            if (code != ORS_OK)
                return failed("ors_acknowledge", code);
            printf("  acknowledged %llu by %s\n", (unsigned long long)announcement, reader);
        }
    }
    return 0;
}

static int run(int count, char **arguments)
{
    const char *folder = NULL, *product = NULL, *keys = NULL, *state = NULL, *pages = NULL, *wait = NULL, *language = NULL,
               *reader = NULL;
    const struct option options_known[] = {
        {"--licence-folder", &folder, 1}, {"--product", &product, 1}, {"--keys", &keys, 1},
        {"--state-folder", &state, 1},    {"--pages", &pages, 0},     {"--wait-ms", &wait, 0},
        {"--language", &language, 0},     {"--acknowledge", &reader, 0},
    };
    ors_options options;
    ors_error error;
    ors_agent agent = 0;
    char *trusted;
    long page_count, wait_ms;
    int32_t code;
    int result;

    if (!arguments || read_options(count, arguments, options_known, sizeof options_known / sizeof *options_known) != 0) {
        fputs(usage, stderr);
        return 3;
    }
    page_count = read_number("--pages", pages, 1, 1000000);
    wait_ms = read_number("--wait-ms", wait, 1000, 600000);
    trusted = page_count < 0 || wait_ms < 0 ? NULL : read_file(keys);
    if (!trusted)
        return 3;
    if (ors_abi_version() >> 16 != ORS_ABI_VERSION >> 16) {
        fprintf(stderr, "this program was built for another generation of the library\n");
        free(trusted);
        return 1;
    }

    ORS_INIT(&options);
    ORS_INIT(&error);
    options.state_folder = state;
    options.product = product;
    options.trusted_keys = trusted;
    options.licence_folder = folder;
    code = ors_open(&options, &agent, &error);
    free(trusted); /* the library keeps nothing of ours */
    if (code != ORS_OK)
        return opened_badly(&error);

    result = show_pages(agent, page_count, (uint32_t)wait_ms, language, reader);
    code = ors_close(agent, ORS_DEFAULT_WAIT);
    return code == ORS_OK ? result : failed("ors_close", code);
}

int main(int argc, char **argv)
{
#if defined(_WIN32)
    argv = utf8_arguments(&argc);
#endif
    return run(argc, argv);
}
