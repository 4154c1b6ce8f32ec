/* checkpoint.c - model.safetensors and state.safetensors. */
#include "run/checkpoint.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "run/kinds.h"
#include "run/trained.h"

#include <math.h>
#include <string.h>

/* ---- metadata ------------------------------------------------------------------------------------------------------ */

static void put_about(tg_json_writer *w, const char *kind, const tg_about *a)
{
    tg_json_member_text(w, "kind", kind);
    tg_json_member_int(w, "algorithm", TG_ALGORITHM);
    tg_json_member_text(w, "model", a->model);
    tg_json_member_text(w, "data_kind", tg_words_of(a->data.kind)->name);
    if (!a->samples) tg_json_member_int(w, "vocab", a->data.vocab);
    tg_json_member_text(w, "data", a->data_hash);
    tg_json_member_text(w, "init", a->init);
    tg_json_member_raw(w, "settings", a->settings);
    if (a->samples) tg_json_member_raw(w, "samples", a->samples);
    else tg_json_member_raw(w, "tokenizer", a->tokenizer);
}

void tg_checkpoint_model_meta(tg_json_writer *w, const tg_about *a, int64_t step, double val_loss)
{
    tg_json_open(w, '{');
    put_about(w, "model", a);
    tg_json_member_int(w, "step", step);
    tg_json_member_real(w, "val_loss", val_loss);
    tg_json_close(w, '}');
}

static void put_reals(tg_json_writer *w, const char *key, const double *x, int count)
{
    if (count == 0) return;
    tg_json_key(w, key);
    tg_json_open(w, '[');
    for (int i = 0; i < count; i++) tg_json_put_real(w, x[i]);
    tg_json_close(w, ']');
}

static void put_place(tg_json_writer *w, const tg_place *p, int metrics)
{
    tg_json_key(w, "place");
    tg_json_open(w, '{');
    tg_json_member_int(w, "step", p->step);
    tg_json_member_real(w, "loss_sum", p->loss_sum);
    tg_json_member_int(w, "loss_count", p->loss_count);
    tg_json_member_real(w, "best_loss", p->best_loss);
    tg_json_member_int(w, "best_step", p->best_step);
    tg_json_member_real(w, "last_loss", p->last_loss);
    tg_json_member_int(w, "evaluated", p->evaluated);
    tg_json_member_int(w, "worse", p->worse);
    tg_json_member_real(w, "rate_scale", p->rate_scale);
    tg_json_member_int(w, "skipped", p->skipped);
    tg_json_member_int(w, "skipped_now", p->skipped_now);
    tg_json_member_int(w, "rewinds", p->rewinds);
    tg_json_member_int(w, "high", p->high);
    put_reals(w, "metric_sum", p->metric_sum, metrics);
    put_reals(w, "best_metric", p->best_metric, metrics);
    tg_json_close(w, '}');
}

/* No run gets further than --steps and --until allow, and products with a step fit into 64 bits. */
static const int64_t most_steps = INT64_C(1000000000000);

static bool get_reals(const tg_json *list, double *x, int count)
{
    if (count == 0) return true;
    if (!list || list->type != TG_JSON_ARRAY || list->integer != count) return false;
    for (const tg_json *at = list->child; at; at = at->next) {
        if (at->type != TG_JSON_REAL && at->type != TG_JSON_INT) return false;
        *x++ = at->type == TG_JSON_INT ? (double)at->integer : at->real;
    }
    return true;
}

