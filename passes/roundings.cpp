// Moves results by their permitted roundings, and judges outputs by what that gives.
#include "passes/roundings.h"

#include <cmath>
#include <limits>

#include "ir/accumulator_dtype.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/ops/scan.h"
#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Format {
  int digits;  // of the significand
  int least;   // exponent of the least normal number
  double largest;
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return {53, -1022, std::numeric_limits<double>::max()};
    case DType::F32:
      return {24, -126, std::numeric_limits<float>::max()};
    case DType::F16:
      return {11, -14, 65504};
    case DType::BF16:
      return {8, -126, 0x1.FEp127};
    default:
      CHECK(false, "{} is no float", dtype);
  }
}

/// The share of sum |x| that one addition may lose.
double accumulation_unit(DType dtype) { return dtype == DType::F64 ? 0x1p-53 : 0x1p-24; }

bool is_sum(OpKind kind) {
  switch (kind) {
    case OpKind::Sum:
    case OpKind::Mean:
    case OpKind::Dot:
    case OpKind::Conv:
    case OpKind::ConvInput:
    case OpKind::ConvKernel:
      return true;
    default:
      return false;
  }
}

/// Units in the last place that an elementwise op may be away; 0: exact.
int64_t elementwise_units(OpKind kind, DType dtype) {
  switch (kind) {
    case OpKind::Exp:
    case OpKind::Expm1:
    case OpKind::Log:
    case OpKind::Log1p:
    case OpKind::Sin:
    case OpKind::Cos:
    case OpKind::Tanh:
    case OpKind::Erf:
    case OpKind::Erfc:
    case OpKind::Sigmoid:
      return dtype == DType::F32 || dtype == DType::F64 ? 4 : 1;
    case OpKind::Pow:
      return 3;
    default:
      return 0;
  }
}

/// One unit in the last place of a number of the dtype; of the least denormal at 0.
double unit_in_last_place(DType dtype, double value) {
  const Format format = format_of(dtype);
  const int exponent = value == 0 ? format.least : std::max(format.least, std::ilogb(value));
  return std::ldexp(1, exponent - format.digits + 1);
}

/// |x| in the dtype that sums are kept in, 0 for what is not finite.
Tensor magnitudes(const Tensor& tensor) {
  if (!is_float(tensor.dtype())) return tensor;
  Tensor result(accumulator_dtype(tensor.dtype()), tensor.shape());
  for (int64_t i = 0; i < tensor.size(); ++i)
    if (const double value = std::abs(tensor.at(i)); std::isfinite(value)) result.set(i, value);
  return result;
}

/// Padding counts as 0: whether it meets what is infinite or NaN, the reference and code may see
/// differently.
bool is_padded(const Node& node) {
  if (op_class(node.kind) != OpClass::Window || node.kind == OpKind::FoldWindows) return false;
  if (node.kind == OpKind::ConvInput) return true;  // beyond the edges of its operand
  for (const std::string_view side : {"low", "high"})
    for (int64_t width : node.attrs.ints(side))
      if (width > 0) return true;
  return false;
}

bool is_not_finite(std::span<const Tensor> tensors) {
  for (const Tensor& tensor : tensors)
    for (int64_t i = 0; is_float(tensor.dtype()) && i < tensor.size(); ++i)
      if (!std::isfinite(tensor.at(i))) return true;
  return false;
}

/// Random choices, another sequence for each run.
class Draws {
 public:
  explicit Draws(uint64_t run) : position_{run, 0, 0} {}

  /// In [0, 1).
  double unit() {
    const auto place = next_ % std::size(units_);
    if (place == 0) random_units_f64(position_, next_, units_);
    ++next_;
    return units_[place];
  }
  bool chance(int percent) { return unit() * 100 < percent; }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(unit() * static_cast<double>(high - low + 1));
  }
  template <size_t kCount>
  double pick(const double (&values)[kCount]) {
    return values[static_cast<size_t>(between(0, kCount - 1))];
  }

 private:
  RngPosition position_;
  uint64_t next_ = 0;
  double units_[64] = {};
};

class MovedInterpreter {
 public:
  MovedInterpreter(uint64_t run, Allowance allowance) : random_(run), allowance_(allowance) {}

  std::vector<Tensor> run(const Graph& graph, std::span<const Tensor> inputs) {
    std::vector<Tensor> values(inputs.begin(), inputs.end());
    values.resize(graph.value_count());
    for (const Node& node : graph.nodes()) {
      std::vector<Tensor> operands;
      std::vector<Type> types;
      for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
      for (ValueId result : node.results) types.push_back(graph.type(result));
      std::vector<Tensor> results = evaluate(node, operands, types);
      for (size_t i = 0; i < results.size(); ++i) values[index(node.results[i])] = results[i];
    }
    std::vector<Tensor> outputs;
    for (const Output& output : graph.outputs()) outputs.push_back(values[index(output.value)]);
    return outputs;
  }

