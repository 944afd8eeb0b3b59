// The entry point that all test programs share.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include <cstdlib>

// Programs that tests start compile their kernels, whatever runs before have left behind.
[[maybe_unused]] const int kNoCache = setenv("GRADC_CACHE", "off", 1);
