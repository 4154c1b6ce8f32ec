/* duplicates.c - tests of equal and nearly equal documents: against plain loops over all pairs, and on what breaks such
 * searches: boilerplate, one character repeated, no characters at all. */
#include "data/duplicates.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/utf8.h"
#include "support/make.h"
#include "support/shared.h"
#include "test.h"

/* ---- helpers */

enum { MOST = 40000 };

typedef struct documents { tg_str text; int64_t starts[MOST + 1], count; int32_t first[MOST]; } documents;

/* Starts as the list that the functions read. */
static tg_status list_of(const int64_t *starts, int64_t count, int64_t keep, tg_scratch **out)
{
    tg_status s = tg_scratch_new(one_path(), keep, out);
    for (int64_t i = 0; i < count && !s; i++) s = tg_scratch_add(*out, &(tg_document){starts[i + 1], -1}, sizeof(tg_document));
    return s;
}

static tg_status exact_within(int64_t keep, const char *text, const int64_t *starts, int64_t count, int32_t *first)
{
    tg_scratch *t = NULL, *list = NULL;
    tg_spill *twins = NULL;
    tg_record r;
    bool more = true;
    tg_status s = tg_scratch_of(text, INT32_MAX, &t);
    if (!s) s = list_of(starts, count, keep, &list);
    if (!s) s = tg_spill_new(list, &twins);
    if (!s) s = tg_duplicates_exact(NULL, t, list, twins);
    for (int64_t i = 0; i < count; i++) first[i] = (int32_t)i;
    while (!s && more) {
        s = tg_spill_next(twins, &r, &more);
        if (!s && more) first[r.key] = (int32_t)r.value;
    }
    tg_spill_free(twins);
    tg_scratch_free(list);
    tg_scratch_free(t);
    return s;
}

/* In memory, and with hardly any. */
static tg_status exact(const char *text, const int64_t *starts, int64_t count, int32_t *first)
{
    int32_t *other = tg_alloc_array(count + 1, sizeof *other);
    tg_status s = other ? exact_within(1 << 24, text, starts, count, other) : TG_ENOMEM;
    if (!s) s = exact_within(3000, text, starts, count, first);
    if (!s) CHECK_BYTES(first, other, count * (int64_t)sizeof *first);
    tg_free(other);
    return s;
}

static tg_status near_among(tg_context *ctx, const char *text, const int64_t *starts, int64_t count, double threshold,
                            int64_t most, int32_t *first)
{
    tg_scratch *t = NULL;
    tg_status s = tg_scratch_of(text, INT32_MAX, &t);
    if (!s) s = tg_duplicates_near_among(ctx, t, starts, count, threshold, most, first);
    tg_scratch_free(t);
    return s;
}

static tg_status near(tg_context *ctx, const char *text, const int64_t *starts, int64_t count, double threshold, int32_t *first)
{
    return near_among(ctx, text, starts, count, threshold, TG_NEAR_MOST, first);
}

static documents *documents_new(void)
{
    documents *d = tg_alloc(sizeof *d);
    CHECK(d);
    return d;
}

static void add(documents *d, const char *text)
{
    CHECK(d->count < MOST);
    tg_str_add(&d->text, text);
    CHECK(!d->text.failed);
    d->starts[++d->count] = d->text.length;
}

static void documents_free(documents *d)
{
    tg_str_free(&d->text);
    tg_free(d);
    CHECK_INT(tg_alloc_live(), 0);
}

static void find_exact(documents *d)
{
    CHECK_OK(exact(d->text.data, d->starts, d->count, d->first));
}

static void find_near(documents *d, double threshold)
{
    CHECK_OK(near(NULL, d->text.data, d->starts, d->count, threshold, d->first));
}

static int64_t repeated(const documents *d)
{
    int64_t n = 0;
    for (int64_t i = 0; i < d->count; i++) n += d->first[i] != i;
    return n;
}

/* What first must be, as text: "0 1 0 3". */
static void check_first(const documents *d, const char *want)
{
    tg_str got = {0};
    for (int64_t i = 0; i < d->count; i++) tg_str_addf(&got, "%s%lld", i ? " " : "", (long long)d->first[i]);
    CHECK_TEXT(got.data, want);
    tg_str_free(&got);
}

/* One of so many letters: Latin ones, or Chinese from U+4E00 on. */
static void put_letter(char *out, int64_t *length, int letters, bool chinese, tg_rng *r)
{
    uint32_t letter = (uint32_t)tg_rng_below(r, letters);
    *length += tg_utf8_put(out + *length, chinese ? 0x4e00 + letter : 'a' + letter);
}

