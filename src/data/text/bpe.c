/* bpe.c - the tokeniser: a vocabulary checked and made ready, texts to ids and back, and as JSON.
 *   {"kind": "bpe", "rule": "words" | "gpt2", "pieces": "! \" # ...", "merges": "220 83 220 64 ..."}
 *   {"kind": "bpe", "rule": "scores", "pieces": "<unk> ...", "scores": "0 0 0 -1 ...", "longest": 27}
 * pieces: in order of ids, in GPT-2's spelling of bytes, a space between; merges: two ids each, the first joined first. */
#include "data/text/bpe.h"

#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/sort.h"
#include "base/utf8.h"

static const char *const rules[] = {"words", "gpt2", "scores"};

void tg_bpe_parts_free(tg_bpe_parts *p)
{
    tg_free(p->bytes);
    tg_free(p->at);
    tg_free(p->merges);
    tg_free(p->scores);
    *p = (tg_bpe_parts){0};
}

/* ---- making ready */

static void bpe_free(tg_tokenizer *tokenizer)
{
    tg_bpe *t = (tg_bpe *)tokenizer;
    tg_bpe_parts_free(&t->parts);
    tg_free(t->pairs.slots);
    tg_free(t->chars.slots);
    tg_free(t);
}

/* The pieces that are joined of others, by their bytes; of equal ones the first. Making a piece ready looks at each of its
 * parts, so that one of megabytes, which no text has, would take hours. */
static tg_status list_pieces(const tg_bpe *t, tg_map *map)
{
    int64_t length;
    for (int64_t id = t->rule == TG_BPE_SCORES ? TG_BPE_FIRST : 0; id < t->parts.count; id++) {
        const char *piece = tg_bpe_piece(&t->parts, id, &length);
        if (length > TG_BPE_LONGEST)
            return tg_fail(TG_EFORMAT, "piece %" PRId64 " of the vocabulary has %" PRId64 " bytes; %d are the most", id, length,
                           TG_BPE_LONGEST);
        const int64_t before = tg_map_count(map), entry = length > 0 ? tg_map_add(map, piece, length) : 0;
        if (entry < 0) return TG_ENOMEM;
        if (tg_map_count(map) > before) *tg_map_value(map, entry) = id;
    }
    return TG_OK;
}

static int32_t id_of(tg_map *map, const char *bytes, int64_t length)
{
    const int64_t entry = tg_map_find(map, bytes, length);
    return entry < 0 ? -1 : (int32_t)*tg_map_value(map, entry);
}

bool tg_bpe_may_join(const char *a, int64_t a_length, const char *b, int64_t b_length)
{
    const unsigned lead = (unsigned char)a[0];
    if (((unsigned char)b[0] & 0xc0) != 0x80) return tg_utf8_check(a, a_length) < 0 && tg_utf8_check(b, b_length) < 0;
    const int most = lead < 0x80 ? 0 : lead < 0xc0 ? 3 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    return a_length + b_length <= most;
}

static int char_size(const char *at, const char *end)
{
    uint32_t code;
    const int n = tg_utf8_next(at, end, &code);
    return n ? n : 1;
}

static uint64_t char_key(const char *at, int size)
{
    uint32_t key = 0;
    memcpy(&key, at, (size_t)size);
    return key;
}

/* Characters whose bytes become one piece, whatever stands around them: joining may begin from these. */
static tg_status ready_chars(tg_bpe *t)
{
    int64_t length;
    tg_status s = tg_bpe_pairs_new(t->parts.count, &t->chars);
    for (int32_t id = 0; id < t->parts.count && !s; id++) {
        const char *piece = tg_bpe_piece(&t->parts, id, &length);
        int32_t ids[4];
        if (length < 2 || length > 4 || char_size(piece, piece + length) < length) continue;
        for (int i = 0; i < length; i++) ids[i] = t->of_byte[(unsigned char)piece[i]];
        if (tg_bpe_merge(t, NULL, ids, length) == 1) tg_bpe_pairs_set(&t->chars, char_key(piece, (int)length), 0, ids[0]);
    }
    return s;
}

