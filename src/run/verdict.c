/* verdict.c - is there something to learn here, and what would mend it: said before training, not after. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/key.h"
#include "base/term.h"
#include "data/text/bpe.h"
#include "run/preprocess.h"
#include "run/result.h"

/* Thresholds, from small recurrent models on text: below 1,000 tokens a model can only learn by heart; below 10,000
 * validation says little; a token seen fewer than 20 times on average is not learned. A validation token that training
 * lacks costs about 10 nats: 1 % of them add 0.1 to the loss, and where they are a third it says nothing else. */
enum { FEW = 1000, SMALL = 10000, SMALL_VAL = 200, RARE = 20 };

/* ---- findings --------------------------------------------------------------------------------------------------- */

typedef struct judge { tg_preparing *p; tg_json_writer w; bool bad, look; } judge;

void tg_finding_put(tg_preparing *p, tg_json_writer *w, bool bad, const tg_str *what, const char *remedy)
{
    if (what->failed) p->findings.failed = true;
    if (what->failed) return;
    tg_json_open(w, '{');
    tg_json_member_text(w, "grade", bad ? "bad" : "look");
    tg_json_member_text(w, "what", what->data);
    tg_json_member_text(w, "remedy", remedy);
    tg_json_close(w, '}');
    tg_str_addf(&p->findings, "%s; %s\n", what->data, remedy);
}

void tg_verdict_put(tg_preparing *p, bool bad, bool look, const tg_str *list)
{
    p->grade = bad ? "bad" : look ? "look" : "good";
    tg_json_writer w = {.out = &p->verdict};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "grade", p->grade);
    tg_json_member_raw(&w, "findings", list->data ? list->data : "[]");
    tg_json_close(&w, '}');
}

