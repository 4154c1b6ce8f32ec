/* preprocess.c - tests of gen-preprocess within bounds: how much is in memory and where parts end changes no byte. */
#include "run/preprocess.h"

#include "base/alloc.h"
#include "data/dataset.h"
#include "support/files.h"

enum { LARGE = 1 << 24 };
static const tg_bounds large = {LARGE, LARGE, LARGE, LARGE, LARGE};

/* ---- helpers */

static tg_str slurp(const char *path)
{
    tg_str s = {0};
    CHECK_OK(tg_file_slurp(path, LARGE, &s.data, &s.length));
    return s;
}

static void collect(const char *folder, const tg_str *texts, int64_t count, const char *documents, const char *label)
{
    tg_corpus_writer *w;
    char hash[65];
    CHECK_OK(tg_corpus_begin(folder, true, &w));
    for (int64_t i = 0; i < count; i++)
        CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text", .documents = documents, .label = label}, texts[i].data ? texts[i].data : "",
                               texts[i].length));
    CHECK_OK(tg_corpus_commit(w, hash));
}

/* Line ends of all kinds, blank lines, long lines, marks to be joined, what is personal, Chinese; some of it twice. */
static tg_str mixed(int64_t lines, int seed)
{
    static const char *const parts[] = {"", " \t", "some words of a line that is not short", "e\xcc\x81te\xcc\x81 a\xcc\xa8\xcc\x81", "\xcc\x81joined",
                                        "call 020 7946 0018 or a.b@example.com", "\xe6\x98\xa5\xe7\x9c\xa0\xe4\xb8\x8d\xe8\xa7\x89\xe6\x99\x93",
                                        "\xef\xbc\xa1\xef\xbc\xa2\xe3\x80\x80wide", "tel", "555-0199 44", "bell\a and \xef\xbb\xbfmark", "   "};
    static const char *const ends[] = {"\n", "\r\n", "\n", "\r", "\xe2\x80\xa8", "\n\n"};
    tg_str s = {0};
    uint32_t x = (uint32_t)seed;
    for (int64_t i = 0; i < lines; i++) {
        x = x * 1664525 + 1013904223;
        tg_str_addf(&s, "%s%s", parts[(x >> 16) % 12], (x >> 20) % 3 ? "" : " ");
        if ((x >> 24) % 2) tg_str_addf(&s, "%d", (int)((x >> 8) % 50));
        tg_str_add(&s, ends[(x >> 12) % 6]);
    }
    CHECK(!s.failed);
    return s;
}

static tg_preprocess_options options(const char **corpus, int64_t count, const char *out)
{
    tg_preprocess_options o = {.corpora = {.items = corpus, .count = count}, .out = out, .val = 0.2, .test = 0.1, .seed = 1, .min_count = 1,
                               .force = true};
    return o;
}

static tg_str dataset(tg_context *ctx, const tg_preprocess_options *o, const tg_bounds *b)
{
    CHECK_OK(tg_preprocess_within(ctx, o, b));
    return slurp(o->out);
}

/* The same bytes within all bounds: everything at once, and hardly anything. */
static void expect_same(tg_context *ctx, const tg_preprocess_options *o)
{
    static const tg_bounds small[] = {{1024, 1, LARGE, LARGE, LARGE}, {0, 7, LARGE, LARGE, LARGE}, {LARGE, 100, LARGE, LARGE, LARGE},
                                     {1024, LARGE, LARGE, LARGE, LARGE}};
    tg_str want = dataset(ctx, o, &large);
    for (int i = 0; i < 4; i++) {
        tg_str got = dataset(ctx, o, &small[i]);
        CHECK_INT(got.length, want.length);
        CHECK_BYTES(got.data, want.data, want.length);
        tg_free(got.data);
    }
    tg_free(want.data);
}

static tg_context *context(void)
{
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &ctx));
    return ctx;
}

/* ---- tests */

