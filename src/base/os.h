/* os.h - system calls for the files of base: interrupted ones are taken up again, TG_FAULT is honoured, and what goes
 * beyond POSIX has a plain fallback. All return -1 with errno set where they fail, unless said otherwise. */
#ifndef TG_BASE_OS_H
#define TG_BASE_OS_H
#include <spawn.h>
#include <sys/types.h>

#include "tinygen/base.h"

/* ---- os.c: POSIX */
int tg_os_open(int folder, const char *path, int flags, mode_t mode); /* O_CLOEXEC always; folder may be AT_FDCWD */
ssize_t tg_os_read(int fd, void *out, size_t room);
bool tg_os_is_readable(int fd, int milliseconds);                     /* a read would not wait; false: not so soon */
ssize_t tg_os_read_at(int fd, void *out, size_t room, int64_t offset);
ssize_t tg_os_write(int fd, const void *data, size_t count);          /* one write(2): may be short */
int tg_os_write_all(int fd, const void *data, int64_t count);
int tg_os_fsync(int fd);
int tg_os_close(int fd);                                              /* fd is gone even where it fails */
int tg_os_rename(const char *from, const char *to);
int tg_os_unlink(int folder, const char *path, bool is_folder);
int tg_os_mkdir(const char *path);
int tg_os_truncate(int fd, int64_t length);
int tg_os_sync_folder_of(const char *path);                           /* the folder that holds path */
/* Start of a small file of the system's (/proc, /sys) as text; its length, or -1. No faults, no messages. */
int64_t tg_os_read_text(const char *path, char *out, int64_t room);
/* TG_EIO (TG_ENOMEM for ENOMEM): "cannot VERB PATH: reason", with a remedy where there is a usual one. */
tg_status tg_os_fail(const char *verb, const char *path);

/* ---- system.c: beyond POSIX */
enum { TG_OS_PATH = 4096 }; /* room for the longest path */
int tg_os_affinity(void);                              /* cores in the affinity mask; 0: unknown */
void tg_os_large_pages(void *memory, int64_t bytes);   /* asks for them; nothing where there are none */
int tg_os_sync_disk(int fd);                           /* all of the file system that fd is on; ENOSYS: it cannot */
int tg_os_lock(int fd);                                /* 0; 1: another holds it; -1 */
int tg_os_exchange(const char *a, const char *b);      /* swaps two names at once; -1 with ENOSYS where it cannot */
int tg_os_real_path(const char *path, char *out, int64_t room); /* without links */
int tg_os_program(char *out, int64_t room);            /* path of this process's own program; -1 with ENOSYS where nobody knows */
int64_t tg_os_peak_resident(void);                     /* bytes; 0: unknown */
int tg_os_spawn_in(posix_spawn_file_actions_t *child, const char *folder); /* it starts there; an errno */
int tg_os_window_columns(int fd);                      /* 0: unknown */
#endif
