// Pictures.
#include "runtime/png.h"

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(png) {
  constexpr int64_t kLargest = 1 << 22;
  const PngFile file(fuzz::file_of(bytes));
  if (file.shape().element_count() > kLargest) return;
  Tensor pixels(DType::U8, file.shape());
  file.read(pixels.raw());
}
