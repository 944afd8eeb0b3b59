// Matrix products of every layout against the sum in double.
#include "runtime/onednn_matmul.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/core/rng.h"
#include "runtime/execute.h"

namespace gradc {
namespace {

Tensor random_tensor(int64_t elements, uint64_t stream) {
  Tensor tensor(DType::F32, Shape{elements});
  for (int64_t i = 0; i < elements; ++i)
    tensor.span<float>()[static_cast<size_t>(i)] =
        random_unit_f32({7, stream, 0}, static_cast<uint64_t>(i)) - 0.5F;
  return tensor;
}

int64_t extent_of(const std::vector<int64_t>& dims, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) last += (dims[axis] - 1) * strides[axis];
  return last + 1;
}

double activate(double value, MatmulStep::Activation activation) {
  switch (activation) {
    case MatmulStep::Activation::None:
      break;
    case MatmulStep::Activation::Relu:
      return value < 0 ? 0 : value;
    case MatmulStep::Activation::Tanh:
      return std::tanh(value);
    case MatmulStep::Activation::Sigmoid:
      return 1 / (1 + std::exp(-value));
  }
  return value;
}

/// Element [o, b, m, n] of the step's product of the given operands.
double expected(const MatmulStep& step, const Tensor& lhs, const Tensor& rhs, const Tensor& bias,
                int64_t o, int64_t b, int64_t m, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < step.k; ++k) {
    const int64_t l = o * step.lhs_outer + b * step.lhs_strides[0] + m * step.lhs_strides[1] +
                      k * step.lhs_strides[2];
    const int64_t r = o * step.rhs_outer + b * step.rhs_strides[0] + k * step.rhs_strides[1] +
                      n * step.rhs_strides[2];
    sum += lhs.at(l) * rhs.at(r);
  }
  if (step.bias >= 0) sum += bias.at(n);
  return activate(sum, step.activation);
}

/// A program of the one step, on its own inputs; returns the largest error.
double error_of(MatmulStep step) {
  const std::vector<int64_t> lhs_dims{step.batch, step.m, step.k};
  const std::vector<int64_t> rhs_dims{step.batch, step.k, step.n};
  const std::vector<int64_t> out_dims{step.batch, step.m, step.n};
  const auto extent = [&](const std::vector<int64_t>& dims, const std::vector<int64_t>& steps,
                          int64_t outer_stride) {
    return extent_of(dims, steps) + (step.outer - 1) * outer_stride;
  };
  std::vector<Tensor> inputs{random_tensor(extent(lhs_dims, step.lhs_strides, step.lhs_outer), 1),
                             random_tensor(extent(rhs_dims, step.rhs_strides, step.rhs_outer), 2),
                             random_tensor(step.n, 3)};
  std::vector<Tensor> outputs{random_tensor(extent(out_dims, step.out_strides, step.out_outer), 4)};
  Program program;
  for (int i = 0; i < 3; ++i) {
    const Tensor& input = inputs[static_cast<size_t>(i)];
    program.inputs.push_back({InputKind::Operand, fmt::format("input{}", i), input.type()});
    program.buffers.push_back({Place::Input, i, input.size_bytes()});
  }
  program.outputs.push_back({OutputKind::Result, "out", outputs[0].type()});
  program.buffers.push_back({Place::Output, 0, outputs[0].size_bytes()});
  step.name = "product";
  step.lhs = 0;
  step.rhs = 1;
  if (step.bias >= 0) step.bias = 2;
  step.out = 3;
  program.steps.push_back(step);
  program.library = &onednn_calls_of_gradc;
  Executor executor(std::make_shared<Program>(program));
  executor.run(inputs, outputs);
  executor.run(inputs, outputs);
  double worst = 0;
  for (int64_t pair = 0; pair < step.outer * step.batch; ++pair)
    for (int64_t m = 0; m < step.m; ++m)
      for (int64_t n = 0; n < step.n; ++n) {
        const int64_t o = pair / step.batch;
        const int64_t b = pair % step.batch;
        const int64_t position = o * step.out_outer + b * step.out_strides[0] +
                                 m * step.out_strides[1] + n * step.out_strides[2];
        const double error =
            outputs[0].at(position) - expected(step, inputs[0], inputs[1], inputs[2], o, b, m, n);
        worst = std::max(worst, std::abs(error));
      }
  return worst;
}

/// Dense strides of [batch, rows, columns], or of its transpose in memory.
std::vector<int64_t> strides(int64_t rows, int64_t columns, bool is_transposed, bool is_shared) {
  const int64_t batch = is_shared ? 0 : rows * columns;
  if (is_transposed) return {batch, 1, rows};
  return {batch, columns, 1};
}

struct Sizes {
  int64_t batch, m, n, k;
};

