/* corpus.c - the manifest, read and written. A manifest may come from anywhere: its paths are opened only below its
 * folder and never through a link. */
#include "data/corpus.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"

static const char list_name[] = "manifest.jsonl";
enum { MAX_MANIFEST = 1 << 30, PART = 1 << 20, EACH = 64 /* items for which the disk is waited for one by one */ };

struct tg_corpus {
    char *folder;
    tg_arena *arena;
    tg_item *items;
    int64_t count;
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool is_sha256(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* What may hold what; a program that meets another kind is older than the corpus. */
static bool is_known(const tg_item *item)
{
    static const struct { const char *kind, *documents; } known[] = {
        {"text", NULL}, {"text", "jsonl"}, {"image", NULL}, {"image", "idx"}, {"labels", "idx"}, {"points", "csv"}, {"table", "csv"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(item->kind, known[i].kind) && !item->documents == !known[i].documents &&
            (!item->documents || !strcmp(item->documents, known[i].documents)))
            return true;
    return false;
}

static tg_status read_item(const char *where, const tg_json *line, tg_item *out)
{
    *out = (tg_item){
        .path = tg_json_text(line, "path"), .kind = tg_json_text(line, "kind"), .sha256 = tg_json_text(line, "sha256"),
        .origin = tg_json_text(line, "origin"), .licence = tg_json_text(line, "licence"),
        .label = tg_json_text(line, "label"), .collected = tg_json_text(line, "collected"),
        .documents = tg_json_text(line, "documents"), .split = tg_json_text(line, "split"),
    };
    if (!out->path || !out->kind || !is_sha256(out->sha256) || !tg_json_int(line, "bytes", &out->bytes) ||
        out->bytes < 0)
        return tg_fail(TG_EFORMAT, "%s: an item needs path, kind, bytes and sha256; collect it again", where);
    if (!tg_path_is_safe(out->path))
        return tg_fail(TG_EFORMAT, "%s: the path %s may lead out of the corpus; collect it again", where, out->path);
    if (!is_known(out))
        return tg_fail(TG_EUNSUPPORTED, "%s: items of kind %s%s%s are not known to this version", where, out->kind,
                       out->documents ? ", documents as " : "", out->documents ? out->documents : "");
    if (out->split && strcmp(out->split, "train") && strcmp(out->split, "val") && strcmp(out->split, "test"))
        return tg_fail(TG_EFORMAT, "%s: there is no split %s; train, val and test are known", where, out->split);
    return TG_OK;
}

/* One line of the list; where: "DIR/manifest.jsonl:LINE". */
static tg_status read_line(tg_corpus *c, const char *where, const char *text, int64_t length)
{
    const tg_json *line;
    tg_status status = tg_json_parse(c->arena, where, text, length, &line);
    if (!status) status = read_item(where, line, &c->items[c->count]);
    if (!status) c->count++;
    return status;
}

static tg_status read_lines(tg_corpus *c, const char *name, const char *text, int64_t length)
{
    int64_t lines = 1, number = 0;
    for (int64_t i = 0; i < length; i++) lines += text[i] == '\n';
    c->items = tg_arena_alloc(c->arena, lines * (int64_t)sizeof *c->items);
    if (!c->items) return TG_ENOMEM;
    tg_str where = {0};
    tg_status status = TG_OK;
    for (const char *at = text, *end = text + length; !status && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        tg_str_clear(&where);
        tg_str_addf(&where, "%s:%" PRId64, name, ++number);
        if (where.failed) status = TG_ENOMEM;
        else if (stop > at) status = read_line(c, where.data, at, stop - at);
        at = stop + 1;
    }
    tg_str_free(&where);
    return status;
}

/* Says what to do with a name that is no corpus. */
static tg_status no_corpus(const char *folder)
{
    tg_file_kind kind = tg_path_kind(folder);
    if (kind == TG_PATH_NONE) return tg_fail(TG_EIO, "cannot open %s: no such folder", folder);
    if (kind == TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL,
                       "%s: no corpus: it has no manifest.jsonl; run its files through gen-collect first: gen-collect "
                       "%s -o corpus",
                       folder, folder);
    return tg_fail(TG_EINVAL, "%s: a file, no corpus; run it through gen-collect first: gen-collect %s -o corpus",
                   folder, folder);
}

static tg_status read_corpus(tg_corpus *c)
{
    char *name = tg_path_join(c->folder, list_name), *text = NULL;
    if (!name) return TG_ENOMEM;
    int64_t length = 0;
    tg_status status = TG_OK;
    if (tg_path_kind(name) == TG_PATH_NONE) status = no_corpus(c->folder);
    if (!status) status = tg_file_slurp(name, MAX_MANIFEST, &text, &length);
    if (!status) status = read_lines(c, name, text, length);
    tg_free(text);
    tg_free(name);
    return status;
}

tg_status tg_corpus_open(const char *folder, tg_corpus **out)
{
    tg_corpus *c = tg_alloc(sizeof *c);
    if (!c) return TG_ENOMEM;
    c->folder = tg_strdup(folder);
    c->arena = tg_arena_new(1 << 14);
    tg_status status = c->folder && c->arena ? read_corpus(c) : TG_ENOMEM;
    if (status) tg_corpus_close(c);
    else *out = c;
    return status;
}

void tg_corpus_close(tg_corpus *c)
{
    if (!c) return;
    tg_arena_free(c->arena);
    tg_free(c->folder);
    tg_free(c);
}

int64_t tg_corpus_count(const tg_corpus *c)
{
    return c->count;
}

const tg_item *tg_corpus_item(const tg_corpus *c, int64_t i)
{
    return i >= 0 && i < c->count ? &c->items[i] : NULL;
}

struct tg_item_file {
    const char *folder;
    const tg_item *item;
    tg_file *file;
    int64_t at;
    tg_sha256 sha;
    bool checked;
};

/* The size is compared before anything is allocated: a manifest may say what it likes. */
tg_status tg_item_open(const tg_corpus *c, int64_t i, tg_item_file **out)
{
    const tg_item *item = &c->items[i];
    tg_file *file;
    tg_status status = tg_file_open_below(c->folder, item->path, &file);
    if (status) return status;
    if (tg_file_size(file) != item->bytes)
        status = tg_fail(TG_EFORMAT, "%s/%s: %" PRId64 " bytes, the manifest says %" PRId64 "; collect it again", c->folder,
                         item->path, tg_file_size(file), item->bytes);
    tg_item_file *f = status ? NULL : tg_alloc(sizeof *f);
    if (!f) {
        tg_file_close(file);
        return status ? status : TG_ENOMEM;
    }
    *f = (tg_item_file){.folder = c->folder, .item = item, .file = file};
    tg_sha256_start(&f->sha);
    *out = f;
    return TG_OK;
}

void tg_item_close(tg_item_file *f)
{
    if (!f) return;
    tg_file_close(f->file);
    tg_free(f);
}

void tg_item_rewind(tg_item_file *f)
{
    f->at = 0;
    if (!f->checked) tg_sha256_start(&f->sha);
}

tg_status tg_item_read(tg_item_file *f, void *out, int64_t room, int64_t *got)
{
    char hex[65];
    *got = f->item->bytes - f->at < room ? f->item->bytes - f->at : room;
    tg_status status = tg_file_read_at(f->file, f->at, out, *got);
    if (status) return status;
    f->at += *got;
    if (f->checked) return TG_OK;
    tg_sha256_add(&f->sha, out, *got);
    if (f->at < f->item->bytes) return TG_OK;
    tg_sha256_end(&f->sha, hex);
    f->checked = true;
    if (strcmp(hex, f->item->sha256) == 0) return TG_OK;
    return tg_fail(TG_EFORMAT, "%s/%s: not the bytes that were collected (its SHA-256 differs); collect it again", f->folder,
                   f->item->path);
}

tg_status tg_corpus_read(const tg_corpus *c, int64_t i, char **bytes)
{
    tg_item_file *f;
    tg_status status = tg_item_open(c, i, &f);
    if (status) return status;
    const int64_t length = c->items[i].bytes;
    int64_t got;
    char *all = tg_alloc_raw(length + 1);
    status = all ? tg_item_read(f, all, length, &got) : TG_ENOMEM;
    tg_item_close(f);
    if (status) tg_free(all);
    else {
        all[length] = 0;
        *bytes = all;
    }
    return status;
}

/* ---- the list's own lines and hash ------------------------------------------------------------------------------ */

static void put_item(tg_json_writer *w, const tg_item *item, bool whole)
{
    tg_json_open(w, '{');
    if (whole) {
        tg_json_member_text(w, "path", item->path);
        tg_json_member_text(w, "kind", item->kind);
    }
    tg_json_member_int(w, "bytes", item->bytes);
    tg_json_member_text(w, "sha256", item->sha256);
    if (whole) tg_json_member_text(w, "origin", item->origin);
    tg_json_member_text(w, "licence", item->licence);
    tg_json_member_text(w, "label", item->label);
    if (item->documents) tg_json_member_text(w, "documents", item->documents);
    if (!whole && strcmp(item->kind, "text") != 0) tg_json_member_text(w, "kind", item->kind);
    if (item->split) tg_json_member_text(w, "split", item->split);
    if (whole) tg_json_member_text(w, "collected", item->collected);
    tg_json_close(w, '}');
}

void tg_manifest_start(tg_sha256 *s)
{
    tg_sha256_start(s);
}

tg_status tg_manifest_add(tg_sha256 *s, const tg_item *item)
{
    tg_str line = {0};
    tg_json_writer w = {.out = &line};
    put_item(&w, item, false);
    tg_str_add(&line, "\n");
    if (!line.failed) tg_sha256_add(s, line.data, line.length);
    bool failed = line.failed;
    tg_str_free(&line);
    return failed ? TG_ENOMEM : TG_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

struct tg_corpus_writer {
    char *folder, *temporary;
    bool replace;
    tg_str list;
    tg_sha256 hash;
    tg_map *seen;   /* SHA-256 to offset in origins */
    tg_str origins; /* NUL-terminated, of the first items of their hash */
    int64_t items, bytes, repeats; /* repeats: offset in origins, -1: the last item is the first of its hash */
    char collected[32];
};

/* Whether a folder may go: it is a corpus, or there is nothing in it. */
static tg_status check_replaceable(const char *folder)
{
    char *list = tg_path_join(folder, list_name);
    if (!list) return TG_ENOMEM;
    bool corpus = tg_path_kind(list) == TG_PATH_FILE;
    tg_free(list);
    if (corpus) return TG_OK;
    tg_listing inside;
    tg_status status = tg_list_tree(folder, &inside);
    if (status) return status;
    if (inside.count)
        status = tg_fail(TG_EINVAL, "%s: a folder with other things in it (%s), no corpus: --force does not remove it",
                         folder, inside.names[0]);
    tg_listing_free(&inside);
    return status;
}

static tg_status check_target(const char *folder, bool replace)
{
    tg_file_kind kind = tg_path_kind(folder);
    if (kind == TG_PATH_NONE) return TG_OK;
    if (kind != TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL, "%s: there is a file of that name; take another for the corpus", folder);
    if (!replace) return tg_fail(TG_EINVAL, "%s: is there already; --force replaces it", folder);
    return check_replaceable(folder);
}

tg_status tg_corpus_begin(const char *folder, bool replace, tg_corpus_writer **out)
{
    tg_status status = check_target(folder, replace);
    if (status) return status;
    tg_corpus_writer *w = tg_alloc(sizeof *w);
    if (!w) return TG_ENOMEM;
    w->replace = replace;
    w->repeats = -1;
    tg_wall_time(w->collected);
    tg_manifest_start(&w->hash);
    w->folder = tg_strdup(folder);
    w->seen = tg_map_new();
    status = w->folder && w->seen ? tg_folder_begin(folder, &w->temporary) : TG_ENOMEM;
    char *items = status ? NULL : tg_path_join(w->temporary, "items");
    if (!status) status = items ? tg_make_folder(items) : TG_ENOMEM;
    tg_free(items);
    if (status) tg_corpus_abandon(w);
    else *out = w;
    return status;
}

/* Adds the text to the file and to its hash. */
static tg_status copy_text(tg_writer *f, tg_scratch *text, tg_sha256 *sha)
{
    const int64_t length = tg_scratch_length(text);
    tg_status status = TG_OK;
    tg_writer_expect(f, length);
    for (int64_t at = 0, n; !status && at < length; at += n) {
        const char *part;
        n = length - at < PART ? length - at : PART;
        status = tg_scratch_view(text, at, n, &part);
        if (status) break;
        tg_sha256_add(sha, part, n);
        status = tg_writer_add(f, part, n);
    }
    return status;
}

static tg_status write_item(tg_corpus_writer *w, const char *name, tg_scratch *text, char hex[65])
{
    char *path = tg_path_join(w->temporary, name);
    tg_writer *f = NULL;
    tg_sha256 sha;
    tg_sha256_start(&sha);
    tg_status status = path ? tg_writer_new(path, &f) : TG_ENOMEM;
    if (!status && w->items >= EACH) tg_writer_lazily(f);
    if (!status) status = copy_text(f, text, &sha);
    if (!status) status = tg_writer_commit(f);
    else tg_writer_abandon(f);
    tg_sha256_end(&sha, hex);
    tg_free(path);
    return status ? tg_note("%s", w->folder) : TG_OK;
}

/* Takes down the hash of the item that comes now, and where it came from. */
static tg_status note_hash(tg_corpus_writer *w, const char hex[65], const char *origin)
{
    int64_t known = tg_map_count(w->seen), entry = tg_map_add(w->seen, hex, 64);
    if (entry < 0) return TG_ENOMEM;
    int64_t *first = tg_map_value(w->seen, entry);
    w->repeats = entry < known ? *first : -1;
    if (entry < known) return TG_OK;
    *first = w->origins.length;
    tg_str_add_n(&w->origins, origin ? origin : "?", origin ? (int64_t)strlen(origin) + 1 : 2);
    return w->origins.failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_corpus_add_from(tg_corpus_writer *w, const tg_item *about, tg_scratch *text)
{
    tg_str name = {0};
    char hex[65];
    const char *ending = about->ending ? about->ending : about->documents ? about->documents : "txt";
    tg_str_addf(&name, "items/%06" PRId64 ".%s", w->items + 1, ending);
    tg_status status = name.failed ? TG_ENOMEM : write_item(w, name.data, text, hex);
    if (!status) status = note_hash(w, hex, about->origin);
    if (!status) {
        tg_item item = *about;
        item.path = name.data;
        item.sha256 = hex;
        item.bytes = tg_scratch_length(text);
        item.collected = w->collected;
        tg_json_writer line = {.out = &w->list};
        put_item(&line, &item, true);
        tg_str_add(&w->list, "\n");
        status = w->list.failed ? TG_ENOMEM : tg_manifest_add(&w->hash, &item);
        w->items++;
        w->bytes += item.bytes;
    }
    tg_str_free(&name);
    return status;
}

tg_status tg_corpus_add(tg_corpus_writer *w, const tg_item *about, const char *bytes, int64_t length)
{
    tg_scratch *text;
    tg_status status = tg_scratch_of(bytes, length, &text);
    if (status) return status;
    status = tg_corpus_add_from(w, about, text);
    tg_scratch_free(text);
    return status;
}

int64_t tg_corpus_items(const tg_corpus_writer *w)
{
    return w->items;
}

int64_t tg_corpus_bytes(const tg_corpus_writer *w)
{
    return w->bytes;
}

const char *tg_corpus_repeats(const tg_corpus_writer *w)
{
    return w->repeats < 0 ? NULL : w->origins.data + w->repeats;
}

char *tg_corpus_scratch(const tg_corpus_writer *w)
{
    return tg_path_join(w->temporary, "scratch");
}

static void free_writer(tg_corpus_writer *w)
{
    tg_map_free(w->seen);
    tg_str_free(&w->origins);
    tg_str_free(&w->list);
    tg_free(w->temporary);
    tg_free(w->folder);
    tg_free(w);
}

tg_status tg_corpus_commit(tg_corpus_writer *w, char manifest_sha256[65])
{
    char *list = tg_path_join(w->temporary, list_name);
    tg_status status = list ? tg_write_file(list, w->list.data, w->list.length) : TG_ENOMEM;
    tg_free(list);
    if (!status && w->items > EACH) status = tg_folder_settle(w->temporary);
    if (status) tg_note("%s", w->folder);
    if (!status) status = tg_folder_commit(w->temporary, w->folder, w->replace);
    if (status) {
        tg_corpus_abandon(w);
        return status;
    }
    tg_sha256_end(&w->hash, manifest_sha256);
    free_writer(w);
    return TG_OK;
}

void tg_corpus_abandon(tg_corpus_writer *w)
{
    if (!w) return;
    if (w->temporary) tg_folder_abandon(w->temporary);
    free_writer(w);
}