/* ---- the plain way: all pairs, shingles as texts */

typedef struct plain { int64_t at[64], end[64]; int count; } plain; /* different shingles, as spans of the text */

static bool same_span(const documents *d, int64_t a, int64_t a_end, int64_t b, int64_t b_end)
{
    const char *x = d->text.data + a, *y = d->text.data + b;
    return a_end - a == b_end - b && x[2] == y[2] && memcmp(x, y, (size_t)(a_end - a)) == 0;
}

static bool plain_has(const documents *d, const plain *p, int64_t at, int64_t end)
{
    for (int i = 0; i < p->count; i++)
        if (same_span(d, p->at[i], p->end[i], at, end)) return true;
    return false;
}

/* Documents without white space and capitals, of at least five characters. */
static plain plain_of(const documents *d, int64_t i)
{
    plain p = {.count = 0};
    int64_t border[128], n = 0;
    for (int64_t at = d->starts[i]; at < d->starts[i + 1]; at++)
        if (((unsigned char)d->text.data[at] & 0xc0) != 0x80) border[n++] = at;
    border[n] = d->starts[i + 1];
    for (int64_t c = 0; c + 5 <= n; c++) {
        if (plain_has(d, &p, border[c], border[c + 5])) continue;
        p.at[p.count] = border[c];
        p.end[p.count++] = border[c + 5];
    }
    return p;
}

static double plain_likeness(const documents *d, const plain *a, const plain *b)
{
    int both = 0;
    for (int i = 0; i < a->count; i++) both += plain_has(d, b, a->at[i], a->end[i]);
    return (double)both / (a->count + b->count - both);
}

static void plain_near(const documents *d, double threshold, int32_t *first)
{
    plain *sets = tg_alloc_array(d->count, sizeof *sets);
    for (int64_t i = 0; i < d->count; i++) {
        sets[i] = plain_of(d, i);
        first[i] = (int32_t)i;
    }
    for (int64_t j = 0; j < d->count; j++)
        for (int64_t i = 0; i < j; i++) {
            int32_t keep = first[i] < first[j] ? first[i] : first[j], go = first[i] + first[j] - keep;
            if (keep == go || plain_likeness(d, &sets[i], &sets[j]) < threshold) continue;
            for (int64_t k = 0; k < d->count; k++)
                if (first[k] == go) first[k] = keep;
        }
    tg_free(sets);
}

/* count documents of 20 to 60 characters; two of three are an earlier one with up to six characters changed. */
static documents *make_edited(int64_t count, int alphabet, bool chinese, uint64_t stream)
{
    documents *d = documents_new();
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    int width = chinese ? 3 : 1;
    for (int64_t i = 0; i < count; i++) {
        char text[256];
        int64_t length = 0, letters = 20 + tg_rng_below(&r, 41);
        if (i == 0 || tg_rng_below(&r, 3) == 0) {
            while (letters-- > 0) put_letter(text, &length, alphabet, chinese, &r);
        } else {
            int64_t from = tg_rng_below(&r, i), edits = tg_rng_below(&r, 7), at;
            length = d->starts[from + 1] - d->starts[from];
            memcpy(text, d->text.data + d->starts[from], (size_t)length);
            for (; edits > 0; edits--) {
                at = tg_rng_below(&r, length / width) * width;
                put_letter(text, &at, alphabet, chinese, &r);
            }
        }
        text[length] = 0;
        add(d, text);
    }
    return d;
}

static void compare_with_plain(int alphabet, bool chinese, double threshold)
{
    documents *d = make_edited(300, alphabet, chinese, chinese ? 101 : 100);
    int32_t want[300];
    plain_near(d, threshold, want);
    find_near(d, threshold);
    for (int i = 0; i < 300; i++)
        if (d->first[i] != want[i])
            test_failed(__FILE__, __LINE__, "document %d at %g: first %lld, plain loops say %lld", i, threshold,
                        (long long)d->first[i], (long long)want[i]);
    CHECK(repeated(d) > 20 && repeated(d) < 280); /* both answers occur */
    documents_free(d);
}

/* ---- equal documents */

