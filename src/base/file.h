/* file.h - reading, writing whole or not at all, folders, locks, safe paths. */
#ifndef TG_BASE_FILE_H
#define TG_BASE_FILE_H
#include "tinygen/base.h"

/* ---- reading: only regular files and, for standard input, pipes; fstat after open decides */
typedef struct tg_file tg_file;
tg_status tg_file_open(const char *path, tg_file **out);              /* "-": standard input */
void tg_file_close(tg_file *f);
int64_t tg_file_size(const tg_file *f);                               /* -1: a pipe */
tg_status tg_file_read_at(tg_file *f, int64_t offset, void *out, int64_t count); /* all, or TG_EFORMAT: cut short */
/* Next up to `room` bytes; *got 0 at the end. For pipes and files. */
tg_status tg_file_read(tg_file *f, void *out, int64_t room, int64_t *got);
/* From now on waiting for a pipe ends with TG_ECANCELLED when ctx's cancel flag is up. */
void tg_file_watch(tg_file *f, const tg_context *ctx);
/* Whole file, NUL-terminated, the caller's by tg_free; refused above limit bytes. */
tg_status tg_file_slurp(const char *path, int64_t limit, char **out, int64_t *length);

/* ---- writing: temporary name in the same folder (O_EXCL, O_NOFOLLOW) -> write -> fsync -> close -> rename -> fsync of
 * the folder. The one way to a file. What was under the final name stays unless commit returned TG_OK (but for a
 * failing fsync of the folder: then the new file is there, whole, and may not outlive a power cut). A link is written
 * through to its target; devices are refused. Temporary names are ".NAME.tmp-PID-N"; tg_clean_temps removes those in
 * folder whose process is gone. */
typedef struct tg_writer tg_writer;
tg_status tg_writer_new(const char *path, tg_writer **out);
void tg_writer_expect(tg_writer *w, int64_t bytes);                   /* its whole size, for a full disk's message */
tg_status tg_writer_add(tg_writer *w, const void *data, int64_t count);
tg_status tg_writer_commit(tg_writer *w);                             /* frees w whatever happens */
/* Of a file in a folder that tg_folder_begin made: commit does not wait for the disk, tg_folder_settle does for all at once. */
void tg_writer_lazily(tg_writer *w);
void tg_writer_abandon(tg_writer *w);                                 /* removes the temporary file; NULL is fine */
tg_status tg_write_file(const char *path, const void *data, int64_t count);
void tg_clean_temps(const char *folder);
void tg_clean_temps_of(const char *path);                             /* those of this name only, beside it */
/* The same for a folder: made under a temporary name, then renamed. replace: the old one changes places with the new
 * (or is moved aside first, where the system cannot) and is removed after: the caller has made sure that it is of a
 * kind that may be removed. Where commit fails, the temporary folder is still there. A link is
 * written through to its target. */
tg_status tg_folder_begin(const char *path, char **temporary);        /* caller frees by tg_free; makes parents, too */
tg_status tg_folder_commit(const char *temporary, const char *path, bool replace);
tg_status tg_folder_settle(const char *temporary);                    /* before it, after lazy writers */
void tg_folder_abandon(const char *temporary);

/* Append-only log: one write(2) a line. */
typedef struct tg_appender tg_appender;
/* First cuts the log to keep_bytes; -1: keeps all. */
tg_status tg_appender_open(const char *path, int64_t keep_bytes, tg_appender **out);
tg_status tg_appender_line(tg_appender *a, const char *line, int64_t length);         /* adds the newline */
void tg_appender_close(tg_appender *a);

/* ---- locks: an OFD lock (flock elsewhere), gone with its process. Holder's text inside, for the other's message. */
typedef struct tg_lock tg_lock;
tg_status tg_lock_take(const char *path, tg_lock **out);              /* TG_EBUSY: message names pid, host, start */
void tg_lock_release(tg_lock *l);

/* ---- names */
typedef enum tg_file_kind { TG_PATH_NONE, TG_PATH_FILE, TG_PATH_FOLDER, TG_PATH_OTHER } tg_file_kind;
tg_file_kind tg_path_kind(const char *path);                          /* follows links */
char *tg_path_join(const char *folder, const char *name);             /* caller frees; NULL: no memory */
const char *tg_path_name(const char *path);                           /* behind the last slash; borrowed */
char *tg_path_parent(const char *path);                               /* before it, or "."; caller frees; NULL: no memory */
bool tg_path_same(const char *a, const char *b);                      /* one file by two names; not there: the same name */
/* Before the work: TG_EINVAL where something is there, and replace is false, or where there is no folder for it. "-": fine. */
tg_status tg_output_check(const char *path, bool replace);
tg_status tg_make_folder(const char *path);                           /* and its parents; fine if it is there */
tg_status tg_rename(const char *from, const char *to);                /* and fsync of the folder */
tg_status tg_remove(const char *path);                                /* a file; fine if it is not there */
tg_status tg_remove_tree(const char *path);                           /* never follows links */
tg_status tg_remove_empty(const char *folder);                        /* a folder, unless something is in it; else fine */
/* A link at path to a folder, by a relative name, so that both may be moved together; made under a temporary name and renamed.
 * tg_link_check first: TG_EINVAL where something is there, and replace is false or it is no link. */
tg_status tg_link_check(const char *path, bool replace);
tg_status tg_link_folder(const char *folder, const char *path);
/* Regular files below folder, sorted bytewise by relative path, NUL-terminated texts in one block the caller frees.
 * Links to folders are not followed; names starting with a dot are passed over. */
typedef struct tg_listing { char **names; int64_t count; void *memory; } tg_listing;
tg_status tg_list_tree(const char *folder, tg_listing *out);
tg_status tg_list_folder(const char *folder, tg_listing *out); /* the same of the folder alone: none of those in it is opened */
void tg_listing_free(tg_listing *l);
/* Relative, no "..", no NUL, newline, empty part or leading '-': may be joined to a folder that we read. */
bool tg_path_is_safe(const char *relative);
/* Opens relative below folder, component by component with O_NOFOLLOW: no link is followed, inside or out. */
tg_status tg_file_open_below(const char *folder, const char *relative, tg_file **out);
/* The path without links, absolute; the caller's by tg_free. Errors: TG_EIO (it is not there), TG_ENOMEM. */
tg_status tg_path_real(const char *path, char **out);
/* That of this process's own program, or, where nobody knows it, `name`, which PATH may lead to. */
tg_status tg_process_program(const char *name, char **out);
int64_t tg_peak_memory(void);                                         /* resident, bytes, of this process */
/* Fds 0-2 that are closed are opened on /dev/null, SIGPIPE and SIGXFSZ ignored: a tool's first call. */
void tg_process_start(void);
/* INT, TERM, HUP set the flag to their number (those ignored at start stay so); a second INT exits with 130. */
const volatile int *tg_process_catch(void);
#endif
