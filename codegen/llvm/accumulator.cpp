// Neutral elements, combination of values and of lanes.
#include "codegen/llvm/accumulator.h"

#include <limits>

namespace gradc {
namespace {

using loop::ReduceKind;

bool has_position(ReduceKind kind) {
  return kind == ReduceKind::ArgMax || kind == ReduceKind::ArgMin;
}
bool wants_largest(ReduceKind kind) {
  return kind == ReduceKind::Max || kind == ReduceKind::ArgMax;
}

llvm::Constant* extreme(llvm::Type* type, DType dtype, bool is_lowest) {
  if (is_float(dtype)) return llvm::ConstantFP::getInfinity(type, is_lowest);
  const unsigned width = type->getScalarSizeInBits();
  if (dtype == DType::U8)
    return llvm::ConstantInt::get(
        type, is_lowest ? llvm::APInt::getMinValue(width) : llvm::APInt::getMaxValue(width));
  return llvm::ConstantInt::get(type, is_lowest ? llvm::APInt::getSignedMinValue(width)
                                                : llvm::APInt::getSignedMaxValue(width));
}

llvm::Constant* neutral(llvm::Type* type, ReduceKind kind, DType dtype) {
  switch (kind) {
    case ReduceKind::Sum:
      return llvm::Constant::getNullValue(type);
    case ReduceKind::Prod:
      return is_float(dtype) ? llvm::ConstantFP::get(type, 1.0) : llvm::ConstantInt::get(type, 1);
    case ReduceKind::Max:
    case ReduceKind::ArgMax:
      return extreme(type, dtype, true);
    case ReduceKind::Min:
    case ReduceKind::ArgMin:
      return extreme(type, dtype, false);
  }
  CHECK(false, "reduction {}", static_cast<int>(kind));
}

LlvmScalar apply_two(OpKind kind, LlvmScalar a, LlvmScalar b) {
  const LlvmScalar operands[] = {a, b};
  return apply(kind, operands);
}

LlvmScalar combine(ReduceKind kind, LlvmScalar a, LlvmScalar b) {
  switch (kind) {
    case ReduceKind::Sum:
      return apply_two(OpKind::Add, a, b);
    case ReduceKind::Prod:
      return apply_two(OpKind::Mul, a, b);
    case ReduceKind::Max:
    case ReduceKind::ArgMax:
      return apply_two(OpKind::Maximum, a, b);
    case ReduceKind::Min:
    case ReduceKind::ArgMin:
      return apply_two(OpKind::Minimum, a, b);
  }
  CHECK(false, "reduction {}", static_cast<int>(kind));
}

/// Does `b` come before `a` whatever their positions: larger (smaller), or the only NaN?
Lanes is_better(ReduceKind kind, LlvmScalar a, LlvmScalar b) {
  const OpKind compare = wants_largest(kind) ? OpKind::Greater : OpKind::Less;
  const Lanes wins = apply_two(compare, b, a).lanes;
  return is_float(a.dtype) ? wins | (is_nan(b.lanes) & ~is_nan(a.lanes)) : wins;
}

void take_where(AccumulatorState& state, Lanes truth, LlvmScalar value, Lanes position) {
  state.best.lanes = select(truth, value.lanes, state.best.lanes);
  state.position = select(truth, position, *state.position);
}

LlvmScalar with_contribution(const AccumulatorState& state, const Contribution& contribution) {
  const auto& [value, factor, position, mask] = contribution;
  if (!factor) return combine(state.kind, state.best, value);
  if (!is_float(value.dtype))
    return combine(state.kind, state.best, apply_two(OpKind::Mul, value, *factor));
  const Lanes sum = fma(value.lanes, factor->lanes, state.best.lanes);
  return {round_to(value.dtype, sum), value.dtype};
}

/// Lanes first, first + 1, ..., first + count - 1.
Lanes lanes_from(Lanes a, int first, int count) {
  llvm::SmallVector<int> order;
  for (int lane = first; lane < first + count; ++lane) order.push_back(lane);
  return {a.code, a.builder().CreateShuffleVector(a.value, order)};
}

AccumulatorState half_of(const AccumulatorState& state, int first, int count) {
  AccumulatorState half = state;
  half.best.lanes = lanes_from(state.best.lanes, first, count);
  if (state.position) half.position = lanes_from(*state.position, first, count);
  return half;
}

void merge(AccumulatorState& state, const AccumulatorState& other) {
  if (!state.position) {
    state.best = combine(state.kind, state.best, other.best);
    return;
  }
  const LlvmScalar a = state.best, b = other.best;
  Lanes is_tie = a.lanes == b.lanes;
  if (is_float(a.dtype)) is_tie = is_tie | (is_nan(a.lanes) & is_nan(b.lanes));
  const Lanes is_earlier = is_tie & (*other.position < *state.position);
  take_where(state, is_better(state.kind, a, b) | is_earlier, b, *other.position);
}

}  // namespace

AccumulatorState start_accumulator(Code& code, const loop::Accumulator& accumulator, bool is_vector,
                                   bool is_spread) {
  CHECK(accumulator.dtype != DType::Bool, "an accumulator of bools");
  llvm::LLVMContext& context = code.builder.getContext();
  const int lanes = is_vector ? code.lanes : 0;
  const auto spread = [&](llvm::Constant* constant) {
    const Lanes element{&code, constant};
    return is_vector ? splat(element, lanes) : element;
  };
  llvm::Type* type = register_type(context, accumulator.dtype);
  const Lanes best = spread(neutral(type, accumulator.kind, accumulator.dtype));
  AccumulatorState state{accumulator.kind, is_spread, {best, accumulator.dtype}, std::nullopt};
  if (has_position(accumulator.kind)) state.position = spread(code.builder.getInt32(0));
  return state;
}

void accumulate(AccumulatorState& state, const Contribution& contribution) {
  const auto& [value, factor, position, mask] = contribution;
  const bool is_masked = mask != nullptr;
  const Lanes active{state.best.lanes.code, mask};
  if (state.position) {
    const Lanes wins = is_better(state.kind, state.best, value);
    take_where(state, is_masked ? wins & active : wins, value, *position);
    return;
  }
  const LlvmScalar next = with_contribution(state, contribution);
  state.best.lanes = is_masked ? select(active, next.lanes, state.best.lanes) : next.lanes;
}

LlvmScalar combined(const AccumulatorState& state) {
  AccumulatorState rest = state;
  if (state.is_spread) {
    for (int count = state.best.lanes.code->lanes / 2; count >= 1; count /= 2) {
      const AccumulatorState upper = half_of(rest, count, count);
      rest = half_of(rest, 0, count);
      merge(rest, upper);
    }
    rest = first_lane(rest);
  }
  if (rest.position) return {*rest.position, DType::I32};
  return rest.best;
}

AccumulatorState first_lane(const AccumulatorState& state) {
  auto& builder = state.best.lanes.builder();
  AccumulatorState lane = state;
  lane.is_spread = false;
  lane.best.lanes.value = builder.CreateExtractElement(state.best.lanes.value, uint64_t{0});
  if (state.position)
    lane.position->value = builder.CreateExtractElement(state.position->value, uint64_t{0});
  return lane;
}

void set_first_lane(AccumulatorState& state, const AccumulatorState& lane) {
  auto& builder = state.best.lanes.builder();
  state.best.lanes.value =
      builder.CreateInsertElement(state.best.lanes.value, lane.best.lanes.value, uint64_t{0});
  if (state.position)
    state.position->value =
        builder.CreateInsertElement(state.position->value, lane.position->value, uint64_t{0});
}

}  // namespace gradc