static tg_status ready_merges(tg_bpe *t, tg_map *map)
{
    const tg_bpe_parts *p = &t->parts;
    tg_str joined = {0};
    tg_status s = tg_bpe_pairs_new(p->merge_count, &t->pairs);
    for (int b = 0; b < 256 && !s; b++) {
        t->of_byte[b] = id_of(map, (const char[]){(char)(unsigned char)b}, 1);
        if (t->of_byte[b] < 0) s = tg_fail(TG_EFORMAT, "byte 0x%02x has no piece; every byte needs one", (unsigned)b);
    }
    for (int64_t i = 0; i < p->merge_count && !s; i++) {
        const int32_t a = p->merges[2 * i], b = p->merges[2 * i + 1];
        if (a < 0 || b < 0 || a >= p->count || b >= p->count) {
            s = tg_fail(TG_EFORMAT, "merge %" PRId64 " is of a piece that is not in the vocabulary", i);
            break;
        }
        int64_t la, lb;
        const char *one = tg_bpe_piece(p, a, &la), *two = tg_bpe_piece(p, b, &lb);
        tg_str_clear(&joined);
        tg_str_add_n(&joined, one, la);
        tg_str_add_n(&joined, two, lb);
        const int32_t id = joined.failed ? -1 : id_of(map, joined.data, joined.length);
        if (joined.failed) s = TG_ENOMEM;
        else if (id < 0 || !la || !lb) s = tg_fail(TG_EFORMAT, "merge %" PRId64 " makes what is no piece of the vocabulary", i);
        else if (t->rule == TG_BPE_WORDS && !tg_bpe_may_join(one, la, two, lb))
            s = tg_fail(TG_EFORMAT, "merge %" PRId64 " joins parts of different characters", i);
        else tg_bpe_pairs_set(&t->pairs, tg_bpe_key(a, b), (int32_t)i, id);
    }
    tg_str_free(&joined);
    return s || t->rule == TG_BPE_GPT2 ? s : ready_chars(t);
}

/* ---- scores: a piece's rank is how many better scores there are */

typedef struct scored { float score; int32_t id; } scored;

static int by_score(const void *a, const void *b, void *user)
{
    const float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    (void)user;
    return (x < y) - (x > y);
}

static tg_status rank_scores(const tg_bpe_parts *p, int32_t *rank)
{
    scored *list = tg_alloc_array(2 * p->count, sizeof *list);
    if (!list) return TG_ENOMEM;
    for (int32_t i = 0; i < p->count; i++) list[i] = (scored){p->scores[i], i};
    tg_sort(list, p->count, sizeof *list, list + p->count, by_score, NULL);
    for (int64_t i = 0, better = 0; i < p->count; i++) {
        if (i > 0 && list[i].score < list[i - 1].score) better = i;
        rank[list[i].id] = (int32_t)better;
    }
    tg_free(list);
    return TG_OK;
}

/* Both parts of a piece, wherever a character ends in it, if they are pieces, too: counted, or put into the table. */
static int64_t part_piece(tg_bpe *t, tg_map *map, int32_t id, int32_t rank, bool put)
{
    int64_t length, found = 0;
    const char *piece = tg_bpe_piece(&t->parts, id, &length);
    for (const char *end = piece + length, *at = piece + char_size(piece, end); at < end; at += char_size(at, end)) {
        const unsigned touch = (unsigned)(unsigned char)at[-1] << 8 | (unsigned char)at[0];
        t->touching[touch / 64] |= UINT64_C(1) << touch % 64;
        const int32_t a = id_of(map, piece, at - piece), b = a < 0 ? -1 : id_of(map, at, end - at);
        if (b < 0) continue;
        found++;
        if (put) tg_bpe_pairs_set(&t->pairs, tg_bpe_key(a, b), rank, id);
    }
    return found;
}

static tg_status ready_scores(tg_bpe *t, tg_map *map)
{
    const tg_bpe_parts *p = &t->parts;
    int64_t length, pairs = 0;
    char name[8];
    for (int b = 0; b < 256; b++) {
        static const char digits[] = "0123456789ABCDEF";
        const char *piece = tg_bpe_piece(p, TG_BPE_BYTE0 + b, &length);
        memcpy(name, (char[]){'<', '0', 'x', digits[b / 16], digits[b % 16], '>'}, 6);
        if (length != 6 || memcmp(piece, name, 6))
            return tg_fail(TG_EFORMAT, "piece %d is not byte <0x%02X>", TG_BPE_BYTE0 + b, (unsigned)b);
        t->of_byte[b] = TG_BPE_BYTE0 + b;
    }
    int32_t *rank = tg_alloc_array(p->count, sizeof *rank);
    tg_status s = rank ? rank_scores(p, rank) : TG_ENOMEM;
    const int64_t entries = tg_map_count(map);
    for (int64_t e = 0; e < entries && !s; e++) pairs += part_piece(t, map, (int32_t)*tg_map_value(map, e), 0, false);
    if (!s) s = tg_bpe_pairs_new(pairs, &t->pairs);
    if (!s) s = tg_bpe_pairs_new(entries, &t->chars);
    for (int64_t e = 0; e < entries && !s; e++) {
        const int32_t id = (int32_t)*tg_map_value(map, e);
        const char *piece = tg_bpe_piece(p, id, &length);
        part_piece(t, map, id, rank[id], true);
        if (char_size(piece, piece + length) == length) tg_bpe_pairs_set(&t->chars, char_key(piece, (int)length), 0, id);
    }
    tg_free(rank);
    return s;
}