TEST(equal_documents_point_at_their_first)
{
    documents *d = documents_new();
    static const char *const texts[] = {"one\n", "two\n", "  one", "One\n", "\t\r\n", "", "tw", "\u3000one\u00a0\u3000",
                                        "two two", "two\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(d, texts[i]);
    find_exact(d);
    check_first(d, "0 1 0 3 4 4 6 0 8 1");
    d->count = 0;
    find_exact(d);
    documents_free(d);
}

TEST(equal_documents_are_found_among_many)
{
    documents *d = documents_new();
    char text[32];
    for (int i = 0; i < MOST; i++) {
        snprintf(text, sizeof text, "%d\n", i % 7919);
        add(d, text);
    }
    find_exact(d);
    for (int i = 0; i < MOST; i++) CHECK_INT(d->first[i], i % 7919);
    documents_free(d);
}

/* Text number i of those with one 64-bit hash: in XXH64 the fifth eight bytes can undo what the first have changed. */
static void add_meeting(documents *d, uint64_t i)
{
    const uint64_t p1 = UINT64_C(0x9E3779B185EBCA87), p2 = UINT64_C(0xC2B2AE3D27D4EB4F);
    uint64_t words[8], lane[2], inverse = p2;
    memset(words, 'x', sizeof words);
    for (int round = 0; round < 6; round++) inverse *= 2 - p2 * inverse;
    for (int changed = 0; changed < 2; changed++) {
        words[0] += changed ? i : 0;
        lane[changed] = p1 + p2 + words[0] * p2;
        lane[changed] = (lane[changed] << 31 | lane[changed] >> 33) * p1;
    }
    words[4] += (lane[0] - lane[1]) * inverse;
    tg_str_add_n(&d->text, (const char *)words, sizeof words);
    CHECK(!d->text.failed && d->count < MOST);
    d->starts[++d->count] = d->text.length;
    CHECK(tg_xxh64_of(d->text.data, 64) == tg_xxh64_of(d->text.data + d->text.length - 64, 64));
}

TEST(documents_whose_hashes_meet_are_told_apart)
{
    documents *d = documents_new();
    static const uint64_t numbers[] = {0, 1, 0, 2, 1, 2, 2};
    for (int i = 0; i < 7; i++) add_meeting(d, numbers[i]);
    find_exact(d);
    check_first(d, "0 1 0 3 1 3 3");
    documents_free(d);
    d = documents_new();
    for (uint64_t i = 0; i < 100; i++) add_meeting(d, i); /* more than are remembered: the last ones are */
    add_meeting(d, 0);
    add_meeting(d, 99);
    add_meeting(d, 60);
    find_exact(d);
    CHECK_INT(repeated(d), 2);
    CHECK(d->first[100] == 100 && d->first[101] == 99 && d->first[102] == 60);
    documents_free(d);
}

TEST(invalid_bytes_and_nuls_are_told_apart)
{
    static const char text[] = "a\0b\xff" "a\0c\xff" "a\0b\xff" "\x80\xe4\xb8" "\x80\xe4\xb8" "\0\0" "\0\0\0";
    const int64_t starts[] = {0, 4, 8, 12, 15, 18, 20, 23};
    const int32_t want[] = {0, 1, 0, 3, 3, 5, 6};
    int32_t first[7];
    CHECK_OK(exact(text, starts, 7, first));
    CHECK_BYTES(first, want, sizeof want);
    CHECK_OK(near(NULL, text, starts, 7, 0.8, first));
    CHECK_BYTES(first, want, sizeof want);
}

TEST(repeated_names_are_counted)
{
    int64_t length;
    char *text = shared_text("text/names.txt", &length);
    documents *d = documents_new();
    for (char *line = text, *end; line < text + length; line = end + 1) {
        end = strchr(line, '\n');
        if (!end) end = text + length;
        *end = 0;
        add(d, line);
    }
    find_exact(d);
    CHECK_INT(d->count, 32033);
    CHECK_INT(repeated(d), 2539); /* wc -l; sort -u | wc -l */
    find_near(d, 1);
    CHECK_INT(repeated(d), 2539);
    tg_free(text);
    documents_free(d);
}

/* ---- nearly equal ones */

TEST(near_documents_are_those_of_plain_loops)
{
    compare_with_plain(26, false, 0.8);
    compare_with_plain(26, false, 0.5);
    compare_with_plain(26, false, 0.3);
    compare_with_plain(26, false, 1);
    compare_with_plain(3, false, 0.8); /* shingles that come again and again in a document */
}

TEST(near_chinese_documents_are_those_of_plain_loops)
{
    compare_with_plain(26, true, 0.8);
    compare_with_plain(26, true, 0.5);
}

TEST(a_pair_at_the_threshold_is_near_and_one_below_is_not)
{
    documents *d = documents_new();
    add(d, "abcdefgh");  /* four shingles */
    add(d, "ABCDEFGHi"); /* five, four of them shared: 0.8 */
    find_near(d, 0.8);
    check_first(d, "0 0");
    find_near(d, 0.81);
    check_first(d, "0 1");
    documents_free(d);
}

TEST(near_is_blind_to_case_and_white_space)
{
    documents *d = documents_new();
    add(d, "The Cat\n\n\u00c9tait \u0414\u041e\u041c\n");
    add(d, " the  cat \u00e9tait\u3000\u0434\u043e\u043c");
    add(d, "thecat\u00e9tait\u0434\u043e\u043c");
    find_near(d, 1);
    check_first(d, "0 0 2");
    documents_free(d);
}

TEST(chinese_is_compared_by_characters)
{
    documents *d = documents_new();
    /* In bytes, the first two share most; in characters they share two shingles of fourteen. */
    add(d, "\u5e8a\u524d\u660e\u6708\u5149\u7591\u662f\u5730\u4e0a\u971c");
    add(d, "\u5e8a\u524d\u660e\u6708\u5149\u7591\u662f\u5929\u4e0a\u971c");
    add(d, "\u5e8a\u524d\u660e\u6708\u5149\u7591\u662f\u5730\u4e0a");
    find_near(d, 0.8);
    check_first(d, "0 1 0");
    find_near(d, 0.3);
    check_first(d, "0 0 0");
    documents_free(d);
}

TEST(documents_below_a_shingle_are_near_only_to_their_equals)
{
    documents *d = documents_new();
    static const char *const texts[] = {"", "a", "ab", "A", " \n", "abcd", "abc", "aaaa", "abcd", "aaaaa", "aaaaaa"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add(d, texts[i]);
    find_near(d, 0.5);
    check_first(d, "0 1 2 1 0 5 6 7 5 9 9"); /* a character repeated five times or six: the same one shingle */
    documents_free(d);
}

TEST(documents_above_the_bound_are_near_only_to_their_equals)
{
    documents *d = documents_new();
    char *text = tg_alloc(TG_NEAR_WHOLE + 10);
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 102);
    for (int64_t at = 0; at < TG_NEAR_WHOLE + 5;) put_letter(text, &at, 26, false, &r);
    add(d, text);
    add(d, "something short");
    add(d, text);
    text[1000] ^= 1;
    add(d, text);
    text[TG_NEAR_WHOLE - 5] = 0;
    add(d, text);
    text[0] ^= 1;
    add(d, text);
    find_near(d, 0.8);
    check_first(d, "0 1 0 3 4 4");
    tg_free(text);
    documents_free(d);
}

TEST(a_chain_of_near_documents_is_one_group)
{
    documents *d = documents_new();
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char text[32];
    for (int i = 11; i >= 0; i--) { /* each shares 15 of 17 shingles with the next, the ends share 9 of 23 and less */
        snprintf(text, sizeof text, "%.20s", letters + i);
        add(d, text);
    }
    find_near(d, 0.8);
    for (int i = 0; i < 12; i++) CHECK_INT(d->first[i], 0);
    documents_free(d);
}

/* Thousands of equal ones, thousands nearly equal to each other, and thousands that share half and are not near. */
TEST(boilerplate_costs_little_and_hides_nothing)
{
    documents *d = documents_new();
    static const char plate[] = "This page is for members only. Please log in to see what is on it, or go back.";
    char text[256], tail[64];
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 103);
    for (int i = 0; i < 9999; i++) {
        int64_t length = 0;
        while (length < 40) put_letter(tail, &length, 26, false, &r);
        tail[length] = 0;
        add(d, plate);
        snprintf(text, sizeof text, "%s %d", plate, i);
        add(d, text);
        snprintf(text, sizeof text, "%.40s%s", plate, tail);
        add(d, text);
    }
    add(d, text); /* equal to the one before */
    tail[0] ^= 1;
    snprintf(text, sizeof text, "%.40s%s", plate, tail);
    add(d, text); /* near to it */
    find_near(d, TG_NEAR_THRESHOLD);
    for (int i = 0; i < 3 * 9999; i++) CHECK_INT(d->first[i], i % 3 < 2 ? 0 : i);
    CHECK_INT(d->first[3 * 9999], 3 * 9999 - 1);
    CHECK_INT(d->first[3 * 9999 + 1], 3 * 9999 - 1);
    documents_free(d);
}

