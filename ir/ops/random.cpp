// Shape rule and evaluation of random.
#include "ir/ops/random.h"

#include "runtime/core/rng.h"

namespace gradc::ops {

std::vector<Type> Random::infer(const InferContext& context) {
  const Type counter{DType::I64, {}};
  for (const Type& operand : context.operands)
    if (operand != counter)
      throw dtype_error(
          fmt::format("random: seed and step must be i64[], not {}", to_string(operand)));
  const DType dtype = context.attrs.get<DType>("dtype");
  if (dtype != DType::F32 && dtype != DType::F64)
    throw dtype_error(fmt::format("random draws f32 or f64, not {}", dtype));
  return {{dtype, Shape(context.attrs.ints("shape"))}};
}

std::vector<Tensor> Random::eval(const EvalContext& context) {
  const RngPosition position{static_cast<uint64_t>(context.operands[0].span<int64_t>()[0]),
                             static_cast<uint64_t>(context.attrs.integer("stream")),
                             static_cast<uint64_t>(context.operands[1].span<int64_t>()[0])};
  Tensor result(context.results[0]);
  for (size_t i = 0; i < static_cast<size_t>(result.size()); ++i) {
    if (result.dtype() == DType::F32)
      result.span<float>()[i] = random_unit_f32(position, i);
    else
      result.span<double>()[i] = random_unit_f64(position, i);
  }
  return {std::move(result)};
}

}  // namespace gradc::ops
