/* train_report.c - what a training run tells: log.jsonl, lines and progress for people, samples, result.json. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "run/defaults.h"
#include "run/generate.h"
#include "run/metrics/bits.h"
#include "run/result.h"

#include <math.h>
#include <string.h>

enum { SAMPLE_TOKENS = 400, SAMPLE_SEED = 1, LINES_AN_EVALUATION = 10 };
static const double estimate_after = 0.5; /* seconds of steps */

/* ---- figures --------------------------------------------------------------------------------------------------------- */

double tg_training_bits(const tg_training *t, double nats)
{
    if (t->kind == TG_KIND_TEXT) return tg_bits_per_char(t->data, TG_VAL, nats);
    return t->words->bits ? tg_bits_per_dim(&t->about.data, nats) : (double)NAN;
}

static int64_t tokens_of(const tg_training *t, int64_t step)
{
    return step * tg_step_items(t->o, t->desc, t->config);
}

static double epochs_of(const tg_training *t, int64_t step)
{
    if (t->kind != TG_KIND_TEXT) return (double)tokens_of(t, step) / (double)tg_dataset_count(t->data, TG_TRAIN);
    return (double)(step * t->o->accum * (t->o->batch / t->loop->rows)) / (double)tg_feed_steps_per_epoch(t->loop->feed);
}

/* Seconds a step takes with its share of evaluation and saving so far. */
static double seconds_left(const tg_training *t)
{
    int64_t step = t->loop->place.step;
    double now = tg_training_seconds(t), rate = tg_training_rate(t);
    if (t->o->time > 0 && !t->decay_laid) {
        double left = t->o->time - now;
        return left > 0 ? left : 0;
    }
    if (isnan(rate)) return NAN;
    return (double)tokens_of(t, t->o->steps - step) / rate;
}

/* ---- lines ------------------------------------------------------------------------------------------------------------ */

static tg_status log_line(tg_training *t, double val_loss)
{
    tg_place *at = &t->loop->place;
    if (at->loss_count > 0) t->train_loss = at->loss_sum / (double)at->loss_count;
    tg_log_line line = {.kind = t->kind, .step = at->step, .tokens = tokens_of(t, at->step), .epoch = epochs_of(t, at->step),
                        .train_loss = at->loss_count > 0 ? t->train_loss : NAN, .val_loss = val_loss,
                        .bpc = tg_training_bits(t, val_loss), .lr = t->last_lr, .grad_norm = t->last_norm,
                        .tokens_per_second = tg_training_rate(t), .seconds = tg_training_seconds(t),
                        .peak_memory = tg_peak_memory(), .metrics = t->loop->metrics, .names = t->loop->metric_names,
                        .turns = t->loop->turns != NULL, .diversity = t->diversity};
    for (int k = 0; k < line.metrics; k++) {
        t->train_metrics[k] = line.train[k] = at->loss_count > 0 ? at->metric_sum[k] / (double)at->loss_count : (double)NAN;
        line.val[k] = isnan(val_loss) ? (double)NAN : tg_likelihood_metric(t->loop->validation, k);
        at->metric_sum[k] = 0;
    }
    at->loss_sum = 0;
    at->loss_count = 0;
    tg_status s = tg_runlog_add(t->log, &line);
    if (s != TG_EIO || !t->o->keep_going) return s;
    tg_log(t->ctx, TG_LOG_WARN, "%s; training goes on", tg_error());
    return TG_OK;
}

static void add_figure(tg_str *out, const char *name, double x, int decimals)
{
    if (isnan(x)) return;
    tg_str_addf(out, "  %s ", name);
    tg_str_add_fixed(out, x, decimals);
}

