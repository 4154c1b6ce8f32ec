/* test.h - a test is a function with a sentence for a name; it registers itself and runs in a process of its own.
 * unit [-j N] [--list] [FILTER...] runs those whose name or file contains a FILTER and ends with
 * "N passed, N failed, N skipped". A failed CHECK prints file:line and both values and ends its test. */
#ifndef TG_TEST_H
#define TG_TEST_H
#include "tinygen/base.h"

typedef struct tg_test { const char *name, *file; void (*run)(void); struct tg_test *next; } tg_test;
void test_register(tg_test *t);
#define TEST(NAME)                                                                                             \
    static void NAME(void);                                                                                    \
    __attribute__((constructor)) static void NAME##_register(void)                                             \
    {                                                                                                          \
        static tg_test t = {#NAME, __FILE__, NAME, NULL};                                                      \
        test_register(&t);                                                                                     \
    }                                                                                                          \
    static void NAME(void)

_Noreturn void test_failed(const char *file, int line, const char *format, ...) TG_PRINTF(3, 4);
_Noreturn void test_skip(const char *why); /* counted */
void test_note(const char *format, ...) TG_PRINTF(1, 2); /* a figure worth reading: printed with the result */

void test_equal_int(const char *file, int line, const char *what, int64_t got, int64_t want);
void test_equal_text(const char *file, int line, const char *what, const char *got, const char *want);
void test_equal_bytes(const char *file, int line, const char *what, const void *got, const void *want, int64_t count);
/* |got - want| <= tolerance * max(1, largest |want|); prints the worst element and where. */
void test_close(const char *file, int line, const char *what, const float *got, const double *want, int64_t count, double tolerance);
/* "6627e8d5 e169c58d": words in hexadecimal. */
void test_equal_hex(const char *file, int line, const char *what, const uint32_t *got, const char *want);

#define CHECK(x) do { if (!(x)) test_failed(__FILE__, __LINE__, "%s does not hold", #x); } while (0)
#define CHECK_OK(x) do { if ((x) != TG_OK) test_failed(__FILE__, __LINE__, "%s: %s", #x, tg_error()); } while (0)
#define CHECK_INT(got, want) test_equal_int(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
#define CHECK_TEXT(got, want) test_equal_text(__FILE__, __LINE__, #got, got, want)
#define CHECK_BYTES(got, want, n) test_equal_bytes(__FILE__, __LINE__, #got, got, want, n)
#define CHECK_CLOSE(got, want, n, tol) test_close(__FILE__, __LINE__, #got, got, want, n, tol)
#define CHECK_HEX(got, want) test_equal_hex(__FILE__, __LINE__, #got, got, want)
/* The last error must contain the text. */
#define CHECK_ERROR(x, status, text) do { tg_status s_ = (x); CHECK_INT(s_, status); test_has(__FILE__, __LINE__, tg_error(), text); } while (0)
void test_has(const char *file, int line, const char *text, const char *part);

/* A fresh folder below the build folder, removed when the test ends well. Valid until the test ends. */
const char *test_folder(void);
#endif
