// The error of generated mathematical functions, against the C library in higher precision, and
// the same bits for every lane, tail and scalar.
#include <fstream>
#include <map>
#include <random>
#include <regex>

#include "ir/op.h"
#include "runtime/processor.h"
#include "tests/codegen/compile_kernels.h"
#include "tests/codegen/kernel_builder.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using loop::KernelBuilder;
using loop::LetId;
using loop::VarId;

constexpr int64_t kChunk = 1 << 16;

/// out[i] = kind(in[i], second[i]) for i < n, as a vector loop or a serial one.
loop::Kernel elementwise_kernel(OpKind kind, DType dtype, int64_t n, bool is_vector) {
  KernelBuilder builder("elementwise");
  const int operand_count = op_info(kind).min_operands;
  std::vector<int32_t> operands;
  for (int i = 0; i < operand_count; ++i) operands.push_back(builder.buffer(dtype, n));
  const int32_t out = builder.buffer(dtype, n, true);
  const VarId i = builder.var();
  builder.open(i, n, false, is_vector);
  std::vector<LetId> values;
  for (int32_t operand : operands)
    values.push_back(builder.load(operand, KernelBuilder::at({{i, 1}})));
  builder.store(out, KernelBuilder::at({{i, 1}}), builder.apply(dtype, kind, values));
  builder.close();
  return builder.kernel();
}

/// A compiled elementwise function on arrays of at most kChunk elements.
template <typename T>
class Function {
 public:
  Function(OpKind kind, int64_t n, bool is_vector) {
    const DType dtype = sizeof(T) == 4 ? DType::F32 : DType::F64;
    const loop::Kernel kernels[] = {elementwise_kernel(kind, dtype, n, is_vector)};
    compiled_ = compile_kernels(kernels);
  }
  void operator()(const std::vector<T>& in, std::vector<T>& out) const {
    void* buffers[] = {const_cast<T*>(in.data()), out.data()};
    compiled_.functions[0](buffers, 0, 1);
  }
  void operator()(const std::vector<T>& in, const std::vector<T>& second,
                  std::vector<T>& out) const {
    void* buffers[] = {const_cast<T*>(in.data()), const_cast<T*>(second.data()), out.data()};
    compiled_.functions[0](buffers, 0, 1);
  }

 private:
  CompiledKernels compiled_;
};

/// Distance to the exact result in units of the last place of T there.
template <typename T, typename Wide>
double ulp_error(T actual, Wide exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(exact)) return std::isnan(actual) ? 0 : 1e9;
  if (std::isnan(actual)) return 1e9;
  if (std::isinf(rounded)) return actual == rounded ? 0 : 1e9;
  if (std::isinf(actual)) return 1e9;
  if (rounded == 0 && actual == 0) return std::signbit(rounded) == std::signbit(actual) ? 0 : 1e9;
  const int exponent = std::max(std::ilogb(rounded == 0 ? std::numeric_limits<T>::min() : rounded),
                                std::numeric_limits<T>::min_exponent - 1);
  const Wide ulp = std::ldexp(Wide{1}, exponent - (std::numeric_limits<T>::digits - 1));
  return static_cast<double>(std::fabs(static_cast<Wide>(actual) - exact) / ulp);
}

template <typename Wide>
struct Unary {
  OpKind kind;
  Wide (*exact)(Wide);
};
template <typename Wide>
Wide exact_sigmoid(Wide x) {
  const Wide e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
template <typename Wide>
std::vector<Unary<Wide>> unary_functions() {
  return {{OpKind::Exp, std::exp},   {OpKind::Expm1, std::expm1},
          {OpKind::Log, std::log},   {OpKind::Log1p, std::log1p},
          {OpKind::Sin, std::sin},   {OpKind::Cos, std::cos},
          {OpKind::Tanh, std::tanh}, {OpKind::Erf, std::erf},
          {OpKind::Erfc, std::erfc}, {OpKind::Sigmoid, exact_sigmoid<Wide>}};
}

std::string_view function_name(OpKind kind) { return op_info(kind).name; }

struct Worst {
  double error = 0;
  double at = 0;
  double second = 0;
};

/// Every `step`-th float, of both signs.
Worst sweep_f32(const Unary<double>& function, uint64_t step) {
  const Function<float> compiled(function.kind, kChunk, true);
  std::vector<float> in(kChunk), out(kChunk);
  Worst worst;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32);) {
    for (float& x : in) {
      x = std::bit_cast<float>(static_cast<uint32_t>(bits));
      bits += step;
    }
    compiled(in, out);
    for (size_t i = 0; i < in.size(); ++i) {
      const double error = ulp_error(out[i], function.exact(double{in[i]}));
      if (error > worst.error) worst = {error, in[i]};
    }
  }
  return worst;
}

