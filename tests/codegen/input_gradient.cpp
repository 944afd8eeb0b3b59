// Convolutions without the library: the gradient of the images as a convolution of prepared
// operands, and tiles over other dims where rows divide badly. Against the interpreter.
#include "codegen/input_gradient.h"

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

struct Geometry : testing::Geometry {
  bool is_rewritten;  // the gradient of the images is a convolution
};

const Geometry kGeometries[] = {
    {{{13, 13}, {3, 3}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 8, 32, 48, 1}, true},
    {{{9, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 5, 17, 16, 1}, true},
    {{{8, 11}, {2, 5}, {1, 1}, {1, 0}, {0, 3}, {1, 2}, 6, 16, 33, 1}, true},
    {{{23}, {4}, {1}, {2}, {3}, {3}, 7, 12, 64, 1}, true},
    {{{5, 6, 4}, {2, 3, 2}, {1, 1, 1}, {1, 0, 0}, {0, 1, 1}, {1, 1, 1}, 3, 20, 16, 1}, true},
    {{{12, 12}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 4, 16, 32, 1}, false},
    {{{9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 4, 32, 32, 2}, false},
    {{{6, 6}, {2, 2}, {1, 1}, {3, 0}, {0, 0}, {1, 1}, 4, 16, 32, 1}, false},
};

/// The convolution of images, and the gradients of its sum of squares.
Graph convolution(const Geometry& g) {
  GraphBuilder b("convolution", GraphMode::Run);
  const ValueId images =
      b.input(InputKind::Data, "images", images_type(g.batch, g.input, g.channels));
  const ValueId kernel = b.input(InputKind::Parameter, "kernel", kernel_type(g));
  const Attrs attrs = testing::attrs_of(g);
  const ValueId made = b.add(OpKind::Conv, {images, kernel}, attrs);
  b.output(OutputKind::Output, "made", made);
  Attrs of_images = attrs, of_kernel = attrs;
  of_images.set("size", g.input);
  of_kernel.set("size", g.kernel);
  b.output(OutputKind::Output, "of_images",
           b.add(OpKind::ConvInput, {made, kernel}, std::move(of_images)));
  b.output(OutputKind::Output, "of_kernel",
           b.add(OpKind::ConvKernel, {images, made}, std::move(of_kernel)));
  return std::move(b).build();
}

std::vector<Tensor> run(const Graph& graph, bool fuse, std::span<const Tensor> inputs) {
  PipelineOptions options;
  options.fuse = fuse;
  return testing::run(compile(run_until(graph, Stage::Fused, options), {Backend::Llvm}), inputs);
}

/// The body of the group of one op.
Graph body_of(const Graph& graph, OpKind kind) {
  PipelineOptions options;
  options.fuse = false;
  const Graph single = run_until(graph, Stage::Fused, options);
  for (const Node& node : single.nodes()) {
    if (node.kind != OpKind::Group) continue;
    const Graph& body = *node.attrs.get<BodyRef>("body");
    if (body.nodes().front().kind == kind) return body;
  }
  FAIL("no such group");
  return {};
}

}  // namespace

TEST_CASE("convolutions and their gradients in loops agree with the interpreter") {
  for (const Geometry& geometry : kGeometries) {
    const Graph graph = convolution(geometry);
    INFO(print(graph));
    CHECK(as_convolution(body_of(graph, OpKind::ConvInput)).has_value() == geometry.is_rewritten);
    testing::RandomSource random(5);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(testing::random_tensor(random, graph.type(Graph::input_value(i)), -1, 1));
    const std::vector<Tensor> expected = interpret(run_until(graph, Stage::Grad), inputs);
    const std::vector<Tensor> fused = run(graph, true, inputs);
    const std::vector<Tensor> unfused = run(graph, false, inputs);
    for (size_t k = 0; k < expected.size(); ++k) {
      INFO("result " << k);
      CHECK(distance(fused[k], expected[k]) < 1e-5);
      CHECK(same_bits(fused[k], unfused[k]));
    }
  }
}

TEST_CASE("where the rows of images divide badly, images stand side by side") {
  // 11 places in a row, 8 images, 48 filters.
  const Graph graph = run_until(convolution(kGeometries[0]), Stage::Fused);
  int64_t tiled = 0;
  for (const loop::Kernel& kernel : lower(graph, {Backend::Llvm}).kernels) {
    if (!kernel.name.starts_with("conv") || kernel.name.starts_with("conv_kernel")) continue;
    const std::string text = loop::print(kernel);
    INFO(text);
    int64_t sums = 0;
    for (size_t at = 0; (at = text.find(": f32 = sum", at)) != std::string::npos; ++at) ++sums;
    const bool has_filters = text.find("< 48 vector") != std::string::npos;
    if (has_filters) CHECK(sums == 4);
    tiled += has_filters ? 1 : 0;
  }
  CHECK(tiled == 1);
}

}  // namespace gradc
