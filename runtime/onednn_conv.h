// Convolutions through oneDNN. Only the files onednn* name oneDNN; this header does not.
#pragma once
#include <cstdint>
#include <memory>

#include "runtime/program.h"

namespace gradc {

/// A convolution made ready for the current number of threads: the library's choice of code, and
/// the kernel brought into the layout that this code wants and back. Calls are free of allocation.
/// Not thread-safe.
class OnednnConv {
 public:
  /// Throws InternalError that names the step where oneDNN refuses it.
  explicit OnednnConv(const ConvStep& step);
  ~OnednnConv();
  OnednnConv(OnednnConv&&) noexcept;
  OnednnConv& operator=(OnednnConv&&) noexcept;

  /// Bytes of working memory a call needs.
  int64_t scratch_bytes() const;

  /// Sets the memory of the operands; `bias` is null where the step has none, `scratch` has
  /// scratch_bytes(). All must stay alive until the last run with them.
  void bind(void* lhs, void* rhs, void* bias, void* out, void* scratch);

  /// Computes out from the bound memory. Uses threads() threads.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
