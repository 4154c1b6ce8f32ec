/*
 * writer.c - files written whole or not at all, and append-only logs.
 *
 * Every step of a save may fail or be the last before the power goes: the old file stays under its name until the
 * rename, and the rename comes after fsync and close have succeeded. A failed fsync is a failed save: the kernel may
 * have dropped the pages, so a second fsync would lie.
 */
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

enum { BUFFER = 65536 };

struct tg_writer {
    int fd;
    char *path, *temporary;
    int64_t added, expected; /* bytes; expected 0: not told */
    int64_t held;            /* in buffer */
    bool failed;             /* a write failed: commit refuses */
    bool lazy;               /* tg_folder_settle comes later */
    char buffer[BUFFER];
};

/* Errors of a save name the file that people know and, for a full disk, how much was to go there. */
static tg_status fail_save(tg_writer *w, const char *verb)
{
    int error = errno;
    w->failed = true;
    if (error != ENOSPC && error != EDQUOT && error != EFBIG) return tg_os_fail(verb, w->path);
    char size[32];
    int64_t bytes = w->expected > w->added ? w->expected : w->added;
    return tg_fail(TG_EIO, "cannot %s %s: %s; %s (%lld bytes%s) were to be written; free some space and run again",
                   verb, w->path, strerror(error), tg_format_bytes(size, (double)bytes), (long long)bytes,
                   w->expected ? "" : " or more");
}

static void free_writer(tg_writer *w)
{
    tg_free(w->path);
    tg_free(w->temporary);
    tg_free(w);
}

/* The name to write behind path: a link leads to its target. Devices and folders are never replaced. */
static tg_status final_name(const char *path, char **out)
{
    struct stat st;
    char target[4096];
    bool found = lstat(path, &st) == 0, link = found && S_ISLNK(st.st_mode);
    if (link && stat(path, &st) != 0)
        return tg_fail(TG_EIO, "cannot write %s: it is a link to nowhere; remove it", path);
    if (found && !S_ISREG(st.st_mode))
        return tg_fail(TG_EINVAL, "cannot write %s: there is a %s of that name", path,
                       S_ISDIR(st.st_mode) ? "folder" : "device or pipe");
    if (link && tg_os_real_path(path, target, sizeof target) != 0) return tg_os_fail("follow the link", path);
    *out = tg_strdup(link ? target : path);
    return *out ? TG_OK : TG_ENOMEM;
}

