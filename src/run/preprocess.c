/* preprocess.c - gen-preprocess: corpora to one dataset file.
 * Items are joined in order, each beginning on a new line, cleaned, made into tokens, and cut into training, validation
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
#include "data/text/tokenizer.h"
#include "models/ngram.h"
#include "run/deps.h"

enum { ONCE = TG_KEY_NO_CONFIG, SHOWN = 60, /* bytes of a leak that are shown */ NGRAM_ORDER = 3, NGRAM_BYTES = 16 << 20 };

const tg_key tg_preprocess_keys[] = {
    TG_LIST(tg_preprocess_options, corpora, 0, "CORPUS", TG_KEY_ARGUMENT,
            "folders that gen-collect made, taken in this order"),
    TG_TEXT(tg_preprocess_options, out, 'o', NULL, "FILE", TG_KEY_NAME, "the dataset to write, NAME.safetensors"),
    TG_CHOICE(tg_preprocess_options, tokenizer, 0, "char", "char|byte", 0,
              "a token is a Unicode character of the corpus (must be UTF-8), or a byte (takes anything)"),
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
    TG_CHOICE(tg_preprocess_options, documents, 0, "none", "none|line|blank|file", 0,
              "what a document is: nothing, a line, what blank lines part, an item; models then start and end them"),
    TG_CHOICE(tg_preprocess_options, split, 0, "auto", "auto|position|random|document", 0,
              "position: in the order given, by length; document: by number of documents; random: documents drawn by "
              "--seed; auto: random with documents, else position"),
    TG_CHOICE(tg_preprocess_options, dedupe, 0, "exact", "exact|near|off", 0,
              "documents that are equal, or nearly, are left out before the split"),
    TG_SWITCH(tg_preprocess_options, no_labels, 0, NULL, 0, "leave labels out; else documents that have them are conditional"),
    TG_REAL(tg_preprocess_options, val, 0, "0.1", 0, 1, 0, "share for validation, behind that for training"),
    TG_REAL(tg_preprocess_options, test, 0, "0", 0, 1, 0, "share for testing, at the end"),
    TG_INT(tg_preprocess_options, max_bytes, 0, "0", 0, 1e15, 0,
           "use only so many bytes, up to a whole character; 0: all"),
    TG_SWITCH(tg_preprocess_options, raw, 0, NULL, 0,
              "leave the bytes as they are: no conversion, no cleaning, nothing between items"),
    TG_INT(tg_preprocess_options, seed, 0, "1", 0, 9007199254740991.0, TG_KEY_SEED,
           "of a random split; a split by position draws nothing"),
    TG_SWITCH(tg_preprocess_options, force, 'f', NULL, ONCE, "replace the output"),
    TG_TEXT(tg_preprocess_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Items end in a newline where another follows. */
static tg_status join_item(tg_preparing *p, const char *bytes, int64_t length)
{
    if (!p->o->raw && p->text.length && p->text.data[p->text.length - 1] != '\n' && length) {
        tg_str_add(&p->text, "\n");
        p->cleaning.joints++;
    }
    tg_str_add_n(&p->text, bytes, length);
    return p->text.failed ? TG_ENOMEM : TG_OK;
}

static tg_status add_text(tg_preparing *p, const tg_item *item, const tg_str *text)
{
    const char *label = p->o->no_labels ? NULL : item->label;
    if (!text->length) return TG_OK;
    if (!p->o->documents) return join_item(p, text->data, text->length);
    return tg_documents_cut(&p->documents, &p->text, text->data, text->length, (int)p->o->documents, label);
}

/* A row of a table is a document, however others are cut. */
static tg_status add_row(tg_preparing *p, const tg_item *item, const char *where, const tg_json *row, tg_str *text)
{
    if (row->type != TG_JSON_TEXT)
        return tg_fail(TG_EFORMAT, "%s: not a JSON text; collect the table again", where);
    tg_status status = tg_clean_item(p, where, row->text, row->length, text);
    if (status || !text->length) return status;
    if (!p->o->documents) return join_item(p, text->data, text->length);
    return tg_documents_cut(&p->documents, &p->text, text->data, text->length, TG_DOCUMENTS_FILE,
                            p->o->no_labels ? NULL : item->label);
}

static tg_status add_rows(tg_preparing *p, const tg_item *item, const char *where, const char *bytes, tg_str *text)
{
    tg_arena *arena = tg_arena_new(1 << 16);
    tg_str line = {0};
    if (!arena) return TG_ENOMEM;
    const tg_arena_mark fresh = tg_arena_here(arena);
    tg_status status = TG_OK;
    int64_t number = 0;
    for (int64_t at = 0, end; at < item->bytes && !status; at = end + 1) {
        const char *stop = memchr(bytes + at, '\n', (size_t)(item->bytes - at));
        const tg_json *row;
        end = stop ? stop - bytes : item->bytes;
        tg_str_clear(&line);
        tg_str_addf(&line, "%s:%" PRId64, where, ++number);
        if (line.failed) status = TG_ENOMEM;
        if (!status) status = tg_json_parse(arena, line.data, bytes + at, end - at, &row);
        if (!status) status = add_row(p, item, line.data, row, text);
        tg_arena_rewind(arena, fresh);
    }
    tg_arena_free(arena);
    tg_str_free(&line);
    return status;
}

static tg_status add_item(tg_preparing *p, const tg_corpus *corpus, const char *folder, int64_t i)
{
    const tg_item *item = tg_corpus_item(corpus, i);
    char *bytes = NULL;
    tg_str where = {0}, text = {0};
    tg_str_addf(&where, "%s/%s (from %s)", folder, item->path, item->origin ? item->origin : "?");
    tg_status status = where.failed ? TG_ENOMEM : tg_corpus_read(corpus, i, &bytes);
    if (!status && item->documents) status = add_rows(p, item, where.data, bytes, &text);
    else {
        if (!status) status = tg_clean_item(p, where.data, bytes, item->bytes, &text);
        if (!status) status = add_text(p, item, &text);
    }
    if (!status) status = tg_manifest_add(&p->manifest, item);
    if (!status) tg_provenance_add(p, item);
    tg_free(bytes);
    tg_str_free(&where);
    tg_str_free(&text);
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
    tg_meter m = tg_meter_start(p->ctx, "read", "bytes", total);
    for (i = 0; !status && i < count && (p->o->max_bytes == 0 || p->text.length < p->o->max_bytes); i++) {
        status = add_item(p, corpus, folder, i);
        if (!status) status = tg_meter_add(&m, tg_corpus_item(corpus, i)->bytes);
    }
    for (; !status && i < count; i++) p->cleaning.cut += tg_corpus_item(corpus, i)->bytes;
    tg_meter_end(&m);
    tg_corpus_close(corpus);
    return status;
}

static tg_status read_all(tg_preparing *p)
{
    const tg_preprocess_options *o = p->o;
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < o->corpora.count; i++) status = read_corpus(p, o->corpora.items[i]);
    if (status) return status;
    if (o->max_bytes && p->text.length > o->max_bytes) {
        const int64_t all = p->text.length;
        p->text.length = o->max_bytes;
        p->text.length -= tg_utf8_partial(p->text.data, p->text.length);
        while (p->documents.count > 1 && p->documents.starts[p->documents.count] > p->text.length) p->documents.count--;
        if (o->documents) p->text.length = p->documents.starts[p->documents.count];
        p->cleaning.cut += all - p->text.length;
    }
    if (p->text.length == 0)
        return tg_fail(TG_EINVAL, "%s: the corpus is empty (%" PRId64 " item%s, no text); collect something first",
                       o->corpora.items[0], p->items, p->items == 1 ? "" : "s");
    return TG_OK;
}

/* ---- tokens and splits ------------------------------------------------------------------------------------------ */

static tg_status make_char(tg_preparing *p)
{
    uint64_t *set = tg_alloc(TG_CHAR_SET_WORDS * (int64_t)sizeof *set);
    if (!set) return TG_ENOMEM;
    tg_status status = tg_char_set_add(set, p->text.data, p->text.length);
    if (!status && p->o->min_count > 1) {
        p->cleaning.rare = tg_char_set_prune(set, p->text.data, p->text.length, p->o->min_count);
        if (p->cleaning.rare < 0) status = TG_ENOMEM;
    }
    if (!status) status = tg_tokenizer_char_new(set, &p->tokenizer);
    tg_free(set);
    return status;
}

static tg_status make_tokenizer(tg_preparing *p, const tg_class *classes, int64_t count)
{
    const bool by_byte = p->o->tokenizer == TG_BY_BYTE;
    tg_status status = by_byte ? tg_tokenizer_byte_new(&p->tokenizer) : make_char(p);
    if (status) return status;
    return tg_tokenizer_add_specials(p->tokenizer, !by_byte && p->o->min_count > 1, p->documents.count > 0, classes, count);
}

/* The first floor((1 - val - test)·N) tokens train, up to floor((1 - test)·N) validate, the rest test. The small
 * addition is against shares like 0.7 that binary fractions fall short of. */
static void split(const tg_preprocess_options *o, int64_t count, int64_t out[TG_SPLITS])
{
    int64_t train = (int64_t)floor((1 - o->val - o->test) * (double)count + 1e-6);
    int64_t before_test = (int64_t)floor((1 - o->test) * (double)count + 1e-6);
    if (o->test <= 0 || before_test > count) before_test = count;
    if (o->val <= 0) train = before_test;
    if (train > before_test) train = before_test;
    out[TG_TRAIN] = train;
    out[TG_VAL] = before_test - train;
    out[TG_TEST] = count - before_test;
}

static int by_name(const void *a, const void *b, void *user)
{
    (void)user;
    return strcmp(((const tg_class *)a)->name, ((const tg_class *)b)->name);
}

/* The labels in order of names, so that the order of items does not number them; places[i]: where names[i] went. */
static void list_classes(const tg_documents *d, tg_class *classes, tg_class *scratch, int32_t *places)
{
    for (int64_t i = 0; i < d->names_count; i++) classes[i] = (tg_class){d->names[i], 0};
    tg_sort(classes, d->names_count, sizeof *classes, scratch, by_name, NULL);
    for (int64_t i = 0; i < d->names_count; i++)
        for (int64_t k = 0; k < d->names_count; k++)
            if (classes[k].name == d->names[i]) places[i] = (int32_t)k;
    for (int64_t i = 0; i < d->by_split[TG_TRAIN]; i++) classes[places[d->labels[i]]].documents++;
}

static tg_status check_labels(const tg_preparing *p)
{
    const tg_documents *d = &p->documents;
    if (d->names_count > UINT16_MAX)
        return tg_fail(TG_EINVAL, "%" PRId64 " different labels are more than %d; --no-labels leaves them out", d->names_count,
                       UINT16_MAX);
    if (d->names_count == 0 || d->labelled == d->count) return TG_OK;
    return tg_fail(TG_EINVAL, "%" PRId64 " of %" PRId64 " documents have no label, the others have; collect those again with "
                   "--label, or leave labels out: --no-labels", d->count - d->labelled, d->count);
}

/* What is said more than once stays once, before the split, so that no twin of a training document validates. Twins of
 * another class go, too. */
static tg_status drop_duplicates(tg_preparing *p)
{
    tg_documents *d = &p->documents;
    if (p->o->dedupe == TG_DEDUPE_OFF || d->count == 0) return TG_OK;
    int64_t *first = tg_alloc_array(d->count, sizeof *first), before = d->count;
    if (!first) return TG_ENOMEM;
    tg_status status = tg_duplicates_exact(p->text.data, d->starts, d->count, first);
    if (!status) tg_documents_drop(d, &p->text, first);
    p->cleaning.exact = before - d->count;
    before = d->count;
    if (!status && p->o->dedupe == TG_DEDUPE_NEAR) {
        status = tg_duplicates_near(p->ctx, p->text.data, d->starts, d->count, TG_NEAR_THRESHOLD, first);
        if (!status) tg_documents_drop(d, &p->text, first);
        p->cleaning.near = before - d->count;
    }
    tg_free(first);
    return status;
}

/* Documents to tokens, with a class for each where they have labels. */
static tg_status pack_documents(tg_preparing *p)
{
    tg_documents *d = &p->documents;
    const int64_t names = d->names_count;
    tg_status status = check_labels(p);
    if (!status) status = drop_duplicates(p);
    if (status) return status;
    const int rule = p->o->split == TG_SPLIT_AUTO ? TG_SPLIT_RANDOM : (int)p->o->split;
    status = tg_documents_split(d, &p->text, rule, (uint64_t)p->o->seed, p->o->val, p->o->test);
    tg_class *classes = tg_alloc_array(2 * names + 1, sizeof *classes);
    int32_t *places = tg_alloc_array(names + 1, sizeof *places);
    if (!status && (!classes || !places)) status = TG_ENOMEM;
    if (!status) {
        list_classes(d, classes, classes + names, places);
        status = make_tokenizer(p, classes, names);
    }
    if (!status) status = tg_documents_pack(p->ctx, d, &p->text, p->tokenizer, names ? places : NULL, &p->packed);
    tg_free(classes);
    tg_free(places);
    return status;
}

static tg_status pack_text(tg_preparing *p)
{
    int64_t count;
    tg_status status = make_tokenizer(p, NULL, 0);
    if (!status) status = tg_pack_tokens(p->ctx, p->tokenizer, p->text.data, p->text.length, &p->packed.tokens, &count);
    if (!status) split(p->o, count, p->packed.counts);
    return status;
}

/* Where the training text ends and validation's does, in bytes of the text. */
static void find_ends(const tg_preparing *p, int64_t *train, int64_t *val)
{
    const int64_t *by_split = p->documents.by_split, *counts = p->packed.counts;
    if (p->o->documents) {
        *train = p->documents.starts[by_split[TG_TRAIN]];
        *val = p->documents.starts[by_split[TG_TRAIN] + by_split[TG_VAL]];
        return;
    }
    *train = tg_tokenizer_bytes_of(p->tokenizer, p->text.data, p->text.length, counts[TG_TRAIN]);
    *val = *train + tg_tokenizer_bytes_of(p->tokenizer, p->text.data + *train, p->text.length - *train, counts[TG_VAL]);
}

/* What validation repeats of training, word for word. */
static tg_status find_leaks(tg_preparing *p)
{
    int64_t train, val;
    find_ends(p, &train, &val);
    p->val_bytes = val - train;
    if (val == train || train == 0) return TG_OK;
    tg_status status = tg_leaks_find(p->text.data, train, p->text.data + train, val - train, TG_LEAK_SPAN, &p->leaks);
    if (!status && p->leaks.longest)
        tg_str_add_n(&p->leaked, p->text.data + train + p->leaks.longest_in_val, p->leaks.longest < SHOWN ? p->leaks.longest : SHOWN);
    p->leaked.length -= p->leaked.length ? tg_utf8_partial(p->leaked.data, p->leaked.length) : 0;
    return status;
}

/* What an n-gram of order 3 makes of validation, or of training where there is none. It is counted on the first 16 MiB of
 * training: enough to be told apart from a model that learned nothing. */
static tg_status find_ngram(tg_preparing *p)
{
    tg_figures *f = &p->figures;
    const double start = tg_now();
    const int of = f->counts[TG_VAL] ? TG_VAL : TG_TRAIN, width = tg_token_bytes(f->vocab);
    const int64_t most = f->bytes[TG_TRAIN] > NGRAM_BYTES
                             ? (int64_t)((double)f->counts[TG_TRAIN] / (double)f->bytes[TG_TRAIN] * NGRAM_BYTES) : f->counts[TG_TRAIN];
    const int64_t *by_split = p->documents.by_split;
    const tg_tokenizer *t = p->tokenizer;
    tg_ngram_text train = {.tokens = p->packed.tokens, .count = most, .starts = p->packed.starts, .documents = by_split[TG_TRAIN],
                           .given = tg_tokenizer_classes(t) ? tg_tokenizer_class_token(t, 0) : 0}, other = train;
    other.count = f->counts[of];
    if (of == TG_VAL) {
        other.tokens = (const char *)p->packed.tokens + f->counts[TG_TRAIN] * width;
        other.starts = p->packed.starts ? p->packed.starts + by_split[TG_TRAIN] : NULL;
        other.documents = by_split[TG_VAL];
    }
    tg_ngram *g = NULL;
    if (train.count < 1) return TG_OK;
    tg_status status = tg_ngram_fit(p->ctx, &train, f->vocab, NGRAM_ORDER, &g);
    if (!status) status = tg_ngram_nats(p->ctx, g, &other, &f->ngram);
    tg_ngram_free(g);
    p->ngram_seconds = tg_now() - start;
    return status;
}

static tg_status write_dataset(tg_preparing *p)
{
    tg_status status = p->o->documents ? pack_documents(p) : pack_text(p);
    if (!status) status = find_leaks(p);
    if (status) return status;
    tg_str_free(&p->text);
    status = tg_figures_count(p->tokenizer, p->packed.tokens, p->packed.counts, &p->figures);
    if (!status) status = find_ngram(p);
    if (!status) status = tg_verdict_make(p);
    if (status) return status;
    tg_dataset_draft draft = {
        .tokenizer = p->tokenizer, .tokens = p->packed.tokens, .figures = &p->figures, .starts = p->packed.starts,
        .labels = p->packed.labels, .split = p->split.data, .verdict = p->verdict.data, .report = p->report.data,
        .provenance = p->provenance.data,
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
    if (!o->documents && o->split > TG_SPLIT_POSITION)
        return tg_fail(TG_EUSAGE, "--split random and --split document want documents; add --documents line, blank or file");
    if (o->val + o->test >= 1)
        return tg_fail(TG_EUSAGE, "--val and --test take everything; together they must stay below 1");
    tg_file_kind kind = tg_path_kind(o->out);
    if (kind == TG_PATH_FOLDER) return tg_fail(TG_EINVAL, "%s: there is a folder of that name; take another", o->out);
    if (kind == TG_PATH_FILE && !o->force)
        return tg_fail(TG_EINVAL, "%s: is there already; --force replaces it", o->out);
    return TG_OK;
}

tg_status tg_preprocess(tg_context *ctx, const tg_preprocess_options *o)
{
    double start = tg_now();
    tg_preparing p = {.ctx = ctx, .o = o};
    tg_manifest_start(&p.manifest);
    tg_status status = check_options(o);
    if (!status) status = read_all(&p);
    if (!status) status = write_dataset(&p);
    if (!status) status = tg_deps_write(ctx, o->deps, o->out);
    if (!status) status = tg_preprocess_tell(&p, tg_now() - start);
    tg_tokenizer_free(p.tokenizer);
    tg_documents_free(&p.documents);
    tg_packed_free(&p.packed);
    tg_str_free(&p.text);
    tg_str_free(&p.sources);
    tg_str_free(&p.split);
    tg_str_free(&p.verdict);
    tg_str_free(&p.report);
    tg_str_free(&p.provenance);
    tg_str_free(&p.findings);
    tg_str_free(&p.leaked);
    return status;
}
