/* deps.c - a Makefile fragment; names are data, so each is escaped and none may end a line. */
#include "run/deps.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"

/* What GNU make takes for something else in a list of names, escaped or not: order-only prerequisites, recipes, patterns,
 * line ends. */
static const char unspeakable[] = "\n\r;|*?[]%";

static void add_name(tg_str *out, const char *name)
{
    for (const char *c = name; *c; c++) {
        if (strchr(" \t#:\\", *c)) tg_str_add(out, "\\");
        if (*c == '$') tg_str_add(out, "$");
        tg_str_add_n(out, c, 1);
    }
}

static void add_names(tg_str *out, tg_context *ctx)
{
    for (int64_t i = 0; ctx->read && i < tg_map_count(ctx->read); i++) {
        int64_t length = 0;
        const char *key = tg_map_key(ctx->read, i, &length);
        tg_str name = {0};
        tg_str_add_n(&name, key, length);
        if (name.failed) {
            out->failed = true;
        } else if (strpbrk(name.data, unspeakable)) {
            tg_log(ctx, TG_LOG_WARN, "--deps leaves out %s: make cannot be told such a name", name.data);
        } else {
            tg_str_add(out, " ");
            add_name(out, name.data);
        }
        tg_str_free(&name);
    }
}

tg_status tg_deps_write(tg_context *ctx, const char *file, const char *target)
{
    if (!file) return TG_OK;
    if (strpbrk(target, unspeakable))
        return tg_fail(TG_EUSAGE, "--deps: make cannot be told of %s; choose an output without any of ; | * ? [ ] %%", target);
    tg_status status = tg_context_spare(ctx, file);
    if (status) return status;
    tg_str text = {0}, all = {0};
    add_names(&all, ctx);
    add_name(&text, target);
    tg_str_add(&text, ":");
    if (all.length) {
        tg_str_add_n(&text, all.data, all.length);
        tg_str_add(&text, "\n");
        tg_str_add_n(&text, all.data + 1, all.length - 1);
        tg_str_add(&text, ":");
    }
    tg_str_add(&text, "\n");
    status = text.failed || all.failed ? TG_ENOMEM : tg_write_file(file, text.data, text.length);
    tg_str_free(&text);
    tg_str_free(&all);
    return status;
}

tg_status tg_deps_write_in(tg_context *ctx, const char *file, const char *folder, const char *name)
{
    char *target = file ? tg_path_join(folder, name) : NULL;
    if (file && !target) return TG_ENOMEM;
    tg_status status = tg_deps_write(ctx, file, target);
    tg_free(target);
    return status;
}
