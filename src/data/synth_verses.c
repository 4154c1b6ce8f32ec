/* synth_verses.c - English verse. A line is a template in iambic metre (weak STRONG weak STRONG ...) whose slots take
 * words of one stress pattern each, so every line scans; rhyme words come in families. So there is something to learn
 * at each length: spelling, then which word may follow which, then the line's measure, last the rhyme. */
#include <string.h>

#include "data/synth.h"

enum { FAMILY = 5, RHYMES = 18, LINE = 96 };

static const char *const families[RHYMES][FAMILY] = {
    {"night", "light", "height", "sight", "flight"}, {"hill", "mill", "rill", "sill", "quill"},
    {"sea", "tree", "lea", "quay", "bee"},           {"shore", "door", "floor", "store", "moor"},
    {"rain", "lane", "plain", "pane", "grain"},      {"stream", "beam", "dream", "gleam", "team"},
    {"stone", "throne", "bone", "cone", "tone"},     {"wall", "hall", "fall", "stall", "ball"},
    {"bay", "day", "way", "hay", "clay"},            {"snow", "crow", "glow", "flow", "row"},
    {"ground", "mound", "sound", "hound", "round"},  {"reed", "seed", "mead", "weed", "bead"},
    {"brook", "nook", "book", "crook", "hook"},      {"square", "stair", "fair", "chair", "pear"},
    {"spring", "ring", "wing", "king", "string"},    {"vale", "gale", "sail", "dale", "tale"},
    {"moon", "tune", "dune", "June", "spoon"},       {"town", "crown", "down", "gown", "clown"},
};

/* One list a slot letter; no word begins with a vowel sound where "a" may stand before it. */
static const struct { char slot; const char *const words[21]; } lists[] = {
    /* STRONG */
    {'a', {"pale", "cold", "deep", "soft", "bright", "long", "low", "green", "grey", "wild", "slow", "warm",
           "white", "dark", "dim", "clear", "young", NULL}},
    /* STRONG weak */
    {'A', {"silver", "golden", "quiet", "hollow", "winter", "summer", "gentle", "lonely", "hidden", "little",
           "morning", "sleepy", "dusty", "misty", "broken", "shining", "patient", "distant", "frosty", "narrow",
           NULL}},
    /* a thing, STRONG */
    {'n', {"wind", "bell", "boat", "bird", "road", "leaf", "rose", "star", "cloud", "song", "lamp", "fox",
           "hare", "hearth", "mist", "thorn", "gate", "bridge", "cart", NULL}},
    /* a thing, STRONG weak */
    {'N', {"river", "willow", "meadow", "lantern", "sparrow", "garden", "harbour", "shepherd", "miller",
           "window", "raven", "candle", "farmer", "sailor", "swallow", "blackbird", "thicket", "heron", "piper",
           NULL}},
    /* things, STRONG weak */
    {'P', {"willows", "lanterns", "shadows", "swallows", "sparrows", "ploughmen", "children", "sailors",
           "waters", "branches", "lilies", "starlings", "shepherds", "rushes", "daisies", "bridges", NULL}},
    /* STRONG, has an object */
    {'v', {"find", "know", "hear", "keep", "wake", "warm", "guard", "bless", "cross", "light", "hold", "call",
           "leave", "greet", NULL}},
    /* STRONG, has none */
    {'i', {"sleep", "sing", "wait", "turn", "rest", "shine", "drift", "dance", "fade", "wake", "rise", "stand",
           NULL}},
    /* the same, third person */
    {'s', {"sleeps", "sings", "waits", "turns", "rests", "shines", "drifts", "fades", "wakes", "stands",
           "climbs", "calls", "bends", "dreams", NULL}},
    /* STRONG, past */
    {'d', {"found", "heard", "kept", "crossed", "held", "lost", "saw", "left", "knew", "loved", "sought",
           "blessed", NULL}},
    /* weak STRONG */
    {'b', {"above", "below", "beside", "beneath", "along", "across", "beyond", "behind", "around", "before",
           NULL}},
};
enum { LISTS = sizeof lists / sizeof lists[0] };

/* Four feet, any end; four feet and a rhyme (R); three feet and a rhyme. */
static const char *const open_lines[] = {
    "when %a and %a the %N %s", "the %N %d the %A %n", "I %d a %A %n at dawn", "come, %N, %i, the %n is %a",
    "the %P %i, the %n is %a", "my %N %d a %n of %n", "and %b the %n the %P %i", "a %A %N %s at dusk",
    "the %n was %a, the %n was %a",
};
static const char *const long_lines[] = {
    "the %A %n will %v the %R", "and %P %i %b the %R", "the %N %s %b the %R", "I %d a %n %b the %R",
    "a %n of %n, a %n of %R", "no %n can %v the %A %R", "O %A %n, O %A %R", "they %d the %N by the %R",
    "the %n is %a, and %a the %R", "who %d the %n will %v the %R",
};
static const char *const short_lines[] = {
    "%b the %A %R", "and %d the %A %R", "the %N and the %R", "as %a as any %R", "and %P by the %R", "to %v the %A %R",
    "a %n %b the %R",
};
#define COUNT(list) ((int64_t)(sizeof(list) / sizeof *(list)))

