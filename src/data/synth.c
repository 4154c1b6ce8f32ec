/* synth.c - which grammar, how much of it. */
#include "data/synth.h"

#include <inttypes.h>
#include <string.h>

typedef struct grammar {
    const char *name, *variants[6];
    void (*poem)(tg_rng *r, int variant, tg_str *out); /* NULL: it makes no text */
    const char *kind;
} grammar;

static const grammar grammars[] = {
    {"verses", {"ballad", "couplet", NULL}, tg_synth_verse, "text"},
    {"couplets", {"five", "seven", NULL}, tg_synth_couplet, "text"},
    {"tasks", {"copy", "reverse", "add", NULL}, tg_synth_task, "text"},
    {"shapes", {"colour", "grey", NULL}, NULL, "image"},
    {"points", {"8gaussians", "25gaussians", "swissroll", "moons", "pinwheel", NULL}, NULL, "points"},
};
enum { GRAMMARS = sizeof grammars / sizeof grammars[0] };
static const char prefix[] = "synth:";

const char *tg_synth_list(void)
{
    return "synth:verses            English verse, iambic and rhymed: ballads and couplets in turn\n"
           "synth:verses:ballad     lines of four and three feet, the second and fourth rhyme\n"
           "synth:verses:couplet    lines of four feet that rhyme in pairs\n"
           "synth:couplets          Chinese parallel couplets of five and seven characters\n"
           "synth:couplets:five     five characters a line\n"
           "synth:couplets:seven    seven characters a line\n"
           "synth:tasks             problems, one a line: copy abcd=abcd, reverse abcd=dcba, 12+34=46\n"
           "synth:tasks:copy        copy three to six letters\n"
           "synth:tasks:reverse     the same backwards\n"
           "synth:tasks:add         two-digit additions\n"
           "synth:shapes            pictures, 32 x 32: circle, square, triangle, cross, ring, of any colour; --limit N of them\n"
           "synth:shapes:grey       the same in grey\n"
           "synth:points:8gaussians  points of the plane, --limit N of them: eight on a ring\n"
           "synth:points:25gaussians twenty-five on a grid\n"
           "synth:points:swissroll   a spiral\n"
           "synth:points:moons       two half circles\n"
           "synth:points:pinwheel    five bent arms\n";
}

bool tg_synth_is(const char *source)
{
    return tg_starts_with(source, prefix);
}

int64_t tg_synth_pick(tg_rng *r, int64_t n)
{
    int64_t a = tg_rng_below(r, n), b = tg_rng_below(r, n);
    return a < b ? a : b;
}

/* "a, b or c" */
static tg_status no_such_variant(const char *source, const grammar *g)
{
    tg_str names = {0};
    for (int v = 0; g->variants[v]; v++)
        tg_str_addf(&names, "%s%s", v == 0 ? "" : g->variants[v + 1] ? ", " : " or ", g->variants[v]);
    tg_status status = names.failed ? TG_ENOMEM : tg_fail(TG_EINVAL, "%s: there is no such variant; take %s", source, names.data);
    tg_str_free(&names);
    return status;
}

static tg_status find(const char *source, const grammar **out, int *variant)
{
    const char *name = source + sizeof prefix - 1, *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    for (int g = 0; g < GRAMMARS; g++) {
        if (strlen(grammars[g].name) != length || strncmp(grammars[g].name, name, length) != 0) continue;
        *variant = -1;
        for (int v = 0; colon && grammars[g].variants[v]; v++)
            if (strcmp(grammars[g].variants[v], colon + 1) == 0) *variant = v;
        if (colon && *variant < 0) return no_such_variant(source, &grammars[g]);
        *out = &grammars[g];
        return TG_OK;
    }
    return tg_fail(TG_EINVAL, "%s: there is no such grammar; gen-collect --list shows what there is", source);
}

const char *tg_synth_kind(const char *source)
{
    const grammar *g = NULL;
    int variant;
    return find(source, &g, &variant) ? NULL : g->kind;
}

tg_status tg_synth(const char *source, uint64_t seed, int64_t bytes, tg_str *out)
{
    const grammar *g = NULL;
    int variant = -1;
    tg_status status = find(source, &g, &variant);
    if (status) return status;
    if (!g->poem) return tg_fail(TG_EINVAL, "%s: makes no text", source);
    int64_t begin = out->length;
    for (uint64_t i = 0; !out->failed && out->length - begin < bytes; i++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_SYNTH, i);
        g->poem(&r, variant, out);
    }
    if (out->failed) return TG_ENOMEM;
    int64_t end = begin + bytes < out->length ? begin + bytes : out->length;
    while (end > begin && out->data[end - 1] != '\n') end--;
    if (end == begin)
        return tg_fail(TG_EINVAL, "%s: %" PRId64 " bytes are too few for a line; ask for 100 or more", source, bytes);
    out->length = end;
    out->data[end] = 0;
    return TG_OK;
}

static const char *const shape_names[] = {"circle", "square", "triangle", "cross", "ring", NULL};

const char *tg_synth_shape_name(int shape)
{
    return shape_names[shape];
}

tg_status tg_synth_images(const char *source, uint64_t seed, int64_t count, int shape, tg_str *out, int64_t *many)
{
    const grammar *g = NULL;
    int variant = TG_SHAPE_COLOUR;
    tg_status status = find(source, &g, &variant);
    if (status) return status;
    const bool grey = variant == TG_SHAPE_GREY;
    const int rank = grey ? 3 : 4;
    uint8_t pixels[TG_SHAPE_SIZE * TG_SHAPE_SIZE * 3], head[20] = {0, 0, 8, (uint8_t)rank};
    const int64_t begin = out->length, bytes = TG_SHAPE_SIZE * TG_SHAPE_SIZE * (grey ? 1 : 3);
    tg_str_add_n(out, (const char *)head, 4 + 4 * rank);
    *many = 0;
    for (int64_t i = 0; i < count && !out->failed; i++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_SYNTH, (uint64_t)i);
        if (tg_synth_shape(&r, variant, pixels) != shape) continue;
        tg_str_add_n(out, (const char *)pixels, bytes);
        ++*many;
    }
    if (out->failed) return TG_ENOMEM;
    const int64_t dims[] = {*many, TG_SHAPE_SIZE, TG_SHAPE_SIZE, 3};
    for (int d = 0; d < rank; d++)
        for (int b = 0; b < 4; b++) out->data[begin + 4 + 4 * d + b] = (char)(dims[d] >> (24 - 8 * b) & 255);
    return TG_OK;
}

tg_status tg_synth_points(const char *source, uint64_t seed, int64_t count, tg_str *out)
{
    const grammar *g = NULL;
    int variant = -1;
    tg_status status = find(source, &g, &variant);
    if (status) return status;
    if (variant < 0) return no_such_variant(source, g); /* which points is to be said */
    const bool classes = tg_synth_point_has_class(variant);
    tg_str_add(out, classes ? "x,y,class\n" : "x,y\n");
    for (int64_t i = 0; i < count && !out->failed; i++) {
        float at[2];
        tg_rng r = tg_rng_at(seed, TG_RNG_SYNTH, (uint64_t)i);
        const int of = tg_synth_point(&r, variant, at);
        tg_str_add_fixed(out, (double)at[0], 6);
        tg_str_add(out, ",");
        tg_str_add_fixed(out, (double)at[1], 6);
        if (classes) tg_str_addf(out, ",%d", of);
        tg_str_add(out, "\n");
    }
    return out->failed ? TG_ENOMEM : TG_OK;
}
