/* Results of jobs may depend on nothing but their chunks: not on threads, sleep, nesting or refused threads. */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/fault.h"
#include "test.h"

enum { CHUNKS = 1000 };

typedef struct job {
    tg_pool *pool;
    _Atomic int64_t times[CHUNKS];
    _Atomic int64_t inner;
    int64_t square[CHUNKS];
} job;

static void count_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    atomic_fetch_add(&j->times[chunk], 1);
    j->square[chunk] = chunk * chunk;
}

static void check_once(const job *j, int64_t chunks)
{
    for (int64_t c = 0; c < CHUNKS; c++) {
        CHECK_INT(atomic_load(&j->times[c]), c < chunks);
        CHECK_INT(j->square[c], c < chunks ? c * c : 0);
    }
}

TEST(a_pool_runs_every_chunk_once_with_1_to_8_threads)
{
    for (int threads = 1; threads <= 8; threads++) {
        tg_pool *p = NULL;
        CHECK_OK(tg_pool_new(threads, &p));
        CHECK_INT(tg_pool_threads(p), threads);
        for (int64_t chunks = 0; chunks <= CHUNKS; chunks = chunks * 3 + 1) {
            job j = {.pool = p};
            tg_pool_run(p, count_chunk, &j, chunks);
            check_once(&j, chunks);
        }
        tg_pool_free(p);
    }
}

TEST(a_pool_survives_ten_thousand_short_jobs)
{
    tg_pool *p = NULL;
    job j = {0};
    CHECK_OK(tg_pool_new(3, &p));
    for (int64_t i = 0; i < 10000; i++) tg_pool_run(p, count_chunk, &j, 1 + i % 7);
    /* Chunk c runs in the jobs of more than c chunks: 10000 = 1428 * 7 + 4. */
    for (int64_t c = 0; c < 7; c++) CHECK_INT(atomic_load(&j.times[c]), 1428 * (7 - c) + (c < 4 ? 4 - c : 0));
    tg_pool_free(p);
}

/* Only passes when some other thread goes on meanwhile: the caller comes back when a slow chunk of a worker is done. */
static void busy_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    if (chunk == 0) {
        struct timespec nap = {0, 5000000}; /* longer than spinning and yielding together: the others fall asleep */
        nanosleep(&nap, NULL);
    }
    count_chunk(j, chunk);
}

TEST(sleeping_workers_and_a_sleeping_caller_wake_up)
{
    tg_pool *p = NULL;
    CHECK_OK(tg_pool_new(4, &p));
    for (int i = 0; i < 5; i++) {
        job j = {.pool = p};
        tg_pool_run(p, busy_chunk, &j, 9);
        check_once(&j, 9);
    }
    tg_pool_free(p);
}

static void inner_chunk(void *arg, int64_t chunk)
{
    atomic_fetch_add(&((job *)arg)->inner, chunk);
}

static void outer_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    count_chunk(j, chunk);
    tg_pool_run(j->pool, inner_chunk, j, 11);
}

TEST(a_call_from_inside_a_chunk_runs_in_that_thread)
{
    for (int threads = 1; threads <= 8; threads++) {
        job j = {0};
        CHECK_OK(tg_pool_new(threads, &j.pool));
        tg_pool_run(j.pool, outer_chunk, &j, 100);
        check_once(&j, 100);
        CHECK_INT(atomic_load(&j.inner), 100 * 55);
        tg_pool_free(j.pool);
    }
}

/* Nobody leaves before all four threads have come. */
static void gather_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    (void)chunk;
    atomic_fetch_add(&j->inner, 1);
    while (atomic_load(&j->inner) < 4) nanosleep(&(struct timespec){0, 100000}, NULL);
}

/* The caller alone could do any other job; this one hangs if it does not wake those that sleep. */
TEST(a_job_wakes_as_many_sleepers_as_it_has_chunks_for)
{
    tg_pool *p = NULL;
    CHECK_OK(tg_pool_new(4, &p));
    for (int i = 0; i < 3; i++) {
        job j = {0};
        nanosleep(&(struct timespec){0, 5000000}, NULL); /* longer than spinning and yielding together */
        tg_pool_run(p, gather_chunk, &j, 4);
    }
    tg_pool_free(p);
}

