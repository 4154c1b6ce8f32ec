/* recall.c - the loss over data whose tokens may be others than the model's. */
#include "run/tune/recall.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "data/pack.h"
#include "data/text/tokenizer.h"
#include "run/documents.h"
#include "run/kinds.h"
#include "run/likelihood.h"
#include "run/metrics/bits.h"
#include "run/split_text.h"
#include "run/trained.h"

#include <math.h>
#include <string.h>

enum { KEEP = 64 << 20 };

/* The old text under the new tokeniser, as a dataset of one split. */
typedef struct recoding {
    tg_context *ctx;
    const tg_dataset *from;
    const tg_tokenizer *to;
    tg_scratch *text;
    tg_documents documents;
    tg_str document;           /* that is being read */
    int64_t chars, missing;
} recoding;

/* ---- the text ------------------------------------------------------------------------------------------------------- */

/* Characters that begin in it; of bytes that are no text, as many as look so. */
static int64_t chars_of(const tg_str *text)
{
    int64_t n = 0;
    for (int64_t i = 0; i < text->length; i++) n += ((unsigned char)text->data[i] & 0xc0) != 0x80;
    return n;
}

/* Without the space that encoding puts before a text. */
static void drop_prefix(const tg_tokenizer *t, tg_str *text)
{
    if (!t->prefix || text->failed || text->length == 0 || text->data[0] != ' ') return;
    memmove(text->data, text->data + 1, (size_t)text->length); /* with the NUL behind it */
    text->length--;
}

/* What the new tokeniser makes of a document, and back: of that its tokens can be made without a gap. */
static tg_status add_document(recoding *r, tg_str *document)
{
    drop_prefix(tg_dataset_tokenizer(r->from), document);
    int64_t count = tg_tokenizer_most(r->to, document->length), length = 0;
    const int32_t unknown = tg_tokenizer_unknown(r->to);
    const bool documents = tg_tokenizer_start(r->to) >= 0, whole = tg_tokenizer_end(tg_dataset_tokenizer(r->from)) >= 0;
    int32_t *ids = tg_alloc_array(count > 0 ? count : 1, sizeof *ids);
    tg_str known = {0};
    tg_status s = ids ? tg_tokenizer_encode(r->to, document->data ? document->data : "", document->length,
                                            unknown >= 0 ? TG_UNKNOWN_TOKEN : TG_UNKNOWN_SKIP, ids, &count) : TG_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++) {
        const char *text = tg_tokenizer_text(r->to, ids[i], &length);
        tg_str_add_n(&known, text, length);
        r->missing += ids[i] == unknown;
    }
    if (!s && known.failed) s = TG_ENOMEM;
    drop_prefix(r->to, &known);
    if (!s && known.length) {
        const int64_t chars = chars_of(document);
        r->chars += chars;
        if (unknown < 0) r->missing += chars - chars_of(&known);
        if (documents) {
            s = tg_documents_part(&r->documents, r->text, known.data, known.length, whole ? TG_DOCUMENTS_FILE : TG_DOCUMENTS_LINE, NULL);
            if (!s) s = tg_documents_end(&r->documents, r->text, NULL);
        } else s = tg_scratch_add(r->text, known.data, known.length);
    }
    tg_free(ids);
    tg_str_free(&known);
    return s;
}

static tg_status take_part(void *user, const char *bytes, int64_t length)
{
    recoding *r = user;
    tg_str_add_n(&r->document, length ? bytes : "\n", length ? length : 1);
    if (r->document.failed) return TG_ENOMEM;
    if (length) return TG_OK;
    tg_status s = add_document(r, &r->document);
    tg_str_clear(&r->document);
    return s;
}

/* Documents one after the other, each with its line's end; a text in one piece is one. */
static tg_status read_text(recoding *r)
{
    tg_status s = tg_split_text(r->from, TG_VAL, INT64_MAX, take_part, r);
    if (!s && r->document.length) s = add_document(r, &r->document);
    tg_str_free(&r->document);
    return s;
}

