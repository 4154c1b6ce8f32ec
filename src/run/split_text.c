/* split_text.c - tokens back to text. */
#include "run/split_text.h"

#include "base/alloc.h"
#include "base/str.h"

enum { PIECE = 1 << 16 }; /* tokens that are decoded at once */

tg_status tg_split_text(const tg_dataset *d, tg_split split, int64_t most, tg_text_hook hook, void *user)
{
    const tg_tokenizer *k = tg_dataset_tokenizer(d);
    const int64_t all = tg_dataset_count(d, split);
    const int32_t end = tg_tokenizer_end(k);
    int32_t *ids = tg_alloc_array(PIECE, sizeof *ids);
    tg_str text = {0};
    int64_t told = 0;
    tg_status s = ids ? TG_OK : TG_ENOMEM;
    for (int64_t at = 0, count; at < all && told < most && !s; at += count) {
        count = all - at < PIECE ? all - at : PIECE;
        s = tg_dataset_tokens(d, split, at, count, ids);
        for (int64_t i = 0; i < count && !s; i++) {
            int64_t length = 0;
            const char *bytes = tg_tokenizer_text(k, ids[i], &length);
            tg_str_add_n(&text, bytes, length);
            if (text.failed) s = TG_ENOMEM;
            if (ids[i] != end || end < 0 || s) continue;
            told += text.length;
            s = hook(user, text.data ? text.data : "", text.length);
            if (!s && text.length) s = hook(user, "", 0);
            tg_str_clear(&text);
        }
        if (s || end >= 0 || !text.length) continue;
        told += text.length;
        s = hook(user, text.data, text.length);
        tg_str_clear(&text);
    }
    if (!s && text.length) s = hook(user, text.data, text.length);
    tg_str_free(&text);
    tg_free(ids);
    return s;
}
