/* scratch.c - a buffer that becomes a file. Beyond `keep` the buffer is the file's tail, not written yet, and views are read
 * through a window. */
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/path.h"
#include "base/status.h"

enum { WINDOW = 1 << 20, FEW = 1 << 12 /* bytes read where reading jumps */ };

struct tg_scratch {
    char *beside;
    int fd;                      /* -1: all is in memory */
    int64_t keep, length;
    int64_t written;             /* bytes in the file */
    char *held;                  /* bytes behind those */
    int64_t held_room;
    const char *given;           /* by tg_scratch_of: all there is; NULL: nothing was */
    tg_window window;
};

tg_status tg_scratch_new(const char *beside, int64_t keep, tg_scratch **out)
{
    tg_scratch *s = tg_alloc(sizeof *s);
    if (!s) return TG_ENOMEM;
    *s = (tg_scratch){.fd = -1, .keep = keep};
    s->beside = tg_strdup(beside);
    if (!s->beside) {
        tg_scratch_free(s);
        return TG_ENOMEM;
    }
    *out = s;
    return TG_OK;
}

tg_status tg_scratch_like(const tg_scratch *s, tg_scratch **out)
{
    return tg_scratch_new(s->beside, s->keep, out);
}

tg_status tg_scratch_beside(const tg_scratch *s, int64_t keep, tg_scratch **out)
{
    return tg_scratch_new(s->beside, keep, out);
}

tg_status tg_scratch_of(const void *bytes, int64_t length, tg_scratch **out)
{
    tg_scratch *s = tg_alloc(sizeof *s);
    if (!s) return TG_ENOMEM;
    *s = (tg_scratch){.fd = -1, .given = bytes, .length = length};
    *out = s;
    return TG_OK;
}

void tg_scratch_free(tg_scratch *s)
{
    if (!s) return;
    if (s->fd >= 0) tg_os_close(s->fd);
    tg_free(s->beside);
    tg_free(s->held);
    tg_window_free(&s->window);
    tg_free(s);
}

int64_t tg_scratch_length(const tg_scratch *s)
{
    return s->length;
}

int64_t tg_scratch_keep(const tg_scratch *s)
{
    return s->keep;
}

/* What is behind the file, all where there is none. */
static const char *held_by(const tg_scratch *s)
{
    return s->given ? s->given : s->held ? s->held : "";
}

