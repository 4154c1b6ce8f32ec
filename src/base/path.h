/* path.h - temporary names, for the files of base. */
#ifndef TG_BASE_PATH_H
#define TG_BASE_PATH_H
#include "tinygen/base.h"

/* "FOLDER/.NAME.MARK-PID-N" beside path, another N each time; MARK is "tmp", or "old" for what is being replaced. A
 * slash at the end of path does not count; a long NAME is cut. The caller frees; NULL: no memory. */
char *tg_path_temporary(const char *path, const char *mark);
/* Whether name is such a name, of a process that is not there any more; *name_length gets that of NAME. */
bool tg_path_is_dead_temporary(const char *name, const char *mark, int64_t *name_length);
/* A copy without slashes at its end ("/" stays). The caller frees; NULL: no memory. */
char *tg_path_trim(const char *path);
#endif
