/* link.c - a symbolic link to a folder, made or replaced at once. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/path.h"
#include "base/str.h"

tg_status tg_link_check(const char *path, bool replace)
{
    struct stat st;
    if (lstat(path, &st) != 0) return errno == ENOENT ? TG_OK : tg_os_fail("look at", path);
    if (!S_ISLNK(st.st_mode)) return tg_fail(TG_EINVAL, "%s is there already and is no link; name another", path);
    return replace ? TG_OK : tg_fail(TG_EINVAL, "%s is there already; --force replaces it", path);
}

/* The way from one folder to another, both real paths: up to what they share, then down. */
static void add_way(tg_str *out, const char *from, const char *to)
{
    int64_t shared = 0; /* bytes of whole parts */
    for (int64_t i = 0;; i++) {
        const bool ends = (from[i] == '\0' || from[i] == '/') && (to[i] == '\0' || to[i] == '/');
        if (ends) shared = i;
        if (from[i] == '\0' || from[i] != to[i]) break;
    }
    for (const char *at = from + shared; *at; at++)
        if (*at == '/' && at[1]) tg_str_add(out, "../");
    tg_str_add(out, to[shared] == '/' ? to + shared + 1 : to + shared);
    if (out->length == 0) tg_str_add(out, ".");
    else if (out->data[out->length - 1] == '/') tg_str_add(out, ".");
}

/* The real path of the folder that path is, or is to be, in. */
static int real_parent(const char *path, char out[TG_OS_PATH])
{
    char *parent = tg_path_parent(path);
    if (!parent) {
        errno = ENOMEM;
        return -1;
    }
    const int done = tg_os_real_path(parent, out, TG_OS_PATH);
    tg_free(parent);
    return done;
}

tg_status tg_link_folder(const char *folder, const char *path)
{
    char from[TG_OS_PATH], to[TG_OS_PATH];
    tg_str way = {0};
    if (real_parent(path, from) != 0) return tg_os_fail("make", path);
    if (tg_os_real_path(folder, to, sizeof to) != 0) return tg_os_fail("open", folder);
    add_way(&way, from, to);
    char *temporary = tg_path_temporary(path, "tmp"), *final = tg_path_trim(path);
    tg_status s = way.failed || !temporary || !final ? TG_ENOMEM : TG_OK;
    if (!s && symlink(way.data, temporary) != 0) s = tg_os_fail("make", path);
    if (!s) s = tg_rename(temporary, final);
    if (s && temporary) (void)tg_os_unlink(AT_FDCWD, temporary, false);
    tg_str_free(&way);
    tg_free(temporary);
    tg_free(final);
    return s;
}
