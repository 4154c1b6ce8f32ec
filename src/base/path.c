/* path.c - names: joining, checking, and the temporary ones. */
#include "base/path.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/os.h"
#include "base/str.h"

enum { LONGEST_NAME = 1024, LONGEST_TEMPORARY = 200 };

/* The text of a builder that is given away; NULL and freed where it failed. */
static char *give(tg_str *s)
{
    if (!s->failed) return s->data ? s->data : tg_strdup("");
    tg_str_free(s);
    return NULL;
}

tg_file_kind tg_path_kind(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return TG_PATH_NONE;
    return S_ISREG(st.st_mode) ? TG_PATH_FILE : S_ISDIR(st.st_mode) ? TG_PATH_FOLDER : TG_PATH_OTHER;
}

char *tg_path_join(const char *folder, const char *name)
{
    tg_str s = {0};
    tg_str_add(&s, folder);
    if (*folder && folder[strlen(folder) - 1] != '/') tg_str_add(&s, "/");
    tg_str_add(&s, name);
    return give(&s);
}

tg_status tg_path_real(const char *path, char **out)
{
    char real[TG_OS_PATH];
    if (tg_os_real_path(path, real, sizeof real) != 0) return tg_os_fail("open", path);
    *out = tg_strdup(real);
    return *out ? TG_OK : TG_ENOMEM;
}

const char *tg_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *tg_path_trim(const char *path)
{
    char *copy = tg_strdup(path);
    for (size_t n = copy ? strlen(copy) : 0; n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = '\0';
    return copy;
}

char *tg_path_parent(const char *path)
{
    char *parent = tg_path_trim(path), *slash = parent ? strrchr(parent, '/') : NULL;
    if (slash) slash[slash == parent] = '\0';
    if (slash || !parent) return parent;
    tg_free(parent);
    return tg_strdup(".");
}

/* Of names that nobody has taken yet those in one folder. Without memory they are compared as they stand. */
bool tg_path_same(const char *a, const char *b)
{
    struct stat one, two;
    const bool there = stat(a, &one) == 0, too = stat(b, &two) == 0;
    if (there != too) return false;
    if (there) return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
    char *in_a = tg_path_parent(a), *in_b = tg_path_parent(b);
    const bool known = in_a && in_b && stat(in_a, &one) == 0 && stat(in_b, &two) == 0;
    const bool same = known ? one.st_dev == two.st_dev && one.st_ino == two.st_ino && !strcmp(tg_path_name(a), tg_path_name(b))
                            : !strcmp(a, b);
    tg_free(in_a);
    tg_free(in_b);
    return same;
}

tg_status tg_output_check(const char *path, bool replace)
{
    if (!strcmp(path, "-")) return TG_OK;
    if (!replace && tg_path_kind(path) != TG_PATH_NONE)
        return tg_fail(TG_EINVAL, "%s is there already; --force replaces it", path);
    char *parent = tg_path_parent(path);
    tg_status s = !parent ? TG_ENOMEM : tg_path_kind(parent) == TG_PATH_FOLDER ? TG_OK
                : tg_fail(TG_EINVAL, "cannot write %s: there is no folder %s; make it first", path, parent);
    tg_free(parent);
    return s;
}

bool tg_path_is_safe(const char *relative)
{
    if (*relative == '-' || strlen(relative) > LONGEST_NAME || strchr(relative, '\n')) return false;
    for (const char *part = relative;;) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 2 && memcmp(part, "..", 2) == 0)) return false;
        if (part[n] == '\0') return true;
        part += n + 1;
    }
}

char *tg_path_temporary(const char *path, const char *mark)
{
    static atomic_int counter;
    char *trimmed = tg_path_trim(path);
    if (!trimmed) return NULL;
    const char *name = tg_path_name(trimmed);
    int64_t length = (int64_t)strlen(name);
    tg_str s = {0};
    tg_str_add_n(&s, trimmed, name - trimmed);
    tg_str_add(&s, ".");
    tg_str_add_n(&s, name, length < LONGEST_TEMPORARY ? length : LONGEST_TEMPORARY);
    tg_str_addf(&s, ".%s-%ld-%d", mark, (long)getpid(), atomic_fetch_add(&counter, 1));
    tg_free(trimmed);
    return give(&s);
}

/* Decimal digits before *end, which moves to their start; -1: none, or too many. */
static long number_before(const char *start, const char **end)
{
    const char *at = *end;
    long n = 0;
    while (at > start && at[-1] >= '0' && at[-1] <= '9') at--;
    if (at == *end || *end - at > 9) return -1;
    for (const char *d = at; d < *end; d++) n = n * 10 + (*d - '0');
    *end = at;
    return n;
}

bool tg_path_is_dead_temporary(const char *name, const char *mark, int64_t *name_length)
{
    const char *end = name + strlen(name);
    size_t n = strlen(mark);
    if (*name != '.' || number_before(name, &end) < 0 || end == name || *--end != '-') return false;
    long pid = number_before(name, &end);
    if (pid <= 0 || end == name || *--end != '-') return false;
    if ((size_t)(end - name) < n + 3 || memcmp(end - n, mark, n) != 0 || end[-(ptrdiff_t)n - 1] != '.') return false;
    *name_length = end - name - (int64_t)n - 2;
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}
