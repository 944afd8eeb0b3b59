// Machine code of lowered groups against the reference interpreter: every op of every dtype, random
// graphs fused and unfused. GRADC_SEED in the environment moves the seeds; failures print theirs.
#include <cstdlib>
#include <random>

#include "codegen/lower_group.h"
#include "codegen/lower_ordered.h"
#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "passes/fuse.h"
#include "passes/pipeline.h"
#include "runtime/ordered_kernels.h"
#include "tests/codegen/compile_kernels.h"
#include "tests/random_graph.h"

#include <catch2/catch.hpp>

using namespace gradc;
using namespace gradc::testing;

namespace {

/// A fused graph as compiled kernels: those of all groups, made in one go.
class CompiledGraph {
 public:
  explicit CompiledGraph(const Graph& fused) : fused_(fused) {
    std::vector<loop::Kernel> kernels;
    for (const Node& node : fused.nodes()) {
      if (node.kind != OpKind::Group || is_ordered(node)) continue;
      groups_.push_back(lower_group(*node.attrs.get<BodyRef>("body"), "test"));
      for (const GroupKernel& step : groups_.back().kernels) kernels.push_back(step.kernel);
    }
    compiled_ = compile_kernels(kernels);
  }

  std::vector<Tensor> run(std::span<const Tensor> inputs) const {
    std::vector<Tensor> values(inputs.begin(), inputs.end());
    values.resize(fused_.value_count());
    size_t group = 0, function = 0;
    for (const Node& node : fused_.nodes()) {
      std::vector<Tensor> operands;
      for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
      if (node.kind == OpKind::Group && is_ordered(node)) {
        values[index(node.results[0])] =
            run_ordered_group(*node.attrs.get<BodyRef>("body"), operands[0]);
      } else if (node.kind == OpKind::Group) {
        const Graph& body = *node.attrs.get<BodyRef>("body");
        const auto results = run_group(body, groups_[group++], operands, function);
        for (size_t k = 0; k < results.size(); ++k) values[index(node.results[k])] = results[k];
      } else if (node.kind == OpKind::Reshape) {
        values[index(node.results[0])] = operands[0].reshaped(fused_.type(node.results[0]).shape);
      } else {
        REQUIRE(node.kind == OpKind::Constant);
        values[index(node.results[0])] = node.attrs.get<Tensor>("value");
      }
    }
    std::vector<Tensor> outputs;
    for (const Output& output : fused_.outputs()) outputs.push_back(values[index(output.value)]);
    return outputs;
  }

 private:
  static bool is_ordered(const Node& node) {
    return node.attrs.get<std::string>("kind") == "ordered";
  }

  /// In two pieces, the last first.
  static Tensor run_ordered_group(const Graph& body, const Tensor& operand) {
    Tensor result(body.type(body.outputs()[0].value));
    const OrderedStep step = lower_ordered(body);
    const int64_t half = step.rows / 2;
    run_ordered(step, operand.raw(), result.raw(), half, step.rows);
    run_ordered(step, operand.raw(), result.raw(), 0, half);
    return result;
  }

  /// Runs the kernels from `function` on, the parallel loop of each in pieces as of several
  /// threads, the last piece first.
  std::vector<Tensor> run_group(const Graph& body, const LoweredGroup& group,
                                std::span<const Tensor> operands, size_t& function) const {
    std::vector<Tensor> results, scratch;
    for (const Output& output : body.outputs()) {
      results.emplace_back(body.type(output.value));
      std::fill_n(results.back().raw(), results.back().size_bytes(), std::byte{1});
    }
    for (int64_t bytes : group.scratch_bytes) scratch.emplace_back(DType::U8, Shape{bytes});
    for (const GroupKernel& step : group.kernels) {
      std::vector<void*> buffers;
      for (const GroupBuffer& buffer : step.buffers) {
        const auto position = static_cast<size_t>(buffer.position);
        if (buffer.source == GroupBuffer::Source::Operand)
          buffers.push_back(const_cast<std::byte*>(operands[position].raw()));
        else
          buffers.push_back(
              (buffer.source == GroupBuffer::Source::Result ? results : scratch)[position].raw());
      }
      const int64_t extent = step.kernel.parallel_extent();
      const int64_t grain = step.kernel.parallel_grain();
      const int64_t piece = std::max<int64_t>(extent / 3 / grain, 1) * grain;
      const KernelFunction kernel = compiled_.functions[function++];
      if (extent == 0) continue;
      for (int64_t begin = (extent - 1) / piece * piece; begin >= 0; begin -= piece)
        kernel(buffers.data(), begin, std::min(extent, begin + piece));
    }
    return results;
  }

