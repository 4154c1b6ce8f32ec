/* clean.c - an item's bytes to text that can be learned from: which encoding they are in, and what in them is noise.
 * An item is read twice: first it is found out, then cleaned, in blocks of whole lines; what is a single piece, and not UTF-8,
 * is decoded once for both. No pass looks beyond a line's end, so it does not matter where blocks end. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "run/preprocess.h"

enum { TOLD = 3 }; /* items whose encoding is told one by one */
static const double believed = 0.5, sure = 0.9;

/* ---- reading ----------------------------------------------------------------------------------------------------- */

tg_status tg_source_read(tg_source *s, char *out, int64_t room, int64_t *got)
{
    tg_status status = TG_OK;
    *got = s->length - s->at < room ? s->length - s->at : room;
    if (s->file) status = tg_item_read(s->file, out, room, got);
    else memcpy(out, s->bytes + s->at, (size_t)*got);
    s->at += *got;
    return !status && s->meter ? tg_meter_add(s->meter, *got) : status;
}

void tg_source_rewind(tg_source *s)
{
    if (s->file) tg_item_rewind(s->file);
    s->at = 0;
}

void tg_washing_free(tg_washing *w)
{
    tg_free(w->window);
    tg_str_free(&w->raw);
    tg_str_free(&w->text);
    tg_str_free(&w->a);
    tg_str_free(&w->b);
}

/* Bytes of the source in pieces of whole characters; after one of none there are no more. */
typedef struct pieces {
    tg_source *source;
    tg_encoding encoding;
    bool any;            /* bytes are no characters */
    tg_str *bytes;       /* the piece, and what is read of the next */
    int64_t from, count; /* the piece's offset in the source, and its length */
} pieces;

static tg_status next_piece(const tg_preparing *p, pieces *k)
{
    tg_str *b = k->bytes;
    tg_source *s = k->source;
    tg_status status = TG_OK;
    if (s->at == 0) tg_str_clear(b);
    else memmove(b->data, b->data + k->count, (size_t)(b->length -= k->count));
    k->from += k->count;
    k->count = 0;
    while (!status && k->count == 0 && (s->at < s->length || b->length > 0 || s->at == 0)) {
        const int64_t need = b->length + p->bounds.block + 1;
        int64_t got = 0;
        if (b->room < need) {
            char *more = tg_realloc(b->data, b->room, need);
            if (!more) return TG_ENOMEM;
            b->data = more;
            b->room = need;
        }
        status = tg_source_read(s, b->data + b->length, p->bounds.block, &got);
        b->length += got;
        const bool cut = s->at < s->length && !k->any;
        if (!status) k->count = b->length - (cut ? tg_encoding_partial(k->encoding, b->data, b->length) : 0);
        if (s->length == 0) break; /* its hash has been compared */
    }
    return status;
}

/* ---- which encoding ---------------------------------------------------------------------------------------------- */

typedef struct finding {
    tg_guess guess;
    bool ascii;   /* every byte, and no NUL */
    bool is_text;
    bool decoded; /* all of it is in wash.text already */
} finding;

static tg_status read_part(void *user, char *out, int64_t room, int64_t *got)
{
    return tg_source_read(user, out, room, got);
}

static tg_status guess(tg_preparing *p, tg_source *s, finding *f)
{
    if (!p->wash.window && !(p->wash.window = tg_alloc_raw(TG_GUESS_ROOM))) return TG_ENOMEM;
    tg_source_rewind(s);
    return tg_encoding_guess_parts(read_part, s, p->wash.window, &f->guess, &f->ascii);
}

/* What --encoding says, or the guess; confidence 1 where it was said. */
static tg_status encoding_of(tg_preparing *p, tg_source *s, finding *f)
{
    static const tg_encoding said[] = {TG_UTF8, TG_UTF8, TG_GB18030, TG_BIG5, TG_UTF16LE};
    const int64_t encoding = p->o->encoding;
    *f = (finding){.guess = {.encoding = s->is_utf8 ? TG_UTF8 : said[encoding], .confidence = 1}, .is_text = true};
    if (s->is_utf8 || (encoding && encoding != TG_SAID_UTF16)) return TG_OK;
    tg_status status = guess(p, s, f);
    if (status || !encoding) return status;
    f->guess = (tg_guess){f->guess.encoding == TG_UTF16BE ? TG_UTF16BE : TG_UTF16LE, 1, false}; /* which half comes first is seen */
    f->ascii = false;
    return TG_OK;
}

