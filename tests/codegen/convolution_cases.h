// What the tests of convolutions share: geometries, types, runs and distances.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "runtime/execute.h"

namespace gradc::testing {

using Ints = std::vector<int64_t>;

struct Geometry {
  Ints input, kernel, stride, low, high, dilation;
  int64_t batch, channels, filters, groups;
};

inline Attrs attrs_of(const Geometry& g) {
  return {{"stride", g.stride},
          {"low", g.low},
          {"high", g.high},
          {"dilation", g.dilation},
          {"groups", g.groups}};
}

/// f32[batch, spatial, channels].
inline Type images_type(int64_t batch, Ints spatial, int64_t channels) {
  spatial.insert(spatial.begin(), batch);
  spatial.push_back(channels);
  return {DType::F32, Shape(std::move(spatial))};
}

inline Type kernel_type(const Geometry& g) {
  Ints dims = g.kernel;
  dims.insert(dims.end(), {g.channels / g.groups, g.filters});
  return {DType::F32, Shape(std::move(dims))};
}

/// The outputs of the second of two runs.
inline std::vector<Tensor> run(Program program, std::span<const Tensor> inputs) {
  program.is_serial = false;  // small, but to be computed as a large one is
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program.outputs) outputs.emplace_back(output.type);
  Executor executor(std::make_shared<const Program>(std::move(program)));
  for (int repeat = 0; repeat < 2; ++repeat) executor.run(inputs, outputs);
  return outputs;
}

/// The largest difference, relative to the largest element of `b`.
inline double distance(const Tensor& a, const Tensor& b) {
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b.at(i)));
    difference = std::max(difference, std::abs(a.at(i) - b.at(i)));
  }
  return difference / largest;
}

}  // namespace gradc::testing
