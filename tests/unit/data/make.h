/* make.h - moved to tests/support. */
#include "support/make.h"
