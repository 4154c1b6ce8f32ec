/* backend_slurm.c - trials as a job array of Slurm. The study's folder is on a file system that the nodes share; there is no
 * daemon of ours and no accounting database: what is over stands in the trials' folders, and squeue says whether more may come.
 *
 * slurm.json names the array before it is submitted, by a job name that is nobody else's. So whoever goes on with the study,
 * wherever gen-tune was killed, finds the array that still runs and waits for it in place of submitting it twice. A second job,
 * behind the array, gathers the results where gen-tune has gone. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/proc.h"
#include "run/tune/wave.h"

enum { MOST_AT_ONCE = 1000, HANGUP = 1, WORDS = 40 };
/* Seconds between two looks: a tenth of the time that we have waited, but neither a busy controller nor an idle user. */
static const double SHORTEST_NAP = 0.2, LONGEST_NAP = 30;
#define NAME "gen-tune-"
#define NEEDS "--backend slurm needs Slurm (sbatch, squeue, scancel), which is not here"

typedef struct array {
    tg_wave wave;
    char name[40];    /* of its jobs: NAME and hexadecimal digits; the gatherer's has a "g" behind it */
    char number[32];  /* Slurm's; "" not known */
    int64_t most;     /* tasks of one array */
    char reason[64];  /* that was told last, why jobs of it wait */
    bool deaf;        /* the controller did not answer last time */
} array;

/* ---- what Slurm says ------------------------------------------------------------------------------------------------- */

/* One of Slurm's programs, whose answer is in backend.log. What people set for their own squeue and scancel would hide jobs from us, or
 * spare them; and an array is what our script says. */
static tg_status ask(array *a, const char *const *argv, int *code)
{
    static const char *const unset[] = {"SQUEUE_ACCOUNT", "SQUEUE_LICENSES", "SQUEUE_PARTITION", "SQUEUE_QOS", "SCANCEL_ACCOUNT",
                                        "SCANCEL_INTERACTIVE", "SCANCEL_PARTITION", "SCANCEL_QOS", "SCANCEL_STATE",
                                        "SCANCEL_WCKEY", "SBATCH_ARRAY_INX", "SBATCH_WAIT"};
    const char *words[WORDS] = {"env"};
    int n = 1;
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++) words[n++] = "-u", words[n++] = unset[i];
    while (*argv && n < WORDS - 1) words[n++] = *argv++;
    return tg_wave_call(&a->wave, words, code);
}

/* For messages. */
static const char *called(const array *a)
{
    return *a->number ? a->number : a->name;
}

/* Ends the study with Slurm's own words. */
static tg_status fail_with(const array *a, const char *what)
{
    char *said = NULL;
    tg_status s = tg_wave_said(&a->wave, &said);
    if (!s) s = tg_fail(TG_EIO, "%s: %.*s", what, (int)strcspn(said, "\n"), *said ? said : "it gives no reason");
    tg_free(said);
    return s;
}

/* States of jobs that will do no more; all others may. */
static bool is_over(const char *state)
{
    static const char *const ended[] = {"BF", "CA", "CD", "DL", "F", "NF", "OOM", "PR", "RV", "TO"};
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
        if (!strcmp(state, ended[i])) return true;
    return false;
}

/* A reason that a person should know of, once; false: a usual one, of which time takes care. */
static bool tell_reason(array *a, const char *reason)
{
    static const char usual[] = " None Resources Priority JobArrayTaskLimit BeginTime ";
    char word[sizeof a->reason + 2];
    snprintf(word, sizeof word, " %s ", reason);
    if (strstr(usual, word)) return false;
    if (strcmp(a->reason, reason) != 0)
        tg_log(a->wave.run->ctx, TG_LOG_WARN, "Slurm lets trials wait: %s (squeue --me says more; scancel %s gives them up)",
               reason, called(a));
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    return true;
}

