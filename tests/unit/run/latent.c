/* Tests of run/latent.c and data/image/blocks.c: drawing latents, what lies between them, pictures of characters. */
#include "run/latent.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "data/image/blocks.h"
#include "run/kinds.h"
#include "support/models.h"

TEST(quantiles_are_those_of_tables)
{
    const struct { double p, x; } each[] = {{0.5, 0}, {0.975, 1.959963985}, {0.025, -1.959963985}, {0.9, 1.281551566}, {0.999, 3.090232306},
                                            {0.001, -3.090232306}, {0.99999, 4.264890794}};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) CHECK(fabs(tg_normal_quantile(each[i].p) - each[i].x) < 2e-6);
}

TEST(a_latent_is_the_same_whatever_was_drawn_before_and_stays_within_the_truncation)
{
    float a[50], b[50];
    double sum = 0, squares = 0;
    tg_latent_draw(a, 50, 0, 3, 7);
    tg_latent_draw(b, 50, 0, 3, 8);
    CHECK(memcmp(a, b, sizeof a) != 0);
    tg_latent_draw(b, 50, 0, 3, 7);
    CHECK_BYTES(a, b, (int64_t)sizeof a);
    for (int i = 0; i < 200; i++) {
        tg_latent_draw(a, 50, 0.7, 3, i);
        for (int k = 0; k < 50; k++) {
            CHECK(fabsf(a[k]) <= 0.7f);
            sum += (double)a[k];
            squares += (double)a[k] * (double)a[k];
        }
    }
    CHECK(fabs(sum / 10000) < 0.02);
    CHECK(fabs(squares / 10000 - 0.1514) < 0.006); /* 1 - 2·0.7·phi(0.7)/(2·Phi(0.7) - 1) */
}

/* Of a VAE whose deviation about the mean is to be 0.25: 2·log 0.25, of which the parameter holds a tenth. */
static tg_model *with_spread(tg_context *ctx, const tg_model_data *data)
{
    tg_model *m;
    CHECK_OK(model_with(ctx, "vae", WITH("latent=2", "hidden=4", "likelihood=gaussian"), data, false, &m));
    tg_params_find(tg_model_params(m), "spread")->data[0] = -0.277258872f;
    return m;
}

TEST(points_lie_about_the_decoders_mean_as_the_likelihood_says_each_by_its_number)
{
    enum { N = 10000 };
    static float x[2 * N];
    float alone[2] = {0};
    double sum = 0, squares = 0, products = 0;
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &ctx));
    tg_model *m = with_spread(ctx, &(tg_model_data){.kind = TG_KIND_POINTS, .rank = 1, .dims = {2, 1, 1}});
    memset(x, 0, sizeof x);
    tg_latent_scatter(m, x, N, 3, 100);
    for (int i = 0; i < 2 * N; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
        products += i % 2 ? (double)x[i] * (double)x[i - 1] : 0;
    }
    CHECK(fabs(sum / (2 * N)) < 0.007); /* four deviations of each figure: 0.25/sqrt(2N), 0.0625·sqrt(2/2N), 0.0625/sqrt(N) */
    CHECK(fabs(squares / (2 * N) - 0.0625) < 0.0025);
    CHECK(fabs(products / N) < 0.0025);
    tg_latent_scatter(m, alone, 1, 3, 107);
    CHECK_BYTES(alone, x + 14, (int64_t)sizeof alone);
    tg_model_free(m);
    m = with_spread(ctx, &(tg_model_data){.kind = TG_KIND_IMAGE, .rank = 3, .dims = {1, 1, 2}});
    tg_latent_scatter(m, alone, 1, 3, 107); /* of images means are shown */
    CHECK_BYTES(alone, x + 14, (int64_t)sizeof alone);
    tg_model_free(m);
    tg_context_free(ctx);
}

TEST(what_is_between_two_latents_keeps_their_length)
{
    const float a[2] = {3, 0}, b[2] = {0, 3};
    float z[2];
    tg_latent_between(z, a, b, 2, 1.0 / 3);
    CHECK(fabs((double)z[0] - 3 * sqrt(0.75)) < 1e-5 && fabs((double)z[1] - 3 * 0.5) < 1e-5);
    tg_latent_between(z, a, b, 2, 0);
    CHECK_BYTES(z, a, (int64_t)sizeof z);
    tg_latent_between(z, a, b, 2, 1);
    CHECK_BYTES(z, b, (int64_t)sizeof z);
    const float c[2] = {6, 0}, d[2] = {-3, 0}; /* where there is no circle it is the line */
    tg_latent_between(z, a, c, 2, 0.5);
    CHECK(fabsf(z[0] - 4.5f) < 1e-5f && z[1] == 0);
    tg_latent_between(z, a, d, 2, 0.25);
    CHECK(fabsf(z[0] - 1.5f) < 1e-4f);
}

