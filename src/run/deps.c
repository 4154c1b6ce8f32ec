/* deps.c - a Makefile fragment; names are data, so each is escaped and none may end a line. */
#include "run/deps.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"

static void add_name(tg_str *out, const char *name)
{
    for (const char *c = name; *c; c++) {
        if (strchr(" \t#%:\\", *c)) tg_str_add(out, "\\");
        if (*c == '$') tg_str_add(out, "$");
        tg_str_add_n(out, c, 1);
    }
}

static void add_names(tg_str *out, const char *const *names, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (strpbrk(names[i], "\n\r") || strcmp(names[i], "-") == 0) continue;
        tg_str_add(out, " ");
        add_name(out, names[i]);
    }
}

tg_status tg_deps_write(const char *file, const char *target, const char *const *names, int64_t count)
{
    if (!file) return TG_OK;
    tg_str text = {0}, all = {0};
    add_names(&all, names, count);
    add_name(&text, target);
    tg_str_add(&text, ":");
    if (all.length) {
        tg_str_add_n(&text, all.data, all.length);
        tg_str_add(&text, "\n");
        tg_str_add_n(&text, all.data + 1, all.length - 1);
        tg_str_add(&text, ":");
    }
    tg_str_add(&text, "\n");
    tg_status status = text.failed || all.failed ? TG_ENOMEM : tg_write_file(file, text.data, text.length);
    tg_str_free(&text);
    tg_str_free(&all);
    return status;
}
