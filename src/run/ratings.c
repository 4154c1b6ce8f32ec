/* ratings.c - files of answers, read and summed up; people.c shows what comes out. Nothing in them is believed: they come back by
 * mail, and from other people's machines. */
#include "run/ratings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/map.h"
#include "base/sort.h"

enum { MOST_BYTES = 16 << 20, MOST_NAME = 400, COLUMNS = 1 + TG_QUIZ_QUESTIONS, REAL = 1, GENERATED = 2 };
static const char again[] = "save the answers in the quiz again";

/* answers [items, COLUMNS]: verdict, then marks; 0: none. */
typedef struct rater { char *file, *name, session[TG_QUIZ_ID]; int64_t saves; int8_t *answers; bool dropped; } rater;

struct tg_ratings {
    tg_context *ctx;
    tg_arena *arena;           /* texts and arrays that stay */
    tg_kind kind;
    char quiz[TG_QUIZ_ID];
    tg_quiz_source *sources;
    int64_t source_count, item_count;
    tg_map *names;             /* items by name, numbered in the first file's order */
    tg_people_item *items;     /* in that order */
    rater *raters;
    int64_t count, room;
    tg_people sum;
};

tg_status tg_ratings_new(tg_context *ctx, tg_ratings **out)
{
    tg_ratings *r = tg_alloc(sizeof *r);
    if (!r) return TG_ENOMEM;
    r->ctx = ctx;
    r->arena = tg_arena_new(1 << 16);
    r->names = tg_map_new();
    if (!r->arena || !r->names) {
        tg_ratings_free(r);
        return TG_ENOMEM;
    }
    *out = r;
    return TG_OK;
}

void tg_ratings_free(tg_ratings *r)
{
    if (!r) return;
    tg_arena_free(r->arena);
    tg_map_free(r->names);
    tg_free(r->raters);
    tg_free(r);
}