/// Doubles of all exponents, and more of those that occur.
Worst sample_f64(const Unary<long double>& function, int chunks) {
  const Function<double> compiled(function.kind, kChunk, true);
  std::vector<double> in(kChunk), out(kChunk);
  std::mt19937_64 random(7);
  Worst worst;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    for (double& x : in) {
      x = std::bit_cast<double>(random());
      if (chunk % 4 == 1) x = std::ldexp(static_cast<double>(random()), -60) - 8;
      if (chunk % 4 == 2) x = std::ldexp(static_cast<double>(random()), -53) - 1024;
      if (chunk % 4 == 3) x = std::ldexp(static_cast<double>(random()), -63) - 1;
    }
    compiled(in, out);
    for (size_t i = 0; i < in.size(); ++i) {
      const double error = ulp_error(out[i], function.exact(static_cast<long double>(in[i])));
      if (error > worst.error) worst = {error, in[i]};
    }
  }
  return worst;
}

const std::vector<double> kEdges{
    0.0,    -0.0,     1.0,       -1.0,  0.5,    -0.5,   2.0,     -2.0,       3.0,
    -3.0,   1e-45,    -1e-45,    1e-40, -1e-40, 1e-310, -1e-310, 88.7,       -88.7,
    104.0,  -104.0,   1e10,      -1e10, 1e30,   -1e30,  3.4e38,  -3.4e38,    1e300,
    -1e300, INFINITY, -INFINITY, NAN,   2.5,    -2.5,   1e-5,    16777217.0, -16777215.0};

/// Pairs of all sizes, pairs whose power is moderate, and all pairs of edges.
template <typename T>
void fill_pow_operands(std::mt19937_64& random, int chunk, std::vector<T>& x, std::vector<T>& y) {
  for (size_t i = 0; i < x.size(); ++i) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    x[i] = std::bit_cast<T>(static_cast<Bits>(random()));
    y[i] = std::bit_cast<T>(static_cast<Bits>(random()));
    if (chunk % 4 == 1) {
      x[i] = std::fabs(x[i]);
      const double limit = sizeof(T) == 4 ? 88 : 709;
      const double log_x = std::log(static_cast<double>(x[i]));
      y[i] = static_cast<T>((static_cast<double>(random()) * 0x1p-63 - 1) * limit / log_x);
    }
    if (chunk % 4 == 2) {
      x[i] = static_cast<T>(static_cast<double>(random()) * 0x1p-60 - 4);
      y[i] = static_cast<T>(std::nearbyint(static_cast<double>(random()) * 0x1p-58 - 32));
    }
    if (chunk % 4 == 3) {
      x[i] = static_cast<T>(kEdges[i % kEdges.size()]);
      y[i] = static_cast<T>(kEdges[i / kEdges.size() % kEdges.size()]);
    }
  }
}

template <typename T, typename Wide>
Worst sample_pow(int chunks) {
  const Function<T> compiled(OpKind::Pow, kChunk, true);
  std::vector<T> x(kChunk), y(kChunk), out(kChunk);
  std::mt19937_64 random(9);
  Worst worst;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    fill_pow_operands(random, chunk, x, y);
    compiled(x, y, out);
    for (size_t i = 0; i < x.size(); ++i) {
      const Wide exact = std::pow(static_cast<Wide>(x[i]), static_cast<Wide>(y[i]));
      const double error = ulp_error(out[i], exact);
      if (error > worst.error)
        worst = {error, static_cast<double>(x[i]), static_cast<double>(y[i])};
    }
  }
  return worst;
}