static const char *word_for(tg_rng *r, char slot)
{
    for (int l = 0; l < LISTS; l++) {
        if (lists[l].slot != slot) continue;
        int64_t n = 0;
        while (lists[l].words[n]) n++;
        return lists[l].words[tg_synth_pick(r, n)];
    }
    return "";
}

static void append(char line[LINE], const char *text)
{
    size_t used = strlen(line), more = strlen(text);
    if (used + more < LINE) memcpy(line + used, text, more + 1);
}

/* Fills a template; no word comes twice in a line. */
static void make_line(tg_rng *r, const char *template, const char *rhyme, char line[LINE])
{
    line[0] = 0;
    for (const char *at = template; *at; at++) {
        if (*at != '%') {
            append(line, (char[2]){*at, 0});
            continue;
        }
        at++;
        const char *word = *at == 'R' ? rhyme : word_for(r, *at);
        for (int tries = 0; *at != 'R' && tries < 8 && (strstr(line, word) || strcmp(word, rhyme) == 0); tries++)
            word = word_for(r, *at);
        append(line, word);
    }
    if (line[0] >= 'a' && line[0] <= 'z') line[0] = (char)(line[0] - 'a' + 'A');
}

static void put_line(tg_str *out, const char *line, const char *end)
{
    tg_str_add(out, line);
    tg_str_add(out, end);
    tg_str_add(out, "\n");
}

/* Two different words of one family. */
static void rhyme_pair(tg_rng *r, const char **a, const char **b)
{
    const char *const *family = families[tg_rng_below(r, RHYMES)];
    int64_t first = tg_synth_pick(r, FAMILY), second = tg_rng_below(r, FAMILY - 1);
    *a = family[first];
    *b = family[second + (second >= first)];
}

/* Another word of b's family. */
static const char *rhyme_with(tg_rng *r, const char *b)
{
    for (int f = 0; f < RHYMES; f++)
        for (int w = 0; w < FAMILY; w++)
            if (families[f][w] == b) return families[f][(w + 1 + tg_rng_below(r, FAMILY - 1)) % FAMILY];
    return b;
}

/* x R x R'; with a refrain the last line is given, and the second rhymes with it. */
static void ballad_stanza(tg_rng *r, const char *rhyme, const char *second, const char *refrain, tg_str *out)
{
    char line[LINE];
    make_line(r, open_lines[tg_rng_below(r, COUNT(open_lines))], "", line);
    put_line(out, line, ",");
    make_line(r, short_lines[tg_rng_below(r, COUNT(short_lines))], rhyme, line);
    put_line(out, line, ";");
    make_line(r, open_lines[tg_rng_below(r, COUNT(open_lines))], "", line);
    put_line(out, line, ",");
    if (!refrain) make_line(r, short_lines[tg_rng_below(r, COUNT(short_lines))], second, line);
    put_line(out, refrain ? refrain : line, ".");
}

static void couplet_stanza(tg_rng *r, tg_str *out)
{
    static const char *const ends[4] = {",", ";", ",", "."};
    const char *rhyme[2];
    char line[LINE];
    for (int i = 0; i < 4; i++) {
        if (i % 2 == 0) rhyme_pair(r, &rhyme[0], &rhyme[1]);
        make_line(r, long_lines[tg_rng_below(r, COUNT(long_lines))], rhyme[i % 2], line);
        put_line(out, line, ends[i]);
    }
}

static void ballad(tg_rng *r, int64_t stanzas, tg_str *out)
{
    bool sings = tg_rng_below(r, 2) == 0;
    char refrain[LINE];
    const char *a, *b;
    rhyme_pair(r, &a, &b);
    make_line(r, short_lines[tg_rng_below(r, COUNT(short_lines))], b, refrain);
    for (int64_t i = 0; i < stanzas; i++) {
        if (sings) a = rhyme_with(r, b);
        else rhyme_pair(r, &a, &b);
        ballad_stanza(r, a, b, sings ? refrain : NULL, out);
        tg_str_add(out, "\n");
    }
}

void tg_synth_verse(tg_rng *r, int variant, tg_str *out)
{
    if (variant < 0) variant = (int)tg_rng_below(r, 2);
    int64_t stanzas = 2 + tg_rng_below(r, 2);
    if (variant == 0) {
        ballad(r, stanzas, out);
        return;
    }
    for (int64_t i = 0; i < stanzas; i++) {
        couplet_stanza(r, out);
        tg_str_add(out, "\n");
    }
}