static bool get_place(const tg_json *meta, tg_place *p, int metrics)
{
    const tg_json *j = tg_json_get(meta, "place");
    *p = (tg_place){.best_loss = NAN, .last_loss = NAN};
    if (!get_reals(tg_json_get(j, "metric_sum"), p->metric_sum, metrics) ||
        !get_reals(tg_json_get(j, "best_metric"), p->best_metric, metrics))
        return false;
    tg_json_real(j, "best_loss", &p->best_loss); /* null: not known yet */
    tg_json_real(j, "last_loss", &p->last_loss);
    return tg_json_int(j, "step", &p->step) && tg_json_real(j, "loss_sum", &p->loss_sum) &&
           tg_json_int(j, "loss_count", &p->loss_count) && tg_json_int(j, "best_step", &p->best_step) &&
           tg_json_int(j, "evaluated", &p->evaluated) && tg_json_int(j, "worse", &p->worse) && tg_json_real(j, "rate_scale", &p->rate_scale) &&
           tg_json_int(j, "skipped", &p->skipped) && tg_json_int(j, "skipped_now", &p->skipped_now) &&
           tg_json_int(j, "rewinds", &p->rewinds) && tg_json_int(j, "high", &p->high) && p->step >= 0 && p->step <= most_steps;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

typedef struct rows {
    tg_arena *arena; /* names */
    tg_st_row *list;
    int64_t count, room;
    bool failed;
} rows;

static tg_status rows_new(rows *r, int64_t room)
{
    *r = (rows){.arena = tg_arena_new(4096), .list = tg_alloc_array(room, sizeof *r->list), .room = room};
    return r->arena && r->list ? TG_OK : TG_ENOMEM;
}

static void rows_free(rows *r)
{
    tg_arena_free(r->arena);
    tg_free(r->list);
}

static void add_row(rows *r, const char *prefix, const char *name, const tg_shape *shape, const float *data)
{
    size_t p = strlen(prefix), n = strlen(name);
    char *full = r->failed ? NULL : tg_arena_alloc(r->arena, (int64_t)(p + n + 1));
    if (!full || r->count == r->room) {
        r->failed = true;
        return;
    }
    memcpy(full, prefix, p);
    memcpy(full + p, name, n + 1);
    tg_st_row *row = &r->list[r->count++];
    *row = (tg_st_row){.name = full, .dtype = TG_ST_F32, .rank = shape->rank, .data = data};
    for (int i = 0; i < shape->rank; i++) row->dims[i] = shape->dims[i];
}

static void add_slab(rows *r, const char *prefix, const tg_params *p, const float *slab)
{
    for (int64_t i = 0; slab && i < tg_params_count(p); i++) {
        const tg_tensor *t = tg_params_at(p, i);
        add_row(r, prefix, t->name, &t->shape, slab + tg_params_offset(p, i));
    }
}

/* Those of frozen parameters are 0 and stay 0. */
static void add_moments(rows *r, const char *prefix, const tg_params *p, const float *slab)
{
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const tg_tensor *t = tg_params_at(p, i);
        if (!tg_params_frozen(p, i)) add_row(r, prefix, t->name, &t->shape, slab + tg_params_offset(p, i));
    }
}

static void add_base(rows *r, const tg_loop *l)
{
    const tg_params *p = tg_model_params(l->model);
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const tg_tensor *t = tg_params_at(p, i);
        add_row(r, "base/", t->name, &t->shape, tg_lora_base(l->lora, i));
    }
}

