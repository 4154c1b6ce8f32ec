/* probe.h - one kernel at one size: the same random inputs for every instruction set, results compared with plain loops
 * in double, and bit for bit between instruction sets. */
#ifndef TEST_PROBE_H
#define TEST_PROBE_H

#include "base/hash.h"
#include "kernels/drive.h"

typedef struct probe {
    const tg_kernels *k;
    const char *kernel;
    int64_t n;        /* the size to try */
    uint64_t stream;  /* of the next random input */
    tg_xxh64 bits;    /* of all results so far */
} probe;

typedef struct probe_row { const char *kernel; void (*run)(probe *p); } probe_row; /* kernel NULL: the end */
extern const probe_row probe_products[], probe_cells[], probe_elements[], probe_attention[], probe_images[], probe_likely[];

/* Runs every row at every size on every instruction set that is here. */
void probe_all(const probe_row *rows);

/* Memory of a probe: gone at its end. Random floats in [low, high). */
float *probe_floats(probe *p, int64_t n, double low, double high);
int32_t *probe_ids(probe *p, int64_t n, int64_t low, int64_t high);
float *probe_copy(probe *p, const float *x, int64_t n);
double *probe_wide(probe *p, const float *x, int64_t n);
double *probe_doubles(probe *p, int64_t n);
/* A result of n floats: starts with numbers that mean nothing, and what lies behind must stay as it is. */
float *probe_result(probe *p, int64_t n);
/* A result that is added into; *before gets a copy. */
float *probe_sum(probe *p, int64_t n, double **before);

/* Compares with want (relative to the largest), takes the bits down, looks behind the end. */
void probe_check(probe *p, const float *got, const double *want, int64_t n, double tolerance);

#endif
