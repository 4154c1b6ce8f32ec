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

/* "rnn", "0" of rnn.weight_ih_l0, "layers", "0" of layers.0.mlp.up.weight, else what stands before the first dot alone. */
typedef struct part { word head, number; } part;

static part part_of(const char *name)
{
    const size_t first = strcspn(name, "."), number = layer_number(name);
    const char *second = name[first] ? name + first + 1 : "";
    const size_t digits = strspn(second, "0123456789");
    part p = {.head = {name, first}, .number = {"", 0}};
    if (number) p.number = (word){name + number, strlen(name + number)};
    else if (digits && second[digits] == '.') p.number = (word){second, digits};
    return p;
}

static bool same(word a, word b) { return a.length == b.length && !memcmp(a.text, b.text, a.length); }

static bool is_part_of(const char *name, word w)
{
    const part p = part_of(name);
    const size_t head = p.head.length;
    if (same(w, (word){"all", 3})) return true;
    if (!strncmp(name, w.text, w.length) && (!name[w.length] || name[w.length] == '.')) return true;
    return layer_number(name) && w.length > head && w.text[head] == '.' && same((word){w.text, head}, p.head) &&
           same((word){w.text + head + 1, w.length - head - 1}, p.number);
}

static bool is_first_of_its_part(const tg_params *p, int64_t i)
{
    const part is = part_of(tg_params_at(p, i)->name);
    for (int64_t k = 0; k < i; k++) {
        const part was = part_of(tg_params_at(p, k)->name);
        if (same(was.head, is.head) && same(was.number, is.number)) return false;
    }
    return true;
}

static void list_parts(const tg_params *p, tg_str *out)
{
    enum { MOST = 40 };
    int listed = 0;
    for (int64_t i = 0; i < tg_params_count(p) && listed <= MOST; i++) {
        if (!is_first_of_its_part(p, i)) continue;
        const part at = part_of(tg_params_at(p, i)->name);
        tg_str_add(out, listed ? ", " : "");
        if (listed++ == MOST) tg_str_add(out, "...");
        else tg_str_addf(out, "%.*s%s%.*s", (int)at.head.length, at.head.text, at.number.length ? "." : "", (int)at.number.length,
                         at.number.text);
    }
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

/* Parts that learn by losses of their own, as a GAN's two sides, must each have something to learn. */
static tg_status check_groups(const tg_params *p, const char *list)
{
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const tg_tensor *x = tg_params_at(p, i);
        bool left = false;
        for (int64_t k = 0; k < tg_params_count(p) && !left; k++) left = tg_params_at(p, k)->group == x->group && !tg_params_frozen(p, k);
        if (!left) return tg_fail(TG_EUSAGE, "--freeze %s: nothing is left to train among %s and what learns with it", list, x->name);
    }
    return TG_OK;
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
    tg_free(frozen);
    if (!s && tg_params_trained(p) == 0) s = tg_fail(TG_EUSAGE, "--freeze %s: nothing is left to train", list);
    return s ? s : check_groups(p, list);
}
