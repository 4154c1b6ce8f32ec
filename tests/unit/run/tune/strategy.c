/* Tests of run/tune/strategy.c, asha.c and tpe.c: points, promotions, that a study is the same however it is run, and that it
 * gets there in half of a grid's budget. */
#include "run/tune/strategy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/tune/objective.h"
#include "run/tune/strategy_parts.h"
#include "test.h"

enum { MOST_JOBS = 4000, SEEDS = 20 };

typedef struct study {
    tg_space *space;
    double (*value)(const tg_space *s, const tg_point *p, double trained);
    tg_strategy_options options;
    tg_tune_job jobs[MOST_JOBS];
    int64_t count;
    bool waited;
    bool trusted; /* strategies get results that they may not look at, too: it saves copies */
} study;

static study *study_of(const char *objective, tg_strategy kind, int64_t trials, uint64_t seed)
{
    study *y = tg_alloc(sizeof *y);
    const tg_objective *o;
    CHECK(y != NULL);
    CHECK_OK(tg_objective_find(objective, &o));
    CHECK_OK(tg_space_parse(NULL, 0, NULL, objective, &y->space));
    y->value = o->value;
    y->options = (tg_strategy_options){.kind = kind, .trials = trials, .lag = 4, .steps = 270, .rungs = 4, .reduction = 3,
                                       .seed = seed};
    return y;
}

static void end(study *y)
{
    tg_space_free(y->space);
    tg_free(y);
}

/* Appends the next job as whoever runs a study does; false: there is none. Of results that may not be
 * looked at yet it sees wrong ones. */
static bool launch(study *y)
{
    bool more = false, wait = true;
    int64_t seen = y->count - y->options.lag < 0 ? 0 : y->count - y->options.lag;
    CHECK(y->count < MOST_JOBS);
    for (; wait && seen <= y->count; seen++) {
        tg_tune_job *jobs = y->trusted ? y->jobs : tg_alloc_array(y->count + 1, sizeof *jobs);
        for (int64_t i = 0; i < y->count && !y->trusted; i++) {
            jobs[i] = y->jobs[i];
            jobs[i].known = i < seen;
            if (i >= seen) jobs[i].value = -1e9 * (double)i; /* a strategy that peeks goes wrong */
        }
        CHECK_OK(tg_strategy_next(&y->options, y->space, jobs, y->count, seen, &y->jobs[y->count], &more, &wait));
        y->waited |= wait;
        if (!y->trusted) tg_free(jobs);
    }
    CHECK(!wait);
    y->count += more;
    return more;
}

static double trained(const study *y, const tg_tune_job *j)
{
    return j->until ? (double)j->until / (double)y->options.steps : 1;
}

/* What the job costs, in whole trials: those steps that it adds. */
static double cost(const study *y, const tg_tune_job *j)
{
    const double before = j->rung ? (double)tg_strategy_steps(&y->options, j->rung - 1) / (double)y->options.steps : 0;
    return trained(y, j) - before;
}

/* Runs to the end of its trials, or of the budget in whole trials, or until the goal is reached; the budget that it took. */
static double run(study *y, double budget, double goal, double *best)
{
    double spent = 0;
    *best = INFINITY;
    while (spent < budget && *best > goal && launch(y)) {
        tg_tune_job *j = &y->jobs[y->count - 1];
        j->value = y->value(y->space, &j->point, trained(y, j));
        j->known = true;
        spent += cost(y, j);
        if (trained(y, j) == 1 && j->value < *best) *best = j->value;
    }
    return *best <= goal ? spent : INFINITY;
}

static void same_jobs(const study *a, const study *b)
{
    CHECK_INT(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++) {
        CHECK_INT(a->jobs[i].trial, b->jobs[i].trial);
        CHECK_INT(a->jobs[i].rung, b->jobs[i].rung);
        CHECK_INT(a->jobs[i].until, b->jobs[i].until);
        CHECK_BYTES(a->jobs[i].point.at, b->jobs[i].point.at, (int64_t)sizeof(double) * a->space->count);
    }
}

/* ---- points */

