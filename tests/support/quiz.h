/* quiz.h - a quiz to test with: verses or little pictures, half of them real, the others of two runs. */
#ifndef TG_TEST_QUIZ_H
#define TG_TEST_QUIZ_H
#include "base/hash.h"
#include "base/rng.h"
#include "data/image/image.h"
#include "run/quiz.h"
#include "support/files.h"

enum { QUIZ_ITEMS = 24 };

typedef struct made_quiz { tg_quiz quiz; tg_quiz_item items[QUIZ_ITEMS]; tg_str texts[QUIZ_ITEMS]; } made_quiz;

/* Hostile to HTML, to JSON, to terminals and to lines of few columns. */
static const char *const quiz_lines[] = {
    "The moon is up, the river still,\nA lantern climbs the eastern hill,\nand no one hears the water mill.",
    "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
    "</script><script>alert(1)</script><!-- & \"quotes\" 'n' `ticks` ${x}",
    ("  two blanks first\n\ttab\nbell \a escape \x1b[31mred\x1b[0m bytes \xff\xfe, right to left \xe2\x80\xae" "abc"),
    "averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutanyblankinitatall",
    "春风又绿江南岸，明月何时照我还。一行没有空格的很长的中文，用来检验换行：人生若只如初见，何事秋风悲画扇。",
};

static inline void make_picture(tg_str *out, uint64_t seed)
{
    uint8_t pixels[16 * 12 * 3];
    tg_rng r = tg_rng_at(seed, TG_RNG_TEST, 0);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)((i * (seed + 3) % 200) + tg_rng_u32(&r) % 56);
    CHECK_OK(tg_png_write(out, &(tg_image){16, 12, 3, pixels}));
}

/* The caller's by quiz_free; stays where it is. */
static inline void quiz_make(made_quiz *m, tg_kind kind, tg_lang lang)
{
    static const tg_quiz_source sources[] = {{"verses.safetensors", "00ff"}, {"runs/<a>", "11ee"}, {"runs/二", "22dd"}};
    *m = (made_quiz){.quiz = {.kind = kind, .lang = lang, .seed = 1, .sources = sources, .source_count = 3, .count = QUIZ_ITEMS}};
    for (int i = 0; i < QUIZ_ITEMS; i++) {
        const int source = i % 2 == 0 ? 0 : 1 + i / 2 % 2;
        if (kind == TG_KIND_IMAGE) make_picture(&m->texts[i], (uint64_t)i);
        else tg_str_addf(&m->texts[i], "%s\n%d", quiz_lines[i % 6], i);
        m->items[i] = (tg_quiz_item){m->texts[i].data, m->texts[i].length, source, 100 + i};
    }
    m->quiz.items = m->items;
}

static inline void quiz_free(made_quiz *m)
{
    for (int i = 0; i < QUIZ_ITEMS; i++) tg_str_free(&m->texts[i]);
}

static inline void quiz_put(const made_quiz *m, const char *path)
{
    tg_str page = {0};
    CHECK_OK(tg_quiz_write(&m->quiz, &page));
    CHECK_OK(tg_write_file(path, page.data, page.length));
    tg_str_free(&page);
}
#endif
