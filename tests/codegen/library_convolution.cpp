// Convolutions through the library against the interpreter, and a bias fused or apart.
#include "codegen/compile.h"
#include "ir/builder.h"
#include "ir/convolution_shape.h"
#include "ir/interpret.h"
#include "ir/text.h"
#include "passes/pipeline.h"
#include "tests/codegen/convolution_cases.h"
#include "tests/random_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::distance;
using testing::Geometry;
using testing::images_type;
using testing::Ints;
using testing::kernel_type;

const Geometry kGeometries[] = {
    {{28, 28}, {3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 4, 1, 64, 1},
    {{13, 13}, {3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 3, 64, 64, 1},
    {{13, 11}, {3, 5}, {1, 1}, {1, 2}, {1, 2}, {1, 1}, 3, 16, 17, 1},
    {{14, 14}, {3, 3}, {2, 2}, {0, 0}, {1, 1}, {1, 1}, 2, 16, 32, 1},
    {{15, 15}, {2, 3}, {3, 2}, {0, 1}, {1, 0}, {1, 2}, 2, 5, 3, 1},
    {{9, 9}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}, 2, 8, 8, 1},
    {{8, 8}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 3, 33, 16, 1},
    {{8, 8}, {1, 1}, {2, 2}, {0, 0}, {0, 0}, {1, 1}, 3, 16, 16, 1},
    {{16, 16}, {1, 1}, {2, 2}, {0, 0}, {0, 0}, {1, 1}, 3, 8, 8, 1},
    {{10, 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 2, 16, 16, 16},
    {{10, 10}, {3, 3}, {2, 2}, {1, 0}, {1, 1}, {1, 1}, 2, 12, 24, 12},
    {{10, 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 2, 32, 16, 2},
    {{9, 7}, {4, 2}, {1, 3}, {3, 4}, {0, 3}, {1, 1}, 2, 6, 9, 3},
    {{40}, {5}, {1}, {2}, {2}, {1}, 3, 16, 16, 1},
    {{41}, {4}, {2}, {0}, {3}, {3}, 3, 7, 5, 1},
    {{6, 7, 8}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 2, 16, 16, 1},
    {{7, 6, 5}, {2, 1, 3}, {2, 1, 1}, {0, 0, 1}, {1, 0, 1}, {1, 1, 1}, 2, 3, 4, 1},
};

/// The three convolutions of one geometry; the first with a bias.
Graph convolutions(const Geometry& g) {
  GraphBuilder b("convolutions", GraphMode::Run);
  Ints output;
  for (size_t axis = 0; axis < g.input.size(); ++axis)
    output.push_back(
        (g.input[axis] + g.low[axis] + g.high[axis] - (g.kernel[axis] - 1) * g.dilation[axis] - 1) /
            g.stride[axis] +
        1);
  const ValueId x = b.input(InputKind::Data, "x", images_type(g.batch, g.input, g.channels));
  const ValueId kernel = b.input(InputKind::Data, "kernel", kernel_type(g));
  const ValueId bias = b.input(InputKind::Data, "bias", {DType::F32, {g.filters}});
  const ValueId dy = b.input(InputKind::Data, "dy", images_type(g.batch, output, g.filters));
  Attrs attrs = attrs_of(g);
  const ValueId y = b.add(OpKind::Conv, {x, kernel}, attrs);
  b.output(OutputKind::Output, "y", b.add(y, b.broadcast_to(bias, Shape(b.shape(y)))));
  attrs.set("size", g.input);
  b.output(OutputKind::Output, "dx", b.add(OpKind::ConvInput, {dy, kernel}, attrs));
  attrs.set("size", g.kernel);
  b.output(OutputKind::Output, "dkernel", b.add(OpKind::ConvKernel, {x, dy}, attrs));
  return std::move(b).build();
}

/// Of the three, those that the library computes.
size_t library_calls(const Geometry& g, bool is_short) {
  const bool is_point =
      std::all_of(g.kernel.begin(), g.kernel.end(), [](int64_t k) { return k == 1; });
  const bool is_strided =
      std::any_of(g.stride.begin(), g.stride.end(), [](int64_t s) { return s > 1; });
  return 3 - (is_point && is_strided ? 1 : 0) - (is_short ? 1 : 0);
}

std::vector<Tensor> run(const Graph& graph, std::span<const Tensor> inputs, bool fuse,
                        Backend backend, size_t expected_calls) {
  PipelineOptions options;
  options.fuse = fuse;
  Program program = compile(run_until(graph, Stage::Fused, options), {backend});
  size_t calls = 0;
  for (const Step& step : program.steps) calls += std::holds_alternative<ConvStep>(step) ? 1 : 0;
  CHECK(calls == expected_calls);
  return testing::run(std::move(program), inputs);
}

}  // namespace

TEST_CASE("library convolutions agree with the interpreter; a fused bias has the same bits") {
  for (const Geometry& geometry : kGeometries) {
    const Graph graph = convolutions(geometry);
    INFO(print(graph));
    testing::RandomSource random(7);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(testing::random_tensor(random, graph.type(Graph::input_value(i)), -1, 1));
    const std::vector<Tensor> expected = interpret(graph, inputs);
    const bool is_short = is_short_convolution(convolution_shape(graph, graph.nodes()[0]));
    const size_t calls = library_calls(geometry, is_short);
    const std::vector<Tensor> fused = run(graph, inputs, true, Backend::Auto, calls);
    const std::vector<Tensor> unfused = run(graph, inputs, false, Backend::Auto, calls);
    const std::vector<Tensor> loops = run(graph, inputs, true, Backend::Llvm, 0);
    for (size_t k = 0; k < expected.size(); ++k) {
      INFO("result " << k);
      CHECK(distance(fused[k], expected[k]) < 1e-5);
      CHECK(distance(loops[k], expected[k]) < 1e-5);
      CHECK(same_bits(fused[k], unfused[k]));
    }
  }
}

}  // namespace gradc
