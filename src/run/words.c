/* words.c - the table of what reports and quizzes say. */
#include "run/words.h"

static const struct { const char *name, *said[TG_LANGS]; } rows[TG_WORDS] = {
#define TG_WORD(name, en, zh) {#name, {en, zh}},
#include "run/words.def"
#undef TG_WORD
};

const char *tg_words(tg_lang lang, tg_word word) { return rows[word].said[lang]; }
const char *tg_word_name(tg_word word) { return rows[word].name; }
