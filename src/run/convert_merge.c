/* convert_merge.c - a model and an adapter of it to one model. */
#include "base/alloc.h"
#include "base/context.h"
#include "base/json.h"
#include "run/convert.h"

#include <string.h>

/* The adapter's metadata are its run's model's, but for what they call themselves and for the base. */
static void put_meta(tg_json_writer *w, const tg_json *adapter)
{
    tg_json_open(w, '{');
    for (const tg_json *m = adapter->child; m; m = m->next) {
        if (!strcmp(m->key, "base")) continue;
        tg_json_key(w, m->key);
        if (!strcmp(m->key, "kind")) tg_json_put_text(w, "model");
        else tg_json_put_tree(w, m);
    }
    tg_json_close(w, '}');
}

static tg_status write_merged(tg_converting *c, const tg_trained *t)
{
    const tg_params *p = tg_model_params(t->model);
    tg_str meta = {0};
    tg_st_row *rows = tg_alloc_array(tg_params_count(p), sizeof *rows);
    for (int64_t i = 0; rows && i < tg_params_count(p); i++) {
        const tg_tensor *x = tg_params_at(p, i);
        rows[i] = (tg_st_row){.name = x->name, .dtype = TG_ST_F32, .rank = x->shape.rank, .data = x->data};
        for (int k = 0; k < x->shape.rank; k++) rows[i].dims[k] = x->shape.dims[k];
    }
    put_meta(&(tg_json_writer){.out = &meta}, tg_safetensors_meta(t->file));
    tg_status s = rows && !meta.failed ? tg_safetensors_write(c->o->out, rows, tg_params_count(p), meta.data, NULL, NULL, c->sha256)
                                       : TG_ENOMEM;
    c->params = tg_params_elements(p);
    tg_str_free(&meta);
    tg_free(rows);
    return s;
}

tg_status tg_convert_merge(tg_converting *c)
{
    tg_trained *t = NULL;
    tg_file *written = NULL;
    tg_status s = tg_trained_open_adapted(c->ctx, c->o->in, c->o->adapter, &t);
    if (!s) s = tg_context_read(c->ctx, t->path);
    if (!s) s = tg_context_read(c->ctx, c->o->adapter);
    if (!s) s = write_merged(c, t);
    if (!s) s = tg_file_open(c->o->out, &written);
    if (!s) c->bytes = tg_file_size(written);
    tg_file_close(written);
    tg_trained_close(t);
    return s;
}
