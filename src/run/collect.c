/* collect.c - gen-collect: sources to a corpus folder. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "data/corpus.h"
#include "data/recipe.h"
#include "data/source.h"
#include "data/synth.h"
#include "run/deps.h"
#include "run/result.h"
#include "tinygen/run.h"

enum { ONCE = TG_KEY_NO_CONFIG };

const tg_key tg_collect_keys[] = {
    TG_LIST(tg_collect_options, sources, 0, "SOURCE", TG_KEY_ARGUMENT,
            "files, folders, - (standard input), http:, https:, ftp: and file: addresses (curl fetches them), "
            "recipe:NAME (a public data set), synth:KIND (made on the spot); --list shows the last two"),
    TG_TEXT(tg_collect_options, out, 'o', NULL, "FOLDER", TG_KEY_NAME, "the corpus to make"),
    TG_CHOICE(tg_collect_options, kind, 0, "auto", TG_GATHER_KINDS, 0,
              "what files are; auto: images (PNG, PNM, IDX) and tables of numbers are told from text by what is in them"),
    TG_TEXT(tg_collect_options, licence, 0, NULL, "ID", 0,
            "licence of what is collected, as CC0-1.0; kept with every item"),
    TG_TEXT(tg_collect_options, origin, 0, NULL, "TEXT", 0, "where it comes from; without it, each file's name"),
    TG_TEXT(tg_collect_options, label, 0, NULL, "NAME|from-folder", 0,
            "class of all these items; from-folder: of each file, the first folder below its SOURCE"),
    TG_CHOICE(tg_collect_options, split, 0, "auto", TG_GATHER_SPLITS, 0,
              "images, points: which split all these items are of; auto: as names tell, train and test folders or files, t10k-*"),
    TG_TEXT(tg_collect_options, column, 0, NULL, "NAME", 0,
            "files are tables (CSV, TSV, JSON, JSON lines): take this column, a document a row"),
    TG_TEXT(tg_collect_options, label_column, 0, NULL, "NAME", 0, "the column that holds each row's class"),
    TG_INT(tg_collect_options, max_bytes, 0, "0", 0, 1e15, 0,
           "stop after so many bytes, at a whole character; 0: no bound (synth: 100k)"),
    TG_INT(tg_collect_options, max_download, 0, "4G", 0, 1e15, 0, "bytes that one address may bring; 0: no bound"),
    TG_INT(tg_collect_options, limit, 0, "0", 0, 1e12, 0,
           "stop after so many items, images, or rows of tables; 0: no bound (synth: 3,000 images, 10,000 points)"),
    TG_REAL(tg_collect_options, sample, 0, "1", 0, 1, 0,
            "take this share of the files in folders, with --column of the rows, chosen by --seed"),
    TG_INT(tg_collect_options, seed, 0, "1", 0, 9007199254740991.0, TG_KEY_SEED, "of synth: and --sample"),
    TG_SWITCH(tg_collect_options, list, 0, NULL, ONCE, "list what synth: can make and recipe: can fetch, and stop"),
    TG_SWITCH(tg_collect_options, force, 'f', NULL, ONCE, "replace an older corpus of that name"),
    TG_TEXT(tg_collect_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

enum { NAMED = 3 }; /* as many examples as a warning gives */

/* Items that a warning is about: how many, and the first by name. */
typedef struct tally { int64_t count; tg_str names; } tally;

typedef struct collecting {
    tg_context *ctx;
    const tg_collect_options *o;
    tg_corpus_writer *writer;
    tally no_licence, no_label;
    int64_t repeats;
    tg_str pair; /* the first two that are the same */
} collecting;

static void tally_add(tally *t, const char *name)
{
    if (t->count < NAMED) tg_str_addf(&t->names, "%s%s", t->count ? ", " : "", name);
    if (t->count++ == NAMED) tg_str_add(&t->names, ", ...");
}

static bool by_folder(const tg_collect_options *o)
{
    return o->label && strcmp(o->label, "from-folder") == 0;
}

