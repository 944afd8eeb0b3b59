// What a generated object exports: the C layout that code generation writes and the runtime reads.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/library_calls.h"
#include "runtime/program.h"

/// The kernels of all programs for one kind of processor.
struct gradc_code {
  const char* target;                      // "x86-64-v4", or "native (znver4)"
  const char* features;                    // what the processor must have, with commas: "avx2,fma"
  const gradc::KernelFunction* functions;  // in the order of ModelFacts::kernels
};

/// One model. The symbol is gradc_model_NAME.
struct gradc_model {
  uint32_t format;      // compiled_model_format()
  uint32_t code_count;  // the most demanding first
  const gradc_code* code;
  const std::byte* facts;  // a ModelFacts, aligned for ByteReader
  uint64_t facts_bytes;
  const gradc::LibraryCalls* library;  // null where nothing calls one
};

namespace gradc {

/// A hash of the sources that say what is archived and how: an object and the runtime that it is
/// linked with must agree.
uint32_t compiled_model_format();

}  // namespace gradc
