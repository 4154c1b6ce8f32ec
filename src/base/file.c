/* file.c - reading. What a name is, fstat decides after it was opened: nobody can swap it between look and use. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"

struct tg_file {
    int fd;
    bool pipe, standard; /* no size, no read_at; standard: fd 0, not ours to close */
    const tg_context *watch;
    int64_t start, size; /* of a regular file; start is not 0 where standard input was read before us */
    char name[];
};

static tg_status refuse(const char *name, mode_t mode)
{
    const char *what = S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : "a device";
    if (S_ISDIR(mode)) return tg_fail(TG_EINVAL, "%s: is a folder, not a file", name);
    return tg_fail(TG_EINVAL, "%s: is %s, not a file; read it by standard input: -", name, what);
}

/* The open file fd, of which fstat said st. */
static tg_status wrap(int fd, bool standard, const char *name, const struct stat *st, tg_file **out)
{
    if (S_ISDIR(st->st_mode) || (!S_ISREG(st->st_mode) && !standard)) return refuse(name, st->st_mode);
    int64_t length = (int64_t)strlen(name) + 1;
    tg_file *f = tg_alloc((int64_t)sizeof *f + length);
    if (!f) return TG_ENOMEM;
    f->fd = fd;
    f->standard = standard;
    f->pipe = !S_ISREG(st->st_mode);
    f->size = f->pipe ? -1 : (int64_t)st->st_size;
    memcpy(f->name, name, (size_t)length);
    off_t at = standard && !f->pipe ? lseek(fd, 0, SEEK_CUR) : 0;
    if (at > 0) {
        f->start = at;
        f->size = f->size > at ? f->size - at : 0;
    }
    *out = f;
    return TG_OK;
}

/* Takes over fd: closed where this fails. */
static tg_status take(int fd, bool standard, const char *name, tg_file **out)
{
    struct stat st;
    tg_status s = fstat(fd, &st) == 0 ? wrap(fd, standard, name, &st, out) : tg_os_fail("read", name);
    if (s && !standard) close(fd);
    return s;
}

/* Not blocking: opening a pipe that nobody writes to would hang. It makes no difference to a regular file. */
enum { READ_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY, WAIT_MILLISECONDS = 100 };

tg_status tg_file_open(const char *path, tg_file **out)
{
    if (strcmp(path, "-") == 0) return take(STDIN_FILENO, true, "standard input", out);
    int fd = tg_os_open(AT_FDCWD, path, READ_FLAGS, 0);
    if (fd < 0) return tg_os_fail("open", path);
    return take(fd, false, path, out);
}

tg_status tg_file_open_below(const char *folder, const char *relative, tg_file **out)
{
    if (!tg_path_is_safe(relative))
        return tg_fail(TG_EINVAL, "%s: not a name that may be opened below %s (relative, without .. or newline, not "
                       "starting with -)", relative, folder);
    char *name = tg_path_join(folder, relative);
    if (!name) return TG_ENOMEM;
    /* Step by step from descriptor to descriptor, no step through a link: nothing that others rename meanwhile can
     * lead outside. */
    int fd = tg_os_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    while (fd >= 0 && *relative) {
        char part[256];
        size_t n = strcspn(relative, "/");
        bool last = relative[n] == '\0';
        int next = -1;
        errno = ENAMETOOLONG;
        if (n < sizeof part) {
            memcpy(part, relative, n);
            part[n] = '\0';
            next = tg_os_open(fd, part, O_NOFOLLOW | (last ? READ_FLAGS : O_RDONLY | O_DIRECTORY), 0);
        }
        int error = errno;
        close(fd);
        errno = error;
        fd = next;
        relative += last ? n : n + 1;
    }
    tg_status s;
    if (fd >= 0) s = take(fd, false, name, out);
    else if (errno == ELOOP || errno == EMLINK || errno == ENOTDIR)
        s = tg_fail(TG_EINVAL, "%s: goes through a link or a file; only true folders and files are opened here", name);
    else s = tg_os_fail("open", name);
    tg_free(name);
    return s;
}