tg_status tg_bpe_new(tg_bpe_parts *parts, tg_tokenizer **out)
{
    tg_bpe *t = tg_alloc(sizeof *t);
    tg_map *map = tg_map_new();
    tg_status s = TG_OK;
    if (!t || !map) {
        tg_bpe_parts_free(parts);
        tg_free(t);
        tg_map_free(map);
        return TG_ENOMEM;
    }
    const bool scores = parts->rule == TG_BPE_SCORES;
    t->base = (tg_tokenizer){.row = &tg_tokenizer_bpe, .plain = parts->count, .vocab = parts->count, .special = TG_NO_SPECIALS};
    t->base.prefix = scores;
    t->rule = parts->rule;
    t->parts = *parts;
    *parts = (tg_bpe_parts){0};
    if (t->parts.count < (scores ? TG_BPE_FIRST : TG_BPE_LEAST) || t->parts.count > TG_BPE_MOST)
        s = tg_fail(TG_EFORMAT, "a vocabulary of %" PRId64 " pieces; the 256 bytes must be among them, and %d are the most",
                    t->parts.count, TG_BPE_MOST);
    if (!s) s = list_pieces(t, map);
    if (!s) s = scores ? ready_scores(t, map) : ready_merges(t, map);
    tg_map_free(map);
    if (s) bpe_free(&t->base);
    else *out = &t->base;
    return s;
}

const tg_bpe *tg_bpe_of(const tg_tokenizer *t)
{
    return t->row == &tg_tokenizer_bpe ? (const tg_bpe *)t : NULL;
}

/* ---- encoding */

/* What chunks became, by their bytes: those that come again, and most do, are not joined anew. A slot is taken over by the
 * next chunk that falls into it. */
enum { KNOWN_BYTES = 26, KNOWN_IDS = 9, KNOWN = 1 << 15, MANY = 1 << 13 /* bytes of a text that memory pays for */ };
typedef struct known { char text[KNOWN_BYTES]; uint8_t length, count; int32_t ids[KNOWN_IDS]; } known;
typedef struct bpe_work { known *known; tg_bpe_memory memory; tg_str first; } bpe_work;

static void bpe_work_free(void *work)
{
    bpe_work *w = work;
    if (!w) return;
    tg_free(w->known);
    tg_free(w->memory.bytes);
    tg_str_free(&w->first);
    tg_free(w);
}

static void *bpe_work_new(void)
{
    return tg_alloc(sizeof(bpe_work));
}

static inline uint64_t word_at(const char *at, int64_t n)
{
    uint64_t word = 0;
    memcpy(&word, at, (size_t)n);
    return word;
}

