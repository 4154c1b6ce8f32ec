/*
 * pool.c - a job is a count of chunks that nobody has claimed yet. Threads claim by compare-and-swap and count finished
 * chunks down; the caller works too, then waits for zero. Of as many chunks as there are threads each is a thread's own, which
 * it finds in its caches from job to job; who has done his own takes what others, asleep or busy elsewhere, have not begun.
 *
 * Invariants: fn, arg and chunks change only while unclaimed and unfinished are 0, and a thread reads them only after
 * a claim, so a thread that overslept a whole job cannot mix two. unclaimed < 0 tells the workers to end.
 * Sleeping follows Dekker: the sleeper says so, then looks at the counter; the other writes the counter, then looks
 * for sleepers; both in one total order (sequentially consistent), so one of them sees the other.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/fault.h"

/* Stacks are virtual memory, touched only where used; room for a kernel's tiles and a sanitizer's frames. */
enum { STACK_BYTES = 512 * 1024, POLLS = 64, MAX_THREADS = 1024, OWNERS = 62 /* most threads whose chunks are their own */ };
/* In unclaimed: what is left is no count but a set of chunks, bit i of chunk i. */
static const int64_t OWNED = INT64_C(1) << OWNERS;

typedef struct worker_arg { tg_pool *pool; int thread; pthread_t id; } worker_arg;

