/* source_samples.c - images, IDX files, tables of numbers: told by what is in them, packed by gzip or not. Images are decoded here
 * already, so that a damaged one is known by its name. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/key.h"
#include "data/codec/gzip.h"
#include "data/codec/idx.h"
#include "data/image/image.h"
#include "data/numbers.h"
#include "data/source_parts.h"
#include "data/synth.h"

enum { LOOK = 1 << 16 /* bytes of a file that tell what it is */, MOST_PIXELS = 1 << 28, MOST_UNPACKED = 1 << 30 };

/* What a file is, by its beginning. */
typedef enum what { A_TEXT, AN_IMAGE, AN_IDX, A_TABLE, FOREIGN } what;

struct tg_waiting {
    tg_waiting *before;
    tg_scratch *bytes;
    char *origin, *label, *licence;
    const char *split; /* static */
    tg_idx idx;        /* without data */
    bool used;         /* labels that have found their images */
};

/* ---- telling apart ------------------------------------------------------------------------------------------------ */

static bool begins(const char *bytes, int64_t length, const char *magic, int64_t n)
{
    return length >= n && !memcmp(bytes, magic, (size_t)n);
}

/* A text may begin with P and a digit; behind an image's there is a size, or a comment. */
static bool is_image(const char *b, int64_t n)
{
    if (!tg_image_known((const uint8_t *)b, n)) return false;
    if (b[0] != 'P') return true;
    int64_t at = 2;
    while (at < n && strchr(" \t\r\n", b[at]) && b[at]) at++;
    return at > 2 && at < n && (b[at] == '#' || (b[at] >= '0' && b[at] <= '9'));
}

/* Formats that people have, and that are not read. */
static const char *foreign_name(const char *b, int64_t n)
{
    return begins(b, n, "\xff\xd8\xff", 3) ? "a JPEG image" : begins(b, n, "GIF8", 4) ? "a GIF image"
           : n >= 12 && begins(b, n, "RIFF", 4) && !memcmp(b + 8, "WEBP", 4) ? "a WebP image" : NULL;
}

static tg_status head(tg_scratch *text, const char **bytes, int64_t *count)
{
    const int64_t length = tg_scratch_length(text);
    *count = length < LOOK ? length : LOOK;
    return tg_scratch_view(text, 0, *count, bytes);
}

/* whole: there is nothing behind the text. */
static tg_status tell(tg_scratch *text, bool whole, what *out)
{
    const char *b;
    int64_t n, rows, columns;
    bool table = false;
    tg_status status = head(text, &b, &n);
    if (status) return status;
    *out = is_image(b, n) ? AN_IMAGE : tg_idx_known((const uint8_t *)b, n) ? AN_IDX : foreign_name(b, n) ? FOREIGN : A_TEXT;
    if (*out == A_TEXT) status = tg_numbers_guess(b, n, whole && n == tg_scratch_length(text), &table, &rows, &columns);
    if (table) *out = A_TABLE;
    return status;
}

tg_status tg_gather_wants_all(tg_scratch *text, bool *out)
{
    const char *b;
    int64_t n;
    tg_status status = head(text, &b, &n);
    if (!status) *out = tg_gzip_known((const uint8_t *)b, n) || is_image(b, n) || tg_idx_known((const uint8_t *)b, n);
    return status;
}

/* What is wrong with a file that was found in a folder is told, and the next one comes; where it is named it is an error. */
static tg_status forgive(tg_gather *g, tg_status status, bool named)
{
    if (named || (status != TG_EFORMAT && status != TG_EUNSUPPORTED)) return status;
    tg_log(g->ctx, TG_LOG_WARN, "%s: passed over", tg_error());
    g->skipped++;
    return TG_OK;
}

/* ---- unpacking ---------------------------------------------------------------------------------------------------- */

static tg_status unpacked(tg_gather *g, const char *origin, tg_scratch *packed, tg_scratch **out)
{
    const int64_t length = tg_scratch_length(packed);
    const char *bytes;
    uint8_t *all = NULL;
    int64_t count = 0;
    tg_status status = tg_scratch_view(packed, 0, length, &bytes);
    if (!status) status = tg_gunzip((const uint8_t *)bytes, length, MOST_UNPACKED, origin, &all, &count);
    /* a table of texts is wanted in memory, as read_source has it */
    tg_scratch *text = NULL;
    if (!status) status = g->scratch ? tg_scratch_new(g->scratch, g->column ? INT64_MAX / 4 : TG_SOURCE_KEEP, &text)
                                     : tg_scratch_new(origin, INT64_MAX / 4, &text);
    if (!status) status = tg_scratch_add(text, all, count);
    tg_free(all);
    if (status) tg_scratch_free(text);
    else *out = text;
    return status;
}

