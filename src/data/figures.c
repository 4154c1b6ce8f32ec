/* figures.c - one histogram a split, and sums over it. */
#include "data/figures.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "data/text/tokenizer.h"

int tg_token_bytes(int64_t vocab)
{
    return vocab <= 256 ? 1 : vocab <= 65536 ? 2 : 4;
}

enum { PART = 1 << 18 /* tokens */ };

/* Tokens [first, first + count). */
static tg_status histogram(tg_scratch *tokens, int width, int64_t first, int64_t count, int64_t *out)
{
    for (int64_t i = 0, n; i < count; i += n) {
        const char *view;
        n = count - i < PART ? count - i : PART;
        tg_status status = tg_scratch_view(tokens, (first + i) * width, n * width, &view);
        if (status) return status;
        if (width == 1)
            for (const uint8_t *t = (const void *)view, *end = t + n; t < end; t++) out[*t]++;
        else if (width == 2)
            for (const uint16_t *t = (const void *)view, *end = t + n; t < end; t++) out[*t]++;
        else
            for (const uint32_t *t = (const void *)view, *end = t + n; t < end; t++) out[*t]++;
    }
    return TG_OK;
}

/* Characters that begin in a token's bytes. */
static int64_t begins(const char *text, int64_t length)
{
    int64_t n = 0;
    for (int64_t i = 0; i < length; i++) n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

/* Mean of -log((train + 1) / (N + V)) over the targets that `of` counts; V: kinds that may be a target. */
static double unigram(const tg_tokenizer *t, const int64_t *train, int64_t train_count, const int64_t *of, int64_t of_count,
                      int64_t kinds)
{
    if (of_count == 0) return (double)NAN;
    double total = 0, all = (double)tg_logf((float)(train_count + kinds));
    for (int64_t id = 0; id < tg_tokenizer_vocab(t); id++)
        if (of[id] && tg_token_is_target(t, (int32_t)id)) total += (double)of[id] * (all - (double)tg_logf((float)(train[id] + 1)));
    return total / (double)of_count;
}

static void sum_up(const tg_tokenizer *t, const int64_t *hist, tg_figures *f)
{
    for (int64_t id = 0; id < f->vocab; id++) {
        int64_t length, anywhere = 0;
        const char *text = tg_tokenizer_text(t, (int32_t)id, &length);
        int64_t chars = begins(text, length);
        const bool symbol = id < t->plain;
        for (int s = 0; s < TG_SPLITS; s++) {
            int64_t n = hist[s * f->vocab + id];
            anywhere += n;
            f->bytes[s] += n * length;
            f->chars[s] += n * chars;
            f->kinds[s] += symbol && n > 0;
            if (tg_token_is_target(t, (int32_t)id)) f->targets[s] += n;
            if (hist[id] == 0 && symbol) f->unseen[s] += n;
        }
        f->kinds_in_all += symbol && anywhere > 0;
        if (symbol && anywhere) f->some_token = (int32_t)id;
    }
    for (int s = 0; s < TG_SPLITS; s++) { /* what encoding put before each text is none of it */
        const int64_t texts = t->special.start >= 0 ? hist[s * f->vocab + t->special.start] : s == TG_TRAIN && f->counts[s] > 0;
        f->bytes[s] -= texts * t->prefix;
        f->chars[s] -= texts * t->prefix;
    }
}

tg_status tg_figures_count(const tg_tokenizer *t, tg_scratch *tokens, const int64_t counts[TG_SPLITS], tg_figures *out)
{
    tg_figures f = {.vocab = tg_tokenizer_vocab(t)};
    int64_t *hist = tg_alloc_array(TG_SPLITS * f.vocab, sizeof *hist);
    if (!hist) return TG_ENOMEM;
    int64_t first = 0;
    tg_status status = TG_OK;
    for (int s = 0; s < TG_SPLITS && !status; s++) {
        status = histogram(tokens, tg_token_bytes(f.vocab), first, counts[s], hist + s * f.vocab);
        first += counts[s];
        f.counts[s] = counts[s];
    }
    if (status) {
        tg_free(hist);
        return status;
    }
    sum_up(t, hist, &f);
    int of = counts[TG_VAL] ? TG_VAL : TG_TRAIN;
    int64_t kinds = 0;
    for (int64_t id = 0; id < f.vocab; id++) kinds += tg_token_is_target(t, (int32_t)id);
    f.uniform = (double)tg_logf((float)kinds);
    f.unigram = unigram(t, hist, f.targets[TG_TRAIN], hist + of * f.vocab, f.targets[of], kinds);
    f.ngram = (double)NAN;
    tg_free(hist);
    *out = f;
    return TG_OK;
}