/// The largest errors that docs/math.md states, by function: f32 and f64.
std::map<std::string, std::pair<double, double>> stated_errors() {
  std::ifstream file(std::string(GRADC_SOURCE_DIR) + "/docs/math.md");
  std::map<std::string, std::pair<double, double>> stated;
  const std::regex row(R"(\| `(\w+)` \| ([0-9.]+) \| ([0-9.]+) \|.*)");
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (std::regex_match(line, match, row))
      stated[match[1]] = {std::stod(match[2]), std::stod(match[3])};
  return stated;
}

void check_stated(OpKind kind, const Worst& f32, const Worst& f64) {
  const auto stated = stated_errors();
  INFO(function_name(kind) << ": f32 " << f32.error << " at " << f32.at << " " << f32.second
                           << ", f64 " << f64.error << " at " << f64.at << " " << f64.second);
  const auto found = stated.find(std::string(function_name(kind)));
  REQUIRE(found != stated.end());
  CHECK(f32.error <= found->second.first);
  CHECK(f64.error <= found->second.second);
  CHECK(f32.error <= op_info(kind).max_ulp);
}

}  // namespace

TEST_CASE("functions are as exact as docs/math.md says") {
  const auto f32 = unary_functions<double>();
  const auto f64 = unary_functions<long double>();
  for (size_t i = 0; i < f32.size(); ++i)
    check_stated(f32[i].kind, sweep_f32(f32[i], 4001), sample_f64(f64[i], 8));
  check_stated(OpKind::Pow, sample_pow<float, double>(16), sample_pow<double, long double>(8));
}

TEST_CASE("functions, every 13th float", "[.][dense]") {
  const auto f64 = unary_functions<long double>();
  size_t position = 0;
  for (const Unary<double>& function : unary_functions<double>()) {
    const Worst dense = sweep_f32(function, 13);
    const Worst sampled = sample_f64(f64[position++], 400);
    WARN(function_name(function.kind) << " f32 " << dense.error << " at " << dense.at << ", f64 "
                                      << sampled.error << " at " << sampled.at);
  }
  const Worst f32 = sample_pow<float, double>(400), wide = sample_pow<double, long double>(400);
  WARN("pow f32 " << f32.error << " at " << f32.at << " " << f32.second << ", f64 " << wide.error
                  << " at " << wide.at << " " << wide.second);
}

TEST_CASE("a function gives the same bits in every lane, in tails and for scalars") {
  const int64_t n = 5 * vector_lanes() + 3;
  std::mt19937_64 random(11);
  for (OpKind kind : {OpKind::Exp, OpKind::Expm1, OpKind::Log, OpKind::Log1p, OpKind::Sin,
                      OpKind::Cos, OpKind::Tanh, OpKind::Erf, OpKind::Erfc, OpKind::Sigmoid}) {
    const auto check = [&](auto zero) {
      using T = decltype(zero);
      using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
      const Function<T> vector(kind, n, true), serial(kind, n, false);
      std::vector<T> in(static_cast<size_t>(n)), out(in.size()), expected(in.size());
      for (int round = 0; round < 200; ++round) {
        for (T& x : in) {
          x = static_cast<T>(kEdges[random() % kEdges.size()]);
          if (round % 2 == 1) x = std::bit_cast<T>(static_cast<Bits>(random()));
          if (round % 5 == 2) x = static_cast<T>(static_cast<double>(random()) * 0x1p-60 - 8);
        }
        vector(in, out);
        serial(in, expected);
        for (size_t i = 0; i < in.size(); ++i) {
          INFO(function_name(kind) << " of " << in[i] << " at " << i);
          const bool is_same = std::bit_cast<Bits>(out[i]) == std::bit_cast<Bits>(expected[i]);
          REQUIRE((is_same || (std::isnan(out[i]) && std::isnan(expected[i]))));
        }
      }
    };
    check(0.0F);
    check(0.0);
  }
}

}  // namespace gradc
