/* study_page.h - study.html, the page of a study. */
#ifndef TG_RUN_TUNE_STUDY_PAGE_H
#define TG_RUN_TUNE_STUDY_PAGE_H
#include "tinygen/base.h"

/* From study.json, ranking.json, study.jsonl and the trials' logs to folder/study.html, one file that loads nothing. folder: as
 * the user calls it, for commands to copy; language: a tg_lang. Errors: those of reading and writing, TG_EFORMAT, TG_ENOMEM. */
tg_status tg_study_page(const char *folder, int language);
#endif
