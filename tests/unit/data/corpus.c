/* corpus.c - tests of corpora: round trip, manifests that lie, what is found in folders. */
#include "base/hash.h"
#include "data/corpus.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "data/source.h"
#include "test.h"

/* ---- helpers */

static const char *folder(void)
{
    static const char *made;
    return made ? made : (made = test_folder());
}

/* A path below the test's folder, valid until the next four calls. */
static const char *in(const char *name)
{
    static char room[4][4096];
    static int next;
    char *path = room[next++ % 4];
    snprintf(path, 4096, "%s/%s", folder(), name);
    return path;
}

static void put(const char *name, const char *text, int64_t length)
{
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", in(name));
    *strrchr(parent, '/') = 0;
    CHECK_OK(tg_make_folder(parent));
    CHECK_OK(tg_write_file(in(name), text, length));
}

static void make_corpus(const char *name, bool replace, char hash[65])
{
    tg_corpus_writer *w;
    CHECK_OK(tg_corpus_begin(in(name), replace, &w));
    CHECK_OK(
        tg_corpus_add(w, &(tg_item){.kind = "text", .origin = "a \"quoted\"\nname", .licence = "CC0-1.0"}, "one\n", 4));
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text", .label = "prose"}, "\xff\0two", 5));
    CHECK_INT(tg_corpus_items(w), 2);
    CHECK_INT(tg_corpus_bytes(w), 9);
    CHECK_INT(tg_path_kind(in(name)) == TG_PATH_NONE || replace, true); /* not before it is whole */
    CHECK_OK(tg_corpus_commit(w, hash));
}

/* ---- the corpus itself */

TEST(a_corpus_comes_back_as_it_was_written)
{
    char hash[65], again[65], *bytes;
    make_corpus("c", false, hash);
    tg_corpus *c;
    CHECK_OK(tg_corpus_open(in("c"), &c));
    CHECK_INT(tg_corpus_count(c), 2);
    const tg_item *item = tg_corpus_item(c, 0);
    CHECK_TEXT(item->path, "items/000001.txt");
    CHECK_TEXT(item->kind, "text");
    CHECK_TEXT(item->origin, "a \"quoted\"\nname");
    CHECK_TEXT(item->licence, "CC0-1.0");
    CHECK(!item->label && item->bytes == 4 && item->collected && strlen(item->collected) == 20);
    CHECK_TEXT(item->sha256, "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"); /* sha256sum */
    CHECK_OK(tg_corpus_read(c, 0, &bytes));
    CHECK_TEXT(bytes, "one\n");
    tg_free(bytes);
    CHECK_OK(tg_corpus_read(c, 1, &bytes));
    CHECK_BYTES(bytes, "\xff\0two", 6);
    tg_free(bytes);
    tg_sha256 sha;
    tg_manifest_start(&sha);
    for (int i = 0; i < 2; i++) CHECK_OK(tg_manifest_add(&sha, tg_corpus_item(c, i)));
    tg_sha256_end(&sha, again);
    CHECK_TEXT(again, hash);
    CHECK(!tg_corpus_item(c, 2) && !tg_corpus_item(c, -1));
    tg_corpus_close(c);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(items_of_many_documents_say_so_and_repeats_are_known)
{
    char hash[65], other[65];
    tg_corpus_writer *w;
    tg_corpus *c;
    CHECK_OK(tg_corpus_begin(in("c"), false, &w));
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text", .origin = "a.csv", .documents = "jsonl"}, "\"x\"\n", 4));
    CHECK(!tg_corpus_repeats(w));
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text", .origin = "b"}, "y", 1));
    CHECK(!tg_corpus_repeats(w));
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text", .origin = "c"}, "\"x\"\n", 4));
    CHECK_TEXT(tg_corpus_repeats(w), "a.csv");
    CHECK_OK(tg_corpus_commit(w, hash));
    CHECK_OK(tg_corpus_open(in("c"), &c));
    CHECK_TEXT(tg_corpus_item(c, 0)->path, "items/000001.jsonl");
    CHECK_TEXT(tg_corpus_item(c, 0)->documents, "jsonl");
    CHECK(!tg_corpus_item(c, 1)->documents);
    /* The same bytes as plain text are other content. */
    tg_sha256 sha;
    tg_item plain = *tg_corpus_item(c, 0);
    plain.documents = NULL;
    tg_manifest_start(&sha);
    CHECK_OK(tg_manifest_add(&sha, &plain));
    for (int i = 1; i < 3; i++) CHECK_OK(tg_manifest_add(&sha, tg_corpus_item(c, i)));
    tg_sha256_end(&sha, other);
    CHECK(strcmp(hash, other) != 0);
    tg_corpus_close(c);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_corpus_is_replaced_only_when_meant_and_only_by_a_corpus)
{
    char hash[65];
    tg_corpus_writer *w;
    make_corpus("c", false, hash);
    CHECK_ERROR(tg_corpus_begin(in("c"), false, &w), TG_EINVAL, "--force");
    make_corpus("c", true, hash);
    put("home/letter.txt", "dear", 4);
    CHECK_ERROR(tg_corpus_begin(in("home"), true, &w), TG_EINVAL, "letter.txt");
    CHECK_ERROR(tg_corpus_begin(in("home/letter.txt"), true, &w), TG_EINVAL, "a file of that name");
    CHECK_OK(tg_corpus_begin(in("fresh"), false, &w));
    tg_corpus_abandon(w);
    CHECK_INT(tg_path_kind(in("fresh")), TG_PATH_NONE);
}