tg_status tg_gather_unpack(tg_gather *g, const char *origin, tg_scratch **text, bool named, bool *over)
{
    const char *b;
    int64_t n;
    tg_scratch *other;
    tg_status status = head(*text, &b, &n);
    if (status || !tg_gzip_known((const uint8_t *)b, n)) return status;
    status = unpacked(g, origin, *text, &other);
    if (!status) {
        tg_scratch_free(*text);
        *text = other;
        return TG_OK;
    }
    *over = true;
    return forgive(g, status, named);
}

/* ---- splits told by names ----------------------------------------------------------------------------------------- */

/* "test", "t10k", "train8000": a known word, and digits perhaps. */
static const char *split_of_word(const char *word, size_t n)
{
    static const struct { const char *word, *split; } words[] = {
        {"t10k", "test"}, {"test", "test"}, {"tes", "test"}, {"train", "train"}, {"training", "train"}, {"tra", "train"},
        {"valid", "val"}, {"validation", "val"}, {"val", "val"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t m = strlen(words[i].word);
        if (n >= m && !strncmp(word, words[i].word, m) && strspn(word + m, "0123456789") >= n - m) return words[i].split;
    }
    return NULL;
}

static const char *said_split(const tg_gather *g)
{
    static const char *const said[] = {"train", "val", "test"};
    return g->split >= TG_AS_TRAIN ? said[g->split - TG_AS_TRAIN] : NULL;
}

const char *tg_gather_folder_split(tg_gather *g, const char *name)
{
    const size_t n = strcspn(name, "/");
    const bool samples = g->kind > TG_GATHER_TEXT || g->found_kind > TG_GATHER_TEXT;
    return samples && g->split == TG_BY_NAME && name[n] ? split_of_word(name, n) : NULL;
}

/* That of a file of many: the first word of its name that is one of a split. */
static const char *split_of_name(const tg_gather *g, const char *origin)
{
    const char *name = tg_path_name(origin);
    for (size_t n; g->split == TG_BY_NAME && *name; name += n + (name[n] != 0)) {
        n = strcspn(name, "-_. ");
        const char *split = split_of_word(name, n);
        if (split) return split;
    }
    return NULL;
}

/* What is said, else what the folder told, else the name. */
static void set_split(tg_gather *g, tg_item *about, bool many)
{
    if (g->split >= TG_AS_TRAIN) about->split = said_split(g);
    else if (!about->split && many) about->split = split_of_name(g, about->origin);
    g->with_split += g->split == TG_BY_NAME && about->split;
}

/* ---- taking ------------------------------------------------------------------------------------------------------- */

static tg_status pass(tg_gather *g, const char *origin, const char *why)
{
    tg_log(g->ctx, TG_LOG_WARN, "%s: %s: passed over", origin, why);
    g->skipped++;
    return TG_OK;
}

/* Samples are taken whole or not at all. */
static bool fits(tg_gather *g, tg_scratch *text)
{
    g->full |= tg_scratch_length(text) > tg_gather_room(g);
    return !g->full;
}

static tg_status take_image(tg_gather *g, tg_item *about, tg_scratch *text, bool named)
{
    const int64_t length = tg_scratch_length(text);
    const char *bytes;
    tg_image image = {0};
    if (!fits(g, text)) return TG_OK;
    tg_status status = tg_scratch_view(text, 0, length, &bytes);
    if (status) return status;
    status = tg_image_decode((const uint8_t *)bytes, length, MOST_PIXELS, about->origin, &image);
    about->kind = "image";
    about->ending = bytes[0] == 'P' ? "pnm" : "png";
    tg_image_free(&image);
    if (status) return forgive(g, status, named);
    set_split(g, about, false);
    g->samples++;
    return tg_gather_take(g, about, text);
}

/* So many of them are to be counted. */
static void count_samples(tg_gather *g, int64_t count)
{
    g->samples += count;
    g->taken += count;
}

/* How many samples --limit leaves. */
static int64_t limit_left(const tg_gather *g)
{
    return g->limit > 0 ? g->limit - g->taken : INT64_MAX;
}

static tg_status take_table(tg_gather *g, tg_item *about, tg_scratch *text, bool named)
{
    const int64_t length = tg_scratch_length(text), room = tg_gather_room(g);
    int64_t end = length < room ? length : room;
    const char *bytes;
    tg_status status = tg_scratch_view(text, 0, end, &bytes);
    if (status) return status;
    while (length >= room && end > 0 && bytes[end - 1] != '\n') end--; /* rows that the bound cuts go */
    if (end == 0) g->full = true;
    if (g->full) return TG_OK;
    tg_numbers t;
    int64_t rows = 0;
    bool more = true;
    status = tg_numbers_open(&t, about->origin, bytes, end);
    while (!status && more && rows < limit_left(g)) {
        status = tg_numbers_next(&t, &more);
        rows += more;
    }
    end = status ? end : t.at - bytes; /* behind the last row that is wanted */
    tg_numbers_close(&t);
    if (status) return forgive(g, status, named);
    status = tg_scratch_cut(text, end);
    if (status) return status;
    count_samples(g, rows);
    about->kind = g->kind == TG_GATHER_POINTS ? "points" : "table";
    about->documents = "csv";
    set_split(g, about, true);
    return tg_gather_take(g, about, text);
}

static char *copied(const char *text)
{
    return text ? tg_strdup(text) : NULL;
}

/* Keeps an IDX file until all have been seen; the text becomes its own. Only the header is read here. */
static tg_status wait(tg_gather *g, const tg_item *about, tg_scratch *text, bool named)
{
    const int64_t length = tg_scratch_length(text);
    const char *bytes;
    int64_t n;
    tg_idx idx;
    tg_status status = head(text, &bytes, &n);
    if (!status) status = tg_idx_read((const uint8_t *)bytes, length, about->origin, &idx);
    if (!status && idx.rank != 1 && idx.rank != 3 && idx.rank != 4)
        status = tg_fail(TG_EUNSUPPORTED, "%s: an IDX file of %d sizes: neither labels (1) nor images (3, of colours 4)", about->origin,
                         idx.rank);
    if (!status && idx.count == 0) status = tg_fail(TG_EFORMAT, "%s: an IDX file of nothing", about->origin);
    if (status) return forgive(g, status, named);
    tg_waiting *w = tg_alloc(sizeof *w);
    if (!w) return TG_ENOMEM;
    *w = (tg_waiting){.before = g->waiting, .split = about->split, .idx = idx, .origin = copied(about->origin),
                      .label = copied(about->label), .licence = copied(about->licence)};
    g->waiting = w;
    status = g->scratch ? tg_scratch_new(g->scratch, TG_SOURCE_KEEP, &w->bytes) : tg_scratch_new(w->origin, INT64_MAX / 4, &w->bytes);
    for (int64_t at = 0; at < length && !status; at += n) {
        n = length - at < TG_SOURCE_PART ? length - at : TG_SOURCE_PART;
        status = tg_scratch_view(text, at, n, &bytes);
        if (!status) status = tg_scratch_add(w->bytes, bytes, n);
    }
    return status || !w->origin ? status ? status : TG_ENOMEM : TG_OK;
}

static tg_status pass_over(tg_gather *g, const char *origin, what is, tg_scratch *text)
{
    const char *b;
    int64_t n;
    tg_str why = {0};
    tg_status status = head(text, &b, &n);
    if (!status) tg_str_addf(&why, "%s", is == FOREIGN ? foreign_name(b, n) : "no image");
    if (!status && is == FOREIGN) tg_str_add(&why, ", which is not read");
    if (!status) status = why.failed ? TG_ENOMEM : pass(g, origin, why.data);
    tg_str_free(&why);
    return status;
}

static tg_status refuse(const char *origin, what is, tg_scratch *text)
{
    const char *b;
    int64_t n;
    tg_status status = head(text, &b, &n);
    if (status) return status;
    if (is == FOREIGN)
        return tg_fail(TG_EUNSUPPORTED, "%s: %s; PNG and PNM are read: convert it (magick %s x.png)", origin, foreign_name(b, n),
                       tg_path_name(origin));
    return tg_fail(TG_EFORMAT, "%s: no image: it begins as none of PNG, PNM and IDX; leave --kind image out to take it as it is", origin);
}

tg_status tg_gather_sample(tg_gather *g, tg_item *about, tg_scratch *text, bool named, bool *done)
{
    const int64_t kind = g->kind != TG_GATHER_AUTO ? g->kind : g->found_kind;
    what is;
    *done = false;
    if (kind == TG_GATHER_TEXT) return g->split >= TG_AS_TRAIN ? tg_fail(TG_EUSAGE, "--split: texts are split by gen-preprocess") : TG_OK;
    tg_status status = tell(text, true, &is);
    if (status || (kind == TG_GATHER_AUTO && is == A_TEXT)) return status;
    *done = true;
    const bool image = is == AN_IMAGE || is == AN_IDX, wants_image = kind == TG_GATHER_IMAGE || (kind == TG_GATHER_AUTO && is != A_TABLE);
    if (wants_image && !image && named) return refuse(about->origin, is, text);
    if (wants_image && !image) return pass_over(g, about->origin, is, text);
    if (!wants_image && is != A_TABLE && !named) return pass(g, about->origin, "no table of numbers");
    if (!wants_image && image)
        return tg_fail(TG_EFORMAT, "%s: an image, no table of numbers; leave --kind out", about->origin);
    return is == AN_IMAGE ? take_image(g, about, text, named) : is == AN_IDX ? wait(g, about, text, named)
                                                                           : take_table(g, about, text, named);
}

/* ---- a folder's kind ---------------------------------------------------------------------------------------------- */

/* The beginning of a file, unpacked; all of it where that is what unpacking takes. */
static tg_status look_at(tg_gather *g, const char *path, what *out)
{
    tg_file *f;
    tg_scratch *text = NULL, *other = NULL;
    int64_t got = 0;
    char *part = tg_alloc_raw(LOOK);
    tg_status status = part ? tg_file_open(path, &f) : TG_ENOMEM;
    *out = A_TEXT;
    if (status) {
        tg_free(part);
        return status;
    }
    tg_file_watch(f, g->ctx);
    status = tg_scratch_new(g->scratch ? g->scratch : path, g->scratch ? TG_SOURCE_KEEP : INT64_MAX / 4, &text);
    if (!status) status = tg_file_read(f, part, LOOK, &got);
    if (!status) status = tg_scratch_add(text, part, got);
    const bool whole = got < LOOK, packed = !status && tg_gzip_known((const uint8_t *)part, got);
    while (packed && !status && got > 0) {
        status = tg_file_read(f, part, LOOK, &got);
        if (!status) status = tg_scratch_add(text, part, got);
    }
    if (!status && packed) status = unpacked(g, path, text, &other);
    if (!status) status = tell(other ? other : text, other || whole, out);
    tg_file_close(f);
    tg_scratch_free(text);
    tg_scratch_free(other);
    tg_free(part);
    return status == TG_ENOMEM || status == TG_ECANCELLED ? status : TG_OK; /* what else is wrong with it shows when it is taken */
}

/* An IDX file tells; else what there is most of. */
tg_status tg_gather_look(tg_gather *g, const char *folder, const tg_listing *files)
{
    int64_t count[FOREIGN + 1] = {0};
    tg_status status = TG_OK;
    for (int64_t i = 0; i < files->count && !status && count[AN_IDX] == 0; i++) {
        char *path = tg_path_join(folder, files->names[i]);
        what is = A_TEXT;
        status = path ? look_at(g, path, &is) : TG_ENOMEM;
        if (!status) count[is]++;
        tg_free(path);
    }
    g->found_kind = count[AN_IDX] || count[AN_IMAGE] + count[FOREIGN] > count[A_TEXT] + count[A_TABLE] ? TG_GATHER_IMAGE
                    : count[A_TABLE] > count[A_TEXT]                                                ? TG_GATHER_TABLE
                                                                                                    : TG_GATHER_TEXT;
    return status;
}

/* ---- IDX files that waited ---------------------------------------------------------------------------------------- */

/* How many bytes two names share before they part. */
static int64_t shared_beginning(const char *a, const char *b)
{
    int64_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    return n;
}

/* The labels of these images: as many of them, and of those the nearest name. */
static tg_status find_labels(const tg_gather *g, const tg_waiting *images, tg_waiting **out)
{
    int64_t best = -1, rivals = 0;
    *out = NULL;
    for (tg_waiting *w = g->waiting; w; w = w->before) {
        if (w->idx.rank != 1 || w->used || w->idx.count != images->idx.dims[0]) continue;
        const int64_t near = shared_beginning(w->origin, images->origin);
        rivals = near > best ? 0 : rivals + (near == best);
        if (near > best) {
            best = near;
            *out = w;
        }
    }
    if (!rivals) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: which labels are its own? several files have %" PRId64 " of them; collect each pair apart",
                   images->origin, images->idx.dims[0]);
}

