/* runner.h - what test.c offers to a program that makes its tests at start-up, as cli.c does from files. */
#ifndef TG_TEST_RUNNER_H
#define TG_TEST_RUNNER_H
#include "test.h"

/* The name of the test that runs in this process. */
const char *test_name(void);
#endif
