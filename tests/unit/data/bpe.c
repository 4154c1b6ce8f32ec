/* bpe.c - tests of byte pair encoding: ids as the originals have them, exact round trips, any cutting into parts, training. */
#include "data/text/bpe.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "support/make.h"
#include "support/shared.h"

static tg_tokenizer *opened(const char *name)
{
    tg_tokenizer *t;
    CHECK_OK(tg_bpe_open(NULL, shared(name), &t));
    return t;
}

static int32_t *encoded(const tg_tokenizer *t, const char *text, int64_t length, int64_t *count)
{
    *count = tg_tokenizer_most(t, length);
    int32_t *ids = tg_alloc_array(*count + 1, sizeof *ids);
    CHECK_OK(tg_tokenizer_encode(t, text, length, TG_UNKNOWN_ERROR, ids, count));
    return ids;
}

static void expect_ids(const tg_tokenizer *t, const char *text, int64_t length, const char *ids)
{
    int64_t count;
    int32_t *got = encoded(t, text, length, &count);
    tg_str line = {0};
    for (int64_t i = 0; i < count; i++) tg_str_addf(&line, "%s%d", i ? " " : "", (int)got[i]);
    if (strcmp(line.data ? line.data : "", ids))
        test_failed(__FILE__, __LINE__, "\"%.*s\": %s, expected %s", (int)length, text, line.data ? line.data : "", ids);
    tg_str_free(&line);
    tg_free(got);
}

/* What is encoded and decoded again is the text, but for the space that a text with scores begins with. */
static void round_trip(const tg_tokenizer *t, tg_encoder *e, const char *text, int64_t length)
{
    int64_t count = tg_tokenizer_most(t, length), taken;
    int32_t *ids = tg_alloc_array(count + 1, sizeof *ids);
    CHECK_OK(tg_encoder_part(e, text, length, true, true, TG_UNKNOWN_ERROR, ids, &count, &taken));
    CHECK_INT(taken, length);
    tg_str back = {0};
    for (int64_t i = 0, n; i < count; i++) {
        const char *piece = tg_tokenizer_text(t, ids[i], &n);
        CHECK(n > 0);
        tg_str_add_n(&back, piece, n);
    }
    const int64_t prefix = length > 0 ? t->prefix : 0;
    CHECK_INT(back.length, length + prefix);
    if (prefix) CHECK_INT(back.data[0], ' ');
    if (length) CHECK_BYTES(back.data + prefix, text, length);
    tg_str_free(&back);
    tg_free(ids);
}

/* The cases of llama.cpp: texts with a line between, the ids of each in a line. */
static void expect_cases(const tg_tokenizer *t, const char *name)
{
    static const char line[] = "\n__ggml_vocab_test__\n";
    char path[256];
    int64_t length, all;
    snprintf(path, sizeof path, "%s.inp", name);
    char *texts = shared_text(path, &length);
    snprintf(path, sizeof path, "%s.out", name);
    char *ids = shared_text(path, &all), *want = ids;
    int cases = 0;
    for (char *at = texts, *stop = texts; stop; at = stop ? stop + strlen(line) : NULL, cases++) {
        const size_t n = strcspn(want, "\n");
        stop = strstr(at, line);
        char *next = want + n + (want[n] == '\n');
        want[n] = 0;
        expect_ids(t, at, stop ? stop - at : (int64_t)strlen(at), want + strspn(want, " "));
        want = next;
    }
    CHECK_INT(want - ids, all);
    CHECK_INT(cases, 47);
    tg_free(texts);
    tg_free(ids);
}

static tg_tokenizer *through_json(tg_tokenizer *t)
{
    char *json = tg_tokenizer_json(t), *again;
    tg_tokenizer *back;
    CHECK_OK(tg_tokenizer_from_json(json, (int64_t)strlen(json), &back));
    CHECK_TEXT(tg_tokenizer_kind(back), "bpe");
    CHECK_TEXT(again = tg_tokenizer_json(back), json);
    tg_free(again);
    tg_free(json);
    tg_tokenizer_free(t);
    return back;
}

