/* context.c - one per program: the pool, the chosen instruction set, the hooks and the cancel flag. */
#include "base/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/str.h"

/* What was built, best first. */
static const char *const isas[] = {
#ifdef TG_HAVE_avx512
    "avx512",
#endif
#ifdef TG_HAVE_avx2
    "avx2",
#endif
#ifdef TG_HAVE_neon
    "neon",
#endif
    "scalar",
};
enum { ISAS = sizeof isas / sizeof *isas };

/* NULL or "auto": the best. */
static tg_status choose_isa(const char *wanted, const char **out)
{
    tg_str have = {0};
    const char *found = NULL;
    bool best = !wanted || !*wanted || strcmp(wanted, "auto") == 0;
    for (int i = 0; i < ISAS && !found; i++) {
        if (!tg_cpu_has(isas[i])) continue;
        if (best || strcmp(wanted, isas[i]) == 0) found = isas[i];
        tg_str_addf(&have, "%s%s", isas[i], i < ISAS - 1 ? ", " : "");
    }
    tg_status s = TG_OK;
    if (found) *out = found;
    else if (have.failed) s = TG_ENOMEM;
    else s = tg_fail(TG_EUSAGE, "instruction set %s (TG_ISA): this machine has %s; or use auto", wanted, have.data);
    tg_str_free(&have);
    return s;
}

tg_status tg_context_new(const tg_context_options *options, tg_context **out)
{
    tg_context *ctx = tg_alloc(sizeof *ctx);
    if (!ctx) return TG_ENOMEM;
    ctx->options = *options;
    ctx->last_progress = -1;
    int64_t l1, l3;
    tg_cpu_caches(&l1, &ctx->l2, &l3);
    tg_status s = choose_isa(options->isa ? options->isa : getenv("TG_ISA"), &ctx->isa);
    if (!s) s = tg_pool_new(options->threads > 0 ? options->threads : tg_default_threads(), &ctx->pool);
    if (s) {
        tg_context_free(ctx);
        return s;
    }
    if (strcmp(ctx->isa, "scalar") == 0 && !tg_cpu_has("fma"))
        tg_log(ctx, TG_LOG_WARN, "this CPU has no fused multiply-add: it is worked out in software, exact but slow");
    *out = ctx;
    return TG_OK;
}

void tg_context_free(tg_context *ctx)
{
    if (!ctx) return;
    tg_pool_free(ctx->pool);
    tg_map_free(ctx->read);
    tg_free(ctx);
}

tg_status tg_context_read(tg_context *ctx, const char *path)
{
    if (!ctx || strcmp(path, "-") == 0) return TG_OK;
    if (!ctx->read) ctx->read = tg_map_new();
    return ctx->read && tg_map_add(ctx->read, path, (int64_t)strlen(path)) >= 0 ? TG_OK : TG_ENOMEM;
}

tg_status tg_context_spare(const tg_context *ctx, const char *output)
{
    tg_status s = TG_OK;
    for (int64_t i = 0; output && ctx && ctx->read && i < tg_map_count(ctx->read) && !s; i++) {
        int64_t length = 0;
        const char *key = tg_map_key(ctx->read, i, &length);
        tg_str name = {0};
        tg_str_add_n(&name, key, length);
        if (name.failed) s = TG_ENOMEM;
        else if (tg_path_same(name.data, output)) s = tg_fail(TG_EUSAGE, "%s is read here; give the output another name", output);
        tg_str_free(&name);
    }
    return s;
}

int tg_context_threads(const tg_context *ctx)
{
    return tg_pool_threads(ctx->pool);
}

const char *tg_context_isa(const tg_context *ctx)
{
    return ctx->isa;
}

bool tg_cancelled(const tg_context *ctx)
{
    return ctx && ctx->options.cancel && *ctx->options.cancel != 0;
}

void tg_log(tg_context *ctx, tg_log_level level, const char *format, ...)
{
    if (!ctx || !ctx->options.log) return;
    /* A fixed buffer: logging cannot fail and does not count as an allocation of a training step. */
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ctx->options.log(ctx->options.user, level, line);
}

tg_status tg_output(tg_context *ctx, const char *bytes, int64_t count)
{
    if (!ctx || !ctx->options.output || count <= 0) return TG_OK;
    return ctx->options.output(ctx->options.user, bytes, count);
}

void tg_report_progress(tg_context *ctx, const tg_progress *p)
{
    if (!ctx || !ctx->options.progress) return;
    double now = tg_now();
    if (!p->final && ctx->last_progress >= 0 && now - ctx->last_progress < 0.1) return;
    ctx->last_progress = now;
    ctx->options.progress(ctx->options.user, p);
}
