/* report.c - the tables of a run, its file for machines, and what changed against an older file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/bench.h"

static bool is_packed(const bench_row *r)
{
    return strstr(r->name, BENCH_PACKED) != NULL;
}

/* What a peer is measured at beside one of our rows: the same name, whether we packed an operand beforehand or not. A program
 * that trains slower on two threads than on one is run on one: there, peers compete with as many or fewer. */
static bool same(const bench_row *peer, const bench_row *ours)
{
    const size_t length = strlen(ours->name) - (is_packed(ours) ? strlen(BENCH_PACKED) : 0);
    return strlen(peer->name) == length && !strncmp(peer->name, ours->name, length) && !strcmp(peer->group, ours->group) &&
           (peer->threads == ours->threads || (peer->threads < ours->threads && !strcmp(ours->group, "training")));
}

/* Median distance from the median, in per cent of it: the spread that is printed. */
static double spread(const bench_row *r)
{
    double off[BENCH_ROUNDS_MOST];
    const double middle = bench_median(r->rate, r->rounds);
    for (int i = 0; i < r->rounds; i++) off[i] = fabs(r->rate[i] / middle - 1) * 100;
    return bench_median(off, r->rounds);
}

static const char *number(char out[24], double x)
{
    if (isnan(x)) snprintf(out, 24, "-");
    else snprintf(out, 24, x < 10 ? "%.2f" : x < 1000 ? "%.1f" : "%.0f", x);
    return out;
}

/* The best of the other sides, each by its median; NULL: none. */
static const bench_row *best_peer(const bench *b, const bench_row *ours, int first)
{
    const bench_row *best = NULL;
    for (int i = first; i < b->count; i++) {
        const bench_row *r = b->rows[i];
        const double m = bench_median(r->rate, r->rounds);
        if (!r->side || !same(r, ours) || isnan(m)) continue;
        if (!best || (m > bench_median(best->rate, best->rounds)) != r->less_is_better) best = r;
    }
    return best;
}

/* Ours over theirs within each round; above 1 we are faster. */
static double ratio(const bench_row *ours, const bench_row *peer)
{
    double each[BENCH_ROUNDS_MOST];
    for (int i = 0; i < ours->rounds; i++)
        each[i] = ours->less_is_better ? peer->rate[i] / ours->rate[i] : ours->rate[i] / peer->rate[i];
    return bench_median(each, ours->rounds);
}

static void print_row(const bench *b, const bench_row *r, int first)
{
    char a[24], c[24];
    const bench_row *peer = best_peer(b, r, first);
    const double share = bench_median(r->share, r->rounds);
    printf("  %-52s %2d  %8s %-9s %3.0f %%", r->name, r->threads, number(a, bench_median(r->rate, r->rounds)), r->unit, spread(r));
    if (r->limit) printf("  %3.0f %% of %s", share * 100, r->limit);
    if (r->peak > 0) printf("  %.0f MiB", r->peak / 1048576);
    if (peer) printf("  %s %s: %.2fx", peer->side, number(c, bench_median(peer->rate, peer->rounds)), ratio(r, peer));
    printf("\n");
}

/* Ours without and with operands packed beforehand: [0] rows as given, [1] as the models run them, with weights packed. */
typedef struct mean { double logs; int rows; } mean;

static void add_ratio(const bench *b, int first, const bench_row *r, const bench_row *peer, mean means[2])
{
    bool other = false; /* the same shape is there packed as well */
    for (int i = first; i < b->count; i++)
        other = other || (is_packed(b->rows[i]) && b->rows[i]->threads == r->threads && same(r, b->rows[i]));
    const double x = log(ratio(r, peer));
    if (!is_packed(r)) means[0].logs += x, means[0].rows++;
    if (is_packed(r) || !other) means[1].logs += x, means[1].rows++;
}

static void print_means(const bench *b, int s, const mean means[2])
{
    if (means[0].rows < 2) return;
    printf("  geometric mean of the ratios on %d: %.2fx over %d rows", b->threads[s], exp(means[0].logs / means[0].rows), means[0].rows);
    if (means[1].logs < means[0].logs || means[1].logs > means[0].logs)
        printf("; %.2fx with weights packed as the models keep them", exp(means[1].logs / means[1].rows));
    printf("\n");
}

void bench_print_group(const bench *b, int first, const char *title)
{
    mean means[2][2] = {{{0}}};
    printf("\n%s (median of %d, its usual distance from it; threads)\n", title, b->rows[first]->rounds);
    for (int i = first; i < b->count; i++) {
        const bench_row *r = b->rows[i], *peer = best_peer(b, r, first);
        if (r->side) continue;
        print_row(b, r, first);
        if (peer) add_ratio(b, first, r, peer, means[r->threads > 1]);
    }
    for (int s = 0; s < b->sizes; s++) print_means(b, s, means[s]);
}

/* ---- for machines ------------------------------------------------------------------------------------------------- */