/* One line of squeue's: "job STATE REASON". */
static void read_line(array *a, const char *line, int64_t length, bool *there, bool *told)
{
    char state[8] = "", reason[sizeof a->reason] = "";
    if (!tg_starts_with(line, "job ")) return; /* a message */
    line += 4, length -= 4;
    const int64_t word = (int64_t)strcspn(line, " \n");
    snprintf(state, sizeof state, "%.*s", (int)word, line);
    if (is_over(state)) return;
    *there = true;
    if (*told || word + 1 >= length) return;
    snprintf(reason, sizeof reason, "%.*s", (int)(length - word - 1), line + word + 1);
    *told = tell_reason(a, reason);
}

/* Whether jobs of the array are in the queue; where nobody answers, they may be. */
static tg_status look_up(array *a, bool *there)
{
    tg_context *ctx = a->wave.run->ctx;
    char name[64], *said = NULL;
    int code = 0;
    bool told = false;
    snprintf(name, sizeof name, "--name=%s", a->name);
    const char *const argv[] = {"squeue", "--me", "--noheader", "--states=all", "--format=job %t %r", name, NULL};
    tg_status s = ask(a, argv, &code);
    if (s) return s;
    if (code != 0 && !a->deaf)
        tg_log(ctx, TG_LOG_WARN, "Slurm does not answer (backend.log has what squeue says); we go on waiting");
    a->deaf = *there = code != 0;
    if (code != 0) return TG_OK;
    s = tg_wave_said(&a->wave, &said);
    for (const char *at = s ? "" : said; *at;) {
        const int64_t length = (int64_t)strcspn(at, "\n");
        read_line(a, at, length, there, &told);
        at += length + (at[length] == '\n');
    }
    tg_free(said);
    return s;
}

/* MaxArraySize is one more than the highest number of a task; where nobody says, Slurm's own default. */
static tg_status ask_size(array *a)
{
    char *said = NULL;
    int code = 0;
    tg_status s = ask(a, (const char *const[]){"scontrol", "show", "config", NULL}, &code);
    if (!s) s = tg_wave_said(&a->wave, &said);
    const char *at = s ? NULL : strstr(said, "MaxArraySize");
    int64_t size = 0;
    if (at) at += strcspn(at, "0123456789\n");
    if (at) tg_parse_int(at, (int64_t)strspn(at, "0123456789"), &size);
    a->most = size > 0 && size < MOST_AT_ONCE ? size : MOST_AT_ONCE;
    tg_free(said);
    return s;
}

/* ---- slurm.json ------------------------------------------------------------------------------------------------------- */

static tg_status remember(const array *a)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "name", a->name);
    tg_json_member_text(&w, "job", *a->number ? a->number : NULL);
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    return tg_wave_put(&a->wave, "slurm.json", &text);
}

static tg_status forget(const array *a)
{
    char *path = tg_path_join(a->wave.run->folder, "slurm.json");
    tg_status s = path ? tg_remove(path) : TG_ENOMEM;
    tg_free(path);
    return s;
}

static bool all_of(const char *text, const char *allowed)
{
    return text && *text && text[strspn(text, allowed)] == '\0';
}

/* The array that an earlier gen-tune left; a->name stays empty where there is none. */
static tg_status recall(array *a)
{
    char *path = tg_path_join(a->wave.run->folder, "slurm.json"), *text = NULL;
    tg_arena *arena = tg_arena_new(4096);
    const tg_json *root = NULL;
    int64_t length = 0;
    tg_status s = path && arena ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) == TG_PATH_FILE) s = tg_file_slurp(path, 1 << 16, &text, &length);
    if (text) s = tg_json_parse(arena, path, text, length, &root);
    const char *name = tg_json_text(root, "name"), *number = tg_json_text(root, "job");
    if (!s && name && strlen(name) < sizeof a->name && tg_starts_with(name, NAME) &&
        all_of(name + strlen(NAME), "0123456789abcdef"))
        snprintf(a->name, sizeof a->name, "%s", name);
    if (!s && all_of(number, "0123456789")) snprintf(a->number, sizeof a->number, "%s", number);
    tg_arena_free(arena);
    tg_free(text);
    tg_free(path);
    return s;
}

/* ---- an array's life -------------------------------------------------------------------------------------------------- */

