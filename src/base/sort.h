/* sort.h - one stable merge sort for everything that reaches a result. */
#ifndef TG_BASE_SORT_H
#define TG_BASE_SORT_H
#include "tinygen/base.h"
/* items: count elements of size bytes; scratch: as many bytes. compare is a total order: <0, 0, >0. */
void tg_sort(void *items, int64_t count, int64_t size, void *scratch,
             int (*compare)(const void *, const void *, void *), void *user);
#endif
