/* recurrent.c - a whole model against PyTorch: embedding, two recurrent layers from a state, head, loss; results, last
 * states, loss and all gradients. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/example.h"
#include "support/golden.h"
#include "support/net.h"
#include "test.h"

/* Asked is 1e-4; both compute sums of a hundred terms, PyTorch in double. */
static const double tolerance = 1e-5;
enum { T = 5, B = 3, V = 7, D = 5, H = 6, L = 2 };

static void load(golden *g, const net *n)
{
    for (int64_t i = 0; i < tg_params_count(n->params); i++) {
        tg_tensor *to = tg_params_at(n->params, i);
        const tg_tensor *from = golden_tensor(g, to->name);
        CHECK(tg_shape_equal(&to->shape, &from->shape));
        memcpy(to->data, from->data, (size_t)tg_shape_count(&to->shape) * sizeof(float));
    }
}

/* Layer l of a state [L, B, H]. */
static tg_tensor *layer(tg_tape *t, golden *g, const char *name, int64_t l)
{
    if (!golden_has(g, name)) return NULL;
    return tg_input_values(t, 2, (int64_t[]){B, H}, golden_tensor(g, name)->data + l * B * H);
}

static double check_last(golden *g, const char *name, tg_tensor *const *layers)
{
    float all[L * B * H];
    for (int l = 0; l < L; l++) memcpy(all + l * B * H, layers[l]->data, B * H * sizeof(float));
    return golden_check(g, name, all, tolerance);
}

static void check(const char *name, tg_recurrent_kind kind)
{
    char grad[128];
    tg_context *ctx = example_context(2, NULL);
    golden g = golden_open(name);
    net n;
    tg_tape *t = NULL;
    net_make(&n, ctx, &(net_shape){.kind = kind, .V = V, .D = D, .H = H, .layers = L}, false);
    load(&g, &n);
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_recurrent_state first[L], last[L];
    for (int l = 0; l < L; l++) first[l] = (tg_recurrent_state){layer(t, &g, "h_0", l), layer(t, &g, "c_0", l)};
    tg_tensor *logits = net_logits(&n, t, golden_tensor(&g, "tokens"), NULL, first, last);
    tg_tensor *loss = tg_cross_entropy(t, logits, golden_tensor(&g, "targets"));
    CHECK_OK(tg_tape_backward(t, loss));
    double worst = golden_check(&g, "loss", loss->data, tolerance);
    worst = fmax(worst, golden_check(&g, "logits", logits->data, tolerance));
    worst = fmax(worst, check_last(&g, "h_n", (tg_tensor *[]){last[0].h, last[1].h}));
    if (kind == TG_LSTM) worst = fmax(worst, check_last(&g, "c_n", (tg_tensor *[]){last[0].c, last[1].c}));
    for (int64_t i = 0; i < tg_params_count(n.params); i++) {
        const tg_tensor *x = tg_params_at(n.params, i);
        CHECK(x->has_grad);
        snprintf(grad, sizeof grad, "grad.%s", x->name);
        worst = fmax(worst, golden_check(&g, grad, x->grad, tolerance));
    }
    test_note("%s: largest relative error %.1e", name, worst);
    tg_tape_free(t);
    net_free(&n);
    golden_close(&g);
    tg_context_free(ctx);
}

TEST(rnn_with_tanh_matches_pytorch) { check("recurrent_rnn_tanh", TG_RNN_TANH); }
TEST(rnn_with_relu_matches_pytorch) { check("recurrent_rnn_relu", TG_RNN_RELU); }
TEST(lstm_matches_pytorch) { check("recurrent_lstm", TG_LSTM); }
TEST(gru_matches_pytorch) { check("recurrent_gru", TG_GRU); }
