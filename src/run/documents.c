/* documents.c - what a document is, which ones stay, where they go. */
#include "run/documents.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/meter.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/pack.h"

void tg_documents_free(tg_documents *d)
{
    for (int64_t i = 0; i < d->names_count; i++) tg_free(d->names[i]);
    tg_free(d->names);
    tg_free(d->starts);
    tg_free(d->labels);
    *d = (tg_documents){0};
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

static tg_status grow(tg_documents *d)
{
    if (d->count < d->room) return TG_OK;
    const int64_t room = d->room ? 2 * d->room : 64;
    int64_t *starts = tg_realloc(d->starts, d->room ? (d->room + 1) * 8 : 0, (room + 1) * 8);
    if (!starts) return TG_ENOMEM;
    d->starts = starts;
    int32_t *labels = tg_realloc(d->labels, d->room * 4, room * 4);
    if (!labels) return TG_ENOMEM;
    d->labels = labels;
    d->room = room;
    return TG_OK;
}

/* Position of a label among those seen so far; -1: none, -2: no memory. There are few. */
static int32_t label_of(tg_documents *d, const char *label)
{
    if (!label) return -1;
    for (int64_t i = d->names_count - 1; i >= 0; i--)
        if (!strcmp(d->names[i], label)) return (int32_t)i;
    char **names = tg_realloc(d->names, d->names_count * (int64_t)sizeof *names, (d->names_count + 1) * (int64_t)sizeof *names);
    if (!names) return -2;
    d->names = names;
    names[d->names_count] = tg_strdup(label);
    if (!names[d->names_count]) return -2;
    return (int32_t)d->names_count++;
}

tg_status tg_documents_add(tg_documents *d, tg_str *text, const char *bytes, int64_t length, const char *label)
{
    const int32_t at = label_of(d, label);
    tg_status s = at == -2 ? TG_ENOMEM : grow(d);
    if (s) return s;
    d->starts[d->count] = text->length;
    tg_str_add_n(text, bytes, length);
    d->labels[d->count++] = at;
    d->starts[d->count] = text->length;
    d->labelled += at >= 0;
    return text->failed ? TG_ENOMEM : TG_OK;
}

static bool is_blank(const char *bytes, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r') return false;
    return true;
}

static tg_status add_trimmed(tg_documents *d, tg_str *text, const char *bytes, int64_t length, const char *label)
{
    if (is_blank(bytes, length)) return TG_OK; /* also where there is nothing */
    while (bytes[0] == '\n') bytes++, length--;
    while (bytes[length - 1] == '\n') length--;
    return tg_documents_add(d, text, bytes, length, label);
}

tg_status tg_documents_cut(tg_documents *d, tg_str *text, const char *bytes, int64_t length, int how, const char *label)
{
    tg_status s = TG_OK;
    int64_t begin = 0;
    if (how == TG_DOCUMENTS_FILE) return add_trimmed(d, text, bytes, length, label);
    for (int64_t at = 0; at < length && !s;) {
        const char *stop = memchr(bytes + at, '\n', (size_t)(length - at));
        const int64_t end = stop ? stop - bytes + 1 : length;
        const bool blank = is_blank(bytes + at, end - at);
        if (how == TG_DOCUMENTS_LINE || blank) {
            s = add_trimmed(d, text, bytes + begin, (blank ? at : end) - begin, label);
            begin = end;
        }
        at = end;
    }
    return s ? s : add_trimmed(d, text, bytes + begin, length - begin, label);
}

void tg_documents_drop(tg_documents *d, tg_str *text, const int64_t *first)
{
    int64_t kept = 0, to = 0;
    for (int64_t i = 0; i < d->count; i++) {
        const int64_t begin = d->starts[i], length = d->starts[i + 1] - begin;
        if (first[i] != i) {
            d->labelled -= d->labels[i] >= 0;
            continue;
        }
        memmove(text->data + to, text->data + begin, (size_t)length);
        d->starts[kept] = to; /* never behind starts[i + 1], which is still to be read */
        d->labels[kept++] = d->labels[i];
        to += length;
    }
    d->count = kept;
    d->starts[kept] = to;
    text->length = to;
}

/* ---- splitting ---------------------------------------------------------------------------------------------------- */

/* How many documents come before a share of the whole is through: by number, or by bytes. */
static int64_t documents_before(const tg_documents *d, double share, bool by_bytes)
{
    /* The small addition is against shares like 0.7 that binary fractions fall short of. */
    if (!by_bytes) return (int64_t)floor(share * (double)d->count + 1e-6);
    const double bytes = share * (double)d->starts[d->count] + 1e-6;
    int64_t low = 0, high = d->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if ((double)d->starts[middle + 1] <= bytes) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* All documents in the order that the seed draws. */
static tg_status shuffle(tg_documents *d, tg_str *text, uint64_t seed)
{
    tg_str mixed = {0};
    int64_t *starts = tg_alloc_array(d->room + 1, sizeof *starts);
    int32_t *labels = tg_alloc_array(d->room + 1, sizeof *labels);
    for (int64_t i = 0; i < d->count && starts && labels; i++) {
        const int64_t from = tg_rng_permute(seed, TG_RNG_SPLIT, 0, d->count, i);
        tg_str_add_n(&mixed, text->data + d->starts[from], d->starts[from + 1] - d->starts[from]);
        labels[i] = d->labels[from];
        starts[i + 1] = mixed.length;
    }
    if (!starts || !labels || mixed.failed) {
        tg_free(starts);
        tg_free(labels);
        tg_str_free(&mixed);
        return TG_ENOMEM;
    }
    tg_free(d->starts);
    tg_free(d->labels);
    tg_str_free(text);
    d->starts = starts;
    d->labels = labels;
    *text = mixed;
    return TG_OK;
}

tg_status tg_documents_split(tg_documents *d, tg_str *text, int rule, uint64_t seed, double val, double test)
{
    tg_status status = rule == TG_SPLIT_RANDOM && d->count ? shuffle(d, text, seed) : TG_OK;
    if (status) return status;
    const bool by_bytes = rule == TG_SPLIT_POSITION;
    int64_t before_test = test > 0 ? documents_before(d, 1 - test, by_bytes) : d->count;
    int64_t train = val > 0 ? documents_before(d, 1 - val - test, by_bytes) : before_test;
    if (train > before_test) train = before_test;
    d->by_split[TG_TRAIN] = train;
    d->by_split[TG_VAL] = before_test - train;
    d->by_split[TG_TEST] = d->count - before_test;
    const double share[TG_SPLITS] = {1 - val - test, val, test};
    for (int s = 0; s < TG_SPLITS; s++)
        if (share[s] > 0 && d->by_split[s] == 0)
            return tg_fail(TG_EINVAL, "%" PRId64 " document%s: too few for a split %s; --val 0, or collect more", d->count,
                           d->count == 1 ? "" : "s", tg_split_names[s]);
    return TG_OK;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------- */

enum { PART = 1 << 16 };

void tg_packed_free(tg_packed *p)
{
    tg_free(p->tokens);
    tg_free(p->starts);
    tg_free(p->labels);
    *p = (tg_packed){0};
}

typedef struct packing {
    const tg_tokenizer *t;
    int width;
    int64_t count, room; /* tokens */
    int32_t ids[PART];
} packing;

static tg_status put(packing *k, tg_packed *out, const int32_t *ids, int64_t count)
{
    if (k->count + count > k->room) {
        const int64_t room = 2 * k->room + count;
        void *tokens = tg_realloc(out->tokens, k->room * k->width, room * k->width);
        if (!tokens) return TG_ENOMEM;
        out->tokens = tokens;
        k->room = room;
    }
    tg_tokens_narrow(ids, count, k->width, (char *)out->tokens + k->count * k->width);
    k->count += count;
    return TG_OK;
}

static tg_status put_text(packing *k, tg_packed *out, const char *text, int64_t length)
{
    tg_status s = TG_OK;
    for (int64_t at = 0; at < length && !s;) {
        int64_t n = length - at < PART ? length - at : PART, got = PART;
        if (n == PART) n -= tg_utf8_partial(text + at, n);
        s = tg_tokenizer_encode(k->t, text + at, n, false, k->ids, &got);
        if (!s) s = put(k, out, k->ids, got);
        at += n;
    }
    return s;
}

static tg_status put_document(packing *k, tg_packed *out, const char *text, int64_t length, int32_t class)
{
    const int32_t start[2] = {tg_tokenizer_start(k->t), class}, end = tg_tokenizer_end(k->t);
    tg_status s = put(k, out, start, class >= 0 ? 2 : 1);
    if (!s) s = put_text(k, out, text, length);
    return s ? s : put(k, out, &end, 1);
}

static tg_status pack_all(packing *k, const tg_documents *d, const tg_str *text, const int32_t *classes, tg_meter *m,
                          tg_packed *out)
{
    int64_t at = 0;
    tg_status s = TG_OK;
    for (int split = 0; split < TG_SPLITS; split++) {
        const int64_t before = k->count;
        for (int64_t i = 0; i < d->by_split[split] && !s; i++, at++) {
            const int64_t begin = d->starts[at], length = d->starts[at + 1] - begin;
            const int32_t class = classes ? classes[d->labels[at]] : -1;
            out->starts[at] = k->count - before;
            if (classes) out->labels[at] = (uint16_t)class;
            s = put_document(k, out, text->data + begin, length, classes ? tg_tokenizer_class_token(k->t, class) : -1);
            if (!s) s = tg_meter_add(m, length);
        }
        out->counts[split] = k->count - before;
    }
    return s;
}

tg_status tg_documents_pack(tg_context *ctx, const tg_documents *d, const tg_str *text, const tg_tokenizer *t,
                            const int32_t *classes, tg_packed *out)
{
    *out = (tg_packed){0};
    packing *k = tg_alloc(sizeof *k);
    if (!k) return TG_ENOMEM;
    k->t = t;
    k->width = tg_token_bytes(tg_tokenizer_vocab(t));
    out->starts = tg_alloc_array(d->count + 1, sizeof *out->starts);
    if (classes) out->labels = tg_alloc_array(d->count + 1, sizeof *out->labels);
    tg_status s = out->starts && (!classes || out->labels) ? TG_OK : TG_ENOMEM;
    tg_meter m = tg_meter_start(ctx, "tokenise", "bytes", text->length);
    if (!s) s = pack_all(k, d, text, classes, &m, out);
    tg_meter_end(&m);
    tg_free(k);
    if (s) tg_packed_free(out);
    return s;
}
