/* cpu.h - what this machine has. */
#ifndef TG_BASE_CPU_H
#define TG_BASE_CPU_H
#include "tinygen/base.h"
/* "scalar", "avx2" (with FMA), "avx512" (F, DQ, BW, VL), "neon"; and "fma", without which scalar is slow. The operating
 * system must save the registers, too. */
bool tg_cpu_has(const char *isa);
/* Sizes in bytes of a core's L1d and L2 and of the shared L3; sensible ones where the system does not say. */
void tg_cpu_caches(int64_t *l1, int64_t *l2, int64_t *l3);
int tg_cpu_cores(void);                        /* in the affinity mask, else online; at least 1 */
/* Cores that the control groups allow, the least of the whole path: self is the text of /proc/self/cgroup, mount where
 * the groups are (/sys/fs/cgroup). 0: no limit. */
double tg_cpu_quota(const char *self, const char *mount);
/* N of -jN in a MAKEFLAGS text; 1: not there or NULL; 0: -j without a number. */
int64_t tg_cpu_make_jobs(const char *makeflags);
#endif
