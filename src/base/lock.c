/*
 * lock.c - one process at a time. The kernel's lock on an open file is the truth and goes with its process, kill -9 or
 * not; the text inside is for people. A released lock's file is removed, so whoever got a lock makes sure that the
 * name still leads to the file it locked.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/str.h"

struct tg_lock {
    int fd;
    char path[];
};

static tg_status fail_busy(const char *path, int fd)
{
    char text[256] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    for (ssize_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~') text[i] = '\0'; /* one line of plain ASCII, whatever is there */
    const char *who = text[0] ? text : "another process";
    return tg_fail(TG_EBUSY, "%s: in use by %s; wait until it ends, or stop it", path, who);
}

/* A full disk is no reason to refuse the lock: the text only informs. */
static void sign(int fd)
{
    char host[256] = "", now[32];
    tg_str text = {0};
    if (gethostname(host, sizeof host - 1) != 0) memcpy(host, "unknown", 8);
    tg_wall_time(now);
    tg_str_addf(&text, "pid %ld on %s since %s\n", (long)getpid(), host, now);
    if (!text.failed && tg_os_truncate(fd, 0) == 0) (void)tg_os_write_all(fd, text.data, text.length);
    tg_str_free(&text);
}

/* 0: ours; 1: busy; 2: the name went to another file meanwhile; -1 */
static int try_lock(const char *path, int fd)
{
    struct stat ours, named;
    int result = tg_os_lock(fd);
    if (result != 0) return result;
    if (fstat(fd, &ours) != 0) return -1;
    if (stat(path, &named) != 0) return errno == ENOENT ? 2 : -1;
    return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev ? 0 : 2;
}

tg_status tg_lock_take(const char *path, tg_lock **out)
{
    int64_t length = (int64_t)strlen(path) + 1;
    tg_lock *l = tg_alloc((int64_t)sizeof *l + length);
    if (!l) return TG_ENOMEM;
    memcpy(l->path, path, (size_t)length);
    for (;;) {
        l->fd = tg_os_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
        int result = l->fd < 0 ? -1 : try_lock(path, l->fd);
        if (result == 0) break;
        tg_status s = result == 1 ? fail_busy(path, l->fd) : result < 0 ? tg_os_fail("lock", path) : TG_OK;
        if (l->fd >= 0) tg_os_close(l->fd);
        if (!s) continue;
        tg_free(l);
        return s;
    }
    sign(l->fd);
    *out = l;
    return TG_OK;
}

void tg_lock_release(tg_lock *l)
{
    if (!l) return;
    (void)tg_os_unlink(AT_FDCWD, l->path, false);
    tg_os_close(l->fd);
    tg_free(l);
}
