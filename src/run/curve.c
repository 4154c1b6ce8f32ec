/* curve.c - reads the log of a run. */
#include "run/curve.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "run/runlog.h"

enum { MOST_LOG = 1 << 28 };

void tg_curve_free(tg_curve *c)
{
    for (int k = 0; k < TG_CURVES; k++) {
        tg_free(c->step[k]);
        tg_free(c->loss[k]);
    }
    *c = (tg_curve){0};
}

static double real_of(const tg_json *line, const char *key)
{
    double x = NAN;
    tg_json_real(line, key, &x);
    return x;
}

static void take_line(void *user, const tg_json *line)
{
    static const char *const keys[TG_CURVES] = {"train_loss", "val_loss"};
    tg_curve *out = user;
    for (int k = 0; k < TG_CURVES; k++) {
        const double loss = real_of(line, keys[k]);
        if (isnan(loss)) continue;
        out->step[k][out->count[k]] = real_of(line, "step");
        out->loss[k][out->count[k]++] = loss;
    }
}

tg_status tg_curve_read(const char *folder, tg_curve *out)
{
    char *path = tg_path_join(folder, "log.jsonl"), *text = NULL;
    int64_t length = 0, lines = 0;
    tg_status s = path ? TG_OK : TG_ENOMEM;
    *out = (tg_curve){0};
    if (!s && tg_path_kind(folder) == TG_PATH_FOLDER && tg_path_kind(path) == TG_PATH_FILE)
        s = tg_file_slurp(path, MOST_LOG, &text, &length);
    for (int64_t i = 0; i < length; i++) lines += text[i] == '\n';
    for (int k = 0; k < TG_CURVES && !s; k++) {
        out->step[k] = tg_alloc_array(lines + 1, sizeof(double));
        out->loss[k] = tg_alloc_array(lines + 1, sizeof(double));
        if (!out->step[k] || !out->loss[k]) s = TG_ENOMEM;
    }
    if (!s) s = tg_runlog_each(text, length, take_line, out);
    tg_free(text);
    tg_free(path);
    return s;
}
