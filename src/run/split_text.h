/* split_text.h - a dataset's split as the text that it was. */
#ifndef TG_RUN_SPLIT_TEXT_H
#define TG_RUN_SPLIT_TEXT_H
#include "tinygen/data.h"

/* Told of a text in parts; a document's end, where there are any, is a part of length 0. */
typedef tg_status (*tg_text_hook)(void *user, const char *bytes, int64_t length);
/* Of a dataset of text, until `most` bytes or more are told. Errors: those of reading, of the hook, TG_ENOMEM. */
tg_status tg_split_text(const tg_dataset *d, tg_split split, int64_t most, tg_text_hook hook, void *user);
#endif
