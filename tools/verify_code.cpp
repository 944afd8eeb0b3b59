// Compiled values, and the interpreter on the same operands.
#include "tools/verify_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/ops/scan.h"
#include "passes/gradcheck_node.h"
#include "passes/roundings.h"
#include "runtime/execute.h"

namespace gradc {
namespace {

/// 0 for integers and bools.
double unit_of_last_place(DType dtype) {
  switch (dtype) {
    case DType::BF16:
      return 0x1p-8;
    case DType::F16:
      return 0x1p-11;
    case DType::F32:
      return 0x1p-24;
    case DType::F64:
      return 0x1p-53;
    default:
      return 0;
  }
}

double largest_magnitude(const Tensor& tensor) {
  double largest = 0;
  for (int64_t i = 0; i < tensor.size(); ++i)
    if (std::isfinite(tensor.at(i))) largest = std::max(largest, std::abs(tensor.at(i)));
  return largest;
}

/// The outputs of one run; those that update an input are in its memory afterwards.
std::vector<Tensor> run_once(const std::shared_ptr<const Program>& program,
                             std::span<const Tensor> given) {
  std::vector<Tensor> inputs, outputs;
  for (const Tensor& input : given) inputs.push_back(input.clone());
  for (const ProgramOutput& output : program->outputs) outputs.emplace_back(output.type);
  Executor(program).run(inputs, outputs);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (const int32_t updated = program->outputs[i].updates_input; updated >= 0)
      outputs[i] = inputs[static_cast<size_t>(updated)];
  return outputs;
}

/// Of the largest element of a result, how far compiled code may be off.
double tolerance(double unit) {
  return std::max(0x1p12 * std::min(unit, unit_of_last_place(DType::F32)), 0x1p4 * unit);
}

/// Times the sensitivity of a result is how far compiled code may be off, too. The operands are
/// changed by up to 4 units of their last places: this makes half of the tolerance of them.
double slack_factor(double unit) { return unit == 0 ? 0 : tolerance(unit) / (8 * unit); }

/// Interpretations of a whole graph that show what roundings make of its outputs.
constexpr size_t kRoundingRuns = 24;

/// Integers and bools: equal. (As doubles, neighbours beyond 2^53 would be.)
std::string compare_whole(const Tensor& value, const Tensor& reference) {
  if (same_bits(value, reference)) return {};
  return visit_dtype(value.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      const auto found = value.span<T>(), wanted = reference.span<T>();
      const auto at = std::mismatch(found.begin(), found.end(), wanted.begin());
      return fmt::format("element {} is {}, the interpreter has {}", at.first - found.begin(),
                         *at.first, *at.second);
    }
    CHECK(false, "{} is no integer", value.dtype());
  });
}

class CodeCheck {
 public:
  CodeCheck(const CompileGraph& compile_graph, int64_t& checked)
      : compile_graph_(compile_graph), checked_(checked) {}

  /// The values that the compiled code makes, each held against the interpreter.
  Values check_values(const Graph& fused, std::span<const Tensor> inputs) {
    const Graph graph = with_all_outputs(fused);
    Values values = compiled_values(graph, inputs, compile_graph_);
    for (const Node& node : graph.nodes()) {
      if (is_compiled(node)) compare(graph, node, values, evaluate(graph, node, values));
      if (node.kind == OpKind::Scan) check_body(node, values);
    }
    return values;
  }

  /// Held against `expected`, bit by bit.
  void check_bits(const Graph& graph, std::span<const Tensor> inputs,
                  const std::vector<Tensor>& values, const std::vector<Tensor>& expected,
                  const std::string& what) {
    for (size_t i = 0; i < values.size(); ++i) {
      ++checked_;
      if (same_bits(values[i], expected[i])) continue;
      found_.push_back(
          {{fmt::format("output {} {}", name(graph.outputs()[i].kind), graph.outputs()[i].name),
            what + ": " + first_difference(values[i], expected[i])},
           {graph, {inputs.begin(), inputs.end()}}});
      return;
    }
  }

  std::vector<Difference> take() { return std::move(found_); }

 private:
  void compare(const Graph& graph, const Node& node, const Values& values,
               const std::vector<Tensor>& expected) {
    double unit = 0;
    for (ValueId value : node.operands)
      unit = std::max(unit, unit_of_last_place(graph.type(value).dtype));
    for (ValueId value : node.results)
      unit = std::max(unit, unit_of_last_place(graph.type(value).dtype));
    if (const AttrValue* body = node.attrs.find("body"))
      unit = std::max(unit, coarsest_unit(*std::get<BodyRef>(*body)));
    for (size_t i = 0; i < expected.size(); ++i) {
      ++checked_;
      const Tensor& value = values[index(node.results[i])];
      if (compare_tensors(value, expected[i], unit).empty()) continue;
      const double slack = slack_factor(unit) * sensitivity(graph, node, values, expected, i, unit);
      const std::string difference = compare_tensors(value, expected[i], unit, slack);
      if (difference.empty()) continue;
      found_.push_back({{describe_node(graph, node), difference}, isolate(graph, node, values)});
      return;
    }
  }

