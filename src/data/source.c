/* source.c - finding and reading what is to be collected. */
#include "data/source.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/meter.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/synth.h"

enum { PART = 1 << 20 };

bool tg_gather_full(const tg_gather *g)
{
    return (g->limit > 0 && g->items >= g->limit) || (g->max_bytes > 0 && g->bytes >= g->max_bytes);
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

/* Appends to the end, or until `most` bytes are there. */
static tg_status read_up_to(tg_gather *g, tg_file *f, int64_t most, tg_str *out)
{
    int64_t size = tg_file_size(f), got = 1;
    tg_meter m = tg_meter_start(g->ctx, "read", "bytes", size < 0 ? 0 : size < most ? size : most);
    char *part = tg_alloc_raw(PART);
    tg_status status = part ? TG_OK : TG_ENOMEM;
    while (!status && got > 0 && out->length < most) {
        int64_t room = most - out->length < PART ? most - out->length : PART;
        status = tg_file_read(f, part, room, &got);
        if (!status) tg_str_add_n(out, part, got);
        if (!status && out->failed) status = TG_ENOMEM;
        if (!status) status = tg_meter_add(&m, got);
    }
    tg_meter_end(&m);
    tg_free(part);
    return status;
}

/* Up to the bound; a character that it cuts goes, unless the text is not UTF-8 anyway. */
static tg_status read_source(tg_gather *g, const char *path, tg_str *out)
{
    tg_file *f;
    tg_status status = tg_file_open(path, &f);
    if (status) return status;
    tg_file_watch(f, g->ctx);
    int64_t most = g->max_bytes > 0 ? g->max_bytes - g->bytes : INT64_MAX;
    status = read_up_to(g, f, most, out);
    tg_file_close(f);
    if (!status && out->length == most) out->length -= tg_utf8_partial(out->data, out->length);
    return status;
}

/* Offset of what makes bytes no text: a NUL or invalid UTF-8; -1: nothing does. */
static int64_t first_odd(const char *bytes, int64_t length, const char **what)
{
    const char *nul = length ? memchr(bytes, 0, (size_t)length) : NULL;
    int64_t invalid = tg_utf8_check(bytes, nul ? nul - bytes : length);
    *what = invalid >= 0 ? "not UTF-8" : "a NUL";
    return invalid >= 0 ? invalid : nul ? nul - bytes : -1;
}

static tg_status take(tg_gather *g, const char *origin, const char *licence, const tg_str *text)
{
    tg_status status = g->take(g->user, origin, licence, text->data ? text->data : "", text->length);
    if (status) return status;
    g->items++;
    g->bytes += text->length;
    return TG_OK;
}

/* named: given on the command line (origin may be "standard input" then), else found in a folder. */
static tg_status gather_file(tg_gather *g, const char *path, bool named)
{
    bool input = strcmp(path, "-") == 0;
    const char *origin = input ? "standard input" : path, *what;
    tg_str text = {0};
    tg_status status = read_source(g, path, &text);
    if (!status && !input) status = g->note(g->user, path);
    int64_t odd = status ? -1 : first_odd(text.data ? text.data : "", text.length, &what);
    if (odd >= 0 && named)
        tg_log(g->ctx, TG_LOG_WARN,
               "%s: %s at byte %" PRId64 "; taken as it is, gen-preprocess will want --tokenizer byte", origin, what,
               odd);
    else if (odd >= 0)
        tg_log(g->ctx, TG_LOG_WARN, "%s: no text (%s at byte %" PRId64 "): passed over", origin, what, odd);
    if (!status && text.length == 0) tg_log(g->ctx, TG_LOG_WARN, "%s: empty", origin);
    bool skip = !named && (odd >= 0 || text.length == 0);
    if (!status && skip) g->skipped++;
    if (!status && !skip) status = take(g, origin, NULL, &text);
    tg_str_free(&text);
    return status;
}

/* ---- folders, grammars ------------------------------------------------------------------------------------------ */

static bool is_sampled(tg_gather *g)
{
    tg_rng r = tg_rng_at(g->seed, TG_RNG_SPLIT, (uint64_t)g->found++);
    return g->sample >= 1 || (double)tg_rng_unit(&r) < g->sample;
}

/* A corpus inside a folder would be collected again, manifest and all. */
static tg_status refuse_corpus(const char *folder)
{
    char *list = tg_path_join(folder, "manifest.jsonl");
    if (!list) return TG_ENOMEM;
    bool there = tg_path_kind(list) == TG_PATH_FILE;
    tg_free(list);
    if (there) return tg_fail(TG_EINVAL, "%s: is a corpus already; give it to gen-preprocess", folder);
    return TG_OK;
}

/* Whether a file of the folder is a corpus's list or one of its items: P/manifest.jsonl beside P/items/. */
static tg_status is_of_corpus(tg_gather *g, const char *folder, const char *name, bool *out)
{
    const char *last = tg_path_name(name), *items = NULL;
    bool list = strcmp(last, "manifest.jsonl") == 0;
    for (const char *at = name; !list && (at = strstr(at, "items/")); at++)
        if (at == name || at[-1] == '/') items = at;
    *out = false;
    if (!list && !items) return TG_OK;
    tg_str other = {0};
    tg_str_addf(&other, "%s/%.*s", folder, (int)((list ? last : items) - name), name);
    int64_t length = other.length - 1;
    tg_str_add(&other, list ? "items" : "manifest.jsonl");
    if (other.failed) return TG_ENOMEM;
    *out = tg_path_kind(other.data) == (list ? TG_PATH_FOLDER : TG_PATH_FILE);
    if (*out && list) {
        g->skipped++;
        tg_log(g->ctx, TG_LOG_WARN, "%.*s: a corpus: passed over; give it to gen-preprocess beside the new one",
               (int)length, other.data);
    }
    tg_str_free(&other);
    return TG_OK;
}

static tg_status gather_folder(tg_gather *g, const char *folder)
{
    tg_listing files;
    tg_status status = refuse_corpus(folder);
    if (!status) status = tg_list_tree(folder, &files);
    if (status) return status;
    for (int64_t i = 0; !status && i < files.count && !tg_gather_full(g); i++) {
        bool of_corpus;
        status = is_of_corpus(g, folder, files.names[i], &of_corpus);
        if (status || of_corpus || !is_sampled(g)) continue;
        char *path = tg_path_join(folder, files.names[i]);
        status = path ? gather_file(g, path, false) : TG_ENOMEM;
        tg_free(path);
    }
    tg_listing_free(&files);
    return status;
}

static tg_status gather_synth(tg_gather *g, const char *source)
{
    tg_str text = {0}, origin = {0};
    int64_t bytes = g->max_bytes > 0 ? g->max_bytes - g->bytes : TG_SYNTH_BYTES;
    tg_status status = tg_synth(source, g->seed, bytes, &text);
    tg_str_addf(&origin, "%s seed %" PRIu64, source, g->seed);
    if (!status) status = origin.failed ? TG_ENOMEM : take(g, origin.data, "CC0-1.0", &text);
    tg_str_free(&origin);
    tg_str_free(&text);
    return status;
}

static bool is_address(const char *source)
{
    const char *at = strstr(source, "://");
    if (!at || at == source) return false;
    for (const char *c = source; c < at; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '+'))
            return false;
    return true;
}

tg_status tg_gather_source(tg_gather *g, const char *source)
{
    if (tg_synth_is(source)) return gather_synth(g, source);
    if (strcmp(source, "-") == 0) return gather_file(g, source, true);
    if (is_address(source))
        return tg_fail(TG_EUNSUPPORTED,
                       "%s: addresses are not fetched by this version; fetch it (curl -O) and give the file", source);
    if (tg_path_kind(source) == TG_PATH_FOLDER) return gather_folder(g, source);
    return gather_file(g, source, true);
}
