/* check_update: may this customer install this update? For installers that start a program rather than load a library.
 *
 *   check_update --licence-folder DIR --product NAME --keys FILE --release-date 2026-12-01
 *                [--state-folder DIR] [--language TAG] [--timeout-ms N]
 *
 * DIR may also be one licence file. FILE holds the keys that the product trusts, as lines "role key-id base64".
 * Prints the verdict in words. Exit code:
 *
 *   0  allowed: install it
 *   1  not entitled: the licence has expired, or the release is younger than the maintenance contract
 *   2  cannot tell: no readable licence, or a clock in doubt. Allow a repair; ask for a licence before an upgrade.
 *   3  called wrongly (an option, the keys, the date): nothing is known about the licence
 *
 * Build: cc check_update.c -lors. Nothing has to run beforehand, and no network is used.
 */
#include "ors.h"

#include "host.h"

enum { ALLOWED = 0, NOT_ENTITLED = 1, CANNOT_TELL = 2, CALLED_WRONGLY = 3 };

static const char usage[] =
    "usage: check_update --licence-folder DIR --product NAME --keys FILE --release-date YYYY-MM-DD\n"
    "                    [--state-folder DIR] [--language TAG] [--timeout-ms N]\n";

static int check(ors_update_query *query, const char *language)
{
    ors_update_verdict verdict;
    ors_error error;
    char sentence[4096];
    size_t needed = 0;
    int32_t code;

    ORS_INIT(&verdict);
    ORS_INIT(&error);
    code = ors_check_update(query, &verdict, &error);
    if (code != ORS_OK) {
        fprintf(stderr, "%s: %s (%ld)\n", error.where[0] ? error.where : "check_update", error.message, (long)code);
        return CALLED_WRONGLY;
    }
    if (ors_update_text(&verdict, language, ORS_NTS, sentence, sizeof sentence, &needed) != ORS_OK)
        sentence[0] = '\0';
    printf("%s\n", sentence);
    /* What exactly was found at the customer's: which file, which folder. */
    if (error.message[0])
        printf("%s\n", error.message);
    switch (verdict.verdict) {
    case 1:
        return ALLOWED;
    case -1:
        return NOT_ENTITLED;
    default:
        return CANNOT_TELL;
    }
}

static int run(int count, char **arguments)
{
    const char *folder = NULL, *product = NULL, *keys = NULL, *date = NULL, *state = NULL, *language = NULL, *timeout = NULL;
    const struct option options[] = {
        {"--licence-folder", &folder, 1}, {"--product", &product, 1},    {"--keys", &keys, 1},
        {"--release-date", &date, 1},     {"--state-folder", &state, 0}, {"--language", &language, 0},
        {"--timeout-ms", &timeout, 0},
    };
    ors_update_query query;
    char *trusted;
    long milliseconds;
    int result;

    if (!arguments || read_options(count, arguments, options, sizeof options / sizeof *options) != 0) {
        fputs(usage, stderr);
        return CALLED_WRONGLY;
    }
    milliseconds = read_number("--timeout-ms", timeout, 0, 600000);
    trusted = milliseconds < 0 ? NULL : read_file(keys);
    if (!trusted)
        return CALLED_WRONGLY;

    ORS_INIT(&query);
    query.timeout_ms = (uint32_t)milliseconds;
    query.licence_folder = folder;
    query.product = product;
    query.trusted_keys = trusted;
    query.release_date = date;
    query.state_folder = state;
    result = check(&query, language);
    free(trusted);
    return result;
}

int main(int argc, char **argv)
{
#if defined(_WIN32)
    argv = utf8_arguments(&argc);
#endif
    return run(argc, argv);
}