/* A name that no other job of ours has or had. */
static tg_status choose_name(array *a)
{
    char now[32], hex[17];
    tg_str text = {0};
    tg_wall_time(now);
    tg_str_addf(&text, "%s %s ", a->wave.run->folder, now);
    tg_str_add_real(&text, tg_now());
    const bool failed = text.failed;
    tg_hex64(tg_xxh64_of(text.data, text.length), hex);
    snprintf(a->name, sizeof a->name, NAME "%s", hex);
    tg_str_free(&text);
    return failed ? TG_ENOMEM : TG_OK;
}

/* The script of the trials from base on that are of one array and not over. Not a word of the study is in it. */
static tg_status write_array(const array *a, int64_t base)
{
    const tg_backend_run *r = a->wave.run;
    const char *before = "";
    tg_str text = {0};
    tg_str_add(&text, "#!/bin/sh\n# Of gen-tune search --backend slurm.\n#SBATCH --array=");
    for (int64_t i = 0; i < r->count; i++) {
        if (a->wave.over[i] || r->trials[i] / a->most != base / a->most) continue;
        tg_str_addf(&text, "%s%lld", before, (long long)(r->trials[i] - base));
        before = ",";
    }
    if (r->jobs > 0) tg_str_addf(&text, "%%%lld", (long long)r->jobs);
    tg_str_addf(&text, "\n#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%lld\n",
                (long long)r->threads);
    tg_str_addf(&text, "exec ./gen-tune trial $((SLURM_ARRAY_TASK_ID + %lld)) --threads %lld -q\n", (long long)base,
                (long long)r->threads);
    return tg_wave_put(&a->wave, "array.sh", &text);
}

/* sbatch, behind another job if after is not NULL; the number that Slurm gives it. */
static tg_status submit(array *a, const char *script, const char *name, const char *after, char number[32])
{
    char title[64], wait[64], *said = NULL;
    int code = 0, n = 0;
    const char *argv[8] = {0};
    /* Slurm reads these signs of a folder's name as patterns. */
    const bool plain = !strpbrk(a->wave.run->folder, "\\%");
    snprintf(title, sizeof title, "--job-name=%s", name);
    snprintf(wait, sizeof wait, "--dependency=afterany:%s", after ? after : "");
    argv[n++] = "sbatch", argv[n++] = "--parsable", argv[n++] = title;
    argv[n++] = !plain ? "--output=/dev/null" : after ? "--output=slurm/gather.txt" : "--output=slurm/%A_%a.txt";
    if (after) argv[n++] = wait;
    argv[n] = script;
    tg_status s = ask(a, argv, &code);
    if (!s && code != 0) return fail_with(a, "sbatch takes no job");
    if (!s) s = tg_wave_said(&a->wave, &said);
    for (const char *at = s ? "" : said; *at;) { /* "123" or "123;cluster", among messages */
        const size_t digits = strspn(at, "0123456789"), length = strcspn(at, "\n");
        if (digits > 0 && digits < 32 && (digits == length || at[digits] == ';')) snprintf(number, 32, "%.*s", (int)digits, at);
        at += length + (at[length] == '\n');
    }
    tg_free(said);
    return s;
}

static void cancel(array *a, const char *ending)
{
    char name[64];
    int code = 0;
    snprintf(name, sizeof name, "--name=%s%s", a->name, ending);
    (void)ask(a, (const char *const[]){"scancel", "--quiet", name, NULL}, &code);
}

static bool is_told_to_stop(const array *a)
{
    return tg_cancelled(a->wave.run->ctx) || tg_now() >= a->wave.run->end;
}

/* Until all trials are over, or no job of the array is in the queue, or we are told to stop. */
static tg_status wait_for(array *a)
{
    const double began = tg_now();
    bool there = true;
    tg_status s = TG_OK;
    while (!s && a->wave.left > 0 && !is_told_to_stop(a)) {
        s = look_up(a, &there);
        if (s || !there || a->wave.left == 0) break;
        const double nap = fmin(fmax((tg_now() - began) / 10, SHORTEST_NAP), LONGEST_NAP);
        for (const double until = tg_now() + nap; tg_now() < until && !is_told_to_stop(a);) tg_nap(SHORTEST_NAP / 4);
    }
    return s;
}