TEST(quasi_random_points_fill_the_space_more_evenly_than_random_ones)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        int rows[9] = {0}, columns[16] = {0}, boxes[36] = {0};
        for (int64_t n = 0; n < 144; n++) {
            const double x = tg_quasi(seed, 0, n), y = tg_quasi(seed, 1, n);
            CHECK(x >= 0 && x < 1 && y >= 0 && y < 1);
            columns[(int)(x * 16)]++;
            rows[(int)(y * 9)]++;
            boxes[(int)(x * 4) * 9 + (int)(y * 9)]++;
        }
        /* what holds of the sequence whatever the permutations: each box of 1/16, 1/9 and 1/4 by 1/9 has its share */
        for (int i = 0; i < 16; i++) CHECK_INT(columns[i], 9);
        for (int i = 0; i < 9; i++) CHECK_INT(rows[i], 16);
        for (int i = 0; i < 36; i++) CHECK_INT(boxes[i], 4);
    }
    CHECK(tg_quasi(1, 0, 7) != tg_quasi(2, 0, 7));
    /* axes 20 and 21, of primes 73 and 79, without permutations rise together through the first 73 points */
    int same = 0;
    for (int64_t n = 0; n < 72; n++)
        same += (tg_quasi(1, 20, n + 1) > tg_quasi(1, 20, n)) == (tg_quasi(1, 21, n + 1) > tg_quasi(1, 21, n));
    CHECK(same > 18 && same < 54);
}

TEST(points_hold_the_axes_that_apply_and_no_others)
{
    study *y = study_of("mixed", TG_STRATEGY_TPE, 60, 3);
    double best;
    const int model = tg_space_find(y->space, "model"), heads = tg_space_find(y->space, "heads");
    const int units = tg_space_find(y->space, "units");
    int of[2] = {0};
    run(y, INFINITY, -1, &best);
    CHECK_INT(y->count, 60);
    for (int64_t i = 0; i < y->count; i++) {
        const double *at = y->jobs[i].point.at;
        of[(int)at[model]]++;
        CHECK(isnan(at[heads]) == (at[model] == 1) && isnan(at[units]) == (at[model] == 0));
        for (int k = 0; k < y->space->count; k++) {
            const tg_axis *a = &y->space->axes[k];
            if (isnan(at[k])) continue;
            if (a->kind != TG_AXIS_REAL) CHECK(at[k] == floor(at[k]));
            if (a->kind == TG_AXIS_CHOICE) CHECK(at[k] >= 0 && at[k] < (double)a->count);
            else CHECK(at[k] >= a->low && at[k] <= a->high);
        }
    }
    CHECK(of[0] > 10 && of[1] > 5);
    end(y);
}

TEST(a_grid_ends_after_its_last_point)
{
    study *y = study_of("branin", TG_STRATEGY_GRID, 0, 1);
    double best;
    run(y, INFINITY, -1, &best);
    CHECK_INT(y->count, 256);
    for (int64_t i = 0; i < 256; i++)
        for (int64_t k = 0; k < i; k++) CHECK(memcmp(y->jobs[i].point.at, y->jobs[k].point.at, 2 * sizeof(double)) != 0);
    y->count = 0;
    y->options.trials = 10;
    run(y, INFINITY, -1, &best);
    CHECK_INT(y->count, 10);
    end(y);
}

/* ---- the same study however it is run */

TEST(a_study_that_is_replayed_gives_the_same_jobs)
{
    static const tg_strategy kinds[] = {TG_STRATEGY_RANDOM, TG_STRATEGY_GRID, TG_STRATEGY_ASHA, TG_STRATEGY_TPE};
    double best;
    for (int k = 0; k < 4; k++) {
        study *a = study_of("mixed", kinds[k], 40, 5), *b = study_of("mixed", kinds[k], 40, 5);
        study *c = study_of("mixed", kinds[k], 40, 6);
        run(a, INFINITY, -1, &best);
        run(b, 2, -1, &best); /* killed, and taken up again */
        CHECK(b->count < a->count);
        run(b, INFINITY, -1, &best);
        same_jobs(a, b);
        run(c, INFINITY, -1, &best);
        const bool differs = memcmp(a->jobs[0].point.at, c->jobs[0].point.at, sizeof a->jobs[0].point.at) != 0;
        CHECK(differs == (kinds[k] != TG_STRATEGY_GRID));
        end(a);
        end(b);
        end(c);
    }
}

/* ---- asha */

