// Shape rule of the elementwise ops; conversion between dtypes.
#include "ir/ops/elementwise.h"

namespace gradc::ops {
namespace {

using scalar::Domain;

bool is_in_domain(DType dtype, Domain domain) {
  switch (domain) {
    case Domain::Bool:
      return dtype == DType::Bool;
    case Domain::Float:
      return is_float(dtype);
    case Domain::Number:
      return dtype != DType::Bool;
    case Domain::Any:
      return true;
  }
  CHECK(false, "domain {}", static_cast<int>(domain));
}

std::string_view description(Domain domain) {
  switch (domain) {
    case Domain::Bool:
      return "bool";
    case Domain::Float:
      return "floats";
    case Domain::Number:
      return "numbers, not bool";
    case Domain::Any:
      return "any dtype";
  }
  CHECK(false, "domain {}", static_cast<int>(domain));
}

std::string operand_types(std::span<const Type> operands) {
  std::string text;
  for (const Type& type : operands) text += (text.empty() ? "" : " and ") + to_string(type);
  return text;
}

/// The value of a float as an integer: towards zero, saturated, NaN as 0.
template <typename To>
To saturate(double value) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(std::numeric_limits<To>::min()))
    return std::numeric_limits<To>::min();
  if (value >= std::ldexp(1.0, std::numeric_limits<To>::digits))
    return std::numeric_limits<To>::max();
  return static_cast<To>(value);
}

template <typename From, typename To>
To convert_number(From from) {
  if constexpr (!std::is_arithmetic_v<From>)
    return convert_number<float, To>(static_cast<float>(from));
  else if constexpr (!std::is_arithmetic_v<To>)
    return To(static_cast<float>(from));
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>)
    return saturate<To>(static_cast<double>(from));
  else
    return static_cast<To>(from);
}

template <typename From>
bool is_nonzero(From from) {
  if constexpr (std::is_arithmetic_v<From>)
    return from != 0;
  else
    return static_cast<float>(from) != 0;
}

}  // namespace

std::vector<Type> infer_elementwise(OpKind kind, const scalar::RowFacts& facts,
                                    const InferContext& context) {
  const std::string_view op = op_info(kind).name;
  std::span<const Type> operands = context.operands;
  if (kind == OpKind::Select) {
    if (operands[0].dtype != DType::Bool)
      throw dtype_error(
          fmt::format("select: the condition must be bool, not {}", to_string(operands[0])));
    if (operands[0].shape != operands[1].shape)
      throw shape_error(fmt::format("select: condition {} for operands {}",
                                    to_string(operands[0].shape), to_string(operands[1])));
    operands = operands.subspan(1);
  }
  const Type& first = operands[0];
  for (const Type& operand : operands) {
    if (!is_in_domain(operand.dtype, facts.domain))
      throw dtype_error(fmt::format("{} takes {}, not {}", op, description(facts.domain),
                                    operand_types(operands)));
    if (operand.dtype != first.dtype)
      throw dtype_error(fmt::format("{} of different dtypes: {}", op, operand_types(operands)));
    if (operand.shape != first.shape)
      throw shape_error(fmt::format("{} of different shapes: {}", op, operand_types(operands)));
  }
  return {{facts.gives_bool ? DType::Bool : first.dtype, first.shape}};
}

std::vector<Type> ConvertOp::infer(const InferContext& context) {
  return {{context.attrs.get<DType>("dtype"), context.operands[0].shape}};
}

std::vector<Tensor> ConvertOp::eval(const EvalContext& context) {
  Tensor result(context.results[0]);
  const Tensor& operand = context.operands[0];
  const bool to_bool = result.dtype() == DType::Bool;
  visit_dtype(operand.dtype(), [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    visit_dtype(result.dtype(), [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      const auto in = operand.span<From>();
      const auto out = result.span<To>();
      for (size_t i = 0; i < out.size(); ++i)
        out[i] = to_bool ? convert_number<uint8_t, To>(is_nonzero(in[i]) ? 1 : 0)
                         : convert_number<From, To>(in[i]);
    });
  });
  return {std::move(result)};
}

void ConvertOp::vjp(VjpContext& context) {
  if (!context.cotangents[0] || !context.needs(0)) return;
  const DType from = context.builder.dtype(context.operands[0]);
  if (!is_float(from) || !is_float(context.builder.dtype(context.results[0]))) return;
  context.add(0, context.builder.convert(*context.cotangents[0], from));
}

}  // namespace gradc::ops