/* The study stops: so does the array, unless only its terminal went away. Its name is kept: its trials are saving. */
static tg_status leave(array *a)
{
    tg_context *ctx = a->wave.run->ctx;
    const bool stopped = tg_cancelled(ctx);
    const bool stays = stopped && *ctx->options.cancel == HANGUP;
    if (!stays) cancel(a, "");
    if (!stays) cancel(a, "g");
    tg_log(ctx, TG_LOG_INFO, "Slurm's job %s %s", called(a), stays ? "goes on" : "is cancelled, its trials save");
    return stopped ? tg_fail(TG_ECANCELLED, "stopped; the same command goes on") : TG_OK;
}

/* Waits for the array, and clears up behind it. */
static tg_status see_out(array *a)
{
    tg_status s = wait_for(a);
    if (!s && a->wave.left > 0 && is_told_to_stop(a)) return leave(a);
    if (s) return s;
    cancel(a, "g"); /* we gather ourselves */
    return forget(a);
}

/* Waits for the array of an earlier gen-tune, if there is one. */
static tg_status go_on(array *a)
{
    tg_status s = recall(a);
    if (s || !*a->name) return s;
    tg_log(a->wave.run->ctx, TG_LOG_INFO, "going on with Slurm's job %s", called(a));
    return see_out(a);
}

static tg_status run_array(array *a, int64_t base)
{
    char gatherer[32] = "", name[64];
    tg_status s = choose_name(a);
    *a->number = *a->reason = '\0';
    if (!s) s = write_array(a, base);
    if (!s) s = remember(a);
    if (!s) s = submit(a, "array.sh", a->name, NULL, a->number);
    if (!s) s = remember(a);
    if (s) return s;
    snprintf(name, sizeof name, "%sg", a->name);
    if (submit(a, "gather.sh", name, a->number, gatherer))
        tg_log(a->wave.run->ctx, TG_LOG_WARN, "no job gathers the results if this search is killed: %s", tg_error());
    tg_log(a->wave.run->ctx, TG_LOG_INFO, "Slurm's job %s (squeue --me); Ctrl-C cancels it, a closed terminal does not",
           a->number);
    return see_out(a);
}

/* The first number of the array that the least trial that is not over belongs to, from `from` on; -1: none. */
static int64_t next_base(const array *a, int64_t from)
{
    const tg_wave *w = &a->wave;
    int64_t base = -1;
    for (int64_t i = 0; i < w->run->count; i++) {
        const int64_t own = w->run->trials[i] - w->run->trials[i] % a->most;
        if (!w->over[i] && own >= from && (base < 0 || own < base)) base = own;
    }
    return base;
}

static tg_status prepare(const array *a)
{
    tg_str gather = {0};
    char *logs = tg_path_join(a->wave.run->folder, "slurm");
    tg_status s = logs ? tg_make_folder(logs) : TG_ENOMEM;
    tg_free(logs);
    tg_str_add(&gather, "#!/bin/sh\n# Of gen-tune search --backend slurm: after the array, where gen-tune has gone.\n"
                        "exec ./gen-tune gather\n");
    if (!s) return tg_wave_put(&a->wave, "gather.sh", &gather);
    tg_str_free(&gather);
    return s;
}

static tg_status run(const tg_backend_run *r)
{
    array a = {.most = MOST_AT_ONCE};
    tg_status s = tg_wave_begin(&a.wave, r);
    if (!s) s = tg_wave_needs(&a.wave, "sbatch", "slurm", NEEDS);
    if (!s) s = prepare(&a);
    if (!s) s = go_on(&a);
    if (!s && a.wave.left > 0) s = ask_size(&a);
    for (int64_t base = 0; !s && !is_told_to_stop(&a) && (base = next_base(&a, base)) >= 0; base += a.most)
        s = run_array(&a, base);
    tg_wave_end(&a.wave);
    return s;
}

const tg_backend tg_backend_slurm = {.name = "slurm", .elsewhere = true, .run = run};
