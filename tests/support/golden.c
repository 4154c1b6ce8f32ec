#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

golden golden_open(const char *name)
{
    char path[2048];
    const char *source = getenv("TINYGEN_SRC");
    golden g = {.arena = tg_arena_new(1 << 16)};
    CHECK(g.arena != NULL);
    snprintf(path, sizeof path, "%s/tests/golden/%s.safetensors", source ? source : ".", name);
    CHECK_OK(tg_safetensors_open(path, &g.file));
    return g;
}

void golden_close(golden *g)
{
    tg_safetensors_close(g->file);
    tg_arena_free(g->arena);
}

bool golden_has(const golden *g, const char *name)
{
    return tg_safetensors_find(g->file, name) != NULL;
}

tg_tensor *golden_tensor(golden *g, const char *name)
{
    const tg_st_tensor *t = tg_safetensors_find(g->file, name);
    if (!t) test_failed(__FILE__, __LINE__, "no tensor %s in the golden file", name);
    CHECK(t->dtype == TG_ST_F32 || t->dtype == TG_ST_I32);
    tg_tensor *x = tg_arena_zeros(g->arena, sizeof *x);
    void *data = tg_arena_zeros(g->arena, t->bytes);
    CHECK(x && data);
    *x = (tg_tensor){.shape = tg_shape_of(t->rank, t->dims), .group = -1};
    x->dtype = t->dtype == TG_ST_F32 ? TG_F32 : TG_I32;
    CHECK_OK(tg_safetensors_read(g->file, t, data));
    if (x->dtype == TG_F32) x->data = data;
    else x->ids = data;
    return x;
}

double golden_check(golden *g, const char *name, const float *got, double tolerance)
{
    const tg_tensor *want = golden_tensor(g, name);
    int64_t n = tg_shape_count(&want->shape);
    double scale = 1e-30, worst = 0;
    for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs((double)want->data[i]));
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)got[i] - (double)want->data[i]) / scale;
        if (!(off <= tolerance))
            test_failed(__FILE__, __LINE__, "%s[%lld] is %.9g, PyTorch has %.9g (off by %.1e of the largest)", name,
                        (long long)i, (double)got[i], (double)want->data[i], off);
        worst = fmax(worst, off);
    }
    return worst;
}