void tg_verdict_tell(const tg_preparing *p)
{
    const bool bad = strcmp(p->grade, "bad") == 0;
    tg_log(p->ctx, bad ? TG_LOG_WARN : TG_LOG_INFO, "verdict: %s%s", p->grade,
           p->findings.length ? "" : ": nothing to mend");
    for (const char *at = p->findings.data; at && *at;) {
        size_t n = strcspn(at, "\n");
        tg_log(p->ctx, bad ? TG_LOG_WARN : TG_LOG_INFO, "  %.*s", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

static void find(judge *j, bool bad, const tg_str *what, const char *remedy)
{
    tg_finding_put(j->p, &j->w, bad, what, remedy);
    if (bad) j->bad = true;
    else j->look = true;
}

static void judge_symbols(judge *j)
{
    const tg_figures *f = &j->p->figures;
    tg_str text = {0};
    if (f->kinds_in_all == 1) {
        int64_t length;
        const char *symbol = tg_tokenizer_text(j->p->tokenizer, f->some_token, &length);
        tg_str_add(&text, "the text is one symbol again and again ('");
        tg_term_safe_line(&text, symbol, length);
        tg_str_add(&text, "'): there is nothing to learn");
        find(j, true, &text, "collect a text");
    } else if (f->counts[TG_TRAIN] < f->kinds_in_all * RARE && f->counts[TG_TRAIN] >= FEW) {
        tg_str_addf(&text, "%" PRId64 " different %s in %" PRId64 " tokens: most are too rare to be learned",
                    f->kinds_in_all, tg_bpe_of(j->p->tokenizer) ? "pieces" : "symbols", f->counts[TG_TRAIN]);
        find(j, false, &text,
             !j->p->takes_bytes         ? "--tokenizer byte or bpe, or collect more"
             : j->p->by == TG_BY_BPE ? "smaller --vocab-size, or collect more" : "collect more");
    }
    tg_str_free(&text);
}

static void judge_sizes(judge *j)
{
    const tg_figures *f = &j->p->figures;
    char count[32];
    tg_str text = {0};
    tg_str_addf(&text, "only %s token%s to train on: ", tg_format_count(count, f->counts[TG_TRAIN]),
                f->counts[TG_TRAIN] == 1 ? "" : "s");
    if (f->counts[TG_TRAIN] < FEW) tg_str_add(&text, "a model can only learn them by heart");
    else tg_str_add(&text, "a small model, few steps, and samples that quote");
    if (f->counts[TG_TRAIN] < SMALL) find(j, f->counts[TG_TRAIN] < FEW, &text, "collect more");
    tg_str_clear(&text);
    if (f->counts[TG_VAL] == 0) {
        tg_str_add(&text, "no validation split: nothing tells when to stop");
        find(j, false, &text, "--val 0.1");
    } else if (f->counts[TG_VAL] < SMALL_VAL) {
        tg_str_addf(&text, "only %s token%s to validate on: the loss there is noise",
                    tg_format_count(count, f->counts[TG_VAL]), f->counts[TG_VAL] == 1 ? "" : "s");
        find(j, false, &text, "--val 0.2, or collect more");
    }
    tg_str_free(&text);
}

static void judge_coverage(judge *j)
{
    const tg_figures *f = &j->p->figures;
    if (f->counts[TG_VAL] == 0 || f->counts[TG_TRAIN] == 0) return;
    double share = (double)f->unseen[TG_VAL] / (double)f->counts[TG_VAL];
    if (share <= 0.01) return;
    tg_str text = {0};
    tg_str_add_fixed(&text, 100 * share, 1);
    tg_str_add(&text, " % of the validation tokens never occur in training");
    find(j, share > 1.0 / 3, &text,
         !j->p->takes_bytes         ? "--tokenizer byte or bpe, or collect more of one kind"
         : j->p->by == TG_BY_BPE ? "smaller --vocab-size, or collect more of one kind" : "collect more of one kind");
    tg_str_free(&text);
}

/* A few lines that both share are no harm; a tenth makes validation flatter by that much. */
static void judge_leaks(judge *j)
{
    const tg_preparing *p = j->p;
    if (p->val_bytes == 0 || p->leaks.longest == 0) return;
    const double share = (double)p->leaks.covered / (double)p->val_bytes;
    if (share < 0.005) return;
    tg_str text = {0};
    tg_str_add_fixed(&text, 100 * share, 1);
    tg_str_addf(&text, " %% of the validation text stands word for word in training (\"");
    tg_term_safe_line(&text, p->leaked.data, p->leaked.length);
    tg_str_add(&text, "...\")");
    find(j, share > 0.1, &text,
         p->o->dedupe == TG_DEDUPE_NEAR ? "long documents share passages: coarser --documents keep them on one side"
         : p->o->documents              ? "--dedupe near"
                                        : "--documents line, blank or file, and --dedupe near");
    tg_str_free(&text);
}

static void judge_duplicates(judge *j)
{
    const tg_cleaning *c = &j->p->cleaning;
    const int64_t all = j->p->documents.count + c->exact + c->near;
    char number[32], of[32];
    if ((c->exact + c->near) * 50 < all || all == 0) return;
    tg_str text = {0};
    tg_str_addf(&text, "%s of %s documents were there already and are left out", tg_format_count(number, c->exact + c->near),
                tg_format_count(of, all));
    find(j, false, &text, "nothing to do, if that is right; --dedupe off keeps them");
    tg_str_free(&text);
}

/* A class of which nothing is left cannot be learned. */
static void judge_classes(judge *j)
{
    const tg_tokenizer *t = j->p->tokenizer;
    tg_str text = {0};
    for (int64_t i = 0; i < tg_tokenizer_classes(t) && !text.length; i++) {
        if (tg_tokenizer_class_documents(t, i) > 0) continue;
        const char *name = tg_tokenizer_class_name(t, i);
        tg_str_add(&text, "no training document is of class ");
        tg_term_safe_line(&text, name, (int64_t)strlen(name));
        find(j, true, &text, "collect more of it, or --dedupe off if all were twins of another class's");
    }
    tg_str_free(&text);
}

static void judge_encoding(judge *j)
{
    const tg_cleaning *c = &j->p->cleaning;
    tg_str text = {0};
    if (c->doubtful) {
        tg_str_addf(&text, "the encoding of %" PRId64 " item%s is a guess", c->doubtful, c->doubtful == 1 ? "" : "s");
        find(j, false, &text, "--encoding NAME");
    }
    tg_str_clear(&text);
    if (c->not_text) {
        tg_str_addf(&text, "%" PRId64 " item%s in no encoding that is read: bytes as they are", c->not_text,
                    c->not_text == 1 ? " is" : "s are");
        find(j, false, &text, "right for what is no text; else make it UTF-8 first (iconv)");
    }
    tg_str_free(&text);
}

static void judge_persons(judge *j)
{
    static const struct { const char *one, *many; } kinds[TG_SCRUB_KINDS] = {
        {"e-mail address", "e-mail addresses"}, {"telephone number", "telephone numbers"},
        {"identity number", "identity numbers"}, {"card number", "card numbers"}, {"IP address", "IP addresses"}};
    const int64_t *count = j->p->cleaning.scrubbed.count;
    if (j->p->o->scrub_pii) return;
    tg_str text = {0};
    for (int i = 0; i < TG_SCRUB_KINDS; i++)
        if (count[i])
            tg_str_addf(&text, "%s%" PRId64 " %s", text.length ? ", " : "", count[i], count[i] == 1 ? kinds[i].one : kinds[i].many);
    if (text.length) {
        tg_str_add(&text, " in the text");
        find(j, false, &text, "--scrub-pii masks them");
    }
    tg_str_free(&text);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

void tg_provenance_add(tg_preparing *p, const tg_item *item)
{
    const int64_t before = p->sources.length;
    const bool listed = p->items < TG_LISTED && before < TG_LISTED_BYTES; /* from the first that is not, none is */
    tg_json_writer w = {.out = &p->sources, .comma = listed && p->items > 0};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "origin", item->origin);
    tg_json_member_text(&w, "licence", item->licence);
    tg_json_member_text(&w, "label", item->label);
    tg_json_member_int(&w, "bytes", item->bytes);
    tg_json_member_text(&w, "sha256", item->sha256);
    tg_json_close(&w, '}');
    p->items++;
    if (listed || p->sources.failed) return;
    if (p->unlisted.items++ == 0) tg_sha256_start(&p->unlisted.hash);
    p->unlisted.bytes += item->bytes;
    tg_str_add(&p->sources, "\n");
    tg_sha256_add(&p->unlisted.hash, p->sources.data + before, p->sources.length - before);
    p->sources.data[p->sources.length = before] = 0;
}

static void put_unlisted(const tg_preparing *p, tg_json_writer *w)
{
    char hash[65];
    tg_sha256 copy = p->unlisted.hash;
    if (p->unlisted.items == 0) return;
    tg_sha256_end(&copy, hash);
    tg_json_key(w, "unlisted");
    tg_json_open(w, '{');
    tg_json_member_int(w, "items", p->unlisted.items);
    tg_json_member_int(w, "bytes", p->unlisted.bytes);
    tg_json_member_text(w, "sha256", hash);
    tg_json_close(w, '}');
}

void tg_provenance_put(tg_preparing *p)
{
    char manifest[65];
    tg_sha256 copy = p->manifest;
    tg_sha256_end(&copy, manifest);
    tg_json_writer w = {.out = &p->provenance};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "manifest_sha256", manifest);
    tg_json_key(&w, "items");
    tg_json_open(&w, '[');
    if (p->items) tg_json_put_raw(&w, p->sources.data ? p->sources.data : "");
    tg_json_close(&w, ']');
    put_unlisted(p, &w);
    tg_json_close(&w, '}');
    if (p->sources.failed) p->provenance.failed = true;
}

static void put_cleaning(const tg_preparing *p, tg_json_writer *w)
{
    const tg_cleaning *c = &p->cleaning;
    tg_json_key(w, "encodings");
    tg_json_open(w, '{');
    for (int e = 0; e < TG_ENCODINGS; e++)
        if (c->encodings[e]) tg_json_member_int(w, tg_encoding_name((tg_encoding)e), c->encodings[e]);
    if (c->not_text) tg_json_member_int(w, "unknown", c->not_text);
    tg_json_close(w, '}');
    const struct { const char *name; int64_t count; } rows[] = {
        {"encodings_not_sure", c->doubtful}, {"line_ends_to_lf", c->text.line_ends},
        {"control_characters_removed", c->text.controls}, {"byte_order_marks_removed", c->text.marks},
        {"newlines_between_items", c->joints}, {"characters_composed", c->composed}, {"widths_folded", c->widths},
        {"letters_lowered", c->lowered}, {"boilerplate_bytes_removed", c->stripped}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) tg_json_member_int(w, rows[i].name, rows[i].count);
    tg_json_key(w, p->o->scrub_pii ? "personal_data_masked" : "personal_data_found");
    tg_json_open(w, '{');
    static const char *const kinds[TG_SCRUB_KINDS] = {"emails", "phones", "ids", "cards", "ip_addresses"};
    for (int i = 0; i < TG_SCRUB_KINDS; i++) tg_json_member_int(w, kinds[i], c->scrubbed.count[i]);
    tg_json_close(w, '}');
    tg_json_member_int(w, "val_bytes_also_in_train", p->leaks.covered);
    tg_json_member_int(w, "longest_span_also_in_train", p->leaks.longest);
}

static void put_report(tg_preparing *p)
{
    const tg_figures *f = &p->figures;
    tg_json_writer w = {.out = &p->report};
    tg_json_open(&w, '{');
    tg_json_member_int(&w, "items", p->items);
    put_cleaning(p, &w);
    tg_json_member_int(&w, "bytes_left_out", p->cleaning.cut);
    if (p->o->min_count > 1) tg_json_member_int(&w, "rare_characters", p->cleaning.rare);
    if (p->o->documents) {
        tg_json_member_int(&w, "documents", p->documents.count);
        tg_json_member_int(&w, "duplicates_left_out", p->cleaning.exact);
        tg_json_member_int(&w, "near_duplicates_left_out", p->cleaning.near);
    }
    tg_json_member_int(&w, "symbols_in_train", f->kinds[TG_TRAIN]);
    tg_json_member_int(&w, "val_tokens_not_in_train", f->unseen[TG_VAL]);
    tg_json_member_int(&w, "test_tokens_not_in_train", f->unseen[TG_TEST]);
    tg_json_close(&w, '}');
}

int tg_split_rule(const tg_preparing *p)
{
    if (p->o->split != TG_SPLIT_AUTO) return (int)p->o->split;
    return p->o->documents ? TG_SPLIT_RANDOM : TG_SPLIT_POSITION;
}

static void put_choice(tg_json_writer *w, const char *key, const char *choices, int64_t i)
{
    int64_t length;
    const char *name = tg_key_choice(choices, i, &length);
    tg_json_key(w, key);
    tg_json_put_text_n(w, name, length);
}

static void put_split(tg_preparing *p)
{
    tg_json_writer w = {.out = &p->split};
    tg_json_open(&w, '{');
    put_choice(&w, "rule", TG_SPLIT_CHOICES, tg_split_rule(p));
    if (p->o->documents) {
        put_choice(&w, "documents", TG_DOCUMENTS_CHOICES, p->o->documents);
        tg_json_member_int(&w, "seed", p->o->seed);
    }
    tg_json_member_real(&w, "val", p->o->val);
    tg_json_member_real(&w, "test", p->o->test);
    tg_json_close(&w, '}');
}

tg_status tg_verdict_make(tg_preparing *p)
{
    tg_str list = {0};
    judge j = {.p = p, .w = {.out = &list}};
    tg_json_open(&j.w, '[');
    judge_symbols(&j);
    if (p->figures.kinds_in_all > 1) { /* else all is said */
        judge_sizes(&j);
        judge_coverage(&j);
        judge_leaks(&j);
        judge_duplicates(&j);
        judge_classes(&j);
        judge_encoding(&j);
        judge_persons(&j);
    }
    tg_json_close(&j.w, ']');
    tg_verdict_put(p, j.bad, j.look, &list);
    put_split(p);
    put_report(p);
    tg_provenance_put(p);
    bool failed = list.failed || p->verdict.failed || p->split.failed || p->report.failed || p->provenance.failed ||
                  p->findings.failed;
    tg_str_free(&list);
    return failed ? TG_ENOMEM : TG_OK;
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

/* Bits per character of the split that the baselines were worked out on. */
static void add_baseline(tg_str *out, const tg_figures *f, double nats)
{
    int s = f->counts[TG_VAL] ? TG_VAL : TG_TRAIN;
    double tokens_per_char = f->chars[s] ? (double)f->targets[s] / (double)f->chars[s] : 1;
    tg_str_add_fixed(out, nats * 1.4426950408889634 * tokens_per_char, 3);
}

static void tell_people(tg_preparing *p)
{
    static const char *const called[TG_SPLITS] = {"train", "validation", "test"};
    const tg_figures *f = &p->figures;
    char number[32];
    tg_str line = {0};
    tg_str_addf(&line, "%s:", p->o->out);
    for (int s = 0; s < TG_SPLITS; s++)
        if (f->counts[s] || s < TG_TEST)
            tg_str_addf(&line, "%s %s %s", s == TG_TRAIN ? "" : ",", called[s], tg_format_count(number, f->counts[s]));
    tg_str_addf(&line, " tokens (%s), vocabulary %s; seed %" PRId64, tg_tokenizer_kind(p->tokenizer),
                tg_format_count(number, f->vocab), p->o->seed);
    if (!line.failed) tg_log(p->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_clear(&line);
    tg_str_add(&line, "baselines, bits per character: uniform ");
    add_baseline(&line, f, f->uniform);
    tg_str_addf(&line, ", single %s ", tg_bpe_of(p->tokenizer) ? "pieces" : "symbols");
    add_baseline(&line, f, f->unigram);
    if (!isnan(f->ngram)) {
        tg_str_add(&line, ", 3-grams ");
        add_baseline(&line, f, f->ngram);
        if (p->seconds[TG_STAGE_BASELINES] >= 0.5) {
            tg_str_add(&line, " (");
            tg_str_add_fixed(&line, p->seconds[TG_STAGE_BASELINES], 1);
            tg_str_add(&line, " s)");
        }
    }
    if (!line.failed) tg_log(p->ctx, TG_LOG_INFO, "%s", line.data);
    tg_verdict_tell(p);
    tg_str_free(&line);
}

/* Where the time went, for -v. */
static void tell_times(const tg_preparing *p, double seconds)
{
    static const char *const names[TG_STAGES] = {"read and clean", "duplicates", "split", "vocabulary", "tokens", "leaks",
                                                 "baselines", "write"};
    tg_str line = {0};
    for (int i = 0; i < TG_STAGES; i++) {
        if (p->seconds[i] < 0.005) continue;
        tg_str_addf(&line, "%s ", names[i]);
        tg_str_add_fixed(&line, p->seconds[i], 2);
        tg_str_add(&line, ", ");
    }
    tg_str_add(&line, "all ");
    tg_str_add_fixed(&line, seconds, 2);
    if (!line.failed) tg_log(p->ctx, TG_LOG_DETAIL, "seconds: %s", line.data);
    tg_str_free(&line);
}

tg_status tg_preprocess_tell(tg_preparing *p, double seconds)
{
    char bytes[32];
    tell_people(p);
    tell_times(p, seconds);
    tg_log(p->ctx, TG_LOG_DETAIL, "memory: %s at most", tg_format_bytes(bytes, (double)tg_peak_memory()));
    if (!p->o->json) return TG_OK;
    const tg_figures *f = &p->figures;
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_result_begin(&w, "gen-preprocess", p->o->out, p->o->seed, seconds);
    tg_json_member_text(&w, "kind", "text");
    for (int s = 0; s < TG_SPLITS; s++) tg_json_member_int(&w, tg_split_names[s], f->counts[s]);
    tg_json_member_int(&w, "vocab", f->vocab);
    tg_json_member_text(&w, "content_sha256", p->content);
    tg_json_member_int(&w, "peak_bytes", tg_peak_memory());
    tg_json_member_raw(&w, "verdict", p->verdict.data);
    return tg_result_end(p->ctx, &w);
}