static void put_row(tg_json_writer *w, const bench_row *r)
{
    double low = NAN, high = NAN;
    for (int i = 0; i < r->rounds; i++) {
        if (isnan(r->rate[i])) continue;
        if (!(low <= r->rate[i])) low = r->rate[i];
        if (!(high >= r->rate[i])) high = r->rate[i];
    }
    tg_json_open(w, '{');
    tg_json_member_text(w, "group", r->group);
    tg_json_member_text(w, "name", r->name);
    tg_json_member_text(w, "side", r->side ? r->side : "tinygen");
    tg_json_member_int(w, "threads", r->threads);
    tg_json_member_text(w, "unit", r->unit);
    tg_json_key(w, "less_is_better");
    tg_json_put_bool(w, r->less_is_better);
    tg_json_member_real(w, "median", bench_median(r->rate, r->rounds));
    tg_json_member_real(w, "low", low);
    tg_json_member_real(w, "high", high);
    tg_json_member_int(w, "rounds", r->rounds);
    if (r->peak > 0) tg_json_member_real(w, "peak_bytes", r->peak);
    if (r->limit) tg_json_member_text(w, "limit", r->limit);
    if (r->limit) tg_json_member_real(w, "share", bench_median(r->share, r->rounds));
    tg_json_close(w, '}');
}

tg_status bench_write(const bench *b, const char *path)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "version", TG_VERSION);
    tg_json_member_text(&w, "isa", tg_context_isa(b->on[0]));
    tg_json_member_int(&w, "cores", b->cores);
    tg_json_member_text(&w, "compiler", __VERSION__);
    tg_json_key(&w, "rows");
    tg_json_open(&w, '[');
    for (int i = 0; i < b->count; i++) put_row(&w, b->rows[i]);
    tg_json_close(&w, ']');
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    tg_status s = text.failed ? TG_ENOMEM : tg_write_file(path, text.data, text.length);
    tg_str_free(&text);
    return s;
}

static tg_status read_rows(tg_arena *a, const char *path, const tg_json **rows)
{
    char *text = NULL;
    int64_t length = 0;
    const tg_json *root = NULL;
    tg_status s = tg_file_slurp(path, 64 << 20, &text, &length);
    if (!s) s = tg_json_parse(a, path, text, length, &root);
    tg_free(text);
    if (s) return s;
    *rows = tg_json_get(root, "rows");
    return *rows && (*rows)->type == TG_JSON_ARRAY ? TG_OK : tg_fail(TG_EFORMAT, "%s: no rows; make bench writes such a file", path);
}

static bool same_text(const tg_json *a, const tg_json *b, const char *key)
{
    const char *x = tg_json_text(a, key), *y = tg_json_text(b, key);
    return x && y && !strcmp(x, y);
}

static const tg_json *find_row(const tg_json *rows, const tg_json *like)
{
    int64_t threads = 0, other = 0;
    tg_json_int(like, "threads", &threads);
    for (const tg_json *r = rows->child; r; r = r->next)
        if (same_text(r, like, "group") && same_text(r, like, "name") && same_text(r, like, "side") &&
            same_text(r, like, "unit") && tg_json_int(r, "threads", &other) && other == threads)
            return r;
    return NULL;
}

/* One line for a row that both have; its speed-up, or NaN. A change counts where the two ranges do not touch. */
static double compare_row(const tg_json *was, const tg_json *is)
{
    double m[2], low[2], high[2];
    const tg_json *const both[2] = {was, is};
    int64_t threads = 0;
    for (int i = 0; i < 2; i++)
        if (!tg_json_real(both[i], "median", &m[i]) || !tg_json_real(both[i], "low", &low[i]) ||
            !tg_json_real(both[i], "high", &high[i]) || !(m[i] > 0))
            return NAN;
    const tg_json *less = tg_json_get(is, "less_is_better");
    const double faster = less && less->integer ? m[0] / m[1] : m[1] / m[0];
    const bool apart = low[1] > high[0] || low[0] > high[1];
    tg_json_int(is, "threads", &threads);
    printf("  %-9s %-52s %2d  %10.4g -> %10.4g %-9s %.2fx%s\n", tg_json_text(is, "group"), tg_json_text(is, "name"),
           (int)threads, m[0], m[1], tg_json_text(is, "unit"), faster, !apart ? "" : faster < 1 ? "  SLOWER" : "  faster");
    return faster;
}

tg_status bench_compare(const char *old_path, const char *new_path)
{
    const tg_json *was = NULL, *is = NULL;
    double log_sum = 0;
    int rows = 0;
    tg_arena *a = tg_arena_new(1 << 20);
    tg_status s = a ? read_rows(a, old_path, &was) : TG_ENOMEM;
    if (!s) s = read_rows(a, new_path, &is);
    for (const tg_json *r = s ? NULL : is->child; r; r = r->next) {
        const char *side = tg_json_text(r, "side");
        const tg_json *before = side && !strcmp(side, "tinygen") ? find_row(was, r) : NULL;
        const double faster = before ? compare_row(before, r) : NAN;
        if (!isnan(faster)) log_sum += log(faster), rows++;
    }
    if (!s) printf("%d rows in both; geometric mean %.3fx\n", rows, rows ? exp(log_sum / rows) : 1.0);
    tg_arena_free(a);
    return s;
}
