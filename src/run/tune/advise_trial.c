/* advise_trial.c - short trainings: which, and in which order; each an ordinary run folder trials/NAME, whose name says all that
 * it differs in from the run. One that has ended is not made again, one that was cut off goes on. */
#include "run/tune/advise.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "run/result.h"

#include <math.h>
#include <string.h>

static const double WIDER = 3.5, NARROWER = 0.35; /* what twice and half the width costs, about */
static const double NEAR = 3;                     /* rates less apart than so many times are as good as one */

const tg_probe *tg_advice_trial(const tg_advice *a, const char *what, double share)
{
    for (int i = 0; i < a->trials; i++) {
        const tg_probe *t = &a->trial[i];
        if (!strcmp(t->what, what) && t->share >= share && t->share <= share && !isnan(t->loss)) return t;
    }
    return NULL;
}

/* ---- making one ---------------------------------------------------------------------------------------------------- */

typedef struct setter { tg_keys *keys; tg_status status; } setter;

static void set(setter *k, const char *key, const char *value)
{
    if (!k->status) k->status = tg_keys_set(k->keys, key, value, TG_FROM_FLAG);
}

static void set_int(setter *k, const char *key, double x)
{
    tg_str text = {0};
    tg_str_addf(&text, "%lld", (long long)(x + 0.5));
    if (text.failed) k->status = TG_ENOMEM;
    set(k, key, text.data ? text.data : "");
    tg_str_free(&text);
}

static void set_real(setter *k, const char *key, double x)
{
    char text[32];
    tg_format_real(text, x);
    set(k, key, text);
}

/* Whether the model has a setting; its value as a number. */
static bool model_int(const tg_advice *a, const tg_setup *s, const char *key, int64_t *out)
{
    for (const tg_key *k = a->desc->keys; k->type != TG_KEY_END_ROW; k++) {
        if (strcmp(k->name, key) || k->type != TG_KEY_INT) continue;
        memcpy(out, (const char *)s->config + k->offset, sizeof *out);
        return true;
    }
    return false;
}

/* The run's schedule, drawn out or together to so many steps; its warm-up is not drawn out. */
static void set_length(const tg_advice *a, tg_setup *s, setter *k, double times)
{
    static const char *const off[] = {"until", "epochs", "time", "target", "patience", "test-draws", "keep", "save-every"};
    const double steps = fmax(1, (double)a->steps * times), real = fmin(1, steps / (double)a->steps);
    int64_t warmup = 0;
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) set(k, off[i], "0");
    set_int(k, "warmup", (double)s->o.warmup * real);
    if (model_int(a, s, "kl_warmup", &warmup)) set_int(k, "kl-warmup", (double)warmup * real);
    set_int(k, "steps", steps);
}

/* Options of a training of that share, in folder. */
static tg_status set_up(tg_advice *a, const tg_probe *t, const char *folder, bool trial, tg_setup *s)
{
    tg_status status = tg_setup_open(a, s);
    setter k = {s->keys, status};
    set(&k, "out", folder);
    set(&k, "resume", "true");
    set_real(&k, "train-share", fmin(1, a->run_share * t->share));
    if (!k.status && !a->desc->learner) set_length(a, s, &k, t->share * t->passes);
    if (!k.status && !a->desc->learner && trial) {
        set_int(&k, "eval-every", fmax(1, (double)s->o.steps / 10));
        set(&k, "sample-every", "0");
        set_real(&k, "eval-share", 0);
    }
    for (int i = 0; i < t->changes; i++) set(&k, t->change[i].key, t->change[i].value);
    return k.status;
}

/* Where progress stands, over all trials. */
typedef struct teller { tg_advice *a; const tg_probe *now; tg_context_options of; } teller;

