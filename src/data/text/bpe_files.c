/* bpe_files.c - others' vocabularies, in and out, with the ids that they have there.
 *   tokenizer.bin of llama2.c: i32 longest piece in bytes, then for each piece f32 score, i32 length, its bytes; little-endian.
 *     Pieces 0 to 2 are unknown, begin and end, 3 to 258 the bytes "<0x00>" to "<0xFF>"; how many there are the file's end tells.
 *   GPT-2's pair: vocab.json, {"piece": id, ...}, and merges.txt: "#version: 0.2", then two pieces a line; both in GPT-2's
 *     spelling of bytes. A piece with other characters, as added ones may have, stands for its own UTF-8. */
#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/file.h"
#include "base/map.h"
#include "data/text/bpe.h"

enum { LIMIT = 64 << 20 };

/* ---- tokenizer.bin */

static uint32_t get32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static tg_status read_piece(const char *path, const char *bytes, int64_t length, int64_t *at, tg_bpe_parts *p)
{
    const int64_t n = length - *at >= 8 ? (int32_t)get32(bytes + *at + 4) : -1;
    float score = 0;
    if (n < 0 || n > length - *at - 8)
        return tg_fail(TG_EFORMAT, "%s: no tokenizer.bin and no vocab.json: piece %" PRId64 " does not fit at byte %" PRId64, path,
                       p->count, *at);
    memcpy(&score, &(uint32_t){get32(bytes + *at)}, sizeof score);
    if (!isfinite(score)) return tg_fail(TG_EFORMAT, "%s: the score of piece %" PRId64 " is no number", path, p->count);
    memcpy(p->bytes + p->at[p->count], bytes + *at + 8, (size_t)n);
    p->scores[p->count] = score;
    p->at[p->count + 1] = p->at[p->count] + n;
    p->count++;
    *at += 8 + n;
    return TG_OK;
}

static tg_status read_scores(const char *path, const char *bytes, int64_t length, tg_tokenizer **out)
{
    tg_bpe_parts p = {.rule = TG_BPE_SCORES};
    const int64_t most = length / 8 + 1;
    tg_status s = TG_OK;
    p.bytes = tg_alloc_raw(length);
    p.at = tg_alloc_array(most + 1, sizeof *p.at);
    p.scores = tg_alloc_array(most, sizeof *p.scores);
    if (!p.bytes || !p.at || !p.scores) s = TG_ENOMEM;
    else if (length < 4) s = tg_fail(TG_EFORMAT, "%s: cut short; fetch it again", path);
    else p.longest = (int32_t)get32(bytes);
    for (int64_t at = 4; !s && at < length;) s = read_piece(path, bytes, length, &at, &p);
    if (!s) {
        s = tg_bpe_new(&p, out);
        return s ? tg_note("%s", path) : TG_OK;
    }
    tg_bpe_parts_free(&p);
    return s;
}

static void put32(tg_str *out, uint32_t x)
{
    tg_str_add_n(out, (const char[]){(char)(x & 255), (char)(x >> 8 & 255), (char)(x >> 16 & 255), (char)(x >> 24)}, 4);
}

tg_status tg_bpe_write_scores(const tg_tokenizer *t, const char *path)
{
    const tg_bpe *bpe = tg_bpe_of(t);
    tg_str out = {0};
    if (!bpe || bpe->rule != TG_BPE_SCORES)
        return tg_fail(TG_EUNSUPPORTED, "%s: a tokenizer.bin wants scores; this %s tokeniser has none", path,
                       tg_tokenizer_kind(t));
    put32(&out, (uint32_t)bpe->parts.longest);
    for (int64_t i = 0, length; i < bpe->parts.count; i++) {
        uint32_t bits;
        const char *piece = tg_bpe_piece(&bpe->parts, i, &length);
        memcpy(&bits, &bpe->parts.scores[i], sizeof bits);
        put32(&out, bits);
        put32(&out, (uint32_t)length);
        tg_str_add_n(&out, piece, length);
    }
    tg_status s = out.failed ? TG_ENOMEM : tg_write_file(path, out.data, out.length);
    tg_str_free(&out);
    return s;
}

/* ---- GPT-2's pair: reading */

/* A spelled piece as bytes; a character that spells none stays itself. */
static void unspell(tg_str *out, const char *text, int64_t length)
{
    const int64_t before = out->length;
    for (const char *at = text, *end = text + length; at < end;) {
        char byte;
        const int size = tg_bpe_unspell(at, end, &byte);
        if (size == 0) {
            out->length = before;
            tg_str_add_n(out, text, length);
            return;
        }
        tg_str_add_n(out, &byte, 1);
        at += size;
    }
}

