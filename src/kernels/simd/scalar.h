/* scalar.h - v16 is an array of sixteen; fmaf is libm's (exact everywhere; one instruction where the CPU has it).
 * The tile is small: there is nothing to fill but a few registers. */
#ifndef TG_SIMD_SCALAR_H
#define TG_SIMD_SCALAR_H
#include <string.h>

typedef struct { float x[16]; } v16;
typedef struct { int32_t x[16]; } v16i;
typedef struct { int32_t x[16]; } v16m; /* 0 or 1 */

#define V16_EACH(T, expr)                             \
    do {                                              \
        T r_;                                         \
        for (int i = 0; i < 16; i++) r_.x[i] = (expr); \
        return r_;                                    \
    } while (0)

static inline v16 v16_all(float x) { V16_EACH(v16, x); }
static inline v16 v16_zero(void) { V16_EACH(v16, 0.0f); }
static inline v16 v16_load(const float *p) { V16_EACH(v16, p[i]); }
static inline void v16_store(float *p, v16 v)
{
    for (int i = 0; i < 16; i++) p[i] = v.x[i];
}
static inline v16 v16_load_n(const float *p, int64_t n) { V16_EACH(v16, i < n ? p[i] : 0.0f); }
static inline void v16_store_n(float *p, v16 v, int64_t n)
{
    for (int i = 0; i < 16 && i < n; i++) p[i] = v.x[i];
}
static inline v16 v16_add(v16 a, v16 b) { V16_EACH(v16, a.x[i] + b.x[i]); }
static inline v16 v16_sub(v16 a, v16 b) { V16_EACH(v16, a.x[i] - b.x[i]); }
static inline v16 v16_mul(v16 a, v16 b) { V16_EACH(v16, a.x[i] * b.x[i]); }
static inline v16 v16_div(v16 a, v16 b) { V16_EACH(v16, a.x[i] / b.x[i]); }
static inline v16 v16_sqrt(v16 a) { V16_EACH(v16, sqrtf(a.x[i])); }
static inline v16 v16_fma(v16 a, v16 b, v16 c) { V16_EACH(v16, fmaf(a.x[i], b.x[i], c.x[i])); }
static inline v16 v16_neg_fma(v16 a, v16 b, v16 c) { V16_EACH(v16, fmaf(-a.x[i], b.x[i], c.x[i])); }
static inline v16m v16_lt(v16 a, v16 b) { V16_EACH(v16m, a.x[i] < b.x[i]); }
static inline v16m v16_le(v16 a, v16 b) { V16_EACH(v16m, a.x[i] <= b.x[i]); }
static inline v16m v16_eq(v16 a, v16 b) { V16_EACH(v16m, a.x[i] == b.x[i]); }
static inline v16 v16_select(v16m m, v16 a, v16 b) { V16_EACH(v16, m.x[i] ? a.x[i] : b.x[i]); }
static inline v16 v16_max(v16 a, v16 b) { return v16_select(v16_lt(b, a), a, b); }
static inline v16 v16_min(v16 a, v16 b) { return v16_select(v16_lt(a, b), a, b); }
static inline v16i v16_as_int(v16 a)
{
    v16i r;
    memcpy(&r, &a, sizeof r);
    return r;
}
static inline v16 v16i_as_float(v16i a)
{
    v16 r;
    memcpy(&r, &a, sizeof r);
    return r;
}
static inline v16i v16i_all(int32_t x) { V16_EACH(v16i, x); }
static inline v16i v16i_load(const int32_t *p) { V16_EACH(v16i, p[i]); }
static inline v16i v16i_add(v16i a, v16i b) { V16_EACH(v16i, (int32_t)((uint32_t)a.x[i] + (uint32_t)b.x[i])); }
static inline v16i v16i_sub(v16i a, v16i b) { V16_EACH(v16i, (int32_t)((uint32_t)a.x[i] - (uint32_t)b.x[i])); }
static inline v16i v16i_and(v16i a, v16i b) { V16_EACH(v16i, a.x[i] & b.x[i]); }
static inline v16i v16i_or(v16i a, v16i b) { V16_EACH(v16i, a.x[i] | b.x[i]); }
static inline v16i v16i_xor(v16i a, v16i b) { V16_EACH(v16i, a.x[i] ^ b.x[i]); }
static inline v16i v16i_shl(v16i a, int n) { V16_EACH(v16i, (int32_t)((uint32_t)a.x[i] << n)); }
static inline v16i v16i_shr(v16i a, int n) { V16_EACH(v16i, a.x[i] >> n); }
static inline v16m v16i_eq(v16i a, v16i b) { V16_EACH(v16m, a.x[i] == b.x[i]); }

static inline void v16_part(v16 *a, v16 *b)
{
    float x[32];
    v16_store(x, *a);
    v16_store(x + 16, *b);
    for (int i = 0; i < 16; i++) a->x[i] = x[2 * i], b->x[i] = x[2 * i + 1];
}
static inline void v16_zip(v16 *a, v16 *b)
{
    float x[32];
    for (int i = 0; i < 16; i++) x[2 * i] = a->x[i], x[2 * i + 1] = b->x[i];
    *a = v16_load(x);
    *b = v16_load(x + 16);
}

static inline void v16_turn(v16 r[16])
{
    float x[16][16];
    for (int i = 0; i < 16; i++) v16_store(x[i], r[i]);
    for (int i = 0; i < 16; i++) {
        float column[16];
        for (int j = 0; j < 16; j++) column[j] = x[j][i];
        r[i] = v16_load(column);
    }
}

typedef float vt;
#define TG_W 1
#define TG_MR 4
#define TG_NV 4
static inline vt vt_zero(void) { return 0.0f; }
static inline vt vt_all(float x) { return x; }
static inline vt vt_load(const float *p) { return *p; }
static inline void vt_store(float *p, vt v) { *p = v; }
static inline vt vt_load_n(const float *p, int64_t n) { return n > 0 ? *p : 0.0f; }
static inline void vt_store_n(float *p, vt v, int64_t n)
{
    if (n > 0) *p = v;
}
static inline vt vt_add(vt a, vt b) { return a + b; }
static inline vt vt_fma(vt a, vt b, vt c) { return fmaf(a, b, c); }
#endif
