/* os.c - POSIX calls with the loops that everybody forgets. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/str.h"

enum { MOST_AT_ONCE = 1 << 30 }; /* Linux moves at most 2^31 - 4096 bytes a call */

/* Whether this call is to fail; errno is set then. A SHORT fault halves *count in place of failing. */
static bool faulty(tg_fault_call call, size_t *count)
{
    int error = tg_fault(call);
    if (error == TG_FAULT_SHORT && count && *count > 1) *count /= 2;
    if (error > 0) errno = error;
    return error > 0;
}

int tg_os_open(int folder, const char *path, int flags, mode_t mode)
{
    int fd;
    do {
        fd = faulty(TG_FAULT_OPEN, NULL) ? -1 : openat(folder, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

ssize_t tg_os_read(int fd, void *out, size_t room)
{
    ssize_t n;
    if (room > MOST_AT_ONCE) room = MOST_AT_ONCE;
    do {
        n = faulty(TG_FAULT_READ, &room) ? -1 : read(fd, out, room);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* An error or a closed end is for read to tell. */
bool tg_os_is_readable(int fd, int milliseconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    const int n = poll(&p, 1, milliseconds);
    return n > 0 || (n < 0 && errno != EINTR);
}

ssize_t tg_os_read_at(int fd, void *out, size_t room, int64_t offset)
{
    ssize_t n;
    if (room > MOST_AT_ONCE) room = MOST_AT_ONCE;
    do {
        n = faulty(TG_FAULT_READ, &room) ? -1 : pread(fd, out, room, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t tg_os_write(int fd, const void *data, size_t count)
{
    ssize_t n;
    if (count > MOST_AT_ONCE) count = MOST_AT_ONCE;
    do {
        n = faulty(TG_FAULT_WRITE, &count) ? -1 : write(fd, data, count);
    } while (n < 0 && errno == EINTR);
    return n;
}

int tg_os_write_all(int fd, const void *data, int64_t count)
{
    const char *at = data;
    while (count > 0) {
        ssize_t n = tg_os_write(fd, at, (size_t)count);
        if (n < 0) return -1;
        at += n;
        count -= n;
    }
    return 0;
}

int tg_os_fsync(int fd)
{
    int result;
    do {
        result = faulty(TG_FAULT_FSYNC, NULL) ? -1 : fsync(fd);
    } while (result < 0 && errno == EINTR); /* interrupted is not failed; after a failure nobody tries again */
    return result;
}

int tg_os_close(int fd)
{
    int error = faulty(TG_FAULT_CLOSE, NULL) ? errno : 0;
    int result = close(fd);
    if (error) errno = error;
    if ((result == 0 && !error) || errno == EINTR) return 0; /* the descriptor is gone, and fsync has spoken */
    return -1;
}

int tg_os_rename(const char *from, const char *to)
{
    return faulty(TG_FAULT_RENAME, NULL) ? -1 : rename(from, to);
}

int tg_os_unlink(int folder, const char *path, bool is_folder)
{
    return faulty(TG_FAULT_UNLINK, NULL) ? -1 : unlinkat(folder, path, is_folder ? AT_REMOVEDIR : 0);
}

int tg_os_mkdir(const char *path)
{
    return faulty(TG_FAULT_MKDIR, NULL) ? -1 : mkdir(path, 0777);
}

int tg_os_truncate(int fd, int64_t length)
{
    int result;
    do {
        result = faulty(TG_FAULT_TRUNCATE, NULL) ? -1 : ftruncate(fd, (off_t)length);
    } while (result < 0 && errno == EINTR);
    return result;
}

int tg_os_sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    tg_str folder = {0};
    tg_str_add_n(&folder, slash ? path : ".", slash && slash > path ? slash - path : 1);
    int fd = -1, result = -1;
    if (folder.failed) errno = ENOMEM;
    else fd = tg_os_open(AT_FDCWD, folder.data, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0) {
        result = tg_os_fsync(fd);
        if (result < 0 && (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)) result = 0; /* not here */
        int error = errno;
        tg_os_close(fd);
        errno = error;
    }
    tg_str_free(&folder);
    return result;
}

int64_t tg_os_read_text(const char *path, char *out, int64_t room)
{
    int64_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    while (length < room - 1) {
        ssize_t n = read(fd, out + length, (size_t)(room - 1 - length));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        length += n;
    }
    close(fd);
    out[length] = '\0';
    return length;
}

static const char *remedy(int error)
{
    switch (error) {
    case ENOSPC: return "; free some space and run again";
    case EDQUOT: return "; free some of your quota and run again";
    case EFBIG: return "; raise the limit on file sizes (ulimit -f)";
    case EMFILE: return "; raise the limit on open files (ulimit -n)";
    default: return "";
    }
}

tg_status tg_os_fail(const char *verb, const char *path)
{
    int error = errno;
    return tg_fail(error == ENOMEM ? TG_ENOMEM : TG_EIO, "cannot %s %s: %s%s", verb, path, strerror(error),
                   remedy(error));
}
