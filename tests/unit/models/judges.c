/* Tests of models/judges: against scikit-learn's, on real digits, at the edges. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "models/judges/judge.h"
#include "support/golden.h"
#include "support/shared.h"

enum { LEARN = 90, JUDGE = 40, D = 5, K = 3 };

static tg_judge *fitted(tg_judge_kind kind, const float *x, const int32_t *y, int64_t n, int64_t d, int64_t classes)
{
    tg_judge *j;
    CHECK_OK(tg_judge_fit(kind, x, y, n, d, classes, 1, &j));
    return j;
}

static void scores_are(golden *g, const char *name, const tg_judge *j, int64_t classes, double tolerance)
{
    double scores[JUDGE * K];
    float got[JUDGE * K];
    tg_judge_score(j, golden_tensor(g, "x")->data + LEARN * D, JUDGE, scores);
    for (int64_t i = 0; i < JUDGE * classes; i++) got[i] = (float)scores[i];
    test_note("%s: off by %lld millionths of the largest", name, (long long)(1e6 * golden_check(g, name, got, tolerance)));
}

TEST(judges_score_as_scikit_learns_do)
{
    golden g = golden_open("judges");
    const float *x = golden_tensor(&g, "x")->data;
    const int32_t *y = golden_tensor(&g, "y")->ids;
    tg_judge *logistic = fitted(TG_JUDGE_LOGISTIC, x, y, LEARN, D, K), *svm = fitted(TG_JUDGE_SVM, x, y, LEARN, D, K);
    scores_are(&g, "logistic", logistic, K, 2e-3);
    scores_are(&g, "svm", svm, K, 2e-3);
    tg_judge_free(logistic);
    tg_judge_free(svm);
    golden_close(&g);
}

TEST(an_svm_of_two_classes_is_one_plane)
{
    golden g = golden_open("judges");
    const float *x = golden_tensor(&g, "x")->data, *want = golden_tensor(&g, "svm_two")->data;
    int32_t y[LEARN];
    double scores[2 * JUDGE], sides[JUDGE];
    float got[JUDGE];
    for (int i = 0; i < LEARN; i++) y[i] = golden_tensor(&g, "y")->ids[i] == 1;
    tg_judge *j = fitted(TG_JUDGE_SVM, x, y, LEARN, D, 2);
    tg_judge_score(j, x + LEARN * D, JUDGE, scores);
    for (int i = 0; i < JUDGE; i++) {
        sides[i] = (double)want[i];
        got[i] = (float)scores[2 * i + 1];
        CHECK(scores[2 * i] == -scores[2 * i + 1]);
    }
    CHECK_CLOSE(got, sides, JUDGE, 2e-3);
    tg_judge_free(j);
    golden_close(&g);
}

/* scikit-learn's breaks ties between features by chance, so a few may fall on the other side. */
TEST(a_tree_knows_what_it_learned_and_judges_as_scikit_learns_does)
{
    golden g = golden_open("judges");
    const float *x = golden_tensor(&g, "x")->data;
    int32_t told[LEARN];
    int same = 0;
    tg_judge *j = fitted(TG_JUDGE_TREE, x, golden_tensor(&g, "y")->ids, LEARN, D, K);
    tg_judge_predict(j, x, LEARN, told);
    CHECK_BYTES(told, golden_tensor(&g, "tree_learned")->ids, sizeof told);
    tg_judge_predict(j, x + LEARN * D, JUDGE, told);
    for (int i = 0; i < JUDGE; i++) same += told[i] == golden_tensor(&g, "tree")->ids[i];
    test_note("%d of %d as scikit-learn's", same, JUDGE);
    CHECK(same >= JUDGE * 8 / 10);
    tg_judge_free(j);
    golden_close(&g);
}

