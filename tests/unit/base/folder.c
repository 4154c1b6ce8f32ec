/* Folders: whole or not at all, whenever the process dies; and what the file functions do without memory. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "support/files.h"

/* ---- folders */

static tg_status make_whole(const char *path, const char *text, bool replace)
{
    char *temporary = NULL;
    tg_status s = tg_folder_begin(path, &temporary);
    if (s) return s;
    char *item = tg_path_join(temporary, "item");
    s = item ? tg_write_file(item, text, (int64_t)strlen(text)) : TG_ENOMEM;
    tg_free(item);
    if (!s) s = tg_folder_commit(temporary, path, replace);
    if (s) tg_folder_abandon(temporary);
    tg_free(temporary);
    return s;
}

TEST(a_folder_appears_whole_and_is_replaced_only_on_request)
{
    const char *folder = test_folder();
    CHECK_OK(make_whole(in(folder, "made/corpus/"), "one", false));
    holds(in(folder, "made/corpus/item"), "one");
    CHECK_ERROR(make_whole(in(folder, "made/corpus"), "two", false), TG_EINVAL, "is there already");
    holds(in(folder, "made/corpus/item"), "one");
    CHECK_OK(make_whole(in(folder, "made/corpus"), "three", true));
    holds(in(folder, "made/corpus/item"), "three");
    CHECK_INT(count_names(in(folder, "made")), 1);
    CHECK_OK(tg_make_folder(in(folder, "made/empty")));
    CHECK_OK(make_whole(in(folder, "made/empty"), "four", false));
    holds(in(folder, "made/empty/item"), "four");
}

TEST(a_folder_is_replaced_in_steps_where_the_system_cannot_exchange)
{
    const char *folder = test_folder(), *path = in(folder, "corpus");
    CHECK_OK(make_whole(path, "one", false));
    tg_fault_set("rename:2:EINVAL"); /* the first is the item's */
    CHECK_OK(make_whole(path, "two", true));
    holds(in(folder, "corpus/item"), "two");
    CHECK_INT(count_names(folder), 1);
    tg_fault_set("rename:2:EINVAL,rename:4:EIO");
    CHECK_ERROR(make_whole(path, "three", true), TG_EIO, "corpus");
    tg_fault_set(NULL);
    holds(in(folder, "corpus/item"), "two");
    CHECK_INT(count_names(folder), 1);
}

static void replace_folder(const char *path)
{
    if (make_whole(path, "new", true)) _exit(9);
}

static void replace_folder_in_steps(const char *path)
{
    tg_fault_set(getenv("TEST_SPEC"));
    replace_folder(path);
}

TEST(killed_at_any_call_of_a_replacement_the_old_or_the_new_folder_is_there)
{
    const char *folder = test_folder(), *path = in(folder, "corpus");
    for (int steps = 0; steps < 2; steps++) {
        int n = 1;
        for (bool lived = false; !lived; n++) {
            char spec[64];
            CHECK_OK(tg_remove_tree(path));
            CHECK_OK(make_whole(path, "old", false));
            snprintf(spec, sizeof spec, "rename:2:EINVAL,kill:%d", n);
            setenv("TEST_SPEC", spec, 1);
            lived = survives(n, steps ? replace_folder_in_steps : replace_folder, path);
            tg_clean_temps(folder);
            char *got = NULL;
            int64_t length = 0;
            CHECK_OK(tg_file_slurp(in(path, "item"), 100, &got, &length));
            CHECK(strcmp(got, "new") == 0 || (!lived && strcmp(got, "old") == 0));
            tg_free(got);
            CHECK_INT(count_names(folder), 1);
        }
        test_note("%s: killed at %d calls", steps ? "in steps" : "exchange", n - 2);
        CHECK(n - 2 > 15);
    }
}