static void on_progress(void *user, const tg_progress *p)
{
    const teller *t = user;
    tg_advice *a = t->a;
    const double part = p->total > 0 ? (double)p->done / (double)p->total : 0;
    if (strcmp(p->what, "train") || !t->of.progress) return;
    const double done = a->spent + t->now->cost * part, seconds = tg_now() - a->trials_began;
    t->of.progress(t->of.user, &(tg_progress){.what = "short trainings", .done = (int64_t)(100 * done / a->planned), .total = 100,
                                              .unit = "%", .rate = p->rate, .rate_unit = p->rate_unit,
                                              .seconds_left = done > 0 ? seconds / done * (a->planned - done) : (double)NAN,
                                              .loss = p->loss, .val_loss = p->val_loss});
}

/* tg_train, which says nothing but how far it is. */
static tg_status train_quietly(tg_advice *a, const tg_probe *t, tg_setup *s)
{
    teller tell = {a, t, a->ctx->options};
    a->ctx->options.log = NULL;
    a->ctx->options.output = NULL;
    a->ctx->options.progress = on_progress;
    a->ctx->options.user = &tell;
    const tg_status status = tg_train(a->ctx, &s->o, s->config, s->keys);
    a->ctx->options = tell.of;
    return status;
}

static tg_status read_json(const char *folder, const char *name, tg_arena *arena, const tg_json **out)
{
    char *path = tg_path_join(folder, name), *text = NULL;
    int64_t length = 0;
    *out = NULL;
    tg_status s = path ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) == TG_PATH_FILE) s = tg_file_slurp(path, 1 << 26, &text, &length);
    if (!s && text) s = tg_json_parse(arena, path, text, length, out);
    tg_free(text);
    tg_free(path);
    return s;
}

/* What came of a trial that has ended, before or now. */
static tg_status read_trial(tg_probe *t, const char *folder, bool *ended)
{
    tg_arena *arena = tg_arena_new(4096);
    const tg_json *result = NULL, *failed = NULL;
    tg_status s = arena ? read_json(folder, "result.json", arena, &result) : TG_ENOMEM;
    if (!s) s = read_json(folder, "failed.json", arena, &failed);
    *ended = !s && (result || failed);
    t->loss = NAN;
    if (result) tg_json_real(result, "val_loss", &t->loss);
    if (result) tg_json_int(result, "params", &t->params);
    const char *message = tg_json_text(failed, "message");
    if (!s && message && !t->message && !(t->message = tg_strdup(message))) s = TG_ENOMEM;
    tg_arena_free(arena);
    return s;
}

static tg_status write_failed(const char *folder)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "status", "failed");
    tg_json_member_text(&w, "message", tg_error());
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    char *path = tg_path_join(folder, "failed.json");
    tg_status s = text.failed || !path ? TG_ENOMEM : tg_make_folder(folder);
    if (!s) s = tg_write_file(path, text.data, text.length);
    tg_free(path);
    tg_str_free(&text);
    return s;
}

static tg_status folder_of(const tg_advice *a, const tg_probe *t, char **out)
{
    tg_str path = {0};
    tg_str_addf(&path, "%s/trials/x", a->out);
    tg_str_add_real(&path, t->share);
    if (t->passes > 1) tg_str_add(&path, "-passes_2");
    for (int i = 0; i < t->changes; i++) tg_str_addf(&path, "-%s_%s", t->change[i].key, t->change[i].value);
    *out = path.failed ? NULL : tg_strdup(path.data);
    tg_str_free(&path);
    return *out ? TG_OK : TG_ENOMEM;
}

