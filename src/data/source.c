/* source.c - finding and reading what is to be collected. */
#include "data/source.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/meter.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/fetch.h"
#include "data/recipe.h"
#include "data/source_parts.h"
#include "data/synth.h"
#include "data/table.h"
#include "data/text/encoding.h"
#include "data/text/tokenizer.h"

enum { PART = TG_SOURCE_PART };

bool tg_gather_full(const tg_gather *g)
{
    return g->full || (g->limit > 0 && g->taken >= g->limit) || (g->max_bytes > 0 && g->bytes >= g->max_bytes);
}

int64_t tg_gather_room(const tg_gather *g)
{
    return g->max_bytes > 0 ? g->max_bytes - g->bytes : INT64_MAX;
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

/* Appends to the end, or until `most` bytes are there. */
static tg_status read_up_to(tg_gather *g, tg_file *f, int64_t most, tg_scratch *out)
{
    int64_t size = tg_file_size(f), got = 1;
    tg_meter m = tg_meter_start(g->ctx, "read", "bytes", size < 0 ? 0 : size < most ? size : most);
    char *part = tg_alloc_raw(PART);
    tg_status status = part ? TG_OK : TG_ENOMEM;
    while (!status && got > 0 && tg_scratch_length(out) < most) {
        int64_t left = most - tg_scratch_length(out), room = left < PART ? left : PART;
        status = tg_file_read(f, part, room, &got);
        if (!status) status = tg_scratch_add(out, part, got);
        if (!status) status = tg_meter_add(&m, got);
    }
    tg_meter_end(&m);
    tg_free(part);
    return status;
}

/* Up to so many bytes; fewer where there are no more. A table is wanted in memory. */
static tg_status read_source(tg_gather *g, const char *path, int64_t most, tg_scratch **out)
{
    tg_file *f;
    tg_scratch *text = NULL;
    tg_status status = tg_file_open(path, &f);
    if (status) return status;
    tg_file_watch(f, g->ctx);
    status = tg_scratch_new(g->scratch ? g->scratch : path, g->scratch && !g->column ? TG_SOURCE_KEEP : INT64_MAX / 4, &text);
    if (!status) status = read_up_to(g, f, most, text);
    bool whole = false;
    if (!status && tg_scratch_length(text) == most) status = tg_gather_wants_all(text, &whole);
    if (!status && whole) status = read_up_to(g, f, INT64_MAX, text);
    tg_file_close(f);
    if (status) tg_scratch_free(text);
    else *out = text;
    return status;
}

/* A part of text from `at` on, whole characters but at the end; borrowed until the next view. */
static tg_status view_part(tg_scratch *text, tg_encoding e, int64_t at, const char **part, int64_t *count)
{
    const int64_t left = tg_scratch_length(text) - at;
    *count = left < PART ? left : PART;
    tg_status status = tg_scratch_view(text, at, *count, part);
    if (!status && *count < left) *count -= tg_encoding_partial(e, *part, *count);
    return status;
}

typedef struct reading { tg_scratch *text; int64_t at; } reading;

static tg_status read_on(void *user, char *out, int64_t room, int64_t *got)
{
    reading *r = user;
    const int64_t left = tg_scratch_length(r->text) - r->at;
    const char *part;
    *got = left < room ? left : room;
    tg_status status = tg_scratch_view(r->text, r->at, *got, &part);
    if (status) return status;
    memcpy(out, part, (size_t)*got);
    r->at += *got;
    return TG_OK;
}

static tg_status guess(tg_scratch *text, tg_guess *out)
{
    char *room = tg_alloc_raw(TG_GUESS_ROOM);
    bool ascii;
    tg_status status = room ? tg_encoding_guess_parts(read_on, &(reading){.text = text}, room, out, &ascii) : TG_ENOMEM;
    tg_free(room);
    return status;
}

/* Whether bytes that are not UTF-8 are text in another encoding, to the end. */
static tg_status is_other_text(tg_scratch *text, bool *fits)
{
    tg_guess g;
    int64_t nul = -1;
    tg_status status = guess(text, &g);
    *fits = !status && g.encoding != TG_UTF8 && g.confidence >= 0.5;
    for (int64_t at = 0, n = 0; !status && *fits && at < tg_scratch_length(text); at += n) {
        const char *part;
        status = view_part(text, g.encoding, at, &part, &n);
        if (status) break;
        status = tg_encoding_check(g.encoding, part, n, at, &nul);
        *fits = !status && nul < 0;
        if (status == TG_EINVAL) status = TG_OK;
    }
    return status;
}

/* Offset of what makes bytes no text: a NUL, or what is in no encoding that is known; -1: nothing does. */
static tg_status first_odd(tg_scratch *text, int64_t *odd, const char **what)
{
    tg_status status = TG_OK;
    *odd = -1;
    for (int64_t at = 0, n = 0; !status && *odd < 0 && at < tg_scratch_length(text); at += n) {
        const char *part, *nul;
        status = view_part(text, TG_UTF8, at, &part, &n);
        if (status) return status;
        nul = memchr(part, 0, (size_t)n);
        const int64_t invalid = tg_utf8_check(part, nul ? nul - part : n);
        *what = invalid >= 0 ? "not UTF-8" : "a NUL";
        if (invalid >= 0 || nul) *odd = at + (invalid >= 0 ? invalid : nul - part);
    }
    bool other = false;
    if (*odd >= 0) status = is_other_text(text, &other);
    if (other) *odd = -1;
    return status;
}

tg_status tg_gather_take(tg_gather *g, const tg_item *about, tg_scratch *text)
{
    static const char *const kinds[] = {"text", "image", "table"};
    const bool labels = !strcmp(about->kind, "labels"), points = !strcmp(about->kind, "points"); /* as good as a table */
    if (g->was && !labels && strcmp(g->was, points ? "table" : about->kind))
        return tg_fail(TG_EINVAL, "%s: of kind %s, but what came before is of kind %s; a corpus is of one kind: collect them apart, or say "
                       "--kind", about->origin, about->kind, g->was);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i], points ? "table" : about->kind)) g->was = kinds[i];
    tg_status status = g->take(g->user, about, text);
    if (status) return status;
    g->items++;
    g->taken += !about->documents;
    g->bytes += tg_scratch_length(text);
    return TG_OK;
}