TEST(items_that_changed_are_refused)
{
    char hash[65], *bytes;
    tg_corpus *c;
    make_corpus("c", false, hash);
    CHECK_OK(tg_corpus_open(in("c"), &c));
    put("c/items/000001.txt", "onE\n", 4);
    CHECK_ERROR(tg_corpus_read(c, 0, &bytes), TG_EFORMAT, "SHA-256 differs");
    put("c/items/000001.txt", "one", 3);
    CHECK_ERROR(tg_corpus_read(c, 0, &bytes), TG_EFORMAT, "3 bytes, the manifest says 4");
    CHECK_OK(tg_remove(in("c/items/000001.txt")));
    CHECK_ERROR(tg_corpus_read(c, 0, &bytes), TG_EIO, "000001.txt");
    CHECK_INT(symlink(in("c/items/000002.txt"), in("c/items/000001.txt")), 0);
    CHECK_ERROR(tg_corpus_read(c, 0, &bytes), TG_EINVAL, "link");
    tg_corpus_close(c);
    CHECK_INT(tg_alloc_live(), 0);
}

#define SHA "\"sha256\":\"2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806\""

TEST(manifests_that_lie_are_refused)
{
    static const struct { const char *line; tg_status status; const char *says; } bad[] = {
        {"{\"path\":\"../x\",\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "may lead out"},
        {"{\"path\":\"/etc/passwd\",\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "may lead out"},
        {"{\"path\":\"items/../../x\",\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "may lead out"},
        {"{\"path\":\"-x\",\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "may lead out"},
        {"{\"path\":\"items/a\\nb\",\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "may lead out"},
        {"{\"path\":\"x\",\"kind\":\"text\",\"bytes\":-4," SHA "}", TG_EFORMAT, "needs path"},
        {"{\"path\":\"x\",\"kind\":\"text\",\"bytes\":\"4\"," SHA "}", TG_EFORMAT, "needs path"},
        {"{\"path\":\"x\",\"kind\":\"text\",\"bytes\":4,\"sha256\":\"2c8b\"}", TG_EFORMAT, "needs path"},
        {"{\"kind\":\"text\",\"bytes\":4," SHA "}", TG_EFORMAT, "needs path"},
        {"{\"path\":\"x\",\"kind\":\"smell\",\"bytes\":4," SHA "}", TG_EUNSUPPORTED, "kind smell"},
        {"{\"path\":\"x\",\"kind\":\"text\",\"documents\":\"tar\",\"bytes\":4," SHA "}", TG_EUNSUPPORTED,
         "documents as tar"},
        {"[]", TG_EFORMAT, "needs path"},
        {"{\"path\":", TG_EFORMAT, "manifest.jsonl:2:1:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char list[600];
        tg_corpus *c;
        int n =
            snprintf(list, sizeof list, "{\"path\":\"x\",\"kind\":\"text\",\"bytes\":4," SHA "}\n%s\n", bad[i].line);
        put("c/manifest.jsonl", list, n);
        tg_status status = tg_corpus_open(in("c"), &c);
        if (status != bad[i].status) test_failed(__FILE__, __LINE__, "%s: status %d", bad[i].line, status);
        test_has(__FILE__, __LINE__, tg_error(), bad[i].says);
        test_has(__FILE__, __LINE__, tg_error(), "manifest.jsonl:2");
    }
    CHECK_INT(tg_alloc_live(), 0);
}

/* A size that no file has costs nothing: it is compared with the file's before anything is allocated. */
TEST(sizes_in_a_manifest_are_not_believed)
{
    tg_corpus *c;
    char *bytes;
    static const char list[] = "{\"path\":\"x\",\"kind\":\"text\",\"bytes\":9223372036854775807," SHA "}\n";
    put("c/manifest.jsonl", list, (int64_t)sizeof list - 1);
    put("c/x", "one\n", 4);
    CHECK_OK(tg_corpus_open(in("c"), &c));
    CHECK_ERROR(tg_corpus_read(c, 0, &bytes), TG_EFORMAT, "4 bytes, the manifest says 9223372036854775807");
    tg_corpus_close(c);
}

TEST(what_is_no_corpus_is_told_apart)
{
    tg_corpus *c;
    put("plain/a.txt", "a", 1);
    CHECK_ERROR(tg_corpus_open(in("plain"), &c), TG_EINVAL, "no manifest.jsonl");
    test_has(__FILE__, __LINE__, tg_error(), "gen-collect");
    CHECK_ERROR(tg_corpus_open(in("plain/a.txt"), &c), TG_EINVAL, "a file, no corpus");
    CHECK_ERROR(tg_corpus_open(in("nowhere"), &c), TG_EIO, "no such folder");
}

/* ---- sources */

typedef struct heard { tg_str log, taken; int64_t read; } heard;

static void on_log(void *user, tg_log_level level, const char *text)
{
    (void)level;
    tg_str_addf(&((heard *)user)->log, "%s\n", text);
}

static tg_status on_take(void *user, const tg_item *about, tg_scratch *text)
{
    tg_str *out = &((heard *)user)->taken;
    const char *slash = strrchr(about->origin, '/');
    tg_str_addf(out, "%s %s%s%s:", slash ? slash + 1 : about->origin, about->licence ? about->licence : "-",
                about->label ? " " : "", about->label ? about->label : "");
    tg_str_add_n(out, tg_scratch_memory(text), tg_scratch_length(text));
    tg_str_add(out, "|");
    return TG_OK;
}

static tg_status on_note(void *user, const char *path)
{
    (void)path;
    ((heard *)user)->read++;
    return TG_OK;
}

static tg_gather gathering(heard *h, tg_context **ctx)
{
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .log = on_log, .user = h}, ctx));
    return (tg_gather){.ctx = *ctx, .seed = 1, .sample = 1, .take = on_take, .note = on_note, .user = h};
}

static void forget(heard *h, tg_context *ctx)
{
    tg_str_free(&h->log);
    tg_str_free(&h->taken);
    tg_context_free(ctx);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_folder_gives_its_texts_in_order_of_names_and_names_the_rest)
{
    heard h = {0};
    tg_context *ctx;
    tg_gather g = gathering(&h, &ctx);
    put("f/b.txt", "bee", 3);
    put("f/a/deep.txt", "sea", 3);
    put("f/image.png", "\x89PNG\0", 5);
    put("f/latin.txt", "caf\xe9!", 5);
    put("f/zero.txt", "", 0);
    put("f/.hidden", "no", 2);
    put("f/old/manifest.jsonl", "{}", 2);
    put("f/old/items/000001.txt", "again", 5);
    CHECK_OK(tg_gather_source(&g, in("f")));
    CHECK_TEXT(h.taken.data, "deep.txt -:sea|b.txt -:bee|");
    CHECK_INT(g.items, 2);
    CHECK_INT(g.bytes, 6);
    CHECK_INT(g.skipped, 4);
    test_has(__FILE__, __LINE__, h.log.data, "image.png: no text (not UTF-8 at byte 0): passed over");
    test_has(__FILE__, __LINE__, h.log.data, "latin.txt: no text (not UTF-8 at byte 3): passed over");
    test_has(__FILE__, __LINE__, h.log.data, "zero.txt: empty");
    test_has(__FILE__, __LINE__, h.log.data, "f/old: a corpus: passed over");
    CHECK_ERROR(tg_gather_source(&g, in("f/old")), TG_EINVAL, "a corpus already");
    forget(&h, ctx);
}

TEST(a_named_file_is_taken_whatever_is_in_it)
{
    heard h = {0};
    tg_context *ctx;
    tg_gather g = gathering(&h, &ctx);
    put("latin.txt", "caf\xe9!", 5);
    CHECK_OK(tg_gather_source(&g, in("latin.txt")));
    CHECK_TEXT(h.taken.data, "latin.txt -:caf\xe9!|");
    test_has(__FILE__, __LINE__, h.log.data, "not UTF-8 at byte 3; taken as it is");
    CHECK_INT(h.read, 1);
    CHECK_ERROR(tg_gather_source(&g, in("nowhere.txt")), TG_EIO, "nowhere.txt");
    CHECK_ERROR(tg_gather_source(&g, "gopher://example.org/a.txt"), TG_EINVAL, "no place");
    CHECK_ERROR(tg_gather_source(&g, "synth:odes"), TG_EINVAL, "no such grammar");
    forget(&h, ctx);
}

TEST(bounds_cut_at_a_whole_character)
{
    heard h = {0};
    tg_context *ctx;
    tg_gather g = gathering(&h, &ctx);
    put("f/a.txt", "\xe6\x98\xa5\xe9\xa3\x8e", 6);
    put("f/b.txt", "bee", 3);
    g.max_bytes = 5;
    CHECK_OK(tg_gather_source(&g, in("f")));
    CHECK_TEXT(h.taken.data, "a.txt -:\xe6\x98\xa5|b.txt -:be|");
    CHECK(tg_gather_full(&g));
    tg_str_clear(&h.taken);
    g = (tg_gather){.ctx = ctx, .seed = 1, .sample = 1, .limit = 1, .take = on_take, .note = on_note, .user = &h};
    CHECK_OK(tg_gather_source(&g, in("f")));
    CHECK(tg_gather_full(&g) && g.items == 1);
    g = (tg_gather){.ctx = ctx, .seed = 1, .sample = 0, .take = on_take, .note = on_note, .user = &h};
    CHECK_OK(tg_gather_source(&g, in("f")));
    CHECK_INT(g.items, 0);
    forget(&h, ctx);
}
