/* channel.c - sums and norms of channels of [B, C, N]. A channel's sum runs over 16 lanes along N, image after image, then one
 * fixed tree; where N is 1, that is one chain over the images, and 16 channels run side by side. */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* (x - mean)·inv in lanes before n, 0 behind */
TG_INLINE v16 normal_n(const float *x, int64_t n, v16 mean, v16 inv)
{
    const v16 v = v16_mul(v16_sub(v16_load_n(x, n), mean), inv);
    return n >= 16 ? v : v16_select(v16_past(n), v16_zero(), v);
}

static void put_one(float *out, float v, bool add)
{
    *out = add ? *out + v : v;
}

static void sums_side_by_side(float *sum, float *dot, const float *dy, const float *x, const float *mean, const float *inv,
                              int64_t B,
                              int64_t C, tg_span channels, bool add)
{
    for (int64_t c = channels.begin; c < channels.end; c += 16) {
        const int64_t n = channels.end - c;
        v16 s = v16_zero(), d = v16_zero();
        for (int64_t b = 0; b < B; b++) {
            const v16 v = v16_load_n(dy + b * C + c, n);
            s = v16_add(s, v);
            if (dot) d = v16_fma(v, normal_n(x + b * C + c, n, v16_load_n(mean + c, n), v16_load_n(inv + c, n)), d);
        }
        v16_store_n(sum + c, add ? v16_add(v16_load_n(sum + c, n), s) : s, n);
        if (dot) v16_store_n(dot + c, add ? v16_add(v16_load_n(dot + c, n), d) : d, n);
    }
}

void TG_K(channel_sums)(float *sum, float *dot, const float *dy, const float *x, const float *mean, const float *inv, int64_t B,
                        int64_t C, int64_t N, tg_span channels, bool add)
{
    if (N == 1) {
        sums_side_by_side(sum, dot, dy, x, mean, inv, B, C, channels, add);
        return;
    }
    for (int64_t c = channels.begin; c < channels.end; c++) {
        v16 s = v16_zero(), d = v16_zero();
        for (int64_t b = 0; b < B; b++)
            for (int64_t at = (b * C + c) * N, i = 0; i < N; i += 16) {
                const v16 v = v16_load_n(dy + at + i, N - i);
                s = v16_add(s, v);
                if (dot) d = v16_fma(v, normal_n(x + at + i, N - i, v16_all(mean[c]), v16_all(inv[c])), d);
            }
        put_one(sum + c, v16_sum(s), add);
        if (dot) put_one(dot + c, v16_sum(d), add);
    }
}
