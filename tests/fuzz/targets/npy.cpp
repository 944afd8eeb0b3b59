// One NumPy array.
#include "runtime/data/npy.h"
#include "tests/fuzz/described.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(npy) {
  const DataSource source{"npy", fuzz::file_of(bytes), {{"test", 0.5}}};
  fuzz::check_described(describe_npy(source), load_npy(source));
}
