// Precompiled for the tests: GoogleTest takes longer to parse than most tests do.
#include <gtest/gtest.h>

#include "pch/std.h"
