// The entry point that libFuzzer calls, for the one target that is linked with it.
#include <cstdint>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gradc::fuzz::run(gradc::fuzz::targets().front(),
                   {reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
