/* freeze.c - which parameters a list of words means. */
#include "run/freeze.h"

#include "base/alloc.h"
#include "base/str.h"

#include <string.h>

typedef struct word { const char *text; size_t length; } word;

/* Where the number of "..._l0" begins, as PyTorch ends the names of a recurrent layer; 0: it is none. */
static size_t layer_number(const char *name)
{
    size_t at = strlen(name);
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') at--;
    return name[at] && at > 2 && !strncmp(name + at - 2, "_l", 2) ? at : 0;
}

/* The words of a part: "rnn.0" of rnn.weight_ih_l0, "layers.0" of layers.0.mlp.up.weight, else what stands before the first dot. */
static void add_part(tg_str *out, const char *name)
{
    const size_t first = strcspn(name, "."), number = layer_number(name);
    const char *second = name[first] ? name + first + 1 : "";
    const size_t digits = strspn(second, "0123456789");
    tg_str_add_n(out, name, (int64_t)first);
    if (number) tg_str_addf(out, ".%s", name + number);
    else if (digits && second[digits] == '.') tg_str_addf(out, ".%.*s", (int)digits, second);
}

static bool is_part_of(const char *name, word w)
{
    tg_str part = {0};
    if (w.length == 3 && !memcmp(w.text, "all", 3)) return true;
    if (!strncmp(name, w.text, w.length) && (!name[w.length] || name[w.length] == '.')) return true;
    if (layer_number(name)) add_part(&part, name);
    const bool same = part.data && !part.failed && (size_t)part.length == w.length && !memcmp(part.data, w.text, w.length);
    tg_str_free(&part);
    return same;
}

static void list_parts(const tg_params *p, tg_str *out)
{
    enum { MOST = 40 };
    tg_str last = {0}, part = {0};
    int listed = 0;
    for (int64_t i = 0; i < tg_params_count(p) && listed <= MOST; i++) {
        tg_str_clear(&part);
        add_part(&part, tg_params_at(p, i)->name);
        if (part.failed || (last.data && part.data && !strcmp(last.data, part.data))) continue;
        tg_str_addf(out, "%s%s", listed ? ", " : "", listed == MOST ? "..." : part.data);
        tg_str_clear(&last);
        tg_str_add(&last, part.data);
        listed++;
    }
    out->failed = out->failed || last.failed || part.failed;
    tg_str_free(&last);
    tg_str_free(&part);
}

static tg_status no_such_part(const tg_params *p, word w)
{
    tg_str parts = {0};
    list_parts(p, &parts);
    tg_status s = parts.failed ? TG_ENOMEM
                : tg_fail(TG_EUSAGE, "--freeze: no parameter of this model is called %.*s; there are all, %s, and their parts, such as %s",
                          (int)w.length, w.text, parts.data, tg_params_at(p, 0)->name);
    tg_str_free(&parts);
    return s;
}

static tg_status mark(const tg_params *p, word w, bool *frozen)
{
    bool found = false;
    const bool away = w.length > 0 && w.text[0] == '-';
    const word name = away ? (word){w.text + 1, w.length - 1} : w;
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        if (!is_part_of(tg_params_at(p, i)->name, name)) continue;
        frozen[i] = !away;
        found = true;
    }
    return found ? TG_OK : no_such_part(p, name);
}

tg_status tg_freeze(tg_params *p, const char *list)
{
    if (!list || !*list) return TG_OK;
    bool *frozen = tg_alloc(tg_params_count(p) * (int64_t)sizeof *frozen);
    if (!frozen) return TG_ENOMEM;
    tg_status s = *list != '-' ? TG_OK : tg_fail(TG_EUSAGE, "--freeze %s: takes away from nothing; begin with all, as in all,%s", list, list);
    for (const char *at = list; !s;) {
        const size_t length = strcspn(at, ",");
        s = mark(p, (word){at, length}, frozen);
        if (!at[length]) break;
        at += length + 1;
    }
    for (int64_t i = 0; i < tg_params_count(p) && !s; i++)
        if (frozen[i]) tg_params_freeze(p, i);
    if (!s && tg_params_trained(p) == 0) s = tg_fail(TG_EUSAGE, "--freeze %s: nothing is left to train", list);
    tg_free(frozen);
    return s;
}