static tg_status take_item(void *user, const tg_item *found, tg_scratch *text)
{
    collecting *c = user;
    tg_item about = *found;
    if (c->o->origin) about.origin = c->o->origin;
    if (c->o->licence) about.licence = c->o->licence;
    if (c->o->label && !by_folder(c->o)) about.label = c->o->label;
    tg_status status = tg_corpus_add_from(c->writer, &about, text);
    if (status) return status;
    if (!about.licence) tally_add(&c->no_licence, found->origin);
    if (!about.label && by_folder(c->o)) tally_add(&c->no_label, found->origin);
    const char *first = tg_scratch_length(text) ? tg_corpus_repeats(c->writer) : NULL;
    if (first && c->repeats++ == 0) tg_str_addf(&c->pair, "%s and %s", first, about.origin);
    return c->no_licence.names.failed || c->no_label.names.failed || c->pair.failed ? TG_ENOMEM : TG_OK;
}

static tg_status take_note(void *user, const char *path)
{
    const collecting *c = user;
    return c->o->deps ? tg_context_read(c->ctx, path) : TG_OK;
}

static tg_status check_options(const tg_collect_options *o)
{
    if (o->sources.count == 0)
        return tg_fail(TG_EUSAGE, "nothing to collect; name a SOURCE: files, folders, -, an address, recipe:NAME or "
                                  "synth:verses");
    if (!o->out) return tg_fail(TG_EUSAGE, "no place for the corpus; add -o FOLDER");
    if (o->column && o->kind > TG_GATHER_TEXT)
        return tg_fail(TG_EUSAGE, "--column %s takes texts out of tables; it does not go with --kind", o->column);
    if (o->label_column && !o->column)
        return tg_fail(TG_EUSAGE, "--label-column %s: which column holds the text? add --column NAME", o->label_column);
    if (o->label_column && o->label)
        return tg_fail(TG_EUSAGE, "--label %s and --label-column %s: an item has one class; leave one of them out",
                       o->label, o->label_column);
    if (o->label_column && strcmp(o->label_column, o->column) == 0)
        return tg_fail(TG_EUSAGE, "--label-column %s is the --column of the text; name another", o->column);
    return TG_OK;
}

static tg_status gather_all(collecting *c, tg_gather *g)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < c->o->sources.count && !tg_gather_full(g); i++) {
        if (tg_cancelled(c->ctx)) status = tg_fail(TG_ECANCELLED, "stopped; nothing was written");
        else status = tg_gather_source(g, c->o->sources.items[i]);
    }
    if (!status) status = tg_gather_finish(g);
    if (!status && g->items == 0 && g->full)
        status = tg_fail(TG_EINVAL, "the first %s is longer than --max-bytes %" PRId64, c->o->column ? "row" : "item", c->o->max_bytes);
    if (!status && g->items == 0)
        status = tg_fail(TG_EINVAL, "nothing to collect: no %s in %s%s", c->o->kind > TG_GATHER_TEXT ? "data of that kind" : "text",
                         c->o->sources.items[0], c->o->sources.count > 1 ? " and the others" : "");
    return status;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* What people should know of their corpus before they train on it. */
static void warn(const collecting *c, int64_t items)
{
    const tally *l = &c->no_licence, *f = &c->no_label;
    if (l->count && l->count < items)
        tg_log(c->ctx, TG_LOG_WARN,
               "%" PRId64 " of %" PRId64 " items have no licence (%s), the others have one; find it out and collect "
               "them apart with --licence ID (gen-preprocess takes several corpora)",
               l->count, items, l->names.data);
    else if (l->count)
        tg_log(c->ctx, TG_LOG_DETAIL, "no item has a licence; --licence ID states it");
    if (f->count)
        tg_log(c->ctx, TG_LOG_WARN, "%" PRId64 " item%s no class: in no folder below a SOURCE (%s)", f->count,
               f->count == 1 ? " has" : "s have", f->names.data);
    if (c->repeats)
        tg_log(c->ctx, TG_LOG_WARN, "%" PRId64 " item%s byte for byte the same as one before (%s): kept", c->repeats,
               c->repeats == 1 ? " is" : "s are", c->pair.data);
}

