/* runlog.h - log.jsonl: a JSON object a line, append-only, one write(2) each.
 * Opened for going on after a step, it is cut: a torn last line and all lines of later steps go, so that the log of a
 * resumed run equals that of an unbroken one but for times and memory. */
#ifndef TG_RUN_RUNLOG_H
#define TG_RUN_RUNLOG_H
#include "base/json.h"
#include "run/kinds.h"

typedef struct tg_runlog tg_runlog;
typedef struct tg_log_line {
    tg_kind kind;               /* of the data: what tokens are called, and bpc; 0: text */
    int64_t step, tokens;
    double epoch, train_loss, val_loss, bpc, lr, grad_norm; /* NaN becomes null */
    double tokens_per_second, seconds;
    int64_t peak_memory;
    int metrics;                /* that the loss names: "kl" of training, "val_kl" of validation */
    const char *const *names;
    double train[TG_METRICS], val[TG_METRICS];
    bool turns;                 /* trained in turns: nothing is validated ... */
    double diversity;           /* ... but samples are compared with each other; NaN: not now */
} tg_log_line;

/* step 0: the log starts empty. last->kind says what its rates are called. Of the last line that is kept, *last gets seconds, train_loss and tokens_per_second; what
 * there is not stays as it was. */
tg_status tg_runlog_open(const char *path, int64_t step, tg_log_line *last, tg_runlog **out);
tg_status tg_runlog_add(tg_runlog *l, const tg_log_line *line);
void tg_runlog_close(tg_runlog *l);
/* How many bytes of a log's text are whole lines of steps up to `step`; *last gets where the last of them begins. */
int64_t tg_runlog_keep(const char *text, int64_t length, int64_t step, int64_t *last);
/* Calls take with each whole line of a log's text that is JSON; others are passed over. The tree lives until it returns. Errors:
 * TG_ENOMEM. */
tg_status tg_runlog_each(const char *text, int64_t length, void (*take)(void *user, const tg_json *line), void *user);
#endif
