/* The context: choice of the instruction set, hooks, cancelling. */
#include "base/context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "test.h"

typedef struct seen {
    char log[256], output[256];
    int progress;
    tg_log_level level;
} seen;

static void on_log(void *user, tg_log_level level, const char *text)
{
    seen *s = user;
    s->level = level;
    strncat(s->log, text, sizeof s->log - strlen(s->log) - 1);
}

static void on_progress(void *user, const tg_progress *p)
{
    ((seen *)user)->progress += p->final ? 100 : 1;
}

static tg_status on_output(void *user, const char *bytes, int64_t count)
{
    seen *s = user;
    if (count > 100) return tg_fail(TG_ECLOSED, "enough");
    strncat(s->output, bytes, (size_t)count);
    return TG_OK;
}

static tg_context *make(tg_context_options o)
{
    tg_context *ctx = NULL;
    CHECK_OK(tg_context_new(&o, &ctx));
    return ctx;
}

TEST(the_best_instruction_set_is_chosen_and_auto_means_the_same)
{
    unsetenv("TG_ISA");
    tg_context *ctx = make((tg_context_options){.threads = 2});
    const char *best = tg_context_isa(ctx);
    CHECK(tg_cpu_has(best));
    CHECK_INT(tg_context_threads(ctx), 2);
#ifdef TG_HAVE_avx512
    CHECK_TEXT(best, tg_cpu_has("avx512") ? "avx512" : tg_cpu_has("avx2") ? "avx2" : "scalar");
#endif
    tg_context_free(ctx);
    setenv("TG_ISA", "auto", 1);
    ctx = make((tg_context_options){.threads = 1});
    CHECK_TEXT(tg_context_isa(ctx), best);
    tg_context_free(ctx);
}

TEST(an_instruction_set_is_forced_by_the_environment_and_by_the_option_first)
{
    setenv("TG_ISA", "scalar", 1);
    tg_context *ctx = make((tg_context_options){.threads = 1});
    CHECK_TEXT(tg_context_isa(ctx), "scalar");
    tg_context_free(ctx);
    setenv("TG_ISA", "nonsense", 1);
    ctx = make((tg_context_options){.threads = 1, .isa = "scalar"});
    CHECK_TEXT(tg_context_isa(ctx), "scalar");
    tg_context_free(ctx);
}

TEST(an_instruction_set_that_is_not_there_is_wrong_usage_and_the_message_lists_those_that_are)
{
    tg_context *ctx = NULL;
    setenv("TG_ISA", "vax", 1);
    CHECK_ERROR(tg_context_new(&(tg_context_options){.threads = 1}, &ctx), TG_EUSAGE, "vax");
    CHECK_ERROR(tg_context_new(&(tg_context_options){.threads = 1}, &ctx), TG_EUSAGE, "scalar");
    if (tg_cpu_has("avx2")) test_has(__FILE__, __LINE__, tg_error(), "avx2, scalar");
    CHECK(ctx == NULL);
#if defined(__x86_64__)
    setenv("TG_ISA", "neon", 1);
    CHECK_ERROR(tg_context_new(&(tg_context_options){.threads = 1}, &ctx), TG_EUSAGE, "neon");
#endif
}

TEST(log_and_output_go_through_the_hooks)
{
    seen s = {0};
    tg_context *ctx =
        make((tg_context_options){.threads = 1, .isa = "scalar", .log = on_log, .output = on_output, .user = &s});
    s = (seen){0};
    tg_log(ctx, TG_LOG_DETAIL, "%d of %s", 3, "four");
    CHECK_TEXT(s.log, "3 of four");
    CHECK_INT(s.level, TG_LOG_DETAIL);
    CHECK_OK(tg_output(ctx, "abc", 2));
    CHECK_TEXT(s.output, "ab");
    char many[200] = "";
    CHECK_ERROR(tg_output(ctx, many, sizeof many), TG_ECLOSED, "enough");
    tg_context_free(ctx);
}

TEST(without_hooks_everything_is_dropped)
{
    tg_context *ctx = make((tg_context_options){.threads = 1});
    tg_log(ctx, TG_LOG_WARN, "nobody hears this");
    tg_report_progress(ctx, &(tg_progress){.what = "x"});
    CHECK_OK(tg_output(ctx, "abc", 3));
    CHECK(!tg_cancelled(ctx));
    tg_context_free(ctx);
    tg_context_free(NULL);
}

TEST(progress_is_thinned_out_but_the_last_report_gets_through)
{
    seen s = {0};
    tg_context *ctx = make((tg_context_options){.threads = 1, .progress = on_progress, .user = &s});
    tg_report_progress(ctx, &(tg_progress){.what = "x"});
    CHECK_INT(s.progress, 1);
    ctx->last_progress += 1000; /* as if the report had just been, however slow this machine is */
    for (int i = 0; i < 50; i++) tg_report_progress(ctx, &(tg_progress){.what = "x"});
    CHECK_INT(s.progress, 1);
    tg_report_progress(ctx, &(tg_progress){.what = "x", .final = true});
    CHECK_INT(s.progress, 101);
    ctx->last_progress = 0; /* long ago */
    tg_report_progress(ctx, &(tg_progress){.what = "x"});
    CHECK_INT(s.progress, 102);
    tg_context_free(ctx);
}

TEST(a_flag_cancels)
{
    volatile int flag = 0;
    tg_context *ctx = make((tg_context_options){.threads = 1, .cancel = &flag});
    CHECK(!tg_cancelled(ctx));
    flag = 15;
    CHECK(tg_cancelled(ctx));
    tg_context_free(ctx);
}

TEST(a_slow_scalar_machine_is_told_of)
{
    seen s = {0};
    tg_context_free(make((tg_context_options){.threads = 1, .isa = "scalar", .log = on_log, .user = &s}));
    CHECK_INT(s.log[0] != '\0', !tg_cpu_has("fma"));
}
