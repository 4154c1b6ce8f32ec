/* process.c - this process: its descriptors, signals and memory. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"

int64_t tg_peak_memory(void)
{
    return tg_os_peak_resident();
}

tg_status tg_process_program(const char *name, char **out)
{
    char path[TG_OS_PATH];
    *out = tg_strdup(tg_os_program(path, sizeof path) == 0 ? path : name);
    return *out ? TG_OK : TG_ENOMEM;
}

void tg_process_start(void)
{
    /* A data file must never become descriptor 2 and receive messages. The lowest free one is taken: go upwards. */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0) _exit(1);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
    sigemptyset(&ignore.sa_mask);
    sigemptyset(&usual.sa_mask);
    sigaction(SIGCHLD, &usual, NULL); /* whoever started us may ignore it, and then nobody is told how a child ended */
    sigaction(SIGPIPE, &ignore, NULL); /* write says EPIPE */
#ifdef SIGXFSZ
    sigaction(SIGXFSZ, &ignore, NULL); /* write says EFBIG */
#endif
}

/* A handler can reach nothing but a static; this one belongs to the process, as signals do. */
static volatile sig_atomic_t caught;

static void catch(int number)
{
    if (number == SIGINT && caught == SIGINT) _exit(128 + SIGINT);
    caught = number;
}

const volatile int *tg_process_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    caught = 0;
    for (int i = 0; i < 3; i++) {
        struct sigaction before, handler = {.sa_handler = catch};
        sigemptyset(&handler.sa_mask);
        if (sigaction(signals[i], NULL, &before) != 0 || before.sa_handler == SIG_IGN) continue; /* nohup */
        sigaction(signals[i], &handler, NULL);
    }
    return &caught;
}