/* The same of what is in memory. */
static tg_status take_text(tg_gather *g, const tg_item *about, const tg_str *text)
{
    tg_scratch *s;
    tg_status status = tg_scratch_of(text->data ? text->data : "", text->length, &s);
    if (status) return status;
    status = tg_gather_take(g, about, s);
    tg_scratch_free(s);
    return status;
}

/* A text that only passes for ASCII is kept: gen-preprocess refuses it, unless told to take it as it is. */
static tg_status warn_seven(tg_gather *g, const char *origin, tg_scratch *text)
{
    tg_guess found;
    tg_status status = guess(text, &found);
    if (!status && found.encoding >= TG_ENCODINGS)
        tg_log(g->ctx, TG_LOG_WARN, "%s: in %s, which gen-preprocess does not read; make it UTF-8 first", origin,
               tg_encoding_name(found.encoding));
    return status;
}

/* Whether a file found in a folder is no text; says so. One that is named is taken with a warning, or, where it should
 * be a table, refused later. */
static tg_status is_passed_over(tg_gather *g, const char *origin, tg_scratch *text, bool named, bool *out)
{
    const char *what;
    const bool empty = tg_scratch_length(text) == 0;
    int64_t odd;
    tg_status status = first_odd(text, &odd, &what);
    if (status) return status;
    if (odd >= 0 && !named)
        tg_log(g->ctx, TG_LOG_WARN, "%s: no text (%s at byte %" PRId64 "): passed over", origin, what, odd);
    else if (odd >= 0 && !g->column)
        tg_log(g->ctx, TG_LOG_WARN,
               "%s: %s at byte %" PRId64 "; taken as it is, gen-preprocess will want --tokenizer byte", origin, what,
               odd);
    else if (odd < 0) status = warn_seven(g, origin, text);
    if (empty) tg_log(g->ctx, TG_LOG_WARN, "%s: empty", origin);
    *out = !named && (odd >= 0 || empty);
    return status;
}

