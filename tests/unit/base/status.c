/* status.c - tests of the thread's message. */
#include "base/status.h"
#include "test.h"

#include <pthread.h>
#include <string.h>

TEST(a_failure_leaves_its_message_and_returns_its_code)
{
    CHECK_INT(tg_fail(TG_EFORMAT, "%s: cut short at byte %d; fetch it again", "x.png", 812), TG_EFORMAT);
    CHECK_TEXT(tg_error(), "x.png: cut short at byte 812; fetch it again");
    CHECK_INT(tg_fail(TG_EIO, "other"), TG_EIO);
    CHECK_TEXT(tg_error(), "other");
}

TEST(notes_put_their_context_in_front_and_keep_the_code)
{
    tg_fail(TG_ENOMEM, "out of memory");
    CHECK_INT(tg_note("while reading %s", "a.txt"), TG_ENOMEM);
    CHECK_INT(tg_note("step %d", 7), TG_ENOMEM);
    CHECK_TEXT(tg_error(), "step 7: while reading a.txt: out of memory");
}

TEST(a_note_that_says_what_is_said_already_is_dropped)
{
    tg_fail(TG_EFORMAT, "a.txt: damaged");
    CHECK_INT(tg_note("a.txt"), TG_EFORMAT);
    CHECK_TEXT(tg_error(), "a.txt: damaged");
    CHECK_INT(tg_note("a"), TG_EFORMAT); /* another name, of which this only begins with it */
    CHECK_TEXT(tg_error(), "a: a.txt: damaged");
}

TEST(before_any_failure_there_is_an_empty_message)
{
    CHECK(tg_error() != NULL);
    CHECK_TEXT(tg_error(), "");
    CHECK(tg_note("nothing failed") != TG_OK);
}

TEST(a_message_may_quote_the_one_before)
{
    tg_fail(TG_EIO, "disk %d", 3);
    tg_fail(TG_EINVAL, "cannot save: %s; free some space", tg_error());
    CHECK_TEXT(tg_error(), "cannot save: disk 3; free some space");
    tg_note("%s", tg_error());
    CHECK_TEXT(tg_error(), "cannot save: disk 3; free some space: cannot save: disk 3; free some space");
}

TEST(a_message_too_long_keeps_its_beginning_and_whole_characters)
{
    static char text[9000]; /* "ab" and then only U+4E2D, three bytes each */
    strcpy(text, "ab");
    for (int i = 2; i + 3 < (int)sizeof text; i += 3) memcpy(text + i, "\xe4\xb8\xad", 4);
    for (int shift = 0; shift < 3; shift++) {
        tg_fail(TG_EINVAL, "%s", text + shift);
        size_t length = strlen(tg_error());
        CHECK(length > 1000 && length < 4097);
        CHECK_TEXT(tg_error() + length - 3, "...");
        CHECK_BYTES(tg_error(), text + shift, (int64_t)length - 3);
        CHECK_BYTES(tg_error() + length - 6, "\xe4\xb8\xad", 3);
    }
    tg_note("%s", text);
    CHECK_BYTES(tg_error(), text, 1000);
    tg_fail(TG_EINVAL, "short");
    CHECK_TEXT(tg_error(), "short");
}

static void *fail_elsewhere(void *seen)
{
    *(bool *)seen = strcmp(tg_error(), "") == 0;
    tg_fail(TG_EIO, "theirs");
    return NULL;
}

TEST(each_thread_has_its_own_message)
{
    pthread_t thread;
    bool empty_there = false;
    tg_fail(TG_EFORMAT, "mine");
    CHECK(pthread_create(&thread, NULL, fail_elsewhere, &empty_there) == 0);
    pthread_join(thread, NULL);
    CHECK(empty_there);
    CHECK_TEXT(tg_error(), "mine");
    CHECK_INT(tg_note("x"), TG_EFORMAT);
}
