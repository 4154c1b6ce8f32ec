/* preprocess.c - gen-preprocess: corpora to one dataset file.
 * Texts of any length: what does not fit into memory lies in files without a name, text, then tokens, each gone through from
 * begin to end. Items are joined in order, each beginning on a new line, cleaned, made into tokens, and cut into training, validation
 * and test by position. Nothing of when and where it ran enters the file. */
#include "run/preprocess.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/meter.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "data/pack.h"
#include "data/text/bpe.h"
#include "models/ngram.h"
#include "run/deps.h"
#include "run/samples.h"

enum { ONCE = TG_KEY_NO_CONFIG, SHOWN = 60, /* bytes of a leak that are shown */ NGRAM_ORDER = 3, NGRAM_BYTES = 8 << 20,
       NGRAM_TOKENS = 10 << 20 /* at most, of short documents; a fit takes some 20 bytes each */ };

const tg_key tg_preprocess_keys[] = {
    TG_LIST(tg_preprocess_options, corpora, 0, "CORPUS", TG_KEY_ARGUMENT,
            "folders that gen-collect made, taken in this order"),
    TG_TEXT(tg_preprocess_options, out, 'o', NULL, "FILE", TG_KEY_NAME, "the dataset to write, NAME.safetensors"),
    TG_TEXT(tg_preprocess_options, tokenizer, 0, "char", "char|byte|bpe|FILE", TG_KEY_NAME,
            "a token is a Unicode character of the corpus, a byte, a piece of words that is learned, or as in a file: "
            "tokenizer.bin, vocab.json (merges beside it), a dataset or a model"),
    TG_INT(tg_preprocess_options, vocab_size, 0, "0", 0, TG_BPE_MOST, 0,
           "bpe: how many pieces, 256 single bytes among them; 0: 2,048"),
    TG_CHOICE(tg_preprocess_options, encoding, 0, "auto", "auto|utf-8|gb18030|big5|utf-16", 0,
              "what the items are in; auto: told by a mark or by what makes sense"),
    TG_CHOICE(tg_preprocess_options, normalize, 0, "nfc", "nfc|none", 0, "one spelling for accented letters (Unicode NFC)"),
    TG_CHOICE(tg_preprocess_options, width, 0, "keep", "keep|fold", 0, "fold: full-width letters, digits and signs to plain ones"),
    TG_SWITCH(tg_preprocess_options, lowercase, 0, NULL, 0, "all letters small"),
    TG_CHOICE(tg_preprocess_options, strip, 0, "none", "none|gutenberg", 0, "gutenberg: leave out what Project Gutenberg puts around a book"),
    TG_SWITCH(tg_preprocess_options, scrub_pii, 0, NULL, 0,
              "mask e-mail and IP addresses, telephone, identity and card numbers"),
    TG_INT(tg_preprocess_options, min_count, 0, "1", 1, 1e9, 0,
           "char: what occurs less often is one unknown token, which is never sampled"),
    TG_CHOICE(tg_preprocess_options, documents, 0, "none", TG_DOCUMENTS_CHOICES, 0,
              "what a document is: nothing, a line, what blank lines part, an item; models then start and end them"),
    TG_CHOICE(tg_preprocess_options, split, 0, "auto", TG_SPLIT_CHOICES, 0,
              "position: in the order given, by length; document: by number of documents; random: documents drawn by "
              "--seed; auto: random with documents, else position"),
    TG_CHOICE(tg_preprocess_options, dedupe, 0, "exact", "exact|near|off", 0,
              "documents and images that are equal, or nearly, are left out before the split"),
    TG_INT(tg_preprocess_options, size, 0, "0", 0, 4096, TG_KEY_AUTO, "images: N x N pixels; auto: as they are, up to 64 a side"),
    TG_CHOICE(tg_preprocess_options, channels, 0, "auto", "auto|1|3", 0, "images: grey or RGB; auto: grey where all of them are"),
    TG_CHOICE(tg_preprocess_options, fit, 0, "crop", "crop|pad", 0,
              "images of another shape: the middle of them, or all within a background"),
    TG_TEXT(tg_preprocess_options, background, 0, "FFFFFF", "RRGGBB", 0,
            "images: what is behind transparent ones and around padded ones"),
    TG_CHOICE(tg_preprocess_options, augment, 0, "none", "none|flip", 0,
              "images: mirror half of what trains, left to right, at each draw"),
    TG_TEXT(tg_preprocess_options, sheet, 0, NULL, "FILE|none", TG_KEY_NAME,
            "images, points: a PNG to look at; without it, OUT.png beside OUT.safetensors"),
    TG_TEXT(tg_preprocess_options, shape, 0, NULL, "CxHxW", 0, "tables: each row is an image of so many channels, rows, columns"),
    TG_REAL(tg_preprocess_options, max_value, 0, "0", 0, 1e30, TG_KEY_AUTO, "tables with --shape: the number that is white"),
    TG_CHOICE(tg_preprocess_options, label_column, 0, "auto", "auto|last|first|none", 0, "tables: which column is the class"),
    TG_SWITCH(tg_preprocess_options, no_labels, 0, NULL, 0, "leave labels out; else documents that have them are conditional"),
    TG_REAL(tg_preprocess_options, val, 0, "0.1", 0, 1, 0, "share for validation, behind that for training"),
    TG_REAL(tg_preprocess_options, test, 0, "0", 0, 1, 0, "share for testing, at the end"),
    TG_INT(tg_preprocess_options, max_bytes, 0, "0", 0, 1e15, 0,
           "use only so many bytes, up to a whole character or document; 0: all"),
    TG_SWITCH(tg_preprocess_options, raw, 0, NULL, 0,
              "leave the bytes as they are: no conversion, no cleaning, nothing between items"),
    TG_INT(tg_preprocess_options, seed, 0, "1", 0, 9007199254740991.0, TG_KEY_SEED,
           "of a random split; a split by position draws nothing"),
    TG_SWITCH(tg_preprocess_options, force, 'f', NULL, ONCE, "replace the output"),
    TG_TEXT(tg_preprocess_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

/* A stage ends here. */
static void stage(tg_preparing *p, int which)
{
    const double now = tg_now();
    p->seconds[which] += now - p->clock;
    p->clock = now;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Where a cleaned text goes. */
typedef struct adding {
    tg_preparing *p;
    const char *label;
    int how;      /* what a document is */
    bool started; /* something has come */
} adding;

/* Items end in a newline where another follows. */
static tg_status join(tg_preparing *p)
{
    const int64_t length = tg_scratch_length(p->text);
    const char *last;
    if (p->raw || length == 0) return TG_OK;
    tg_status status = tg_scratch_view(p->text, length - 1, 1, &last);
    if (status || *last == '\n') return status;
    p->cleaning.joints++;
    return tg_scratch_add(p->text, "\n", 1);
}

static tg_status add_text(void *user, const char *text, int64_t length)
{
    adding *a = user;
    if (a->how) return tg_documents_part(&a->p->documents, a->p->text, text, length, a->how, a->label);
    tg_status status = a->started ? TG_OK : join(a->p);
    a->started = true;
    return status ? status : tg_scratch_add(a->p->text, text, length);
}

/* A row of a table is a document, however others are cut. */
static tg_status add_row(tg_preparing *p, const tg_item *item, const char *where, const tg_json *row)
{
    if (row->type != TG_JSON_TEXT)
        return tg_fail(TG_EFORMAT, "%s: not a JSON text; collect the table again", where);
    tg_source source = {.bytes = row->text, .length = row->length, .is_utf8 = true};
    adding a = {p, p->o->no_labels ? NULL : item->label, p->o->documents ? TG_DOCUMENTS_FILE : TG_DOCUMENTS_NONE, false};
    tg_status status = tg_clean(p, where, &source, add_text, &a);
    return status || !a.how ? status : tg_documents_end(&p->documents, p->text, a.label);
}

typedef struct rows {
    tg_preparing *p;
    const tg_item *item;
    const char *where;
    int64_t number;
    tg_arena *arena;
    tg_str place, lines; /* where the row is; lines that are not done yet */
} rows;

static tg_status add_line(rows *r, const char *line, int64_t length)
{
    const tg_arena_mark fresh = tg_arena_here(r->arena);
    const tg_json *row;
    tg_str_clear(&r->place);
    tg_str_addf(&r->place, "%s:%" PRId64, r->where, ++r->number);
    if (r->place.failed) return TG_ENOMEM;
    tg_status status = tg_json_parse(r->arena, r->place.data, line, length, &row);
    if (!status) status = add_row(r->p, r->item, r->place.data, row);
    tg_arena_rewind(r->arena, fresh);
    return status;
}

/* The lines that are whole; last: what is left is one, too. */
static tg_status add_lines(rows *r, bool last)
{
    tg_status status = TG_OK;
    int64_t at = 0;
    for (const char *stop; !status && at < r->lines.length; at = stop - r->lines.data + 1) {
        stop = memchr(r->lines.data + at, '\n', (size_t)(r->lines.length - at));
        if (!stop && !last) break;
        if (!stop) stop = r->lines.data + r->lines.length;
        status = add_line(r, r->lines.data + at, stop - r->lines.data - at);
    }
    if (at > r->lines.length) at = r->lines.length;
    if (at > 0) memmove(r->lines.data, r->lines.data + at, (size_t)(r->lines.length -= at));
    return status;
}

/* Twice through: no row is looked at before the whole item's hash is known to be right. */
static tg_status add_rows(tg_preparing *p, const tg_item *item, const char *where, tg_source *source)
{
    rows r = {.p = p, .item = item, .where = where, .arena = tg_arena_new(1 << 16)};
    char *part = tg_alloc_raw(p->bounds.block);
    tg_status status = r.arena && part ? TG_OK : TG_ENOMEM;
    int64_t got = 1;
    while (!status && got > 0) status = tg_source_read(source, part, p->bounds.block, &got);
    tg_source_rewind(source);
    for (got = 1; !status && got > 0;) {
        status = tg_source_read(source, part, p->bounds.block, &got);
        if (!status) tg_str_add_n(&r.lines, part, got);
        if (r.lines.failed) status = TG_ENOMEM;
        if (!status) status = add_lines(&r, got == 0);
    }
    tg_free(part);
    tg_arena_free(r.arena);
    tg_str_free(&r.place);
    tg_str_free(&r.lines);
    return status;
}

static tg_status add_item(tg_preparing *p, const tg_corpus *corpus, const char *folder, int64_t i, tg_meter *m)
{
    const tg_item *item = tg_corpus_item(corpus, i);
    tg_str where = {0};
    if (strcmp(item->kind, "text") != 0)
        return tg_fail(TG_EINVAL, "%s/%s: an item of kind %s among texts; collect kinds apart, a dataset is of one", folder, item->path,
                       item->kind);
    tg_source source = {.length = item->bytes, .meter = m};
    char *path = tg_path_join(folder, item->path);
    tg_str_addf(&where, "%s (from %s)", path ? path : "", item->origin ? item->origin : "?");
    tg_status status = !path || where.failed ? TG_ENOMEM : tg_item_open(corpus, i, &source.file);
    tg_free(path);
    if (!status && item->documents) status = add_rows(p, item, where.data, &source);
    else if (!status) {
        adding a = {p, p->o->no_labels ? NULL : item->label, (int)p->o->documents, false};
        status = tg_clean(p, where.data, &source, add_text, &a);
        if (!status && a.how) status = tg_documents_end(&p->documents, p->text, a.label);
    }
    if (!status) status = tg_manifest_add(&p->manifest, item);
    if (!status) tg_provenance_add(p, item);
    tg_item_close(source.file);
    tg_str_free(&where);
    return status;
}

/* What --deps lists: the items' hashes are in it. */
static tg_status note_manifest(const tg_preparing *p, const char *folder)
{
    char *path = tg_path_join(folder, "manifest.jsonl");
    tg_status status = path ? tg_context_read(p->ctx, path) : TG_ENOMEM;
    tg_free(path);
    return status;
}

static tg_status read_corpus(tg_preparing *p, const char *folder)
{
    tg_corpus *corpus;
    tg_status status = tg_corpus_open(folder, &corpus);
    if (status) return status;
    status = note_manifest(p, folder);
    int64_t total = 0, count = tg_corpus_count(corpus), i = 0;
    for (i = 0; i < count && tg_corpus_item(corpus, i)->bytes < INT64_MAX - total; i++)
        total += tg_corpus_item(corpus, i)->bytes;
    if (!p->raw && total < INT64_MAX / 2) total *= 2; /* to find out, to clean */
    tg_meter m = tg_meter_start(p->ctx, "read", "bytes", total);
    for (i = 0; !status && i < count && (p->o->max_bytes == 0 || tg_scratch_length(p->text) < p->o->max_bytes); i++)
        status = add_item(p, corpus, folder, i, &m);
    for (; !status && i < count; i++) p->cleaning.cut += tg_corpus_item(corpus, i)->bytes;
    tg_meter_end(&m);
    tg_corpus_close(corpus);
    return status;
}

/* To --max-bytes: whole characters, whole documents. */
static tg_status cut_text(tg_preparing *p)
{
    tg_documents *d = &p->documents;
    const int64_t all = tg_scratch_length(p->text), most = p->o->max_bytes, few = most < 4 ? most : 4;
    const char *tail;
    if (most == 0 || all <= most) return TG_OK;
    tg_status status = tg_scratch_view(p->text, most - few, few, &tail);
    if (status) return status;
    int64_t length = most - tg_utf8_partial(tail, few);
    if (p->o->documents) status = tg_documents_cut(d, length);
    if (status) return status;
    if (p->o->documents && d->count == 0)
        return tg_fail(TG_EINVAL, "the first document is longer than --max-bytes %" PRId64 "; take more, or other --documents", most);
    if (p->o->documents) length = d->end;
    p->cleaning.cut += all - length;
    return tg_scratch_cut(p->text, length);
}

static tg_status read_all(tg_preparing *p)
{
    const tg_preprocess_options *o = p->o;
    tg_status status = tg_scratch_new(o->out, p->bounds.keep, &p->text);
    for (int64_t i = 0; !status && i < o->corpora.count; i++) status = read_corpus(p, o->corpora.items[i]);
    tg_washing_free(&p->wash);
    p->wash = (tg_washing){0};
    if (!status) status = cut_text(p);
    if (!status && tg_scratch_length(p->text) == 0)
        status = tg_fail(TG_EINVAL, "%s: the corpus is empty (%" PRId64 " item%s, no text); collect something first",
                         o->corpora.items[0], p->items, p->items == 1 ? "" : "s");
    return status;
}

/* ---- tokens and splits ------------------------------------------------------------------------------------------ */

static tg_status make_tokenizer(tg_preparing *p, const tg_class *classes, int64_t count)
{
    tg_status status = tg_tokenizer_make(p);
    if (status) return status;
    stage(p, TG_STAGE_VOCABULARY);
    return tg_tokenizer_add_specials(p->tokenizer, p->has_unknown, p->documents.count > 0, classes, count);
}

static int by_name(const void *a, const void *b, void *user)
{
    (void)user;
    return strcmp(((const tg_class *)a)->name, ((const tg_class *)b)->name);
}

/* The labels in order of names, so that the order of items does not number them; places[i]: where label i went. */
static tg_status list_classes(const tg_documents *d, tg_class *classes, tg_class *scratch, int32_t *places)
{
    const int64_t count = tg_documents_labels(d);
    for (int64_t i = 0; i < count; i++) classes[i] = (tg_class){(char *)(uintptr_t)tg_documents_label(d, i), 0}; /* is copied */
    tg_sort(classes, count, sizeof *classes, scratch, by_name, NULL);
    for (int64_t k = 0; k < count; k++)
        places[tg_map_find(d->known, classes[k].name, (int64_t)strlen(classes[k].name) + 1)] = (int32_t)k;
    tg_status status = TG_OK;
    tg_window w = {0};
    for (int64_t i = 0, begin; count && i < d->by_split[TG_TRAIN] && !status; i++) {
        tg_document one;
        status = tg_document_look(d->list, &w, i, &begin, &one);
        if (!status) classes[places[one.label]].documents++;
    }
    tg_window_free(&w);
    return status;
}

static tg_status check_labels(const tg_preparing *p)
{
    const tg_documents *d = &p->documents;
    if (tg_documents_labels(d) == 0 || d->labelled == d->count) return TG_OK;
    return tg_fail(TG_EINVAL, "%" PRId64 " of %" PRId64 " documents have no label, the others have; collect those again with "
                   "--label, or leave labels out: --no-labels", d->count - d->labelled, d->count);
}

/* Likeness is searched in memory, among so few that their starts fit there, too; of more they are not asked for. */
static tg_status find_near(tg_preparing *p, tg_spill *twins)
{
    const tg_documents *d = &p->documents;
    const int64_t count = d->count <= p->bounds.near ? d->count : 0;
    int64_t *starts = tg_alloc_array(count + 1, sizeof *starts);
    int32_t *first = tg_alloc_array(count + 1, sizeof *first);
    tg_status status = starts && first ? TG_OK : TG_ENOMEM;
    for (int64_t i = 1; i <= count && !status; i++) status = tg_documents_reach(d, i, &starts[i]);
    if (!status)
        status = tg_duplicates_near_among(p->ctx, p->text, starts, d->count, TG_NEAR_THRESHOLD, p->bounds.near, first);
    for (int64_t i = 0; i < count && !status; i++)
        if (first[i] != i) status = tg_spill_add(twins, (tg_record){(uint64_t)i, first[i]});
    tg_free(starts);
    tg_free(first);
    return status;
}

/* How many were left out. */
static tg_status drop(tg_preparing *p, bool near, int64_t *count)
{
    tg_documents *d = &p->documents;
    tg_spill *twins;
    tg_status status = tg_spill_new(p->text, &twins);
    if (status) return status;
    status = near ? find_near(p, twins) : tg_duplicates_exact(p->ctx, p->text, d->list, twins);
    *count = tg_spill_count(twins);
    if (!status) status = tg_documents_drop(p->ctx, d, &p->text, twins);
    tg_spill_free(twins);
    return status;
}

/* What is said more than once stays once, before the split, so that no twin of a training document validates. Twins of
 * another class go, too. */
static tg_status drop_duplicates(tg_preparing *p)
{
    if (p->o->dedupe == TG_DEDUPE_OFF || p->documents.count == 0) return TG_OK;
    tg_status status = drop(p, false, &p->cleaning.exact);
    return status || p->o->dedupe != TG_DEDUPE_NEAR ? status : drop(p, true, &p->cleaning.near);
}

/* Documents to tokens, with a class for each where they have labels. */
static tg_status pack_documents(tg_preparing *p)
{
    tg_documents *d = &p->documents;
    const int64_t names = tg_documents_labels(d);
    tg_status status = check_labels(p);
    if (!status) status = drop_duplicates(p);
    if (status) return status;
    stage(p, TG_STAGE_DUPLICATES);
    status = tg_documents_split(p->ctx, d, &p->text, tg_split_rule(p), (uint64_t)p->o->seed, p->o->val, p->o->test);
    stage(p, TG_STAGE_SPLIT);
    tg_class *classes = tg_alloc_array(2 * names + 1, sizeof *classes);
    int32_t *places = tg_alloc_array(names + 1, sizeof *places);
    if (!status && (!classes || !places)) status = TG_ENOMEM;
    if (!status) status = list_classes(d, classes, classes + names, places);
    if (!status) status = make_tokenizer(p, classes, names);
    if (!status) status = tg_documents_pack(p->ctx, d, p->text, p->tokenizer, names ? places : NULL, &p->packed);
    tg_free(classes);
    tg_free(places);
    return status;
}

static tg_status pack_text(tg_preparing *p)
{
    tg_status status = make_tokenizer(p, NULL, 0);
    if (!status) status = tg_scratch_like(p->text, &p->packed.tokens);
    if (!status) status = tg_pack_tokens(p->ctx, p->tokenizer, p->text, p->packed.tokens);
    if (!status)
        tg_split_at(p->o->val, p->o->test,
                    tg_scratch_length(p->packed.tokens) / tg_token_bytes(tg_tokenizer_vocab(p->tokenizer)), p->packed.counts);
    return status;
}

/* Moves *at behind so many characters, or bytes, of a text that is one piece. */
static tg_status pass_text(tg_preparing *p, int64_t count, int64_t *at)
{
    const int64_t end = tg_scratch_length(p->text);
    for (int64_t n; count > 0 && *at < end;) {
        const char *part;
        tg_status status = tg_text_part(p->text, *at, end, &part, &n);
        if (status) return status;
        const int64_t tokens = p->takes_bytes ? n : tg_utf8_length(part, n);
        *at += tokens <= count ? n : tg_tokenizer_bytes_of(p->tokenizer, part, n, count);
        count -= tokens;
    }
    return TG_OK;
}

/* Moves *at behind tokens [first, first + count) of a text that is one piece. */
static tg_status pass_tokens(tg_preparing *p, int64_t first, int64_t count, int64_t *at)
{
    const int width = tg_token_bytes(tg_tokenizer_vocab(p->tokenizer));
    if (!tg_bpe_of(p->tokenizer)) return pass_text(p, count, at);
    if (first == 0 && count > 0) *at -= p->tokenizer->prefix;
    for (int64_t i = 0, n, length; i < count; i += n) {
        const char *ids;
        n = count - i < 1 << 16 ? count - i : 1 << 16;
        tg_status status = tg_scratch_view(p->packed.tokens, (first + i) * width, n * width, &ids);
        for (int64_t k = 0; k < n && !status; k++) {
            tg_tokenizer_text(p->tokenizer, (int32_t)tg_ngram_token(ids, width, k), &length);
            *at += length;
        }
        if (status) return status;
    }
    return TG_OK;
}

/* Where the training text ends and validation's does, in bytes of the text. */
static tg_status find_ends(tg_preparing *p, int64_t *train, int64_t *val)
{
    const int64_t *by_split = p->documents.by_split, *counts = p->packed.counts;
    if (p->o->documents) {
        tg_status status = tg_documents_reach(&p->documents, by_split[TG_TRAIN], train);
        return status ? status : tg_documents_reach(&p->documents, by_split[TG_TRAIN] + by_split[TG_VAL], val);
    }
    *train = 0;
    tg_status status = pass_tokens(p, 0, counts[TG_TRAIN], train);
    *val = *train;
    return status ? status : pass_tokens(p, counts[TG_TRAIN], counts[TG_VAL], val);
}

/* What validation repeats of training, word for word. */
static tg_status find_leaks(tg_preparing *p)
{
    int64_t train, val;
    tg_status status = find_ends(p, &train, &val);
    if (status) return status;
    tg_scratch_free(p->documents.list); /* nobody asks for them any more, and there may be millions */
    p->documents.list = NULL;
    p->val_bytes = val - train;
    if (val == train || train == 0) return TG_OK;
    const tg_stretch of_train = {p->text, 0, train}, of_val = {p->text, train, val - train};
    status = tg_leaks_find(p->ctx, of_train, of_val, TG_LEAK_SPAN, &p->leaks);
    if (status || !p->leaks.longest) return status;
    const int64_t length = p->leaks.longest < SHOWN ? p->leaks.longest : SHOWN;
    const char *leaked;
    status = tg_scratch_view(p->text, train + p->leaks.longest_in_val, length, &leaked);
    if (!status) tg_str_add_n(&p->leaked, leaked, length - tg_utf8_partial(leaked, length));
    return status;
}

/* The beginning of a split, as far as NGRAM_BYTES of text go; its tokens and starts lie in the windows. */
static tg_status ngram_text(tg_preparing *p, tg_split s, tg_window w[2], tg_ngram_text *out)
{
    const tg_figures *f = &p->figures;
    const int width = tg_token_bytes(f->vocab);
    const int64_t size = sizeof *out->starts;
    const int64_t first = s == TG_TRAIN ? 0 : f->counts[TG_TRAIN], before = s == TG_TRAIN ? 0 : p->documents.by_split[TG_TRAIN];
    const char *tokens, *starts = NULL;
    *out = (tg_ngram_text){.count = f->counts[s], .documents = p->documents.by_split[s], .tokenizer = p->tokenizer};
    if (f->bytes[s] > NGRAM_BYTES) out->count = (int64_t)((double)f->counts[s] / (double)f->bytes[s] * NGRAM_BYTES);
    if (out->count > NGRAM_TOKENS) out->count = NGRAM_TOKENS;
    if (out->documents > out->count / 2 + 1) out->documents = out->count / 2 + 1; /* two tokens at least are in each */
    tg_status status = tg_scratch_look(p->packed.tokens, &w[0], first * width, out->count * width, &tokens);
    if (!status && p->packed.starts)
        status = tg_scratch_look(p->packed.starts, &w[1], before * size, out->documents * size, &starts);
    out->tokens = tokens;
    out->starts = (const void *)starts;
    return status;
}

static void free_windows(tg_window w[2])
{
    tg_window_free(&w[0]);
    tg_window_free(&w[1]);
}

/* What an n-gram of order 3 makes of validation, or of training where there is none: enough to be told apart from a model
 * that learned nothing. Only one of the texts is in memory at once. */
static tg_status find_ngram(tg_preparing *p)
{
    tg_figures *f = &p->figures;
    tg_window w[2] = {{0}};
    tg_ngram_text text;
    tg_ngram *g = NULL;
    tg_status status = ngram_text(p, TG_TRAIN, w, &text);
    if (!status && text.count > 0) status = tg_ngram_fit(p->ctx, &text, f->vocab, NGRAM_ORDER, &g);
    free_windows(w);
    if (!status && g) status = ngram_text(p, f->counts[TG_VAL] ? TG_VAL : TG_TRAIN, w, &text);
    if (!status && g) status = tg_ngram_nats(p->ctx, g, &text, &f->ngram);
    free_windows(w);
    tg_ngram_free(g);
    return status;
}

static tg_status write_dataset(tg_preparing *p)
{
    tg_status status = p->o->documents ? pack_documents(p) : pack_text(p);
    stage(p, TG_STAGE_TOKENS);
    if (!status) status = find_leaks(p);
    if (status) return status;
    stage(p, TG_STAGE_LEAKS);
    tg_scratch_free(p->text);
    p->text = NULL;
    status = tg_figures_count(p->tokenizer, p->packed.tokens, p->packed.counts, &p->figures);
    stage(p, TG_STAGE_WRITE); /* what is in the file's header is counted */
    if (!status) status = find_ngram(p);
    stage(p, TG_STAGE_BASELINES);
    if (!status) status = tg_verdict_make(p);
    if (status) return status;
    tg_dataset_draft draft = {
        .tokenizer = p->tokenizer, .tokens = p->packed.tokens, .figures = &p->figures, .starts = p->packed.starts,
        .labels = p->packed.labels, .split = p->split.data, .verdict = p->verdict.data, .report = p->report.data,
        .provenance = p->provenance.data, .ctx = p->ctx,
    };
    memcpy(draft.documents, p->documents.by_split, sizeof draft.documents);
    tg_clean_temps_of(p->o->out);
    return tg_dataset_write(p->o->out, &draft, p->content);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static tg_status check_options(const tg_preprocess_options *o)
{
    if (o->corpora.count == 0) return tg_fail(TG_EUSAGE, "no corpus given; name a folder that gen-collect made");
    if (!o->out) return tg_fail(TG_EUSAGE, "no place for the dataset; add -o NAME.safetensors");
    if (!strcmp(o->out, "-")) return tg_fail(TG_EUSAGE, "a dataset goes to a file; add -o NAME.safetensors");
    if (o->val + o->test >= 1)
        return tg_fail(TG_EUSAGE, "--val and --test take everything; together they must stay below 1");
    tg_file_kind kind = tg_path_kind(o->out);
    if (kind == TG_PATH_FOLDER) return tg_fail(TG_EINVAL, "%s: there is a folder of that name; take another", o->out);
    if (kind == TG_PATH_FILE && !o->force)
        return tg_fail(TG_EINVAL, "%s: is there already; --force replaces it", o->out);
    return TG_OK;
}

static tg_status check_text_options(tg_preparing *p)
{
    const tg_preprocess_options *o = p->o;
    tg_status status = tg_tokenizer_choose(p);
    if (status) return status;
    if (o->size || o->channels || o->fit || o->augment || o->sheet || o->shape || o->max_value > 0 || o->label_column)
        tg_log(p->ctx, TG_LOG_WARN, "the corpus is text: --size, --channels, --fit, --augment, --sheet, --shape, --max-value and "
               "--label-column do nothing to it");
    if (p->raw && (o->scrub_pii || o->lowercase || o->width || o->strip || o->encoding))
        return tg_fail(TG_EUSAGE, "%s leaves the bytes as they are: --encoding, --strip, --width, --lowercase and --scrub-pii "
                       "do not go with it", o->raw ? "--raw" : "bpe with --normalize none");
    if (!o->documents && o->dedupe == TG_DEDUPE_NEAR)
        return tg_fail(TG_EUSAGE, "--dedupe near wants documents; add --documents line, blank or file");
    if (!o->documents && o->split > TG_SPLIT_POSITION)
        return tg_fail(TG_EUSAGE, "--split random and --split document want documents; add --documents line, blank or file");
    return TG_OK;
}

tg_status tg_preprocess_within(tg_context *ctx, const tg_preprocess_options *o, const tg_bounds *bounds)
{
    double start = tg_now();
    tg_preparing p = {.ctx = ctx, .o = o, .bounds = *bounds, .clock = start};
    tg_manifest_start(&p.manifest);
    const char *kind = "text";
    tg_status status = check_options(o);
    tg_status bad = status ? TG_OK : tg_samples_kind(o, &kind);
    if (bad == TG_ENOMEM) status = bad; /* what else is wrong with a corpus shows when it is read, behind wrong options */
    if (!status && strcmp(kind, "text") == 0) status = check_text_options(&p);
    if (!status && strcmp(kind, "text") != 0) return tg_preprocess_samples(ctx, o, bounds, kind);
    if (!status) status = read_all(&p);
    stage(&p, TG_STAGE_READ);
    if (!status) status = write_dataset(&p);
    stage(&p, TG_STAGE_WRITE);
    if (!status) status = tg_deps_write(ctx, o->deps, o->out);
    if (!status) status = tg_preprocess_tell(&p, tg_now() - start);
    tg_tokenizer_free(p.tokenizer);
    tg_documents_free(&p.documents);
    tg_packed_free(&p.packed);
    tg_scratch_free(p.text);
    tg_str_free(&p.sources);
    tg_str_free(&p.split);
    tg_str_free(&p.verdict);
    tg_str_free(&p.report);
    tg_str_free(&p.provenance);
    tg_str_free(&p.findings);
    tg_str_free(&p.leaked);
    return status;
}

tg_status tg_preprocess(tg_context *ctx, const tg_preprocess_options *o)
{
    static const tg_bounds bounds = {.keep = 32 << 20, .block = 1 << 20, .line = 8 << 20, .whole = 64 << 20,
                                     .near = TG_NEAR_MOST};
    return tg_preprocess_within(ctx, o, &bounds);
}
