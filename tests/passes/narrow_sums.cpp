// Sums, products and counts of narrow floats that lie beyond them on the way.
#include "ir/builder.h"
#include "ir/interpret.h"
#include "passes/pipeline.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr DType kNarrow[] = {DType::F16, DType::BF16};

/// The first half of the elements, and the second.
Tensor halves(const Type& type, double first, double second) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.set(i, 2 * i < tensor.size() ? first : second);
  return tensor;
}

/// reduce(x) over `axes`.
Graph reduction(OpKind kind, const Type& type, std::vector<int64_t> axes) {
  GraphBuilder builder("reduction", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Parameter, "x", type);
  builder.output(OutputKind::Output, "y", builder.reduce(kind, x, std::move(axes)));
  return std::move(builder).build();
}

/// d sum(reduce(x) * scale) / dx.
Graph reduction_gradient(OpKind kind, const Type& type, double scale) {
  GraphBuilder builder("gradient", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Parameter, "x", type);
  const ValueId reduced = builder.reduce(kind, x, {0});
  const ValueId y = builder.mul(reduced, builder.fill_like(reduced, scale));
  builder.output(OutputKind::Gradient, "x", builder.add(OpKind::Gradient, {y, x}));
  return std::move(builder).build();
}

Tensor optimized(const Graph& graph, const std::vector<Tensor>& inputs) {
  return interpret(run_until(graph, Stage::Optimized), inputs)[0];
}

/// `number` rounded to the dtype.
double rounded(DType dtype, double number) { return Tensor::scalar(dtype, number).at(0); }

}  // namespace

TEST_CASE("means of narrow floats do not pass through sums or counts beyond them") {
  for (const DType dtype : kNarrow) {
    const Type rows{dtype, {2048}}, many{dtype, {70000}}, columns{dtype, {300, 20, 20, 4}};
    CHECK(optimized(reduction(OpKind::Mean, rows, {0}), {halves(rows, 64, 64)}).at(0) == 64);
    CHECK(optimized(reduction(OpKind::Mean, many, {0}), {halves(many, 3, 3)}).at(0) == 3);
    CHECK(optimized(reduction(OpKind::Mean, columns, {0, 1, 2}), {halves(columns, 5, 7)}).at(3) ==
          6);
  }
}

TEST_CASE("sums and products of narrow floats are rounded after their last stage alone") {
  for (const DType dtype : kNarrow) {
    const Type many{dtype, {70000}}, columns{dtype, {300, 20, 20, 4}}, wide{dtype, {300, 300}};
    CHECK(optimized(reduction(OpKind::Sum, many, {0}), {halves(many, 30, -30)}).at(0) == 0);
    CHECK(
        optimized(reduction(OpKind::Sum, columns, {0, 1, 2}), {halves(columns, 257, -257)}).at(1) ==
        0);
    Tensor ones = halves(wide, 1, 1);
    for (int64_t i = 0; i < 20; ++i) {
      ones.set(i, 2);
      ones.set(ones.size() - 1 - i, 0.5);
    }
    CHECK(optimized(reduction(OpKind::Prod, wide, {0, 1}), {ones}).at(0) == 1);
  }
}

TEST_CASE("derivatives of narrow reductions divide by counts and products beyond their dtype") {
  for (const DType dtype : kNarrow) {
    const Type many{dtype, {70000}}, few{dtype, {20}};
    const double share = rounded(dtype, 60000.0 / 70000);
    for (const OpKind kind : {OpKind::Mean, OpKind::Max, OpKind::Min}) {
      const Graph graph = reduction_gradient(kind, many, 60000);
      const Tensor gradient = interpret(run_until(graph, Stage::Grad), {{halves(many, 3, 3)}})[0];
      CHECK(gradient.at(0) == Approx(share).epsilon(0.01));
      CHECK(gradient.at(69999) == gradient.at(0));
      CHECK(same_bits(optimized(graph, {halves(many, 3, 3)}), gradient));
    }
    const Tensor gradient =
        interpret(run_until(reduction_gradient(OpKind::Prod, few, 0x1p-14), Stage::Grad),
                  {{halves(few, 4, 2)}})[0];
    CHECK(gradient.at(0) == rounded(dtype, 0x1p14));
    CHECK(gradient.at(19) == rounded(dtype, 0x1p15));
  }
}

TEST_CASE("the kernel gradient of a short convolution adds its rows in f32") {
  for (const DType dtype : kNarrow) {
    GraphBuilder builder("kernel gradient", GraphMode::Run);
    const Type images{dtype, {32, 8, 9, 1}}, dy{dtype, {32, 4, 9, 16}};
    const std::vector<ValueId> operands = {builder.input(InputKind::Data, "image", images),
                                           builder.input(InputKind::Data, "dy", dy)};
    using Ints = std::vector<int64_t>;
    const ValueId gradient = builder.add(OpKind::ConvKernel, operands,
                                         {{"size", Ints{3, 2}},
                                          {"stride", Ints{2, 1}},
                                          {"low", Ints{1, 0}},
                                          {"high", Ints{0, 1}},
                                          {"dilation", Ints{1, 1}},
                                          {"groups", int64_t{1}}});
    builder.output(OutputKind::Output, "dkernel", gradient);
    const Graph graph = std::move(builder).build();
    const std::vector<Tensor> inputs = {halves(images, 100, 100), halves(dy, 33, -33)};
    const Tensor sums = optimized(graph, inputs);
    for (int64_t i = 0; i < sums.size(); ++i) CHECK(sums.at(i) == 0);
  }
}
