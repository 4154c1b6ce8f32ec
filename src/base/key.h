/* key.h - the inside of option rows: key.c keeps and checks values, key_parse.c reads command lines and config files,
 * key_help.c prints. */
#ifndef TG_BASE_KEY_H
#define TG_BASE_KEY_H
#include "base/arena.h"
#include "base/json.h"

typedef struct tg_key_row {
    const tg_key *key;
    char *values;          /* the struct that offset counts from */
    const char *title;     /* of its table */
    int table;
    tg_key_source source;
    int64_t room;          /* LIST: pointers that items has room for */
} tg_key_row;

struct tg_keys {
    tg_arena *arena;
    tg_key_row *rows;
    int64_t count, room;
    int tables;
};

/* The field that a row fills. */
void *tg_key_field(const tg_key_row *r);
/* The row of that name, hyphens and underscores alike; NULL: none. */
tg_key_row *tg_key_find(const tg_keys *k, const char *name, int64_t length);
/* Checks text and, unless a stronger source has spoken, stores it. where begins the message: "--layers". */
tg_status tg_key_store(tg_keys *k, tg_key_row *r, const char *where, const char *text, tg_key_source source);
/* Its value; null where it is automatic and nobody has worked it out yet. */
void tg_key_put_json(tg_json_writer *w, const tg_key_row *r);
/* "--layers" or, of an argument, "SOURCE"; appended. */
void tg_key_add_name(tg_str *out, const tg_key *key);
/* The word for its value: "N", "PATH", "a|b|c". */
const char *tg_key_word(const tg_key *key);
/* "1 to 64", "at least 1"; nothing where there is no bound. */
void tg_key_add_range(tg_str *out, const tg_key *key);
/* " (did you mean --layers?)" or nothing; prefix "--", or "" in config files. */
void tg_key_add_hint(tg_str *out, const tg_keys *k, const char *prefix, const char *name, int64_t length);
/* Whatever is wrong with a file of options is wrong usage: that, with the last message, unless memory ran out. */
tg_status tg_key_usage(tg_status s);
/* Choice number i of "a|b|c"; its start and length; NULL: there are fewer. */
const char *tg_key_choice(const char *choices, int64_t i, int64_t *length);
#endif
