// Archives of NumPy arrays as data.
#include "runtime/data/npy.h"
#include "tests/fuzz/described.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(npz) {
  const DataSource source{"npz", fuzz::file_of(bytes)};
  fuzz::check_described(describe_npz(source), load_npz(source));
}