 private:
  std::vector<Tensor> evaluate(const Node& node, const std::vector<Tensor>& operands,
                               const std::vector<Type>& types) {
    if (node.kind == OpKind::Scan)
      return ops::run_rounds(
          ops::scan_form(node.attrs, operands.size()), operands, types,
          [&](const Graph& body, std::span<const Tensor> inputs) { return run(body, inputs); });
    if (node.kind == OpKind::Group) return run(*node.attrs.get<BodyRef>("body"), operands);
    std::vector<Tensor> results = op_def(node.kind).eval({operands, node.attrs, types});
    if (is_float(types[0].dtype) && random_.chance(65)) move(node, operands, results[0]);
    return results;
  }

  void move(const Node& node, const std::vector<Tensor>& operands, Tensor& result) {
    if (allowance_ == Allowance::SignsOfZero) {
      if (is_sum(node.kind) || op_class(node.kind) == OpClass::Reduction) move_zeros(result);
      return;
    }
    if (const int64_t units = elementwise_units(node.kind, result.dtype()); units > 0)
      return move_units(result, units);
    if (is_sum(node.kind)) return move_sum(node, operands, result);
    if (node.kind == OpKind::Prod) return move_product(node, operands, result);
    if (node.kind == OpKind::Max || node.kind == OpKind::Min) return move_zeros(result);
  }

  void move_units(Tensor& result, int64_t units) {
    for (int64_t i = 0; i < result.size(); ++i) {
      const double value = result.at(i);
      if (!std::isfinite(value) || random_.chance(30)) continue;
      const double unit = unit_in_last_place(result.dtype(), value);
      const double moved = value + static_cast<double>(random_.between(-units, units)) * unit;
      result.set(i, moved == 0 ? std::copysign(0, value) : moved);
    }
  }

  /// Of equal zeros either may be the largest.
  void move_zeros(Tensor& result) {
    for (int64_t i = 0; i < result.size(); ++i)
      if (result.at(i) == 0) result.set(i, random_.chance(50) ? 0.0 : -0.0);
  }

  double summands(const Node& node, const std::vector<Tensor>& operands, const Tensor& result) {
    const auto size = [](const Tensor& tensor) { return static_cast<double>(tensor.size()); };
    if (operands.size() == 1) return size(operands[0]) / std::max(1.0, size(result));
    if (node.kind == OpKind::Dot)
      return std::sqrt(size(operands[0]) * size(operands[1]) / std::max(1.0, size(result)));
    return std::max(size(operands[0]), size(operands[1]));
  }

  /// What a sum or product may be that some order takes out of the range.
  double overflown(double exact, DType dtype) {
    const double most = format_of(dtype).largest;
    const double some = std::ldexp(1, static_cast<int>(random_.between(0, 100)));
    const double values[] = {exact, kInfinity, -kInfinity, std::nan(""), most, -most, some, -some};
    return random_.pick(values);
  }

  /// By count * unit * sum |x|; anything where sums of some order overflow what they are kept in.
  void move_sum(const Node& node, const std::vector<Tensor>& operands, Tensor& result) {
    std::vector<Tensor> absolute;
    for (const Tensor& operand : operands) absolute.push_back(magnitudes(operand));
    const Type type{accumulator_dtype(result.dtype()), result.shape()};
    const Tensor sums = op_def(node.kind).eval({absolute, node.attrs, {&type, 1}})[0];
    const DType dtype = result.dtype();
    const double count = summands(node, operands, result) + 2;
    const double largest = format_of(type.dtype).largest / (node.kind == OpKind::Mean ? count : 1);
    std::optional<double> all_overflow;
    if (random_.chance(60)) all_overflow = overflown(0, dtype);
    const bool padding_shows = is_padded(node) && is_not_finite(operands);
    for (int64_t i = 0; i < result.size(); ++i) {
      const double sum = sums.at(i);
      if (padding_shows && random_.chance(30)) {
        result.set(i, std::nan(""));
        continue;
      }
      if (sum >= largest) {
        result.set(i, all_overflow ? *all_overflow : overflown(result.at(i), dtype));
        continue;
      }
      if (result.at(i) == 0 && sum == 0) result.set(i, random_.chance(50) ? 0.0 : -0.0);
      if (!std::isfinite(sum) || !std::isfinite(result.at(i))) continue;
      const double slack = count * accumulation_unit(dtype) * sum +
                           2 * unit_in_last_place(dtype, sum) +
                           count * unit_in_last_place(dtype, 0);
      result.set(i, result.at(i) + (2 * random_.unit() - 1) * slack);
    }
  }

