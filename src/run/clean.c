/* clean.c - an item's bytes to text that can be learned from: which encoding they are in, and what in them is noise. */
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "run/preprocess.h"

enum { TOLD = 3 }; /* items whose encoding is told one by one */
static const double believed = 0.5, sure = 0.9;

/* What --encoding says, or the guess; confidence 1 where it was said. */
static tg_guess encoding_of(const tg_preprocess_options *o, const char *bytes, int64_t length)
{
    static const tg_encoding said[] = {TG_UTF8, TG_UTF8, TG_GB18030, TG_BIG5, TG_UTF16LE};
    tg_guess g = {.encoding = said[o->encoding], .confidence = 1};
    if (o->encoding && o->encoding != TG_SAID_UTF16) return g;
    const tg_guess guess = tg_encoding_guess(bytes, length);
    if (!o->encoding) return guess;
    if (guess.encoding == TG_UTF16BE) g.encoding = TG_UTF16BE; /* said: UTF-16; which half comes first is seen */
    return g;
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

static tg_status refuse_nul(const char *where, const tg_str *text)
{
    const char *nul = text->length ? memchr(text->data, 0, (size_t)text->length) : NULL;
    if (!nul) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: no text: a NUL at byte %" PRId64 "; take --tokenizer byte", where, (int64_t)(nul - text->data));
}

/* UTF-8 of the item; *is_text false: bytes of no known encoding, as they were (only where a token is a byte). */
static tg_status decode(tg_preparing *p, const char *where, const char *bytes, int64_t length, tg_str *out, bool *is_text)
{
    const bool by_byte = p->o->tokenizer == TG_BY_BYTE;
    tg_guess g = encoding_of(p->o, bytes, length);
    *is_text = true;
    if (g.confidence < believed) g.encoding = TG_UTF8; /* its error names the first odd byte */
    tg_status s = tg_encoding_to_utf8(g.encoding, bytes, length, out);
    if (s == TG_EINVAL && !p->o->encoding && g.encoding != TG_UTF8) { /* a guess that does not hold */
        g.encoding = TG_UTF8;
        s = tg_encoding_to_utf8(g.encoding, bytes, length, out);
    }
    if (s == TG_EINVAL && by_byte && !p->o->encoding) {
        *is_text = false;
        p->cleaning.not_text++;
        tg_str_add_n(out, bytes, length);
        return out->failed ? TG_ENOMEM : TG_OK;
    }
    if (s) return tg_note("%s", where);
    p->cleaning.text.marks += g.mark;
    tell_encoding(p, where, g);
    return by_byte ? TG_OK : refuse_nul(where, out);
}

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

/* --raw: UTF-8 where a token is a character, else anything. */
static tg_status as_it_is(const tg_preparing *p, const char *where, const char *bytes, int64_t length, tg_str *out)
{
    const int64_t invalid = p->o->tokenizer == TG_BY_BYTE ? -1 : tg_utf8_check(bytes, length);
    if (invalid >= 0)
        return tg_fail(TG_EINVAL, "%s: not UTF-8: byte 0x%02x at byte %" PRId64 "; leave --raw out, or take --tokenizer byte", where,
                       (unsigned)(unsigned char)bytes[invalid], invalid);
    tg_str_add_n(out, bytes, length);
    if (out->failed) return TG_ENOMEM;
    return p->o->tokenizer == TG_BY_BYTE ? TG_OK : refuse_nul(where, out);
}

tg_status tg_clean_item(tg_preparing *p, const char *where, const char *bytes, int64_t length, tg_str *out)
{
    const tg_preprocess_options *o = p->o;
    const struct { bool wanted; pass *run; } passes[] = {
        {true, controls}, {o->strip, strip}, {o->width, widths}, {!o->normalize, compose}, {o->lowercase, lower},
        {o->scrub_pii, scrub}};
    bool is_text;
    tg_str other = {0};
    tg_str_clear(out);
    if (o->raw) return as_it_is(p, where, bytes, length, out);
    tg_status s = decode(p, where, bytes, length, out, &is_text);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0] && !s && is_text; i++) {
        if (!passes[i].wanted || out->length == 0) continue;
        tg_str_clear(&other);
        s = passes[i].run(p, out, &other);
        const tg_str swapped = *out;
        *out = other;
        other = swapped;
    }
    tg_str_free(&other);
    tg_scrub_span span = {0};
    while (!s && is_text && !o->scrub_pii && tg_scrub_next(out->data, out->length, span.end, &span))
        p->cleaning.scrubbed.count[span.kind]++;
    return s;
}
