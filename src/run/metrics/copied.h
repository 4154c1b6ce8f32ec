/*
 * copied.h - what stands word for word in the training text: how much of generated text was learned by heart.
 *
 * Real text repeats, too, so nothing is said of samples alone: `real`, as much text that training has not seen (tg_pieces_like of
 * validation), is measured with them, and what it shares with the training text is what language shares with itself.
 *
 *     tg_copied *c;
 *     tg_copied_new((tg_copied_group[]){{samples, n}, {real, m}}, 2, &c);
 *     while (more of the training text) tg_copied_read(c, bytes, count);      // in parts of any size;
 *     tg_copied_end(c);                                                       // tg_copied_break between documents
 *     tg_copied_of(c, 0, &of_samples), tg_copied_of(c, 1, &of_real);
 *     tg_copied_verdict v = tg_copied_judge(&of_samples, m > 0 ? &of_real : NULL);
 *     tg_copied_passages(c, 0, v.length, passages, 20, &found);
 *
 * How     A suffix automaton (Blumer et al. 1985, 1987) of the texts that are judged; the training text passes through it once
 *         and leaves at each state the longest match. So memory does not depend on the training text, and nothing is missed:
 *         runs are found from one character on. Matching is by bytes; runs begin and end between characters (code points, or
 *         bytes that are not UTF-8), and never cross the border of a text or a tg_copied_break.
 * Memory  some 75 bytes, 110 at the most, for each byte that is judged.
 * Cost    about 0.8 us a judged byte, 0.3 us a byte of training: 3 s for 10 MB and 200 samples. One thread.
 */
#ifndef TG_RUN_METRICS_COPIED_H
#define TG_RUN_METRICS_COPIED_H
#include "run/metrics/words.h"

enum {
    TG_COPIED_LONGEST = 256,   /* characters: the longest n-grams that are counted */
    TG_COPIED_ROOM = 64 << 20  /* bytes that are judged */
};

typedef struct tg_copied tg_copied;
typedef struct tg_copied_group { const tg_text *texts; int64_t count; } tg_copied_group;

/* The texts are borrowed as long as *out lives. Errors: TG_EINVAL (more than TG_COPIED_ROOM bytes in all), TG_ENOMEM. */
tg_status tg_copied_new(const tg_copied_group *groups, int count, tg_copied **out);
void tg_copied_free(tg_copied *c); /* NULL is fine */
/* The next bytes of the training text. */
void tg_copied_read(tg_copied *c, const char *bytes, int64_t count);
/* What comes is no continuation. */
void tg_copied_break(tg_copied *c);
/* All is read. Before, nothing below may be asked; behind it, nothing may be read. */
tg_status tg_copied_end(tg_copied *c);

typedef struct tg_copied_figures {
    /* [n], n = 1..TG_COPIED_LONGEST: how many n-grams of n characters the texts have, and how many of these stand in the training
     * text. copied[n] / grams[n] is the share copied: it falls with n, and slowly where text was learned by heart. */
    int64_t grams[TG_COPIED_LONGEST + 1], copied[TG_COPIED_LONGEST + 1];
    int64_t longest; /* characters of the longest run, of any length */
    int64_t bytes;   /* of the texts; their characters are grams[1] */
} tg_copied_figures;
void tg_copied_of(const tg_copied *c, int group, tg_copied_figures *out);

/*
 * Was it learned by heart? Lengths are bytes' worth of characters of these texts (32 bytes: six words of English, two verses of
 * five characters), so that they mean as much in Chinese. Flagged is
 *   TG_COPIED_SHARE  for some n from 32 bytes' worth on, the share of n-grams that are copied is above 0.05 + 10 times that of
 *                    real text. A model that learned the language says what is common in it more often than text does, for it is
 *                    drawn to what is likely; one that learned the text by heart copies nearly all of it. Tiny Shakespeare, n =
 *                    19: real text 0.3 %, an LSTM at temperature 0.8 1.1 %, at 0.3 1.8 %; n = 32: 0.01 % at most. Another LSTM
 *                    on 20 kB, 105 times over: 98 % and 97 %. So validation that repeats training (refrains, leaks) moves the
 *                    bound, but hides nothing.
 *   TG_COPIED_RUN    else, one run is longer than three times the longest of real text, and than 150 bytes' worth. Were each
 *                    character as likely to end a run as any other, then of N characters, of whose runs the longest has length
 *                    L, 1 / N runs of length 2 L are expected; the third L is for language, which repeats by quotation and
 *                    formula. More real text than samples makes this surer: of Tang poems, one stretch of 20 kB shares runs of
 *                    8 characters with others, another one of 68.
 * Without real text (NULL, or fewer than TG_COPIED_ENOUGH n-grams of it) these begin at 100 and 300 bytes' worth (leaks.h).
 * TG_COPIED_SHORT: of the shortest length that tells something there are fewer than TG_COPIED_ENOUGH n-grams, as in names.
 */
enum { TG_COPIED_SPAN = 32 /* bytes */, TG_COPIED_ENOUGH = 100 };
#define TG_COPIED_SHARE_MOST 0.05
#define TG_COPIED_TIMES 10
#define TG_COPIED_LONGER 3
typedef enum tg_copied_why { TG_COPIED_FINE, TG_COPIED_SHORT, TG_COPIED_SHARE, TG_COPIED_RUN } tg_copied_why;
typedef struct tg_copied_verdict {
    tg_copied_why why;
    bool flagged;                    /* SHARE or RUN */
    int64_t length;                  /* n of the share, in characters: the first that broke the bound, else the shortest; passages
                                        from this length on are worth a look */
    double share, real_share, bound; /* copied n-grams of that length; of real text, NaN: none; above which it is flagged */
    int64_t longest, real_longest, longest_bound; /* characters; real_longest -1: no real text */
} tg_copied_verdict;
tg_copied_verdict tg_copied_judge(const tg_copied_figures *texts, const tg_copied_figures *real);

/* A run that cannot be longer at either end. */
typedef struct tg_passage {
    int64_t text;           /* of the group */
    int64_t offset, length; /* in its bytes */
    int64_t chars;          /* the same length in characters */
    int64_t in_train;       /* where the same bytes stand among those that were read; not always the first place */
} tg_passage;
/* The longest runs of at least `least` characters, longest first, of equal ones in the order of the texts; of those that overlap
 * in a text the first in this order. *count: how many, room at most. Errors: TG_ENOMEM. */
tg_status tg_copied_passages(const tg_copied *c, int group, int64_t least, tg_passage *out, int64_t room, int64_t *count);
#endif