static void tell_encoding(tg_preparing *p, const char *where, tg_guess g)
{
    p->cleaning.encodings[g.encoding]++;
    p->cleaning.doubtful += g.confidence < sure;
    if (g.encoding == TG_UTF8 || p->o->encoding || p->cleaning.told++ >= TOLD) return;
    tg_str share = {0};
    tg_str_add_fixed(&share, 100 * g.confidence, g.confidence < 0.999 ? 1 : 0);
    tg_log(p->ctx, TG_LOG_INFO, "%s: %s (%s %% sure), made UTF-8; --encoding NAME overrules", where, tg_encoding_name(g.encoding),
           share.failed ? "?" : share.data);
    tg_str_free(&share);
}

/* A piece is checked; where it is all there is, and UTF-8 is to be made of it, that is kept. */
static tg_status check_piece(tg_preparing *p, const pieces *k, int64_t *nul, bool *decoded)
{
    tg_str *text = &p->wash.text;
    *decoded = k->encoding != TG_UTF8 && k->count == k->source->length;
    if (!*decoded) return tg_encoding_check(k->encoding, k->bytes->data, k->count, k->from, nul);
    tg_str_clear(text);
    tg_status s = tg_encoding_piece(k->encoding, k->bytes->data, k->count, k->from, text);
    if (s || !text->length || !memchr(text->data, 0, (size_t)text->length)) return s;
    return tg_encoding_check(k->encoding, k->bytes->data, k->count, k->from, nul);
}

/* Whether all of it is in that encoding; *nul: offset of the first NUL, -1: none. */
static tg_status check(tg_preparing *p, tg_source *s, tg_encoding e, int64_t *nul, bool *decoded)
{
    pieces k = {.source = s, .encoding = e, .bytes = &p->wash.raw};
    *nul = -1;
    *decoded = false;
    tg_source_rewind(s);
    for (;;) {
        tg_status status = next_piece(p, &k);
        if (status || k.count == 0) return status;
        status = check_piece(p, &k, nul, decoded);
        if (status) return status;
    }
}

static tg_status refuse_nul(const char *where, int64_t nul)
{
    return tg_fail(TG_EINVAL, "%s: no text: a NUL at byte %" PRId64 "; take --tokenizer byte", where, nul);
}

/* f->is_text false: bytes of no known encoding, to be taken as they are (only where a token is a byte). */
static tg_status find_out(tg_preparing *p, const char *where, tg_source *source, finding *f)
{
    const bool by_byte = p->takes_bytes;
    int64_t nul = -1;
    tg_status s = encoding_of(p, source, f);
    if (s) return s;
    if (f->guess.confidence < believed) f->guess.encoding = TG_UTF8; /* its error names the first odd byte */
    if (!f->ascii) s = check(p, source, f->guess.encoding, &nul, &f->decoded);
    const bool wide = f->guess.encoding == TG_UTF16LE || f->guess.encoding == TG_UTF16BE;
    if (s == TG_EINVAL && !p->o->encoding && f->guess.encoding != TG_UTF8 && (wide || f->guess.confidence < sure)) {
        /* a guess that does not hold; one in which it was sure tells better what is wrong, but any bytes may be UTF-16 */
        f->guess.encoding = TG_UTF8;
        s = check(p, source, TG_UTF8, &nul, &f->decoded);
    }
    if (s == TG_EINVAL && by_byte && !p->o->encoding) {
        f->is_text = f->decoded = false;
        p->cleaning.not_text++;
        return TG_OK;
    }
    if (s) return s == TG_EINVAL ? tg_note("%s", where) : s;
    p->cleaning.text.marks += f->guess.mark;
    tell_encoding(p, where, f->guess);
    return by_byte || nul < 0 ? TG_OK : refuse_nul(where, nul);
}

/* ---- cleaning ---------------------------------------------------------------------------------------------------- */

typedef tg_status pass(tg_preparing *p, const tg_str *in, tg_str *out);

static tg_status controls(tg_preparing *p, const tg_str *in, tg_str *out)
{
    return tg_clean_controls(in->data, in->length, out, &p->cleaning.text);
}

static tg_status strip(tg_preparing *p, const tg_str *in, tg_str *out)
{
    int64_t begin = 0, end = in->length;
    if (tg_gutenberg_body(in->data, in->length, &begin, &end)) p->cleaning.stripped += in->length - (end - begin);
    tg_str_add_n(out, in->data + begin, end - begin);
    return out->failed ? TG_ENOMEM : TG_OK;
}

static tg_status widths(tg_preparing *p, const tg_str *in, tg_str *out)
{
    return tg_fold_width(in->data, in->length, out, &p->cleaning.widths);
}

static tg_status compose(tg_preparing *p, const tg_str *in, tg_str *out)
{
    return tg_nfc(in->data, in->length, out, &p->cleaning.composed);
}

static tg_status lower(tg_preparing *p, const tg_str *in, tg_str *out)
{
    return tg_lowercase(in->data, in->length, out, &p->cleaning.lowered);
}