/* Of 27 trials by 3: 9, 3 and 1 go on, the best of their rung in the end, each from its own rung. */
TEST(asha_promotes_the_best_third_of_each_rung)
{
    study *y = study_of("branin", TG_STRATEGY_ASHA, 27, 2);
    double best;
    int64_t at_rung[4] = {0}, last[27];
    run(y, INFINITY, -1, &best);
    CHECK(y->waited);
    for (int i = 0; i < 27; i++) last[i] = -1;
    for (int64_t i = 0; i < y->count; i++) {
        const tg_tune_job *j = &y->jobs[i];
        static const int64_t until[] = {10, 30, 90, 0};
        at_rung[j->rung]++;
        CHECK_INT(j->until, until[j->rung]);
        CHECK_INT(j->rung, last[j->trial] + 1); /* no rung twice, none left out */
        last[j->trial] = j->rung;
        /* seen by then, it was among the best third of its rung */
        int64_t better = 0, all = 0;
        double own = 0;
        for (int64_t k = 0; k < i; k++)
            if (y->jobs[k].trial == j->trial && y->jobs[k].rung == j->rung - 1) own = y->jobs[k].value;
        for (int64_t k = 0; k < i && j->rung > 0; k++) {
            if (y->jobs[k].rung != j->rung - 1) continue;
            all++;
            better += y->jobs[k].value < own;
        }
        CHECK(j->rung == 0 || 3 * better < all + 3 * y->options.lag);
    }
    CHECK_INT(at_rung[0], 27);
    CHECK(at_rung[1] >= 9 && at_rung[2] >= 3 && at_rung[3] >= 1);
    end(y);
}

/* Values by hand, reduction 3, two rungs: what is promoted, when, and when there is nothing but to wait. */
TEST(asha_decides_from_results_that_may_be_seen)
{
    study *y = study_of("branin", TG_STRATEGY_ASHA, 6, 2);
    static const double values[] = {3, 1, NAN, 2, 5, 4};
    tg_tune_job next;
    bool more, wait;
    y->options.rungs = 2;
    for (int i = 0; i < 6; i++) y->jobs[i] = (tg_tune_job){.trial = i, .known = true, .value = values[i], .until = 90};
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 5, 2, &next, &more, &wait));
    CHECK(more && !wait && next.trial == 5 && next.rung == 0 && next.until == 90); /* a third of two is none: a new trial */
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 6, 2, &next, &more, &wait));
    CHECK(!more && wait); /* and there is no new one left */
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 6, 3, &next, &more, &wait));
    CHECK(more && !wait && next.trial == 1 && next.rung == 1 && next.until == 0);
    y->jobs[6] = next;
    y->jobs[6].known = true;
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 7, 5, &next, &more, &wait));
    CHECK(!more && wait);
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 7, 6, &next, &more, &wait));
    CHECK(more && next.trial == 3 && next.rung == 1);
    y->jobs[7] = next;
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 8, 8, &next, &more, &wait));
    CHECK(!more && !wait); /* over */
    for (int i = 0; i < 6; i++) y->jobs[i].value = NAN;
    CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, 6, 6, &next, &more, &wait));
    CHECK(!more && !wait); /* what failed is not trained on */
    end(y);
}

TEST(options_of_asha_that_lead_nowhere_are_refused)
{
    study *y = study_of("branin", TG_STRATEGY_ASHA, 26, 1);
    CHECK_ERROR(tg_strategy_check(&y->options, y->space), TG_EUSAGE,
                "of 26 trials none would reach the last of 4 rungs; give --trials 27");
    y->options.trials = 27;
    CHECK_OK(tg_strategy_check(&y->options, y->space));
    y->options.steps = 26;
    CHECK_ERROR(tg_strategy_check(&y->options, y->space), TG_EUSAGE, "26 steps are too few for 4 rungs");
    y->options.reduction = 1;
    CHECK_ERROR(tg_strategy_check(&y->options, y->space), TG_EUSAGE, "reduction of 2 or more");
    end(y);
}

/* ---- tpe */

