// Weights as an archive of NumPy arrays.
#include "runtime/weights_npz.h"

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(weights_npz) { gradc::read_npz_weights(gradc::fuzz::file_of(bytes), int64_t{1} << 22); }