static tg_status scrub(tg_preparing *p, const tg_str *in, tg_str *out)
{
    return tg_scrub(in->data, in->length, out, &p->cleaning.scrubbed);
}

/* A block through all passes; of bytes that are no text only personal data are looked for. */
static tg_status wash(tg_preparing *p, const char *bytes, int64_t length, bool is_text, tg_take *take, void *user)
{
    const tg_preprocess_options *o = p->o;
    const struct { bool wanted; pass *run; } passes[] = {
        {is_text, controls}, {is_text && o->strip, strip}, {is_text && o->width, widths}, {is_text && !o->normalize, compose},
        {is_text && o->lowercase, lower}, {o->scrub_pii, scrub}};
    const tg_str block = {.data = (char *)(uintptr_t)bytes, .length = length}; /* passes only read it */
    const tg_str *in = &block;
    tg_status s = TG_OK;
    for (size_t i = 0; i < sizeof passes / sizeof passes[0] && !s && in->length > 0; i++) {
        if (!passes[i].wanted) continue;
        tg_str *out = in == &p->wash.a ? &p->wash.b : &p->wash.a;
        tg_str_clear(out);
        s = passes[i].run(p, in, out);
        in = out;
    }
    tg_scrub_span span = {0};
    while (!s && !o->scrub_pii && tg_scrub_next(in->data, in->length, span.end, &span))
        p->cleaning.scrubbed.count[span.kind]++;
    return s || in->length == 0 ? s : take(user, in->data, in->length);
}

/* How much of the text is a block: whole lines, or as much of one as is allowed; 0: what comes next must be seen first. */
static int64_t block_of(const tg_preparing *p, const char *text, int64_t length, bool last)
{
    const int64_t most = length < p->bounds.line ? length : p->bounds.line;
    for (int64_t i = most; i > 0; i--)
        if (text[i - 1] == '\n') return i;
    if (length <= most) return last ? length : 0;
    for (int64_t i = most; i > 0; i--)
        if (text[i - 1] == ' ') return i;
    int64_t n = most - tg_utf8_partial(text, most);
    return n > 1 && text[n - 1] == '\r' ? n - 1 : n;
}

/* --raw: UTF-8 where a token is a character, else anything. */
static tg_status check_raw(const tg_preparing *p, const char *where, const pieces *k)
{
    const char *bytes = k->bytes->data, *nul;
    if (p->takes_bytes) return TG_OK;
    const int64_t invalid = tg_utf8_check(bytes, k->count);
    if (invalid >= 0)
        return tg_fail(TG_EINVAL, "%s: not UTF-8: byte 0x%02x at byte %" PRId64 "; leave --raw out, or take --tokenizer byte", where,
                       (unsigned)(unsigned char)bytes[invalid], k->from + invalid);
    nul = memchr(bytes, 0, (size_t)k->count);
    return nul ? refuse_nul(where, k->from + (nul - bytes)) : TG_OK;
}

tg_status tg_clean(tg_preparing *p, const char *where, tg_source *source, tg_take *take, void *user)
{
    const bool raw = p->raw, whole = p->o->strip && !raw;
    finding f = {.is_text = !p->takes_bytes};
    if (whole && source->length > p->bounds.whole)
        return tg_fail(TG_EINVAL, "%s: %" PRId64 " bytes; what stands around a book is looked for in items of up to %" PRId64
                       "; collect it apart, or leave --strip out", where, source->length, p->bounds.whole);
    tg_status s = raw ? TG_OK : find_out(p, where, source, &f);
    tg_str *text = &p->wash.text;
    const bool as_it_is = raw || !f.is_text;
    pieces k = {.source = source, .encoding = f.guess.encoding, .any = !f.is_text, .bytes = &p->wash.raw};
    if (!f.decoded) tg_str_clear(text);
    tg_source_rewind(source);
    for (bool last = false; !s && !last;) {
        int64_t done = 0, n = 1;
        if (f.decoded) s = source->meter ? tg_meter_add(source->meter, source->length) : TG_OK;
        else s = next_piece(p, &k);
        last = k.count == 0;
        if (!s && raw) s = check_raw(p, where, &k);
        if (!s && !as_it_is && !last) s = tg_encoding_piece(f.guess.encoding, k.bytes->data, k.count, k.from, text);
        if (!s && as_it_is && !last) tg_str_add_n(text, k.bytes->data, k.count);
        if (!s && text->failed) s = TG_ENOMEM;
        while (!s && done < text->length && n > 0) {
            const char *block = text->data + done;
            n = !whole ? block_of(p, block, text->length - done, last) : last ? text->length : 0;
            if (n > 0) s = raw ? take(user, block, n) : wash(p, block, n, f.is_text, take, user);
            done += n;
        }
        if (!s && done > 0) memmove(text->data, text->data + done, (size_t)(text->length -= done));
    }
    return s;
}
