/* host.h: what both example programs need to be the same on Linux and Windows, and nothing of ORS itself:
 * arguments as UTF-8, options by name, a whole file as text. A real host has its own ways for all of these. */
#ifndef HOST_H
#define HOST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#include <shellapi.h>

/* The library takes UTF-8. main()'s argv is in the machine's code page, where a folder named "Žofie" is lost. */
static char **utf8_arguments(int *count)
{
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), count);
    char **all = wide ? calloc((size_t)*count + 1, sizeof *all) : NULL;
    int i;
    for (i = 0; all && i < *count; i++) {
        const int size = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        all[i] = size > 0 ? malloc((size_t)size) : NULL;
        if (!all[i])
            return NULL;
        WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, all[i], size, NULL, NULL);
    }
    LocalFree(wide);
    SetConsoleOutputCP(CP_UTF8);
    return all;
}

static FILE *open_utf8(const char *path)
{
    wchar_t wide[4096];
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, (int)(sizeof wide / sizeof *wide)))
        return NULL;
    return _wfopen(wide, L"rb");
}
#else
static FILE *open_utf8(const char *path)
{
    return fopen(path, "rb");
}
#endif

/* An option of the command line: its name, and where its value goes. */
struct option {
    const char *name;
    const char **value;
    int required;
};

/* Fills the options from `--name value` pairs. 0, or -1 after it has said what is wrong. */
static int read_options(int count, char **arguments, const struct option *options, size_t size)
{
    size_t k;
    int i;
    for (i = 1; i < count; i += 2) {
        for (k = 0; k < size && strcmp(arguments[i], options[k].name) != 0; k++)
            continue;
        if (k == size || *options[k].value != NULL) {
            fprintf(stderr, "%s: %s\n", arguments[i], k == size ? "not an option" : "given twice");
            return -1;
        }
        if (i + 1 == count) {
            fprintf(stderr, "%s: needs a value\n", arguments[i]);
            return -1;
        }
        *options[k].value = arguments[i + 1];
    }
    for (k = 0; k < size; k++) {
        if (options[k].required && *options[k].value == NULL) {
            fprintf(stderr, "%s is required\n", options[k].name);
            return -1;
        }
    }
    return 0;
}

/* A number of an option, `otherwise` when it was not given; -1 after it has said that the text is no number up to `most`. */
static long read_number(const char *name, const char *text, long otherwise, long most)
{
    char *end = NULL;
    long number;
    if (!text)
        return otherwise;
    number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number < 0 || number > most) {
        fprintf(stderr, "%s: not a number from 0 to %ld\n", name, most);
        return -1;
    }
    return number;
}

/* The whole of a small text file, for the caller to free; NULL after it has said why not. */
static char *read_file(const char *path)
{
    const size_t most = 1024 * 1024;
    FILE *file = open_utf8(path);
    char *text = file ? malloc(most + 1) : NULL;
    size_t length = 0;
    int good = 0;
    if (text) {
        length = fread(text, 1, most + 1, file);
        good = !ferror(file) && length <= most && memchr(text, '\0', length) == NULL;
    }
    if (file)
        fclose(file);
    if (!good) {
        fprintf(stderr, "%s: cannot be read, is too long, or is no text\n", path);
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

#endif
