/* convert_gpt2.c - the tokeniser of a dataset or a model as GPT-2's two files, vocab.json and the merges beside it. */
#include "run/convert.h"

#include <string.h>

#include "base/alloc.h"
#include "data/text/bpe.h"

#define VOCAB "vocab.json"
#define MERGES "merges.txt"

/* x-vocab.json has its merges in x-merges.txt, where gen-preprocess and others look for them. */
tg_status tg_convert_merges_path(const char *out, char **path)
{
    const int64_t before = (int64_t)strlen(out) - (int64_t)strlen(VOCAB);
    tg_str name = {0};
    if (before < 0 || strcmp(out + before, VOCAB))
        return tg_fail(TG_EUSAGE, "-o %s: GPT-2's files are named ...%s, and ...%s beside it", out, VOCAB, MERGES);
    tg_str_add_n(&name, out, before);
    tg_str_add(&name, MERGES);
    if (!name.failed) *path = name.data;
    else tg_str_free(&name);
    return name.failed ? TG_ENOMEM : TG_OK;
}

/* The merges come first: where vocab.json is whole, so is the pair. */
tg_status tg_convert_to_gpt2(tg_converting *c)
{
    tg_tokenizer *t = NULL;
    tg_str vocab = {0}, merges = {0};
    char *path = NULL;
    tg_status s = tg_trained_tokenizer(c->ctx, c->o->in, &t, NULL);
    if (!s) s = tg_bpe_put_pair(t, &vocab, &merges);
    if (!s) s = tg_convert_merges_path(c->o->out, &path);
    if (!s && tg_bpe_of(t)->rule == TG_BPE_WORDS) tg_convert_tell_words(c, "GPT-2's files do not");
    if (!s) s = tg_write_file(path, merges.data, merges.length);
    if (!s) s = tg_convert_add(c, vocab.data, vocab.length);
    if (!s) c->params = tg_tokenizer_vocab(t);
    tg_free(path);
    tg_str_free(&vocab);
    tg_str_free(&merges);
    tg_tokenizer_free(t);
    return s;
}
