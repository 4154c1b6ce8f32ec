/* synth_couplets.c - Chinese parallel couplets. Both lines fill the same pattern, so they are equally long and word
 * stands against word of its kind; no character comes twice; the upper line closes on an oblique tone (仄), the lower on
 * a level one (平). A pattern is a row of slots, a character each (T: two); in the last one the tone decides. */
#include <string.h>

#include "data/synth.h"

enum { LEVEL, OBLIQUE, ANY };

/* Each list is a text of characters of three bytes, or of six for T. */
static const struct { char slot; int size; const char *of[2]; } lists[] = {
    /* things: level, oblique */
    {'N', 3, {"风云山花松溪江春烟泉莺霜桥舟灯梅荷霞峰楼", "月水雨雪竹柳鸟草路树叶露日海影浪雁岸院岭"}},
    /* what they are like */
    {'A', 3, {"青红清明新寒轻疏幽孤香高", "白绿古远素碧暖翠静淡小晓"}},
    /* what one does to the other */
    {'V', 3, {"迎随临穿开摇藏归", "照映送染拂入过伴绕满度落"}},
    /* what one does by itself */
    {'I', 3, {"开飞来归生回流鸣", "落静暖去起动醉舞"}},
    {'M', 3, {"千三双", "一万百几两半"}},
    /* where */
    {'D', 3, {"前中边间旁西东南", "上下里外后北畔"}},
    /* when */
    {'T', 6, {"风前春来花间天明秋来", "雨后月下日暮夜半晓起雪后"}},
};
enum { LISTS = sizeof lists / sizeof lists[0], LINE = 64 };

static const char *const five[] = {"ANVAN", "NIAND", "MNVMN", "TNVN", "NDNVN", "ANMNI", "NVANI"};
static const char *const seven[] = {"MNANVAN", "TANVAN", "ANTVAN", "NDANVMN", "ANVNMNI", "TNVANI", "NDMNANI"};
#define COUNT(list) ((int64_t)(sizeof(list) / sizeof *(list)))

/* Whether a word's characters (size bytes in all, three each) are in neither line. */
static bool is_new(const char *word, int size, const char *line, const char *other)
{
    for (int i = 0; i < size; i += 3) {
        char one[4] = {word[i], word[i + 1], word[i + 2], 0};
        if (strstr(line, one) || strstr(other, one)) return false;
    }
    return true;
}

/* A word of the slot that neither line has yet: drawn; if luck fails the first that is new; NULL: none is. */
static const char *find_word(tg_rng *r, const char *of, int size, const char *line, const char *other)
{
    const int64_t count = (int64_t)strlen(of) / size, draws = 20;
    for (int64_t tries = 0; tries < draws + count; tries++) {
        const char *word = of + (tries < draws ? tg_synth_pick(r, count) : tries - draws) * size;
        if (is_new(word, size, line, other)) return word;
    }
    return NULL;
}

/* The patterns are short and the lists long enough that one of the two always has a word. */
static void add_word(tg_rng *r, char slot, int tone, const char *other, char line[LINE])
{
    int l = 0;
    while (l < LISTS - 1 && lists[l].slot != slot) l++;
    const int size = lists[l].size;
    const int64_t half = tone == ANY ? tg_rng_below(r, 2) : tone;
    const char *word = find_word(r, lists[l].of[half], size, line, other);
    if (!word && tone == ANY) word = find_word(r, lists[l].of[1 - half], size, line, other);
    if (!word) word = lists[l].of[half];
    const size_t used = strlen(line);
    memcpy(line + used, word, (size_t)size);
    line[used + (size_t)size] = 0;
}

static void make_line(tg_rng *r, const char *pattern, int tone, const char *other, char line[LINE])
{
    line[0] = 0;
    for (const char *at = pattern; *at; at++) add_word(r, *at, at[1] ? ANY : tone, other, line);
}

void tg_synth_couplet(tg_rng *r, int variant, tg_str *out)
{
    if (variant < 0) variant = (int)tg_rng_below(r, 2);
    const char *pattern = variant == 0 ? five[tg_synth_pick(r, COUNT(five))] : seven[tg_synth_pick(r, COUNT(seven))];
    char upper[LINE], lower[LINE];
    make_line(r, pattern, OBLIQUE, "", upper);
    make_line(r, pattern, LEVEL, upper, lower);
    tg_str_add(out, upper);
    tg_str_add(out, "，");
    tg_str_add(out, lower);
    tg_str_add(out, "。\n");
}
