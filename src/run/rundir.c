/* rundir.c - the run folder. */
#include "run/rundir.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char *const own_files[] = {
    "result.json", "model.safetensors", "state.safetensors", "state.next.safetensors", "state.prev.safetensors", "log.jsonl",
    "config.json", "run.lock", "adapter.safetensors", "finetune.json", "old.safetensors"
};
static const struct { const char *name, *ending; } own_folders[] = {{"samples", ".txt"}, {"samples", ".png"}, {"states", ".safetensors"}};

enum {
    FILES = sizeof own_files / sizeof own_files[0],
    FOLDERS = sizeof own_folders / sizeof own_folders[0],
    LONGEST_PATH = 4096
};

char *tg_rundir_file(const tg_rundir *r, const char *name)
{
    return tg_path_join(r->path, name);
}

/* Without the heap: an answer that is wrong for want of memory could cost somebody a run. */
bool tg_rundir_has(const tg_rundir *r, const char *name)
{
    char path[LONGEST_PATH];
    int n = snprintf(path, sizeof path, "%s/%s", r->path, name);
    return n < 0 || n >= LONGEST_PATH || tg_path_kind(path) != TG_PATH_NONE;
}

tg_status tg_rundir_put(const tg_rundir *r, const char *name, const char *text)
{
    char *path = tg_rundir_file(r, name), *old = NULL;
    int64_t length = 0;
    if (!path) return TG_ENOMEM;
    tg_status s = TG_OK;
    bool same = tg_path_kind(path) == TG_PATH_FILE && tg_file_slurp(path, 1 << 26, &old, &length) == TG_OK &&
                length == (int64_t)strlen(text) && !memcmp(old, text, (size_t)length);
    if (!same) s = tg_write_file(path, text, (int64_t)strlen(text));
    tg_free(old);
    tg_free(path);
    return s;
}

tg_status tg_rundir_remove(const tg_rundir *r, const char *name)
{
    char *path = tg_rundir_file(r, name);
    if (!path) return TG_ENOMEM;
    tg_status s = tg_path_kind(path) == TG_PATH_FOLDER ? tg_remove_tree(path) : tg_remove(path);
    tg_free(path);
    return s;
}

tg_status tg_rundir_config(const char *folder, tg_arena *a, const tg_json **out)
{
    char *path = tg_path_join(folder, "config.json"), *text = NULL;
    int64_t length = 0;
    *out = NULL;
    if (!path) return TG_ENOMEM;
    tg_status s = TG_OK;
    if (tg_path_kind(path) != TG_PATH_NONE) {
        s = tg_file_slurp(path, 1 << 26, &text, &length);
        if (!s) s = tg_json_parse(a, path, text, length, out);
    }
    tg_free(text);
    tg_free(path);
    return s;
}

tg_status tg_rundir_data(const char *path, char **out)
{
    tg_arena *a = tg_arena_new(4096);
    const tg_json *config = NULL;
    *out = NULL;
    tg_status s = a ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) == TG_PATH_FOLDER) s = tg_rundir_config(path, a, &config);
    const char *name = s || !config ? NULL : tg_json_text(config, "data");
    if (!s && !name) s = tg_fail(TG_EUSAGE, "%s does not say what it was trained on: give --data FILE", path);
    if (!s) *out = tg_strdup(name);
    if (!s && !*out) s = TG_ENOMEM;
    tg_arena_free(a);
    return s;
}

/* What killed processes left. */
static void clean_temps(const tg_rundir *r)
{
    tg_clean_temps(r->path);
    for (int i = 0; i < FOLDERS; i++) {
        char *folder = tg_rundir_has(r, own_folders[i].name) ? tg_rundir_file(r, own_folders[i].name) : NULL;
        if (folder) tg_clean_temps(folder);
        tg_free(folder);
    }
}

