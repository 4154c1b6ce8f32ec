/* near.c - nearly equal pictures. Each is known by the means of its cells; by the two cells that tell most it is looked up in a sorted
 * list, what agrees in these is compared cell by cell, and what agrees in all is compared pixel by pixel. Moved copies are found since
 * each picture is looked up once for each move. Sums are of integers and exact; what follows is division and square roots. */
#include "data/image/near.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/meter.h"
#include "base/sort.h"

enum {
    GRID = 8, CELLS = GRID * GRID, CHANNELS = 3,
    UNIT = 256,             /* of a cell's mean: so many are one deviation */
    APART = UNIT / 8,       /* cells of near pictures */
    MOVE = 1, MOVED_FROM = 16, /* pixels each way; of sides from that on */
    FLAT = 4, LIGHTER = 32, /* levels: the least deviation, the most between two means */
    STEP = 64               /* pictures told at once */
};
static const double CONTRAST = 1.25, TEXTURE = 1.0 / 16;

/* A picture within the border, moved. cells: means of grey, in units of the deviation about the mean. */
typedef struct face { double mean, deviation; int16_t cells[CELLS]; bool flat; } face;

/* A list in the order of a cell's mean in steps of APART, then of another's mean: near pictures are at most a step apart. */
typedef struct entry { int16_t step, second; int32_t image; } entry;

typedef struct near {
    const tg_scratch *data;
    tg_window one, other;
    int64_t C, Y, X, border, high, wide, rows, columns; /* high, wide: within the border; rows, columns: of cells */
    int16_t (*cells)[CELLS]; /* of each picture where it is */
    int64_t *rank;           /* of each, its place in the order */
    entry *list;
    int64_t listed;
    int first, second;       /* the cells that tell most */
} near;

/* ---- what a picture is known by ------------------------------------------------------------------------------------- */

static tg_status pixels_of(const near *n, tg_window *w, int64_t i, const uint8_t **out)
{
    const int64_t size = n->C * n->Y * n->X;
    const char *view;
    tg_status s = tg_scratch_look(n->data, w, i * size, size, &view);
    *out = s ? NULL : (const uint8_t *)view;
    return s;
}

/* Sums over each cell of each channel, [C, rows, columns], and of all squares. */
static int64_t add_up(const near *n, const uint8_t *pixels, int64_t down, int64_t right, int64_t *sums)
{
    int64_t squares = 0;
    memset(sums, 0, sizeof *sums * CHANNELS * CELLS);
    for (int64_t c = 0; c < n->C; c++)
        for (int64_t y = 0; y < n->high; y++) {
            const uint8_t *row = pixels + (c * n->Y + n->border + y + down) * n->X + n->border + right;
            int64_t *cells = sums + (c * n->rows + y * n->rows / n->high) * n->columns;
            for (int64_t k = 0; k < n->columns; k++) {
                const int64_t begin = (k * n->wide + n->columns - 1) / n->columns, end = ((k + 1) * n->wide + n->columns - 1) / n->columns;
                for (int64_t x = begin; x < end; x++) {
                    cells[k] += row[x];
                    squares += row[x] * row[x];
                }
            }
        }
    return squares;
}

/* Pixels of a cell: as many as add_up puts there. */
static int64_t pixels_in(const near *n, int64_t cell)
{
    const int64_t r = cell / n->columns, k = cell % n->columns;
    const int64_t tall = ((r + 1) * n->high + n->rows - 1) / n->rows - (r * n->high + n->rows - 1) / n->rows;
    return tall * (((k + 1) * n->wide + n->columns - 1) / n->columns - (k * n->wide + n->columns - 1) / n->columns);
}

static face face_of(const near *n, const uint8_t *pixels, int64_t down, int64_t right, int64_t *sums)
{
    const int64_t squares = add_up(n, pixels, down, right, sums), each = n->rows * n->columns, count = n->C * n->high * n->wide;
    int64_t sum = 0;
    for (int64_t k = 0; k < n->C * each; k++) sum += sums[k];
    face f = {.mean = (double)sum / (double)count};
    const double variance = ((double)squares - f.mean * (double)sum) / (double)count;
    f.flat = !(variance >= FLAT * FLAT);
    if (f.flat) return f;
    f.deviation = sqrt(variance);
    for (int64_t k = 0; k < each; k++) {
        int64_t grey = 0;
        for (int64_t c = 0; c < n->C; c++) grey += sums[c * each + k];
        f.cells[k] = (int16_t)(((double)grey / (double)(n->C * pixels_in(n, k)) - f.mean) / f.deviation * UNIT);
    }
    return f;
}

