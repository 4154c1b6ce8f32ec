/* folder.c - folders: making, listing, removing, replacing whole. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/path.h"
#include "base/sort.h"
#include "base/str.h"

enum { DEEPEST = 64 }; /* levels that remove_tree goes down; each keeps a descriptor open */

tg_status tg_make_folder(const char *path)
{
    char *copy = tg_path_trim(path);
    if (!copy) return TG_ENOMEM;
    tg_status s = TG_OK;
    for (char *at = copy + 1; !s; at++) {
        if (*at && *at != '/') continue;
        char end = *at;
        *at = '\0';
        if (tg_os_mkdir(copy) != 0) {
            int error = errno;
            bool there = tg_path_kind(copy) == TG_PATH_FOLDER;
            errno = error == EEXIST ? ENOTDIR : error;
            if (!there) s = tg_os_fail("make the folder", copy);
        }
        *at = end;
        if (!end) break;
    }
    tg_free(copy);
    return s;
}

tg_status tg_rename(const char *from, const char *to)
{
    if (tg_os_rename(from, to) != 0) return tg_os_fail("rename to", to);
    return tg_os_sync_folder_of(to) == 0 ? TG_OK : tg_os_fail("fsync the folder of", to);
}

tg_status tg_remove(const char *path)
{
    return tg_os_unlink(AT_FDCWD, path, false) == 0 || errno == ENOENT ? TG_OK : tg_os_fail("remove", path);
}

tg_status tg_remove_empty(const char *folder)
{
    const bool done = tg_os_unlink(AT_FDCWD, folder, true) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
    return done ? TG_OK : tg_os_fail("remove", folder);
}

/* ---- removing */

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int remove_below(int folder, const char *name, int depth);

static int empty_folder(int fd, int depth)
{
    int result = 0, error = 0;
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return -1;
    }
    for (struct dirent *e; result == 0 && (e = readdir(d));)
        if (!is_dots(e->d_name)) result = remove_below(dirfd(d), e->d_name, depth);
    error = errno;
    closedir(d);
    errno = error;
    return result;
}

/* -1 with errno; a name that is not there is fine. Links are removed, not followed. */
static int remove_below(int folder, const char *name, int depth)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(st.st_mode)) return tg_os_unlink(folder, name, false);
    if (depth == DEEPEST) {
        errno = ELOOP;
        return -1;
    }
    int fd = tg_os_open(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0 || empty_folder(fd, depth + 1) != 0) return -1;
    return tg_os_unlink(folder, name, true);
}

tg_status tg_remove_tree(const char *path)
{
    char *trimmed = tg_path_trim(path); /* "link/" would be the folder behind the link */
    if (!trimmed) return TG_ENOMEM;
    tg_status s = remove_below(AT_FDCWD, trimmed, 0) == 0 ? TG_OK : tg_os_fail("remove", trimmed);
    tg_free(trimmed);
    return s;
}

/* ".NAME.old-PID-N" is what a replacement moved aside: where the process died before NAME was there again, it goes
 * back. */
static void settle_old(int folder, const char *aside, int64_t name_length)
{
    char name[256];
    struct stat st;
    snprintf(name, sizeof name, "%.*s", (int)name_length, aside + 1);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) (void)remove_below(folder, aside, 0);
    else (void)renameat(folder, aside, folder, name);
}

