/* system.c - all that goes beyond POSIX.1-2008, each with its plain fallback. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#endif

int tg_os_affinity(void)
{
#if defined(__linux__) && defined(CPU_ALLOC)
    /* The kernel wants room for all cores that the machine could have: grow until it is content. */
    for (size_t room = 1024; room <= 65536; room *= 4) {
        cpu_set_t *set = CPU_ALLOC(room);
        if (!set) return 0;
        size_t bytes = CPU_ALLOC_SIZE(room);
        int n = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : -1;
        bool small = n < 0 && errno == EINVAL;
        CPU_FREE(set);
        if (!small) return n < 0 ? 0 : n;
    }
#endif
    return 0;
}

void tg_os_large_pages(void *memory, int64_t bytes)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(memory, (size_t)bytes, MADV_HUGEPAGE); /* memory begins a page; a kernel without them says no */
#else
    (void)memory;
    (void)bytes;
#endif
}

int tg_os_sync_disk(int fd)
{
#ifdef __linux__
    const int fault = tg_fault(TG_FAULT_FSYNC);
    errno = fault;
    return fault > 0 ? -1 : syncfs(fd);
#else
    (void)fd;
    errno = ENOSYS;
    return -1;
#endif
}

int tg_os_lock(int fd)
{
#ifdef F_OFD_SETLK
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) return 0;
    if (errno == EAGAIN || errno == EACCES) return 1;
    if (errno != EINVAL) return -1; /* EINVAL: a kernel before 3.15 */
#endif
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    return errno == EWOULDBLOCK ? 1 : -1;
}

int tg_os_exchange(const char *a, const char *b)
{
#if defined(__linux__) && defined(SYS_renameat2)
    const unsigned exchange = 2; /* RENAME_EXCHANGE of <linux/fs.h> */
    int fault = tg_fault(TG_FAULT_RENAME);
    errno = fault;
    if (fault <= 0 && syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, exchange) == 0) return 0;
    if (errno == EINVAL || errno == EPERM) errno = ENOSYS; /* this file system, or a sandbox, does not do it */
    return -1;
#else
    (void)a;
    (void)b;
    errno = ENOSYS;
    return -1;
#endif
}

int tg_os_real_path(const char *path, char *out, int64_t room)
{
#ifdef PATH_MAX
    if (room >= PATH_MAX) return realpath(path, out) ? 0 : -1;
#endif
    (void)path;
    (void)out;
    errno = ENAMETOOLONG;
    return -1;
}

int tg_os_program(char *out, int64_t room)
{
#ifdef __linux__
    const ssize_t n = readlink("/proc/self/exe", out, (size_t)room - 1);
    if (n > 0 && n < room - 1) {
        out[n] = '\0';
        return 0;
    }
#else
    (void)out;
    (void)room;
#endif
    errno = ENOSYS;
    return -1;
}

int64_t tg_os_peak_resident(void)
{
    /* getrusage remembers the process that this one was before exec; /proc does not. */
    char text[4096];
    if (tg_os_read_text("/proc/self/status", text, sizeof text) > 0) {
        const char *line = strstr(text, "\nVmHWM:");
        int64_t kib = 0;
        for (line = line ? line + 7 : ""; *line == ' ' || *line == '\t'; line++) continue;
        for (; *line >= '0' && *line <= '9'; line++) kib = kib * 10 + (*line - '0');
        if (kib > 0) return kib * 1024;
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
    return usage.ru_maxrss;
#else
    return (int64_t)usage.ru_maxrss * 1024;
#endif
}

int tg_os_window_columns(int fd)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0) return size.ws_col;
#else
    (void)fd;
#endif
    return 0;
}

#if defined(__APPLE__) || defined(__FreeBSD__) || (defined(__linux__) && !defined(__GLIBC__))
#define HAS_SPAWN_IN 1
#elif defined(__GLIBC__)
#define HAS_SPAWN_IN __GLIBC_PREREQ(2, 29)
#else
#define HAS_SPAWN_IN 0
#endif

int tg_os_spawn_in(posix_spawn_file_actions_t *child, const char *folder)
{
#if HAS_SPAWN_IN
    return posix_spawn_file_actions_addchdir_np(child, folder);
#else
    (void)child;
    (void)folder;
    return ENOSYS;
#endif
}
