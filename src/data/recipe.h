/* recipe.h - public data sets by name: where their files lie, what they hash to, under which licence.
 *     {"name": "names", "title": "32,033 first names ...", "licence": "MIT", "protocol": "how results are compared",
 *      "kind": "text", "files": [{"url": "https://...", "sha256": "64 digits", "bytes": 228145, "label": "..."}],
 *      "label": "...", "column": "...", "label_column": "..."}
 * Those of data/recipes/ are built in. licence may be null; label (of a file, else of all), column and label_column are
 * for those that need them. */
#ifndef TG_DATA_RECIPE_H
#define TG_DATA_RECIPE_H
#include "base/arena.h"
#include "base/str.h"

typedef struct tg_recipe_file { const char *url, *sha256, *label; int64_t bytes; } tg_recipe_file;
typedef struct tg_recipe {
    const char *name, *title, *licence, *protocol, *column, *label_column;
    const tg_recipe_file *files;
    int64_t count;
} tg_recipe;

/* Whether a source is "recipe:...", known or not. */
bool tg_recipe_is(const char *source);
/* The file that a source names ("recipe:my.json", "recipe:./my"), borrowed; NULL: it names a built-in recipe. */
const char *tg_recipe_path(const char *source);
/* All in the arena. Errors: TG_EINVAL (no such recipe; the message has the nearest), TG_EFORMAT (a file that is none),
 * TG_EUNSUPPORTED (another kind than text, image and table), TG_EIO. */
tg_status tg_recipe_open(tg_arena *a, const char *source, tg_recipe *out);
/* Lines for --list. */
tg_status tg_recipe_list(tg_str *out);

/* The built-in ones, in order of names; the last has text NULL. Made by data/recipes/embed.sh. */
typedef struct tg_recipe_text { const char *name; const unsigned char *text; int64_t length; } tg_recipe_text;
extern const tg_recipe_text tg_recipe_texts[];
#endif
