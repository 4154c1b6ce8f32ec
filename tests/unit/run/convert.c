/* convert.c - tests of gen-convert: no allocation is missed, and no header leads astray. */
#include "run/convert.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/str.h"
#include "support/example.h"
#include "support/files.h"

static const tg_llama2 small = {.dim = 12, .hidden = 10, .layers = 2, .heads = 3, .kv_heads = 1, .vocab = 262, .context = 7};

static void add_number(tg_str *out, uint32_t x)
{
    tg_str_add_n(out, (const char[]){(char)(x & 255), (char)(x >> 8 & 255), (char)(x >> 16 & 255), (char)(x >> 24)}, 4);
}

static void make_tokenizer(const char *path)
{
    tg_str out = {0}, piece = {0};
    add_number(&out, 6);
    for (int i = 0; i < small.vocab; i++) {
        tg_str_clear(&piece);
        if (i < 3) tg_str_addf(&piece, "<%d>", i);
        else if (i < 259) tg_str_addf(&piece, "<0x%02X>", (unsigned)i - 3);
        else tg_str_addf(&piece, "%c", " ab"[i - 259]);
        add_number(&out, 0);
        add_number(&out, (uint32_t)piece.length);
        tg_str_add_n(&out, piece.data, piece.length);
    }
    CHECK(!out.failed);
    CHECK_OK(tg_write_file(path, out.data, out.length));
    tg_str_free(&out);
    tg_str_free(&piece);
}

static void make_checkpoint(const char *path)
{
    unsigned char head[TG_LLAMA2_HEAD];
    const int64_t floats = (tg_llama2_offset(&small, TG_LLAMA2_PARTS, 0) - TG_LLAMA2_HEAD) / (int64_t)sizeof(float);
    float *x = random_values(5, floats, -1, 1);
    tg_str out = {0};
    tg_llama2_put(&small, head);
    tg_str_add_n(&out, (const char *)head, TG_LLAMA2_HEAD);
    tg_str_add_n(&out, (const char *)x, floats * (int64_t)sizeof *x);
    CHECK_OK(tg_write_file(path, out.data, out.length));
    tg_str_free(&out);
    tg_free(x);
}

/* Every allocation of it fails once: it says so, frees all it took, and what was there before is as it was. */
static void fails_well(tg_context *ctx, const tg_convert_options *o, int at_least)
{
    char *before, *after;
    int64_t length, now;
    int failed = 0;
    CHECK_OK(tg_convert(ctx, o)); /* the context keeps names of what was read */
    CHECK_OK(tg_file_slurp(o->out, 1 << 24, &before, &length));
    const int64_t live = tg_alloc_live();
    for (int n = 1;; n++) {
        const int64_t asked = tg_alloc_count();
        tg_alloc_fail_at(n, false);
        tg_status s = tg_convert(ctx, o);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live);
        if (tg_alloc_count() - asked < n) break;
        if (s) CHECK_INT(s, TG_ENOMEM); /* cleaning up before it begins may fail */
        failed += s != TG_OK;
    }
    CHECK_OK(tg_file_slurp(o->out, 1 << 24, &after, &now));
    CHECK_INT(now, length);
    CHECK_BYTES(after, before, length);
    if (failed < at_least) test_failed(__FILE__, __LINE__, "%s: %d allocations, %d were expected", o->out, failed, at_least);
    tg_free(before);
    tg_free(after);
}

TEST(converting_frees_all_it_took)
{
    const char *folder = test_folder(), *bin = in(folder, "a.bin"), *ours = in(folder, "a.safetensors");
    tg_context *ctx = example_context(1, NULL);
    make_tokenizer(in(folder, "tokenizer.bin"));
    make_checkpoint(bin);
    fails_well(ctx, &(tg_convert_options){.in = bin, .out = ours, .tokenizer = in(folder, "tokenizer.bin"), .force = true}, 40);
    fails_well(ctx, &(tg_convert_options){.in = ours, .out = in(folder, "b.bin"), .tokenizer = in(folder, "b"), .force = true}, 40);
    fails_well(ctx, &(tg_convert_options){.in = ours, .out = in(folder, "b.gguf"), .force = true}, 40);
    fails_well(ctx, &(tg_convert_options){.in = ours, .out = in(folder, "b.npy"), .tensor = "norm.weight", .force = true}, 10);
    CHECK_INT(count_names(folder), 7); /* no temporary file is left */
    tg_context_free(ctx);
}

TEST(any_header_of_llama2_is_refused_or_fits_its_file)
{
    unsigned char head[TG_LLAMA2_HEAD];
    tg_llama2 got;
    int taken = 0;
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 77);
    for (int i = 0; i < 200000; i++) {
        tg_llama2_put(&small, head);
        for (int64_t k = tg_rng_below(&r, 4); k >= 0; k--) { /* a byte of random bits, or a number within or about its bounds */
            const int64_t field = tg_rng_below(&r, 7);
            if (tg_rng_below(&r, 2)) head[tg_rng_below(&r, TG_LLAMA2_HEAD)] = (unsigned char)tg_rng_below(&r, 256);
            else for (int b = 0; b < 4; b++) head[4 * field + b] = (unsigned char)((uint64_t)(tg_rng_below(&r, 70) - 2) >> 8 * b);
        }
        const int64_t bytes = i % 2 ? tg_llama2_offset(&small, TG_LLAMA2_PARTS, 0) : (int64_t)(tg_rng_u32(&r) >> tg_rng_below(&r, 32));
        if (tg_llama2_parse("x", head, TG_LLAMA2_HEAD, bytes, &got)) continue;
        CHECK(got.dim > 0 && got.heads > 0 && got.kv_heads > 0 && got.dim % got.heads == 0 && got.heads % got.kv_heads == 0);
        CHECK_INT(tg_llama2_offset(&got, TG_LLAMA2_PARTS, 0), bytes);
        taken++;
    }
    CHECK(taken > 0);
}

TEST(rows_of_queries_and_keys_come_back)
{
    const tg_llama2 c = {.dim = 48, .heads = 6, .kv_heads = 2};
    for (int p = 0; p < TG_LLAMA2_PARTS; p++)
        for (int64_t r = 0; r < 16; r++) {
            const int64_t there = tg_llama2_their_row(&c, (tg_llama2_part)p, r);
            CHECK_INT(tg_llama2_our_row(&c, (tg_llama2_part)p, there), r);
            CHECK(there / 8 == r / 8); /* within its head */
        }
    CHECK_INT(tg_llama2_their_row(&c, TG_LLAMA2_KEY, 1), 2);   /* the second pair's first half */
    CHECK_INT(tg_llama2_their_row(&c, TG_LLAMA2_KEY, 12), 9);  /* the first pair's second half, of the second head */
    CHECK_INT(tg_llama2_their_row(&c, TG_LLAMA2_VALUE, 1), 1);
}
