/* words.h - what reports and quizzes say themselves, in English and in Chinese. A word is a row of words.def. */
#ifndef TG_RUN_WORDS_H
#define TG_RUN_WORDS_H

typedef enum tg_lang { TG_EN, TG_ZH, TG_LANGS } tg_lang; /* as in --lang's row: "en|zh" */

typedef enum tg_word {
#define TG_WORD(name, en, zh) TG_WORD_##name,
#include "run/words.def"
#undef TG_WORD
    TG_WORDS
} tg_word;

/* Static, UTF-8: tg_words(TG_ZH, TG_WORD_quiz_next) is "下一个". */
const char *tg_words(tg_lang lang, tg_word word);
const char *tg_word_name(tg_word word); /* "quiz_next" */
#endif