/* The first `count` of what an IDX file holds: its bytes become others. */
static tg_status cut_idx(tg_waiting *w, int64_t count)
{
    const int64_t head = 4 + 4 * w->idx.rank, each = w->idx.count / w->idx.dims[0], end = head + count * each;
    const char number[4] = {(char)(count >> 24 & 255), (char)(count >> 16 & 255), (char)(count >> 8 & 255), (char)(count & 255)};
    const char *part;
    tg_scratch *to;
    if (count >= w->idx.dims[0]) return TG_OK;
    tg_status status = tg_scratch_like(w->bytes, &to);
    if (status) return status;
    status = tg_scratch_view(w->bytes, 0, 4, &part);
    if (!status) status = tg_scratch_add(to, part, 4);
    if (!status) status = tg_scratch_add(to, number, 4);
    for (int64_t at = 8, n; at < end && !status; at += n) {
        n = end - at < TG_SOURCE_PART ? end - at : TG_SOURCE_PART;
        status = tg_scratch_view(w->bytes, at, n, &part);
        if (!status) status = tg_scratch_add(to, part, n);
    }
    tg_scratch_free(status ? to : w->bytes);
    if (!status) w->bytes = to;
    return status;
}

static tg_status take_pair(tg_gather *g, tg_waiting *images)
{
    tg_waiting *labels;
    tg_item about = {.kind = "image", .documents = "idx", .origin = images->origin, .label = images->label, .licence = images->licence,
                     .split = images->split};
    const int64_t all = images->idx.dims[0], left = limit_left(g), count = left < all ? left : all;
    tg_status status = find_labels(g, images, &labels);
    if (!status) status = cut_idx(images, count);
    if (!status && labels) status = cut_idx(labels, count);
    if (status || !fits(g, images->bytes)) return status;
    if (labels) labels->used = true;
    count_samples(g, count);
    set_split(g, &about, true);
    status = tg_gather_take(g, &about, images->bytes);
    if (status || !labels) return status;
    about.kind = "labels";
    about.origin = labels->origin;
    return tg_gather_take(g, &about, labels->bytes);
}