TEST(a_tree_asks_the_question_in_the_middle)
{
    const float x[] = {1, 9, 2, 9, 5, 9, 6, 9}; /* the second feature says nothing */
    const int32_t y[] = {0, 0, 1, 1};
    const float asked[] = {3.4f, 0, 3.5f, 0, 3.6f, 0};
    int32_t told[3];
    tg_judge *j = fitted(TG_JUDGE_TREE, x, y, 4, 2, 2);
    tg_judge_predict(j, asked, 3, told);
    CHECK(told[0] == 0 && told[1] == 0 && told[2] == 1);
    tg_judge_free(j);
}

TEST(judges_of_examples_that_are_all_the_same_answer_as_most)
{
    float x[20];
    int32_t y[10], told;
    for (int i = 0; i < 20; i++) x[i] = 3;
    for (int i = 0; i < 10; i++) y[i] = i < 7;
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) {
        tg_judge *j = fitted((tg_judge_kind)kind, x, y, 10, 2, 2);
        tg_judge_predict(j, x, 1, &told);
        CHECK_INT(told, 1);
        tg_judge_free(j);
    }
}

TEST(judges_refuse_what_is_no_example)
{
    float x[] = {0, 1, NAN, 1};
    int32_t y[] = {0, 1};
    tg_judge *j;
    CHECK_ERROR(tg_judge_fit(TG_JUDGE_SVM, x, y, 2, 2, 2, 1, &j), TG_EINVAL, "number 0 of example 1 is not finite");
    CHECK_ERROR(tg_judge_fit(TG_JUDGE_TREE, x, y, 0, 2, 2, 1, &j), TG_EINVAL, "nothing that a judge could learn");
    CHECK_ERROR(tg_judge_fit(TG_JUDGE_TREE, x, y, 1, 2, TG_JUDGE_CLASSES + 1, 1, &j), TG_EINVAL, "257 classes");
    y[1] = 2;
    CHECK_ERROR(tg_judge_fit(TG_JUDGE_LOGISTIC, x, y, 2, 1, 2, 1, &j), TG_EINVAL, "example 1 is of class 2");
}

TEST(judges_without_memory_leave_nothing_behind)
{
    const float x[] = {1, 2, 5, 6};
    const int32_t y[] = {0, 0, 1, 1};
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++)
        for (int64_t n = 1, done = 0; !done; n++) {
            tg_judge *j = NULL;
            tg_alloc_fail_at(n, false);
            done = tg_judge_fit((tg_judge_kind)kind, x, y, 4, 1, 2, 1, &j) == TG_OK;
            tg_alloc_fail_at(0, false);
            tg_judge_free(j);
            CHECK_INT(tg_alloc_live(), 0);
        }
}

static int64_t read_digits(const char *name, float *x, int32_t *y)
{
    int64_t length, n = 0;
    char *text = shared_text(name, &length), *at = text, *next;
    for (; *at; n++) {
        for (int i = 0; i < 64; i++, at = next + 1) x[n * 64 + i] = (float)strtol(at, &next, 10);
        y[n] = (int32_t)strtol(at, &next, 10);
        at = next + strspn(next, "\r\n");
    }
    tg_free(text);
    return n;
}

TEST(judges_tell_digits_as_often_as_scikit_learns_do)
{
    static float learn[3823 * 64], judge[1797 * 64];
    static int32_t learn_y[3823], judge_y[1797], told[1797];
    CHECK_INT(read_digits("image/digits_8x8/optdigits.tra", learn, learn_y), 3823);
    CHECK_INT(read_digits("image/digits_8x8/optdigits.tes", judge, judge_y), 1797);
    golden g = golden_open("judges");
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) {
        tg_judge *j = fitted((tg_judge_kind)kind, learn, learn_y, 3823, 64, 10);
        int right = 0;
        tg_judge_predict(j, judge, 1797, told);
        for (int i = 0; i < 1797; i++) right += told[i] == judge_y[i];
        const double share = right / 1797.0, want = (double)golden_tensor(&g, "digits")->data[kind];
        test_note("%s: %d of 10,000, scikit-learn's %d", tg_judge_name((tg_judge_kind)kind), (int)(share * 1e4), (int)(want * 1e4));
        CHECK(fabs(share - want) <= 0.01);
        tg_judge_free(j);
    }
    golden_close(&g);
}