TEST_CASE("onednn_matmul: every combination of transposition, batch, bias and activation") {
  const auto sizes = GENERATE(Sizes{1, 7, 5, 3}, Sizes{1, 1, 1, 1}, Sizes{1, 1, 10, 33},
                              Sizes{1, 17, 1, 9}, Sizes{1, 33, 20, 1}, Sizes{4, 6, 9, 17},
                              Sizes{3, 1, 64, 65}, Sizes{1, 96, 10, 70}, Sizes{5, 2, 2, 1});
  for (int bits = 0; bits < 64; ++bits) {
    const bool transposed_lhs = bits & 1, transposed_rhs = bits & 2, transposed_out = bits & 4;
    const bool has_bias = bits & 8, shared_lhs = bits & 16, shared_rhs = bits & 32;
    MatmulStep step;
    step.batch = sizes.batch;
    step.m = sizes.m;
    step.n = sizes.n;
    step.k = sizes.k;
    step.lhs_strides = strides(step.m, step.k, transposed_lhs, shared_lhs && sizes.batch > 1);
    step.rhs_strides = strides(step.k, step.n, transposed_rhs, shared_rhs && sizes.batch > 1);
    step.out_strides = strides(step.m, step.n, transposed_out, false);
    step.bias = has_bias ? 0 : -1;
    step.activation = static_cast<MatmulStep::Activation>(bits % 4);
    INFO("batch " << step.batch << " m " << step.m << " n " << step.n << " k " << step.k << " bits "
                  << bits);
    CHECK(error_of(step) < 1e-5);
  }
}

TEST_CASE("onednn_matmul: heads of attention, read where they lie") {
  // [3, 5, 2, 4] as [3, 2, 5, 4]: time by size, for two heads of three rows.
  for (int bits = 0; bits < 8; ++bits) {
    MatmulStep step;
    step.outer = 3;
    step.batch = 2;
    step.m = 5;
    step.n = bits & 1 ? 5 : 4;
    step.k = bits & 1 ? 4 : 5;
    const std::vector<int64_t> rows{4, 8, 1};
    const std::vector<int64_t> columns{4, 1, 8};
    const std::vector<int64_t> dense{25, 5, 1};
    step.lhs_outer = bits & 1 ? 40 : 50;
    step.lhs_strides = bits & 1 ? rows : dense;
    step.rhs_outer = 40;
    step.rhs_strides = bits & 1 ? columns : rows;
    step.out_strides = bits & 2 ? std::vector<int64_t>{step.m * step.n, 1, step.m}
                                : std::vector<int64_t>{step.m * step.n, step.n, 1};
    step.out_outer = 2 * step.m * step.n;
    step.bias = bits & 4 ? 0 : -1;
    INFO("bits " << bits);
    CHECK(error_of(step) < 1e-5);
  }
}

TEST_CASE("onednn_matmul: operands with gaps between rows") {
  MatmulStep step;
  step.m = 19;
  step.n = 12;
  step.k = 40;
  step.lhs_strides = {0, 64, 1};
  step.rhs_strides = {0, 33, 1};
  step.out_strides = {0, 50, 1};
  CHECK(error_of(step) < 1e-5);
}

TEST_CASE("onednn_matmul: sizes of 0") {
  MatmulStep step;
  step.m = 3;
  step.n = 2;
  step.k = 0;
  step.lhs_strides = {0, 0, 1};
  step.rhs_strides = {0, 2, 1};
  step.out_strides = {6, 2, 1};
  step.bias = 0;
  step.activation = MatmulStep::Activation::Relu;
  CHECK(error_of(step) == 0);
  step.k = 4;
  step.lhs_strides = {0, 4, 1};
  step.m = 0;
  CHECK(error_of(step) == 0);
}

TEST_CASE("onednn_matmul: the same bits in every run, another thread count in between") {
  set_threads(2);
  MatmulStep step;
  step.name = "product";
  step.m = 64;
  step.n = 48;
  step.k = 300;
  step.lhs_strides = {0, 300, 1};
  step.rhs_strides = {0, 48, 1};
  step.out_strides = {0, 48, 1};
  step.rhs = 1;
  step.out = 2;
  Program program;
  program.inputs = {{InputKind::Operand, "lhs", Type{DType::F32, Shape{64, 300}}},
                    {InputKind::Operand, "rhs", Type{DType::F32, Shape{300, 48}}}};
  program.outputs = {{OutputKind::Result, "out", Type{DType::F32, Shape{64, 48}}}};
  program.buffers = {{Place::Input, 0, 64 * 300 * 4},
                     {Place::Input, 1, 300 * 48 * 4},
                     {Place::Output, 0, 64 * 48 * 4}};
  program.steps = {step};
  program.library = &onednn_calls_of_gradc;
  Executor executor(std::make_shared<Program>(program));
  const std::vector<Tensor> inputs{random_tensor(64 * 300, 1).reshaped(Shape{64, 300}),
                                   random_tensor(300 * 48, 2).reshaped(Shape{300, 48})};
  std::vector<Tensor> first{Tensor(program.outputs[0].type)};
  executor.run(inputs, first);
  set_threads(1);
  std::vector<Tensor> alone{Tensor(program.outputs[0].type)};
  executor.run(inputs, alone);
  set_threads(2);
  std::vector<Tensor> again{Tensor(program.outputs[0].type)};
  executor.run(inputs, again);
  CHECK(same_bits(first[0], again[0]));
  for (int64_t i = 0; i < alone[0].size(); ++i)
    REQUIRE(alone[0].at(i) == Approx(first[0].at(i)).margin(1e-4));
  set_threads(0);
}

}  // namespace
}  // namespace gradc
