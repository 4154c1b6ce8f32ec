/* What the machine has, and which share of it is ours. The control groups' files are made up below a test folder. */
#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "test.h"

static void put(const char *root, const char *name, const char *text)
{
    char *path = tg_path_join(root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    CHECK_OK(tg_make_folder(path));
    *slash = '/';
    CHECK_OK(tg_write_file(path, text, (int64_t)strlen(text)));
    tg_free(path);
}

TEST(scalar_is_everywhere_and_nonsense_nowhere)
{
    CHECK(tg_cpu_has("scalar"));
    CHECK(!tg_cpu_has("sse9"));
    CHECK(!tg_cpu_has(""));
#if defined(__x86_64__)
    CHECK(!tg_cpu_has("neon"));
    CHECK(!tg_cpu_has("avx512") || tg_cpu_has("avx2"));
    CHECK(!tg_cpu_has("avx2") || tg_cpu_has("fma"));
#elif defined(__aarch64__)
    CHECK(tg_cpu_has("neon") && tg_cpu_has("fma"));
#endif
}

TEST(cpu_features_agree_with_the_kernels_list)
{
#if defined(__x86_64__) && defined(__linux__)
    char *text = NULL;
    int64_t length = 0;
    CHECK_OK(tg_file_slurp("/proc/cpuinfo", 1 << 26, &text, &length));
    if (!strstr(text, "flags")) test_skip("no flags in /proc/cpuinfo");
    CHECK_INT(tg_cpu_has("avx2"), strstr(text, " avx2 ") && strstr(text, " fma "));
    CHECK_INT(tg_cpu_has("avx512"), strstr(text, " avx512f ") && strstr(text, " avx512dq ") &&
                                        strstr(text, " avx512bw ") && strstr(text, " avx512vl "));
    tg_free(text);
#else
    test_skip("needs Linux on x86-64");
#endif
}

TEST(cache_sizes_are_sane)
{
    int64_t l1 = 0, l2 = 0, l3 = 0;
    tg_cpu_caches(&l1, &l2, &l3);
    test_note("L1 %lld, L2 %lld, L3 %lld KiB", (long long)l1 / 1024, (long long)l2 / 1024, (long long)l3 / 1024);
    CHECK(l1 >= 8 << 10 && l1 <= 1 << 20);
    CHECK(l2 >= 64 << 10 && l2 <= 64 << 20);
    CHECK(l3 >= 512 << 10);
}

TEST(a_version_2_group_limits_the_cores_and_so_do_those_above_it)
{
    const char *root = test_folder();
    put(root, "cpu.max", "max 100000\n");
    put(root, "a/cpu.max", "250000 100000\n");
    put(root, "a/b/cpu.max", "max 100000\n");
    put(root, "a/c/cpu.max", "150000 100000\n");
    CHECK(tg_cpu_quota("0::/\n", root) == 0);
    CHECK(tg_cpu_quota("0::/a\n", root) == 2.5);
    CHECK(tg_cpu_quota("0::/a/b\n", root) == 2.5);
    CHECK(tg_cpu_quota("0::/a/c\n", root) == 1.5);
    CHECK(tg_cpu_quota("0::/not/there\n", root) == 0);
}

TEST(a_version_1_group_limits_the_cores)
{
    const char *root = test_folder();
    put(root, "cpu,cpuacct/x/cpu.cfs_quota_us", "300000\n");
    put(root, "cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    put(root, "cpu,cpuacct/y/cpu.cfs_quota_us", "-1\n");
    put(root, "cpu,cpuacct/y/cpu.cfs_period_us", "100000\n");
    CHECK(tg_cpu_quota("9:memory:/x\n4:cpu,cpuacct:/x\n0::/\n", root) == 3);
    CHECK(tg_cpu_quota("4:cpu,cpuacct:/y\n", root) == 0);
    CHECK(tg_cpu_quota("4:cpuset:/x\n", root) == 0);
    CHECK(tg_cpu_quota("nonsense\n::\n:", root) == 0);
}

TEST(make_tells_how_many_jobs_share_the_machine)
{
    CHECK_INT(tg_cpu_make_jobs(NULL), 1);
    CHECK_INT(tg_cpu_make_jobs(""), 1);
    CHECK_INT(tg_cpu_make_jobs("ks"), 1);
    CHECK_INT(tg_cpu_make_jobs(" -j4 --jobserver-auth=3,4"), 4);
    CHECK_INT(tg_cpu_make_jobs("k -j8 --jobserver-auth=fifo:/tmp/GMfifo1 -- CFLAGS=-j2"), 8);
    CHECK_INT(tg_cpu_make_jobs("s -- X=-j3 -j3"), 1);
    CHECK_INT(tg_cpu_make_jobs(" -j --jobserver-auth=3,4"), 0);
}

TEST(the_default_count_is_shared_under_make_and_never_below_1)
{
    unsetenv("MAKEFLAGS");
    int all = tg_default_threads();
    CHECK(all >= 1 && all <= tg_cpu_cores());
    setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4", 1);
    CHECK_INT(tg_default_threads(), all / 2 > 1 ? all / 2 : 1);
    setenv("MAKEFLAGS", " -j1000", 1);
    CHECK_INT(tg_default_threads(), 1);
    setenv("MAKEFLAGS", " -j", 1);
    CHECK_INT(tg_default_threads(), 1);
}
