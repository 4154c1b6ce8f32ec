/* Tests of run/tune/objective.c: published minima and coefficients. */
#include "run/tune/objective.h"

#include <math.h>

#include "test.h"

static double value(const char *name, const tg_space *s, const tg_point *p, double trained)
{
    const tg_objective *o;
    CHECK_OK(tg_objective_find(name, &o));
    return o->value(s, p, trained);
}

/* Branin as in Dixon and Szego 1978; with z of the training, coefficients as in Kandasamy et al. 2017, 4.1 and its appendix. */
static double published(double x1, double x2, double z)
{
    const double pi = acos(-1), off = 1 - z;
    const double b = 5.1 / (4 * pi * pi) - 0.01 * off, c = 5 / pi - 0.1 * off, t = 1 / (8 * pi) + 0.05 * off;
    return pow(x2 - b * x1 * x1 + c * x1 - 6, 2) + 10 * (1 - t) * cos(x1) + 10;
}

TEST(branin_has_its_published_minima_and_coefficients)
{
    static const double minima[][2] = {{-3.14159265, 12.275}, {3.14159265, 2.275}, {9.42477796, 2.475}};
    tg_space *s;
    CHECK_OK(tg_space_parse(NULL, 0, NULL, "branin", &s));
    for (int i = 0; i < 3; i++) {
        const tg_point p = {{minima[i][0], minima[i][1]}};
        CHECK(fabs(value("branin", s, &p, 1) - 0.397887) < 2e-6);
    }
    for (int64_t i = 0; i < tg_space_grid(s); i++) {
        tg_point p;
        tg_space_grid_at(s, i, &p);
        for (int k = 0; k <= 4; k++) {
            const double z = k / 4.0, want = published(p.at[0], p.at[1], z);
            CHECK(fabs(value("branin", s, &p, z) - want) < 1e-5 * (1 + want));
        }
    }
    tg_space_free(s);
}

TEST(the_mixed_objective_is_least_where_all_its_settings_are_right)
{
    static const char *const best[] = {"model=attention", "lr=3e-3,1e-1", "layers=5", "act=gelu,relu", "heads=8,2",
                                       "dropout=0.2,0.5"};
    static const char *const other[] = {"model=recurrence", "lr=3e-3", "layers=5", "act=gelu", "units=256,64"};
    tg_space *s;
    tg_point p;
    CHECK_OK(tg_space_parse(best, 6, NULL, "mixed", &s));
    CHECK_INT(tg_space_grid(s), 16);
    for (int64_t i = 0; i < 16; i++) {
        tg_space_grid_at(s, i, &p);
        const double y = value("mixed", s, &p, 1);
        CHECK(i == 0 ? fabs(y) < 1e-9 : y > 0.1);
        CHECK(value("mixed", s, &p, 0.1) > y);
    }
    tg_space_free(s);
    CHECK_OK(tg_space_parse(other, 5, NULL, "mixed", &s));
    tg_space_grid_at(s, 0, &p);
    CHECK(fabs(value("mixed", s, &p, 1) - 0.15) < 1e-9);
    tg_space_grid_at(s, 1, &p);
    CHECK(value("mixed", s, &p, 1) > 0.2);
    tg_space_free(s);
}