TEST(a_dataset_is_the_same_however_little_is_in_memory)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a"), in(folder, "b")}, *out = in(folder, "x.safetensors");
    tg_str texts[] = {mixed(300, 1), {0}, mixed(200, 2), mixed(200, 2)};
    tg_context *ctx = context();
    collect(corpora[0], texts, 3, NULL, "one");
    collect(corpora[1], texts + 2, 2, NULL, "two");
    for (int tokenizer = TG_BY_CHAR; tokenizer <= TG_BY_BPE; tokenizer++)
        for (int documents = TG_DOCUMENTS_NONE; documents <= TG_DOCUMENTS_FILE; documents++) {
            tg_preprocess_options o = options(corpora, 2, out);
            o.tokenizer = (const char *[]){"char", "byte", "bpe"}[tokenizer];
            o.vocab_size = tokenizer == TG_BY_BPE ? 300 : 0;
            o.documents = documents;
            o.test = documents == TG_DOCUMENTS_FILE ? 0 : 0.1;
            o.val = documents == TG_DOCUMENTS_FILE ? 0.4 : 0.2;
            if (documents == TG_DOCUMENTS_FILE) o.dedupe = TG_DEDUPE_OFF;
            expect_same(ctx, &o);
            o.width = 1;
            o.lowercase = o.scrub_pii = true;
            o.min_count = tokenizer == TG_BY_CHAR ? 3 : 1;
            o.no_labels = true;
            o.max_bytes = documents == TG_DOCUMENTS_FILE ? 0 : 5000;
            o.split = documents == TG_DOCUMENTS_NONE ? TG_SPLIT_AUTO : TG_SPLIT_POSITION;
            if (documents == TG_DOCUMENTS_LINE || documents == TG_DOCUMENTS_BLANK) o.dedupe = TG_DEDUPE_NEAR;
            expect_same(ctx, &o);
            o.raw = true;
            o.width = o.max_bytes = 0;
            o.lowercase = o.scrub_pii = false;
            expect_same(ctx, &o);
        }
    for (int i = 0; i < 4; i++) tg_free(texts[i].data);
    tg_context_free(ctx);
}

TEST(encodings_are_found_and_read_in_any_parts)
{
    static const char gb[] = "\xb4\xba\xc3\xdf\xb2\xbb\xbe\xf5\xcf\xfe\xa3\xac\xb4\xa6\xb4\xa6\xce\xc5\xcc\xe4\xc4\xf1\xa1\xa3\n";
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str texts[] = {{0}, {0}, {0}};
    tg_context *ctx = context();
    for (int i = 0; i < 70000; i++) tg_str_add(&texts[0], "ASCII, and far behind it something else than ASCII\n");
    for (int i = 0; i < 50; i++) tg_str_add(&texts[0], gb); /* GB18030 behind three windows of a guess */
    tg_str_add_n(&texts[1], "\xff\xfe", 2);
    for (int i = 0; i < 400; i++) tg_str_add_n(&texts[1], i % 20 ? "\x25\x66" : i % 40 ? "\n\0" : "\r\0\n\0", i % 20 || i % 40 ? 2 : 4);
    for (int i = 0; i < 50; i++) tg_str_add(&texts[2], "\xef\xbb\xbfUTF-8 with a mark \xc3\xa9\n");
    collect(corpora[0], texts + 1, 2, NULL, NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    expect_same(ctx, &o);
    collect(corpora[0], texts, 1, NULL, NULL);
    tg_str want = dataset(ctx, &o, &large), got = dataset(ctx, &o, &(tg_bounds){1000, 1001, LARGE, LARGE, LARGE});
    CHECK_INT(got.length, want.length);
    CHECK_BYTES(got.data, want.data, want.length);
    CHECK(strstr(want.data + 8, "GB18030") != NULL);
    for (int i = 0; i < 3; i++) tg_free(texts[i].data);
    tg_free(want.data);
    tg_free(got.data);
    tg_context_free(ctx);
}

TEST(errors_name_the_byte_of_the_item_in_any_parts)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    const struct { const char *bytes; int64_t length; const char *said; int encoding; } cases[] = {
        {"one\ntwo \xc3\xa9\nthree \xff four\n", 24, "byte 0xff at byte 17", 1},
        {"one\ntwo\nthree\xc3", 14, "byte 0xc3 at byte 13", 1},
        {"one\ntw\0o\n", 9, "a NUL at byte 6", 1},
        {"\xef\xbb\xbf" "a\0b\0c", 8, "a NUL at byte 4", 1},
        {"\xb4\xba\xc3\xdf\0\xb2\xbb\0", 8, "a NUL at byte 4", 2}, {"\xb4\xba\0\xc3\xff\n", 6, "byte 0xc3 at byte 3", 2},
        {"\xff\xfe%fa\0\0\0b\0", 10, "a NUL at byte 6", TG_SAID_UTF16}};
    tg_context *ctx = context();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t block = 1; block < 30; block++)
            for (int raw = 0; raw < 2; raw++) {
                if (raw && (i == 1 || i > 2)) continue;
                tg_str text = {0};
                tg_str_add_n(&text, cases[i].bytes, cases[i].length);
                collect(corpora[0], &text, 1, NULL, NULL);
                tg_preprocess_options o = options(corpora, 1, out);
                o.raw = raw;
                o.encoding = raw ? 0 : cases[i].encoding;
                CHECK_ERROR(tg_preprocess_within(ctx, &o, &(tg_bounds){100, block, LARGE, LARGE, LARGE}), TG_EINVAL, cases[i].said);
                CHECK_INT(tg_path_kind(out), TG_PATH_NONE);
                tg_str_free(&text);
            }
    tg_context_free(ctx);
}