/* A trial that cannot be, or breaks down, is a finding too. */
static tg_status run_trial(tg_advice *a, tg_probe *t)
{
    tg_setup setup = {0};
    char *folder = NULL;
    bool ended = false;
    tg_status s = folder_of(a, t, &folder);
    if (!s) s = read_trial(t, folder, &ended);
    if (ended) a->planned -= t->cost; /* it takes no time any more */
    if (!s && !ended) {
        s = set_up(a, t, folder, true, &setup);
        if (!s) s = train_quietly(a, t, &setup);
        if (s == TG_EDIVERGED || s == TG_EINVAL || s == TG_EUSAGE || s == TG_EUNSUPPORTED) s = write_failed(folder);
        if (!s) s = read_trial(t, folder, &ended);
        a->spent += t->cost;
    }
    if (!s && !isnan(t->loss)) {
        tg_str line = {0};
        tg_str_addf(&line, "%s, ", t->what);
        tg_str_add_real(&line, t->share);
        tg_str_add(&line, " of the data: validation loss ");
        tg_str_add_fixed(&line, t->loss, 4);
        if (!line.failed) tg_log(a->ctx, TG_LOG_DETAIL, "%s", line.data);
        tg_str_free(&line);
    } else if (!s) {
        tg_log(a->ctx, TG_LOG_DETAIL, "%s: %s", t->what, t->message ? t->message : "no loss");
    }
    if (s == TG_ECANCELLED) s = tg_fail(TG_ECANCELLED, "stopped; the same command goes on");
    tg_setup_close(&setup);
    tg_free(folder);
    return s;
}

/* ---- which --------------------------------------------------------------------------------------------------------- */

static tg_probe *add(tg_advice *a, tg_lever lever, const char *what, double share, double passes, double dearer)
{
    if (a->trials == TG_TRIALS) return &a->trial[TG_TRIALS - 1];
    tg_probe *t = &a->trial[a->trials++];
    *t = (tg_probe){.lever = lever, .what = what, .share = share, .passes = passes, .cost = share * passes * dearer,
                    .loss = NAN, .params = -1};
    a->planned += t->cost;
    return t;
}

static void change(tg_change *list, int *count, const char *key, double x)
{
    tg_change *c = &list[(*count)++];
    c->key = key;
    tg_format_real(c->value, x);
}

/* Two digits are enough, and read well. */
static double two_digits(double x)
{
    double scale = 1;
    while (x * scale < 10) scale *= 10;
    while (x * scale >= 100 && scale > 1) scale /= 10;
    return floor(x * scale + 0.5) / scale;
}

static void add_rate(tg_advice *a, double lr)
{
    lr = two_digits(lr);
    tg_probe *t = add(a, TG_LEVER_PARAMETERS, lr < a->lr ? "a lower rate" : "a higher rate", a->share, 1, 1);
    change(t->change, &t->changes, "lr", lr);
    if (a->min_lr > 0) change(t->change, &t->changes, "min_lr", two_digits(a->min_lr / a->lr * lr));
    if (a->muon_lr > 0) change(t->change, &t->changes, "muon_lr", two_digits(a->muon_lr / a->lr * lr));
}

/* One rate on each side; or, where the range test says that the run is far off, its own and one half way. */
static void add_rates(tg_advice *a)
{
    const double to = a->suggested;
    if (!(a->lr > 0)) return;
    if (isnan(to) || (to < a->lr * NEAR && to > a->lr / NEAR)) {
        add_rate(a, a->lr / 3);
        add_rate(a, a->lr * 3);
        return;
    }
    add_rate(a, to);
    add_rate(a, sqrt(to * a->lr));
}

static void add_width(tg_advice *a, const char *what, int64_t width, double dearer)
{
    tg_probe *t = add(a, TG_LEVER_ARCHITECTURE, what, a->share, 1, dearer);
    t->wider = width > a->width ? 1 : -1;
    change(t->change, &t->changes, a->width_key, (double)width);
}

static int64_t wider(const tg_advice *a)
{
    return a->desc->learner ? a->width + 1 : 2 * a->width; /* an n-gram's order */
}

static int64_t narrower(const tg_advice *a)
{
    return a->desc->learner ? a->width - 1 : a->width / 2;
}

