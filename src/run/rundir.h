/* rundir.h - the run folder: who may write into it, and its small JSON files.
 *   config.json        all settings, resolved: gen-train --config runs/a/config.json -o runs/b repeats the run
 *   state.safetensors  the last step whole; state.prev.safetensors the one before; states/ the last N with --keep
 *   model.safetensors  what people use; derived from the state
 *   adapter.safetensors with --lora-rank: what was learned, apart from the model it was learned for
 *   log.jsonl          a line per report; samples/NNNNNN.txt or .png what the model made on the way
 *   result.json        written last of all: its presence says that the run has ended
 *   run.lock           held while a process trains here */
#ifndef TG_RUN_RUNDIR_H
#define TG_RUN_RUNDIR_H
#include "tinygen/base.h"

typedef struct tg_rundir { char *path; struct tg_lock *lock; bool used; /* a run is in it already */ } tg_rundir;

/* Makes the folder where needed, takes its lock, removes what killed processes left. A folder that holds a run (its
 * config.json says so) is refused unless resume or force is set; force removes what that run has made and nothing else. A
 * folder of other things, without a run's config.json, is always refused.
 * Errors: TG_EBUSY, TG_EINVAL, TG_EIO (read-only). */
tg_status tg_rundir_open(const char *path, bool resume, bool force, tg_rundir **out);
void tg_rundir_close(tg_rundir *r);
/* Of a run that came to nothing: the lock's file and the folder, if nothing else is in it. */
void tg_rundir_discard(tg_rundir *r);
/* Path of a file in the folder; the caller's by tg_free. */
char *tg_rundir_file(const tg_rundir *r, const char *name);
bool tg_rundir_has(const tg_rundir *r, const char *name);
/* A whole text file (JSON) of the folder, atomic; not touched where it holds the same text already. */
tg_status tg_rundir_put(const tg_rundir *r, const char *name, const char *text);
tg_status tg_rundir_remove(const tg_rundir *r, const char *name);
/* The number that a name of the run's own consists of ("000200.txt" with ".txt": 200), -1: it is somebody else's. */
int64_t tg_rundir_number(const char *name, const char *ending);
/* The folder's config.json, parsed into the arena; *out NULL where there is none. */
struct tg_arena;
struct tg_json;
tg_status tg_rundir_config(const char *path, struct tg_arena *a, const struct tg_json **out);
/* The dataset that it names; the caller's by tg_free. Errors: TG_EUSAGE (a model file, or no name in it: --data is missing). */
tg_status tg_rundir_data(const char *path, char **out);
#endif