TEST(pixels_are_rounded_and_never_wrap)
{
    const struct { float x; int is; } each[] = {{0, 0}, {1, 255}, {-3, 0}, {7, 255}, {0.5f, 128}, {NAN, 0}, {0.00195f, 0}, {0.00197f, 1}};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) CHECK_INT(tg_latent_pixel(each[i].x), each[i].is);
}

TEST(what_a_file_says_of_its_samples_is_checked)
{
    static const char *const bad[] = {
        "{}", "{\"shape\": 3}", "{\"shape\": [1, 4]}", "{\"shape\": [1, 4, 0]}", "{\"shape\": [1, 4, -4]}", "{\"shape\": [2, 4, 4]}",
        "{\"shape\": [3, 70000, 70000]}", "{\"shape\": [1, 4, 4.5]}", "{\"shape\": [1, 4, 4], \"classes\": []}",
        "{\"shape\": [1, 4, 4], \"classes\": 7}", "{\"shape\": [1, 4, 4], \"classes\": [{\"name\": \"a\"}]}",
        "{\"shape\": [1, 4, 4], \"classes\": [{\"name\": \"a\", \"count\": -1}]}",
        "{\"shape\": [1, 4, 4], \"classes\": [{\"count\": 1}]}"};
    static const char good[] = "{\"shape\": [3, 4, 5], \"classes\": [{\"name\": \"a\", \"count\": 2}, {\"name\": \"b\", \"count\": 0}]}";
    tg_arena *a = tg_arena_new(4096);
    const tg_json *json;
    tg_model_data data;
    int64_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_OK(tg_json_parse(a, "bad", bad[i], (int64_t)strlen(bad[i]), &json));
        CHECK_ERROR(tg_samples_read(json, TG_KIND_IMAGE, &data), TG_EFORMAT, "makes no sense");
    }
    CHECK_ERROR(tg_samples_read(NULL, TG_KIND_IMAGE, &data), TG_EFORMAT, "makes no sense");
    CHECK_OK(tg_json_parse(a, "good", good, (int64_t)strlen(good), &json));
    CHECK_OK(tg_samples_read(json, TG_KIND_IMAGE, &data));
    CHECK(data.rank == 3 && data.dims[2] == 5 && data.classes == 2 && tg_model_data_size(&data) == 60);
    CHECK_TEXT(tg_samples_class(json, 1, &count), "b");
    CHECK(count == 0 && !tg_samples_class(json, 2, &count) && !tg_samples_class(json, -1, &count));
    for (int i = 0; i < 40; i++) CHECK_INT(tg_latent_class(json, 2, 1, i), 0); /* none of b was there to learn */
    tg_arena_free(a);
}

TEST(a_character_is_two_pixels)
{
    uint8_t pixels[] = {255, 0, 0, 255, 0, 0, 0, 0, 255, 250, 250, 250, 9, 9, 9, 10, 10, 10};
    tg_str out = {0};
    tg_blocks_draw(&out, &(tg_image){.width = 2, .height = 3, .channels = 3, .pixels = pixels}, TG_COLOURS_DEEP);
    CHECK_TEXT(out.data, "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m\xe2\x96\x80\x1b[48;2;250;250;250m\xe2\x96\x80\x1b[0m\n"
                         "\x1b[38;2;9;9;9m\xe2\x96\x80\x1b[38;2;10;10;10m\xe2\x96\x80\x1b[0m\n");
    tg_str_clear(&out);
    /* 196: the cube's red; 21: its blue; 232 is the grey of level 8 */
    tg_blocks_draw(&out, &(tg_image){.width = 2, .height = 3, .channels = 3, .pixels = pixels}, TG_COLOURS_256);
    CHECK_TEXT(out.data, "\x1b[38;5;196m\x1b[48;5;21m\xe2\x96\x80\x1b[48;5;231m\xe2\x96\x80\x1b[0m\n"
                         "\x1b[38;5;232m\xe2\x96\x80\x1b[38;5;232m\xe2\x96\x80\x1b[0m\n");
    tg_str_clear(&out);
    /* (76 + 29)/2 of 255 and (76 + 250)/2 are the second and the fourth shade of five, black is none */
    tg_blocks_draw(&out, &(tg_image){.width = 2, .height = 3, .channels = 3, .pixels = pixels}, TG_COLOURS_NONE);
    CHECK_TEXT(out.data, "\xe2\x96\x91\xe2\x96\x93\n  \n");
    tg_str_free(&out);
}
