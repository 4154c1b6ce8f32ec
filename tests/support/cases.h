/* cases.h - a golden file of cases, a JSON object a line with its kind under "what"; texts in which U+F700 + byte stands for
 * that byte, whatever it is. */
#ifndef TG_TEST_CASES_H
#define TG_TEST_CASES_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "run/metrics/words.h"
#include "test.h"

typedef struct cases { tg_arena *arena; char *text, *at; int64_t line, count; const char *name, *what; } cases;

/* The cases of tests/golden/NAME of one kind. */
static inline cases cases_open(const char *name, const char *what)
{
    const char *source = getenv("TINYGEN_SRC");
    char path[4096];
    int64_t length;
    cases c = {.arena = tg_arena_new(1 << 16), .name = name, .what = what};
    snprintf(path, sizeof path, "%s/tests/golden/%s", source ? source : ".", name);
    CHECK(c.arena != NULL);
    CHECK_OK(tg_file_slurp(path, 1 << 24, &c.text, &length));
    c.at = c.text;
    return c;
}

/* The next one, as long as the cases; NULL: there were no more, of some. */
static inline const tg_json *cases_next(cases *c)
{
    for (char *stop; (stop = strchr(c->at, '\n')); c->at = stop + 1) {
        const tg_json *json;
        c->line++;
        CHECK_OK(tg_json_parse(c->arena, c->name, c->at, stop - c->at, &json));
        if (strcmp(tg_json_text(json, "what"), c->what) != 0) continue;
        c->at = stop + 1;
        c->count++;
        return json;
    }
    CHECK(c->count > 0);
    test_note("%lld cases", (long long)c->count);
    tg_free(c->text);
    tg_arena_free(c->arena);
    return NULL;
}

/* An array of texts, at the ends of their blocks, so that a read behind one is seen. */
static inline tg_text *cases_texts(cases *c, const tg_json *array, int64_t *count)
{
    tg_text *texts = tg_arena_alloc(c->arena, (array->integer + 1) * (int64_t)sizeof *texts);
    *count = 0;
    for (const tg_json *t = array->child; t; t = t->next) {
        char *bytes = tg_arena_alloc(c->arena, t->length + 1), *put = bytes;
        for (const char *at = t->text, *end = at + t->length; at < end;) {
            uint32_t code = 0;
            const int size = tg_utf8_next(at, end, &code);
            if (code >= 0xf700 && code < 0xf800) *put++ = (char)(code - 0xf700);
            else for (int i = 0; i < size; i++) *put++ = at[i];
            at += size;
        }
        texts[(*count)++] = (tg_text){bytes, put - bytes};
    }
    return texts;
}

/* x is the member `key` of the case, as near as `tolerance`; null is NaN. */
static inline void cases_real(const cases *c, const tg_json *object, const char *key, double x, double tolerance)
{
    const tg_json *want = tg_json_get(object, key);
    if (!want) test_failed(__FILE__, __LINE__, "%s:%lld: no %s", c->name, (long long)c->line, key);
    else if (want->type == TG_JSON_NULL ? !isnan(x) : !(fabs(x - want->real) <= tolerance))
        test_failed(__FILE__, __LINE__, "%s:%lld: %s is %.17g, not %.17g", c->name, (long long)c->line, key, x,
                    want->type == TG_JSON_NULL ? (double)NAN : want->real);
}

static inline void cases_int(const cases *c, const tg_json *object, const char *key, int64_t x)
{
    cases_real(c, object, key, (double)x, 0);
}

static inline void cases_ints(const cases *c, const tg_json *object, const char *key, const int64_t *x, int64_t count)
{
    const tg_json *array = tg_json_get(object, key), *want = array ? array->child : NULL;
    for (int64_t i = 0; i < count || want; i++, want = want ? want->next : NULL)
        if (i >= count || !want || want->integer != x[i])
            test_failed(__FILE__, __LINE__, "%s:%lld: %s[%lld] is %lld, not %lld (of %lld)", c->name, (long long)c->line, key,
                        (long long)i, i < count ? (long long)x[i] : -1, want ? (long long)want->integer : -1,
                        array ? (long long)array->integer : -1);
}
#endif