TEST(folders_are_made_with_their_parents_and_removed_without_following_links)
{
    const char *folder = test_folder();
    CHECK_OK(tg_make_folder(in(folder, "a/b//c/")));
    CHECK_OK(tg_make_folder(in(folder, "a/b/c")));
    CHECK_INT(tg_path_kind(in(folder, "a/b/c")), TG_PATH_FOLDER);
    put(in(folder, "keep"), "x");
    CHECK_ERROR(tg_make_folder(in(folder, "keep/d")), TG_EIO, "keep");
    CHECK_OK(tg_make_folder(in(folder, "outside")));
    put(in(folder, "outside/f"), "x");
    CHECK_INT(symlink("../outside", in(folder, "a/link")), 0);
    CHECK_OK(tg_remove_tree(in(folder, "a")));
    CHECK_INT(tg_path_kind(in(folder, "a")), TG_PATH_NONE);
    holds(in(folder, "outside/f"), "x");
    CHECK_INT(symlink("outside", in(folder, "link")), 0);
    CHECK_OK(tg_remove_tree(in(folder, "link/")));
    holds(in(folder, "outside/f"), "x");
    CHECK_OK(tg_remove_tree(in(folder, "not-there")));
    CHECK_OK(tg_remove(in(folder, "keep")));
    CHECK_OK(tg_remove(in(folder, "keep")));
}

TEST(a_tree_is_listed_in_byte_order_without_dots_and_without_linked_folders)
{
    const char *folder = test_folder();
    tg_listing l = {0};
    CHECK_OK(tg_list_tree(folder, &l));
    CHECK_INT(l.count, 0);
    tg_listing_free(&l);
    CHECK_OK(tg_make_folder(in(folder, "b/c")));
    CHECK_OK(tg_make_folder(in(folder, ".git")));
    put(in(folder, "b/c/deep"), "x");
    put(in(folder, "b.txt"), "x");
    put(in(folder, "b/1"), "x");
    put(in(folder, "a"), "x");
    put(in(folder, "B"), "x");
    put(in(folder, ".hidden"), "x");
    put(in(folder, ".git/x"), "x");
    CHECK_INT(symlink("a", in(folder, "link-to-file")), 0);
    CHECK_INT(symlink("b", in(folder, "link-to-folder")), 0);
    CHECK_INT(symlink("nowhere", in(folder, "link-to-nowhere")), 0);
    CHECK_INT(mkfifo(in(folder, "pipe"), 0600), 0);
    static const char *const want[] = {"B", "a", "b.txt", "b/1", "b/c/deep", "link-to-file"};
    CHECK_OK(tg_list_tree(folder, &l));
    CHECK_INT(l.count, 6);
    for (int i = 0; i < 6; i++) CHECK_TEXT(l.names[i], want[i]);
    tg_listing_free(&l);
    CHECK_ERROR(tg_list_tree(in(folder, "not-there"), &l), TG_EIO, "not-there");
    static const char *const alone[] = {"B", "a", "b.txt", "link-to-file"};
    CHECK_OK(tg_list_folder(folder, &l));
    CHECK_INT(l.count, 4);
    for (int i = 0; i < 4; i++) CHECK_TEXT(l.names[i], alone[i]);
    tg_listing_free(&l);
}

/* ---- no memory */

static tg_status everything(const char *folder)
{
    tg_listing l = {0};
    tg_lock *lock = NULL;
    tg_file *f = NULL;
    tg_appender *a = NULL;
    char *text = NULL, *path = tg_path_join(folder, "corpus");
    int64_t length = 0;
    tg_status s = path ? make_whole(path, "text", true) : TG_ENOMEM;
    if (!s) s = tg_file_open_below(folder, "corpus/item", &f);
    if (!s) s = tg_list_tree(path, &l);
    if (!s) s = tg_lock_take("lock", &lock);
    if (!s) s = tg_file_slurp("/proc/self/status", 1 << 20, &text, &length);
    if (!s) s = tg_appender_open("log", 0, &a);
    if (!s) s = tg_appender_line(a, "line", 4);
    tg_appender_close(a);
    tg_file_close(f);
    tg_lock_release(lock);
    tg_listing_free(&l);
    tg_free(text);
    tg_free(path);
    return s;
}

TEST(every_allocation_of_the_file_functions_may_fail)
{
    const char *folder = test_folder();
    CHECK_INT(chdir(folder), 0);
    int64_t n = 1, live = tg_alloc_live();
    for (bool done = false; !done; n++) {
        int64_t before = tg_alloc_count();
        tg_alloc_fail_at(n, n % 2 == 0);
        tg_status s = everything(folder);
        tg_alloc_fail_at(0, false);
        if (s) CHECK_INT(s, TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), live);
        done = tg_alloc_count() - before < n; /* a text that only informs may be missing: no error */
    }
    test_note("%lld allocations", (long long)n - 2);
    CHECK(n > 20);
}
