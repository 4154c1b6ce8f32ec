/* Links to folders: by a relative way, replaced at once, never over something else. */
#include "base/file.h"

#include <unistd.h>

#include "support/files.h"

static void links_to(const char *link, const char *way)
{
    char got[4096];
    const ssize_t n = readlink(link, got, sizeof got - 1);
    CHECK(n > 0);
    got[n] = '\0';
    CHECK_TEXT(got, way);
}

TEST(a_link_leads_from_its_own_folder_to_another)
{
    const char *f = test_folder();
    CHECK_OK(tg_make_folder(in(f, "runs/a")));
    CHECK_OK(tg_make_folder(in(f, "runs/ab")));
    CHECK_OK(tg_make_folder(in(f, "out/deep")));
    CHECK_OK(tg_link_folder(in(f, "runs/a"), in(f, "best")));
    links_to(in(f, "best"), "runs/a");
    CHECK_OK(tg_link_folder(in(f, "runs/a"), in(f, "runs/best/")));
    links_to(in(f, "runs/best"), "a");
    CHECK_OK(tg_link_folder(in(f, "runs/a"), in(f, "out/deep/best")));
    links_to(in(f, "out/deep/best"), "../../runs/a");
    CHECK_OK(tg_link_folder(in(f, "runs/a"), in(f, "runs/ab/best"))); /* ab only begins as a does */
    links_to(in(f, "runs/ab/best"), "../a");
    CHECK_OK(tg_link_folder(in(f, "runs"), in(f, "runs/up")));
    links_to(in(f, "runs/up"), ".");
    CHECK_OK(tg_link_folder(in(f, "best"), in(f, "again"))); /* of a link, what is behind it */
    links_to(in(f, "again"), "runs/a");
}

TEST(a_link_is_replaced_on_request_and_nothing_else_is)
{
    const char *f = test_folder();
    CHECK_OK(tg_make_folder(in(f, "a")));
    CHECK_OK(tg_make_folder(in(f, "b")));
    put(in(f, "note"), "mine");
    CHECK_OK(tg_link_check(in(f, "best"), false));
    CHECK_OK(tg_link_folder(in(f, "a"), in(f, "best")));
    CHECK_ERROR(tg_link_check(in(f, "best"), false), TG_EINVAL, "--force");
    CHECK_OK(tg_link_check(in(f, "best"), true));
    CHECK_OK(tg_link_folder(in(f, "b"), in(f, "best")));
    links_to(in(f, "best"), "b");
    CHECK_ERROR(tg_link_check(in(f, "note"), true), TG_EINVAL, "is no link");
    CHECK_ERROR(tg_link_check(in(f, "a"), true), TG_EINVAL, "is no link");
    CHECK_ERROR(tg_link_folder(in(f, "none"), in(f, "best")), TG_EIO, "none");
    CHECK_ERROR(tg_link_folder(in(f, "a"), in(f, "nowhere/best")), TG_EIO, "nowhere");
    links_to(in(f, "best"), "b");
    tg_listing l; /* no temporary name is left */
    CHECK_OK(tg_list_folder(f, &l));
    CHECK_INT(l.count, 1);
    tg_listing_free(&l);
}
