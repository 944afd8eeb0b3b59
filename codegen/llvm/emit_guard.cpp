// Guards of stores: one vector that every loop carries, and a look at it at the end of the kernel.
//
// It starts as zeros and takes the sum of 0 * value of what is stored: 0 for numbers, NaN for NaN
// and infinity, and NaN stays.
#include "codegen/llvm/kernel_emitter.h"

namespace gradc {

using namespace loop;

void KernelEmitter::start_watch() {
  if (!stores_guarded(kernel_.body)) return;
  auto& builder = code_.builder;
  watched_ = llvm::Constant::getNullValue(
      llvm::FixedVectorType::get(builder.getFloatTy(), static_cast<unsigned>(code_.target.lanes)));
}

void KernelEmitter::emit_guard(const Guard& guard, LlvmScalar value) {
  CHECK(watched_ != nullptr, "kernel {}: an unexpected guard", kernel_.name);
  guard_ = buffers_[static_cast<size_t>(guard.buffer)];
  auto& builder = code_.builder;
  const int width = code_.target.lanes;
  Lanes lanes = value.lanes.is_vector() ? value.lanes : splat(value.lanes, width);
  const Lanes zero = like(lanes, 0);
  if (is_in_vector_loop() && mask_ != nullptr) lanes = select({&code_, mask_}, lanes, zero);
  if (guard.admits_infinity) lanes = select(is_nan(lanes), lanes, zero);
  const auto count =
      static_cast<int>(llvm::cast<llvm::FixedVectorType>(lanes.type())->getNumElements());
  std::optional<Lanes> sum;
  for (int first = 0; first < count; first += width) {
    llvm::SmallVector<int> part;
    for (int lane = first; lane < first + width; ++lane) part.push_back(lane);
    Lanes piece{&code_,
                count == width ? lanes.value : builder.CreateShuffleVector(lanes.value, part)};
    if (piece.is_f64()) piece = narrow(piece);
    sum = sum ? fma(piece, 0, *sum) : piece * 0;
  }
  watched_ = (Lanes{&code_, watched_} + *sum).value;
}

void KernelEmitter::report_watch() {
  if (watched_ == nullptr || guard_ == nullptr) return;
  auto& builder = code_.builder;
  llvm::Value* found = builder.CreateOrReduce(is_nan({&code_, watched_}).value);
  watched_ = nullptr;
  emit_if(found, [&] { builder.CreateAlignedStore(builder.getInt32(1), guard_, llvm::Align(4)); });
}

}  // namespace gradc
