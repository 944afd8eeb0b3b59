// Convolutions through oneDNN. Only the files onednn* name oneDNN; this header does not.
#pragma once
#include <cstdint>
#include <memory>

#include "runtime/library_calls.h"
#include "runtime/program.h"

namespace gradc {

/// A convolution made ready for the current number of threads: the library's choice of code, and
/// the kernel brought into the layout that this code wants and back.
class OnednnConv : public LibraryCall {
 public:
  /// Throws InternalError that names the step where oneDNN refuses it.
  explicit OnednnConv(const ConvStep& step);
  ~OnednnConv() override;
  OnednnConv(OnednnConv&&) noexcept;
  OnednnConv& operator=(OnednnConv&&) noexcept;

  int64_t scratch_bytes() const override;
  void bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) override;
  void run() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