/* A character that the bound cuts goes, unless the text is not UTF-8 anyway. */
static tg_status cut(const tg_gather *g, tg_scratch *text)
{
    const int64_t room = tg_gather_room(g), few = room < 4 ? room : 4;
    const char *tail;
    if (tg_scratch_length(text) < room) return TG_OK;
    tg_status status = tg_scratch_view(text, room - few, few, &tail);
    return status ? status : tg_scratch_cut(text, room - tg_utf8_partial(tail, few));
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* Rows of one table, by class; classes are numbered as they appear. */
typedef struct sorting {
    tg_gather *g;
    tg_table *table;
    tg_map *classes;
    tg_str *lines, line; /* lines of each class; one line in the making */
    int64_t room, bytes, empty, unlabelled;
} sorting;

static bool is_sampled(tg_gather *g)
{
    tg_rng r = tg_rng_at(g->seed, TG_RNG_SPLIT, (uint64_t)g->found++);
    return g->sample >= 1 || (double)tg_rng_unit(&r) < g->sample;
}

/* Position of a class in lines; -1: no memory, or too many (the message says which). */
static int64_t class_of(sorting *s, const char *label)
{
    int64_t entry = tg_map_add(s->classes, label, (int64_t)strlen(label) + 1);
    if (entry >= TG_MOST_CLASSES) {
        tg_fail(TG_EINVAL, "%s: more than %d classes in column %s; take one with fewer values", s->table->name,
                (int)TG_MOST_CLASSES, s->table->label);
        return -1;
    }
    if (entry < s->room) return entry;
    int64_t room = s->room ? 2 * s->room : 16, size = (int64_t)sizeof *s->lines;
    tg_str *lines = tg_realloc(s->lines, s->room * size, room * size);
    if (!lines) return -1;
    s->lines = lines;
    s->room = room;
    return entry;
}

static tg_status take_row(void *user, const char *text, int64_t length, const char *label)
{
    sorting *s = user;
    tg_gather *g = s->g;
    if ((g->found & 1023) == 0 && tg_cancelled(g->ctx)) return tg_fail(TG_ECANCELLED, "stopped; nothing was written");
    s->empty += length == 0;
    if (length == 0 || !is_sampled(g)) return TG_OK;
    tg_json_writer w = {.out = &s->line};
    tg_str_clear(&s->line);
    tg_json_put_text_n(&w, text, length);
    tg_str_add(&s->line, "\n");
    g->full = s->line.length > tg_gather_room(g) - s->bytes;
    s->table->enough = g->full;
    if (g->full || s->line.failed) return s->line.failed ? TG_ENOMEM : TG_OK;
    int64_t i = class_of(s, label ? label : "");
    if (i < 0) return tg_map_count(s->classes) > TG_MOST_CLASSES ? TG_EINVAL : TG_ENOMEM;
    tg_str_add_n(&s->lines[i], s->line.data, s->line.length);
    s->bytes += s->line.length;
    s->unlabelled += label && !*label;
    g->rows++;
    g->taken++;
    s->table->enough = g->limit > 0 && g->taken >= g->limit;
    return s->lines[i].failed ? TG_ENOMEM : TG_OK;
}

static tg_status take_classes(sorting *s, const tg_item *about)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < tg_map_count(s->classes); i++) {
        int64_t bytes;
        const char *label = tg_map_key(s->classes, i, &bytes);
        tg_item item = *about;
        item.documents = "jsonl";
        if (*label) item.label = label;
        status = take_text(s->g, &item, &s->lines[i]);
    }
    if (!status && s->empty)
        tg_log(s->g->ctx, TG_LOG_WARN, "%s: %" PRId64 " row%s without a text in column %s: passed over", s->table->name,
               s->empty, s->empty == 1 ? "" : "s", s->table->column);
    if (!status && s->unlabelled)
        tg_log(s->g->ctx, TG_LOG_WARN, "%s: %" PRId64 " row%s without a class in column %s: kept, without one",
               s->table->name, s->unlabelled, s->unlabelled == 1 ? "" : "s", s->table->label);
    return status;
}

static tg_status take_table(tg_gather *g, const tg_item *about, const tg_scratch *text)
{
    tg_table t = {.name = about->origin, .column = g->column, .label = g->label_column, .row = take_row};
    sorting s = {.g = g, .table = &t, .classes = tg_map_new()};
    t.user = &s;
    tg_status status = s.classes ? tg_table_read(&t, tg_scratch_memory(text), tg_scratch_length(text)) : TG_ENOMEM;
    if (!status) status = take_classes(&s, about);
    for (int64_t i = 0; i < s.room; i++) tg_str_free(&s.lines[i]);
    tg_free(s.lines);
    tg_str_free(&s.line);
    tg_map_free(s.classes);
    return status;
}