tg_status tg_writer_new(const char *path, tg_writer **out)
{
    tg_writer *w = tg_alloc(sizeof *w);
    if (!w) return TG_ENOMEM;
    w->fd = -1;
    tg_status s = final_name(path, &w->path);
    for (int tries = 0; !s && w->fd < 0; tries++) {
        w->temporary = tg_path_temporary(w->path, "tmp");
        if (!w->temporary) s = TG_ENOMEM;
        else w->fd = tg_os_open(AT_FDCWD, w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        if (s || w->fd >= 0) break;
        if (errno != EEXIST || tries == 1000) s = tg_os_fail("write", w->path);
        tg_free(w->temporary);
        w->temporary = NULL;
    }
    if (s) {
        free_writer(w);
        return s;
    }
    *out = w;
    return TG_OK;
}

void tg_writer_expect(tg_writer *w, int64_t bytes)
{
    w->expected = bytes;
}

void tg_writer_lazily(tg_writer *w)
{
    w->lazy = true;
}

static tg_status flush(tg_writer *w)
{
    if (w->held && tg_os_write_all(w->fd, w->buffer, w->held) != 0) return fail_save(w, "write");
    w->held = 0;
    return TG_OK;
}

tg_status tg_writer_add(tg_writer *w, const void *data, int64_t count)
{
    if (w->failed) return tg_fail(TG_EIO, "cannot write %s: an earlier write failed", w->path);
    if (count <= 0) return TG_OK;
    w->added += count;
    if (w->held + count > BUFFER) {
        tg_status s = flush(w);
        if (s) return s;
        if (count >= BUFFER) return tg_os_write_all(w->fd, data, count) == 0 ? TG_OK : fail_save(w, "write");
    }
    memcpy(w->buffer + w->held, data, (size_t)count);
    w->held += count;
    return TG_OK;
}

tg_status tg_writer_commit(tg_writer *w)
{
    tg_status s = TG_OK;
    if (w->failed) s = tg_fail(TG_EIO, "cannot write %s: an earlier write failed", w->path);
    if (!s) s = flush(w);
    if (!s && !w->lazy && tg_os_fsync(w->fd) != 0) s = fail_save(w, "save (fsync)");
    if (s) {
        tg_writer_abandon(w);
        return s;
    }
    int closed = tg_os_close(w->fd);
    w->fd = -1;
    if (closed != 0) s = fail_save(w, "save (close)");
    if (!s && tg_os_rename(w->temporary, w->path) != 0) s = fail_save(w, "save (rename)");
    if (s) {
        tg_writer_abandon(w);
        return s;
    }
    if (!w->lazy && tg_os_sync_folder_of(w->path) != 0) s = fail_save(w, "save (fsync of the folder of)");
    free_writer(w);
    return s;
}

void tg_writer_abandon(tg_writer *w)
{
    if (!w) return;
    if (w->fd >= 0) tg_os_close(w->fd);
    tg_os_unlink(AT_FDCWD, w->temporary, false);
    free_writer(w);
}

tg_status tg_write_file(const char *path, const void *data, int64_t count)
{
    tg_writer *w = NULL;
    tg_status s = tg_writer_new(path, &w);
    if (s) return s;
    tg_writer_expect(w, count);
    s = tg_writer_add(w, data, count);
    if (s) {
        tg_writer_abandon(w);
        return s;
    }
    return tg_writer_commit(w);
}

/* ---- append-only logs */

struct tg_appender {
    int fd;
    int64_t length; /* of whole lines: what a failed write is cut back to */
    char *path;
    tg_str line;
};

tg_status tg_appender_open(const char *path, int64_t keep_bytes, tg_appender **out)
{
    struct stat st;
    tg_appender *a = tg_alloc(sizeof *a);
    if (!a) return TG_ENOMEM;
    a->fd = tg_os_open(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0666);
    a->path = tg_strdup(path);
    tg_status s = TG_OK;
    if (a->fd < 0 || fstat(a->fd, &st) != 0) s = tg_os_fail("open", path);
    else if (!a->path) s = TG_ENOMEM;
    else if (!S_ISREG(st.st_mode)) s = tg_fail(TG_EINVAL, "%s: not a file", path);
    else a->length = st.st_size;
    if (!s && keep_bytes >= 0 && keep_bytes < a->length) {
        if (tg_os_truncate(a->fd, keep_bytes) != 0) s = tg_os_fail("cut", path);
        a->length = keep_bytes;
    }
    if (s) {
        tg_appender_close(a);
        return s;
    }
    *out = a;
    return TG_OK;
}

tg_status tg_appender_line(tg_appender *a, const char *line, int64_t length)
{
    tg_str_clear(&a->line);
    tg_str_add_n(&a->line, line, length);
    tg_str_add_n(&a->line, "\n", 1);
    if (a->line.failed) return TG_ENOMEM;
    if (tg_os_write_all(a->fd, a->line.data, a->line.length) != 0) {
        tg_status s = tg_os_fail("write", a->path);
        (void)tg_os_truncate(a->fd, a->length); /* no half a line; if this fails, too, the reader drops a torn tail */
        return s;
    }
    a->length += a->line.length;
    return TG_OK;
}

void tg_appender_close(tg_appender *a)
{
    if (!a) return;
    if (a->fd >= 0) tg_os_close(a->fd);
    tg_free(a->path);
    tg_str_free(&a->line);
    tg_free(a);
}
