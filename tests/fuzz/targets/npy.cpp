// One NumPy array.
#include "runtime/data/npy.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(npy) { load_npy({"npy", fuzz::file_of(bytes), {{"test", 0.5}}}); }