  /// Partial products may overflow or vanish in some order.
  void move_product(const Node& node, const std::vector<Tensor>& operands, Tensor& result) {
    std::vector<Tensor> large{magnitudes(operands[0])}, small{magnitudes(operands[0])};
    for (int64_t i = 0; i < large[0].size(); ++i) {
      large[0].set(i, std::max(1.0, large[0].at(i)));
      small[0].set(i, small[0].at(i) == 0 ? 1.0 : std::min(1.0, small[0].at(i)));
    }
    const Type type{accumulator_dtype(result.dtype()), result.shape()};
    const Tensor most = op_def(node.kind).eval({large, node.attrs, {&type, 1}})[0];
    const Tensor least = op_def(node.kind).eval({small, node.attrs, {&type, 1}})[0];
    const Format format = format_of(type.dtype);
    const double count = summands(node, operands, result) + 2;
    for (int64_t i = 0; i < result.size(); ++i) {
      const double value = result.at(i);
      const bool may_vanish = least.at(i) < std::ldexp(1, format.least + 1);
      if (std::isinf(most.at(i))) {
        result.set(i, overflown(value, result.dtype()));
      } else if (may_vanish) {
        const double step = unit_in_last_place(type.dtype, 0) * most.at(i) * count;
        const double moved = random_.chance(30) ? 0 : value + (2 * random_.unit() - 1) * step;
        result.set(i, moved == 0 && random_.chance(50) ? -0.0 : moved);
      } else if (std::isfinite(value)) {
        const double share = count * accumulation_unit(result.dtype()) * std::abs(value);
        result.set(i, value + (2 * random_.unit() - 1) *
                                  (share + 2 * unit_in_last_place(result.dtype(), value)));
      }
    }
  }

  Draws random_;
  Allowance allowance_;
};

}  // namespace

bool same_values(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type()) return false;
  if (same_bits(a, b)) return true;
  if (!is_float(a.dtype())) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (x != y || std::signbit(x) != std::signbit(y)) return false;
  }
  return true;
}

AllowedOutputs::AllowedOutputs(const Graph& graph, std::span<const Tensor> inputs,
                               Allowance allowance, size_t most_runs)
    : graph_(graph), inputs_(inputs), allowance_(allowance), most_runs_(most_runs) {
  runs_.push_back(interpret(graph, inputs));
}

AllowedOutputs::AllowedOutputs(const AllowedOutputs& other, Allowance allowance)
    : graph_(other.graph_),
      inputs_(other.inputs_),
      allowance_(allowance),
      most_runs_(other.most_runs_),
      runs_{other.runs_[0]} {}

bool AllowedOutputs::explains(size_t output, int64_t element, double value) const {
  const DType dtype = runs_[0][output].dtype();
  double low = kInfinity, high = -kInfinity;
  for (const std::vector<Tensor>& run : runs_) {
    const double other = run[output].at(element);
    if (other == value || (std::isnan(other) && std::isnan(value))) return true;
    if (std::isnan(value) && std::isinf(other) && runs_.size() > 1) return true;
    if (!std::isfinite(other)) continue;
    low = std::min(low, other);
    high = std::max(high, other);
  }
  if (std::isnan(value) || low > high) return false;
  if (!is_float(dtype)) return low <= value && value <= high;
  if (allowance_ == Allowance::SignsOfZero) return false;
  const double slack =
      (high - low) + 8 * unit_in_last_place(dtype, std::max(std::abs(low), std::abs(high)));
  const double largest = format_of(dtype).largest;
  if (std::isinf(value)) return value > 0 ? high + slack > largest : low - slack < -largest;
  return low - slack <= value && value <= high + slack;
}

std::string AllowedOutputs::find_difference(std::span<const Tensor> outputs) {
  CHECK(outputs.size() == runs_[0].size());
  for (size_t k = 0; k < outputs.size(); ++k)
    if (std::string difference = find_difference(k, outputs[k]); !difference.empty())
      return difference;
  return "";
}

std::string AllowedOutputs::find_difference(size_t output, const Tensor& value) {
  const Tensor expected = runs_[0][output];
  const std::string& name = graph_.outputs()[output].name;
  if (value.type() != expected.type())
    return fmt::format("{}: {} instead of {}", name, to_string(value.type()),
                       to_string(expected.type()));
  if (same_bits(value, expected)) return "";
  for (int64_t i = 0; i < expected.size(); ++i) {
    while (!explains(output, i, value.at(i))) {
      if (runs_.size() >= most_runs_)
        return fmt::format("{}, element {}: {} instead of {}", name, i, value.at(i),
                           expected.at(i));
      runs_.push_back(MovedInterpreter(runs_.size(), allowance_).run(graph_, inputs_));
    }
  }
  return "";
}

}  // namespace gradc
