/*
 * quiz.h - real and generated items shown to people blind, in random order: as a page for a browser, which works offline, or on
 * a terminal. Both ask what an item is and for marks from 1 to 5, and give answers, which ratings.h reads back:
 *
 *     {"format": "tinygen-answers", "version": 1, "quiz": 16 hex digits, "kind": "text", "rater": "", "session": 16 hex digits,
 *      "saves": 1, "items": 2, "sources": [{"name", "identity"}, ...],
 *      "answers": [{"item": 24 hex digits, "verdict": "real" | "generated" | null, "grammar": 1..5 | null, ...}, ...]}
 *
 * The answers alone are enough to tell what was real, so that a rater need send back nothing else and the maker need keep
 * nothing: an item's name is its source and number, under a mask. With x = source·2^56 + number, its first 8 hex digits are
 * the first of SHA-256 of "quiz x", the other 16 are x xor the first 64 bits of SHA-256 of "quiz first". Nobody sees at a
 * glance, in page or answers, what an item is; who reads this can work it out, and a quiz of that kind does not need
 * more. The first digits also tell names that are not of this quiz.
 */
#ifndef TG_RUN_QUIZ_H
#define TG_RUN_QUIZ_H
#include "base/file.h"
#include "base/json.h"
#include "base/term.h"
#include "run/words.h"
#include "tinygen/data.h"

enum { TG_QUIZ_ID = 17, TG_QUIZ_ITEM = 25, TG_QUIZ_SOURCES = 64, TG_QUIZ_QUESTIONS = 3, TG_QUIZ_ITEMS = 10000 };

/* Where items come from. identity: what tells it from others of that name: a content hash, model_sha256. */
typedef struct tg_quiz_source { const char *name, *identity; } tg_quiz_source;
/* Text, or a PNG file's bytes. number: whatever tells the items of a source apart, below 2^56. */
typedef struct tg_quiz_item { const char *bytes; int64_t length; int source; int64_t number; } tg_quiz_item;

/* All borrowed. Source 0 is the real data, those behind it are runs. */
typedef struct tg_quiz {
    tg_kind kind;  /* TG_KIND_TEXT, TG_KIND_IMAGE */
    tg_lang lang;
    int64_t seed;  /* of the order */
    const tg_quiz_source *sources;
    const tg_quiz_item *items;
    int64_t source_count, count;
} tg_quiz;

/* The page, appended: whole, with no reference to anything outside. The same quiz makes the same bytes. Errors: TG_EINVAL (no
 * real items, or none generated; more than TG_QUIZ_ITEMS; two of one source and number), TG_ENOMEM. */
tg_status tg_quiz_write(const tg_quiz *q, tg_str *out);

/* ---- on a terminal ------------------------------------------------------------------------------------------------- */

typedef struct tg_quiz_terminal {
    /* The next line that was typed, without its end, appended; *end: there is none. */
    tg_status (*line)(void *user, tg_str *out, bool *end);
    void *user;
    int columns;         /* tg_term_columns(1) */
    tg_colours colours;  /* tg_term_colours() */
} tg_quiz_terminal;
/* Asks through the context's output hook (foreign text is made safe here, and pictures are made of escapes: the hook is to let
 * them through). answers: the JSON above, appended, with what was answered until the input ended; also with TG_ECANCELLED.
 * Errors: those of the hooks and of tg_quiz_write. */
tg_status tg_quiz_ask(tg_context *ctx, const tg_quiz *q, const tg_quiz_terminal *t, tg_str *answers);

/* Lines of a file, for tg_quiz_terminal: {.line = tg_quiz_read_line, .user = &lines}. Start from {.file = an open one}. What is
 * longer than 1000 bytes is cut. */
typedef struct tg_quiz_lines { tg_file *file; int64_t at, length; char buffer[1000]; } tg_quiz_lines;
tg_status tg_quiz_read_line(void *lines, tg_str *out, bool *end);

/* ---- between the files that do it ---------------------------------------------------------------------------------- */

/* Questions with marks, of a kind: names in answers, NULL behind the last; and their words. */
typedef struct tg_quiz_question { const char *name; tg_word word, hint; } tg_quiz_question;
const tg_quiz_question *tg_quiz_questions(tg_kind kind);

/* A quiz's name, the order in which it shows its items, and their names. */
typedef struct tg_quiz_deck { char id[TG_QUIZ_ID]; int64_t *order; char (*names)[TG_QUIZ_ITEM]; } tg_quiz_deck;
tg_status tg_quiz_shuffle(const tg_quiz *q, tg_quiz_deck *out);
void tg_quiz_deck_free(tg_quiz_deck *d);
/* Sources as in page and answers, a JSON array. */
void tg_quiz_put_sources(tg_json_writer *w, const tg_quiz *q);
void tg_quiz_name(const char id[TG_QUIZ_ID], int source, int64_t number, char out[TG_QUIZ_ITEM]);
/* False: it is no item's name in that quiz. */
bool tg_quiz_unname(const char *id, const char *name, int *source, int64_t *number);

/* quiz.html, built in by the Makefile. */
extern const char tg_quiz_page[];
#endif