/* Members in order of their ids, each of which stands once. */
static tg_status read_vocab(const char *path, const tg_json *vocab, tg_bpe_parts *p, tg_map *ids)
{
    const int64_t count = vocab->integer;
    const tg_json **list = tg_alloc_array(count + 1, sizeof *list);
    tg_str bytes = {0};
    tg_status s = list ? TG_OK : TG_ENOMEM;
    for (const tg_json *m = vocab->child; m && !s; m = m->next) {
        if (m->type != TG_JSON_INT || m->integer < 0 || m->integer >= count || list[m->integer])
            s = tg_fail(TG_EFORMAT, "%s: the %" PRId64 " pieces are not numbered from 0, each once: see \"%s\"", path,
                        count, m->key);
        else list[m->integer] = m;
    }
    p->at = s ? NULL : tg_alloc_array(count + 1, sizeof *p->at);
    if (!s && !p->at) s = TG_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++) {
        const int64_t length = (int64_t)strlen(list[i]->key), entry = tg_map_add(ids, list[i]->key, length);
        if (entry < 0) s = TG_ENOMEM;
        else *tg_map_value(ids, entry) = i;
        unspell(&bytes, list[i]->key, length);
        p->at[i + 1] = bytes.length;
    }
    if (!s && bytes.failed) s = TG_ENOMEM;
    p->count = count;
    p->bytes = bytes.data;
    tg_free(list);
    return s;
}

/* "one two", LINE bytes long, to two ids. */
static tg_status read_merge(const char *path, int64_t number, const char *line, int64_t length, const tg_map *ids, tg_bpe_parts *p)
{
    const char *gap = memchr(line, ' ', (size_t)length);
    const int64_t first = gap ? gap - line : 0, second = length - first - 1;
    int64_t a = -1, b = -1;
    if (gap && first > 0 && second > 0) {
        a = tg_map_find(ids, line, first);
        b = tg_map_find(ids, gap + 1, second);
    }
    if (a < 0 || b < 0)
        return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": not two pieces of the vocabulary with a space between", path, number);
    p->merges[2 * p->merge_count] = (int32_t)a; /* entries are numbered as the pieces are */
    p->merges[2 * p->merge_count++ + 1] = (int32_t)b;
    return TG_OK;
}

static tg_status read_merges(const char *path, const tg_map *ids, tg_bpe_parts *p)
{
    char *text;
    int64_t length, lines = 2;
    tg_status s = tg_file_slurp(path, LIMIT, &text, &length);
    if (s) return s;
    for (int64_t i = 0; i < length; i++) lines += text[i] == '\n';
    p->merges = tg_alloc_array(2 * lines, sizeof *p->merges);
    if (!p->merges) s = TG_ENOMEM;
    const char *at = text, *end = text + length;
    for (int64_t number = 1; at < end && !s; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        const int64_t n = stop - at - (stop > at && stop[-1] == '\r');
        if (n > 0 && !(number == 1 && tg_starts_with(at, "#version"))) s = read_merge(path, number, at, n, ids, p);
        at = stop + 1;
    }
    tg_free(text);
    return s;
}

/* ---- where the merges are: under the vocabulary's own name, then under the usual ones, then the only *merges.txt */