  Graph fused_;
  std::vector<LoweredGroup> groups_;
  CompiledKernels compiled_;
};

/// Empty, or the first element that is further away than a few roundings.
std::string difference(const Tensor& a, const Tensor& b, double tolerance) {
  if (a.type() != b.type()) return to_string(a.type()) + " and " + to_string(b.type());
  if (same_bits(a, b)) return "";
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const bool is_near =
        is_float(a.dtype()) && std::abs(x - y) <= tolerance * (1 + std::abs(x) + std::abs(y));
    if (!is_near) return fmt::format("element {}: {} and {}", i, x, y);
  }
  return "";
}

uint64_t first_seed() {
  const char* text = std::getenv("GRADC_SEED");
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

void check_case(OpKind kind, const OpCase& op_case, uint64_t seed) {
  const Graph graph = single_node_graph(kind, op_case);
  const Graph fused = fuse_nothing(graph);
  INFO("seed " << seed << "\n" << print(graph));
  const std::vector<Tensor> expected = interpret(graph, op_case.operands);
  const std::vector<Tensor> results = CompiledGraph(fused).run(op_case.operands);
  REQUIRE(results.size() == expected.size());
  for (size_t k = 0; k < results.size(); ++k)
    REQUIRE(difference(results[k], expected[k], tolerance_of(graph)) == "");
}

}  // namespace

TEST_CASE("every op compiles to code that computes it") {
  for (OpKind kind : kAllOpKinds) {
    if (op_class(kind) == OpClass::Meta || op_class(kind) == OpClass::Region) continue;
    for (DType dtype : kAllDTypes)
      for (uint64_t seed = first_seed(); seed < first_seed() + 2 && takes_dtype(kind, dtype);
           ++seed)
        check_case(kind, random_op_case(kind, seed, dtype, 300), seed);
  }
}

TEST_CASE("compiled random graphs: fused and unfused the same bits, near the interpreter") {
  for (uint64_t seed = first_seed(); seed < first_seed() + 500; ++seed) {
    RandomGraphOptions options;
    options.nodes = 5 + static_cast<int>(seed % 20);
    const Graph graph = random_graph(seed, options);
    const std::vector<Tensor> inputs = random_inputs(graph, seed);
    INFO("seed " << seed << "\n" << print(graph));
    const std::vector<Tensor> expected = interpret(graph, inputs);
    const std::vector<Tensor> fused = CompiledGraph(fuse(graph)).run(inputs);
    for (size_t k = 0; k < expected.size(); ++k)
      REQUIRE(difference(fused[k], expected[k], tolerance_of(graph)) == "");
    if (seed % 5 != 0) continue;
    const std::vector<Tensor> unfused = CompiledGraph(fuse_nothing(graph)).run(inputs);
    for (size_t k = 0; k < expected.size(); ++k) REQUIRE(same_bits(fused[k], unfused[k]));
  }
}

TEST_CASE("the pipeline and compilation keep what a graph computes") {
  for (uint64_t seed = first_seed(); seed < first_seed() + 60; ++seed) {
    RandomGraphOptions options;
    options.nodes = 30;
    const Graph graph = random_graph(seed, options);
    const std::vector<Tensor> inputs = random_inputs(graph, seed);
    INFO("seed " << seed << "\n" << print(graph));
    const std::vector<Tensor> expected = interpret(graph, inputs);
    const Graph fused = run_until(graph, Stage::Fused);
    const std::vector<Tensor> results = CompiledGraph(fused).run(inputs);
    for (size_t k = 0; k < expected.size(); ++k)
      REQUIRE(difference(results[k], expected[k], 4 * tolerance_of(graph)) == "");
  }
}

TEST_CASE("compiled sums of narrow floats are rounded at the end alone") {
  for (const std::string_view dtype : {"f16", "bf16"}) {
    const Module module = parse_module(fmt::format(R"(graph file narrow
graph run "narrow" {{
  %0 = input data "x" : {0}[2, 35000]
  %1 = mean(%0) {{axes = [1]}} : {0}[2]
  %2 = sum(%0) {{axes = [0, 1]}} : {0}[]
  output output "means" = %1
  output output "sum" = %2
}}
)",
                                                   dtype),
                                       "narrow");
    const Graph& graph = module.graphs[0];
    Tensor x(graph.type(Graph::input_value(0)));
    for (int64_t i = 0; i < x.size(); ++i) x.set(i, 2 * i < x.size() ? 30 : -30);
    for (const bool is_fused : {true, false}) {
      PipelineOptions options;
      options.fuse = is_fused;
      const Graph fused = run_until(graph, Stage::Fused, options);
      const std::vector<Tensor> results = CompiledGraph(fused).run({{x}});
      CHECK(results[0].at(0) == 30);
      CHECK(results[0].at(1) == -30);
      CHECK(results[1].at(0) == 0);
    }
  }
}