TEST(near_documents_do_not_depend_on_threads)
{
    documents *d = make_edited(20000, 26, false, 104);
    int64_t *one = tg_alloc_array(d->count, sizeof *one);
    for (int threads = 1; threads <= 3; threads++) {
        tg_context *ctx;
        CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads}, &ctx));
        CHECK_OK(near(ctx, d->text.data, d->starts, d->count, 0.8, d->first));
        if (threads == 1) memcpy(one, d->first, (size_t)d->count * sizeof *one);
        CHECK_BYTES(d->first, one, d->count * (int64_t)sizeof *one);
        tg_context_free(ctx);
    }
    CHECK(repeated(d) > 2000);
    tg_free(one);
    documents_free(d);
}

TEST(near_refuses_what_it_cannot_do)
{
    documents *d = make_edited(20, 26, false, 105);
    CHECK_ERROR(near_among(NULL, d->text.data, d->starts, 20, 0.8, 19, d->first), TG_EINVAL,
                "20 documents are more than the 19");
    CHECK_ERROR(near(NULL, "", d->starts, 1000001, 0.8, d->first), TG_EINVAL, "--dedupe exact");
    CHECK_ERROR(near(NULL, d->text.data, d->starts, 20, 0.05, d->first), TG_EINVAL, "0.1 to 1");
    CHECK_ERROR(near(NULL, d->text.data, d->starts, 20, 1.5, d->first), TG_EINVAL, "0.1 to 1");
    const volatile int cancel = 1;
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &cancel}, &ctx));
    CHECK_ERROR(near(ctx, d->text.data, d->starts, 20, 0.8, d->first), TG_ECANCELLED, "stopped");
    tg_context_free(ctx);
    d->count = 0;
    find_near(d, 0.8);
    documents_free(d);
}

