/* space.h - what a study may vary: axes checked against the rows of the keys that they name, points, and the grid. */
#ifndef TG_RUN_TUNE_SPACE_H
#define TG_RUN_TUNE_SPACE_H
#include "base/arena.h"
#include "base/str.h"

typedef enum tg_axis_kind { TG_AXIS_CHOICE, TG_AXIS_INT, TG_AXIS_REAL } tg_axis_kind;
typedef struct tg_axis {
    const char *key;            /* gen-train's or a model's key, with hyphens as outside */
    tg_axis_kind kind;
    bool log;
    double low, high;           /* INT, REAL */
    int64_t count;              /* CHOICE: choices; INT, REAL: points of a grid along it */
    const char *const *choices; /* CHOICE: texts */
    bool ordered;               /* CHOICE: numbers that rise or fall, so that neighbours are alike */
    uint64_t models;            /* bit m: applies where the trial's model is choice m of the axis "model"; all ones: always */
} tg_axis;

enum { TG_AXES = 32 };
typedef struct tg_space {
    tg_axis axes[TG_AXES];
    int count, model_axis; /* -1: the model is fixed */
    tg_arena *arena;
} tg_space;
typedef struct tg_point { double at[TG_AXES]; } tg_point; /* CHOICE: index; else the value; NaN: does not apply */

/* items: "lr=1e-4:1e-2:log", "hidden=64,128,256", "hidden=16:256:log:5" (low:high, and of a grid five points, not three), or the
 * name of a JSON file {"lr": "1e-4:1e-2:log", "hidden": [64, 128]}. model: the study's, NULL where it is an axis. objective: axes
 * of that analytic objective and no others, those that no item gives as it brings them; NULL: none. Errors: TG_EUSAGE (whatever
 * no trial could be started with: no such key or model, values out of the row's range, keys that decide nothing), TG_ENOMEM. */
tg_status tg_space_parse(const char *const *items, int64_t count, const char *model, const char *objective, tg_space **out);
void tg_space_free(tg_space *s);
/* Index of the axis of that name; -1: there is none. */
int tg_space_find(const tg_space *s, const char *key);
/* Whether the axis applies to the point, as its model says. */
bool tg_space_applies(const tg_space *s, int axis, const tg_point *p);
/* The text that the option takes: shortest that reads back. Appended. */
void tg_space_text(const tg_axis *a, double value, tg_str *out);

/* Points of the whole grid; an axis that does not apply is not multiplied out. INT64_MAX: more than can be counted. */
int64_t tg_space_grid(const tg_space *s);
/* Point 0, 1, ...: the model changes slowest, the last axis fastest. */
/* Points that differ at all; INT64_MAX: more than can be counted. */
int64_t tg_space_points(const tg_space *s);
void tg_space_grid_at(const tg_space *s, int64_t i, tg_point *out);

/* An axis as 0..1, by logarithms where it says so; whole numbers and choices are cells that fill it. Values of REAL axes are
 * rounded to a few decimals, so that people can read and type them. */
double tg_axis_value(const tg_axis *a, double unit);
/* Where a value lies: the ends of its cell, or twice the same. */
void tg_axis_cell(const tg_axis *a, double value, double *begin, double *end);
#endif
