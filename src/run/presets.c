/* presets.c - models with all that they need to train well, by name. */
#include "run/presets.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

typedef struct preset { const char *name, *model, *settings; } preset;

#define RECIPE " lr=3e-3 min-lr=3e-5 warmup=100 schedule=wsd optimizer=muon weight-decay=0.1 beta2=0.99 clip=1"
static const preset presets[] = {
    {"gpt-tiny", "transformer", "layers=4 heads=4 dim=128 context=64 batch=12 steps=2000 dropout=0" RECIPE},
    {"gpt-small", "transformer", "layers=4 heads=4 dim=128 context=128 batch=16 steps=3000 dropout=0" RECIPE},
    {"gpt-baby", "transformer", "layers=6 heads=6 dim=384 context=256 batch=64 steps=5000 dropout=0.2" RECIPE},
    {"llama-tiny", "transformer", "layers=4 heads=4 kv-heads=2 dim=128 context=128 batch=16 steps=3000 dropout=0 tie=false" RECIPE},
    {"vae-mnist", "vae", "arch=conv channels=16 hidden=256 latent=50 act=silu binarize=dynamic labels=false batch=128 steps=35000 "
                         "lr=2e-3 min-lr=2e-5 warmup=100 schedule=wsd"},
};
enum { PRESETS = sizeof presets / sizeof presets[0], WORD = 64 };

static tg_status find(const char *name, const preset **out)
{
    tg_str names = {0};
    for (int i = 0; i < PRESETS; i++) {
        tg_str_addf(&names, "%s%s", i ? ", " : "", presets[i].name);
        if (strcmp(presets[i].name, name)) continue;
        *out = &presets[i];
        tg_str_free(&names);
        return TG_OK;
    }
    tg_status s = names.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "there is no preset %s; there are: %s", name, names.data);
    tg_str_free(&names);
    return s;
}

tg_status tg_preset_model(const char *name, const char **model)
{
    const preset *p;
    tg_status s = find(name, &p);
    if (!s) *model = p->model;
    return s;
}

tg_status tg_preset_apply(const char *name, tg_keys *keys)
{
    const preset *p;
    tg_status s = find(name, &p);
    if (!s) s = tg_keys_set(keys, "model", p->model, TG_FROM_RUN);
    for (const char *at = s ? "" : p->settings; *at && !s; at += strspn(at, " ")) {
        char key[WORD], value[WORD];
        const int named = (int)strcspn(at, "="), given = (int)strcspn(at + named + 1, " ");
        snprintf(key, sizeof key, "%.*s", named, at);
        snprintf(value, sizeof value, "%.*s", given, at + named + 1);
        s = tg_keys_set(keys, key, value, TG_FROM_RUN);
        at += named + 1 + given;
    }
    return s;
}