static tg_status try_beside(const char *path, int64_t stem, const char *name, char **out)
{
    tg_str s = {0};
    tg_str_add_n(&s, path, stem);
    tg_str_add(&s, name);
    *out = NULL;
    if (s.failed) {
        tg_str_free(&s);
        return TG_ENOMEM;
    }
    if (tg_path_kind(s.data) == TG_PATH_FILE) *out = s.data;
    else tg_str_free(&s);
    return TG_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static tg_status only_merges(const char *path, int64_t folder, char **out)
{
    tg_listing list;
    const char *found = NULL;
    int64_t many = 0;
    tg_str dir = {0};
    tg_str_add_n(&dir, folder ? path : ".", folder ? folder : 1);
    tg_status s = dir.failed ? TG_ENOMEM : tg_list_folder(dir.data, &list);
    tg_str_free(&dir);
    if (s) return s;
    for (int64_t i = 0; i < list.count; i++)
        if (ends_with(list.names[i], "merges.txt")) {
            found = list.names[i];
            many++;
        }
    if (many == 1) s = try_beside(path, folder, found, out);
    else s = tg_fail(TG_EINVAL, "%s: %s; put the one that belongs to it there, as %s", path,
                     many ? "several *merges.txt beside it, none of its own name" : "no merges beside it",
                     "merges.txt or vocab.bpe");
    tg_listing_free(&list);
    return s;
}

static tg_status find_merges(const char *path, char **out)
{
    static const char *const ends[] = {"vocab.json", "encoder.json", ".json"}, *const names[] = {"merges.txt", "vocab.bpe"};
    const int64_t length = (int64_t)strlen(path), folder = tg_path_name(path) - path;
    int64_t stem = length;
    for (int i = 0; i < 3 && stem == length; i++)
        if (ends_with(path, ends[i])) stem = length - (int64_t)strlen(ends[i]);
    tg_status s = TG_OK;
    *out = NULL;
    for (int own = 1; own >= 0; own--)
        for (int i = 0; i < 2 && !s && !*out; i++) s = try_beside(path, own ? stem : folder, names[i], out);
    return s || *out ? s : only_merges(path, folder, out);
}

static tg_status read_pair(tg_context *ctx, const char *path, const char *bytes, int64_t length, tg_tokenizer **out)
{
    tg_arena *arena = tg_arena_new(1 << 20);
    tg_map *ids = tg_map_new();
    tg_bpe_parts p = {.rule = TG_BPE_GPT2};
    const tg_json *vocab;
    char *merges = NULL;
    tg_status s = arena && ids ? tg_json_parse(arena, path, bytes, length, &vocab) : TG_ENOMEM;
    if (!s && (vocab->type != TG_JSON_OBJECT || vocab->integer == 0))
        s = tg_fail(TG_EFORMAT, "%s: no list of pieces and their ids", path);
    if (!s) s = read_vocab(path, vocab, &p, ids);
    if (!s) s = find_merges(path, &merges);
    if (!s && ctx) s = tg_context_read(ctx, merges);
    if (!s) s = read_merges(merges, ids, &p);
    if (!s && (s = tg_bpe_new(&p, out)) != TG_OK) s = tg_note("%s, %s", path, merges);
    tg_free(merges);
    tg_bpe_parts_free(&p);
    tg_map_free(ids);
    tg_arena_free(arena);
    return s;
}

tg_status tg_bpe_open(tg_context *ctx, const char *path, tg_tokenizer **out)
{
    char *bytes;
    int64_t length, at = 0;
    if (ctx && tg_context_read(ctx, path)) return TG_ENOMEM;
    tg_status s = tg_file_slurp(path, LIMIT, &bytes, &length);
    if (s) return s;
    while (at < length && strchr(" \t\r\n", bytes[at]) && bytes[at]) at++;
    s = at < length && bytes[at] == '{' ? read_pair(ctx, path, bytes, length, out) : read_scores(path, bytes, length, out);
    tg_free(bytes);
    return s;
}

/* ---- GPT-2's pair: writing */

tg_status tg_bpe_put_pair(const tg_tokenizer *t, tg_str *vocab, tg_str *merges)
{
    const tg_bpe *bpe = tg_bpe_of(t);
    const tg_bpe_parts *p = bpe ? &bpe->parts : NULL;
    tg_str piece = {0};
    tg_json_writer w = {.out = vocab};
    if (!bpe || bpe->rule == TG_BPE_SCORES)
        return tg_fail(TG_EUNSUPPORTED, "GPT-2's pair is a list of merges; this %s tokeniser has none", tg_tokenizer_kind(t));
    tg_json_open(&w, '{');
    for (int64_t i = 0, length; i < p->count; i++) {
        const char *bytes = tg_bpe_piece(p, i, &length);
        tg_str_clear(&piece);
        tg_bpe_spell(&piece, bytes, length);
        tg_json_member_int(&w, piece.data ? piece.data : "", i);
    }
    tg_json_close(&w, '}');
    tg_str_add(merges, "#version: 0.2\n");
    for (int64_t i = 0, length; i < 2 * p->merge_count; i++) {
        const char *bytes = tg_bpe_piece(p, p->merges[i], &length);
        tg_bpe_spell(merges, bytes, length);
        tg_str_add(merges, i % 2 ? "\n" : " ");
    }
    const bool failed = vocab->failed || merges->failed || piece.failed;
    tg_str_free(&piece);
    return failed ? TG_ENOMEM : TG_OK;
}