static tg_waiting *in_order(tg_waiting *last)
{
    tg_waiting *first = NULL;
    while (last) {
        tg_waiting *before = last->before;
        last->before = first;
        first = last;
        last = before;
    }
    return first;
}

tg_status tg_gather_finish(tg_gather *g)
{
    tg_status status = TG_OK;
    g->waiting = in_order(g->waiting);
    for (tg_waiting *w = g->waiting; w && !status && !tg_gather_full(g); w = w->before)
        if (w->idx.rank > 1) status = take_pair(g, w);
    for (tg_waiting *w = g->waiting; w && !status && !tg_gather_full(g); w = w->before)
        if (w->idx.rank == 1 && !w->used)
            status = tg_fail(TG_EINVAL, "%s: %" PRId64 " labels, and no IDX file of as many images beside it; collect both together",
                             w->origin, w->idx.count);
    return status;
}

void tg_gather_free(tg_gather *g)
{
    while (g->waiting) {
        tg_waiting *w = g->waiting;
        g->waiting = w->before;
        tg_scratch_free(w->bytes);
        tg_free(w->origin);
        tg_free(w->label);
        tg_free(w->licence);
        tg_free(w);
    }
}

/* ---- synth -------------------------------------------------------------------------------------------------------- */

static tg_status take_made(tg_gather *g, const tg_item *about, const tg_str *made, int64_t count)
{
    tg_scratch *s;
    tg_status status = tg_scratch_of(made->data, made->length, &s);
    if (status) return status;
    status = fits(g, s) ? tg_gather_take(g, about, s) : TG_OK;
    if (!g->full) count_samples(g, count);
    tg_scratch_free(s);
    return status;
}

/* Pictures are an item a class; points one item. */
tg_status tg_gather_synth_samples(tg_gather *g, const char *source, const char *kind)
{
    const bool images = !strcmp(kind, "image");
    const int64_t count = g->limit > 0 ? limit_left(g) : images ? TG_SYNTH_IMAGES : TG_SYNTH_POINTS;
    tg_str made = {0}, origin = {0};
    tg_status status = TG_OK;
    tg_str_addf(&origin, "%s seed %" PRIu64, source, g->seed);
    tg_item about = {.kind = kind, .documents = images ? "idx" : "csv", .origin = origin.data, .licence = "CC0-1.0",
                     .split = said_split(g)};
    if (origin.failed) status = TG_ENOMEM;
    for (int shape = 0; images && !status && (about.label = tg_synth_shape_name(shape)); shape++) {
        int64_t many;
        tg_str_clear(&made);
        status = tg_synth_images(source, g->seed, count, shape, &made, &many);
        if (!status && many) status = take_made(g, &about, &made, many);
    }
    if (!images) status = tg_synth_points(source, g->seed, count, &made);
    if (!status && !images) status = take_made(g, &about, &made, count);
    tg_str_free(&made);
    tg_str_free(&origin);
    return status;
}
