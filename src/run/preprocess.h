/* preprocess.h - what gen-preprocess is at: preprocess.c reads, cleans and cuts, verdict.c judges and tells. */
#ifndef TG_RUN_PREPROCESS_H
#define TG_RUN_PREPROCESS_H
#include "base/hash.h"
#include "base/json.h"
#include "base/meter.h"
#include "base/scratch.h"
#include "data/corpus.h"
#include "data/duplicates.h"
#include "data/leaks.h"
#include "data/text/encoding.h"
#include "data/text/gutenberg.h"
#include "data/text/normalize.h"
#include "data/text/scrub.h"
#include "run/documents.h"
#include "tinygen/run.h"

enum { TG_BY_CHAR, TG_BY_BYTE, TG_BY_BPE, TG_BY_FILE }; /* what --tokenizer says */

enum { TG_DEDUPE_EXACT, TG_DEDUPE_NEAR, TG_DEDUPE_OFF };
enum { TG_SAID_UTF16 = 4 };        /* of --encoding */

/* What takes time, in the order in which it is done. */
enum { TG_STAGE_READ, TG_STAGE_DUPLICATES, TG_STAGE_SPLIT, TG_STAGE_VOCABULARY, TG_STAGE_TOKENS, TG_STAGE_LEAKS, TG_STAGE_BASELINES,
       TG_STAGE_WRITE, TG_STAGES };

/* What was found and changed on the way from items to text. */
typedef struct tg_cleaning {
    int64_t encodings[TG_ENCODINGS]; /* items in each */
    int64_t not_text;  /* items in none: their bytes as they were */
    int64_t doubtful;  /* items whose encoding is not sure */
    int64_t told;      /* encodings that were told one by one */
    tg_cleaned text;   /* line ends, control characters, marks */
    int64_t widths, composed, lowered;
    int64_t stripped;  /* bytes around a book's body */
    tg_scrubbed scrubbed;
    int64_t joints;    /* newlines put between items */
    int64_t cut;       /* bytes left out by --max-bytes, of items that were not read, too */
    int64_t rare;      /* characters that --min-count made unknown */
    int64_t exact, near; /* documents left out as duplicates */
} tg_cleaning;

/* How much is in memory at once, in bytes. None of it changes the dataset, but that of `line`. */
typedef struct tg_bounds {
    int64_t keep;  /* of the text, of its tokens, of what is known of each document (16 bytes: two million are 32 MiB) and of
                      what is being sorted; the rest lies in files without a name beside the output */
    int64_t block; /* read at once */
    int64_t line;  /* the longest line that is cleaned whole; longer ones are cut, after a space where there is one */
    int64_t whole; /* the longest item whose begin and end are looked for (--strip) */
    int64_t near;  /* documents whose likeness is searched, at most: more are refused */
} tg_bounds;

/* Bytes to be read from their begin to their end, once or more: an item's, or a row's, which are in memory. */
typedef struct tg_source {
    tg_item_file *file; /* NULL: they are at bytes */
    const char *bytes;
    int64_t length, at;
    tg_meter *meter;    /* of a file */
    bool is_utf8;       /* by contract, whatever --encoding says: a row of a table */
} tg_source;

/* What cleaning works in, from item to item. */
typedef struct tg_washing { char *window; tg_str raw, text, a, b; } tg_washing;

/* Items that the provenance lists, at most, and about how long that list may become: a file's header has a bound. */
enum { TG_LISTED = 10000, TG_LISTED_BYTES = 16 << 20 };

typedef struct tg_preparing {
    tg_context *ctx;
    const tg_preprocess_options *o;
    tg_bounds bounds;
    tg_washing wash;
    tg_scratch *text;
    tg_documents documents; /* of the text; empty: it is one piece */
    tg_packed packed;
    tg_cleaning cleaning;
    tg_leaks leaks;    /* of validation in training */
    int64_t val_bytes; /* of text */
    tg_str leaked;     /* how the longest begins */
    tg_sha256 manifest;
    tg_str sources;    /* members of the provenance's list */
    struct { int64_t items, bytes; tg_sha256 hash; } unlisted; /* what the list has no room for */
    int64_t items;
    int by;            /* TG_BY_..., and what follows from it: */
    bool takes_bytes, raw, has_unknown; /* raw: nothing is cleaned; has_unknown: a token for what is too rare */
    tg_tokenizer *tokenizer;
    tg_figures figures;
    double seconds[TG_STAGES], clock; /* that they took; when the last one ended */
    tg_str split, verdict, report, provenance; /* JSON */
    tg_str findings;   /* the same for people, a line each: "what; remedy" */
    const char *grade; /* "good", "look", "bad" */
    char content[65];
} tg_preparing;

/* The source's text, cleaned as the options say, is given to `take` in blocks; what these are changes no byte of it. where:
 * for messages. Errors: TG_EINVAL (not in the encoding that was said, in none that is known; with the offset in the item's own
 * bytes), those of reading and of take, TG_ENOMEM. */
typedef tg_status tg_take(void *user, const char *text, int64_t length);
tg_status tg_clean(tg_preparing *p, const char *where, tg_source *source, tg_take *take, void *user);
void tg_washing_free(tg_washing *w);
/* The next bytes of a source, up to room. */
tg_status tg_source_read(tg_source *s, char *out, int64_t room, int64_t *got);
void tg_source_rewind(tg_source *s);
/* tg_preprocess within other bounds than its own. */
tg_status tg_preprocess_within(tg_context *ctx, const tg_preprocess_options *o, const tg_bounds *bounds);
/* --tokenizer and what goes with it, before anything is read: takes_bytes, raw, has_unknown, and the tokeniser itself where it
 * is a file's. Errors: TG_EUSAGE, those of reading. */
tg_status tg_tokenizer_choose(tg_preparing *p);
/* It is made of the text, if it is not there yet; without special tokens. */
tg_status tg_tokenizer_make(tg_preparing *p);
/* The rule that --split names, or that auto stands for. */
int tg_split_rule(const tg_preparing *p);
/* An item's origin, licence, label, size and hash to the provenance: to its list, or what is told of the rest. */
void tg_provenance_add(tg_preparing *p, const tg_item *item);
void tg_provenance_put(tg_preparing *p); /* all of it to p->provenance */
/* A finding to the JSON list and, for people, to p->findings. */
void tg_finding_put(tg_preparing *p, tg_json_writer *w, bool bad, const tg_str *what, const char *remedy);
/* {"grade", "findings"} of a list of them, to p->verdict. */
void tg_verdict_put(tg_preparing *p, bool bad, bool look, const tg_str *list);
void tg_verdict_tell(const tg_preparing *p); /* the grade, and each finding a line */
/* From figures and counts: grade, findings and the four JSON texts. */
tg_status tg_verdict_make(tg_preparing *p);
/* The summary for people and, with --json, the result. */
tg_status tg_preprocess_tell(tg_preparing *p, double seconds);
#endif