/* ---- the dataset ---------------------------------------------------------------------------------------------------- */

static tg_status pack(recoding *r, tg_packed *out)
{
    if (tg_tokenizer_start(r->to) >= 0) {
        r->documents.by_split[TG_VAL] = r->documents.count;
        return tg_documents_pack(r->ctx, &r->documents, r->text, r->to, NULL, out);
    }
    tg_status s = tg_scratch_like(r->text, &out->tokens);
    if (!s) s = tg_pack_tokens(r->ctx, r->to, r->text, out->tokens);
    if (!s) out->counts[TG_VAL] = tg_scratch_length(out->tokens) / tg_token_bytes(tg_tokenizer_vocab(r->to));
    return s;
}

static tg_status write_dataset(recoding *r, const char *path)
{
    tg_packed packed = {0};
    tg_figures figures;
    char hash[65];
    tg_status s = pack(r, &packed);
    if (!s) s = tg_figures_count(r->to, packed.tokens, packed.counts, &figures);
    if (!s) s = tg_dataset_write(path, &(tg_dataset_draft){.tokenizer = r->to, .tokens = packed.tokens, .figures = &figures,
                                                           .documents = {0, r->documents.count, 0}, .starts = packed.starts,
                                                           .split = "{}", .verdict = "{}", .report = "{}", .provenance = "{}"}, hash);
    tg_packed_free(&packed);
    return s;
}

/* ---- the loss ------------------------------------------------------------------------------------------------------- */

static tg_status measure(tg_context *ctx, tg_trained *t, const tg_dataset *d, tg_recall *out)
{
    tg_likelihood *l = NULL;
    tg_tape *tape = NULL;
    if (tg_dataset_count(d, TG_VAL) < 2) return TG_OK;
    tg_status s = tg_likelihood_new(d, TG_VAL, t->model, &l);
    if (!s) s = tg_tape_new(ctx, &tape);
    if (!s) s = tg_likelihood_of(ctx, l, t->model, tape, &out->nats);
    if (!s) out->bits = t->tokenizer ? tg_bits_per_char(d, TG_VAL, out->nats) : tg_bits_per_dim(&t->data, out->nats);
    tg_tape_free(tape);
    tg_likelihood_free(l);
    return s;
}

static tg_status measure_recoded(tg_context *ctx, tg_trained *t, const tg_dataset *d, const char *beside, tg_recall *out)
{
    recoding r = {.ctx = ctx, .from = d, .to = t->tokenizer};
    tg_dataset *other = NULL;
    char *path = tg_path_join(beside, "old.safetensors");
    tg_status s = path ? tg_scratch_new(path, KEEP, &r.text) : TG_ENOMEM;
    if (!s) s = read_text(&r);
    out->chars = r.chars;
    out->missing = r.missing;
    if (!s && tg_scratch_length(r.text) > 1) {
        s = write_dataset(&r, path);
        if (!s) s = tg_dataset_open(ctx, path, &other);
        if (!s) s = measure(ctx, t, other, out);
        tg_dataset_close(other);
        if (!s) s = tg_remove(path);
    }
    tg_documents_free(&r.documents);
    tg_scratch_free(r.text);
    tg_free(path);
    return s;
}

tg_status tg_recall_of(tg_context *ctx, const char *model, const tg_dataset *d, const char *beside, tg_recall *out)
{
    tg_trained *t = NULL;
    const tg_tokenizer *k = tg_dataset_tokenizer(d);
    *out = (tg_recall){.nats = NAN, .bits = NAN};
    tg_status s = tg_trained_open(ctx, model, true, &t);
    if (!s && t->desc->loss && !k == !t->tokenizer) {
        if (!k && !tg_samples_same(t->samples, &t->data, model, d, "the data", true)) s = measure(ctx, t, d, out);
        else if (k && !tg_tokenizer_same(t->tokenizer, model, k, "the data", NULL)) s = measure(ctx, t, d, out);
        else if (k) s = measure_recoded(ctx, t, d, beside, out);
    }
    tg_trained_close(t);
    return s;
}
