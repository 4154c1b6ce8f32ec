/* convert_gguf.c - a model of ours as GGUF, architecture "llama", whose rotation turns the pairs that llama2.c turns. */
#include "run/convert.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/codec/gguf.h"
#include "data/text/bpe.h"

enum { NAME = 64, NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6 /* types of tokens */ };

static const char *const names[TG_LLAMA2_PARTS] = {
    "token_embd.weight", "blk.%d.attn_norm.weight", "blk.%d.attn_q.weight", "blk.%d.attn_k.weight", "blk.%d.attn_v.weight",
    "blk.%d.attn_output.weight", "blk.%d.ffn_norm.weight", "blk.%d.ffn_gate.weight", "blk.%d.ffn_down.weight",
    "blk.%d.ffn_up.weight", "output_norm.weight", NULL, NULL, "output.weight"};

static const char *name_of(tg_llama2_part p, int64_t layer, char out[NAME])
{
    const char *gap = strchr(names[p], '%');
    if (!gap) return names[p];
    snprintf(out, NAME, "blk.%d%s", (int)layer, gap + 2);
    return out;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------ */

static tg_status check_tokens(const tg_trained *t)
{
    const tg_bpe *bpe = tg_bpe_of(t->tokenizer);
    if (!bpe)
        return tg_fail(TG_EUNSUPPORTED, "%s: GGUF has no tokeniser %s: train on data that gen-preprocess --tokenizer bpe made, or "
                       "--tokenizer FILE with a vocab.json of GPT-2's kind or a tokenizer.bin", t->path,
                       tg_tokenizer_kind(t->tokenizer));
    if (tg_tokenizer_classes(t->tokenizer))
        return tg_fail(TG_EUNSUPPORTED, "%s: GGUF cannot say tokens of classes", t->path);
    return TG_OK;
}

/* As SentencePiece writes it: U+2581 for a space. */
static void spell_scored(tg_str *out, const char *piece, int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        if (piece[i] == ' ') tg_str_add(out, "\xe2\x96\x81");
        else tg_str_add_n(out, piece + i, 1);
    }
}

static tg_status put_tokens(tg_gguf *g, const tg_tokenizer *k, const tg_bpe *bpe)
{
    static const char *const own[] = {"<unk>", "<s>", "</s>"};
    tg_str text = {0};
    const bool scores = bpe->rule == TG_BPE_SCORES;
    tg_gguf_put_array(g, "tokenizer.ggml.tokens", TG_GGUF_TEXT, tg_tokenizer_vocab(k));
    for (int32_t id = 0; id < tg_tokenizer_vocab(k) && !text.failed; id++) {
        int64_t length = 0;
        const char *piece = id < k->plain ? tg_bpe_piece(&bpe->parts, id, &length) : NULL;
        tg_str_clear(&text);
        if (!piece) tg_str_add(&text, tg_tokenizer_special(k, id));
        else if (scores && id < TG_BPE_BYTE0) tg_str_add(&text, own[id]);
        else if (scores) spell_scored(&text, piece, length);
        else tg_bpe_spell(&text, piece, length);
        tg_gguf_add_text(g, text.data ? text.data : "", text.length);
    }
    const tg_status s = text.failed ? TG_ENOMEM : TG_OK;
    tg_str_free(&text);
    return s;
}

static tg_status put_merges(tg_gguf *g, const tg_bpe_parts *p)
{
    tg_str text = {0};
    int64_t length;
    tg_gguf_put_array(g, "tokenizer.ggml.merges", TG_GGUF_TEXT, p->merge_count);
    for (int64_t i = 0; i < p->merge_count && !text.failed; i++) {
        tg_str_clear(&text);
        const char *piece = tg_bpe_piece(p, p->merges[2 * i], &length);
        tg_bpe_spell(&text, piece, length);
        tg_str_add(&text, " ");
        piece = tg_bpe_piece(p, p->merges[2 * i + 1], &length);
        tg_bpe_spell(&text, piece, length);
        tg_gguf_add_text(g, text.data ? text.data : "", text.length);
    }
    const tg_status s = text.failed ? TG_ENOMEM : TG_OK;
    tg_str_free(&text);
    return s;
}

static int32_t type_of(const tg_tokenizer *k, bool scores, int32_t id)
{
    if (id >= k->plain) return CONTROL;
    if (!scores || id >= TG_BPE_FIRST) return NORMAL;
    return id >= TG_BPE_BYTE0 ? BYTE : id ? CONTROL : UNKNOWN;
}