/* ---- what tells most ------------------------------------------------------------------------------------------------ */

/* The cell of the largest variance, less what cell `given` tells of it; -1: nothing is given. */
static int telling(const near *n, int given)
{
    double best = -1;
    int out = 0;
    for (int k = 0; k < n->rows * n->columns; k++) {
        double sum[2] = {0}, squares[2] = {0}, products = 0;
        for (int64_t at = 0; at < n->listed; at++) {
            const int16_t *cells = n->cells[n->list[at].image];
            const double x = cells[k], g = given < 0 ? 0 : cells[given];
            sum[0] += x, squares[0] += x * x, sum[1] += g, squares[1] += g * g, products += x * g;
        }
        const double count = (double)n->listed, both = products - sum[0] * sum[1] / count;
        const double of_given = squares[1] - sum[1] * sum[1] / count;
        const double left = squares[0] - sum[0] * sum[0] / count - (of_given > 0 ? both * both / of_given : 0);
        if (left > best) best = left, out = k;
    }
    return out;
}

static int step_of(int mean) { return (mean - INT16_MIN) / APART; }

static int by_step(const void *a, const void *b, void *user)
{
    const entry *x = a, *y = b;
    (void)user;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->second != y->second ? (x->second < y->second ? -1 : 1) : (x->image > y->image) - (x->image < y->image);
}

