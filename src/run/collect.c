/* collect.c - gen-collect: sources to a corpus folder. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "data/corpus.h"
#include "data/source.h"
#include "data/synth.h"
#include "run/deps.h"
#include "run/result.h"
#include "tinygen/run.h"

enum { ONCE = TG_KEY_NO_CONFIG };

const tg_key tg_collect_keys[] = {
    TG_LIST(tg_collect_options, sources, 0, "SOURCE", TG_KEY_ARGUMENT,
            "files, folders, - (standard input), synth:KIND (--list shows them)"),
    TG_TEXT(tg_collect_options, out, 'o', NULL, "FOLDER", TG_KEY_NAME, "the corpus to make"),
    TG_TEXT(tg_collect_options, licence, 0, NULL, "ID", 0,
            "licence of what is collected, as CC0-1.0; kept with every item"),
    TG_TEXT(tg_collect_options, origin, 0, NULL, "TEXT", 0, "where it comes from; without it, each file's name"),
    TG_TEXT(tg_collect_options, label, 0, NULL, "NAME", 0, "class of all these items"),
    TG_INT(tg_collect_options, max_bytes, 0, "0", 0, 1e15, 0,
           "stop after so many bytes, at a whole character; 0: no bound (synth: 100k)"),
    TG_INT(tg_collect_options, limit, 0, "0", 0, 1e12, 0, "stop after so many items; 0: no bound"),
    TG_REAL(tg_collect_options, sample, 0, "1", 0, 1, 0, "take this share of the files in folders, chosen by --seed"),
    TG_INT(tg_collect_options, seed, 0, "1", 0, 9007199254740991.0, TG_KEY_SEED, "of synth: and --sample"),
    TG_SWITCH(tg_collect_options, list, 0, NULL, ONCE, "list what synth: can make, and stop"),
    TG_SWITCH(tg_collect_options, force, 'f', NULL, ONCE, "replace an older corpus of that name"),
    TG_TEXT(tg_collect_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

typedef struct collecting {
    tg_context *ctx;
    const tg_collect_options *o;
    tg_corpus_writer *writer;
} collecting;

static tg_status take_item(void *user, const char *origin, const char *licence, const char *bytes, int64_t length)
{
    collecting *c = user;
    tg_item about = {
        .kind = "text", .origin = c->o->origin ? c->o->origin : origin,
        .licence = c->o->licence ? c->o->licence : licence, .label = c->o->label,
    };
    return tg_corpus_add(c->writer, &about, bytes, length);
}

static tg_status take_note(void *user, const char *path)
{
    const collecting *c = user;
    return c->o->deps ? tg_context_read(c->ctx, path) : TG_OK;
}

static tg_status check_options(const tg_collect_options *o)
{
    if (o->sources.count == 0)
        return tg_fail(TG_EUSAGE, "nothing to collect; name a SOURCE: files, folders, - or synth:verses");
    if (!o->out) return tg_fail(TG_EUSAGE, "no place for the corpus; add -o FOLDER");
    return TG_OK;
}

static tg_status gather_all(collecting *c, tg_gather *g)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < c->o->sources.count && !tg_gather_full(g); i++) {
        if (tg_cancelled(c->ctx)) status = tg_fail(TG_ECANCELLED, "stopped; nothing was written");
        else status = tg_gather_source(g, c->o->sources.items[i]);
    }
    if (!status && g->items == 0)
        status = tg_fail(TG_EINVAL, "nothing to collect: no text in %s%s", c->o->sources.items[0],
                         c->o->sources.count > 1 ? " and the others" : "");
    return status;
}

static tg_status tell(const collecting *c, const tg_gather *g, const char *manifest, double seconds)
{
    char bytes[32];
    tg_log(c->ctx, TG_LOG_INFO, "%s: %" PRId64 " item%s, %s%s; seed %" PRId64, c->o->out, g->items,
           g->items == 1 ? "" : "s", tg_format_bytes(bytes, (double)g->bytes),
           g->skipped ? " (some files were passed over)" : "", c->o->seed);
    if (!c->o->licence && g->items)
        tg_log(c->ctx, TG_LOG_DETAIL, "no --licence given: items say what their source says, or nothing");
    if (!c->o->json) return TG_OK;
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_result_begin(&w, "gen-collect", c->o->out, c->o->seed, seconds);
    tg_json_member_int(&w, "items", g->items);
    tg_json_member_int(&w, "bytes", g->bytes);
    tg_json_member_int(&w, "skipped", g->skipped);
    tg_json_member_text(&w, "manifest_sha256", manifest);
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    tg_status status = text.failed ? TG_ENOMEM : tg_output(c->ctx, text.data, text.length);
    tg_str_free(&text);
    return status;
}

tg_status tg_collect(tg_context *ctx, const tg_collect_options *o)
{
    double start = tg_now();
    char manifest[65];
    if (o->list) return tg_output(ctx, tg_synth_list(), (int64_t)strlen(tg_synth_list()));
    tg_status status = check_options(o);
    if (status) return status;
    collecting c = {.ctx = ctx, .o = o};
    tg_gather g = {
        .ctx = ctx, .seed = (uint64_t)o->seed, .sample = o->sample, .max_bytes = o->max_bytes, .limit = o->limit,
        .take = take_item, .note = take_note, .user = &c,
    };
    status = tg_corpus_begin(o->out, o->force, &c.writer);
    if (!status) status = gather_all(&c, &g);
    if (status) tg_corpus_abandon(c.writer);
    else status = tg_corpus_commit(c.writer, manifest);
    if (!status) status = tg_deps_write_in(ctx, o->deps, o->out, "manifest.jsonl");
    if (!status) status = tell(&c, &g, manifest, tg_now() - start);
    return status;
}