/* A valley in one axis of two; the choice that is worst; a trial that failed is as bad as can be. */
TEST(tpe_goes_where_results_are_good)
{
    study *y = study_of("mixed", TG_STRATEGY_TPE, 0, 1);
    const int act = tg_space_find(y->space, "act"), lr = tg_space_find(y->space, "lr");
    int sine = 0, near = 0;
    for (int i = 0; i < 60; i++) {
        CHECK(launch(y));
        tg_tune_job *j = &y->jobs[i];
        const double far = fabs(log(j->point.at[lr] / 1e-2));
        j->known = true;
        j->value = j->point.at[act] == 3 ? NAN : far;
        if (i >= 30) sine += j->point.at[act] == 3;
        if (i >= 30) near += far < log(4.0);
    }
    test_note("%d sine, %d near of 30", sine, near);
    CHECK(sine <= 3);  /* 7 of 30 by chance */
    CHECK(near >= 20); /* 7 of 30 by chance */
    end(y);
}

/* Many at once: each lowers what is promised beside it (1.48 to the nearest; 0.59 where they are not looked at). */
TEST(tpe_keeps_away_from_trials_that_still_run)
{
    double apart = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        study *y = study_of("branin", TG_STRATEGY_TPE, 0, seed);
        double best;
        run(y, 30, -1, &best);
        bool more, wait;
        for (; y->count < 54; y->count++)
            CHECK_OK(tg_strategy_next(&y->options, y->space, y->jobs, y->count, 30, &y->jobs[y->count], &more, &wait));
        for (int64_t i = 30; i < 54; i++) {
            double nearest = INFINITY;
            for (int64_t k = 30; k < 54; k++) {
                const double *a = y->jobs[i].point.at, *b = y->jobs[k].point.at;
                if (k != i) nearest = fmin(nearest, hypot(a[0] - b[0], a[1] - b[1]));
            }
            apart += nearest / (5 * 24);
        }
        end(y);
    }
    test_note("%.2f to the nearest, on average", apart);
    CHECK(apart > 1);
}

TEST(tpe_asks_for_no_point_twice_while_there_are_others)
{
    static const char *const items[] = {"x1=1,2,3", "x2=1,2,3,4,5,6"};
    study *y = study_of("branin", TG_STRATEGY_TPE, 0, 1);
    tg_space_free(y->space);
    CHECK_OK(tg_space_parse(items, 2, NULL, "branin", &y->space));
    double best;
    run(y, 18, -1, &best);
    for (int64_t i = 0; i < 18; i++)
        for (int64_t k = 0; k < i; k++) CHECK(memcmp(y->jobs[i].point.at, y->jobs[k].point.at, 2 * sizeof(double)) != 0);
    run(y, 10, -1, &best); /* all have been asked for: it goes on all the same */
    CHECK_INT(y->count, 28);
    end(y);
}

/* ---- in half of a grid's budget */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double values[SEEDS])
{
    qsort(values, SEEDS, sizeof *values, by_size);
    return (values[SEEDS / 2 - 1] + values[SEEDS / 2]) / 2;
}

static double best_of_grid(const study *y)
{
    double best = INFINITY;
    tg_point p;
    for (int64_t i = 0; i < tg_space_grid(y->space); i++) {
        tg_space_grid_at(y->space, i, &p);
        const double value = y->value(y->space, &p, 1);
        if (value < best) best = value;
    }
    return best;
}

/* Medians of what tpe, asha and random search take to reach the goal, in whole trials; those that have not reached it after half
 * of the grid's count as endless. */
static void race(study *(*make)(tg_strategy kind, uint64_t seed), const char *what, double goal, double grid)
{
    static const tg_strategy kinds[] = {TG_STRATEGY_TPE, TG_STRATEGY_ASHA, TG_STRATEGY_RANDOM};
    static const char *const names[] = {"tpe", "asha", "random"};
    for (int k = 0; k < 3; k++) {
        double took[SEEDS], best[SEEDS];
        int reached = 0;
        for (int i = 0; i < SEEDS; i++) {
            study *y = make(kinds[k], (uint64_t)i + 1);
            y->trusted = true;
            took[i] = run(y, grid / 2, goal, &best[i]);
            reached += took[i] <= grid / 2;
            end(y);
        }
        const double middle = median(took);
        test_note("%s: %s reaches the best of %.0f, %.4f, in %.1f (median; inf: not in half), %d of %d seeds in half", what,
                  names[k], grid, goal, middle, reached, SEEDS);
        if (k < 2 && !(middle <= grid / 2))
            test_failed(__FILE__, __LINE__, "%s: %s takes more than half of the grid's budget", what, names[k]);
    }
}

static study *branin(tg_strategy kind, uint64_t seed)
{
    return study_of("branin", kind, 0, seed);
}