static void tell_evaluation(tg_training *t, double val_loss)
{
    const tg_place *at = &t->loop->place;
    tg_str line = {0};
    char text[32];
    double rate = tg_training_rate(t);
    tg_str_addf(&line, "step %lld", (long long)at->step);
    if (t->o->steps > 0) tg_str_addf(&line, "/%lld", (long long)t->o->steps);
    add_figure(&line, "epoch", epochs_of(t, at->step), 1);
    if (!t->loop->turns) add_figure(&line, "train", t->train_loss, 3);
    add_figure(&line, "val", val_loss, 3);
    for (int k = 0; k < t->loop->metrics; k++)
        add_figure(&line, t->loop->metric_names[k], t->loop->turns ? t->train_metrics[k] : isnan(val_loss) ? (double)NAN
                   : tg_likelihood_metric(t->loop->validation, k), 3);
    add_figure(&line, "diversity", t->diversity, 2);
    add_figure(&line, t->words->bits_shown, tg_training_bits(t, val_loss), 3);
    if (!isnan(val_loss) && at->best_step == at->step) tg_str_add(&line, "  best");
    if (!isnan(rate)) tg_str_addf(&line, "  %s %s/s", tg_format_count(text, (int64_t)rate), t->words->items);
    if (!line.failed) tg_log(t->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_free(&line);
}

tg_status tg_training_report(tg_training *t, bool evaluate)
{
    const tg_train_options *o = t->o;
    const int64_t step = t->loop->place.step, every = o->eval_every / LINES_AN_EVALUATION;
    double val_loss = NAN;
    tg_status s = TG_OK;
    t->diversity = NAN;
    if (tg_training_due(step, o->sample_every, o->eval_share)) s = tg_training_sample(t);
    if (!s && evaluate && t->loop->validation) s = tg_loop_evaluate(t->loop, &val_loss);
    else if (!s && evaluate) t->loop->place.evaluated = step;
    if (!s && (evaluate || tg_training_due(step, every < 1 ? 1 : every, o->eval_share / LINES_AN_EVALUATION)))
        s = log_line(t, val_loss);
    if (!s && evaluate) tell_evaluation(t, val_loss);
    return s;
}

/* ---- progress --------------------------------------------------------------------------------------------------------- */

static void tell_estimate(tg_training *t)
{
    char time[32], count[32], flops[32];
    double left = seconds_left(t), rate = tg_training_rate(t);
    if (t->told_estimate || t->step_seconds < estimate_after || isnan(left)) return;
    t->told_estimate = true;
    double gflops = t->loop->step_flops / (double)tokens_of(t, 1) * rate / 1e9;
    tg_log(t->ctx, TG_LOG_INFO, "about %s for the rest, at %s %s a second (%s GFLOP/s)", tg_format_seconds(time, left),
           tg_format_count(count, (int64_t)rate), t->words->items, tg_format_count(flops, (int64_t)gflops));
}

void tg_training_progress(tg_training *t, const tg_step_info *i, bool final)
{
    tell_estimate(t);
    tg_report_progress(t->ctx, &(tg_progress){.what = "train", .done = t->loop->place.step, .total = t->o->steps, .unit = "steps",
                                              .rate = isnan(tg_training_rate(t)) ? 0 : tg_training_rate(t),
                                              .rate_unit = t->words->items, .seconds_left = seconds_left(t), .loss = i->loss,
                                              .val_loss = t->loop->place.last_loss, .final = final});
}

static void tell_samples(const tg_training *t)
{
    const tg_shape one = tg_shape_of(t->about.data.rank, t->about.data.dims);
    char shape[96];
    const bool conditional = t->desc->conditional && t->desc->conditional(t->model);
    tg_str line = {0};
    tg_str_addf(&line, "%s of %s in an order that the seed draws anew each epoch", t->words->items, tg_shape_text(&one, shape));
    if (conditional) tg_str_addf(&line, "; %lld classes are learned apart (--no-labels: as one)", (long long)t->about.data.classes);
    if (t->desc->told) t->desc->told(t->model, &line);
    if (!line.failed) tg_log(t->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_free(&line);
}

/* Where not all of it is: frozen parts, adapters. */
static void tell_trained(const tg_training *t)
{
    const int64_t all = tg_params_elements(tg_model_params(t->model)), trained = tg_params_trained(t->loop->set);
    char count[32];
    tg_str line = {0};
    if (trained == all) return;
    tg_str_addf(&line, "%s of them are trained, ", tg_format_count(count, trained));
    tg_str_add_fixed(&line, 100 * (double)trained / (double)all, 1);
    tg_str_addf(&line, " %%%s", t->loop->lora ? ", as adapters" : "");
    if (!line.failed) tg_log(t->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_free(&line);
}

void tg_training_tell_start(tg_training *t, const char *chosen)
{
    const tg_train_options *o = t->o;
    char params[32], tokens[32];
    const tg_params *p = tg_model_params(t->model);
    tg_log(t->ctx, TG_LOG_INFO, "%s of %s parameters on %s training %s, seed %lld", t->desc->name,
           tg_format_count(params, tg_params_elements(p)), tg_format_count(tokens, tg_dataset_count(t->data, TG_TRAIN)),
           t->words->items, (long long)o->seed);
    tell_trained(t);
    if (*chosen) tg_log(t->ctx, TG_LOG_INFO, "chosen by the data's size: %s", chosen);
    const bool documents = tg_dataset_documents(t->data, TG_TRAIN) > 0;
    if (t->kind != TG_KIND_TEXT) tell_samples(t);
    else if (t->desc->context)
        tg_log(t->ctx, TG_LOG_INFO, "windows of %lld tokens in an order that the seed draws%s", (long long)o->seq,
               documents ? "; documents do not see each other" : "");
    else
        tg_log(t->ctx, TG_LOG_INFO, "stateful streams: truncated BPTT over %lld steps, state carried on%s", (long long)o->seq,
               documents ? " to the end of each document" : "");
    if (!t->loop->validation && !t->loop->turns)
        tg_log(t->ctx, TG_LOG_WARN, "no validation split: the last weights are kept, good or not (gen-preprocess --val 0.1 makes one)");
}

/* ---- samples ---------------------------------------------------------------------------------------------------------- */

static tg_status make_sample(tg_training *t, tg_str *text)
{
    const tg_tokenizer *k = tg_dataset_tokenizer(t->data);
    int32_t opening[TG_OPENING], token = 0;
    int64_t sample = 0, count = tg_opening(k, -1, false, SAMPLE_SEED, sample, opening);
    tg_status s = tg_generator_start(t->generator, &(tg_beginning){.prompt = opening, .count = count}, 1);
    for (int64_t i = 0; i < SAMPLE_TOKENS && !s; i++) {
        int64_t length = 0;
        s = tg_generator_next(t->generator, 0, SAMPLE_SEED, sample, i, &token, NULL);
        if (s) break;
        if (token == tg_tokenizer_end(k)) { /* the next document */
            tg_str_add(text, "\n");
            count = tg_opening(k, -1, false, SAMPLE_SEED, ++sample, opening);
            s = tg_generator_start(t->generator, &(tg_beginning){.prompt = opening, .count = count}, 1);
            continue;
        }
        const char *piece = tg_tokenizer_text(k, token, &length);
        tg_str_add_n(text, piece, length);
    }
    if (!s) tg_str_add(text, "\n");
    return s ? s : text->failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_training_put_file(tg_training *t, const char *name, const char *bytes, int64_t length)
{
    char *folder = tg_rundir_file(t->dir, "samples"), *path = folder ? tg_path_join(folder, name) : NULL;
    tg_status s = path ? tg_make_folder(folder) : TG_ENOMEM;
    if (!s) s = tg_write_file(path, bytes, length);
    if (s == TG_EIO && t->o->keep_going) {
        tg_log(t->ctx, TG_LOG_WARN, "%s; training goes on", tg_error());
        s = TG_OK;
    }
    tg_free(path);
    tg_free(folder);
    return s;
}

tg_status tg_training_write_sample(tg_training *t, int64_t step)
{
    tg_str text = {0}, name = {0};
    if (t->kind != TG_KIND_TEXT) return tg_training_write_picture(t, step);
    tg_status s = make_sample(t, &text);
    tg_str_addf(&name, "%06lld.txt", (long long)step);
    if (!s) s = name.failed ? TG_ENOMEM : tg_training_put_file(t, name.data, text.data, text.length);
    tg_str_free(&text);
    tg_str_free(&name);
    return s;
}

tg_status tg_training_sample(tg_training *t)
{
    tg_loop_show(t->loop);
    tg_status s = tg_training_write_sample(t, t->loop->place.step);
    tg_loop_hide(t->loop);
    return s;
}

/* ---- the test split -------------------------------------------------------------------------------------------------- */

tg_status tg_training_test(tg_training *t)
{
    const tg_bound_options o = {.split = TG_TEST, .draws = t->o->test_draws, .seed = 1}; /* one for all runs: they compare */
    tg_str line = {0};
    char items[32], draws[32];
    if (o.draws == 0) return TG_OK;
    tg_status s = tg_bound_of_file(t->ctx, t->data, t->o->out, &o, &t->test);
    if (s) return s;
    tg_str_addf(&line, "test: %s %s, %s draws of z each: -log p(x) ", tg_format_count(items, t->test.items), t->words->items,
                tg_format_count(draws, t->test.draws));
    tg_str_add_fixed(&line, t->test.nats, 3);
    if (!isnan(t->test.error)) tg_str_add(&line, " +- ");
    if (!isnan(t->test.error)) tg_str_add_fixed(&line, t->test.error, 3);
    tg_str_add(&line, " nats, -ELBO ");
    tg_str_add_fixed(&line, -t->test.elbo, 3);
    if (!line.failed) tg_log(t->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_free(&line);
    return TG_OK;
}

static void put_test(const tg_bound *b, tg_json_writer *w)
{
    tg_json_member_int(w, "test_items", b->items);
    tg_json_member_int(w, "test_draws", b->draws);
    tg_json_member_real(w, "test_nll", b->nats);
    tg_json_member_real(w, "test_nll_error", b->error);
    tg_json_member_real(w, "test_elbo", b->elbo);
}

/* ---- result ----------------------------------------------------------------------------------------------------------- */

tg_status tg_training_put_result(tg_training *t, const tg_outcome *r)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_result_begin(&w, "gen-train", t->o->out, t->o->seed, tg_training_seconds(t));
    tg_json_member_text(&w, "model", t->desc->name);
    tg_json_member_text(&w, "stopped", r->stopped);
    if (t->o->time > 0) tg_json_member_real(&w, "time", t->o->time);
    tg_json_member_int(&w, "steps", r->steps);
    tg_json_member_real(&w, "epochs", r->epochs);
    tg_json_member_real(&w, "train_loss", r->train_loss);
    tg_json_member_real(&w, "val_loss", r->val_loss);
    tg_json_member_int(&w, "best_step", r->best_step);
    if (t->words->bits) tg_json_member_real(&w, t->words->bits, tg_training_bits(t, r->val_loss));
    const bool known = !t->desc->loss || !isnan(r->val_loss); /* a model's with a loss are those of validation */
    for (int k = 0; k < r->metrics; k++) tg_json_member_real(&w, r->names[k], known ? r->values[k] : (double)NAN);
    static const char *const of_text[] = {"uniform", "unigram", "ngram", NULL};
    const char *const of_samples[] = {t->words->baseline, NULL}, *const *baseline = t->words->baseline ? of_samples : of_text;
    for (; *baseline; baseline++) tg_json_member_real(&w, *baseline, tg_dataset_baseline(t->data, *baseline));
    tg_json_member_real(&w, t->words->rate, r->rate);
    tg_json_member_real(&w, "gflops", r->gflops);
    tg_json_member_int(&w, "params", r->params);
    if (r->trained > 0) tg_json_member_int(&w, "trained_params", r->trained);
    tg_json_member_int(&w, "peak_bytes", tg_peak_memory());
    tg_json_member_text(&w, "model_sha256", r->model_sha256);
    if (t->test.draws > 0) put_test(&t->test, &w);
    tg_training_put_profile(t, &w);
    tg_json_close(&w, '}');
    tg_str_add(&out, "\n");
    tg_status s = out.failed ? TG_ENOMEM : tg_rundir_put(t->dir, "result.json", out.data);
    if (!s && t->o->json) s = tg_output(t->ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}

tg_status tg_training_result(tg_training *t, const char *stopped)
{
    const tg_place *at = &t->loop->place;
    const double rate = tg_training_rate(t), step_tokens = (double)tokens_of(t, 1);
    return tg_training_put_result(t, &(tg_outcome){
        .stopped = stopped, .steps = at->step, .epochs = epochs_of(t, at->step), .train_loss = t->train_loss,
        .val_loss = at->best_loss, .best_step = isnan(at->best_loss) ? at->step : at->best_step, .rate = rate,
        .gflops = t->loop->step_flops > 0 ? t->loop->step_flops / step_tokens * rate / 1e9 : (double)NAN,
        .params = tg_params_elements(tg_model_params(t->model)), .trained = tg_params_trained(t->loop->set), .model_sha256 = t->saver.model_sha256,
        .metrics = t->loop->metrics, .names = t->loop->metric_names, .values = t->loop->turns ? t->train_metrics : at->best_metric,
    });
}
