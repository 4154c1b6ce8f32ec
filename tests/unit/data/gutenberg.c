/* gutenberg.c - tests of where a book begins and ends. */
#include "data/text/gutenberg.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

/* The body must be `want`; NULL: there is none to be found. */
static void check_body(const char *text, const char *want)
{
    int64_t begin = -1, end = -1;
    bool found = tg_gutenberg_body(text, (int64_t)strlen(text), &begin, &end);
    CHECK_INT(found, want != NULL);
    if (!want) {
        CHECK(begin == -1 && end == -1);
        return;
    }
    char body[1000];
    snprintf(body, sizeof body, "%.*s", (int)(end - begin), text + begin);
    CHECK_TEXT(body, want);
}

TEST(the_lines_of_today_stand_around_a_book)
{
    check_body("Header\n\n*** START OF THE PROJECT GUTENBERG EBOOK ALICE ***\n\n\nDown the\nhole.\n\n \n"
               "*** END OF THE PROJECT GUTENBERG EBOOK ALICE ***\nLicence\n", "Down the\nhole.\n");
    check_body("\xef\xbb\xbfThe Project Gutenberg eBook\r\n***START OF THIS PROJECT GUTENBERG EBOOK X***\r\n"
               "\r\nBody.\r\n\r\n***END OF THIS PROJECT GUTENBERG EBOOK X***\r\n", "Body.\r\n");
    check_body("  *** start  of the\tProject Gutenberg ebook x ***\nBody.\n"
               "  *** End of The PROJECT  gutenberg ebook x ***",
               "Body.\n");
}

TEST(a_title_may_take_three_lines)
{
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK A LONG\nAND LONGER\nTITLE ***\nBody.\n"
               "*** END OF THE PROJECT GUTENBERG\n",
               "Body.\n");
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK A\nOne.\nTwo.\nThree ***\n", "One.\nTwo.\nThree ***\n");
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK A\nOne.", "One.");
}

TEST(older_books_end_and_begin_otherwise)
{
    check_body("***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here?\n"
               "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\nBody.\n\n\n"
               "End of the Project Gutenberg Etext of Something\n", "Body.\n");
    check_body("*** START OF THIS PROJECT GUTENBERG EBOOK X ***\nprint\n*END THE SMALL PRINT!*\nBody.\n"
               "End of Project Gutenberg's X, by Y\n\n*** END OF THIS PROJECT GUTENBERG EBOOK X ***\n", "Body.\n");
}

TEST(half_a_frame_is_enough_and_none_is_none)
{
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK X ***\nBody.\nMore", "Body.\nMore");
    check_body("Body.\n\nEND OF THE PROJECT GUTENBERG EBOOK X\nLicence", "Body.\n");
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n \n*** END OF THE PROJECT GUTENBERG X ***\n", "");
    check_body("*** START OF THE PROJECT GUTENBERG EBOOK X ***", "");
    check_body("", NULL);
    check_body("START OF THE PROJECT GUTENBERG EBOOK has no stars\n", NULL);
    check_body("The end of the Project Gutenberg was near.\n*** START OF THE WAR ***\n"
               "*** END OF THE PROJECT ***\n", NULL);
}
