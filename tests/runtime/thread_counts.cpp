// Steps of the library in a deterministic program: the same bits for every team, and the result of
// the whole step.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "runtime/core/rng.h"
#include "runtime/execute.h"

namespace gradc {
namespace {

constexpr int kTeams[] = {1, 2, 3, 4, 7};

Tensor random_tensor(int64_t elements, uint64_t stream) {
  Tensor tensor(DType::F32, Shape{elements});
  for (int64_t i = 0; i < elements; ++i)
    tensor.span<float>()[static_cast<size_t>(i)] =
        random_unit_f32({5, stream, 0}, static_cast<uint64_t>(i)) - 0.5F;
  return tensor;
}

struct Elements {
  int64_t lhs, rhs, bias, out;
};

template <typename LibraryStep>
std::shared_ptr<const Program> program_of(LibraryStep step, const Elements& elements,
                                          bool is_deterministic) {
  Program program;
  program.is_deterministic = is_deterministic;
  program.library = &onednn_calls_of_gradc;
  const int64_t counts[] = {elements.lhs, elements.rhs, elements.bias};
  for (int i = 0; i < 3; ++i) {
    program.inputs.push_back({InputKind::Operand, "input", {DType::F32, {counts[i]}}});
    program.buffers.push_back({Place::Input, i, counts[i] * 4});
  }
  program.outputs.push_back({OutputKind::Result, "out", {DType::F32, {elements.out}}});
  program.buffers.push_back({Place::Output, 0, elements.out * 4});
  step.name = "step";
  step.rhs = 1;
  if (step.bias >= 0) step.bias = 2;
  step.out = 3;
  program.steps.push_back(step);
  return std::make_shared<const Program>(std::move(program));
}

template <typename LibraryStep>
void check_teams(const LibraryStep& step, const Elements& elements) {
  const std::vector<Tensor> inputs{random_tensor(elements.lhs, 1), random_tensor(elements.rhs, 2),
                                   random_tensor(elements.bias, 3)};
  const auto run = [&](bool is_deterministic, int team) {
    const ThreadScope scope(team);
    std::vector<Tensor> outputs{random_tensor(elements.out, 4)};
    Executor executor(program_of(step, elements, is_deterministic));
    for (int repeat = 0; repeat < 2; ++repeat) executor.run(inputs, outputs);
    return outputs[0];
  };
  const Tensor whole = run(false, 1);
  const Tensor alone = run(true, 1);
  for (int64_t i = 0; i < whole.size(); ++i)
    if (!(std::abs(whole.at(i) - alone.at(i)) <= 1e-4 * (1 + std::abs(whole.at(i)))))
      FAIL("element " << i << " is " << alone.at(i) << ", of the whole step " << whole.at(i));
  for (int team : kTeams) {
    INFO(team << " threads");
    CHECK(same_bits(run(true, team), alone));
  }
}

struct Product {
  int64_t outer, batch, m, n, k;
};

// The last three are such that the library cuts long sums where there are more threads.
const Product kProducts[] = {
    {1, 1, 7, 5, 200},    {1, 1, 200, 70, 65},   {1, 1, 40, 700, 65}, {1, 20, 33, 40, 30},
    {1, 3, 130, 40, 130}, {20, 3, 17, 18, 40},   {3, 20, 17, 18, 40}, {1, 1, 17, 5, 9812},
    {1, 1, 37, 28, 8234}, {1, 1, 19, 539, 2778},
};

TEST_CASE("products of deterministic programs have the same bits for every number of threads") {
  for (const Product& p : kProducts)
    for (int bits = 0; bits < 8; ++bits) {
      MatmulStep step;
      step.outer = p.outer;
      step.batch = p.batch;
      step.m = p.m;
      step.n = p.n;
      step.k = p.k;
      const auto strides = [&](int64_t rows, int64_t columns, bool is_transposed) {
        return is_transposed ? std::vector<int64_t>{rows * columns, 1, rows}
                             : std::vector<int64_t>{rows * columns, columns, 1};
      };
      step.lhs_strides = strides(p.m, p.k, (bits & 1) != 0);
      step.rhs_strides = strides(p.k, p.n, (bits & 2) != 0);
      step.out_strides = strides(p.m, p.n, (bits & 4) != 0);
      if (p.outer > 1) {
        step.lhs_outer = p.batch * p.m * p.k;
        step.rhs_outer = p.batch * p.k * p.n;
        step.out_outer = p.batch * p.m * p.n;
      }
      step.bias = (bits & 4) == 0 ? 0 : -1;
      INFO("outer " << p.outer << " batch " << p.batch << " m " << p.m << " n " << p.n << " k "
                    << p.k << " bits " << bits);
      const int64_t pairs = p.outer * p.batch;
      check_teams(step, {pairs * p.m * p.k, pairs * p.k * p.n, p.n, pairs * p.m * p.n});
    }
}

struct Images {
  int64_t batch, size, channels, filters, kernel, stride;
};
const Images kImages[] = {
    {19, 13, 16, 32, 3, 1}, {5, 14, 13, 66, 4, 1}, {40, 6, 8, 8, 3, 2},
    {1, 20, 3, 32, 5, 1},   {54, 9, 5, 6, 2, 2},
};

TEST_CASE("convolutions of deterministic programs have the same bits for every number of threads") {
  for (const Images& g : kImages)
    for (auto kind : {ConvStep::Kind::Forward, ConvStep::Kind::Input, ConvStep::Kind::Kernel}) {
      const int64_t places = (g.size - g.kernel) / g.stride + 1;
      ConvStep step;
      step.kind = kind;
      step.batch = g.batch;
      step.channels = g.channels;
      step.filters = g.filters;
      step.input = {g.size, g.size};
      step.kernel = {g.kernel, g.kernel};
      step.output = {places, places};
      step.stride = {g.stride, g.stride};
      step.low = step.high = {0, 0};
      step.dilation = {1, 1};
      step.bias = kind == ConvStep::Kind::Forward ? 0 : -1;
      const int64_t x = g.batch * g.size * g.size * g.channels;
      const int64_t y = g.batch * places * places * g.filters;
      const int64_t kernel = g.kernel * g.kernel * g.channels * g.filters;
      step.multiplications = static_cast<double>(y * g.channels * g.kernel * g.kernel);
      INFO("kind " << static_cast<int>(kind) << " batch " << g.batch << " size " << g.size
                   << " channels " << g.channels << " filters " << g.filters);
      switch (kind) {
        case ConvStep::Kind::Forward:
          check_teams(step, {x, kernel, g.filters, y});
          break;
        case ConvStep::Kind::Input:
          check_teams(step, {y, kernel, 1, x});
          break;
        case ConvStep::Kind::Kernel:
          check_teams(step, {x, y, 1, kernel});
          break;
      }
    }
}

}  // namespace
}  // namespace gradc