struct tg_pool {
    int threads;        /* the workers and the caller */
    double spin, yield; /* seconds that a waiting thread spins, then yields, before it sleeps */
    worker_arg *workers;
    pthread_mutex_t lock;
    pthread_cond_t work, joined;
    void (*fn)(void *arg, int64_t chunk);
    void *arg;
    int64_t chunks;
    alignas(64) _Atomic int64_t unclaimed;
    alignas(64) _Atomic int64_t unfinished;
    alignas(64) atomic_int sleepers; /* workers asleep, or about to be */
    atomic_bool caller_sleeps;
    atomic_bool busy; /* a job is on: further calls, nested ones among them, run in their own thread */
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Polls until (*value == 0) == zero; false when the time for polling is over. */
static bool poll_until(const tg_pool *p, _Atomic int64_t *value, bool zero)
{
    double start = 0, waited = 0;
    for (bool first = true;; first = false) {
        int polls = waited > p->spin ? 1 : POLLS;
        for (int i = 0; i < polls; i++) {
            if ((atomic_load_explicit(value, memory_order_acquire) == 0) == zero) return true;
            relax();
        }
        if (first) start = tg_now();
        waited = tg_now() - start;
        if (waited > p->spin + p->yield) return false;
        if (waited > p->spin) sched_yield();
    }
}

/* The bit of the chunk that a thread takes of a set: its own, or else the first. */
static int64_t choose(int64_t set, int thread)
{
    const int64_t own = thread < OWNERS ? set & INT64_C(1) << thread : 0;
    return own ? own : set & -set;
}

/* Claims chunks until none is left, its own first or in ascending order; returns how many it ran. */
static int64_t run_chunks(tg_pool *p, int thread)
{
    int64_t did = 0, left = atomic_load_explicit(&p->unclaimed, memory_order_acquire);
    while (left > 0) {
        const int64_t bit = left & OWNED ? choose(left ^ OWNED, thread) : 1;
        const int64_t rest = left - bit == OWNED ? 0 : left - bit;
        if (!atomic_compare_exchange_weak_explicit(&p->unclaimed, &left, rest, memory_order_acquire,
                                                   memory_order_acquire)) continue;
        p->fn(p->arg, left & OWNED ? __builtin_ctzll((unsigned long long)bit) : p->chunks - left);
        did++;
        left = atomic_load_explicit(&p->unclaimed, memory_order_acquire);
    }
    return did;
}

static void sleep_until_work(tg_pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->sleepers, 1);
    while (atomic_load(&p->unclaimed) == 0) pthread_cond_wait(&p->work, &p->lock);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *worker(void *arg)
{
    const worker_arg *self = arg;
    tg_pool *p = self->pool;
    for (;;) {
        if (!poll_until(p, &p->unclaimed, false)) sleep_until_work(p);
        if (atomic_load_explicit(&p->unclaimed, memory_order_acquire) < 0) return NULL;
        int64_t did = run_chunks(p, self->thread);
        if (!did || atomic_fetch_sub(&p->unfinished, did) != did || !atomic_load(&p->caller_sleeps)) continue;
        pthread_mutex_lock(&p->lock);
        pthread_cond_signal(&p->joined);
        pthread_mutex_unlock(&p->lock);
    }
}

/* Wakes as many sleepers as there is work for. */
static void wake(tg_pool *p, int64_t wanted)
{
    int sleepers = atomic_load(&p->sleepers);
    if (sleepers == 0) return;
    pthread_mutex_lock(&p->lock);
    if (wanted >= sleepers) pthread_cond_broadcast(&p->work);
    else while (wanted-- > 0) pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void join_job(tg_pool *p)
{
    if (poll_until(p, &p->unfinished, true)) return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->caller_sleeps, true);
    while (atomic_load(&p->unfinished) != 0) pthread_cond_wait(&p->joined, &p->lock);
    atomic_store(&p->caller_sleeps, false);
    pthread_mutex_unlock(&p->lock);
}

void tg_pool_run(tg_pool *p, void (*fn)(void *arg, int64_t chunk), void *arg, int64_t chunks)
{
    if (!p || p->threads == 1 || chunks <= 1 || atomic_exchange(&p->busy, true)) {
        for (int64_t c = 0; c < chunks; c++) fn(arg, c);
        return;
    }
    p->fn = fn;
    p->arg = arg;
    p->chunks = chunks;
    atomic_store_explicit(&p->unfinished, chunks, memory_order_relaxed);
    const bool owned = chunks == p->threads && chunks <= OWNERS;
    atomic_store(&p->unclaimed, owned ? OWNED | ((INT64_C(1) << chunks) - 1) : chunks);
    wake(p, chunks - 1);
    int64_t did = run_chunks(p, 0);
    if (atomic_fetch_sub(&p->unfinished, did) != did) join_job(p);
    atomic_store_explicit(&p->busy, false, memory_order_release);
}

/* Starts up to wanted workers, with all signals blocked so that handlers run in the program's own threads. */
static int start_workers(tg_pool *p, int wanted)
{
    int started = 0;
    sigset_t all, before;
    pthread_attr_t attr;
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0) return 0;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; started < wanted && !tg_fault(TG_FAULT_THREAD); started++) {
        worker_arg *w = &p->workers[started];
        *w = (worker_arg){.pool = p, .thread = started + 1};
        if (pthread_create(&w->id, &attr, worker, w) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started;
}

tg_status tg_pool_new(int threads, tg_pool **out)
{
    if (threads < 1) return tg_fail(TG_EINVAL, "a pool of %d threads: must be 1 or more", threads);
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    tg_pool *p = tg_alloc(sizeof *p);
    if (p) p->workers = tg_alloc_array(threads, sizeof *p->workers);
    if (!p || !p->workers) {
        tg_free(p);
        return TG_ENOMEM;
    }
    /* A hand-over costs 0.1 us spinning, 50 us asleep: a training step's gaps are shorter than the spin. With more
     * threads than cores, spinning takes the core from the thread that one waits for. */
    bool crowded = threads > tg_cpu_cores();
    p->spin = crowded ? 0 : 200e-6;
    p->yield = crowded ? 100e-6 : 2e-3;
    const bool lock = !pthread_mutex_init(&p->lock, NULL), work = !pthread_cond_init(&p->work, NULL);
    const bool joined = !pthread_cond_init(&p->joined, NULL);
    if (!lock || !work || !joined) {
        if (joined) pthread_cond_destroy(&p->joined);
        if (work) pthread_cond_destroy(&p->work);
        if (lock) pthread_mutex_destroy(&p->lock);
        tg_free(p->workers);
        tg_free(p);
        return tg_fail(TG_ENOMEM, "no lock for a pool of %d threads: the system has none left", threads);
    }
    int started = start_workers(p, threads - 1);
    /* Workers never read threads, so it may be set while they run. */
    p->threads = started + 1;
    *out = p;
    return TG_OK;
}

void tg_pool_free(tg_pool *p)
{
    if (!p) return;
    atomic_store(&p->unclaimed, -1);
    wake(p, p->threads);
    for (int i = 0; i < p->threads - 1; i++) pthread_join(p->workers[i].id, NULL);
    pthread_cond_destroy(&p->joined);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    tg_free(p->workers);
    tg_free(p);
}

int tg_pool_threads(const tg_pool *p)
{
    return p ? p->threads : 1;
}
