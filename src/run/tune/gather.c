/* gather.c - gen-tune gather: takes down what trials have come to and ranks them, where the search that started them has gone. It
 * starts nothing. What the study is stands in its own study.json, so no option is needed but the folder. */
#include <string.h>

#include "base/alloc.h"
#include "run/tune/study.h"

const tg_key tg_search_gather_keys[] = {
    TG_TEXT(tg_search_gather_options, out, 'o', ".", "STUDY", TG_KEY_NO_CONFIG | TG_KEY_NAME, "folder of the study"),
    TG_KEYS_END
};

/* The options that made the study, read back. */
typedef struct options {
    tg_search_options search;
    tg_train_options train;
    void *config;
    tg_keys *keys;
    tg_key rows[TG_SEARCH_ROWS];
} options;

static tg_status read_fixed(options *o, const char *path, const tg_json *root)
{
    const tg_json *fixed = tg_json_get(root, "fixed");
    tg_str text = {0};
    if (fixed) tg_json_put_tree(&(tg_json_writer){.out = &text}, fixed);
    tg_status s = !fixed ? tg_fail(TG_EFORMAT, "%s: no study.json of ours", path)
                  : text.failed ? TG_ENOMEM : tg_keys_read_config(o->keys, path, text.data, text.length, NULL, TG_FROM_FLAG);
    tg_str_free(&text);
    return s;
}

/* First the model, whose rows what is fixed needs. */
static tg_status read_options(options *o, const char *path, const char *text, int64_t length)
{
    const tg_model_desc *desc = NULL;
    const tg_json *root = NULL;
    tg_arena *a = tg_arena_new(4096);
    tg_search_train_rows(o->rows);
    tg_status s = a ? tg_json_parse(a, path, text, length, &root) : TG_ENOMEM;
    if (!s) s = tg_keys_new(&o->keys);
    if (!s) s = tg_keys_add(o->keys, "search", tg_search_keys, &o->search);
    if (!s) s = tg_keys_add(o->keys, "training", o->rows, &o->train);
    if (!s) s = tg_keys_read_config(o->keys, path, text, length, "*", TG_FROM_CONFIG);
    if (!s) s = tg_search_model(&o->search, &o->train, &desc);
    if (!s && desc && !(o->config = tg_alloc(desc->config_size))) s = TG_ENOMEM;
    if (!s && desc) s = tg_keys_add(o->keys, desc->title, desc->keys, o->config);
    if (!s) s = read_fixed(o, path, root);
    tg_arena_free(a);
    return s;
}

static tg_status take_down_all(tg_study *s)
{
    int64_t job = 0;
    tg_status status = TG_OK;
    while (!status && !(status = tg_study_next(s, &job)) && job >= 0) {
        bool known = s->jobs[job].known;
        if (!known) status = tg_study_look(s, job, &known);
    }
    return status ? status : s->best >= 0 ? tg_study_results(s) : TG_OK;
}

static tg_status gather(tg_context *ctx, options *o, const char *out)
{
    o->search.out = out;
    tg_study study = {.ctx = ctx, .o = &o->search, .train = &o->train, .config = o->config, .keys = o->keys};
    study.strategy = tg_search_strategy(&o->search, &o->train);
    tg_status s = tg_study_open(&study);
    if (!s) s = take_down_all(&study);
    if (!s) tg_log(ctx, TG_LOG_INFO, "%s: %lld trials have ended so far", out, (long long)study.known);
    tg_study_close(&study);
    if (s != TG_EBUSY) return s;
    tg_log(ctx, TG_LOG_INFO, "%s: its search is there and gathers itself", out);
    return TG_OK;
}

tg_status tg_search_gather(tg_context *ctx, const tg_search_gather_options *o)
{
    options given = {0};
    char *path = tg_path_join(o->out, "study.json"), *text = NULL;
    int64_t length = 0;
    tg_status s = path ? tg_file_slurp(path, 1 << 26, &text, &length) : TG_ENOMEM;
    if (!s) s = read_options(&given, path, text, length);
    if (!s) s = gather(ctx, &given, o->out);
    tg_keys_free(given.keys);
    tg_free(given.config);
    tg_free(text);
    tg_free(path);
    return s;
}
