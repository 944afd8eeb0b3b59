// Steps that a library computes: what the runtime asks of it. A program without such steps need
// not be linked with the library.
#pragma once
#include <cstdint>
#include <memory>

namespace gradc {

struct MatmulStep;
struct ConvStep;

/// A step made ready for the current number of threads: the library's choice of code. Calls are
/// free of allocation. Not thread-safe.
class LibraryCall {
 public:
  virtual ~LibraryCall() = default;
  /// Bytes of working memory a call needs.
  virtual int64_t scratch_bytes() const = 0;
  /// Sets the memory of the operands; `bias` is null where the step has none, `scratch` has
  /// scratch_bytes(). All must stay alive until the last run with them.
  virtual void bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) = 0;
  /// Computes out from the bound memory. Uses threads() threads.
  virtual void run() = 0;
};

/// Throw InternalError that names the step where the library refuses it.
struct LibraryCalls {
  std::unique_ptr<LibraryCall> (*matmul)(const MatmulStep& step);
  std::unique_ptr<LibraryCall> (*convolution)(const ConvStep& step);
};

}  // namespace gradc

/// oneDNN's. The name is one that generated objects can refer to.
extern "C" const gradc::LibraryCalls onednn_calls_of_gradc;
