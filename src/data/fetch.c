/* fetch.c - curl as a child: no shell, no settings of the user's, nothing but the schemes that we name. */
#include "data/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/meter.h"
#include "base/proc.h"
#include "base/str.h"

static bool is_scheme_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+';
}

bool tg_fetch_is(const char *source)
{
    const char *at = source;
    while (is_scheme_letter(*at)) at++;
    return at > source && tg_starts_with(at, "://");
}

static tg_status check_scheme(const char *address, const char *shown)
{
    static const char *const known[] = {"http://", "https://", "ftp://", "file://"};
    for (int i = 0; i < 4; i++)
        if (tg_starts_with(address, known[i])) return TG_OK;
    return tg_fail(TG_EUNSUPPORTED,
                   "%s: only http://, https://, ftp:// and file:// are fetched; fetch it by other means and give the "
                   "file",
                   shown);
}

/* Name and password stand before an @, in front of the first slash. */
char *tg_fetch_shown(const char *address)
{
    const char *host = strstr(address, "://");
    if (!host) return tg_strdup(address);
    host += 3;
    const char *stop = host + strcspn(host, "/?#"), *name = host;
    for (const char *at = host; at < stop; at++)
        if (*at == '@') name = at + 1;
    tg_str s = {0};
    tg_str_add_n(&s, address, host - address);
    tg_str_add(&s, name);
    if (s.failed) tg_str_free(&s);
    return s.data;
}

typedef struct watched {
    tg_meter meter;
    const char *path, *shown;
    int64_t most; /* bytes; 0: no bound */
} watched;

static tg_status too_long(const watched *w)
{
    return tg_fail(TG_EINVAL, "%s: more than %" PRId64 " bytes come; nothing was kept; if so much is wanted, give "
                   "--max-download a greater number (0: no bound)", w->shown, w->most);
}

/* How much has come so far is how long the file is. A server need not tell how much there is, and none can be trusted to. */
static tg_status look(void *user)
{
    watched *w = user;
    tg_file *f;
    if (tg_path_kind(w->path) != TG_PATH_FILE || tg_file_open(w->path, &f)) return TG_OK;
    (void)tg_meter_add(&w->meter, tg_file_size(f) - w->meter.done);
    tg_file_close(f);
    return w->most > 0 && w->meter.done > w->most ? too_long(w) : TG_OK;
}

/* curl's own words, "curl: (22) The requested URL returned error: 404". */
static tg_status fail_fetch(const char *shown, int code, const char *words_path)
{
    char *words = NULL;
    int64_t length = 0;
    if (tg_path_kind(words_path) == TG_PATH_FILE && tg_file_slurp(words_path, 1 << 16, &words, &length)) words = NULL;
    while (words && length > 0 && words[length - 1] == '\n') words[--length] = 0;
    tg_status status = length ? tg_fail(TG_EIO, "cannot fetch %s: %s", shown, words)
                              : tg_fail(TG_EIO, "cannot fetch %s: curl ended with status %d", shown, code);
    tg_free(words);
    return status;
}

static tg_status run_curl(tg_context *ctx, const char *address, const char *shown, int64_t bytes, int64_t most,
                          const char *path, const char *words_path)
{
    enum { NOT_FOUND = 127, FILESIZE_EXCEEDED = 63 };
    char bound[24];
    snprintf(bound, sizeof bound, "%" PRId64, most);
    const char *const argv[] = {
        "curl", "--disable", "--silent", "--show-error", "--fail", "--globoff", "--location", "--max-redirs", "10",
        "--proto", "=http,https,ftp,file", "--proto-redir", "=http,https,ftp", "--stderr", words_path,
        "--max-filesize", bound, "--output", path, "--", address, NULL,
    };
    watched w = {.meter = tg_meter_start(ctx, "fetch", "bytes", bytes), .path = path,
                 .shown = shown, .most = most};
    int code = 0;
    tg_status status = tg_proc_watch(ctx, argv, -1, look, &w, &code);
    if (!status && code == FILESIZE_EXCEEDED && most > 0) status = too_long(&w); /* told beforehand */
    if (!status) status = look(&w); /* what came since the last time */
    tg_meter_end(&w.meter);
    if ((!status || status == TG_EIO) && ctx && tg_cancelled(ctx)) /* Ctrl-C reaches the child first */
        return tg_fail(TG_ECANCELLED, "stopped while fetching %s; nothing was written", shown);
    if (status == TG_EIO || (!status && code == NOT_FOUND))
        return tg_fail(TG_EIO, "%s: %s; install curl, or download the file by hand and give its name", shown,
                       status ? tg_error() : "cannot start curl: it is not installed, or not in PATH");
    return !status && code ? fail_fetch(shown, code, words_path) : status;
}

tg_status tg_fetch(tg_context *ctx, const char *address, int64_t bytes, int64_t most, const char *path)
{
    char *shown = tg_fetch_shown(address);
    tg_str words_path = {0};
    tg_str_addf(&words_path, "%s.err", path);
    tg_status status = shown && !words_path.failed ? check_scheme(address, shown) : TG_ENOMEM;
    if (!status) {
        status = run_curl(ctx, address, shown, bytes, most, path, words_path.data);
        tg_status removed = tg_remove(words_path.data);
        if (!status) status = removed;
    }
    /* An address of an empty file leaves none. */
    if (!status && tg_path_kind(path) == TG_PATH_NONE) status = tg_write_file(path, "", 0);
    tg_str_free(&words_path);
    tg_free(shown);
    return status;
}