static tg_status tell(const collecting *c, const tg_gather *g, const char *manifest, double seconds)
{
    char bytes[32], count[32];
    tg_str line = {0};
    if (g->rows) tg_str_addf(&line, " (%s row%s)", tg_format_count(count, g->rows), plural(g->rows));
    if (g->samples && g->samples != g->items)
        tg_str_addf(&line, " (%s %s%s)", tg_format_count(count, g->samples), strcmp(g->was, "image") ? "row" : "image", plural(g->samples));
    tg_log(c->ctx, TG_LOG_INFO, "%s: %" PRId64 " item%s%s, %s%s; seed %" PRId64, c->o->out, g->items, plural(g->items),
           line.data ? line.data : "", tg_format_bytes(bytes, (double)g->bytes),
           g->skipped ? " (some files were passed over)" : "", c->o->seed);
    tg_str_free(&line);
    if (g->with_split)
        tg_log(c->ctx, TG_LOG_INFO, "%" PRId64 " item%s of a split told by %s; --split none leaves that to gen-preprocess", g->with_split,
               g->with_split == 1 ? " is" : "s are", g->with_split == 1 ? "its name" : "their names");
    if (!c->o->json) return TG_OK;
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_result_begin(&w, "gen-collect", c->o->out, c->o->seed, seconds);
    tg_json_member_text(&w, "kind", g->was);
    tg_json_member_int(&w, "items", g->items);
    tg_json_member_int(&w, "rows", g->rows);
    tg_json_member_int(&w, "samples", g->samples);
    tg_json_member_int(&w, "bytes", g->bytes);
    tg_json_member_int(&w, "skipped", g->skipped);
    tg_json_member_int(&w, "duplicates", c->repeats);
    tg_json_member_int(&w, "without_licence", c->no_licence.count);
    tg_json_member_text(&w, "manifest_sha256", manifest);
    return tg_result_end(c->ctx, &w);
}

static tg_status list(tg_context *ctx)
{
    tg_str text = {0};
    tg_str_add(&text, tg_synth_list());
    tg_status status = tg_recipe_list(&text);
    if (!status) status = tg_output(ctx, text.data, text.length);
    tg_str_free(&text);
    return status;
}

static tg_status collect(collecting *c, double start)
{
    const tg_collect_options *o = c->o;
    char manifest[65];
    tg_gather g = {
        .ctx = c->ctx, .seed = (uint64_t)o->seed, .sample = o->sample, .max_bytes = o->max_bytes,
        .max_download = o->max_download, .limit = o->limit, .label_folders = by_folder(o), .column = o->column,
        .label_column = o->label_column, .kind = o->kind, .split = o->split, .take = take_item, .note = take_note, .user = c,
    };
    tg_status status = tg_corpus_begin(o->out, o->force, &c->writer);
    if (status) return status;
    char *scratch = tg_corpus_scratch(c->writer);
    g.scratch = scratch;
    status = scratch ? gather_all(c, &g) : TG_ENOMEM;
    tg_gather_free(&g);
    tg_free(scratch);
    if (status) tg_corpus_abandon(c->writer);
    else status = tg_corpus_commit(c->writer, manifest);
    if (!status) status = tg_deps_write_in(c->ctx, o->deps, o->out, "manifest.jsonl");
    if (!status) warn(c, g.items);
    return status ? status : tell(c, &g, manifest, tg_now() - start);
}

tg_status tg_collect(tg_context *ctx, const tg_collect_options *o)
{
    double start = tg_now();
    if (o->list) return list(ctx);
    tg_status status = check_options(o);
    if (status) return status;
    collecting c = {.ctx = ctx, .o = o};
    status = collect(&c, start);
    tg_str_free(&c.no_licence.names);
    tg_str_free(&c.no_label.names);
    tg_str_free(&c.pair);
    return status;
}