/* A text of so many pages; comparing is known by its coming back to the first page after signing was at the last. */
static struct { char *text; size_t page, pages; volatile sig_atomic_t stop; } watched;

static void on_touch(int signal, siginfo_t *about, void *context)
{
    (void)signal;
    (void)context;
    char *last = watched.text + (watched.pages - 1) * watched.page;
    watched.stop = (char *)about->si_addr < last;
    mprotect(watched.stop ? watched.text : last, watched.page, PROT_READ | PROT_WRITE);
    if (!watched.stop) mprotect(watched.text, watched.page, PROT_NONE);
}

TEST(cancelling_while_near_ones_are_joined_is_seen_at_the_next_document)
{
    enum { LENGTH = 64, PAGES = 4 };
    documents *d = documents_new();
    tg_context *ctx;
    struct sigaction action = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO};
    watched.page = (size_t)sysconf(_SC_PAGESIZE);
    watched.pages = PAGES;
    watched.text = aligned_alloc(watched.page, PAGES * watched.page);
    CHECK(watched.text);
    d->count = (int64_t)(PAGES * watched.page) / LENGTH; /* all the same */
    for (int64_t i = 0; i < d->count; i++) {
        memcpy(watched.text + i * LENGTH, "whoever compares the same text with itself finds it is the same\n", LENGTH);
        d->starts[i + 1] = (i + 1) * LENGTH;
    }
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &watched.stop}, &ctx));
    CHECK_INT(sigaction(SIGSEGV, &action, NULL), 0);
    mprotect(watched.text + (PAGES - 1) * watched.page, watched.page, PROT_NONE);
    CHECK_ERROR(near(ctx, watched.text, d->starts, d->count, 0.8, d->first), TG_ECANCELLED, "stopped");
    CHECK_INT(watched.stop, 1);
    CHECK_INT(d->first[2], 2); /* the second was joined to the first, and that was all */
    tg_context_free(ctx);
    free(watched.text);
    documents_free(d);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(duplicates_survive_any_allocation_that_fails)
{
    documents *d = make_edited(50, 26, false, 106);
    CHECK_OK(exact(d->text.data, d->starts, d->count, d->first)); /* the path is made and kept */
    int64_t before = tg_alloc_live();
    int failed = 0;
    for (int n = 1;; n++) {
        tg_alloc_fail_at(n, false);
        tg_status s = exact(d->text.data, d->starts, d->count, d->first);
        if (!s) s = near(NULL, d->text.data, d->starts, d->count, 0.8, d->first);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), before);
        if (!s) break;
        CHECK_INT(s, TG_ENOMEM);
        failed++;
    }
    CHECK_INT(failed, 54); /* some of them our own */
    documents_free(d);
}
