/* preprocess.h - what gen-preprocess is at: preprocess.c reads, cleans and cuts, verdict.c judges and tells. */
#ifndef TG_RUN_PREPROCESS_H
#define TG_RUN_PREPROCESS_H
#include "base/hash.h"
#include "base/json.h"
#include "data/corpus.h"
#include "run/documents.h"
#include "tinygen/run.h"

enum { TG_BY_CHAR, TG_BY_BYTE }; /* choices of --tokenizer */

typedef struct tg_cleaning {
    int64_t line_ends; /* CR LF that became LF */
    int64_t marks;     /* byte order marks removed */
    int64_t joints;    /* newlines put between items */
    int64_t cut;       /* bytes left out by --max-bytes, of items that were not read, too */
    int64_t rare;      /* characters that --min-count made unknown */
    int64_t exact, near; /* documents left out as duplicates */
} tg_cleaning;

typedef struct tg_preparing {
    tg_context *ctx;
    const tg_preprocess_options *o;
    tg_str text;
    tg_documents documents; /* of the text; empty: it is one piece */
    tg_packed packed;
    tg_cleaning cleaning;
    tg_sha256 manifest;
    tg_str sources;    /* members of the provenance's list */
    int64_t items;
    tg_tokenizer *tokenizer;
    tg_figures figures;
    tg_str split, verdict, report, provenance; /* JSON */
    tg_str findings;   /* the same for people, a line each: "what; remedy" */
    const char *grade; /* "good", "look", "bad" */
    char content[65];
} tg_preparing;

/* An item's origin, licence, label, size and hash to the provenance. */
void tg_provenance_add(tg_preparing *p, const tg_item *item);
/* From figures and counts: grade, findings and the four JSON texts. */
tg_status tg_verdict_make(tg_preparing *p);
/* The summary for people and, with --json, the result. */
tg_status tg_preprocess_tell(tg_preparing *p, double seconds);
#endif