/* Who collects a table as plain text may not know that there is another way. Said once. */
static tg_status hint_table(tg_gather *g, const char *origin, tg_scratch *text)
{
    const int64_t length = tg_scratch_length(text), count = length < PART ? length : PART;
    const bool whole = count == length && (g->max_bytes == 0 || tg_gather_room(g) - length > 3);
    const char *head;
    tg_str names = {0};
    tg_status status = g->hinted ? TG_OK : tg_scratch_view(text, 0, count, &head);
    if (!status && !g->hinted) status = tg_table_guess(head, count, whole, &names);
    if (!status && names.length) {
        g->hinted = true;
        tg_log(g->ctx, TG_LOG_INFO, "%s: looks like a table (%s), taken as plain text; --column NAME takes one of these, a "
               "document a row", origin, names.data);
    }
    tg_str_free(&names);
    return status;
}

/* named: given on the command line, else found in a folder. */
static tg_status take_found(tg_gather *g, tg_item *about, tg_scratch **packed, bool named)
{
    bool over = false, done = false;
    tg_status status = tg_gather_unpack(g, about->origin, packed, named, &done);
    tg_scratch *text = *packed;
    if (!status && !done && !g->column) status = tg_gather_sample(g, about, text, named, &done);
    if (status || done) return status;
    if (!g->column) status = cut(g, text);
    if (!status) status = is_passed_over(g, about->origin, text, named, &over);
    g->skipped += over;
    if (!status && !over && !g->column) status = hint_table(g, about->origin, text);
    if (status || over) return status;
    return g->column ? take_table(g, about, text) : tg_gather_take(g, about, text);
}

/* A file or standard input. */
static tg_status gather_file(tg_gather *g, const char *path, const char *label, const char *split, bool named)
{
    bool input = strcmp(path, "-") == 0;
    tg_item about = {.kind = "text", .origin = input ? "standard input" : path, .label = label, .split = split};
    tg_scratch *text = NULL;
    tg_status status = read_source(g, path, g->column ? INT64_MAX : tg_gather_room(g), &text);
    if (!status && !input) status = g->note(g->user, path);
    if (!status) status = take_found(g, &about, &text, named);
    tg_scratch_free(text);
    return status;
}

/* ---- addresses, recipes ----------------------------------------------------------------------------------------- */

static tg_status check_recipe(const tg_recipe_file *file, const char *recipe, tg_scratch *text)
{
    char hex[65];
    const int64_t length = tg_scratch_length(text);
    tg_sha256 sha;
    tg_sha256_start(&sha);
    for (int64_t at = 0, n; at < length; at += n) {
        const char *part;
        n = length - at < PART ? length - at : PART;
        tg_status status = tg_scratch_view(text, at, n, &part);
        if (status) return status;
        tg_sha256_add(&sha, part, n);
    }
    tg_sha256_end(&sha, hex);
    if (strcmp(hex, file->sha256) == 0) return TG_OK;
    return tg_fail(TG_EFORMAT,
                   "%s: its SHA-256 is %s (%" PRId64 " bytes), that of %s %s (%" PRId64
                   " bytes); it has changed there, or on the way",
                   file->url, hex, length, recipe, file->sha256, file->bytes);
}

/* recipe: of which file is one; NULL: an address of the user's, file has but its url. */
static tg_status gather_address(tg_gather *g, const tg_recipe_file *file, const char *recipe, const char *licence)
{
    char *shown = tg_fetch_shown(file->url);
    tg_scratch *text = NULL;
    if (!shown) return TG_ENOMEM;
    tg_item about = {.kind = "text", .origin = shown, .licence = licence, .label = file->label};
    tg_status status = g->scratch ? tg_fetch(g->ctx, file->url, file->bytes, g->max_download, g->scratch)
                                  : tg_fail(TG_EINVAL, "%s: there is no place to fetch it to", shown);
    if (!status) status = read_source(g, g->scratch, INT64_MAX, &text);
    if (!status) status = tg_remove(g->scratch);
    if (!status && recipe) status = check_recipe(file, recipe, text);
    if (!status) status = take_found(g, &about, &text, true);
    tg_scratch_free(text);
    tg_free(shown);
    return status;
}

