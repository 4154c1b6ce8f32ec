/* tokenizers.c - gen-preprocess --tokenizer: made of the text, or taken from a file. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/file.h"
#include "data/codec/safetensors.h"
#include "data/pack.h"
#include "data/text/bpe.h"
#include "run/preprocess.h"
#include "run/trained.h"

/* Of 512 to 8,192 pieces a 3-gram does best with 1,024 on 1 MB of English and 4,096 on 4 MB of Chinese, and hardly worse with
 * these; more leave many that are too rare on texts of such a size. */
enum { USUAL = 2048 };

/* ---- from a file ------------------------------------------------------------------------------------------------- */

static tg_status open_file(tg_preparing *p, const char *name)
{
    char *path = NULL;
    bool ours;
    tg_status s = tg_trained_path(name, &path);
    if (!s) s = tg_safetensors_is(path, &ours);
    if (!s) s = ours ? tg_trained_tokenizer(p->ctx, path, &p->tokenizer, &p->has_unknown) : tg_bpe_open(p->ctx, path, &p->tokenizer);
    tg_free(path);
    return s;
}

tg_status tg_tokenizer_choose(tg_preparing *p)
{
    static const char *const names[] = {"char", "byte", "bpe"};
    const tg_preprocess_options *o = p->o;
    const char *name = o->tokenizer ? o->tokenizer : names[0];
    p->by = TG_BY_CHAR;
    while (p->by < TG_BY_FILE && strcmp(name, names[p->by])) p->by++;
    if (p->by == TG_BY_FILE && tg_path_kind(name) == TG_PATH_NONE)
        return tg_fail(TG_EUSAGE, "--tokenizer %s: must be char, byte, bpe or a file, and there is none of that name", name);
    if (o->min_count > 1 && p->by != TG_BY_CHAR)
        return tg_fail(TG_EUSAGE, "--min-count is about characters: it does not go with --tokenizer %s", name);
    if (o->vocab_size && p->by != TG_BY_BPE)
        return tg_fail(TG_EUSAGE, "--vocab-size is of --tokenizer bpe; it does not go with --tokenizer %s", name);
    if (o->vocab_size && o->vocab_size < TG_BPE_LEAST)
        return tg_fail(TG_EUSAGE, "--vocab-size %" PRId64 ": must be %d at least, the single bytes", o->vocab_size, TG_BPE_LEAST);
    tg_status s = p->by == TG_BY_FILE ? open_file(p, name) : TG_OK;
    if (s) return s;
    if (p->by == TG_BY_CHAR) p->has_unknown = o->min_count > 1;
    p->takes_bytes = p->tokenizer ? tg_tokenizer_takes_bytes(p->tokenizer) : p->by != TG_BY_CHAR;
    const bool bpe = p->by == TG_BY_BPE || (p->tokenizer && tg_bpe_of(p->tokenizer));
    p->raw = o->raw || (bpe && o->normalize);
    return TG_OK;
}

/* ---- of the text ------------------------------------------------------------------------------------------------- */

/* Shows all text to the set of characters; seen is NULL where nobody counts. */
static tg_status find_characters(tg_preparing *p, uint64_t *set, int64_t *seen)
{
    const int64_t all = tg_scratch_length(p->text);
    tg_meter m = tg_meter_start(p->ctx, "find characters", "bytes", all);
    tg_status status = TG_OK;
    for (int64_t at = 0, n = 0; at < all && !status; at += n) {
        const char *part;
        status = tg_text_part(p->text, at, all, &part, &n);
        if (!status) status = tg_char_set_add(set, part, n);
        if (!status && seen) tg_char_set_count(seen, part, n);
        if (!status) status = tg_meter_add(&m, n);
    }
    tg_meter_end(&m);
    return status;
}

static tg_status make_char(tg_preparing *p)
{
    const bool counted = p->o->min_count > 1;
    uint64_t *set = tg_alloc(TG_CHAR_SET_WORDS * (int64_t)sizeof *set);
    int64_t *seen = counted ? tg_alloc_array(64 * TG_CHAR_SET_WORDS, sizeof *seen) : NULL;
    tg_status status = set && (seen || !counted) ? find_characters(p, set, seen) : TG_ENOMEM;
    if (!status && counted) p->cleaning.rare = tg_char_set_prune(set, seen, p->o->min_count);
    if (!status) status = tg_tokenizer_char_new(set, &p->tokenizer);
    tg_free(set);
    tg_free(seen);
    return status;
}

/* Pieces are learned from what trains; what validates shall be as new to them as to a model. */
static tg_status make_bpe(tg_preparing *p)
{
    const int64_t all = tg_scratch_length(p->text), vocab = p->o->vocab_size ? p->o->vocab_size : USUAL;
    int64_t length = (int64_t)((double)all * (1 - p->o->val - p->o->test));
    tg_status s = p->o->documents ? tg_documents_reach(&p->documents, p->documents.by_split[TG_TRAIN], &length) : TG_OK;
    if (!s) s = tg_bpe_train(p->ctx, p->text, length, vocab, &p->tokenizer);
    if (!s && tg_tokenizer_vocab(p->tokenizer) < vocab)
        tg_log(p->ctx, TG_LOG_INFO, "%" PRId64 " pieces instead of %" PRId64 ": no more stand in the training text twice",
               tg_tokenizer_vocab(p->tokenizer), vocab);
    return s;
}

tg_status tg_tokenizer_make(tg_preparing *p)
{
    switch (p->by) {
    case TG_BY_CHAR: return make_char(p);
    case TG_BY_BYTE: return tg_tokenizer_byte_new(&p->tokenizer);
    case TG_BY_BPE: return make_bpe(p);
    default: return TG_OK; /* it is there */
    }
}
