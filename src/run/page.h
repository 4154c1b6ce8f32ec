/*
 * page.h - reports as one self-contained page for a browser: no script, no request, light and dark, for paper, too; chart.h draws
 * in it.
 *
 *     tg_page p = {.lang = TG_EN, .title = "verses", .about = "LSTM, 2 x 128"};
 *     tg_page_section(&p, "loss", "Loss");                        // the section before ends by itself
 *     tg_page_text(&p, "Nats per token: lower is better.");
 *     tg_page_table(&p, NULL, (const char *const[]){"run", "val_loss"}, 2, 1);
 *     tg_page_row(&p); tg_page_cell(&p, "runs/a"); tg_page_cell_real(&p, 1.234, 3);
 *     tg_page_table_end(&p);
 *     tg_chart_draw(&p, &chart, series, 2);
 *     tg_str html = {0};
 *     tg_page_write(&p, &html);                                   // frees what p has, whatever happens
 *
 * All text is escaped here: give it as it is. A failure to get memory is kept and told by tg_page_write.
 */
#ifndef TG_RUN_PAGE_H
#define TG_RUN_PAGE_H
#include "base/str.h"
#include "run/words.h"

typedef struct tg_page {
    tg_lang lang;
    const char *title, *about;  /* about: a line below it, or NULL */
    /* page.c's own, 0 at the start */
    tg_str body, contents;
    bool in_section, in_row;
    int column, numbers;        /* of the table that is open */
} tg_page;

/* The page, appended. Errors: TG_ENOMEM. */
tg_status tg_page_write(tg_page *p, tg_str *out);

/* id: letters of ours, unique; the table of contents links there. */
void tg_page_section(tg_page *p, const char *id, const char *title);
void tg_page_heading(tg_page *p, const char *text);   /* below a section's */
void tg_page_text(tg_page *p, const char *text);      /* a paragraph */
void tg_page_note(tg_page *p, const char *text);      /* in a softer colour */
void tg_page_warn(tg_page *p, const char *text);      /* in a box */
/* Foreign text as it is laid out: newlines and blanks stay. caption: above it, or NULL. */
void tg_page_sample(tg_page *p, const char *caption, const char *text, int64_t length);
/* A PNG file's bytes. pixels: small pictures, shown larger with hard edges. alt: what it shows, for those who cannot see it. */
void tg_page_image(tg_page *p, const char *png, int64_t length, const char *alt, const char *caption, bool pixels);
/* What is between lies side by side where there is room: charts, images, samples. */
void tg_page_side(tg_page *p);
void tg_page_side_end(tg_page *p);
/* What is between is folded away under a line. */
void tg_page_details(tg_page *p, const char *summary, bool open);
void tg_page_details_end(tg_page *p);

/* heads: names of the columns, NULL: none. Those from `numbers` on hold numbers, set to the right. The first cell of a row names it. */
void tg_page_table(tg_page *p, const char *caption, const char *const *heads, int columns, int numbers);
void tg_page_row(tg_page *p);
void tg_page_row_best(tg_page *p);                                   /* one that stands out */
void tg_page_cell(tg_page *p, const char *text);                     /* NULL: a dash */
void tg_page_cell_int(tg_page *p, int64_t x);                        /* 45,900 */
void tg_page_cell_real(tg_page *p, double x, int decimals);          /* NaN: a dash */
/* "0.51 (0.43 to 0.59)"; without an interval the value alone. */
void tg_page_cell_interval(tg_page *p, double x, double low, double high, int decimals);
void tg_page_table_end(tg_page *p);

/* page.html, built in by the Makefile. */
extern const char tg_page_page[];
#endif