TEST(a_line_beyond_the_bound_is_cut_and_stays_one_document)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str text = {0};
    tg_context *ctx = context();
    tg_str_add(&text, "short one\n");
    for (int i = 0; i < 100; i++) tg_str_add(&text, "\xe6\x98\xa5" "abc");
    for (int i = 0; i < 100; i++) tg_str_add(&text, " word");
    tg_str_add(&text, "\nand \r\nanother\nfour\nfive\n");
    collect(corpora[0], &text, 1, NULL, NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    for (int documents = TG_DOCUMENTS_NONE; documents <= TG_DOCUMENTS_LINE; documents++) {
        o.documents = documents;
        o.test = 0;
        tg_str want = dataset(ctx, &o, &large);
        for (int64_t line = 5; line < 60; line++) {
            tg_str got = dataset(ctx, &o, &(tg_bounds){100, line % 2 ? 3 : LARGE, line, LARGE, LARGE});
            CHECK_INT(got.length, want.length);
            CHECK_BYTES(got.data, want.data, want.length);
            tg_free(got.data);
        }
        tg_free(want.data);
    }
    o.strip = 1;
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &(tg_bounds){100, 100, 100, text.length - 1, LARGE}), TG_EINVAL, "leave --strip out");
    tg_free(text.data);
    tg_context_free(ctx);
}

TEST(likeness_is_refused_among_too_many_with_both_numbers)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str text = {0};
    tg_context *ctx = context();
    for (int i = 0; i < 30; i++) tg_str_addf(&text, "line %d\n", i % 20); /* equal ones do not count */
    collect(corpora[0], &text, 1, NULL, NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    o.documents = TG_DOCUMENTS_LINE;
    o.dedupe = TG_DEDUPE_NEAR;
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &(tg_bounds){100, 100, LARGE, LARGE, 19}), TG_EINVAL,
                "20 documents are more than the 19 whose likeness is searched; find only equal ones (--dedupe exact)");
    CHECK_INT(tg_path_kind(out), TG_PATH_NONE);
    CHECK_OK(tg_preprocess_within(ctx, &o, &(tg_bounds){100, 100, LARGE, LARGE, 20}));
    tg_free(text.data);
    tg_context_free(ctx);
}

TEST(rows_of_tables_are_read_in_any_parts)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str text = {0};
    tg_context *ctx = context();
    for (int i = 0; i < 60; i++) tg_str_addf(&text, "\"row %d\\nof two lines, e\\u0301\"\n", i % 50);
    text.length--; /* no newline at the end */
    collect(corpora[0], &text, 1, "jsonl", NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    expect_same(ctx, &o);
    o.documents = TG_DOCUMENTS_LINE;
    expect_same(ctx, &o);
    tg_free(text.data);
    tg_context_free(ctx);
}