static tg_status put_tokenizer(tg_gguf *g, const tg_tokenizer *k)
{
    const tg_bpe *bpe = tg_bpe_of(k);
    const bool scores = bpe->rule == TG_BPE_SCORES;
    const int64_t vocab = tg_tokenizer_vocab(k);
    tg_gguf_put_text(g, "tokenizer.ggml.model", scores ? "llama" : "gpt2");
    tg_gguf_put_text(g, "tokenizer.ggml.pre", scores ? "default" : "gpt-2");
    tg_status s = put_tokens(g, k, bpe);
    if (scores) tg_gguf_put_array(g, "tokenizer.ggml.scores", TG_GGUF_F32, vocab);
    for (int64_t id = 0; scores && id < vocab; id++) tg_gguf_add_f32(g, id < k->plain ? bpe->parts.scores[id] : 0);
    tg_gguf_put_array(g, "tokenizer.ggml.token_type", TG_GGUF_I32, vocab);
    for (int32_t id = 0; id < vocab; id++) tg_gguf_add_i32(g, type_of(k, scores, id));
    if (!s && !scores) s = put_merges(g, &bpe->parts);
    if (scores) tg_gguf_put_u32(g, "tokenizer.ggml.unknown_token_id", 0);
    if (tg_tokenizer_start(k) >= 0) {
        tg_gguf_put_u32(g, "tokenizer.ggml.bos_token_id", tg_tokenizer_start(k));
        tg_gguf_put_u32(g, "tokenizer.ggml.eos_token_id", tg_tokenizer_end(k));
    }
    tg_gguf_put_bool(g, "tokenizer.ggml.add_bos_token", tg_tokenizer_start(k) >= 0);
    tg_gguf_put_bool(g, "tokenizer.ggml.add_eos_token", false);
    tg_gguf_put_bool(g, "tokenizer.ggml.add_space_prefix", scores);
    return s;
}

/* ---- the file ---------------------------------------------------------------------------------------------------------- */

static void put_shape(tg_gguf *g, const tg_llama *m)
{
    const tg_llama2 *c = &m->shape;
    tg_gguf_put_text(g, "general.architecture", "llama");
    tg_gguf_put_u32(g, "general.alignment", TG_GGUF_ALIGN);
    tg_gguf_put_u32(g, "general.file_type", 0); /* all of it is f32 */
    tg_gguf_put_u32(g, "llama.context_length", c->context);
    tg_gguf_put_u32(g, "llama.embedding_length", c->dim);
    tg_gguf_put_u32(g, "llama.block_count", c->layers);
    tg_gguf_put_u32(g, "llama.feed_forward_length", c->hidden);
    tg_gguf_put_u32(g, "llama.rope.dimension_count", c->dim / c->heads);
    tg_gguf_put_f32(g, "llama.rope.freq_base", (float)m->theta);
    tg_gguf_put_u32(g, "llama.attention.head_count", c->heads);
    tg_gguf_put_u32(g, "llama.attention.head_count_kv", c->kv_heads);
    tg_gguf_put_f32(g, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    tg_gguf_put_u32(g, "llama.vocab_size", c->vocab);
}

static bool is_vector(tg_llama2_part p)
{
    return p == TG_LLAMA2_ATTENTION_NORM || p == TG_LLAMA2_NET_NORM || p == TG_LLAMA2_NORM;
}

static tg_status write_head(tg_converting *c, const tg_llama *m)
{
    tg_gguf g = {0};
    tg_str head = {0};
    char name[NAME];
    put_shape(&g, m);
    tg_status s = put_tokenizer(&g, m->t->tokenizer);
    for (int i = 0; i < TG_LLAMA2_PARTS; i++) {
        const tg_llama2_part p = (tg_llama2_part)i;
        for (int64_t k = 0; names[p] && k < tg_llama2_times(&m->shape, p); k++)
            tg_gguf_put_tensor(&g, name_of(p, k, name), is_vector(p) ? 0 : tg_llama2_rows(&m->shape, p), tg_llama2_columns(&m->shape, p));
    }
    if (!s) s = tg_gguf_head(&g, &head);
    if (!s) s = tg_convert_add(c, head.data, head.length);
    if (!s) tg_writer_expect(c->writer, head.length + g.bytes);
    tg_str_free(&head);
    tg_gguf_free(&g);
    return s;
}

static tg_status write_part(tg_converting *c, const tg_llama *m, tg_llama2_part p, int64_t layer)
{
    static const char zeros[TG_GGUF_ALIGN];
    const int64_t rows = tg_llama2_rows(&m->shape, p), bytes = tg_llama2_columns(&m->shape, p) * (int64_t)sizeof(float);
    tg_status s = TG_OK;
    for (int64_t r = 0; r < rows && !s; r++) s = tg_convert_add(c, tg_llama_row(m, p, layer, r), bytes);
    const int64_t over = rows * bytes % TG_GGUF_ALIGN;
    return s || !over ? s : tg_convert_add(c, zeros, TG_GGUF_ALIGN - over);
}

tg_status tg_convert_to_gguf(tg_converting *c)
{
    tg_llama m;
    tg_status s = tg_llama_open(c, c->o->in, &m);
    if (!s) s = check_tokens(m.t);
    if (!s && tg_bpe_of(m.t->tokenizer)->rule == TG_BPE_WORDS) tg_convert_tell_words(c, "GGUF does not");
    if (!s) s = write_head(c, &m);
    for (int i = 0; i < TG_LLAMA2_PARTS && !s; i++) {
        const tg_llama2_part p = (tg_llama2_part)i;
        for (int64_t k = 0; names[p] && k < tg_llama2_times(&m.shape, p) && !s; k++) s = write_part(c, &m, p, k);
    }
    tg_llama_close(&m);
    return s;
}