/* name NULL: of any name. */
static void clean(const char *folder, const char *name)
{
    DIR *d = opendir(*folder ? folder : ".");
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        int64_t n = 0;
        const bool old = tg_path_is_dead_temporary(e->d_name, "old", &n);
        if (!old && !tg_path_is_dead_temporary(e->d_name, "tmp", &n)) continue;
        if (name && (n != (int64_t)strlen(name) || memcmp(e->d_name + 1, name, (size_t)n))) continue;
        if (old) settle_old(dirfd(d), e->d_name, n);
        else (void)remove_below(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}

void tg_clean_temps(const char *folder)
{
    clean(folder, NULL);
}

void tg_clean_temps_of(const char *path)
{
    char *trimmed = tg_path_trim(path);
    if (!trimmed) return;
    const char *name = tg_path_name(trimmed);
    tg_str folder = {0};
    tg_str_add_n(&folder, trimmed, name - trimmed);
    if (!folder.failed) clean(folder.data ? folder.data : "", name);
    tg_str_free(&folder);
    tg_free(trimmed);
}

/* ---- whole or not at all */

static tg_status make_parents(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return TG_OK;
    tg_str parent = {0};
    tg_str_add_n(&parent, path, slash - path);
    tg_status s = parent.failed ? TG_ENOMEM : tg_make_folder(parent.data);
    tg_str_free(&parent);
    return s;
}

/* The folder meant: without slashes at its end, and behind a link, as for files. NULL: no memory. */
static char *final_folder(const char *path)
{
    struct stat st;
    char target[4096], *trimmed = tg_path_trim(path);
    if (!trimmed || lstat(trimmed, &st) != 0 || !S_ISLNK(st.st_mode)) return trimmed;
    if (tg_os_real_path(trimmed, target, sizeof target) != 0) return trimmed;
    tg_free(trimmed);
    return tg_strdup(target);
}

tg_status tg_folder_begin(const char *path, char **temporary)
{
    char *name = NULL, *final = final_folder(path);
    tg_status s = final ? make_parents(final) : TG_ENOMEM;
    if (!s) tg_clean_temps_of(final);
    for (int tries = 0; !s; tries++) {
        name = tg_path_temporary(final, "tmp");
        if (!name) s = TG_ENOMEM;
        else if (tg_os_mkdir(name) == 0) break;
        else if (errno != EEXIST || tries == 1000) s = tg_os_fail("make", final);
        tg_free(name);
    }
    tg_free(final);
    if (!s) *temporary = name;
    return s;
}

/* Without an exchange of names: the old one aside, the new one in, and back again where that fails. */
static tg_status replace_by_steps(const char *temporary, const char *final)
{
    char *aside = tg_path_temporary(final, "old");
    if (!aside) return TG_ENOMEM;
    tg_status s = TG_OK;
    if (tg_os_rename(final, aside) != 0) s = tg_os_fail("move aside", final);
    else if (tg_os_rename(temporary, final) != 0) {
        s = tg_os_fail("replace", final);
        (void)tg_os_rename(aside, final);
    } else if (tg_os_sync_folder_of(final) != 0) s = tg_os_fail("fsync the folder of", final);
    if (!s) (void)tg_remove_tree(aside);
    tg_free(aside);
    return s;
}

static tg_status move_in(const char *temporary, const char *final, bool replace)
{
    struct stat st;
    bool there = lstat(final, &st) == 0;
    if (there && replace) {
        if (tg_os_exchange(temporary, final) != 0)
            return errno == ENOSYS ? replace_by_steps(temporary, final) : tg_os_fail("replace", final);
        if (tg_os_sync_folder_of(final) != 0) return tg_os_fail("fsync the folder of", final);
        (void)tg_remove_tree(temporary); /* what is left goes with the next tg_clean_temps */
        return TG_OK;
    }
    if (tg_os_rename(temporary, final) == 0)
        return tg_os_sync_folder_of(final) == 0 ? TG_OK : tg_os_fail("fsync the folder of", final);
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return tg_fail(TG_EINVAL, "%s: is there already and would be overwritten; remove it or name another", final);
    return tg_os_fail("make", final);
}

tg_status tg_folder_commit(const char *temporary, const char *path, bool replace)
{
    char *final = final_folder(path);
    if (!final) return TG_ENOMEM;
    int fd = tg_os_open(AT_FDCWD, temporary, O_RDONLY | O_DIRECTORY, 0);
    tg_status s = TG_OK;
    if (fd < 0 || (tg_os_fsync(fd) != 0 && errno != EINVAL)) s = tg_os_fail("save (fsync)", final);
    if (fd >= 0) tg_os_close(fd);
    if (!s) s = move_in(temporary, final, replace);
    tg_free(final);
    return s;
}

/* One by one, where the system cannot do all at once. */
static tg_status settle_each(const char *folder)
{
    tg_listing files = {0};
    tg_status s = tg_list_tree(folder, &files);
    for (int64_t i = 0; !s && i < files.count; i++) {
        char *path = tg_path_join(folder, files.names[i]);
        int fd = path ? tg_os_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0) : -1;
        if (!path) s = TG_ENOMEM;
        else if (fd < 0 || tg_os_fsync(fd) != 0 || tg_os_sync_folder_of(path) != 0) s = tg_os_fail("save (fsync)", path);
        if (fd >= 0) tg_os_close(fd);
        tg_free(path);
    }
    tg_listing_free(&files);
    return s;
}