/* Each write(2) fails in turn: refused with a reason, nothing but the corpus in the folder. */
/* 440,000 items filled a header of 100 MB when all were listed. */
TEST(provenance_of_very_many_items_is_bounded)
{
    enum { ITEMS = 100000, BIG = TG_LISTED_BYTES / 8 };
    tg_preparing p = {0};
    char origin[64], hex[65];
    tg_sha256 rest;
    tg_str want = {0};
    tg_manifest_start(&p.manifest);
    tg_sha256_start(&rest);
    const char *const sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for (int i = 0; i < ITEMS; i++) {
        snprintf(origin, sizeof origin, "a folder of \"many\"/poem-%06d.txt", i);
        tg_provenance_add(&p, &(tg_item){.origin = origin, .licence = i % 2 ? NULL : "CC0-1.0", .bytes = i, .sha256 = sha});
        if (i == TG_LISTED - 1) tg_provenance_put(&p); /* nothing yet that is not listed */
        if (i == TG_LISTED - 1) CHECK(!p.provenance.failed && !strstr(p.provenance.data, "unlisted"));
        if (i < TG_LISTED) continue;
        tg_str_clear(&want);
        tg_str_addf(&want, "{\"origin\": \"a folder of \\\"many\\\"/poem-%06d.txt\", \"licence\": %s, \"label\": null, "
                    "\"bytes\": %d, \"sha256\": \"%s\"}\n", i, i % 2 ? "null" : "\"CC0-1.0\"", i, sha);
        tg_sha256_add(&rest, want.data, want.length);
    }
    tg_str_clear(&p.provenance);
    tg_provenance_put(&p);
    tg_sha256_end(&rest, hex);
    tg_str_clear(&want);
    tg_str_addf(&want, "poem-009999.txt\", \"licence\": null, \"label\": null, \"bytes\": 9999, \"sha256\": \"%s\"}], "
                "\"unlisted\": {\"items\": %d, \"bytes\": %lld, \"sha256\": \"%s\"}}", sha, ITEMS - TG_LISTED,
                (long long)ITEMS * (ITEMS - 1) / 2 - TG_LISTED * (TG_LISTED - 1) / 2, hex);
    CHECK(!p.provenance.failed && p.provenance.length < 4 << 20);
    CHECK_TEXT(p.provenance.data + p.provenance.length - want.length, want.data);
    CHECK_INT(p.items, ITEMS);
    tg_str_free(&p.sources);
    tg_str_free(&p.provenance);

    p = (tg_preparing){0}; /* a few with very long names */
    char *name = tg_alloc(BIG + 1);
    memset(name, 'x', BIG);
    for (int i = 0; i < 20; i++) tg_provenance_add(&p, &(tg_item){.origin = name, .bytes = 1, .sha256 = sha});
    CHECK_INT(p.unlisted.items, 12);
    CHECK(p.sources.length < TG_LISTED_BYTES + 2 * BIG);
    tg_str_free(&p.sources);
    tg_str_free(&want);
    tg_free(name);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_disk_that_fills_leaves_nothing_behind)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str text = mixed(2000, 3);
    tg_context *ctx = context();
    collect(corpora[0], &text, 1, NULL, NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    o.documents = TG_DOCUMENTS_LINE;
    int refused = 0, temporary = 0;
    for (int n = 1;; n++) {
        char spec[40];
        tg_listing inside;
        snprintf(spec, sizeof spec, "write:%d:ENOSPC", n);
        tg_fault_set(spec);
        tg_status s = tg_preprocess_within(ctx, &o, &(tg_bounds){1024, 1 << 16, LARGE, LARGE, LARGE});
        tg_fault_set(NULL);
        if (!s) break;
        CHECK_INT(s, TG_EIO);
        CHECK(strstr(tg_error(), "o room") || strstr(tg_error(), "o space") || strstr(tg_error(), "No space"));
        temporary += strstr(tg_error(), "temporary file beside") != NULL;
        CHECK_OK(tg_list_tree(folder, &inside));
        CHECK_INT(inside.count, 2); /* the list and the item */
        tg_listing_free(&inside);
        refused++;
    }
    CHECK(temporary > 2 && refused > temporary);
    tg_free(text.data);
    tg_context_free(ctx);
}

TEST(preprocessing_frees_all_it_took)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_str text = mixed(400, 4);
    tg_context *ctx = context();
    collect(corpora[0], &text, 1, NULL, NULL);
    tg_preprocess_options o = options(corpora, 1, out);
    o.documents = TG_DOCUMENTS_BLANK;
    const tg_bounds bounds = {1024, 300, LARGE, LARGE, LARGE};
    int failed = 0;
    CHECK_OK(tg_preprocess_within(ctx, &o, &bounds)); /* the context keeps names of what was read */
    const int64_t live = tg_alloc_live();
    for (int n = 1;; n++) {
        tg_alloc_fail_at(n, false);
        tg_status s = tg_preprocess_within(ctx, &o, &bounds);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live);
        if (!s) break;
        CHECK_INT(s, TG_ENOMEM);
        failed++;
    }
    CHECK(failed > 50);
    tg_free(text.data);
    tg_context_free(ctx);
}