static _Thread_local char self; /* its address tells threads apart */

static void owner_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    j->square[chunk] = (int64_t)(intptr_t)&self;
    gather_chunk(j, chunk); /* so that nobody is late */
}

TEST(of_as_many_chunks_as_threads_each_goes_to_the_same_thread_in_every_job)
{
    tg_pool *p = NULL;
    job first = {0};
    CHECK_OK(tg_pool_new(4, &p));
    tg_pool_run(p, owner_chunk, &first, 4);
    CHECK_INT(first.square[0], (int64_t)(intptr_t)&self);
    for (int i = 0; i < 20; i++) {
        job j = {0};
        if (i % 10 == 0) nanosleep(&(struct timespec){0, 5000000}, NULL); /* they may sleep in between */
        tg_pool_run(p, owner_chunk, &j, 4);
        for (int c = 0; c < 4; c++) CHECK_INT(j.square[c], first.square[c]);
    }
    tg_pool_free(p);
}

TEST(a_pool_runs_as_many_chunks_as_threads_once_each)
{
    for (int threads = 1; threads <= 70; threads += 23) { /* more than can have their own, too */
        tg_pool *p = NULL;
        job j = {0};
        CHECK_OK(tg_pool_new(threads, &p));
        for (int i = 0; i < 50; i++) tg_pool_run(p, count_chunk, &j, threads);
        for (int c = 0; c < threads; c++) CHECK_INT(atomic_load(&j.times[c]), 50);
        tg_pool_free(p);
    }
}

static _Thread_local int64_t own_last = -1;

static void climbing_chunk(void *arg, int64_t chunk)
{
    if (chunk <= own_last) atomic_fetch_add((_Atomic int64_t *)arg, 1);
    own_last = chunk;
}

TEST(each_thread_of_a_pool_is_handed_its_chunks_in_ascending_order)
{
    tg_pool *p = NULL;
    _Atomic int64_t falls = 0;
    CHECK_OK(tg_pool_new(3, &p));
    own_last = -1;
    tg_pool_run(p, climbing_chunk, &falls, CHUNKS);
    CHECK_INT(atomic_load(&falls), 0);
    tg_pool_free(p);
}

static void ascending_chunk(void *arg, int64_t chunk)
{
    int64_t *last = arg;
    if (chunk == *last + 1) *last = chunk;
}

TEST(chunks_come_in_ascending_order_and_no_pool_means_the_caller)
{
    int64_t last = -1;
    tg_pool_run(NULL, ascending_chunk, &last, 50);
    CHECK_INT(last, 49);
}

TEST(where_the_system_refuses_threads_the_pool_is_smaller_and_works)
{
    tg_pool *p = NULL;
    job j = {0};
    tg_fault_set("thread:3:EAGAIN");
    CHECK_OK(tg_pool_new(8, &p));
    CHECK_INT(tg_pool_threads(p), 3);
    tg_pool_run(p, count_chunk, &j, 500);
    check_once(&j, 500);
    tg_pool_free(p);
    tg_fault_set("thread:1:EAGAIN");
    CHECK_OK(tg_pool_new(8, &p));
    CHECK_INT(tg_pool_threads(p), 1);
    tg_pool_free(p);
}

TEST(a_pool_of_no_threads_is_refused)
{
    tg_pool *p = NULL;
    CHECK_ERROR(tg_pool_new(0, &p), TG_EINVAL, "0 threads");
    CHECK(p == NULL);
}

static void signals_chunk(void *arg, int64_t chunk)
{
    job *j = arg;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    j->square[chunk] = sigismember(&mask, SIGINT);
    atomic_fetch_add(&j->inner, 1);
    /* Each of the four threads holds one chunk until all are taken. */
    while (atomic_load(&j->inner) < 4) nanosleep(&(struct timespec){0, 100000}, NULL);
}

TEST(workers_block_signals_and_the_caller_does_not)
{
    job j = {0};
    CHECK_OK(tg_pool_new(4, &j.pool));
    tg_pool_run(j.pool, signals_chunk, &j, 4);
    CHECK_INT(j.square[0] + j.square[1] + j.square[2] + j.square[3], 3);
    tg_pool_free(j.pool);
}
