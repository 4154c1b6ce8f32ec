/*
 * bench.c - bench [-r ROUNDS] [--json FILE] [--bin FOLDER] [WORD...]: measures what WORDs name (all without any), prints
 * tables and writes FILE; FOLDER has the programs, FOLDER-data is made for what they write. bench --compare OLD NEW: ratios of two such files.
 */
#include "bench/bench.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/term.h"

enum { SAMPLE_MS = 30, WARM_MS = 20 /* in which sleeping threads find a core each */ };

static bool has_any_case(const char *text, const char *word)
{
    for (; *text; text++) {
        size_t i = 0;
        while (word[i] && text[i] && (text[i] | 0x20) == (word[i] | 0x20)) i++;
        if (!word[i]) return true;
    }
    return !*word;
}

bool bench_wanted(const bench *b, const char *group, const char *name)
{
    if (!b->words[0]) return true;
    for (char **w = b->words; *w; w++)
        if (has_any_case(group, *w) || has_any_case(name, *w)) return true;
    return false;
}

void bench_add(bench *b, const bench_row *row)
{
    if (!bench_wanted(b, row->group, row->name)) return;
    bench_row *r = b->count < BENCH_ROWS_MOST ? malloc(sizeof *r) : NULL;
    if (!r) abort();
    *r = *row;
    if (r->per_unit == 0) r->per_unit = 1;
    b->rows[b->count++] = r;
}

double bench_rate(void (*run)(void *arg), void *arg, double work)
{
    int64_t calls = 0, batch = 1;
    for (double began = tg_now(); tg_now() < began + WARM_MS * 1e-3;) run(arg);
    const double start = tg_now();
    double seconds = 0;
    for (; seconds < SAMPLE_MS * 1e-3; seconds = tg_now() - start, batch = seconds < SAMPLE_MS * 1e-4 ? 2 * batch : batch) {
        for (int64_t i = 0; i < batch; i++) run(arg);
        calls += batch;
    }
    return work * (double)calls / seconds;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(const double *x, int n)
{
    double sorted[BENCH_ROUNDS_MOST];
    int m = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(x[i])) sorted[m++] = x[i];
    qsort(sorted, (size_t)m, sizeof *sorted, by_value);
    return m ? (sorted[m / 2] + sorted[(m - 1) / 2]) / 2 : NAN;
}

/* A limit is measured once a round for all rows that are shares of it. */
static void measure_round(const bench *b, int first, int round)
{
    struct { const char *name; int threads; double rate; } limits[16];
    int known = 0;
    for (int i = first; i < b->count; i++) {
        bench_row *r = b->rows[i];
        int at = 0;
        r->rate[round] = r->measure(r);
        r->rounds = round + 1;
        r->share[round] = NAN;
        if (!r->limit) continue;
        while (at < known && (strcmp(limits[at].name, r->limit) || limits[at].threads != r->threads)) at++;
        if (at == known && known < 16) {
            limits[at].name = r->limit;
            limits[at].threads = r->threads;
            limits[known++].rate = bench_limit(b, r->limit, r->threads);
        }
        if (at < known) r->share[round] = r->rate[round] * r->per_unit / limits[at].rate;
    }
}

void bench_run(bench *b, const char *title)
{
    int first = b->count;
    while (first > 0 && b->rows[first - 1]->rounds == 0) first--;
    if (first == b->count) return;
    for (int round = 0; round < b->rounds; round++) {
        if (isatty(2)) fprintf(stderr, "\r%s: round %d of %d ", title, round + 1, b->rounds);
        measure_round(b, first, round);
    }
    if (isatty(2)) fprintf(stderr, "\r%60s\r", "");
    bench_print_group(b, first, title);
}

static int fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    return 1;
}

static int measure_all(bench *b, const char *json)
{
    b->cores = tg_default_threads();
    b->threads[0] = 1;
    b->threads[1] = b->cores;
    b->sizes = b->cores > 1 ? 2 : 1;
    for (int i = 0; i < b->sizes; i++)
        if (tg_context_new(&(tg_context_options){.threads = b->threads[i]}, &b->on[i])) return fail(tg_error());
    if (tg_make_folder(b->folder)) return fail(tg_error());
    bench_machine(b);
    bench_products(b);
    bench_kernels(b);
    bench_attention(b);
    bench_codec(b);
    bench_conv(b);
    bench_programs(b);
    bench_transformers(b);
    bench_images(b);
    if (b->count == 0)
        return fail("no group or row has such a word in its name; groups are machine, product, kernel, attention, codec, conv, training, sampling, program");
    if (bench_write(b, json)) return fail(tg_error());
    printf("\n%d rows in %s\n", b->count, json);
    for (int i = 0; i < b->sizes; i++) tg_context_free(b->on[i]);
    for (int i = 0; i < b->count; i++) free(b->rows[i]);
    return 0;
}

int main(int argc, char **argv)
{
    static bench b = {.rounds = 5, .bin = "build/bin"};
    static char folder[512];
    static const char usage[] = "usage: bench [-r ROUNDS] [--json FILE] [--bin FOLDER] [WORD...] | bench --compare OLD NEW";
    const char *json = "build/bench.json";
    int i = 1;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 4 && !strcmp(argv[1], "--compare")) return bench_compare(argv[2], argv[3]) ? fail(tg_error()) : 0;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        int64_t n = 0;
        if (!strcmp(argv[i], "--json")) json = argv[i + 1];
        else if (!strcmp(argv[i], "--bin")) b.bin = argv[i + 1];
        else if (!strcmp(argv[i], "-r") && tg_parse_int(argv[i + 1], (int64_t)strlen(argv[i + 1]), &n) && n > 0 &&
                 n <= BENCH_ROUNDS_MOST)
            b.rounds = (int)n;
        else return fail(usage);
    }
    if (i < argc && argv[i][0] == '-') return fail(usage); /* an option without its value, or --help */
    snprintf(folder, sizeof folder, "%s-data", b.bin);
    b.folder = folder;
    b.words = argv + i;
    return measure_all(&b, json);
}
