/* objective.c - built-in objectives. Their own arithmetic, so that a study of them is the same everywhere. */
#include "run/tune/objective.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "base/key.h"

/* All axes of all objectives; the rows say which values are allowed. */
typedef struct settings {
    double x1, x2, lr, dropout, momentum;
    int64_t layers, act, heads, units;
} settings;

/* Number of the axis of that name, which applies; its values may also be given one by one. */
static double number(const tg_space *s, const tg_point *p, const char *key)
{
    const int i = tg_space_find(s, key);
    const tg_axis *a = &s->axes[i];
    double x = p->at[i];
    if (a->kind == TG_AXIS_CHOICE) {
        const char *text = a->choices[(int64_t)x];
        tg_parse_real(text, (int64_t)strlen(text), &x); /* space_parse.c has seen to it */
    }
    return x;
}

/* ---- branin: three minima of the same depth in a plane (Dixon & Szego 1978). With less training its three coefficients are off,
 * as those of Kandasamy et al. 2017 (arXiv:1703.06240), so that a short look misleads a little. */

static const tg_key branin_keys[] = {
    TG_REAL(settings, x1, 0, NULL, -5, 10, TG_KEY_RESULT, "across"),
    TG_REAL(settings, x2, 0, NULL, 0, 15, TG_KEY_RESULT, "up"),
    TG_KEYS_END
};
static const char *const branin_space[] = {"x1=-5:10:16", "x2=0:15:16", NULL};

static double branin(const tg_space *s, const tg_point *p, double trained)
{
    const double pi = 3.14159265358979324, off = 1 - trained, x1 = number(s, p, "x1"), x2 = number(s, p, "x2");
    const double b = 5.1 / (4 * pi * pi) - 0.01 * off, c = 5 / pi - 0.1 * off, t = 1 / (8 * pi) + 0.05 * off;
    const double y = x2 - b * x1 * x1 + c * x1 - 6;
    return y * y + 10 * (1 - t) * (double)tg_cosf((float)x1) + 10;
}

/* ---- mixed: what a study of models looks like. A rate with a valley on a logarithmic scale that moves with the depth, a choice,
 * whole numbers, and two models with keys of their own, one of which is better only where its own are right. */

static const tg_key mixed_keys[] = {
    TG_REAL(settings, lr, 0, NULL, 1e-6, 10, TG_KEY_RESULT, "rate"),
    TG_INT(settings, layers, 0, NULL, 1, 12, TG_KEY_RESULT, "depth"),
    TG_CHOICE(settings, act, 0, NULL, "relu|gelu|tanh|sine", TG_KEY_RESULT, "activation"),
    TG_KEYS_END
};
static const tg_key attention_keys[] = {
    TG_INT(settings, heads, 0, NULL, 1, 64, TG_KEY_RESULT, "heads"),
    TG_REAL(settings, dropout, 0, NULL, 0, 0.9, TG_KEY_RESULT, "share dropped"),
    TG_KEYS_END
};
static const tg_key recurrence_keys[] = {
    TG_INT(settings, units, 0, NULL, 1, 4096, TG_KEY_RESULT, "units"),
    TG_KEYS_END
};
static const tg_objective_model mixed_models[] = {{"attention", attention_keys}, {"recurrence", recurrence_keys}, {NULL, NULL}};
static const char *const mixed_space[] = {"model=attention,recurrence", "lr=1e-5:1:log:6", "layers=1:8:4",
                                          "act=relu,gelu,tanh,sine", "heads=1:32:log:6", "dropout=0:0.8:5",
                                          "units=16:1024:log:7", NULL};

static double square(double x)
{
    return x * x;
}

static double log_of(double x)
{
    return (double)tg_logf((float)x);
}

static double mixed(const tg_space *s, const tg_point *p, double trained)
{
    static const struct { const char *name; double worse; } acts[] = {{"relu", 0.2}, {"gelu", 0}, {"tanh", 0.3}, {"sine", 1}};
    const int model = tg_space_find(s, "model"), act = tg_space_find(s, "act");
    const bool attends = !strcmp(s->axes[model].choices[(int64_t)p->at[model]], "attention");
    const double layers = number(s, p, "layers"), lr = log_of(number(s, p, "lr"));
    double y = 0.1 * square(lr - log_of(3e-3) + 0.25 * (layers - 5)) + 0.03 * square(layers - 5);
    for (int i = 0; i < 4; i++)
        if (!strcmp(s->axes[act].choices[(int64_t)p->at[act]], acts[i].name)) y += acts[i].worse;
    if (attends) y += 0.3 * square(log_of(number(s, p, "heads")) - log_of(8)) + 4 * square(number(s, p, "dropout") - 0.2);
    else y += 0.15 + 0.1 * square(log_of(number(s, p, "units")) - log_of(256));
    return y + 0.5 * (1 - trained) * (1 + 0.1 * layers);
}

static const tg_objective objectives[] = {
    {"branin", "Branin's function of two numbers, 0.397887 at its three minima", branin_space, branin_keys,
     sizeof(settings), NULL, 0.397887, branin},
    {"mixed", "rate, depth, activation, and two models with keys of their own; 0 at its minimum", mixed_space, mixed_keys,
     sizeof(settings), mixed_models, 0, mixed},
};
enum { OBJECTIVES = sizeof objectives / sizeof *objectives };

const tg_objective *tg_objective_at(int64_t i)
{
    return i >= 0 && i < OBJECTIVES ? &objectives[i] : NULL;
}

tg_status tg_objective_find(const char *name, const tg_objective **out)
{
    tg_str names = {0};
    for (int i = 0; i < OBJECTIVES; i++) {
        tg_str_addf(&names, "%s%s", i ? ", " : "", objectives[i].name);
        if (strcmp(objectives[i].name, name)) continue;
        *out = &objectives[i];
        tg_str_free(&names);
        return TG_OK;
    }
    tg_status s = names.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "there is no objective %s; there are: %s", name, names.data);
    tg_str_free(&names);
    return s;
}
