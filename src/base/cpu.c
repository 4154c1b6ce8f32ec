/* cpu.c - instruction sets, caches, cores and the shares of them that are ours. */
#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/pool.h"
#include "base/str.h"

bool tg_cpu_has(const char *isa)
{
    if (strcmp(isa, "scalar") == 0) return true;
#if defined(__x86_64__) || defined(__i386__)
    /* The compiler's own test asks cpuid and, for the wide registers, xgetbv. */
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(isa, "fma") == 0) return __builtin_cpu_supports("fma") != 0;
    if (strcmp(isa, "avx2") == 0) return avx2;
    if (strcmp(isa, "avx512") == 0)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    if (strcmp(isa, "fma") == 0 || strcmp(isa, "neon") == 0) return true; /* part of the architecture */
#endif
    return false;
}

/* ---- caches */

/* "48K", "2048K", "32M" */
static int64_t parse_size(const char *text)
{
    int64_t n = 0;
    for (; *text >= '0' && *text <= '9' && n < INT32_MAX; text++) n = n * 10 + (*text - '0');
    if (*text == 'K') n *= 1024;
    if (*text == 'M') n *= 1024 * 1024;
    return n;
}

/* From Linux' /sys: index0.. each have a level, a type and a size. */
static int64_t sys_cache(char level)
{
    for (int index = 0; index < 10; index++) {
        char path[] = "/sys/devices/system/cpu/cpu0/cache/index0/level", text[32];
        char *file = path + sizeof path - sizeof "level";
        file[-2] = (char)('0' + index);
        if (tg_os_read_text(path, text, sizeof text) < 1) break;
        if (text[0] != level) continue;
        memcpy(file, "type", 5);
        if (tg_os_read_text(path, text, sizeof text) < 1 || text[0] == 'I') continue;
        memcpy(file, "size", 5);
        if (tg_os_read_text(path, text, sizeof text) > 0) return parse_size(text);
    }
    return 0;
}

/* /sys knows what this machine shares of a cache, sysconf may tell the whole package's. Virtual machines report nothing or
 * nonsense: outside [low, high] the usual value holds. */
static int64_t cache_size(long said, char level, int64_t low, int64_t high, int64_t usual)
{
    int64_t size = sys_cache(level);
    if (size <= 0) size = said;
    return size >= low && size <= high ? size : usual;
}

void tg_cpu_caches(int64_t *l1, int64_t *l2, int64_t *l3)
{
    long said[3] = {0, 0, 0};
#ifdef _SC_LEVEL1_DCACHE_SIZE
    said[0] = sysconf(_SC_LEVEL1_DCACHE_SIZE);
    said[1] = sysconf(_SC_LEVEL2_CACHE_SIZE);
    said[2] = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    const int64_t k = 1024;
    *l1 = cache_size(said[0], '1', 8 * k, 1024 * k, 32 * k);
    *l2 = cache_size(said[1], '2', 64 * k, 64 * 1024 * k, 512 * k);
    *l3 = cache_size(said[2], '3', 512 * k, 4096 * 1024 * k, 4096 * k);
}

/* ---- cores */

int tg_cpu_cores(void)
{
    int n = tg_os_affinity();
    if (n < 1) n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n;
}

/* Cores by one group's files: v2 "cpu.max" holds "QUOTA PERIOD" or "max PERIOD", v1 has two files of one number. 0:
 * none. */
static double group_quota(const char *folder, bool v1)
{
    tg_str path = {0};
    char text[64] = "", period[64] = "";
    tg_str_addf(&path, "%s/%s", folder, v1 ? "cpu.cfs_quota_us" : "cpu.max");
    if (!path.failed) tg_os_read_text(path.data, text, sizeof text);
    if (v1) {
        tg_str_clear(&path);
        tg_str_addf(&path, "%s/cpu.cfs_period_us", folder);
        if (!path.failed) tg_os_read_text(path.data, period, sizeof period);
    } else {
        const char *space = strchr(text, ' ');
        if (space) snprintf(period, sizeof period, "%s", space + 1);
    }
    tg_str_free(&path);
    int64_t q = 0, p = 0;
    if (!tg_parse_int(text, (int64_t)strcspn(text, " \n"), &q)) return 0;
    if (!tg_parse_int(period, (int64_t)strcspn(period, " \n"), &p)) return 0;
    return q > 0 && p > 0 ? (double)q / (double)p : 0;
}

/* The least quota of the group at base/path and of those above it. */
static double path_quota(const char *base, const char *path, int64_t length, bool v1)
{
    tg_str folder = {0};
    double least = 0;
    tg_str_add(&folder, base);
    int64_t root = folder.length;
    if (length > 1) tg_str_add_n(&folder, path, length);
    while (!folder.failed) {
        double q = group_quota(folder.data, v1);
        if (q > 0 && (least == 0 || q < least)) least = q;
        if (folder.length <= root) break;
        while (folder.length > root && folder.data[folder.length - 1] != '/') folder.length--;
        if (folder.length > root) folder.length--;
        folder.data[folder.length] = '\0';
    }
    tg_str_free(&folder);
    return least;
}

/* Whether the comma-separated list of controllers holds "cpu". */
static bool has_cpu(const char *list, int64_t length)
{
    for (int64_t i = 0, start = 0; i <= length; i++) {
        if (i < length && list[i] != ',') continue;
        if (i - start == 3 && memcmp(list + start, "cpu", 3) == 0) return true;
        start = i + 1;
    }
    return false;
}

double tg_cpu_quota(const char *self, const char *mount)
{
    double least = 0;
    while (*self) {
        /* "0::/user.slice/x" (v2) or "4:cpu,cpuacct:/x" (v1) */
        const char *end = self + strcspn(self, "\n");
        const char *first = memchr(self, ':', (size_t)(end - self));
        const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
        bool v2 = second && second == first + 1;
        if (second && (v2 || has_cpu(first + 1, second - first - 1))) {
            tg_str base = {0};
            tg_str_add(&base, mount);
            if (!v2) tg_str_add(&base, "/");
            if (!v2) tg_str_add_n(&base, first + 1, second - first - 1);
            double q = base.failed ? 0 : path_quota(base.data, second + 1, end - second - 1, !v2);
            if (q > 0 && (least == 0 || q < least)) least = q;
            tg_str_free(&base);
        }
        self = *end ? end + 1 : end;
    }
    return least;
}

int64_t tg_cpu_make_jobs(const char *flags)
{
    int64_t jobs = 1;
    while (flags && *flags) {
        size_t n = strcspn(flags, " ");
        if (n == 2 && memcmp(flags, "--", 2) == 0) break; /* variables follow */
        if (n >= 2 && memcmp(flags, "-j", 2) == 0) {
            int64_t given = 0;
            jobs = tg_parse_int(flags + 2, (int64_t)n - 2, &given) && given > 0 ? given : 0;
        }
        flags += n;
        flags += strspn(flags, " ");
    }
    return jobs;
}

int tg_default_threads(void)
{
    char self[4096];
    int64_t threads = tg_cpu_cores();
    if (tg_os_read_text("/proc/self/cgroup", self, sizeof self) > 0) {
        double quota = tg_cpu_quota(self, "/sys/fs/cgroup");
        if (quota > 0 && quota < (double)threads) threads = (int64_t)(quota + 0.5);
    }
    int64_t jobs = tg_cpu_make_jobs(getenv("MAKEFLAGS"));
    threads = jobs > 0 ? threads / jobs : 1;
    return threads < 1 ? 1 : (int)threads;
}
