/*
 * bench.h - measures rates, ours and other programs', so that they can be compared on a machine whose speed wanders.
 *
 * A row is one thing measured by one side on so many threads. The rows of a group are measured in turn, round after round,
 * together with the limits of the machine that they are shares of; a share or a ratio is taken within a round, and medians
 * over the rounds are what is printed.
 */
#ifndef TG_BENCH_H
#define TG_BENCH_H
#include "base/context.h"

#define BENCH_PACKED ", packed" /* ends the name of a product whose right operand was packed beforehand */

enum { BENCH_ROUNDS_MOST = 25, BENCH_ROWS_MOST = 1000 };

typedef struct bench_row bench_row;
struct bench_row {
    const char *group;
    char name[72];
    const char *side;       /* NULL: ours; else who: "OpenBLAS", "PyTorch" */
    int threads;
    const char *unit;       /* "GFLOP/s", "tokens/s", "ms" */
    bool less_is_better;
    const char *limit;      /* what it is a share of: a name that bench_limit knows; or NULL */
    double per_unit;        /* units of the limit in one of ours (FLOPs a token · 1e-9); 1 where they are the same */
    double (*measure)(bench_row *r); /* one sample, some 30 ms or a run of a program; NaN: not to be had */
    void *arg;
    /* filled in by bench_run */
    double rate[BENCH_ROUNDS_MOST], share[BENCH_ROUNDS_MOST];
    int rounds;
    double peak;            /* most resident bytes of a program; 0: not measured */
};

typedef struct bench {
    int rounds, cores;
    tg_context *on[2];      /* one thread; all cores */
    int threads[2];
    int sizes;              /* 1 where there is but one core */
    const char *bin;        /* folder of the programs */
    const char *folder;     /* for what programs write */
    char **words;           /* what is wanted: groups or parts of names; none: all */
    bench_row *rows[BENCH_ROWS_MOST];
    int count;
} bench;

/* Whether words name this row or its group. */
bool bench_wanted(const bench *b, const char *group, const char *name);
/* Takes down a row for its group's bench_run; a copy. One that is not wanted is passed over. */
void bench_add(bench *b, const bench_row *row);
/* Measures the rows that were added since the last bench_run and prints their table. */
void bench_run(bench *b, const char *title);
/* One sample of a limit of this machine: "fma" in GFLOP/s of the best instruction set, "L1", "L2", "L3", "DRAM" in GB/s read,
 * "triad L3", "update DRAM" and so on; "reading 3136 KiB": so much, over and over, shared by the threads. NaN: no such name. */
double bench_limit(const bench *b, const char *name, int threads);
/* Calls run(arg) for some 30 ms after a first time, and returns work·calls/second. */
double bench_rate(void (*run)(void *arg), void *arg, double work);
double bench_median(const double *x, int n); /* of those that are numbers; NaN: none */

/* The groups; each adds its rows and runs them. */
void bench_machine(bench *b);
void bench_products(bench *b);
void bench_kernels(bench *b);
void bench_attention(bench *b);
void bench_codec(bench *b);
void bench_conv(bench *b);
void bench_programs(bench *b);
void bench_transformers(bench *b);
void bench_images(bench *b);

/* report.c: build/bench.json, and what changed against an older one */
void bench_print_group(const bench *b, int first, const char *title);
tg_status bench_write(const bench *b, const char *path);
tg_status bench_compare(const char *old_path, const char *new_path);

/* child.c: another program that is asked for one sample at a time, so that its threads never disturb another's */
typedef struct bench_child bench_child;
/* OpenBLAS as Debian builds it, for POSIX threads and for OpenMP: which one a peer loads decides whether more threads help it. */
enum { BENCH_BLAS = 2 };
/* With that build of OpenBLAS in its library path, told to use so many threads. NULL: that build is not installed, or the program
 * cannot be started or did not say "ready" on a line of its own. */
bench_child *bench_child_start(const char *const *argv, int blas, int threads);
/* Sends a line and reads the number that it answers; NaN: it ended or said something else. */
double bench_child_ask(bench_child *c, const char *line);
void bench_child_stop(bench_child *c);
/* Runs a program to its end without output on the terminal. Standard output goes to out (room bytes, cut off), the seconds it
 * took to *seconds, those to its first byte to *first (NULL: not asked for). Exit status, or -1. */
int bench_command(const char *const *argv, char *out, int room, double *seconds, double *first);

/* programs.c: the path of a program; a number of the JSON that one printed with --json; so much text of our own making in the
 * folder, collected and prepared (NAME.safetensors) when it is first needed. */
const char *bench_program(const bench *b, const char *name, char out[512]);
double bench_figure(const char *text, const char *key);
void bench_data(const bench *b, const char *name, const char *bytes);
/* How many symbols the text has that models are trained on here: what a peer's head must have, too. 0: there is no text. */
int64_t bench_symbols(const bench *b);

#endif
