/* convert.c - gen-convert: models of others in, ours out. */
#include "run/convert.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/json.h"
#include "data/codec/npy.h"
#include "run/deps.h"
#include "run/result.h"

#define FORMS "auto|safetensors|llama2c|gguf|npy|gpt2"
static const char *const form_names[] = {"auto", "safetensors", "llama2c", "gguf", "npy", "gpt2"};
static const char *const endings[] = {NULL, ".safetensors", ".bin", ".gguf", ".npy", ".json"};

const tg_key tg_convert_keys[] = {
    TG_TEXT(tg_convert_options, in, 0, NULL, "IN", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NO_CONFIG,
            "a run folder, a model file or, for .npy, any safetensors file; or a checkpoint of llama2.c"),
    TG_TEXT(tg_convert_options, out, 'o', NULL, "PATH", TG_KEY_REQUIRED | TG_KEY_NO_CONFIG | TG_KEY_NAME,
            "file to write: .safetensors, .bin (llama2.c), .gguf, .npy or vocab.json (a tokeniser, with merges.txt)"),
    TG_CHOICE(tg_convert_options, to, 0, "auto", FORMS, 0, "what to write; auto: as the output's ending says"),
    TG_TEXT(tg_convert_options, tokenizer, 0, NULL, "FILE", TG_KEY_NAME,
            "llama2.c's tokenizer.bin: read with a checkpoint of it, written beside one"),
    TG_TEXT(tg_convert_options, tensor, 0, NULL, "NAME", 0, "the tensor that a .npy shall hold"),
    TG_TEXT(tg_convert_options, adapter, 0, NULL, "FILE", TG_KEY_NAME,
            "what gen-tune finetune --lora-rank learned for IN: merges both into a .safetensors"),
    TG_SWITCH(tg_convert_options, force, 0, NULL, TG_KEY_NO_CONFIG, "replace the output file"),
    TG_TEXT(tg_convert_options, deps, 0, NULL, "FILE", TG_KEY_NO_CONFIG, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

tg_status tg_convert_add(tg_converting *c, const void *data, int64_t count)
{
    if (!c->writer) {
        tg_status s = tg_writer_new(c->o->out, &c->writer);
        if (s) return s;
        tg_sha256_start(&c->sha);
    }
    if (tg_cancelled(c->ctx)) return tg_fail(TG_ECANCELLED, "stopped; %s is as it was", c->o->out);
    tg_sha256_add(&c->sha, data, count);
    c->bytes += count;
    return tg_writer_add(c->writer, data, count);
}

/* ---- .npy ---------------------------------------------------------------------------------------------------------- */

static tg_status find_tensor(const tg_safetensors *file, const char *name, const tg_st_tensor **out)
{
    enum { LISTED = 20 };
    tg_str names = {0};
    const int64_t count = tg_safetensors_count(file);
    if (name && (*out = tg_safetensors_find(file, name)) != NULL) return TG_OK;
    for (int64_t i = 0; i < count && i < LISTED; i++)
        tg_str_addf(&names, "%s%s", i ? ", " : "", tg_safetensors_at(file, i)->name);
    if (count > LISTED) tg_str_addf(&names, " and %" PRId64 " more", count - LISTED);
    tg_status s = names.failed ? TG_ENOMEM
                : name ? tg_fail(TG_EINVAL, "no tensor %s; there are: %s", name, names.data ? names.data : "none")
                       : tg_fail(TG_EUSAGE, "a .npy holds one tensor: --tensor NAME; there are: %s", names.data ? names.data : "none");
    tg_str_free(&names);
    return s;
}

static tg_status write_tensor(tg_converting *c, tg_safetensors *file)
{
    const tg_st_tensor *t = NULL;
    tg_str head = {0};
    tg_status s = find_tensor(file, c->o->tensor, &t);
    if (!s) s = tg_npy_head(&head, t);
    void *data = s ? NULL : tg_alloc_raw(t->bytes);
    if (!s && !data) s = TG_ENOMEM;
    if (!s) s = tg_safetensors_read(file, t, data);
    if (!s) s = tg_convert_add(c, head.data, head.length);
    if (!s) s = tg_convert_add(c, data, t->bytes);
    if (!s) c->params = t->count;
    tg_free(data);
    tg_str_free(&head);
    return s;
}

static tg_status to_npy(tg_converting *c)
{
    tg_safetensors *file;
    char *path = NULL;
    tg_status s = tg_trained_path(c->o->in, &path);
    if (!s) s = tg_context_read(c->ctx, path);
    if (!s) s = tg_safetensors_open(path, &file);
    if (!s) {
        s = write_tensor(c, file);
        if (s) s = tg_note("%s", path);
        tg_safetensors_close(file);
    }
    tg_free(path);
    return s;
}

/* ---- from what to what --------------------------------------------------------------------------------------------- */

/* "./a" and "a" are one file. */
static const char *plain_path(const char *path)
{
    while (path[0] == '.' && path[1] == '/') path += 2;
    return path;
}

static tg_status choose_output(tg_converting *c)
{
    const char *out = c->o->out;
    const size_t length = strlen(out);
    if (!strcmp(out, "-")) return tg_fail(TG_EUSAGE, "-o -: a model does not go to standard output; name a file");
    c->to = (tg_form)c->o->to;
    for (int i = TG_FORM_SAFETENSORS; i <= TG_FORM_GPT2 && c->to == TG_FORM_AUTO; i++) {
        const size_t n = strlen(endings[i]);
        if (length > n && !strcmp(out + length - n, endings[i])) c->to = (tg_form)i;
    }
    if (c->to == TG_FORM_AUTO)
        return tg_fail(TG_EUSAGE, "-o %s: its ending tells no format; name it .safetensors, .bin, .gguf, .npy or vocab.json, or add --to", out);
    if (c->o->tensor && c->to != TG_FORM_NPY) return tg_fail(TG_EUSAGE, "--tensor is of .npy; it does not go with %s", form_names[c->to]);
    if (c->o->tokenizer && !strcmp(plain_path(c->o->tokenizer), plain_path(out)))
        return tg_fail(TG_EUSAGE, "-o and --tokenizer both name %s; give each a file of its own", out);
    if (c->o->tokenizer && c->to >= TG_FORM_GGUF)
        return tg_fail(TG_EUSAGE, "--tokenizer is llama2.c's; it does not go with %s", form_names[c->to]);
    return TG_OK;
}

static tg_status choose_input(tg_converting *c)
{
    bool ours = true;
    tg_status s = tg_path_kind(c->o->in) == TG_PATH_FOLDER ? TG_OK : tg_safetensors_is(c->o->in, &ours);
    if (s) return s;
    if (c->o->adapter && (!ours || c->to != TG_FORM_SAFETENSORS))
        return tg_fail(TG_EUSAGE, "--adapter merges it into a model of ours: name the output .safetensors; that becomes any other kind");
    c->from = ours ? TG_FORM_SAFETENSORS : TG_FORM_LLAMA2C;
    if (ours && c->to == TG_FORM_SAFETENSORS && !c->o->adapter)
        return tg_fail(TG_EINVAL, "%s is safetensors already; write .bin, .gguf or .npy", c->o->in);
    if (!ours && c->to != TG_FORM_SAFETENSORS)
        return tg_fail(TG_EINVAL, "%s: not a model of ours; a checkpoint of llama2.c becomes .safetensors first", c->o->in);
    return TG_OK;
}

static tg_status check_free(const tg_convert_options *o, const char *path)
{
    if (o->force || !path || tg_path_kind(path) == TG_PATH_NONE) return TG_OK;
    return tg_fail(TG_EINVAL, "%s is there already; --force replaces it", path);
}

static tg_status check_merges_free(const tg_convert_options *o)
{
    char *path = NULL;
    tg_status s = tg_convert_merges_path(o->out, &path);
    if (!s) s = check_free(o, path);
    tg_free(path);
    return s;
}

void tg_convert_tell_words(const tg_converting *c, const char *who)
{
    tg_log(c->ctx, TG_LOG_WARN, "%s say how texts are cut here before pieces are joined: where GPT-2 cuts elsewhere (Chinese, "
           "apostrophes, runs of digits and spaces), other programs give other ids of the same text", who);
}

static tg_status convert(tg_converting *c)
{
    tg_status s = choose_output(c);
    if (!s) s = choose_input(c);
    if (!s) s = check_free(c->o, c->o->out);
    if (!s && c->to == TG_FORM_LLAMA2C) s = check_free(c->o, c->o->tokenizer);
    if (!s && c->to == TG_FORM_GPT2) s = check_merges_free(c->o);
    if (s) return s;
    tg_clean_temps_of(c->o->out);
    switch (c->to) {
    case TG_FORM_SAFETENSORS: s = c->o->adapter ? tg_convert_merge(c) : tg_convert_from_llama2(c); break;
    case TG_FORM_LLAMA2C: s = tg_convert_to_llama2(c); break;
    case TG_FORM_GGUF: s = tg_convert_to_gguf(c); break;
    case TG_FORM_GPT2: s = tg_convert_to_gpt2(c); break;
    default: s = to_npy(c); break;
    }
    if (s || !c->writer) {
        tg_writer_abandon(c->writer);
        return s;
    }
    tg_sha256_end(&c->sha, c->sha256);
    return tg_writer_commit(c->writer);
}

static tg_status tell(const tg_converting *c, double seconds)
{
    char size[32], count[32];
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    if (!c->o->json) {
        tg_log(c->ctx, TG_LOG_INFO, "%s: %s, %s %s, %s", c->o->out, form_names[c->to], tg_format_count(count, c->params),
               c->to == TG_FORM_GPT2 ? "pieces" : "numbers", tg_format_bytes(size, (double)c->bytes));
        return TG_OK;
    }
    tg_result_begin(&w, "gen-convert", c->o->out, 0, seconds);
    tg_json_member_text(&w, "from", form_names[c->from]);
    tg_json_member_text(&w, "to", form_names[c->to]);
    tg_json_member_int(&w, "params", c->params);
    tg_json_member_int(&w, "bytes", c->bytes);
    tg_json_member_text(&w, "sha256", c->sha256);
    return tg_result_end(c->ctx, &w);
}

tg_status tg_convert(tg_context *ctx, const tg_convert_options *o)
{
    tg_converting c = {.ctx = ctx, .o = o};
    const double begin = tg_now();
    tg_status s = convert(&c);
    if (!s) s = tell(&c, tg_now() - begin);
    if (!s && o->deps) s = tg_deps_write(ctx, o->deps, o->out);
    return s;
}
