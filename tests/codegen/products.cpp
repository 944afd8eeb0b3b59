// Products in loops, with what follows them, against sums written out: the same bits, whatever the
// tiles, panels and blocks.
#include <cmath>

#include "codegen/compile.h"
#include "ir/builder.h"
#include "passes/pipeline.h"
#include "runtime/core/rng.h"
#include "runtime/execute.h"
#include "runtime/threads.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using Floats = std::vector<float>;

struct Sizes {
  int64_t m, n, k;
};

constexpr Sizes kSizes[] = {
    {128, 64, 40},    // one panel, chunks of rows
    {32, 256, 48},    // few chunks: panels outside
    {12, 65, 33},     // a panel and one column more
    {64, 10, 70},     // less than a vector
    {6, 48, 300},     // panels of three vectors
    {8, 17, 1},       // nothing to add
    {1, 100, 300},    // one row
    {35, 96, 64},     // tiles of five
    {16, 320, 1536},  // a long sum, panels outside
    {24, 72, 2080},   // a long sum, chunks outside
    {60, 2048, 1100}  // a long sum, rows as wide as a block
};

Tensor random_tensor(const Shape& shape, uint64_t stream) {
  Tensor tensor(DType::F32, shape);
  for (int64_t i = 0; i < tensor.size(); ++i)
    tensor.set(i, random_unit_f32({7, stream, 0}, static_cast<uint64_t>(i)) * 2 - 1);
  return tensor;
}

ValueId dot(GraphBuilder& b, ValueId lhs, ValueId rhs, int64_t lhs_axis) {
  return b.add(OpKind::Dot, {lhs, rhs},
               {{"lhs_batch", std::vector<int64_t>{}},
                {"rhs_batch", std::vector<int64_t>{}},
                {"lhs_contract", std::vector<int64_t>{lhs_axis}},
                {"rhs_contract", std::vector<int64_t>{0}}});
}

/// y = maximum(x kernel + bias, 0) of x [m, k].
Graph layer(const Sizes& s) {
  GraphBuilder b("layer", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {s.m, s.k}});
  const ValueId kernel = b.input(InputKind::Data, "kernel", {DType::F32, {s.k, s.n}});
  const ValueId bias = b.input(InputKind::Data, "bias", {DType::F32, {s.n}});
  const ValueId sum = b.add(dot(b, x, kernel, 1), b.broadcast_to(bias, {s.m, s.n}));
  b.output(OutputKind::Output, "y", b.add(OpKind::Maximum, {sum, b.fill_like(sum, 0)}));
  return std::move(b).build();
}

/// next = slot / 2 + xᵀ d, new weight = weight - next / 4 of x [k, m] and d [k, n].
Graph update(const Sizes& s) {
  GraphBuilder b("update", GraphMode::Run);
  const ValueId x = b.input(InputKind::Data, "x", {DType::F32, {s.k, s.m}});
  const ValueId d = b.input(InputKind::Data, "d", {DType::F32, {s.k, s.n}});
  const ValueId slot = b.input(InputKind::Data, "slot", {DType::F32, {s.m, s.n}});
  const ValueId weight = b.input(InputKind::Data, "weight", {DType::F32, {s.m, s.n}});
  const ValueId next = b.add(b.mul(slot, b.fill_like(slot, 0.5)), dot(b, x, d, 0));
  b.output(OutputKind::Output, "next", next);
  b.output(OutputKind::Output, "new", b.sub(weight, b.mul(next, b.fill_like(next, 0.25))));
  return std::move(b).build();
}

/// One fma for each product, in the order of k.
Floats products(const Tensor& lhs, int64_t row_stride, int64_t sum_stride, const Tensor& rhs,
                const Sizes& s) {
  Floats sums(static_cast<size_t>(s.m * s.n), 0.0F);
  const auto a = lhs.span<const float>();
  const auto b = rhs.span<const float>();
  for (int64_t k = 0; k < s.k; ++k)
    for (int64_t m = 0; m < s.m; ++m)
      for (int64_t n = 0; n < s.n; ++n) {
        float& sum = sums[static_cast<size_t>(m * s.n + n)];
        sum = std::fmaf(a[static_cast<size_t>(m * row_stride + k * sum_stride)],
                        b[static_cast<size_t>(k * s.n + n)], sum);
      }
  return sums;
}

std::vector<Tensor> run(const Graph& graph, const std::vector<Tensor>& inputs) {
  const Graph fused = run_until(graph, Stage::Fused);
  const auto program = std::make_shared<const Program>(compile(fused, {.backend = Backend::Llvm}));
  CHECK(program->steps.size() <= 1);
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program->outputs) outputs.emplace_back(output.type);
  Executor(program).run(inputs, outputs);
  return outputs;
}

void check_same(const Tensor& result, const Floats& expected) {
  const auto values = result.span<const float>();
  REQUIRE(values.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    if (values[i] != expected[i]) {
      FAIL("element " << i << " is " << values[i] << ", not " << expected[i]);
    }
}

TEST_CASE("a product with bias and relu has the bits of plain sums") {
  for (const Sizes& s : kSizes) {
    INFO(s.m << "x" << s.n << "x" << s.k);
    const std::vector<Tensor> inputs = {random_tensor({s.m, s.k}, 1), random_tensor({s.k, s.n}, 2),
                                        random_tensor({s.n}, 3)};
    Floats expected = products(inputs[0], s.k, 1, inputs[1], s);
    const auto bias = inputs[2].span<const float>();
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] = std::max(expected[i] + bias[i % bias.size()], 0.0F);
    for (int count : {1, 3}) {
      set_threads(count);
      check_same(run(layer(s), inputs)[0], expected);
    }
    set_threads(0);
  }
}

TEST_CASE("a product without rows, columns or sums") {
  for (const Sizes& s : {Sizes{8, 0, 5}, Sizes{0, 16, 5}, Sizes{8, 16, 0}}) {
    INFO(s.m << "x" << s.n << "x" << s.k);
    const Tensor bias = random_tensor({s.n}, 3);
    const Tensor y =
        run(layer(s), {random_tensor({s.m, s.k}, 1), random_tensor({s.k, s.n}, 2), bias})[0];
    REQUIRE(y.size() == s.m * s.n);
    for (int64_t i = 0; i < y.size(); ++i) CHECK(y.at(i) == std::max(bias.at(i % s.n), 0.0));
  }
}

TEST_CASE("a product with an update of the size of its result has the bits of plain sums") {
  for (const Sizes& s : kSizes) {
    INFO(s.m << "x" << s.n << "x" << s.k);
    const std::vector<Tensor> inputs = {random_tensor({s.k, s.m}, 1), random_tensor({s.k, s.n}, 2),
                                        random_tensor({s.m, s.n}, 3), random_tensor({s.m, s.n}, 4)};
    Floats next = products(inputs[0], 1, s.m, inputs[1], s);
    Floats weight(next.size());
    for (size_t i = 0; i < next.size(); ++i) {
      next[i] = inputs[2].span<const float>()[i] * 0.5F + next[i];
      weight[i] = inputs[3].span<const float>()[i] - next[i] * 0.25F;
    }
    for (int count : {1, 3}) {
      set_threads(count);
      const std::vector<Tensor> results = run(update(s), inputs);
      check_same(results[0], next);
      check_same(results[1], weight);
    }
    set_threads(0);
  }
}

}  // namespace
}  // namespace gradc
