// Matrix products through oneDNN. Only the files onednn* name oneDNN; this header does not.
#pragma once
#include <cstdint>
#include <memory>

#include "runtime/library_calls.h"
#include "runtime/program.h"

namespace gradc {

/// A matrix product made ready for the current number of threads: the library's choice of code,
/// with strides, bias and activation.
class OnednnMatmul : public LibraryCall {
 public:
  /// Throws InternalError that names the step where oneDNN refuses it.
  explicit OnednnMatmul(const MatmulStep& step);
  ~OnednnMatmul() override;
  OnednnMatmul(OnednnMatmul&&) noexcept;
  OnednnMatmul& operator=(OnednnMatmul&&) noexcept;

  int64_t scratch_bytes() const override;
  void bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) override;
  void run() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