/* Those that stay so far and are not flat. */
static tg_status make_list(near *n, const int64_t *order, int64_t count, const int64_t *roots, tg_meter *m)
{
    int64_t sums[CHANNELS * CELLS];
    tg_status s = TG_OK;
    for (int64_t k = 0; k < count && !s; k++) {
        const int64_t i = order[k];
        const uint8_t *pixels;
        n->rank[i] = k;
        if (roots[i] == i) s = pixels_of(n, &n->one, i, &pixels);
        if (s || roots[i] != i) continue;
        const face f = face_of(n, pixels, 0, 0, sums);
        memcpy(n->cells[i], f.cells, sizeof f.cells);
        if (!f.flat) n->list[n->listed++].image = (int32_t)i;
        if (k % STEP == 0) s = tg_meter_add(m, 0);
    }
    if (s) return s;
    n->first = telling(n, -1);
    n->second = telling(n, n->first);
    for (int64_t k = 0; k < n->listed; k++) {
        n->list[k].step = (int16_t)step_of(n->cells[n->list[k].image][n->first]);
        n->list[k].second = n->cells[n->list[k].image][n->second];
    }
    entry *scratch = tg_alloc_array(n->listed + 1, sizeof *scratch);
    if (!scratch) return TG_ENOMEM;
    tg_sort(n->list, n->listed, sizeof *n->list, scratch, by_step, NULL);
    tg_free(scratch);
    return TG_OK;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------ */

static bool close_cells(const int16_t *a, const int16_t *b, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        if (a[k] - b[k] > APART || b[k] - a[k] > APART) return false;
    return true;
}

/* Pictures whose grey cells are close; a is moved. */
static bool close_pictures(const near *n, const uint8_t *a, const face *of_a, const int64_t *sums_a, int64_t down, int64_t right,
                           const uint8_t *b)
{
    int64_t sums_b[CHANNELS * CELLS], products = 0;
    const int64_t each = n->rows * n->columns, count = n->C * n->high * n->wide;
    const face of_b = face_of(n, b, 0, 0, sums_b);
    const double ratio = of_a->deviation / of_b.deviation;
    if (fabs(of_a->mean - of_b.mean) > LIGHTER || ratio > CONTRAST || ratio < 1 / CONTRAST) return false;
    for (int64_t k = 0; k < n->C * each; k++) {
        const double in = (double)pixels_in(n, k % each), x = ((double)sums_a[k] / in - of_a->mean) / of_a->deviation;
        if (fabs(x - ((double)sums_b[k] / in - of_b.mean) / of_b.deviation) * UNIT > APART) return false;
    }
    for (int64_t c = 0; c < n->C; c++)
        for (int64_t y = n->border; y < n->border + n->high; y++)
            for (int64_t x = n->border; x < n->border + n->wide; x++)
                products += a[(c * n->Y + y + down) * n->X + x + right] * b[(c * n->Y + y) * n->X + x];
    const double together = ((double)products / (double)count - of_a->mean * of_b.mean) / (of_a->deviation * of_b.deviation);
    return 2 - 2 * together <= TEXTURE; /* the mean square of a - b, each in its deviations */
}

/* The first entry that is not before (step, second). */
static int64_t lower_bound(const near *n, int step, int second)
{
    int64_t low = 0, high = n->listed;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        const entry *e = &n->list[middle];
        if (e->step < step || (e->step == step && e->second < second)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The first of those that stay and come before i, if it is nearly one of them so moved; else what *best was. */
static tg_status look_up(near *n, int64_t i, int64_t down, int64_t right, const int64_t *roots, int64_t *best)
{
    int64_t sums[CHANNELS * CELLS];
    const uint8_t *mine, *other;
    tg_status s = pixels_of(n, &n->one, i, &mine);
    if (s) return s;
    const face f = face_of(n, mine, down, right, sums);
    const int step = step_of(f.cells[n->first]), second = f.cells[n->second];
    for (int beside = -1; beside <= 1 && !f.flat; beside++) {
        const entry *e = n->list + lower_bound(n, step + beside, second - APART), *end = n->list + n->listed;
        for (; e < end && e->step == step + beside && e->second <= second + APART && !s; e++) {
            const int64_t j = e->image;
            if (n->rank[j] >= n->rank[*best] || roots[j] != j) continue;
            if (!close_cells(f.cells, n->cells[j], n->rows * n->columns)) continue;
            s = pixels_of(n, &n->other, j, &other);
            if (!s && close_pictures(n, mine, &f, sums, down, right, other)) *best = j;
        }
    }
    return s;
}

static tg_status look_all_up(near *n, const int64_t *order, int64_t count, int64_t *roots, tg_meter *m)
{
    tg_status s = TG_OK;
    for (int64_t k = 0; k < count && !s; k++) {
        const int64_t i = order[k];
        int64_t best = i;
        for (int64_t down = -n->border; down <= n->border && !s && roots[i] == i; down++)
            for (int64_t right = -n->border; right <= n->border && !s; right++) s = look_up(n, i, down, right, roots, &best);
        roots[i] = roots[i] == i ? best : roots[roots[i]];
        if (!s && (k % STEP == STEP - 1 || k == count - 1)) s = tg_meter_add(m, k % STEP + 1);
    }
    return s;
}

tg_status tg_image_near(tg_context *ctx, const tg_scratch *data, const int64_t dims[3], const int64_t *order, int64_t count,
                        int64_t *roots)
{
    near n = {.data = data, .C = dims[0], .Y = dims[1], .X = dims[2]};
    if (count > TG_NEAR_IMAGES)
        return tg_fail(TG_EINVAL, "%" PRId64 " images are more than the %d whose likeness is searched; find only equal ones "
                       "(--dedupe exact)", count, (int)TG_NEAR_IMAGES);
    n.border = n.Y >= MOVED_FROM && n.X >= MOVED_FROM ? MOVE : 0;
    n.high = n.Y - 2 * n.border;
    n.wide = n.X - 2 * n.border;
    n.rows = n.high < GRID ? n.high : GRID;
    n.columns = n.wide < GRID ? n.wide : GRID;
    n.cells = tg_alloc_array(count + 1, sizeof *n.cells);
    n.rank = tg_alloc_array(count + 1, sizeof *n.rank);
    n.list = tg_alloc_array(count + 1, sizeof *n.list);
    tg_meter m = tg_meter_start(ctx, "find nearly equal ones", "images", count);
    tg_status s = n.cells && n.rank && n.list ? make_list(&n, order, count, roots, &m) : TG_ENOMEM;
    if (!s) s = look_all_up(&n, order, count, roots, &m);
    tg_meter_end(&m);
    tg_window_free(&n.one);
    tg_window_free(&n.other);
    tg_free(n.list);
    tg_free(n.rank);
    tg_free(n.cells);
    return s;
}
