// An estimate of the registers that are alive in the serial loops of a vector loop.
#include "codegen/llvm/vectors_together.h"

#include <algorithm>

#include "codegen/llvm/kernel_facts.h"

namespace gradc {
namespace {

using namespace loop;

/// Elementwise ops of many instructions and registers.
constexpr OpKind kFunctions[] = {OpKind::Exp,  OpKind::Expm1,   OpKind::Log,  OpKind::Log1p,
                                 OpKind::Sin,  OpKind::Cos,     OpKind::Tanh, OpKind::Erf,
                                 OpKind::Erfc, OpKind::Sigmoid, OpKind::Pow,  OpKind::FloorDiv,
                                 OpKind::Mod};
bool is_function(OpKind kind) {
  return std::find(std::begin(kFunctions), std::end(kFunctions), kind) != std::end(kFunctions);
}

/// Target vectors that W lanes of the dtype take.
int64_t registers(DType dtype) { return dtype == DType::F64 || dtype == DType::I64 ? 2 : 1; }

struct Count {
  int64_t alive = 0;
  bool feeds_in_serial_loop = false;
  bool is_possible = true;
};

void count_let(const Let& let, VarId vector_var, bool in_serial_loop, Count& count) {
  if (std::holds_alternative<Draw>(let.value)) count.is_possible = false;
  const auto* load = std::get_if<Load>(&let.value);
  if (load != nullptr && !load->access.indirections.empty()) count.is_possible = false;
  if (!in_serial_loop) return;
  const auto* apply = std::get_if<Apply>(&let.value);
  if (apply != nullptr && is_function(apply->kind)) count.is_possible = false;
  const bool is_scalar = load != nullptr && stride_of(load->access.position, vector_var) == 0;
  if (!is_scalar) count.alive += registers(let.dtype);
}

void add(const std::vector<Stmt>& body, VarId vector_var, bool in_serial_loop, Count& count) {
  for (const Stmt& stmt : body) {
    if (const auto* let = std::get_if<Let>(&stmt)) {
      count_let(*let, vector_var, in_serial_loop, count);
    } else if (const auto* accumulator = std::get_if<Accumulator>(&stmt)) {
      const bool has_position =
          accumulator->kind == ReduceKind::ArgMax || accumulator->kind == ReduceKind::ArgMin;
      count.alive += registers(accumulator->dtype) + (has_position ? 1 : 0);
    } else if (std::holds_alternative<Accumulate>(stmt)) {
      count.feeds_in_serial_loop = count.feeds_in_serial_loop || in_serial_loop;
    } else if (const auto* store = std::get_if<Store>(&stmt)) {
      if (!store->access.indirections.empty()) count.is_possible = false;
    } else {
      add(std::get<For>(stmt).body, vector_var, true, count);
    }
  }
}

}  // namespace

int64_t vectors_together(const For& loop, const Target& target) {
  Count count;
  add(loop.body, loop.var, false, count);
  const bool is_worth = count.feeds_in_serial_loop && carried_accumulators(loop.body).empty();
  if (!count.is_possible || !is_worth) return 1;
  // Threads start at multiples of powers of two. Of 32 registers, 16 without AVX-512, some are for
  // operands that are used once.
  const int64_t available = target.has_avx512 ? 28 : 13;
  for (int64_t vectors : {4, 3, 2})
    if ((vectors != 3 || !loop.parallel) && count.alive * vectors <= available &&
        loop.extent >= vectors * target.lanes)
      return vectors;
  return 1;
}

}  // namespace gradc