/* A recipe knows which column is meant, or that none is; who names another means that. */
static tg_status gather_recipe(tg_gather *g, const char *source)
{
    tg_recipe r;
    const bool hinted = g->hinted;
    const char *column = g->column, *label_column = g->label_column, *path = tg_recipe_path(source);
    tg_arena *a = tg_arena_new(1 << 12);
    tg_status status = a ? tg_recipe_open(a, source, &r) : TG_ENOMEM;
    if (!status && path) status = g->note(g->user, path);
    if (!status && !column) g->column = r.column;
    if (!status && !label_column && !column) g->label_column = r.label_column;
    g->hinted = true;
    if (!status && r.protocol) tg_log(g->ctx, TG_LOG_INFO, "%s: %s; %s", source, r.title, r.protocol);
    for (int64_t i = 0; !status && i < r.count && !tg_gather_full(g); i++)
        status = gather_address(g, &r.files[i], source, r.licence);
    g->hinted = hinted;
    g->column = column;
    g->label_column = label_column;
    tg_arena_free(a);
    return status;
}

/* ---- folders, grammars ------------------------------------------------------------------------------------------ */

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

/* name: relative to the source. */
static tg_status gather_found(tg_gather *g, const char *folder, const char *name)
{
    tg_str label = {0};
    char *path = tg_path_join(folder, name);
    const char *split = tg_gather_folder_split(g, name), *below = split ? strchr(name, '/') + 1 : name; /* classes lie below it */
    size_t first = strcspn(below, "/");
    if (below[first]) tg_str_add_n(&label, below, (int64_t)first);
    tg_status status = path && !label.failed ? TG_OK : TG_ENOMEM;
    if (!status) status = gather_file(g, path, g->label_folders ? label.data : NULL, split, false);
    tg_str_free(&label);
    tg_free(path);
    return status;
}

static tg_status gather_folder(tg_gather *g, const char *folder)
{
    tg_listing files;
    tg_status status = refuse_corpus(folder);
    if (!status) status = tg_list_tree(folder, &files);
    if (status) return status;
    if (g->kind == TG_GATHER_AUTO && !g->column) status = tg_gather_look(g, folder, &files);
    for (int64_t i = 0; !status && i < files.count && !tg_gather_full(g); i++) {
        bool of_corpus;
        status = is_of_corpus(g, folder, files.names[i], &of_corpus);
        if (status || of_corpus || (!g->column && !is_sampled(g))) continue; /* of tables, rows are sampled */
        status = gather_found(g, folder, files.names[i]);
    }
    g->found_kind = TG_GATHER_AUTO;
    tg_listing_free(&files);
    return status;
}

static tg_status gather_synth(tg_gather *g, const char *source)
{
    const char *kind = tg_synth_kind(source);
    if (kind && strcmp(kind, "text") != 0) return tg_gather_synth_samples(g, source, kind);
    tg_str text = {0}, origin = {0};
    int64_t bytes = g->max_bytes > 0 ? tg_gather_room(g) : TG_SYNTH_BYTES;
    tg_status status = tg_synth(source, g->seed, bytes, &text);
    tg_str_addf(&origin, "%s seed %" PRIu64, source, g->seed);
    if (!status && origin.failed) status = TG_ENOMEM;
    tg_item about = {.kind = "text", .origin = origin.data, .licence = "CC0-1.0"};
    if (!status) status = take_text(g, &about, &text);
    tg_str_free(&origin);
    tg_str_free(&text);
    return status;
}

tg_status tg_gather_source(tg_gather *g, const char *source)
{
    if (tg_synth_is(source)) return gather_synth(g, source);
    if (tg_recipe_is(source)) return gather_recipe(g, source);
    if (tg_fetch_is(source)) return gather_address(g, &(tg_recipe_file){.url = source}, NULL, NULL);
    if (strcmp(source, "-") != 0 && tg_path_kind(source) == TG_PATH_FOLDER) return gather_folder(g, source);
    return gather_file(g, source, NULL, NULL, true);
}