  /// By how much rounding may change a result that is small because terms cancel: what a change of
  /// the operands in their last places makes of it, and what f64 in the place of other floats does.
  static double sensitivity(const Graph& graph, const Node& node, const Values& values,
                            const std::vector<Tensor>& expected, size_t result, double unit) {
    Values moved = values;
    for (ValueId operand : node.operands) {
      const Tensor& old = values[index(operand)];
      if (!is_float(old.dtype())) continue;
      Tensor changed = old.clone();
      const Tensor direction = random_direction(old.shape(), 0, index(operand));
      for (int64_t i = 0; i < old.size(); ++i)
        changed.set(i, old.at(i) * (1 + 4 * unit * direction.at(i)));
      moved[index(operand)] = std::move(changed);
    }
    GraphCase alone = isolate(graph, node, values);
    for (Tensor& input : alone.inputs) input = widen(input);
    return largest_change(evaluate(graph, node, moved)[result], expected[result]) +
           largest_change(interpret(widen(alone.graph), alone.inputs)[result], expected[result]);
  }

  static double largest_change(const Tensor& a, const Tensor& b) {
    double largest = 0;
    for (int64_t i = 0; i < a.size(); ++i)
      if (const double change = std::abs(a.at(i) - b.at(i)); std::isfinite(change))
        largest = std::max(largest, change);
    return largest;
  }

  /// What is inside the first round.
  void check_body(const Node& node, const Values& values) {
    const ops::ScanForm form = ops::scan_form(node.attrs, node.operands.size());
    if (form.length == 0) return;
    const std::vector<Tensor> operands = operands_of(node, values);
    std::vector<Tensor> inputs = operands;
    ops::read_elements(form, operands, 0, inputs);
    check_values(*form.body, inputs);
  }

  static std::string first_difference(const Tensor& a, const Tensor& b) {
    for (int64_t i = 0; i < a.size(); ++i)
      if (!(a.at(i) == b.at(i)))
        return fmt::format("element {} is {:.9g} instead of {:.9g}", i, a.at(i), b.at(i));
    return "a zero's sign or a NaN's bits";
  }

  const CompileGraph& compile_graph_;
  int64_t& checked_;
  std::vector<Difference> found_;
};

}  // namespace

double coarsest_unit(const Graph& graph) {
  double unit = 0;
  for (uint32_t id = 0; id < graph.value_count(); ++id)
    unit = std::max(unit, unit_of_last_place(graph.type(static_cast<ValueId>(id)).dtype));
  for (const Node& node : graph.nodes())
    for (const auto& [name, value] : node.attrs.entries())
      if (const BodyRef* body = std::get_if<BodyRef>(&value))
        unit = std::max(unit, coarsest_unit(**body));
  return unit;
}

std::string compare_tensors(const Tensor& value, const Tensor& reference, double unit,
                            double slack) {
  if (value.type() != reference.type())
    return fmt::format("{} against {}", to_string(value.type()), to_string(reference.type()));
  if (!is_float(value.dtype())) return compare_whole(value, reference);
  const double allowed = tolerance(unit) * largest_magnitude(reference) + slack;
  for (int64_t i = 0; i < value.size(); ++i) {
    const double a = value.at(i);
    const double b = reference.at(i);
    const bool agree = (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= allowed;
    if (!agree)
      return fmt::format(
          "element {} is {:.9g}, the interpreter has {:.9g} (allowed difference {:.2g})", i, a, b,
          allowed);
  }
  return {};
}

std::optional<OutputDifference> compare_outputs(const Graph& graph, std::span<const Tensor> inputs,
                                                std::span<const Tensor> values,
                                                std::span<const Tensor> expected) {
  const double unit = coarsest_unit(graph);
  std::optional<AllowedOutputs> allowed;
  for (size_t i = 0; i < values.size(); ++i) {
    std::string difference = compare_tensors(values[i], expected[i], unit);
    if (difference.empty()) continue;
    if (!allowed) allowed.emplace(graph, inputs, Allowance::Roundings, kRoundingRuns);
    if (allowed->find_difference(i, values[i]).empty()) continue;
    return OutputDifference{i, std::move(difference)};
  }
  return std::nullopt;
}

std::vector<Difference> verify_code(const Graph& source, std::span<const Tensor> inputs,
                                    const PipelineOptions& options,
                                    const CompileGraph& compile_graph, int64_t& checked) {
  CodeCheck check(compile_graph, checked);
  const auto outputs_of = [](const Graph& graph, const Values& values) {
    std::vector<Tensor> outputs;
    for (const Output& output : graph.outputs()) outputs.push_back(values[index(output.value)]);
    return outputs;
  };
  PipelineOptions apart = options;
  apart.fuse = false;
  const Graph single = run_until(source, Stage::Fused, apart);
  const std::vector<Tensor> ops = outputs_of(single, check.check_values(single, inputs));
  const Graph fused = options.fuse ? run_until(source, Stage::Fused, options) : single;
  std::vector<Tensor> groups = ops;
  if (options.fuse) groups = outputs_of(fused, check.check_values(fused, inputs));
  std::vector<Difference> found = check.take();
  if (!found.empty()) return found;
  check.check_bits(source, inputs, run_once(compile_graph(fused), inputs), groups,
                   "the program differs from its groups");
  if (options.fuse)
    check.check_bits(source, inputs, groups, ops, "fused differs from each op on its own");
  return check.take();
}

}  // namespace gradc