static tg_tokenizer *trained(const char *text, int64_t length, int64_t vocab)
{
    tg_scratch *s;
    tg_tokenizer *t;
    CHECK_OK(tg_scratch_of(text, length, &s));
    CHECK_OK(tg_bpe_train(NULL, s, length, vocab, &t));
    tg_scratch_free(s);
    return t;
}

static void expect_pieces(const char *text, int64_t vocab, const char *pieces)
{
    tg_tokenizer *t = trained(text, (int64_t)strlen(text), vocab);
    tg_str got = {0};
    for (int64_t i = 256, n; i < tg_tokenizer_vocab(t); i++) {
        const char *piece = tg_tokenizer_text(t, (int32_t)i, &n);
        tg_str_addf(&got, "[%.*s]", (int)n, piece);
    }
    CHECK_TEXT(got.data ? got.data : "", pieces);
    tg_str_free(&got);
    tg_tokenizer_free(t);
}

/* ---- ids as elsewhere */

TEST(gpt2_has_the_ids_of_the_original)
{
    tg_tokenizer *t = opened("model/gpt2/gpt2_vocab.json");
    CHECK_INT(tg_tokenizer_vocab(t), 50257);
    expect_cases(t, "model/gpt2/ggml-vocab-gpt-2.gguf");
    t = through_json(t);
    expect_cases(t, "model/gpt2/ggml-vocab-gpt-2.gguf");
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(gpt2_agrees_with_a_plain_encoder)
{
    tg_tokenizer *t = opened("model/gpt2/gpt2_vocab.json");
    tg_arena *arena = tg_arena_new(1 << 16);
    char *text;
    int64_t length, cases = 0;
    const char *source = getenv("TINYGEN_SRC");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/bpe_gpt2.txt", source ? source : ".");
    CHECK_OK(tg_file_slurp(path, 1 << 20, &text, &length));
    for (char *at = text, *stop; (stop = strchr(at, '\n')); at = stop + 1, cases++) {
        char *tab = strchr(at, '\t');
        const tg_json *json;
        *stop = 0;
        CHECK(tab != NULL);
        CHECK_OK(tg_json_parse(arena, "bpe_gpt2.txt", at, tab - at, &json));
        expect_ids(t, json->text, json->length, tab + 1);
    }
    CHECK(cases > 200);
    tg_free(text);
    tg_arena_free(arena);
    tg_tokenizer_free(t);
}

TEST(llama2_has_the_ids_of_the_original)
{
    tg_tokenizer *t = opened("model/llama2_tokenizer.bin");
    CHECK_INT(tg_tokenizer_vocab(t), 32000);
    expect_cases(t, "model/gguf/ggml-vocab-llama-spm.gguf");
    t = through_json(t);
    expect_cases(t, "model/gguf/ggml-vocab-llama-spm.gguf");
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(tokenizer_bin_comes_back_byte_for_byte)
{
    tg_tokenizer *t = through_json(opened("model/llama2_tokenizer.bin"));
    char *path = tg_path_join(test_folder(), "t.bin"), *want, *got;
    int64_t length, n;
    want = shared_text("model/llama2_tokenizer.bin", &length);
    CHECK_OK(tg_bpe_write_scores(t, path));
    CHECK_OK(tg_file_slurp(path, 1 << 24, &got, &n));
    CHECK_INT(n, length);
    CHECK_BYTES(got, want, n);
    CHECK_ERROR(tg_bpe_put_pair(t, &(tg_str){0}, &(tg_str){0}), TG_EUNSUPPORTED, "has none");
    tg_free(want);
    tg_free(got);
    tg_free(path);
    tg_tokenizer_free(t);
}

TEST(the_pair_comes_back_with_the_same_merges)
{
    tg_tokenizer *t = opened("model/gpt2/gpt2_vocab.json"), *back;
    const char *folder = test_folder();
    char *vocab = tg_path_join(folder, "x-vocab.json"), *merges = tg_path_join(folder, "x-merges.txt"), *want;
    int64_t length;
    tg_str ids = {0}, list = {0};
    CHECK_OK(tg_bpe_put_pair(t, &ids, &list));
    CHECK_OK(tg_write_file(vocab, ids.data, ids.length));
    CHECK_OK(tg_write_file(merges, list.data, list.length));
    CHECK_OK(tg_bpe_open(NULL, vocab, &back));
    char *one = tg_tokenizer_json(t), *two = tg_tokenizer_json(back);
    CHECK_TEXT(one, two);
    want = shared_text("model/gpt2/gpt2_merges.txt", &length);
    CHECK(list.length >= length - 1 && memcmp(want, list.data, (size_t)length - 1) == 0);
    CHECK_ERROR(tg_bpe_write_scores(t, vocab), TG_EUNSUPPORTED, "wants scores");
    tg_free(one);
    tg_free(two);
    tg_free(want);
    tg_str_free(&ids);
    tg_str_free(&list);
    tg_free(vocab);
    tg_free(merges);
    tg_tokenizer_free(t);
    tg_tokenizer_free(back);
}

/* ---- exact */

static void random_trips(const tg_tokenizer *t, int64_t times)
{
    static const char *const bits[] = {" ", "  ", "\n", "'ll", "the", "e", "\xe6\x98\xa5", "\xe7\x9c\xa0",
                                       "\xf0\x9f\x99\x82", "\xcc\x81", "1", "!"};
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
    tg_encoder *e;
    tg_str text = {0};
    char *large = tg_alloc(40000);
    CHECK_OK(tg_encoder_new(t, &e));
    round_trip(t, e, large, 40000); /* the encoder begins to remember */
    for (int64_t k = 0; k < times; k++) {
        const int64_t n = tg_rng_below(&r, k % 100 ? 30 : 300);
        tg_str_clear(&text);
        for (int64_t i = 0; i < n; i++) {
            const char byte = (char)(unsigned char)tg_rng_below(&r, 256);
            if (k % 2) tg_str_add_n(&text, &byte, 1);
            else tg_str_add(&text, bits[tg_rng_below(&r, 12)]);
            if (k % 4 == 0 && byte < 20) tg_str_add_n(&text, &byte, 1);
        }
        round_trip(t, e, text.data ? text.data : "", text.length);
    }
    tg_encoder_free(e);
    tg_free(large);
    tg_str_free(&text);
}

TEST(gpt2_gives_back_a_hundred_thousand_byte_strings)
{
    tg_tokenizer *t = opened("model/gpt2/gpt2_vocab.json");
    random_trips(t, 100000);
    tg_tokenizer_free(t);
}

TEST(llama2_gives_back_a_hundred_thousand_byte_strings)
{
    tg_tokenizer *t = opened("model/llama2_tokenizer.bin");
    random_trips(t, 100000);
    tg_tokenizer_free(t);
}

static const char sample[] =
    "The cat sat on the mat; the cat's hat sat on the cat. Don't, don't!\n\n  the\tcat  sat "
    "\xe6\x98\xa5\xe7\x9c\xa0\xe4\xb8\x8d\xe8\xa7\x89"
    "\xe6\x99\x93\xef\xbc\x8c\xe6\x98\xa5\xe7\x9c\xa0 1984 \xf0\x9f\x99\x82\xf0\x9f\x99\x82\n\r\n "
    "\xe6\x98\xa5\xe7\x9c\xa0\xe5\xa4\x9c\xe6\x9d\xa5\n";

TEST(what_is_trained_gives_back_a_hundred_thousand_byte_strings)
{
    tg_tokenizer *t = through_json(trained(sample, (int64_t)strlen(sample), 300));
    random_trips(t, 100000);
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

/* The same ids however the text is cut, with a text of runs that are longer than the parts. */
static void expect_parts(const tg_tokenizer *t)
{
    tg_str text = {0};
    tg_rng r = tg_rng_at(2, TG_RNG_TEST, 0);
    for (int i = 0; i < 20; i++) {
        tg_str_add(&text, sample);
        for (int64_t n = tg_rng_below(&r, 90); n > 0; n--) tg_str_add(&text, i % 3 == 0 ? " " : i % 3 == 1 ? "a" : "\xe6\x98\xa5");
    }
    int64_t count;
    int32_t *want = encoded(t, text.data, text.length, &count), *got = tg_alloc_array(text.length + 1, sizeof *got);
    for (int k = 0; k < 200; k++) {
        tg_encoder *e;
        int64_t n = 0, taken, most = 1 + tg_rng_below(&r, 60);
        CHECK_OK(tg_encoder_new(t, &e));
        for (int64_t at = 0, room = most; at < text.length; at += taken) {
            const int64_t part = text.length - at < room ? text.length - at : room;
            int64_t more = tg_tokenizer_most(t, part);
            int32_t ids[8000];
            CHECK(more <= 8000);
            CHECK_OK(tg_encoder_part(e, text.data + at, part, at == 0, at + part == text.length, TG_UNKNOWN_ERROR,
                                     ids, &more, &taken));
            CHECK(n + more <= count);
            memcpy(got + n, ids, (size_t)more * sizeof *ids);
            n += more;
            room = taken ? 1 + tg_rng_below(&r, 60) : 2 * room;
        }
        CHECK_INT(n, count);
        CHECK_BYTES(got, want, n * 4);
        tg_encoder_free(e);
    }
    tg_free(want);
    tg_free(got);
    tg_str_free(&text);
}

TEST(parts_make_the_tokens_of_the_whole)
{
    tg_tokenizer *t = trained(sample, (int64_t)strlen(sample), 400);
    expect_parts(t);
    tg_tokenizer_free(t);
    t = opened("model/gpt2/gpt2_vocab.json");
    expect_parts(t);
    tg_tokenizer_free(t);
    t = opened("model/llama2_tokenizer.bin");
    expect_parts(t);
    tg_tokenizer_free(t);
}

/* Long chunks, as by looking at all pairs again and again. */
static int64_t slow_merge(const tg_bpe *t, int32_t *ids, int64_t n)
{
    for (;;) {
        int32_t best = INT32_MAX;
        int64_t at = 0, o = 0;
        for (int64_t i = 0; i + 1 < n; i++) {
            const int32_t rank = tg_bpe_find(&t->pairs, tg_bpe_key(ids[i], ids[i + 1]))->rank;
            if (rank < best) best = rank, at = i;
        }
        if (best == INT32_MAX) return n;
        for (int64_t i = 0; i < n; o++) {
            const tg_bpe_pair *p = i + 1 < n ? tg_bpe_find(&t->pairs, tg_bpe_key(ids[i], ids[i + 1])) : NULL;
            const bool here = p && p->rank == best && (i == at || (i > at && t->rule != TG_BPE_SCORES));
            ids[o] = here ? p->id : ids[i];
            i += here ? 2 : 1;
        }
        n = o;
    }
}

static void expect_slow(const tg_tokenizer *tokenizer, int32_t first)
{
    const tg_bpe *t = tg_bpe_of(tokenizer);
    tg_rng r = tg_rng_at(4, TG_RNG_TEST, 0);
    tg_bpe_memory memory = {0};
    int32_t ids[300], want[300];
    for (int k = 0; k < 300; k++) {
        const int64_t n = 65 + tg_rng_below(&r, 230);
        for (int64_t i = 0; i < n; i++) { /* letters, joined or not: pairs of all ranks */
            const char letter = "etaoinsh"[tg_rng_below(&r, 8)];
            int32_t id = t->chars.slots && first ? tg_bpe_find(&t->chars, (uint64_t)letter)->id : t->of_byte[(int)letter];
            ids[i] = want[i] = id;
        }
        const int64_t got = tg_bpe_merge(t, &memory, ids, n), should = slow_merge(t, want, n);
        CHECK_INT(got, should);
        CHECK_BYTES(ids, want, got * 4);
    }
    tg_free(memory.bytes);
}

TEST(long_chunks_are_joined_as_short_ones)
{
    tg_tokenizer *t = opened("model/llama2_tokenizer.bin");
    expect_slow(t, 1);
    tg_tokenizer_free(t);
    t = opened("model/gpt2/gpt2_vocab.json");
    expect_slow(t, 0);
    tg_tokenizer_free(t);
}

/* The packer's parts are 64 KiB: runs longer than that, and places to cut right there. */
TEST(the_packer_cuts_where_tokens_end)
{
    tg_tokenizer *t = opened("model/gpt2/gpt2_vocab.json");
    tg_str text = {0};
    for (int i = 0; i < 65530; i++) tg_str_add(&text, i % 7 ? "x" : " ");
    tg_str_add(&text, " they're   ");
    for (int i = 0; i < 300000; i++) tg_str_add(&text, "ab");
    for (int i = 0; i < 70000; i++) tg_str_add(&text, " ");
    int64_t count;
    int32_t *want = encoded(t, text.data, text.length, &count);
    tg_scratch *from, *tokens;
    const char *view;
    CHECK_OK(tg_scratch_of(text.data, text.length, &from));
    CHECK_OK(tg_scratch_new("x", 1 << 24, &tokens));
    CHECK_OK(tg_pack_tokens(NULL, t, from, tokens));
    CHECK_INT(tg_scratch_length(tokens), 2 * count);
    CHECK_OK(tg_scratch_view(tokens, 0, 2 * count, &view));
    for (int64_t i = 0; i < count; i++) CHECK_INT(((const uint16_t *)(const void *)view)[i], want[i]);
    tg_scratch_free(from);
    tg_scratch_free(tokens);
    tg_free(want);
    tg_str_free(&text);
    tg_tokenizer_free(t);
}

/* ---- training */

TEST(the_most_frequent_pair_comes_first_then_the_lower_ids)
{
    expect_pieces("aaab aaab ab", 400, "[aa][ab][aaab]");
    expect_pieces("xy xy zz zz", 400, "[ z][xy][ zz]"); /* all twice: ' ' < 'x', 'x' < " z" */
    expect_pieces("xy xy zz zz", 257, "[ z]");
    expect_pieces("abc", 400, "");
    expect_pieces("", 256, "");
}

/* The same by counting everything anew for each merge; texts of at most 2,000 bytes. */
typedef struct naive { int32_t ids[4000]; int64_t count; char pieces[700][64]; int64_t lengths[700], vocab; } naive;

static bool naive_may_join(const char *both, int64_t n, int64_t first)
{
    uint32_t code;
    if (((unsigned char)both[first] & 0xc0) != 0x80)
        return tg_utf8_check(both, first) < 0 && tg_utf8_check(both + first, n - first) < 0;
    if (((unsigned char)both[0] & 0xc0) == 0x80) {
        for (int64_t i = 0; i < n; i++)
            if (((unsigned char)both[i] & 0xc0) != 0x80) return false;
        return n <= 3;
    }
    const unsigned char lead = (unsigned char)both[0];
    const int64_t need = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return n < need || tg_utf8_next(both, both + n, &code) == n || (n == need && (unsigned char)both[0] < 0xf5);
}

static bool naive_step(naive *x)
{
    int64_t best = 1;
    int32_t a = 0, b = 0;
    char both[200] = {0};
    for (int64_t i = 0; i + 1 < x->count; i++) {
        const int32_t p = x->ids[i], q = x->ids[i + 1];
        if (p < 0 || q < 0) continue; /* between chunks */
        int64_t n = 0, length = x->lengths[p] + x->lengths[q];
        bool known = false;
        for (int64_t k = i; k + 1 < x->count; k++) n += x->ids[k] == p && x->ids[k + 1] == q;
        memcpy(both, x->pieces[p], (size_t)x->lengths[p]);
        memcpy(both + x->lengths[p], x->pieces[q], (size_t)x->lengths[q]);
        for (int64_t k = 256; k < x->vocab; k++) known |= x->lengths[k] == length && !memcmp(x->pieces[k], both, (size_t)length);
        if (known || n < best || n < 2 || !naive_may_join(both, length, x->lengths[p])) continue;
        if (n > best || p < a || (p == a && q < b)) {
            best = n;
            a = p;
            b = q;
        }
    }
    if (best < 2) return false;
    memcpy(x->pieces[x->vocab], x->pieces[a], (size_t)x->lengths[a]);
    memcpy(x->pieces[x->vocab] + x->lengths[a], x->pieces[b], (size_t)x->lengths[b]);
    x->lengths[x->vocab] = x->lengths[a] + x->lengths[b];
    int64_t o = 0;
    for (int64_t i = 0; i < x->count; o++) {
        const bool here = i + 1 < x->count && x->ids[i] == a && x->ids[i + 1] == b;
        x->ids[o] = here ? (int32_t)x->vocab : x->ids[i];
        i += here ? 2 : 1;
    }
    x->count = o;
    x->vocab++;
    return true;
}

static void expect_naive(const char *text, int64_t length)
{
    tg_tokenizer *t = trained(text, length, 600);
    naive *x = tg_alloc(sizeof *x);
    for (int b = 0; b < 256; b++) {
        x->pieces[b][0] = (char)(unsigned char)b;
        x->lengths[b] = 1;
    }
    x->vocab = 256;
    for (int64_t at = 0, n; at < length; at += n) {
        n = tg_bpe_chunk(tg_bpe_of(t), text + at, text + length);
        for (int64_t i = 0; i < n; i++) x->ids[x->count++] = (unsigned char)text[at + i];
        x->ids[x->count++] = -1;
    }
    while (x->vocab < 600 && naive_step(x)) {
        int64_t n;
        CHECK(x->vocab <= tg_tokenizer_vocab(t));
        const char *piece = tg_tokenizer_text(t, (int32_t)x->vocab - 1, &n);
        CHECK_INT(n, x->lengths[x->vocab - 1]);
        CHECK_BYTES(piece, x->pieces[x->vocab - 1], n);
    }
    CHECK_INT(tg_tokenizer_vocab(t), x->vocab);
    tg_free(x);
    tg_tokenizer_free(t);
}

TEST(training_is_that_of_counting_everything_anew)
{
    tg_rng r = tg_rng_at(3, TG_RNG_TEST, 0);
    char text[1500];
    expect_naive(sample, (int64_t)strlen(sample));
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < 1500; i++) text[i] = "ab \n\xe6\x98\xa5"[tg_rng_below(&r, k % 2 ? 3 : 7)];
        expect_naive(text, 1500);
        for (int i = 0; i < 1500; i++) text[i] = tg_rng_below(&r, 12) ? 'a' : ' '; /* the same piece may come of several pairs */
        expect_naive(text, 1500);
    }
    int64_t length;
    char *poems = shared_text("text/tang_poems.txt", &length);
    expect_naive(poems + 9000, 1998);
    tg_free(poems);
}

TEST(pieces_are_whole_characters_or_a_part_of_one)
{
    int64_t length, n, whole = 0;
    char *poems = shared_text("text/tang_poems.txt", &length);
    tg_tokenizer *t = trained(poems, length / 8, 3000);
    CHECK_INT(tg_tokenizer_vocab(t), 3000);
    for (int32_t i = 256; i < 3000; i++) {
        const char *piece = tg_tokenizer_text(t, i, &n);
        const bool is_whole = tg_utf8_check(piece, n) < 0;
        whole += is_whole;
        CHECK(is_whole || n < 4);
        for (int64_t k = 1; k < n && !is_whole; k++) CHECK(((unsigned char)piece[k] & 0xc0) == 0x80);
    }
    CHECK(whole > 2000);
    tg_tokenizer_free(t);
    tg_free(poems);
}

/* ---- what is refused */

static tg_status open_bytes(const char *name, const void *bytes, int64_t length)
{
    static const char *folder;
    if (!folder) folder = test_folder();
    char *path = tg_path_join(folder, name);
    tg_tokenizer *t;
    CHECK_OK(tg_write_file(path, bytes, length));
    tg_status s = tg_bpe_open(NULL, path, &t);
    tg_free(path);
    if (!s) tg_tokenizer_free(t);
    return s;
}

TEST(damaged_vocabularies_are_refused)
{
    CHECK_ERROR(open_bytes("a", "", 0), TG_EFORMAT, "cut short");
    CHECK_ERROR(open_bytes("a", "\5\0\0\0", 4), TG_EFORMAT, "0 pieces");
    CHECK_ERROR(open_bytes("a", "\5\0\0\0\0\0\0\0\377\377\377\177abc", 15), TG_EFORMAT, "piece 0 does not fit");
    CHECK_ERROR(open_bytes("a", "\5\0\0\0\0\0\300\177\1\0\0\0a", 13), TG_EFORMAT, "is no number");
    CHECK_ERROR(open_bytes("v.json", "{}", 2), TG_EFORMAT, "no list of pieces");
    CHECK_ERROR(open_bytes("v.json", "{\"a\": 0, \"b\": 0}", 16), TG_EFORMAT, "numbered from 0, each once: see \"b\"");
    CHECK_ERROR(open_bytes("v.json", "{\"a\": 0, \"b\": 2}", 16), TG_EFORMAT, "numbered from 0");
    CHECK_ERROR(open_bytes("v.json", "{\"a\": 0, \"b\": 1}", 16), TG_EINVAL, "no merges beside it");
    CHECK_ERROR(open_bytes("merges.txt", "#version: 0.2\na b\na c\n", 22), TG_EFORMAT, "no tokenizer.bin");
    CHECK_ERROR(open_bytes("v.json", "{\"a\": 0, \"b\": 1}", 16), TG_EFORMAT, "merges.txt:3: not two pieces");
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(damaged_bpe_metadata_are_refused)
{
    static const struct { const char *json, *says; } bad[] = {
        {"{\"kind\":\"bpe\"}", "of rule (none)"},
        {"{\"kind\":\"bpe\",\"rule\":\"gpt2\"}", "pieces"},
        {"{\"kind\":\"bpe\",\"rule\":\"gpt2\",\"pieces\":\"a \\u4e00\",\"merges\":\"\"}", "pieces"},
        {"{\"kind\":\"bpe\",\"rule\":\"gpt2\",\"pieces\":\"a b\",\"merges\":\"\"}", "of 2 pieces"},
        {"{\"kind\":\"bpe\",\"rule\":\"gpt2\",\"pieces\":\"a b\",\"merges\":\"0 2\"}", "merges"},
        {"{\"kind\":\"bpe\",\"rule\":\"gpt2\",\"pieces\":\"a b\",\"merges\":\"0 1 1\"}", "merges"},
        {"{\"kind\":\"bpe\",\"rule\":\"words\",\"pieces\":\"a b\",\"merges\":\"0  1\"}", "merges"},
        {"{\"kind\":\"bpe\",\"rule\":\"scores\",\"pieces\":\"a b\",\"scores\":\"0 x\",\"longest\":1}", "scores"},
        {"{\"kind\":\"bpe\",\"rule\":\"scores\",\"pieces\":\"a b\",\"scores\":\"0 1\",\"longest\":1}", "of 2 pieces"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_tokenizer *t;
        CHECK_ERROR(tg_tokenizer_from_json(bad[i].json, (int64_t)strlen(bad[i].json), &t),
                    strstr(bad[i].says, "(none)") ? TG_EUNSUPPORTED : TG_EFORMAT, bad[i].says);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

/* A vocabulary whose last piece has so many bytes: as tokenizer.bin, and as our own JSON. */
static tg_status scored_to(int64_t length)
{
    tg_str out = {0};
    tg_str_add_n(&out, "\6\0\0\0", 4);
    for (unsigned i = 0; i < 259; i++) {
        tg_str_add_n(&out, "\0\0\0\0\6\0\0\0", 8);
        tg_str_addf(&out, "<0x%02X>", i < 3 ? 0 : i - 3);
    }
    tg_str_add_n(&out, (const char[]){0, 0, 0, 0, (char)(length & 255), (char)(length >> 8), 0, 0}, 8);
    for (int64_t i = 0; i < length; i++) tg_str_add(&out, "a");
    tg_status s = open_bytes("long", out.data, out.length);
    tg_str_free(&out);
    return s;
}

static tg_status merged_to(int64_t length)
{
    tg_str pieces = {0}, json = {0};
    tg_json_writer w = {.out = &json};
    tg_tokenizer *t;
    for (int i = 0; i < 256; i++) {
        tg_bpe_spell(&pieces, (const char[]){(char)(unsigned char)i}, 1);
        tg_str_add(&pieces, " ");
    }
    for (int64_t i = 0; i < length; i++) tg_str_add(&pieces, "a");
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "kind", "bpe");
    tg_json_member_text(&w, "rule", "words");
    tg_json_member_text(&w, "pieces", pieces.data);
    tg_json_member_text(&w, "merges", "");
    tg_json_close(&w, '}');
    tg_status s = tg_tokenizer_from_json(json.data, json.length, &t);
    if (!s) tg_tokenizer_free(t);
    tg_str_free(&pieces);
    tg_str_free(&json);
    return s;
}

TEST(pieces_of_more_than_a_thousand_bytes_are_refused)
{
    CHECK_OK(scored_to(1024));
    CHECK_OK(merged_to(1024));
    CHECK_ERROR(scored_to(1025), TG_EFORMAT, "long: piece 259 of the vocabulary has 1025 bytes; 1024 are the most");
    CHECK_ERROR(merged_to(1025), TG_EFORMAT, "piece 256 of the vocabulary has 1025 bytes");
}

TEST(no_memory_is_no_accident_to_bpe)
{
    tg_scratch *s;
    CHECK_OK(tg_scratch_of(sample, (int64_t)strlen(sample), &s));
    const int64_t before = tg_alloc_live();
    tg_status status = TG_ENOMEM;
    for (int64_t n = 1; status == TG_ENOMEM; n++) {
        tg_tokenizer *t = NULL;
        tg_alloc_fail_at(n, false);
        status = tg_bpe_train(NULL, s, tg_scratch_length(s), 300, &t);
        tg_alloc_fail_at(0, false);
        if (!status) tg_tokenizer_free(t);
        CHECK_INT(tg_alloc_live(), before);
    }
    CHECK_OK(status);
    tg_scratch_free(s);
}

/* ---- speed */

static void tell_speed(const tg_tokenizer *t, const char *what, const char *text, int64_t length)
{
    int64_t count = tg_tokenizer_most(t, length), taken;
    int32_t *ids = tg_alloc_array(count, sizeof *ids);
    tg_encoder *e;
    CHECK_OK(tg_encoder_new(t, &e));
    const double start = tg_now();
    CHECK_OK(tg_encoder_part(e, text, length, true, true, TG_UNKNOWN_ERROR, ids, &count, &taken));
    test_note("%s: %.0f MB/s, %.2f bytes a token", what, (double)length / 1e6 / (tg_now() - start),
              (double)length / (double)count);
    tg_encoder_free(e);
    tg_free(ids);
}

TEST(bpe_is_fast)
{
    static const char *const names[] = {"text/tinyshakespeare.txt", "text/tang_poems.txt", "text/rt-polarity/rt-polarity.pos",
                                        "text/rt-polarity/rt-polarity.neg", "text/names.txt",
                                        "text/tang_300.json", "text/nottingham_abc/jigs.abc"};
    tg_str all = {0};
    int64_t length;
    for (int i = 0; all.length < 10000000; i = (i + 1) % 7) {
        char *text = shared_text(names[i], &length);
        tg_str_add_n(&all, text, length < 10000000 - all.length ? length : 10000000 - all.length);
        tg_free(text);
    }
    const double start = tg_now();
    tg_tokenizer *own = trained(all.data, all.length, 4096);
    const double seconds = tg_now() - start;
    tg_tokenizer *gpt2 = opened("model/gpt2/gpt2_vocab.json");
    tg_tokenizer *llama2 = opened("model/llama2_tokenizer.bin");
    test_note("4,096 pieces from 10 MB: %.1f s", seconds);
    tell_speed(own, "own", all.data, all.length);
    tell_speed(gpt2, "gpt2", all.data, all.length);
    tell_speed(llama2, "llama2", all.data, all.length);
    char *poems = shared_text("text/tang_poems.txt", &length);
    tell_speed(own, "own, poems", poems, length);
    tell_speed(gpt2, "gpt2, poems", poems, length);
    tell_speed(llama2, "llama2, poems", poems, length);
    tg_free(poems);
    tg_str_free(&all);
    tg_tokenizer_free(own);
    tg_tokenizer_free(gpt2);
    tg_tokenizer_free(llama2);
}