TEST(tpe_and_asha_reach_the_best_of_a_grid_of_branin_in_half_of_its_budget)
{
    study *y = branin(TG_STRATEGY_GRID, 1);
    race(branin, "branin", best_of_grid(y), (double)tg_space_grid(y->space));
    end(y);
}

/* Losses of small LSTMs on 100 kB of text: tests/golden/tune_lstm.sh. */
enum { LSTMS = 648, LOOKS = 4 };
static double lstms[LSTMS][LOOKS];

static void read_lstms(void)
{
    FILE *f = fopen("tests/golden/tune_lstm.txt", "r");
    int n = 0;
    CHECK(f != NULL);
    for (; n < LSTMS; n++) {
        double *l = lstms[n];
        if (fscanf(f, "%*s %*d %*d %*d %*f %lf %lf %lf %lf", &l[0], &l[1], &l[2], &l[3]) != LOOKS) break;
    }
    fclose(f);
    CHECK_INT(n, LSTMS);
}

/* Of the nearest learning rate of the table. */
static double lstm_value(const tg_space *s, const tg_point *p, double trained)
{
    const int64_t lr = (int64_t)floor(log2(p->at[tg_space_find(s, "lr")] / 0.0005) + 0.5);
    int64_t row = (int64_t)p->at[tg_space_find(s, "optimizer")];
    row = row * 3 + (int64_t)p->at[tg_space_find(s, "seq")];
    row = row * 2 + (int64_t)p->at[tg_space_find(s, "layers")];
    row = row * 4 + (int64_t)p->at[tg_space_find(s, "hidden")];
    return lstms[row * 9 + lr][trained > 0.9 ? 3 : trained > 0.3 ? 2 : trained > 0.1 ? 1 : 0];
}

static study *lstm(tg_strategy kind, uint64_t seed)
{
    static const char *const items[] = {"lr=0.0005:0.128:log:9", "hidden=16,32,48,64", "layers=1,2", "optimizer=adam,rmsprop,sgd",
                                        "seq=8,16,32"};
    study *y = study_of("branin", kind, 0, seed);
    tg_space_free(y->space);
    CHECK_OK(tg_space_parse(items, 5, "lstm", NULL, &y->space));
    y->value = lstm_value;
    y->options.steps = 810;
    return y;
}

TEST(tpe_and_asha_reach_the_best_of_a_grid_of_lstms_in_half_of_its_budget)
{
    read_lstms();
    study *y = lstm(TG_STRATEGY_GRID, 1);
    CHECK_INT(tg_space_grid(y->space), LSTMS);
    const double best = best_of_grid(y);
    race(lstm, "lstm", best, LSTMS);
    /* of a coarse grid: every second rate, three widths, two lengths */
    static const char *const items[] = {"lr=0.0005:0.128:log:5", "hidden=16,32,64", "layers=1,2", "optimizer=adam,rmsprop,sgd",
                                        "seq=8,32"};
    double coarse = INFINITY;
    for (int i = 0; i < LSTMS; i++)
        if (i % 9 % 2 == 0 && i / 9 % 4 != 2 && i / 72 % 3 != 1 && lstms[i][3] < coarse) coarse = lstms[i][3];
    tg_space *s;
    CHECK_OK(tg_space_parse(items, 5, "lstm", NULL, &s));
    race(lstm, "lstm, coarse", coarse, (double)tg_space_grid(s));
    tg_space_free(s);
    end(y);
}

TEST(strategies_survive_any_allocation_that_fails)
{
    static const tg_strategy kinds[] = {TG_STRATEGY_ASHA, TG_STRATEGY_TPE};
    double best;
    for (int k = 0; k < 2; k++) {
        study *y = study_of("mixed", kinds[k], 30, 1);
        tg_tune_job next;
        bool more, wait;
        run(y, k ? 20 : 1, -1, &best);
        const int64_t live = tg_alloc_live();
        tg_status s = TG_ENOMEM;
        int64_t n = 0;
        for (n = 1; s; n++) {
            tg_alloc_fail_at(n, false);
            s = tg_strategy_next(&y->options, y->space, y->jobs, y->count, y->count, &next, &more, &wait);
            tg_alloc_fail_at(0, false);
            CHECK(s == TG_OK || s == TG_ENOMEM);
            CHECK_INT(tg_alloc_live(), live);
        }
        CHECK(n > 2);
        end(y);
    }
}