static inline known *slot_of(known *all, const char *at, int64_t n)
{
    uint64_t h = (uint64_t)n;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        h = (h ^ word_at(at + i, 8)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    h = (h ^ word_at(at + i, n - i)) * UINT64_C(0x9e3779b97f4a7c15);
    return &all[h >> 49];
}

/* The ids that joining begins from; as many as bytes at most. */
static int64_t begin_chunk(const tg_bpe *t, const char *at, int64_t length, int32_t *ids)
{
    int64_t n = 0;
    if (t->rule == TG_BPE_GPT2) {
        for (; n < length; n++) ids[n] = t->of_byte[(unsigned char)at[n]];
        return n;
    }
    for (const char *end = at + length; at < end;) {
        if (t->rule == TG_BPE_WORDS && (unsigned char)*at < 0x80) {
            ids[n++] = t->of_byte[(unsigned char)*at++];
            continue;
        }
        const int size = char_size(at, end);
        const int32_t id = tg_bpe_find(&t->chars, char_key(at, size))->id;
        if (id >= 0) ids[n++] = id;
        else for (int i = 0; i < size; i++) ids[n++] = t->of_byte[(unsigned char)at[i]];
        at += size;
    }
    return n;
}

static tg_status encode_chunk(const tg_bpe *t, bpe_work *w, const char *at, int64_t length, int32_t *ids, int64_t *count)
{
    known *k = w->known && length <= KNOWN_BYTES ? slot_of(w->known, at, length) : NULL;
    if (k && k->length == length && memcmp(k->text, at, (size_t)length) == 0) {
        memcpy(ids, k->ids, (size_t)k->count * sizeof *ids);
        *count = k->count;
        return TG_OK;
    }
    const int64_t n = tg_bpe_merge(t, &w->memory, ids, begin_chunk(t, at, length, ids));
    if (n < 0) return tg_note("encoding");
    if (k && n <= KNOWN_IDS) {
        memcpy(k->text, at, (size_t)length);
        memcpy(k->ids, ids, (size_t)n * sizeof *ids);
        k->length = (uint8_t)length;
        k->count = (uint8_t)n;
    }
    *count = n;
    return TG_OK;
}

/* With scores the first chunk has a space before it. */
static tg_status encode_first(const tg_bpe *t, bpe_work *w, const char *at, int64_t length, int32_t *ids, int64_t *count)
{
    tg_str_clear(&w->first);
    tg_str_add(&w->first, " ");
    if (tg_bpe_touch(t, ' ', *at)) tg_str_add_n(&w->first, at, length);
    if (w->first.failed) return TG_ENOMEM;
    tg_status s = encode_chunk(t, w, w->first.data, w->first.length, ids, count);
    if (s || w->first.length > 1) return s;
    int64_t n;
    s = encode_chunk(t, w, at, length, ids + *count, &n);
    *count += n;
    return s;
}

static tg_status bpe_part(const tg_tokenizer *tokenizer, void *work, const char *bytes, int64_t length, bool first, bool last,
                          int32_t *ids, int64_t *count, int64_t *taken)
{
    const tg_bpe *t = (const tg_bpe *)tokenizer;
    bpe_work *w = work;
    const char *at = bytes, *end = bytes + length;
    tg_status s = TG_OK;
    int64_t n = 0;
    if (!w->known && length >= MANY) {
        w->known = tg_alloc_array(KNOWN, sizeof *w->known);
        if (!w->known) return TG_ENOMEM;
    }
    while (at < end && !s) {
        const int64_t chunk = tg_bpe_chunk(t, at, end);
        int64_t got = 0;
        if (!last && end - at - chunk < TG_BPE_AHEAD) break;
        if (first && at == bytes && t->rule == TG_BPE_SCORES) s = encode_first(t, w, at, chunk, ids, &got);
        else s = encode_chunk(t, w, at, chunk, ids + n, &got);
        at += chunk;
        n += got;
    }
    *count = n;
    *taken = at - bytes;
    return s;
}

static tg_status bpe_encode(const tg_tokenizer *t, const char *bytes, int64_t length, tg_unknown unknown, int32_t *ids,
                            int64_t *count)
{
    (void)unknown; /* nothing is */
    int64_t taken;
    void *work = bpe_work_new();
    tg_status s = work ? bpe_part(t, work, bytes, length, true, true, ids, count, &taken) : TG_ENOMEM;
    bpe_work_free(work);
    return s;
}

/* ---- texts of ids, and JSON */

static const char *bpe_text(const tg_tokenizer *tokenizer, int32_t id, int64_t *length)
{
    const tg_bpe *t = (const tg_bpe *)tokenizer;
    if (t->rule != TG_BPE_SCORES || id >= TG_BPE_FIRST) return tg_bpe_piece(&t->parts, id, length);
    if (id >= TG_BPE_BYTE0) return tg_tokenizer_byte.text(tokenizer, id - TG_BPE_BYTE0, length);
    *length = id == 0 ? 3 : 0; /* unknown, begin and end of a text, which our datasets do not use */
    return id == 0 ? "\xef\xbf\xbd" : "";
}

static void bpe_put(const tg_tokenizer *tokenizer, tg_json_writer *w)
{
    const tg_bpe_parts *p = &((const tg_bpe *)tokenizer)->parts;
    tg_str text = {0};
    tg_json_member_text(w, "rule", rules[p->rule]);
    for (int64_t i = 0, length; i < p->count; i++) {
        const char *piece = tg_bpe_piece(p, i, &length);
        if (i) tg_str_add(&text, " ");
        tg_bpe_spell(&text, piece, length);
    }
    tg_json_key(w, "pieces");
    tg_json_put_text_n(w, text.data ? text.data : "", text.length);
    tg_str_clear(&text);
    for (int64_t i = 0; i < 2 * p->merge_count; i++) tg_str_addf(&text, "%s%" PRId32, i ? " " : "", p->merges[i]);
    for (int64_t i = 0; p->scores && i < p->count; i++) {
        if (i) tg_str_add(&text, " ");
        tg_str_add_real(&text, (double)p->scores[i]);
    }
    tg_json_key(w, p->scores ? "scores" : "merges");
    tg_json_put_text_n(w, text.data ? text.data : "", text.length);
    if (p->scores) tg_json_member_int(w, "longest", p->longest);
    if (text.failed) w->out->failed = true;
    tg_str_free(&text);
}

static tg_status not_ours(const char *what)
{
    return tg_fail(TG_EFORMAT, "the bpe tokeniser's %s are not what they should be", what);
}

static tg_status read_pieces(const tg_json *text, tg_bpe_parts *p)
{
    if (!text || text->type != TG_JSON_TEXT) return not_ours("pieces");
    int64_t room = 2, n = 0, id = 0;
    for (int64_t i = 0; i < text->length; i++) room += text->text[i] == ' ';
    p->bytes = tg_alloc_raw(text->length + 1);
    p->at = tg_alloc_array(room, sizeof *p->at);
    if (!p->bytes || !p->at) return TG_ENOMEM;
    for (const char *at = text->text, *end = at + text->length; at < end;) {
        if (*at == ' ') {
            p->at[++id] = n;
            at++;
            continue;
        }
        const int size = tg_bpe_unspell(at, end, &p->bytes[n++]);
        if (size == 0) return not_ours("pieces");
        at += size;
    }
    p->at[id + 1] = n;
    p->count = id + 1;
    return TG_OK;
}

/* The next number of a list, *at moves behind it and its space; its length, 0: there is none. */
static int64_t next_number(const char **at)
{
    const char *from = *at;
    const int64_t n = (int64_t)strcspn(from, " ");
    *at = from + n + (from[n] == ' ');
    return n;
}

static tg_status read_merges(const tg_json *text, tg_bpe_parts *p)
{
    if (!text || text->type != TG_JSON_TEXT) return not_ours("merges");
    int64_t numbers = text->length > 0, x;
    for (int64_t i = 0; i < text->length; i++) numbers += text->text[i] == ' ';
    if (numbers % 2) return not_ours("merges");
    p->merge_count = numbers / 2;
    p->merges = tg_alloc_array(numbers + 1, sizeof *p->merges);
    if (!p->merges) return TG_ENOMEM;
    const char *at = text->text;
    for (int64_t i = 0; i < numbers; i++) {
        const char *from = at;
        if (!tg_parse_int(from, next_number(&at), &x) || x < 0 || x >= p->count) return not_ours("merges");
        p->merges[i] = (int32_t)x;
    }
    return TG_OK;
}

static tg_status read_scores(const tg_json *object, tg_bpe_parts *p)
{
    const tg_json *text = tg_json_get(object, "scores");
    int64_t longest;
    if (!text || text->type != TG_JSON_TEXT || !tg_json_int(object, "longest", &longest) || longest != (int32_t)longest)
        return not_ours("scores");
    p->longest = (int32_t)longest;
    p->scores = tg_alloc_array(p->count, sizeof *p->scores);
    if (!p->scores) return TG_ENOMEM;
    const char *at = text->text;
    for (int64_t i = 0; i < p->count; i++) {
        const char *from = at;
        double x;
        if (!tg_parse_real(from, next_number(&at), &x) || !isfinite((float)x)) return not_ours("scores");
        p->scores[i] = (float)x;
    }
    return *at ? not_ours("scores") : TG_OK;
}

static tg_status bpe_read(const tg_json *object, tg_tokenizer **out)
{
    tg_bpe_parts p = {0};
    const char *rule = tg_json_text(object, "rule");
    int which = 0;
    while (which < 3 && !(rule && !strcmp(rule, rules[which]))) which++;
    if (which == 3)
        return tg_fail(TG_EUNSUPPORTED, "a bpe tokeniser of rule %s is not known to this version", rule ? rule : "(none)");
    p.rule = (tg_bpe_rule)which;
    tg_status s = read_pieces(tg_json_get(object, "pieces"), &p);
    if (!s) s = p.rule == TG_BPE_SCORES ? read_scores(object, &p) : read_merges(tg_json_get(object, "merges"), &p);
    if (!s) return tg_bpe_new(&p, out);
    tg_bpe_parts_free(&p);
    return s;
}

const tg_tokenizer_row tg_tokenizer_bpe = {
    .name = "bpe", .encode = bpe_encode, .text = bpe_text, .put = bpe_put, .read = bpe_read, .free = bpe_free,
    .work_new = bpe_work_new, .work_free = bpe_work_free, .part = bpe_part,
};