const char *tg_scratch_memory(const tg_scratch *s)
{
    return s->fd >= 0 ? NULL : held_by(s);
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

/* The name is gone as soon as the file is there, so nothing is left behind, whatever happens. */
static tg_status open_file(tg_scratch *s)
{
    for (int tries = 0; s->fd < 0; tries++) {
        char *name = tg_path_temporary(s->beside, "tmp");
        if (!name) return TG_ENOMEM;
        s->fd = tg_os_open(AT_FDCWD, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        const int error = errno;
        if (s->fd >= 0) tg_os_unlink(AT_FDCWD, name, false);
        tg_free(name);
        errno = error;
        if (s->fd < 0 && (errno != EEXIST || tries == 1000)) return tg_os_fail("make a temporary file beside", s->beside);
    }
    return TG_OK;
}

static tg_status write_held(tg_scratch *s, int64_t count)
{
    if (tg_os_write_all(s->fd, s->held, count) != 0) {
        if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) return tg_os_fail("write a temporary file beside", s->beside);
        return tg_fail(TG_EIO, "no room for a temporary file beside %s: %s; %lld bytes and more are needed there for a while",
                       s->beside, strerror(errno), (long long)s->length);
    }
    s->written += count;
    return TG_OK;
}

/* Room for count more bytes and a NUL; doubled, but not beyond what may be kept and a window. */
static tg_status make_room(tg_scratch *s, int64_t held, int64_t count)
{
    const int64_t need = held + count + 1;
    if (need <= s->held_room) return TG_OK;
    int64_t room = 2 * s->held_room, most = s->keep + WINDOW;
    if (room > most) room = most;
    if (room < need) room = need;
    char *more = tg_realloc(s->held, s->held_room, room);
    if (!more) return TG_ENOMEM;
    s->held = more;
    s->held_room = room;
    return TG_OK;
}

tg_status tg_scratch_add(tg_scratch *s, const void *data, int64_t count)
{
    const char *from = data;
    TG_ASSERT(!s->given);
    while (count > 0) {
        int64_t held = s->length - s->written;
        const int64_t bound = s->fd < 0 ? s->keep : WINDOW, n = count < WINDOW ? count : WINDOW;
        if (held + n > bound) {
            const bool first = s->fd < 0;
            tg_status status = first ? open_file(s) : TG_OK;
            if (!status) status = write_held(s, held);
            if (status) return status;
            held = 0;
            if (first && s->held_room > WINDOW) { /* what was kept is in the file now */
                tg_free(s->held);
                s->held = NULL;
                s->held_room = 0;
            }
        }
        if (make_room(s, held, n)) return TG_ENOMEM;
        memcpy(s->held + held, from, (size_t)n);
        s->held[held + n] = 0;
        s->length += n;
        from += n;
        count -= n;
    }
    return TG_OK;
}

tg_status tg_scratch_cut(tg_scratch *s, int64_t length)
{
    if (length >= s->length) return TG_OK;
    s->length = length;
    s->window.count = 0;
    if (length >= s->written) { /* what is cut was not written yet */
        if (s->held) s->held[length - s->written] = 0;
        return TG_OK;
    }
    s->written = length;
    return tg_os_truncate(s->fd, length) == 0 ? TG_OK : tg_os_fail("cut a temporary file beside", s->beside);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* As far as WINDOW where it goes on from the last, else little more than is asked for. */
static tg_status fill(const tg_scratch *s, tg_window *w, int64_t at, int64_t count)
{
    const bool goes_on = at >= w->at && at <= w->at + w->count;
    int64_t want = goes_on ? WINDOW : FEW, have = 0;
    if (want < count) want = count;
    if (want > w->room) {
        char *more = tg_realloc(w->bytes, 0, want);
        if (!more) return TG_ENOMEM;
        w->bytes = more;
        w->room = want;
    }
    const int64_t in_file = s->written - at < want ? s->written - at : want;
    w->count = 0;
    while (have < in_file) {
        ssize_t got = tg_os_read_at(s->fd, w->bytes + have, (size_t)(in_file - have), at + have);
        if (got == 0) errno = EIO; /* somebody else has cut it */
        if (got <= 0) return tg_os_fail("read back a temporary file beside", s->beside);
        have += got;
    }
    const int64_t held = s->length - s->written, rest = want - have < held ? want - have : held;
    if (rest > 0) memcpy(w->bytes + have, s->held, (size_t)rest);
    w->at = at;
    w->count = have + (rest > 0 ? rest : 0);
    return TG_OK;
}

tg_status tg_scratch_look(const tg_scratch *s, tg_window *w, int64_t at, int64_t count, const char **out)
{
    if (at < 0 || count < 0 || at > s->length || count > s->length - at)
        return tg_fail(TG_EINVAL, "bytes %lld to %lld of a temporary file of %lld", (long long)at, (long long)(at + count),
                       (long long)s->length);
    if (at >= s->written) {
        *out = held_by(s) + (at - s->written);
        return TG_OK;
    }
    if (at < w->at || at + count > w->at + w->count) {
        tg_status status = fill(s, w, at, count);
        if (status) return status;
    }
    *out = w->bytes + (at - w->at);
    return TG_OK;
}

tg_status tg_scratch_view(tg_scratch *s, int64_t at, int64_t count, const char **out)
{
    return tg_scratch_look(s, &s->window, at, count, out);
}

void tg_window_free(tg_window *w)
{
    tg_free(w->bytes);
    *w = (tg_window){0};
}
