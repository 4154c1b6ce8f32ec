/* fetch.h - addresses: http, https, ftp and file, by the curl program. */
#ifndef TG_DATA_FETCH_H
#define TG_DATA_FETCH_H
#include "tinygen/base.h"

/* Whether a source is an address ("scheme://..."), of whatever scheme. */
bool tg_fetch_is(const char *source);
/* The address without a password, for messages and manifests; the caller's by tg_free; NULL: no memory. */
char *tg_fetch_shown(const char *address);
/* Whole into the file path, which the caller removes, also after a failure. bytes: its size, for the progress line; 0:
 * not known; most: so many may come, 0: any number. Redirects are followed ten times, and never from the net to a file.
 * Errors: TG_EUNSUPPORTED (another scheme), TG_EINVAL (more than most; curl is ended as soon as it is seen), TG_EIO (no
 * curl, no such host or file, a server's refusal, in curl's words), TG_ECANCELLED. */
tg_status tg_fetch(tg_context *ctx, const char *address, int64_t bytes, int64_t most, const char *path);
#endif