static int questions_of(const tg_ratings *r)
{
    int n = 0;
    for (const tg_quiz_question *q = tg_quiz_questions(r->kind); q[n].name;) n++;
    return n;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* So many hex digits, as our own pages write them. */
static bool is_hex(const char *text, size_t digits)
{
    return text && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static tg_status read_sources(tg_ratings *r, const char *name, const tg_json *list)
{
    if (!list || list->type != TG_JSON_ARRAY || list->integer < 2 || list->integer > TG_QUIZ_SOURCES)
        return tg_fail(TG_EFORMAT, "%s: sources must be a list of 2 to %d; %s", name, TG_QUIZ_SOURCES, again);
    r->source_count = list->integer;
    r->sources = tg_arena_zeros(r->arena, list->integer * (int64_t)sizeof *r->sources);
    tg_people_group *runs = tg_arena_zeros(r->arena, list->integer * (int64_t)sizeof *runs);
    if (!r->sources || !runs) return TG_ENOMEM;
    r->sum.runs = runs;
    int64_t i = 0;
    for (const tg_json *s = list->child; s; s = s->next, i++) {
        const char *said = tg_json_text(s, "name"), *identity = tg_json_text(s, "identity");
        if (!said || !identity || strlen(said) > MOST_NAME || strlen(identity) > MOST_NAME)
            return tg_fail(TG_EFORMAT, "%s: source %" PRId64 " has no name and identity of up to %d bytes; %s", name, i, MOST_NAME, again);
        r->sources[i] = (tg_quiz_source){tg_arena_strdup(r->arena, said), tg_arena_strdup(r->arena, identity)};
        if (!r->sources[i].name || !r->sources[i].identity) return TG_ENOMEM;
    }
    return TG_OK;
}

/* The quiz that the first file answers. */
static tg_status read_quiz(tg_ratings *r, const char *name, const tg_json *root, const char *id, tg_kind kind, int64_t count)
{
    const tg_json *answer = tg_json_get(root, "answers")->child;
    tg_status s = read_sources(r, name, tg_json_get(root, "sources"));
    if (s) return s;
    memcpy(r->quiz, id, TG_QUIZ_ID);
    r->kind = kind;
    r->item_count = count;
    r->items = tg_arena_zeros(r->arena, count * (int64_t)sizeof *r->items);
    if (!r->items) return TG_ENOMEM;
    for (int64_t i = 0; i < count; i++, answer = answer->next) {
        const char *item = tg_json_text(answer, "item");
        tg_people_item *to = &r->items[i];
        if (!item || !tg_quiz_unname(id, item, &to->source, &to->number) || to->source >= r->source_count)
            return tg_fail(TG_EFORMAT, "%s: answer %" PRId64 " is of no item of quiz %s: the file was changed; %s", name, i + 1, id, again);
        const int64_t before = tg_map_count(r->names);
        if (tg_map_add(r->names, item, TG_QUIZ_ITEM) < 0) return TG_ENOMEM;
        if (tg_map_count(r->names) == before)
            return tg_fail(TG_EFORMAT, "%s: answer %" PRId64 " is of an item that was answered before it; %s", name, i + 1, again);
    }
    return TG_OK;
}

/* A member that is null or one of what is allowed, as 0 or its number. */
static bool read_verdict(const tg_json *value, int8_t *out)
{
    if (!value || (value->type != TG_JSON_NULL && value->type != TG_JSON_TEXT)) return false;
    *out = value->type == TG_JSON_NULL ? 0 : !strcmp(value->text, "real") ? REAL : !strcmp(value->text, "generated") ? GENERATED : -1;
    return *out >= 0;
}

static bool read_mark(const tg_json *value, int8_t *out)
{
    if (!value || (value->type != TG_JSON_NULL && (value->type != TG_JSON_INT || value->integer < 1 || value->integer > 5))) return false;
    *out = value->type == TG_JSON_NULL ? 0 : (int8_t)value->integer;
    return true;
}

static tg_status read_answers(const tg_ratings *r, const char *name, const tg_json *answer, int8_t *out)
{
    const tg_quiz_question *q = tg_quiz_questions(r->kind);
    memset(out, -1, (size_t)(r->item_count * COLUMNS));
    for (int64_t i = 1; answer; answer = answer->next, i++) {
        const char *item = tg_json_text(answer, "item");
        const int64_t at = item && strlen(item) == TG_QUIZ_ITEM - 1 ? tg_map_find(r->names, item, TG_QUIZ_ITEM) : -1;
        int8_t *row = at < 0 ? NULL : out + at * COLUMNS;
        if (!row || row[0] >= 0)
            return tg_fail(TG_EFORMAT, "%s: answer %" PRId64 " is of no item of quiz %s, or of one answered before it; %s", name, i, r->quiz,
                           again);
        if (!read_verdict(tg_json_get(answer, "verdict"), &row[0]))
            return tg_fail(TG_EFORMAT, "%s: answer %" PRId64 ": verdict must be \"real\", \"generated\" or null; %s", name, i, again);
        memset(row + 1, 0, COLUMNS - 1);
        for (int k = 0; q[k].name; k++)
            if (!read_mark(tg_json_get(answer, q[k].name), &row[k + 1]))
                return tg_fail(TG_EFORMAT, "%s: answer %" PRId64 ": %s must be a whole number from 1 to 5, or null; %s", name, i, q[k].name,
                               again);
    }
    return TG_OK;
}

/* What stands before the answers, and how many there are. */
static tg_status read_head(const char *name, const tg_json *root, rater *who, const char **quiz, tg_kind *kind, int64_t *count)
{
    int64_t version = 0, items = 0;
    const char *format = tg_json_text(root, "format"), *said = tg_json_text(root, "kind"), *rater_name = tg_json_text(root, "rater");
    const char *session = tg_json_text(root, "session");
    const tg_json *answers = tg_json_get(root, "answers");
    if (!format || strcmp(format, "tinygen-answers"))
        return tg_fail(TG_EFORMAT, "%s: not answers to a quiz of gen-evaluate; --ratings takes the files that its pages save", name);
    if (!tg_json_int(root, "version", &version) || version != 1)
        return tg_fail(TG_EUNSUPPORTED, "%s: answers of version %" PRId64 ", and this program knows 1; use a newer one", name, version);
    *quiz = tg_json_text(root, "quiz");
    if (!is_hex(*quiz, TG_QUIZ_ID - 1) || !is_hex(session, TG_QUIZ_ID - 1))
        return tg_fail(TG_EFORMAT, "%s: quiz and session must be 16 hexadecimal digits; %s", name, again);
    *kind = said && !strcmp(said, "text") ? TG_KIND_TEXT : TG_KIND_IMAGE;
    if (!said || (*kind == TG_KIND_IMAGE && strcmp(said, "image")))
        return tg_fail(TG_EFORMAT, "%s: kind must be \"text\" or \"image\"; %s", name, again);
    if (!rater_name || strlen(rater_name) > MOST_NAME)
        return tg_fail(TG_EFORMAT, "%s: rater must be a name of up to %d bytes; %s", name, MOST_NAME, again);
    if (!tg_json_int(root, "saves", &who->saves) || who->saves < 0)
        return tg_fail(TG_EFORMAT, "%s: saves must be a whole number; %s", name, again);
    if (!tg_json_int(root, "items", &items) || !answers || answers->type != TG_JSON_ARRAY || items != answers->integer || items < 1 ||
        items > TG_QUIZ_ITEMS)
        return tg_fail(TG_EFORMAT, "%s: answers must be a list of as many as items says, up to %d; %s", name, TG_QUIZ_ITEMS, again);
    memcpy(who->session, session, TG_QUIZ_ID);
    *count = items;
    return TG_OK;
}

static bool same_sources(const tg_ratings *r, const tg_json *list)
{
    const tg_json *s = list && list->type == TG_JSON_ARRAY && list->integer == r->source_count ? list->child : NULL;
    int64_t i = 0;
    for (; s; s = s->next, i++) {
        const char *name = tg_json_text(s, "name"), *identity = tg_json_text(s, "identity");
        if (!name || !identity || strcmp(name, r->sources[i].name) || strcmp(identity, r->sources[i].identity)) return false;
    }
    return i == r->source_count;
}

static tg_status check_quiz(const tg_ratings *r, const char *name, const tg_json *root, const char *id, tg_kind kind, int64_t count)
{
    const char *first = r->raters[0].file;
    if (strcmp(id, r->quiz))
        return tg_fail(TG_EINVAL, "%s answers quiz %s, and %s quiz %s; give the files of one quiz at a time", name, id, first, r->quiz);
    if (kind != r->kind || count != r->item_count || !same_sources(r, tg_json_get(root, "sources")))
        return tg_fail(TG_EFORMAT, "%s says other things of quiz %s than %s; one of them was changed", name, id, first);
    return TG_OK;
}

/* ---- one more rater -------------------------------------------------------------------------------------------------------- */

/* The same sitting, saved again, or somebody of the same name. */
static tg_status compare(tg_ratings *r, rater *new)
{
    const size_t bytes = (size_t)(r->item_count * COLUMNS);
    for (int64_t i = 0; i < r->count; i++) {
        rater *old = &r->raters[i];
        if (old->dropped) continue;
        if (strcmp(old->session, new->session)) {
            if (*new->name && !strcmp(old->name, new->name))
                tg_log(r->ctx, TG_LOG_WARN, "%s and %s are both by %s, of two sittings: taken for two people; leave one out if they are one",
                       old->file, new->file, new->name);
            continue;
        }
        const bool same = !memcmp(old->answers, new->answers, bytes);
        if (!same && old->saves == new->saves)
            return tg_fail(TG_EINVAL, "%s and %s are of one sitting and differ: leave out the one that is not meant", old->file, new->file);
        rater *earlier = new->saves > old->saves ? old : new, *later = earlier == old ? new : old;
        earlier->dropped = true;
        tg_log(r->ctx, TG_LOG_WARN, "%s is left out: %s is of the same sitting%s", earlier->file, later->file, same ? "" : ", saved later");
    }
    return TG_OK;
}

static tg_status add_rater(tg_ratings *r, const rater *who)
{
    if (r->count == r->room) {
        const int64_t room = r->room ? 2 * r->room : 16;
        rater *more = tg_realloc(r->raters, r->room * (int64_t)sizeof *more, room * (int64_t)sizeof *more);
        if (!more) return TG_ENOMEM;
        r->raters = more;
        r->room = room;
    }
    r->raters[r->count++] = *who;
    return TG_OK;
}

static tg_status add_root(tg_ratings *r, const char *name, const tg_json *root)
{
    rater who = {.file = tg_arena_strdup(r->arena, name)};
    const char *quiz = NULL;
    tg_kind kind = TG_KIND_TEXT;
    int64_t count = 0;
    tg_status s = who.file ? read_head(name, root, &who, &quiz, &kind, &count) : TG_ENOMEM;
    if (!s) s = r->count ? check_quiz(r, name, root, quiz, kind, count) : read_quiz(r, name, root, quiz, kind, count);
    if (s) return s;
    who.name = tg_arena_strdup(r->arena, tg_json_text(root, "rater"));
    who.answers = tg_arena_zeros(r->arena, r->item_count * COLUMNS);
    if (!who.name || !who.answers) return TG_ENOMEM;
    s = read_answers(r, name, tg_json_get(root, "answers")->child, who.answers);
    if (!s) s = compare(r, &who);
    return s ? s : add_rater(r, &who);
}

tg_status tg_ratings_add(tg_ratings *r, const char *name, const char *text, int64_t length)
{
    const tg_json *root = NULL;
    tg_arena *tree = tg_arena_new(1 << 16);
    tg_status s = tree ? tg_json_parse(tree, name, text, length, &root) : TG_ENOMEM;
    if (!s) s = add_root(r, name, root);
    tg_arena_free(tree);
    return s;
}

tg_status tg_ratings_read(tg_ratings *r, const char *path)
{
    char *text = NULL;
    int64_t length = 0;
    tg_status s = tg_context_read(r->ctx, path);
    if (!s) s = tg_file_slurp(path, MOST_BYTES, &text, &length);
    if (!s) s = tg_ratings_add(r, path, text, length);
    tg_free(text);
    return s;
}

/* ---- summing up -------------------------------------------------------------------------------------------------------------- */

static tg_people_share share_of(int64_t yes, int64_t count)
{
    return (tg_people_share){.yes = yes, .count = count, .value = count ? (double)yes / (double)count : NAN,
                             .p = tg_binomial_half(yes, count), .interval = count ? tg_wilson(yes, count) : (tg_interval){NAN, NAN}};
}

/* Items of sources from..to. Marks vary from item to item and, within one, from rater to rater; the deviation of a mean that takes
 * items for drawn at random is that of their sums of differences from it (Cochran 1977, section 6.3: a ratio of two sums). */
static tg_people_mean mean_of(const tg_ratings *r, int question, int from, int to)
{
    double sum = 0, squares = 0;
    int64_t count = 0, items = 0;
    for (int64_t i = 0; i < r->item_count; i++) {
        const tg_people_item *x = &r->items[i];
        if (x->source < from || x->source > to || !x->marks[question]) continue;
        sum += x->mean[question] * (double)x->marks[question];
        count += x->marks[question];
        items++;
    }
    const double n = (double)count, mean = count ? sum / n : NAN;
    for (int64_t i = 0; i < r->item_count; i++) {
        const tg_people_item *x = &r->items[i];
        if (x->source < from || x->source > to || !x->marks[question]) continue;
        const double off = (x->mean[question] - mean) * (double)x->marks[question];
        squares += off * off;
    }
    tg_people_mean out = {mean, NAN, NAN, count};
    if (items > 1) {
        const double half = tg_student_95(items - 1) * sqrt(squares * (double)items / (double)(items - 1)) / n;
        out.low = mean - half;
        out.high = mean + half;
    }
    return out;
}

static tg_people_group group_of(const tg_ratings *r, int from, int to)
{
    tg_people_group g = {0};
    int64_t real = 0, verdicts = 0;
    for (int64_t i = 0; i < r->item_count; i++) {
        const tg_people_item *x = &r->items[i];
        if (x->source < from || x->source > to) continue;
        real += x->real;
        verdicts += x->verdicts;
    }
    g.real = share_of(real, verdicts);
    for (int k = 0; k < questions_of(r); k++) g.marks[k] = mean_of(r, k, from, to);
    return g;
}

static void count_items(tg_ratings *r)
{
    for (int64_t i = 0; i < r->item_count; i++) {
        tg_people_item *x = &r->items[i];
        *x = (tg_people_item){.source = x->source, .number = x->number};
        for (int64_t j = 0; j < r->count; j++) {
            const int8_t *row = r->raters[j].answers + i * COLUMNS;
            if (r->raters[j].dropped) continue;
            x->verdicts += row[0] > 0;
            x->real += row[0] == REAL;
            for (int k = 0; k < TG_QUIZ_QUESTIONS; k++) {
                x->marks[k] += row[k + 1] > 0;
                x->mean[k] += row[k + 1];
            }
        }
        for (int k = 0; k < TG_QUIZ_QUESTIONS; k++) x->mean[k] = x->marks[k] ? x->mean[k] / (double)x->marks[k] : NAN;
    }
}

/* Alpha of a column of the answers. values: room for [raters, items]. */
static double agreement_on(const tg_ratings *r, int column, tg_answer_scale scale, int8_t *values)
{
    int64_t raters = 0;
    for (int64_t j = 0; j < r->count; j++) {
        if (r->raters[j].dropped) continue;
        for (int64_t i = 0; i < r->item_count; i++) values[raters * r->item_count + i] = r->raters[j].answers[i * COLUMNS + column];
        raters++;
    }
    return tg_krippendorff(values, raters, r->item_count, scale);
}

static int by_source(const void *a, const void *b, void *user)
{
    const tg_people_item *x = a, *y = b;
    (void)user;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static tg_people_item *sorted_items(tg_ratings *r)
{
    const int64_t bytes = r->item_count * (int64_t)sizeof *r->items;
    tg_people_item *items = tg_arena_alloc(r->arena, bytes), *scratch = items ? tg_alloc_raw(bytes) : NULL;
    if (!scratch) return NULL;
    memcpy(items, r->items, (size_t)bytes);
    tg_sort(items, r->item_count, sizeof *items, scratch, by_source, NULL);
    tg_free(scratch);
    return items;
}

tg_status tg_ratings_sum(tg_ratings *r, const tg_people **out)
{
    tg_people *p = &r->sum;
    if (!r->count) return tg_fail(TG_EINVAL, "no answers were given; --ratings takes the files that a quiz saves");
    int8_t *values = tg_alloc_array(r->count, r->item_count);
    if (!values) return TG_ENOMEM;
    count_items(r);
    p->items = sorted_items(r);
    p->kind = r->kind;
    p->quiz = r->quiz;
    p->item_count = r->item_count;
    p->source_count = r->source_count;
    p->sources = r->sources;
    p->raters = 0;
    for (int64_t j = 0; j < r->count; j++) p->raters += !r->raters[j].dropped;
    p->real = group_of(r, 0, 0);
    p->generated = group_of(r, 1, TG_QUIZ_SOURCES);
    for (int i = 1; i < r->source_count; i++) p->runs[i - 1] = group_of(r, i, i);
    p->right = share_of(p->real.real.yes + p->generated.real.count - p->generated.real.yes, p->real.real.count + p->generated.real.count);
    p->agreement = agreement_on(r, 0, TG_NOMINAL, values);
    for (int k = 0; k < questions_of(r); k++) p->agreements[k] = agreement_on(r, k + 1, TG_ORDINAL, values);
    tg_free(values);
    if (!p->items) return TG_ENOMEM;
    *out = p;
    return TG_OK;
}