tg_status tg_folder_settle(const char *temporary)
{
    int fd = tg_os_open(AT_FDCWD, temporary, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return tg_os_fail("save (fsync)", temporary);
    const int settled = tg_os_sync_disk(fd);
    const int error = errno;
    tg_os_close(fd);
    errno = error;
    return settled == 0 ? TG_OK : errno == ENOSYS ? settle_each(temporary) : tg_os_fail("save (fsync)", temporary);
}

void tg_folder_abandon(const char *temporary)
{
    if (temporary) (void)tg_remove_tree(temporary);
}

/* ---- listing */

typedef struct walk {
    tg_str folders; /* relative, each with its NUL: those to visit, in order; "" first */
    tg_str names;   /* files found, each with its NUL */
    int64_t count;
} walk;

/* A file goes to names, a folder to folders; links count as what they lead to, but folders only as themselves. */
static void visit(walk *w, int folder, const char *prefix, const char *name)
{
    struct stat st;
    if (*name == '.' || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return;
    bool link = S_ISLNK(st.st_mode);
    if (link && fstatat(folder, name, &st, 0) != 0) return;
    bool is_folder = S_ISDIR(st.st_mode);
    if ((is_folder && link) || (!is_folder && !S_ISREG(st.st_mode))) return;
    tg_str *to = is_folder ? &w->folders : &w->names;
    tg_str_add(to, prefix);
    if (*prefix) tg_str_add(to, "/");
    tg_str_add_n(to, name, (int64_t)strlen(name) + 1);
    if (!is_folder) w->count++;
}

static tg_status visit_folder(walk *w, const char *root, int64_t at)
{
    char *prefix = tg_strdup(w->folders.data + at);
    char *path = prefix ? tg_path_join(root, prefix) : NULL;
    DIR *d = path ? opendir(path) : NULL;
    tg_status s = !path ? TG_ENOMEM : !d ? tg_os_fail("open", path) : TG_OK;
    errno = 0;
    for (struct dirent *e; d && (e = readdir(d)); errno = 0) visit(w, dirfd(d), prefix, e->d_name);
    if (!s && errno) s = tg_os_fail("read", path);
    if (!s && (w->names.failed || w->folders.failed)) s = TG_ENOMEM;
    if (d) closedir(d);
    tg_free(path);
    tg_free(prefix);
    return s;
}

static int compare_names(const void *a, const void *b, void *user)
{
    (void)user;
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Pointers, room for the sort, texts: one block. */
static tg_status make_listing(const walk *w, tg_listing *out)
{
    int64_t pointers = w->count * (int64_t)sizeof(char *);
    char **names = tg_alloc(pointers * 2 + w->names.length + 1);
    if (!names) return TG_ENOMEM;
    char *text = (char *)(names + 2 * w->count);
    if (w->names.length) memcpy(text, w->names.data, (size_t)w->names.length);
    for (int64_t i = 0; i < w->count; i++) {
        names[i] = text;
        text += strlen(text) + 1;
    }
    tg_sort(names, w->count, sizeof *names, names + w->count, compare_names, NULL);
    *out = (tg_listing){names, w->count, names};
    return TG_OK;
}

static tg_status list(const char *folder, bool deep, tg_listing *out)
{
    walk w = {0};
    tg_str_add_n(&w.folders, "", 1);
    tg_status s = w.folders.failed ? TG_ENOMEM : TG_OK;
    for (int64_t at = 0; !s && at < (deep ? w.folders.length : 1); at += (int64_t)strlen(w.folders.data + at) + 1)
        s = visit_folder(&w, folder, at);
    if (!s) s = make_listing(&w, out);
    tg_str_free(&w.folders);
    tg_str_free(&w.names);
    return s;
}

tg_status tg_list_tree(const char *folder, tg_listing *out) { return list(folder, true, out); }
tg_status tg_list_folder(const char *folder, tg_listing *out) { return list(folder, false, out); }

void tg_listing_free(tg_listing *l)
{
    if (!l) return;
    tg_free(l->memory);
    *l = (tg_listing){0};
}
