/* json.h - RFC 8259, strict: UTF-8 only, no comments, no trailing commas, duplicate keys refused, 64 deep, 100 MB.
 * Errors name line and column. Numbers keep their text's value: integers up to 64 bits are exact, others doubles. */
#ifndef TG_BASE_JSON_H
#define TG_BASE_JSON_H
#include "base/arena.h"
#include "base/str.h"

typedef enum tg_json_type {
    TG_JSON_NULL, TG_JSON_BOOL, TG_JSON_INT, TG_JSON_REAL, TG_JSON_TEXT, TG_JSON_ARRAY, TG_JSON_OBJECT
} tg_json_type;

typedef struct tg_json tg_json;
struct tg_json {
    tg_json_type type;
    const char *key;      /* in an object: this member's name, NUL-terminated */
    int64_t integer;      /* BOOL 0/1, INT; ARRAY, OBJECT: number of children */
    double real;          /* INT, REAL */
    const char *text;     /* TEXT: NUL-terminated UTF-8 (NUL inside is refused) */
    int64_t length;       /* TEXT: in bytes */
    const tg_json *child; /* first child of ARRAY, OBJECT */
    const tg_json *next;  /* next sibling */
};

/* The tree lives in the arena. name: for messages ("runs/a/config.json:3:14: ..."). Errors: TG_EFORMAT, TG_ENOMEM. */
tg_status tg_json_parse(tg_arena *a, const char *name, const char *text, int64_t length, const tg_json **out);
const tg_json *tg_json_get(const tg_json *object, const char *key);   /* NULL: not an object, or no such member */
/* By name with a type; false when absent or of another type. INT satisfies a real. */
bool tg_json_int(const tg_json *object, const char *key, int64_t *out);
bool tg_json_real(const tg_json *object, const char *key, double *out);
const char *tg_json_text(const tg_json *object, const char *key);     /* NULL when absent */

/* Writer: appends to a builder, minds commas, lays out {"a": 1, "b": [2, 3]}. Keys and texts are escaped; each byte of
 * invalid UTF-8 becomes U+FFFD; a NaN or infinity is written as null. Usage: tg_json_writer w = {.out = &s}, then
 * tg_json_open(&w, '{'), tg_json_key(&w, "a"), tg_json_put_int(&w, 1), tg_json_close(&w, '}'), and look at s.failed. */
typedef struct tg_json_writer { tg_str *out; bool comma; } tg_json_writer;
void tg_json_open(tg_json_writer *w, char bracket);
void tg_json_close(tg_json_writer *w, char bracket);
void tg_json_key(tg_json_writer *w, const char *key);
void tg_json_put_int(tg_json_writer *w, int64_t x);
void tg_json_put_real(tg_json_writer *w, double x);
void tg_json_put_bool(tg_json_writer *w, bool x);
void tg_json_put_null(tg_json_writer *w);
void tg_json_put_text(tg_json_writer *w, const char *text);
void tg_json_put_text_n(tg_json_writer *w, const char *text, int64_t length);
void tg_json_put_raw(tg_json_writer *w, const char *json);            /* already JSON */
void tg_json_put_tree(tg_json_writer *w, const tg_json *value);
/* A member whole: key and value. NULL texts are null. */
void tg_json_member_text(tg_json_writer *w, const char *key, const char *text);
void tg_json_member_int(tg_json_writer *w, const char *key, int64_t x);
void tg_json_member_real(tg_json_writer *w, const char *key, double x);
void tg_json_member_raw(tg_json_writer *w, const char *key, const char *json);
#endif
