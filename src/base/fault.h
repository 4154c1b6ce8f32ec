/* fault.h - tests make system calls fail. TG_FAULT in the environment is a comma-separated list of CALL:N:ERROR, "the
 * N-th CALL of this process fails with ERROR" (read write open close fsync rename unlink mkdir truncate thread; ERROR
 * is an errno name, or SHORT: half of a read or write is done), and kill:N, "SIGKILL before the N-th call of any kind".
 * Words that are not known are passed over (malloc:N is alloc's). Without the variable a call costs one test. */
#ifndef TG_BASE_FAULT_H
#define TG_BASE_FAULT_H

typedef enum tg_fault_call {
    TG_FAULT_READ, TG_FAULT_WRITE, TG_FAULT_OPEN, TG_FAULT_CLOSE, TG_FAULT_FSYNC, TG_FAULT_RENAME, TG_FAULT_UNLINK,
    TG_FAULT_MKDIR, TG_FAULT_TRUNCATE, TG_FAULT_THREAD, TG_FAULT_CALLS
} tg_fault_call;

enum { TG_FAULT_SHORT = -1 };

/* Counts one call: 0, the errno it is to fail with, or TG_FAULT_SHORT. May not return (kill). */
int tg_fault(tg_fault_call call);
/* For tests: takes spec in place of the environment and counts from zero; NULL switches all off. */
void tg_fault_set(const char *spec);
/* Calls counted since tg_fault_set, so that a loop over N knows its end. */
long tg_fault_count(void);
#endif
