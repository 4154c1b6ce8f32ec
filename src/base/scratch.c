/* scratch.c - a buffer that becomes a file. Beyond `keep` the buffer is the file's tail, not written yet, and views are read
 * through a window. */
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/path.h"

enum { WINDOW = 1 << 20 };

struct tg_scratch {
    char *beside;
    int fd;                      /* -1: all is in memory */
    int64_t keep, length;
    int64_t written;             /* bytes in the file */
    char *held;                  /* bytes behind those */
    int64_t held_room;
    char *window;                /* bytes [window_at, window_at + window_count) of the file */
    int64_t window_at, window_count, window_room;
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

void tg_scratch_free(tg_scratch *s)
{
    if (!s) return;
    if (s->fd >= 0) tg_os_close(s->fd);
    tg_free(s->beside);
    tg_free(s->held);
    tg_free(s->window);
    tg_free(s);
}

int64_t tg_scratch_length(const tg_scratch *s)
{
    return s->length;
}

const char *tg_scratch_memory(const tg_scratch *s)
{
    return s->fd >= 0 ? NULL : s->held ? s->held : "";
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
    while (count > 0) {
        int64_t held = s->length - s->written;
        const int64_t bound = s->fd < 0 ? s->keep : WINDOW, n = count < WINDOW ? count : WINDOW;
        if (held + n > bound) {
            tg_status status = s->fd < 0 ? open_file(s) : TG_OK;
            if (!status) status = write_held(s, held);
            if (status) return status;
            held = 0;
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
    s->window_count = 0;
    if (length >= s->written) { /* what is cut was not written yet */
        if (s->held) s->held[length - s->written] = 0;
        return TG_OK;
    }
    s->written = length;
    return tg_os_truncate(s->fd, length) == 0 ? TG_OK : tg_os_fail("cut a temporary file beside", s->beside);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static tg_status fill_window(tg_scratch *s, int64_t at, int64_t count)
{
    const int64_t want = count > WINDOW ? count : WINDOW;
    if (want > s->window_room) {
        char *more = tg_realloc(s->window, 0, want);
        if (!more) return TG_ENOMEM;
        s->window = more;
        s->window_room = want;
    }
    const int64_t in_file = s->written - at < want ? s->written - at : want;
    int64_t have = 0;
    s->window_count = 0;
    while (have < in_file) {
        ssize_t got = tg_os_read_at(s->fd, s->window + have, (size_t)(in_file - have), at + have);
        if (got == 0) errno = EIO; /* somebody else has cut it */
        if (got <= 0) return tg_os_fail("read back a temporary file beside", s->beside);
        have += got;
    }
    const int64_t held = s->length - s->written, rest = want - have < held ? want - have : held;
    if (rest > 0) memcpy(s->window + have, s->held, (size_t)rest);
    s->window_at = at;
    s->window_count = have + (rest > 0 ? rest : 0);
    return TG_OK;
}

tg_status tg_scratch_view(tg_scratch *s, int64_t at, int64_t count, const char **out)
{
    if (at < 0 || count < 0 || at > s->length || count > s->length - at)
        return tg_fail(TG_EINVAL, "bytes %lld to %lld of a temporary file of %lld", (long long)at, (long long)(at + count),
                       (long long)s->length);
    if (at >= s->written) {
        *out = s->held ? s->held + (at - s->written) : "";
        return TG_OK;
    }
    if (at < s->window_at || at + count > s->window_at + s->window_count) {
        tg_status status = fill_window(s, at, count);
        if (status) return status;
    }
    *out = s->window + (at - s->window_at);
    return TG_OK;
}
