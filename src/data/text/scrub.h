/* scrub.h - masks what tells of a person: addresses, telephone, identity and card numbers. By their form alone, so it
 * lowers the risk and does not end it: names and street addresses stay, and so does what is written otherwise (an
 * "at" for @, numbers in words or in full-width digits: fold widths first, see normalize.h).
 *
 *   <EMAIL>  local@domain, ASCII, with a top-level domain of letters
 *   <PHONE>  +CC ..., 00CC ...; Chinese mobile and landline numbers; (415) 555-0132 and its like; numbers with an area
 *            code that begins with 0, in groups; after a word as tel, call, fax, 电话, any 7 to 12 digits
 *   <ID>     Chinese identity numbers of 18 digits with a known province, a date and the right check digit (GB 11643)
 *   <CARD>   13 to 19 digits of a known issuer, plain or in the usual groups, that pass Luhn's test
 *   <IP>     IPv4 but where it is a version or a section, IPv6
 * Years, dates, prices, ISBNs, versions, times, hashes and numbers within words are none of these. */
#ifndef TG_DATA_SCRUB_H
#define TG_DATA_SCRUB_H
#include "base/str.h"

typedef enum tg_scrub_kind {
    TG_SCRUB_EMAIL, TG_SCRUB_PHONE, TG_SCRUB_ID, TG_SCRUB_CARD, TG_SCRUB_IP, TG_SCRUB_KINDS
} tg_scrub_kind;

extern const char *const tg_scrub_masks[TG_SCRUB_KINDS]; /* "<EMAIL>", ... */

typedef struct tg_scrubbed { int64_t count[TG_SCRUB_KINDS]; } tg_scrubbed;

/* Appends text to out with masks, and adds them to counts. One pass, linear time; any bytes will do.
 * Errors: TG_ENOMEM; counts are then as they were. */
tg_status tg_scrub(const char *text, int64_t length, tg_str *out, tg_scrubbed *counts);

typedef struct tg_scrub_span { int64_t begin, end; tg_scrub_kind kind; } tg_scrub_span;

/* The first span behind `from`, which is 0 or the end of the one before. False: there is none. */
bool tg_scrub_next(const char *text, int64_t length, int64_t from, tg_scrub_span *out);
#endif