static void slab_prefix(char out[32], const char *name)
{
    size_t n = strlen(name) < 30 ? strlen(name) : 30;
    memcpy(out, name, n);
    memcpy(out + n, "/", 2);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static int64_t chosen_step(const tg_loop *l)
{
    return l->best && !isnan(l->place.best_loss) ? l->place.best_step : l->place.step;
}

static tg_status write_rows(const tg_saver *s, const char *name, rows *r, tg_str *meta, char sha256[65])
{
    char *path = tg_rundir_file(s->dir, name);
    tg_status st = r->failed || meta->failed || !path ? TG_ENOMEM : TG_OK;
    if (!st) st = tg_safetensors_write(path, r->list, r->count, meta->data, NULL, NULL, sha256);
    tg_free(path);
    return st;
}

static tg_status save_slab(const tg_saver *s, const char *name, const tg_params *p, const float *slab, tg_str *meta, char sha256[65])
{
    rows r;
    tg_status st = rows_new(&r, tg_params_count(p));
    if (!st) {
        add_slab(&r, "", p, slab);
        st = write_rows(s, name, &r, meta, sha256);
    }
    rows_free(&r);
    return st;
}

/* The base is the model that was started from: about->init. */
static tg_status save_adapter(const tg_saver *s, int64_t step)
{
    tg_str meta = {0};
    tg_json_writer w = {.out = &meta};
    tg_json_open(&w, '{');
    put_about(&w, "adapter", s->about);
    tg_json_member_int(&w, "step", step);
    tg_json_member_real(&w, "val_loss", s->loop->place.best_loss);
    tg_json_member_text(&w, "base", s->about->init);
    tg_json_close(&w, '}');
    tg_status st = save_slab(s, "adapter.safetensors", s->loop->set, tg_loop_chosen(s->loop), &meta, NULL);
    tg_str_free(&meta);
    return st;
}

tg_status tg_checkpoint_save_model(tg_saver *s)
{
    const tg_params *p = tg_model_params(s->loop->model);
    int64_t step = chosen_step(s->loop);
    tg_str meta = {0};
    tg_json_writer w = {.out = &meta};
    if (s->model_step == step) return TG_OK;
    tg_status st = s->loop->lora ? save_adapter(s, step) : TG_OK;
    if (!st) {
        tg_checkpoint_model_meta(&w, s->about, step, s->loop->place.best_loss);
        st = save_slab(s, "model.safetensors", p, tg_loop_put_on(s->loop), &meta, s->model_sha256);
        tg_loop_take_off(s->loop);
    }
    if (!st) s->model_step = step;
    tg_str_free(&meta);
    return st;
}

tg_status tg_checkpoint_save_learned(const tg_rundir *dir, const tg_about *about, const tg_model *m, double val_loss,
                                     char sha256[65])
{
    tg_st_row list[TG_LEARNER_ROWS];
    tg_str meta = {0};
    const int count = tg_model_descriptor(m)->learner->rows(m, list);
    char *path = tg_rundir_file(dir, "model.safetensors");
    tg_checkpoint_model_meta(&(tg_json_writer){.out = &meta}, about, 1, val_loss);
    tg_status s = path && !meta.failed ? tg_safetensors_write(path, list, count, meta.data, NULL, NULL, sha256) : TG_ENOMEM;
    tg_str_free(&meta);
    tg_free(path);
    return s;
}

static void add_state(rows *r, tg_loop *l)
{
    const tg_params *p = l->set;
    char prefix[32];
    add_slab(r, "", p, tg_params_values(p));
    if (l->lora) add_base(r, l);
    for (int i = 0; i < tg_optim_slabs(l->optim); i++) {
        slab_prefix(prefix, tg_optim_slab_name(l->optim, i));
        add_moments(r, prefix, p, tg_optim_slab(l->optim, i));
    }
    add_slab(r, "ema/", p, l->ema);
    if (!isnan(l->place.best_loss)) add_slab(r, "best/", p, l->best);
    for (int i = 0; i < l->carry.count; i++) add_row(r, "carry/", l->carry.names[i], &l->carry.shapes[i], l->carry.data[i]);
}

static tg_status write_state(const tg_saver *s, const char *name)
{
    tg_loop *l = s->loop;
    rows r;
    tg_str meta = {0};
    tg_json_writer w = {.out = &meta};
    const int64_t base = l->lora ? tg_params_count(tg_model_params(l->model)) : 0;
    tg_status st = rows_new(&r, tg_params_count(l->set) * (3 + tg_optim_slabs(l->optim)) + base + l->carry.count);
    if (!st) {
        add_state(&r, l);
        tg_json_open(&w, '{');
        put_about(&w, "state", s->about);
        put_place(&w, &l->place, l->metrics);
        tg_json_member_text(&w, "model_sha256", s->model_sha256);
        tg_json_close(&w, '}');
        st = write_rows(s, name, &r, &meta, NULL);
    }
    tg_str_free(&meta);
    rows_free(&r);
    return st;
}

static tg_status rename_in(const tg_saver *s, const char *from, const char *to)
{
    char *a = tg_rundir_file(s->dir, from), *b = tg_rundir_file(s->dir, to);
    tg_status st = a && b ? tg_rename(a, b) : TG_ENOMEM;
    tg_free(a);
    tg_free(b);
    return st;
}

/* Whether at least `keep` of the run's kept states are newer. */
static bool is_surplus(const tg_listing *names, int64_t i, int64_t keep)
{
    const int64_t number = tg_rundir_number(names->names[i], ".safetensors");
    int64_t newer = 0;
    for (int64_t k = 0; k < names->count; k++) newer += tg_rundir_number(names->names[k], ".safetensors") > number;
    return number >= 0 && newer >= keep;
}

/* "states/00000200.safetensors"; removes all but the last `keep` of those that this run has made. */
static tg_status keep_states(const tg_saver *s)
{
    tg_str name = {0};
    tg_listing names = {0};
    char *folder = tg_rundir_file(s->dir, "states");
    tg_str_addf(&name, "states/%08lld.safetensors", (long long)s->loop->place.step);
    tg_status st = folder && !name.failed ? tg_make_folder(folder) : TG_ENOMEM;
    if (!st) st = write_state(s, name.data);
    if (!st) st = tg_list_tree(folder, &names);
    for (int64_t i = 0; !st && i < names.count; i++) {
        if (!is_surplus(&names, i, s->keep)) continue;
        char *old = tg_path_join(folder, names.names[i]);
        st = old ? tg_remove(old) : TG_ENOMEM;
        tg_free(old);
    }
    tg_listing_free(&names);
    tg_str_free(&name);
    tg_free(folder);
    return st;
}

/* The new state is whole under a name of its own before the old one moves: whenever the process ends, a whole state is
 * there. */
tg_status tg_checkpoint_save(tg_saver *s)
{
    tg_status st = tg_checkpoint_save_model(s);
    if (!st) st = write_state(s, "state.next.safetensors");
    if (!st && tg_rundir_has(s->dir, "state.safetensors"))
        st = rename_in(s, "state.safetensors", "state.prev.safetensors");
    if (!st) st = rename_in(s, "state.next.safetensors", "state.safetensors");
    if (!st && s->keep > 0) st = keep_states(s);
    return st ? tg_note("saving step %lld", (long long)s->loop->place.step) : TG_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static tg_status load_slabs(tg_safetensors *file, tg_loop *l)
{
    const tg_params *p = l->set, *all = tg_model_params(l->model);
    char prefix[32];
    tg_status s = l->lora ? tg_weights_read(l->ctx, file, "base/", all, tg_params_values(all)) : TG_OK;
    if (!s && l->lora) tg_lora_rebase(l->lora);
    if (!s) s = tg_weights_read(l->ctx, file, "", p, tg_params_values(p));
    if (!s) tg_loop_merge(l);
    for (int i = 0; i < tg_optim_slabs(l->optim) && !s; i++) {
        slab_prefix(prefix, tg_optim_slab_name(l->optim, i));
        s = tg_moments_read(l->ctx, file, prefix, p, tg_optim_slab(l->optim, i));
    }
    if (!s && l->ema) s = tg_weights_read(l->ctx, file, "ema/", p, l->ema);
    if (!s && l->best && !isnan(l->place.best_loss)) s = tg_weights_read(l->ctx, file, "best/", p, l->best);
    for (int i = 0; i < l->carry.count && !s; i++)
        s = tg_tensor_read(file, "carry/", l->carry.names[i], &l->carry.shapes[i], l->carry.data[i]);
    return s;
}

tg_status tg_checkpoint_load(tg_safetensors *file, tg_saver *s)
{
    const tg_json *meta = tg_safetensors_meta(file);
    const char *hash = tg_json_text(meta, "model_sha256");
    if (!get_place(meta, &s->loop->place, s->loop->metrics) || !hash || strlen(hash) != 64)
        return tg_fail(TG_EFORMAT, "%s: the metadata are not those of a state", tg_safetensors_path(file));
    tg_status st = load_slabs(file, s->loop);
    if (st) return st;
    memcpy(s->model_sha256, hash, 65);
    s->model_step = chosen_step(s->loop);
    return TG_OK;
}