int64_t tg_rundir_number(const char *name, const char *ending)
{
    const size_t digits = strspn(name, "0123456789");
    int64_t number = 0;
    return !strcmp(name + digits, ending) && tg_parse_int(name, (int64_t)digits, &number) ? number : -1;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static tg_status is_configured(const char *path, bool *yes)
{
    tg_arena *a = tg_arena_new(4096);
    const tg_json *config = NULL;
    if (!a) return TG_ENOMEM;
    *yes = !tg_rundir_config(path, a, &config) && tg_json_text(config, "model") && tg_json_text(config, "data");
    tg_arena_free(a);
    return TG_OK;
}

/* Whether the folder is a run's: its config.json says so (then other things may lie beside it: notes, reports), or it is
 * empty, or nobody came further there than to take the lock. A run that just starts may have written that file behind our look. */
static tg_status is_run_folder(const char *path, bool *yes)
{
    tg_listing names;
    tg_status s = is_configured(path, yes);
    if (s || *yes) return s;
    s = tg_list_tree(path, &names);
    if (s) return s;
    *yes = names.count == 0 || (names.count == 1 && !strcmp(names.names[0], "run.lock"));
    tg_listing_free(&names);
    return *yes ? TG_OK : is_configured(path, yes);
}

/* Of a folder of the run's, what the run has made; the folder, too, if nothing else is in it. */
static tg_status remove_numbered(const tg_rundir *r, int which)
{
    char *folder = tg_rundir_file(r, own_folders[which].name);
    tg_listing names = {0};
    tg_status s = folder ? tg_list_tree(folder, &names) : TG_ENOMEM;
    for (int64_t i = 0; i < names.count && !s; i++) {
        if (tg_rundir_number(names.names[i], own_folders[which].ending) < 0) continue;
        char *path = tg_path_join(folder, names.names[i]);
        s = path ? tg_remove(path) : TG_ENOMEM;
        tg_free(path);
    }
    if (!s) s = tg_remove_empty(folder);
    tg_listing_free(&names);
    tg_free(folder);
    return s;
}

static tg_status remove_run(const tg_rundir *r)
{
    tg_status s = TG_OK;
    for (int i = 0; i < FILES && !s; i++)
        if (strcmp(own_files[i], "run.lock")) s = tg_rundir_remove(r, own_files[i]);
    for (int i = 0; i < FOLDERS && !s; i++)
        if (tg_rundir_has(r, own_folders[i].name)) s = remove_numbered(r, i);
    return s;
}

static tg_status take_folder(tg_rundir *r, bool resume, bool force)
{
    bool yes = true;
    tg_file_kind kind = tg_path_kind(r->path);
    if (kind == TG_PATH_FILE || kind == TG_PATH_OTHER)
        return tg_fail(TG_EINVAL, "%s is a file, not a run folder; give -o another name", r->path);
    tg_status s = kind == TG_PATH_NONE ? tg_make_folder(r->path) : is_run_folder(r->path, &yes);
    if (s) return s;
    if (!yes)
        return tg_fail(TG_EINVAL, "%s is there already and is not a run folder; give -o another name", r->path);
    char *lock = tg_rundir_file(r, "run.lock");
    s = lock ? tg_lock_take(lock, &r->lock) : TG_ENOMEM;
    tg_free(lock);
    if (s) return s;
    for (int i = 0; i < FILES; i++)
        if (strcmp(own_files[i], "run.lock")) r->used = r->used || tg_rundir_has(r, own_files[i]);
    if (r->used && !resume && !force)
        return tg_fail(TG_EINVAL, "%s holds a run already; --resume goes on with it, --force replaces it", r->path);
    clean_temps(r);
    if (!r->used || !force) return TG_OK;
    r->used = false;
    return remove_run(r);
}

tg_status tg_rundir_open(const char *path, bool resume, bool force, tg_rundir **out)
{
    tg_rundir *r = tg_alloc(sizeof *r);
    if (!r) return TG_ENOMEM;
    r->path = tg_strdup(path);
    tg_status s = r->path ? take_folder(r, resume, force && !resume) : TG_ENOMEM;
    if (s) {
        tg_rundir_close(r);
        return s;
    }
    *out = r;
    return TG_OK;
}

void tg_rundir_discard(tg_rundir *r)
{
    if (!tg_rundir_remove(r, "run.lock")) (void)tg_remove_empty(r->path);
}

void tg_rundir_close(tg_rundir *r)
{
    if (!r) return;
    tg_lock_release(r->lock);
    tg_free(r->path);
    tg_free(r);
}
