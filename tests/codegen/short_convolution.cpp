// Convolutions of few products for each element, which are loops: what is fused with them, forward
// and backward, agrees with the interpreter and has the bits of one kernel for each op.
#include "codegen/compile.h"
#include "ir/builder.h"
#include "ir/interpret.h"
#include "ir/text.h"
#include "passes/pipeline.h"
#include "tests/codegen/convolution_cases.h"
#include "tests/random_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::distance;
using testing::images_type;
using testing::Ints;
using testing::kernel_type;
using testing::run;

struct Geometry : testing::Geometry {
  int64_t pool = 0;  // size of a pooling that fits, or none
};

const Geometry kGeometries[] = {
    {{{10, 10}, {3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 17, 1, 64, 1}, 2},
    {{{9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 16, 1, 16, 1}, 3},
    {{{11, 7}, {5, 5}, {2, 1}, {2, 0}, {1, 4}, {1, 1}, 16, 1, 48, 1}},
    {{{7, 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 19, 3, 16, 1}},
    {{{13, 10}, {2, 3}, {3, 2}, {0, 1}, {1, 0}, {1, 2}, 16, 2, 32, 1}},
    {{{9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 3, 16, 16, 16}},
    {{{12, 12}, {1, 1}, {2, 2}, {0, 0}, {0, 0}, {1, 1}, 16, 16, 32, 1}, 2},
    {{{8, 8}, {2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}, 16, 1, 16, 1}, 2},
    {{{41}, {4}, {1}, {3}, {0}, {3}, 16, 3, 16, 1}},
    {{{5, 6, 5}, {2, 2, 2}, {1, 2, 1}, {1, 0, 0}, {0, 0, 1}, {1, 1, 1}, 16, 2, 16, 1}},
};

/// The largest of each square (or line, or cube) of `size` places a side.
ValueId max_pool(GraphBuilder& b, ValueId y, int64_t size) {
  const Shape shape = b.shape(y);
  Ints split, axes;
  for (int64_t axis = 0; axis < shape.rank(); ++axis) {
    const bool is_spatial = axis > 0 && axis + 1 < shape.rank();
    split.push_back(is_spatial ? shape[axis] / size : shape[axis]);
    if (!is_spatial) continue;
    axes.push_back(static_cast<int64_t>(split.size()));
    split.push_back(size);
  }
  return b.reduce(OpKind::Max, b.reshape(y, Shape(split)), axes);
}

/// Convolution, bias, relu, and pooling if it has one; the gradients of kernel and bias.
Graph layer(const Geometry& g) {
  GraphBuilder b("layer", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", images_type(g.batch, g.input, g.channels));
  const ValueId kernel = b.input(InputKind::Parameter, "kernel", kernel_type(g));
  const ValueId bias = b.input(InputKind::Parameter, "bias", {DType::F32, {g.filters}});
  const ValueId conv = b.add(OpKind::Conv, {x, kernel}, testing::attrs_of(g));
  const ValueId sum = b.add(conv, b.broadcast_to(bias, Shape(b.shape(conv))));
  ValueId y = b.add(OpKind::Maximum, {sum, b.fill_like(sum, 0)});
  if (g.pool > 0) y = max_pool(b, y, g.pool);
  Ints axes;
  for (int64_t axis = 0; axis < b.shape(y).rank(); ++axis) axes.push_back(axis);
  const ValueId loss = b.reduce(OpKind::Sum, b.add(OpKind::Sin, {y}), axes);
  const std::vector<ValueId> gradients = b.add_node(OpKind::Gradient, {loss, kernel, bias});
  b.output(OutputKind::Output, "y", y);
  b.output(OutputKind::Output, "dkernel", gradients[0]);
  b.output(OutputKind::Output, "dbias", gradients[1]);
  return std::move(b).build();
}

Program compiled(const Graph& graph, bool fuse) {
  PipelineOptions options;
  options.fuse = fuse;
  return compile(run_until(graph, Stage::Fused, options), {Backend::Auto});
}

size_t library_calls(const Program& program) {
  return static_cast<size_t>(
      std::count_if(program.steps.begin(), program.steps.end(),
                    [](const Step& step) { return std::holds_alternative<ConvStep>(step); }));
}

}  // namespace

TEST_CASE("short convolutions are loops with what reads them, with the bits of single ops") {
  for (const Geometry& geometry : kGeometries) {
    const Graph graph = layer(geometry);
    INFO(print(graph));
    testing::RandomSource random(11);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(testing::random_tensor(random, graph.type(Graph::input_value(i)), -1, 1));
    const std::vector<Tensor> expected = interpret(run_until(graph, Stage::Grad), inputs);
    const Program fused_program = compiled(graph, true);
    // Kernel gradients of groups are the library's, and what a window of one element sees.
    const bool is_point = geometry.kernel == Ints{1, 1};
    CHECK(library_calls(fused_program) == (geometry.groups > 1 || is_point ? 1 : 0));
    const std::vector<Tensor> fused = run(fused_program, inputs);
    const std::vector<Tensor> unfused = run(compiled(graph, false), inputs);
    const std::vector<Tensor> again = run(fused_program, inputs);
    for (size_t k = 0; k < expected.size(); ++k) {
      INFO("result " << k);
      CHECK(distance(fused[k], expected[k]) < 1e-5);
      CHECK(same_bits(fused[k], unfused[k]));
      CHECK(same_bits(fused[k], again[k]));
    }
  }
}

}  // namespace gradc
