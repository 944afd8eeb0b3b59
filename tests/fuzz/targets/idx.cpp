// IDX files, plain and gzip.
#include "runtime/data/idx.h"

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(idx) { gradc::read_idx(gradc::fuzz::file_of(bytes)); }