/* The learning curve may take a good half of the effort: its shares are halves down to an eighth, or quarters and less. */
static void plan(tg_advice *a)
{
    double top = 0.5, used = 0, all = WIDER + NARROWER + 2 + (a->overfits ? 1 : 2);
    const bool learner = a->desc->learner != NULL;
    while (!learner && top > 1.0 / 16 && top * 1.75 > 0.6 * a->effort) top /= 2;
    for (double share = top / 4; share <= top; share *= 2) {
        add(a, TG_LEVER_NONE, "the same", share, 1, 1);
        used += share;
    }
    a->curve = a->trials;
    a->share = 1;
    while (!learner && a->share > top / 4 && (used + a->share * all > a->effort || (a->share > top && a->share < 1)))
        a->share /= 2;
    if (a->width_key && wider(a) <= a->width_most) add_width(a, learner ? "a higher order" : "twice the width", wider(a), WIDER);
    if (a->width_key && narrower(a) >= 1) add_width(a, learner ? "a lower order" : "half the width", narrower(a), NARROWER);
    if (learner) return;
    if (!a->overfits) add(a, TG_LEVER_PARAMETERS, "twice the passes", a->share, 2, 1);
    add_rates(a);
    if (!isnan(a->dropout) && a->dropout < 0.5 && a->gap.low > 0.02 * fabs(a->val)) {
        tg_probe *t = add(a, TG_LEVER_PARAMETERS, "more dropout", a->share, 1, 1);
        change(t->change, &t->changes, "dropout", a->dropout < 0.2 ? 0.3 : 0.5);
    }
}

tg_status tg_advice_trials(tg_advice *a)
{
    char effort[32], count[32], time[32];
    tg_status s = TG_OK;
    plan(a);
    a->trials_began = tg_now();
    tg_str text = {0};
    tg_str_add_fixed(&text, a->planned, 1);
    tg_str_add(&text, " times the run");
    if (a->step_seconds > 0) /* without their evaluations */
        tg_str_addf(&text, ", about %s", tg_format_seconds(time, a->planned * (double)a->steps * a->step_seconds));
    if (!text.failed)
        tg_log(a->ctx, TG_LOG_INFO, "%s short trainings, together %s (--effort %s, --budget)",
               tg_format_count(count, a->trials), text.data, (tg_format_real(effort, two_digits(a->effort)), effort));
    tg_str_free(&text);
    for (int i = 0; i < a->trials && !s; i++) s = run_trial(a, &a->trial[i]);
    return s;
}

/* ---- --apply ------------------------------------------------------------------------------------------------------- */

tg_status tg_advice_apply(tg_advice *a)
{
    const tg_promise *p = &a->promise[a->chosen];
    tg_probe t = {.what = p->what, .share = p->share, .passes = p->passes, .cost = 1, .loss = NAN};
    tg_setup setup = {0};
    bool ended = false;
    char *folder = tg_path_join(a->out, "applied");
    tg_status s = folder ? TG_OK : TG_ENOMEM;
    t.changes = p->changes;
    memcpy(t.change, p->change, sizeof t.change);
    a->spent = 0;
    a->planned = 1;
    a->trials_began = tg_now();
    if (!s && a->o->force && tg_path_kind(folder) == TG_PATH_FOLDER) s = tg_remove_tree(folder); /* it may be of other advice */
    if (!s) s = set_up(a, &t, folder, false, &setup);
    if (!s && p->lever == TG_LEVER_DATA && a->o->more) s = tg_keys_set(setup.keys, "data", a->o->more, TG_FROM_FLAG);
    if (!s) s = train_quietly(a, &t, &setup);
    if (!s) s = read_trial(&t, folder, &ended);
    if (!s) {
        tg_str line = {0};
        tg_str_add_fixed(&line, t.loss, 4);
        tg_str_add(&line, ", predicted was ");
        tg_str_add_fixed(&line, p->loss, 4);
        tg_log(a->ctx, TG_LOG_INFO, "%s: validation loss %s", folder, line.failed ? "?" : line.data);
        tg_str_free(&line);
    }
    tg_setup_close(&setup);
    tg_free(folder);
    return s;
}
