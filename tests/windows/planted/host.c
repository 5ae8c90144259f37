/* A host whose current folder somebody else may write: loads the DLL by its full path, as the C# binding does, and has it do
 * everything that may load more: seal and open a password, take an upload, write, ask.
 *
 *   host ORS.DLL STATE-FOLDER LICENCE-FOLDER KEYS-FILE LICENCE-FILE PLANTED-NAME
 *
 * PLANTED-NAME is a DLL that lies in the current folder and in no system folder. It is asked for by name at the end, to see that a
 * planted DLL would have been loaded from there. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "ors.h"

#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
#define FUNCTIONS(F) F(open) F(close) F(settings_set) F(settings_get) F(install_licence) F(check_licence) F(diagnostics) F(wait)
#define POINTER(name) static __typeof__(&ors_##name) name##_;
FUNCTIONS(POINTER)

static size_t read_file(const char *path, char *to, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t length;
    if (file == NULL)
        FAIL("cannot read %s", path);
    length = fread(to, 1, room - 1, file);
    fclose(file);
    to[length] = 0;
    return length;
}

static void check(const char *what, int32_t code, const ors_error *error)
{
    if (code != ORS_OK)
        FAIL("%s: %d %s %s", what, (int)code, error ? error->where : "", error ? error->message : "");
}

int main(int count, char **arguments)
{
    static char keys[65536], licence[1 << 20], text[1 << 20];
    static const char json[] = "{\"proxy\":{\"password\":\"a password\"},\"language\":\"en\"}";
    ors_options options;
    ors_error error;
    ors_licence_status status;
    ors_install_result result;
    ors_agent agent = 0;
    size_t length;
    int round, opening;
    HMODULE library;

    if (count != 7)
        FAIL("usage: host ORS.DLL STATE-FOLDER LICENCE-FOLDER KEYS-FILE LICENCE-FILE PLANTED-NAME");
    library = LoadLibraryA(arguments[1]);
    if (library == NULL)
        FAIL("%s: error %lu", arguments[1], GetLastError());
#define FIND(name) \
    if ((*(FARPROC *)&name##_ = GetProcAddress(library, "ors_" #name)) == NULL) \
        FAIL("no ors_" #name);
    FUNCTIONS(FIND)
    read_file(arguments[4], keys, sizeof keys);
    length = read_file(arguments[5], licence, sizeof licence);
    ORS_INIT(&options);
    options.product = "prismaprepare";
    options.trusted_keys = keys;
    options.state_folder = arguments[2];
    options.licence_folder = arguments[3];
    for (opening = 0; opening < 2; opening++) {
        ORS_INIT(&error);
        check("ors_open", open_(&options, &agent, &error), &error);
        check("ors_settings_set", settings_set_(agent, json, sizeof json - 1, NULL, 0, &error), &error);
        ORS_INIT(&result);
        check("ors_install_licence", install_licence_(agent, (const uint8_t *)licence, length, NULL, 0, &result, &error), &error);
        ORS_INIT(&status);
        for (round = 0; round < 1000 && status.sequence != 2; round++) {
            wait_(agent, 0, 10, NULL);
            Sleep(10);
            check("ors_check_licence", check_licence_(agent, &status), NULL);
        }
        if (status.state != ORS_LICENCE_VALID || status.sequence != 2)
            FAIL("the licence is not in use: state %u", (unsigned)status.state);
        check("ors_settings_get", settings_get_(agent, text, sizeof text, NULL), NULL);
        if (strstr(text, "\"password\":{\"set\":true}") == NULL)
            FAIL("the password is not set: %s", text);
        check("ors_diagnostics", diagnostics_(agent, text, sizeof text, NULL), NULL);
        check("ors_close", close_(agent, ORS_DEFAULT_WAIT), NULL);
    }
    if (LoadLibraryA(arguments[6]) == NULL)
        FAIL("%s is not loaded from the current folder: this proves nothing", arguments[6]);
    printf("ok   sealed, opened, installed, asked\n");
    return 0;
}