void tg_file_close(tg_file *f)
{
    if (!f) return;
    if (!f->standard) tg_os_close(f->fd);
    tg_free(f);
}

int64_t tg_file_size(const tg_file *f)
{
    return f->size;
}

tg_status tg_file_read_at(tg_file *f, int64_t offset, void *out, int64_t count)
{
    if (f->pipe)
        return tg_fail(TG_EINVAL, "%s is a pipe: it cannot be read from the middle; save it to a file first", f->name);
    if (offset < 0 || count < 0 || offset > INT64_MAX - count - f->start)
        return tg_fail(TG_EINVAL, "%s: no bytes at that place", f->name);
    for (char *at = out; count > 0;) {
        ssize_t n = tg_os_read_at(f->fd, at, (size_t)count, f->start + offset);
        if (n < 0) return tg_os_fail("read", f->name);
        if (n == 0)
            return tg_fail(TG_EFORMAT, "%s: cut short at byte %lld, %lld more were expected", f->name,
                           (long long)offset, (long long)count);
        at += n;
        offset += n;
        count -= n;
    }
    return TG_OK;
}

void tg_file_watch(tg_file *f, const tg_context *ctx)
{
    f->watch = ctx;
}

/* A person may be typing, or a program take its time. */
static tg_status wait_for_pipe(const tg_file *f)
{
    while (f->pipe && f->watch && !tg_os_is_readable(f->fd, WAIT_MILLISECONDS))
        if (tg_cancelled(f->watch)) return tg_fail(TG_ECANCELLED, "stopped while reading %s; nothing was written", f->name);
    return TG_OK;
}

tg_status tg_file_read(tg_file *f, void *out, int64_t room, int64_t *got)
{
    int64_t length = 0;
    tg_status s = wait_for_pipe(f);
    if (s) return s;
    while (length < room) {
        ssize_t n = tg_os_read(f->fd, (char *)out + length, (size_t)(room - length));
        if (n < 0) return tg_os_fail("read", f->name);
        if (n == 0) break;
        length += n;
        if (f->pipe) break; /* what is there now: a person may be typing */
    }
    *got = length;
    return TG_OK;
}

/* Reads to the end into *data, which grows; one byte of room stays for the NUL. */
static tg_status read_all(tg_file *f, int64_t limit, char **data, int64_t *length)
{
    int64_t room = f->size > 0 ? f->size + 1 : 65536;
    *data = tg_alloc(room);
    if (!*data) return TG_ENOMEM;
    for (;;) {
        int64_t got = 0;
        if (*length == room - 1) {
            /* Nothing more is the rule: ask for one byte before growing. */
            char one;
            tg_status s = tg_file_read(f, &one, 1, &got);
            if (s || got == 0) return s;
            char *grown = tg_realloc(*data, room, room * 2);
            if (!grown) return TG_ENOMEM;
            *data = grown;
            room *= 2;
            (*data)[(*length)++] = one;
        } else {
            tg_status s = tg_file_read(f, *data + *length, room - 1 - *length, &got);
            if (s || got == 0) return s;
            *length += got;
        }
        if (*length > limit)
            return tg_fail(TG_EINVAL, "%s: larger than %lld bytes, the most that is read here", f->name,
                           (long long)limit);
    }
}

tg_status tg_file_slurp(const char *path, int64_t limit, char **out, int64_t *length)
{
    tg_file *f = NULL;
    char *data = NULL;
    int64_t n = 0;
    tg_status s = tg_file_open(path, &f);
    if (!f) return s;
    if (f->size > limit)
        s = tg_fail(TG_EINVAL, "%s: %lld bytes, the most that is read here are %lld", f->name, (long long)f->size,
                    (long long)limit);
    if (!s) s = read_all(f, limit, &data, &n);
    tg_file_close(f);
    if (s) {
        tg_free(data);
        return s;
    }
    data[n] = '\0';
    *out = data;
    *length = n;
    return TG_OK;
}
