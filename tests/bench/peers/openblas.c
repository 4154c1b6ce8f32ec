/*
 * openblas.c - bench-openblas LIBRARY: OpenBLAS behind a pipe. Says "ready", then answers each line "m n k OP" with the
 * GFLOP/s of C[m, n] = A·B (a TN product adds to C) over some 30 ms, all matrices hot. Threads are the environment's.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                   float beta, float *c, int ldc);
enum { ROW_MAJOR = 101, AS_IS = 111, TURNED = 112, CAP = 4096 * 2048 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double rate(sgemm *f, const float *a, const float *b, float *c, int m, int n, int k, int ta, int tb)
{
    long calls = 0, batch = 1;
    double start = now(), seconds = 0;
    bool warm = false; /* the first 20 ms open pages, and let threads find a core each */
    memset(c, 0, (size_t)m * (size_t)n * sizeof *c);
    while (!warm || seconds < 0.03) {
        for (long i = 0; i < batch; i++)
            f(ROW_MAJOR, ta ? TURNED : AS_IS, tb ? TURNED : AS_IS, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, ta ? 1 : 0, c, n);
        calls += batch;
        seconds = now() - start;
        if (seconds < 0.003) batch *= 2;
        if (warm || seconds < 0.02) continue;
        warm = true;
        calls = 0;
        seconds = 0;
        start = now();
    }
    return 2e-9 * m * n * k * (double)calls / seconds;
}

int main(int argc, char **argv)
{
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    union { void *data; sgemm *code; } f = {.data = library ? dlsym(library, "cblas_sgemm") : NULL};
    float *a = malloc(CAP * sizeof *a), *b = malloc(CAP * sizeof *b), *c = malloc(CAP * sizeof *c);
    char op[4];
    if (!f.data || !a || !b || !c) return 1;
    for (int i = 0; i < CAP; i++) {
        a[i] = (float)(i % 7) - 3;
        b[i] = (float)(i % 5) - 2;
        c[i] = 0;
    }
    puts("ready");
    fflush(stdout);
    for (int m, n, k; scanf("%d %d %d %3s", &m, &n, &k, op) == 4;) {
        if (m < 1 || n < 1 || k < 1 || (long)m * n > CAP || (long)m * k > CAP || (long)k * n > CAP) return 1;
        printf("%.6g\n", rate(f.code, a, b, c, m, n, k, op[0] == 'T', op[1] == 'T'));
        fflush(stdout);
    }
    return 0;
}
