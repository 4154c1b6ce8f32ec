/* recipe.c - recipes read and listed. */
#include "data/recipe.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

enum { MAX_RECIPE = 1 << 20, MOST_NAMES = 64 };
static const char prefix[] = "recipe:";

bool tg_recipe_is(const char *source)
{
    return tg_starts_with(source, prefix);
}

const char *tg_recipe_path(const char *source)
{
    const char *name = source + sizeof prefix - 1;
    size_t length = strlen(name);
    bool file = strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
    return file ? name : NULL;
}

static bool is_sha256(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static tg_status read_files(tg_arena *a, const char *where, const tg_json *root, tg_recipe *r)
{
    const tg_json *files = tg_json_get(root, "files");
    if (!files || files->type != TG_JSON_ARRAY || files->integer == 0)
        return tg_fail(TG_EFORMAT, "%s: a recipe needs \"files\": [{\"url\", \"sha256\", \"bytes\"}, ...]", where);
    tg_recipe_file *out = tg_arena_zeros(a, files->integer * (int64_t)sizeof *out);
    if (!out) return TG_ENOMEM;
    r->files = out;
    for (const tg_json *file = files->child; file; file = file->next, out++) {
        const char *label = tg_json_text(file, "label");
        *out = (tg_recipe_file){.url = tg_json_text(file, "url"), .sha256 = tg_json_text(file, "sha256"),
                                .label = label ? label : tg_json_text(root, "label")};
        r->count++;
        if (!out->url || !is_sha256(out->sha256) || !tg_json_int(file, "bytes", &out->bytes) || out->bytes < 0)
            return tg_fail(TG_EFORMAT,
                           "%s: file %" PRId64 " needs url, sha256 (64 digits, as sha256sum prints them) and bytes",
                           where, r->count);
    }
    return TG_OK;
}

static tg_status read_recipe(tg_arena *a, const char *where, const char *text, int64_t length, tg_recipe *out)
{
    const tg_json *root;
    tg_status status = tg_json_parse(a, where, text, length, &root);
    if (status) return status;
    tg_recipe r = {
        .name = tg_json_text(root, "name"), .title = tg_json_text(root, "title"),
        .licence = tg_json_text(root, "licence"), .protocol = tg_json_text(root, "protocol"),
        .column = tg_json_text(root, "column"), .label_column = tg_json_text(root, "label_column"),
    };
    const char *kind = tg_json_text(root, "kind");
    if (!r.name || !r.title || !tg_json_get(root, "licence"))
        return tg_fail(TG_EFORMAT, "%s: a recipe needs name, title, files and licence (null: not stated)", where);
    if (!kind || (strcmp(kind, "text") != 0 && strcmp(kind, "image") != 0 && strcmp(kind, "table") != 0))
        return tg_fail(TG_EUNSUPPORTED, "%s: kind %s is not known to this version; \"text\", \"image\" and \"table\" are", where,
                       kind ? kind : "(none)");
    status = read_files(a, where, root, &r);
    if (!status) *out = r;
    return status;
}

static tg_status read_built_in(tg_arena *a, const tg_recipe_text *t, tg_recipe *out)
{
    return read_recipe(a, t->name, (const char *)t->text, t->length, out);
}

tg_status tg_recipe_open(tg_arena *a, const char *source, tg_recipe *out)
{
    const char *path = tg_recipe_path(source), *name = source + sizeof prefix - 1, *names[MOST_NAMES];
    if (path) {
        char *text = NULL;
        int64_t length = 0;
        tg_status status = tg_file_slurp(path, MAX_RECIPE, &text, &length);
        if (!status) status = read_recipe(a, path, text, length, out);
        tg_free(text);
        return status;
    }
    int64_t count = 0;
    for (const tg_recipe_text *t = tg_recipe_texts; t->text; t++) {
        if (strcmp(t->name, name) == 0) return read_built_in(a, t, out);
        if (count < MOST_NAMES) names[count++] = t->name;
    }
    const char *near = tg_nearest(name, names, count);
    return tg_fail(TG_EINVAL, "%s: there is no such recipe%s%s%s; gen-collect --list shows what there is", source,
                   near ? " (did you mean recipe:" : "", near ? near : "", near ? "?)" : "");
}

tg_status tg_recipe_list(tg_str *out)
{
    tg_arena *a = tg_arena_new(1 << 14);
    if (!a) return TG_ENOMEM;
    tg_status status = TG_OK;
    for (const tg_recipe_text *t = tg_recipe_texts; !status && t->text; t++) {
        tg_recipe r = {0};
        char size[32];
        int64_t bytes = 0, begin = out->length;
        status = read_built_in(a, t, &r);
        for (int64_t i = 0; !status && i < r.count; i++) bytes += r.files[i].bytes;
        if (status) break;
        tg_str_addf(out, "%s%s", prefix, r.name);
        while (!out->failed && out->length - begin < 24) tg_str_add(out, " ");
        tg_str_addf(out, "%s (%s; licence: %s)\n", r.title, tg_format_bytes(size, (double)bytes),
                    r.licence ? r.licence : "not stated");
    }
    tg_arena_free(a);
    return status ? status : out->failed ? TG_ENOMEM : TG_OK;
}
