/* neon.h - v16 is four registers (AArch64). Tile 6 x 16: 24 sums, 4 columns of B, a broadcast: 29 of 32 registers. */
#ifndef TG_SIMD_NEON_H
#define TG_SIMD_NEON_H
#include <arm_neon.h>

typedef struct { float32x4_t q[4]; } v16;
typedef struct { int32x4_t q[4]; } v16i;
typedef struct { uint32x4_t q[4]; } v16m;

#define V16_EACH(T, expr)                   \
    do {                                    \
        T r_;                               \
        for (int i = 0; i < 4; i++) r_.q[i] = (expr); \
        return r_;                          \
    } while (0)

static inline v16 v16_all(float x) { V16_EACH(v16, vdupq_n_f32(x)); }
static inline v16 v16_zero(void) { V16_EACH(v16, vdupq_n_f32(0.0f)); }
static inline v16 v16_load(const float *p) { V16_EACH(v16, vld1q_f32(p + 4 * i)); }
static inline void v16_store(float *p, v16 v)
{
    for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, v.q[i]);
}
static inline v16 v16_load_n(const float *p, int64_t n)
{
    if (n >= 16) return v16_load(p);
    float x[16] = {0};
    for (int64_t i = 0; i < n; i++) x[i] = p[i];
    return v16_load(x);
}
static inline void v16_store_n(float *p, v16 v, int64_t n)
{
    if (n >= 16) {
        v16_store(p, v);
        return;
    }
    float x[16];
    v16_store(x, v);
    for (int64_t i = 0; i < n; i++) p[i] = x[i];
}
static inline v16 v16_add(v16 a, v16 b) { V16_EACH(v16, vaddq_f32(a.q[i], b.q[i])); }
static inline v16 v16_sub(v16 a, v16 b) { V16_EACH(v16, vsubq_f32(a.q[i], b.q[i])); }
static inline v16 v16_mul(v16 a, v16 b) { V16_EACH(v16, vmulq_f32(a.q[i], b.q[i])); }
static inline v16 v16_div(v16 a, v16 b) { V16_EACH(v16, vdivq_f32(a.q[i], b.q[i])); }
static inline v16 v16_sqrt(v16 a) { V16_EACH(v16, vsqrtq_f32(a.q[i])); }
static inline v16 v16_fma(v16 a, v16 b, v16 c) { V16_EACH(v16, vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
static inline v16 v16_neg_fma(v16 a, v16 b, v16 c) { V16_EACH(v16, vfmsq_f32(c.q[i], a.q[i], b.q[i])); }
static inline v16m v16_lt(v16 a, v16 b) { V16_EACH(v16m, vcltq_f32(a.q[i], b.q[i])); }
static inline v16m v16_le(v16 a, v16 b) { V16_EACH(v16m, vcleq_f32(a.q[i], b.q[i])); }
static inline v16m v16_eq(v16 a, v16 b) { V16_EACH(v16m, vceqq_f32(a.q[i], b.q[i])); }
static inline v16 v16_select(v16m m, v16 a, v16 b) { V16_EACH(v16, vbslq_f32(m.q[i], a.q[i], b.q[i])); }
static inline v16 v16_max(v16 a, v16 b) { return v16_select(v16_lt(b, a), a, b); }
static inline v16 v16_min(v16 a, v16 b) { return v16_select(v16_lt(a, b), a, b); }
static inline v16i v16_as_int(v16 a) { V16_EACH(v16i, vreinterpretq_s32_f32(a.q[i])); }
static inline v16 v16i_as_float(v16i a) { V16_EACH(v16, vreinterpretq_f32_s32(a.q[i])); }
static inline v16i v16i_all(int32_t x) { V16_EACH(v16i, vdupq_n_s32(x)); }
static inline v16i v16i_load(const int32_t *p) { V16_EACH(v16i, vld1q_s32(p + 4 * i)); }
static inline v16i v16i_add(v16i a, v16i b) { V16_EACH(v16i, vaddq_s32(a.q[i], b.q[i])); }
static inline v16i v16i_sub(v16i a, v16i b) { V16_EACH(v16i, vsubq_s32(a.q[i], b.q[i])); }
static inline v16i v16i_and(v16i a, v16i b) { V16_EACH(v16i, vandq_s32(a.q[i], b.q[i])); }
static inline v16i v16i_or(v16i a, v16i b) { V16_EACH(v16i, vorrq_s32(a.q[i], b.q[i])); }
static inline v16i v16i_xor(v16i a, v16i b) { V16_EACH(v16i, veorq_s32(a.q[i], b.q[i])); }
static inline v16i v16i_shl(v16i a, int n) { V16_EACH(v16i, vshlq_s32(a.q[i], vdupq_n_s32(n))); }
static inline v16i v16i_shr(v16i a, int n) { V16_EACH(v16i, vshlq_s32(a.q[i], vdupq_n_s32(-n))); }
static inline v16m v16i_eq(v16i a, v16i b) { V16_EACH(v16m, vceqq_s32(a.q[i], b.q[i])); }

static inline void v16_part(v16 *a, v16 *b)
{
    const v16 x = *a, y = *b;
    for (int i = 0; i < 4; i++) {
        const v16 *from = i < 2 ? &x : &y;
        a->q[i] = vuzp1q_f32(from->q[i % 2 * 2], from->q[i % 2 * 2 + 1]);
        b->q[i] = vuzp2q_f32(from->q[i % 2 * 2], from->q[i % 2 * 2 + 1]);
    }
}
static inline void v16_zip(v16 *a, v16 *b)
{
    const v16 x = *a, y = *b;
    for (int i = 0; i < 4; i++) {
        v16 *to = i < 2 ? a : b;
        to->q[i % 2 * 2] = vzip1q_f32(x.q[i], y.q[i]);
        to->q[i % 2 * 2 + 1] = vzip2q_f32(x.q[i], y.q[i]);
    }
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

typedef float32x4_t vt;
#define TG_W 4
#define TG_MR 6
#define TG_NV 4
static inline vt vt_zero(void) { return vdupq_n_f32(0.0f); }
static inline vt vt_all(float x) { return vdupq_n_f32(x); }
static inline vt vt_load(const float *p) { return vld1q_f32(p); }
static inline void vt_store(float *p, vt v) { vst1q_f32(p, v); }
static inline vt vt_load_n(const float *p, int64_t n)
{
    if (n >= 4) return vld1q_f32(p);
    float x[4] = {0};
    for (int64_t i = 0; i < n; i++) x[i] = p[i];
    return vld1q_f32(x);
}
static inline void vt_store_n(float *p, vt v, int64_t n)
{
    if (n >= 4) {
        vst1q_f32(p, v);
        return;
    }
    float x[4];
    vst1q_f32(x, v);
    for (int64_t i = 0; i < n; i++) p[i] = x[i];
}
static inline vt vt_add(vt a, vt b) { return vaddq_f32(a, b); }
static inline vt vt_fma(vt a, vt b, vt c) { return vfmaq_f32(c, a, b); }
#endif
