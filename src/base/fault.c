/* fault.c - the parser and the counters behind TG_FAULT. */
#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { RULES = 16 };

typedef struct rule { int call; long at; int error; } rule; /* call TG_FAULT_CALLS: kill */

static struct {
    rule rules[RULES];
    int count;
    bool on;
    atomic_long seen[TG_FAULT_CALLS], all;
} faults;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *const calls[TG_FAULT_CALLS] = {"read",   "write",  "open",  "close",    "fsync",
                                                  "rename", "unlink", "mkdir", "truncate", "thread"};

static const struct { const char *name; int value;
} errors[] = {
    {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"SHORT", TG_FAULT_SHORT}, {"EACCES", EACCES},
    {"EAGAIN", EAGAIN}, {"EMFILE", EMFILE}, {"EROFS", EROFS}, {"EFBIG", EFBIG},          {"EDQUOT", EDQUOT},
    {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EXDEV", EXDEV}, {"EINVAL", EINVAL},
};

static bool same(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* One word of the list, "fsync:2:EIO", ends before *end. */
static void add_rule(const char *word, const char *end)
{
    const char *colon = memchr(word, ':', (size_t)(end - word));
    if (!colon || faults.count == RULES) return;
    rule r = {-1, 0, 0};
    for (int i = 0; i < TG_FAULT_CALLS; i++)
        if (same(word, (size_t)(colon - word), calls[i])) r.call = i;
    if (same(word, (size_t)(colon - word), "kill")) r.call = TG_FAULT_CALLS;
    const char *at = colon + 1;
    for (; at < end && *at >= '0' && *at <= '9' && r.at < 1000000000; at++) r.at = r.at * 10 + (*at - '0');
    if (at < end && *at == ':')
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
            if (same(at + 1, (size_t)(end - at - 1), errors[i].name)) r.error = errors[i].value;
    if (r.call < 0 || r.at < 1 || (r.call < TG_FAULT_CALLS && !r.error)) return;
    faults.rules[faults.count++] = r;
}

static void take(const char *spec)
{
    faults.count = 0;
    for (int i = 0; i < TG_FAULT_CALLS; i++) atomic_store(&faults.seen[i], 0);
    atomic_store(&faults.all, 0);
    faults.on = spec != NULL;
    while (spec && *spec) {
        const char *end = spec + strcspn(spec, ",");
        add_rule(spec, end);
        spec = *end ? end + 1 : end;
    }
}

static void take_environment(void)
{
    take(getenv("TG_FAULT"));
}

void tg_fault_set(const char *spec)
{
    pthread_once(&once, take_environment);
    take(spec);
}

long tg_fault_count(void)
{
    return atomic_load(&faults.all);
}

int tg_fault(tg_fault_call call)
{
    pthread_once(&once, take_environment);
    if (!faults.on) return 0;
    long all = atomic_fetch_add(&faults.all, 1) + 1;
    long mine = atomic_fetch_add(&faults.seen[call], 1) + 1;
    int error = 0;
    for (int i = 0; i < faults.count; i++) {
        const rule *r = &faults.rules[i];
        if (r->call == TG_FAULT_CALLS && r->at == all) raise(SIGKILL);
        if (r->call == (int)call && r->at == mine) error = r->error;
    }
    return error;
}
