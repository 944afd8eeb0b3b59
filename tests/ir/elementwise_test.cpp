// Elementwise ops on hand values: zeros of both signs, infinities, NaN, denormals, integer edges.
#include <limits>

#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::run_values;
using testing::same_numbers;
using testing::tensor;
using Values = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kDenormal = 1e-310;
const double kEdges[] = {-kInf, -2.5, -0.5, -0.0, 0.0, kDenormal, 0.5, 1.5, 2.5, kInf, kNan};

Tensor edges() { return Tensor::from<double>(DType::F64, {11}, kEdges); }
Values edges_through(OpKind kind) { return run_values(kind, {edges()}); }
Values f64(OpKind kind, std::initializer_list<double> a, std::initializer_list<double> b) {
  return run_values(kind, {tensor(DType::F64, a), tensor(DType::F64, b)});
}
Values ints(OpKind kind, DType dtype, std::initializer_list<double> a,
            std::initializer_list<double> b) {
  return run_values(kind, {tensor(dtype, a), tensor(dtype, b)});
}

}  // namespace

TEST_CASE("signs and rounding at the edges", "[eval]") {
  CHECK(same_numbers(edges_through(OpKind::Neg),
                     {kInf, 2.5, 0.5, 0.0, -0.0, -kDenormal, -0.5, -1.5, -2.5, -kInf, kNan}));
  CHECK(same_numbers(edges_through(OpKind::Abs),
                     {kInf, 2.5, 0.5, 0, 0, kDenormal, 0.5, 1.5, 2.5, kInf, kNan}));
  CHECK(same_numbers(edges_through(OpKind::Sign), {-1, -1, -1, -0.0, 0, 1, 1, 1, 1, 1, kNan}));
  CHECK(
      same_numbers(edges_through(OpKind::Floor), {-kInf, -3, -1, -0.0, 0, 0, 0, 1, 2, kInf, kNan}));
  CHECK(same_numbers(edges_through(OpKind::Ceil),
                     {-kInf, -2, -0.0, -0.0, 0, 1, 1, 2, 3, kInf, kNan}));
  CHECK(same_numbers(edges_through(OpKind::Round),
                     {-kInf, -2, -0.0, -0.0, 0, 0, 0, 2, 2, kInf, kNan}));
}

TEST_CASE("functions at the edges", "[eval]") {
  const auto check = [](OpKind kind, std::initializer_list<double> x, const Values& expected) {
    INFO(op_info(kind).name);
    CHECK(same_numbers(run_values(kind, {tensor(DType::F64, x)}), expected));
  };
  check(OpKind::Exp, {-kInf, -800, -0.0, 800, kInf, kNan}, {0, 0, 1, kInf, kInf, kNan});
  check(OpKind::Expm1, {-kInf, -0.0, 1e-20, kInf, kNan}, {-1, -0.0, 1e-20, kInf, kNan});
  check(OpKind::Log, {-1, -0.0, 0, 1, kInf, kNan}, {kNan, -kInf, -kInf, 0, kInf, kNan});
  check(OpKind::Log1p, {-2, -1, -0.0, 1e-20, kInf}, {kNan, -kInf, -0.0, 1e-20, kInf});
  check(OpKind::Sqrt, {-1, -0.0, 4, kInf, kNan}, {kNan, -0.0, 2, kInf, kNan});
  check(OpKind::Sin, {-0.0, kInf, kNan}, {-0.0, kNan, kNan});
  check(OpKind::Cos, {-0.0, kInf, kNan}, {1, kNan, kNan});
  check(OpKind::Tanh, {-kInf, -0.0, 1e-20, kInf, kNan}, {-1, -0.0, 1e-20, 1, kNan});
  check(OpKind::Erf, {-kInf, -0.0, kInf, kNan}, {-1, -0.0, 1, kNan});
  check(OpKind::Erfc, {-kInf, 0, kInf, kNan}, {2, 1, 0, kNan});
  check(OpKind::Sigmoid, {-kInf, -800, 0, 40, kInf, kNan}, {0, 0, 0.5, 1, 1, kNan});
  const double tail = run_values(OpKind::Sigmoid, {tensor(DType::F64, {-700})})[0];
  CHECK(tail == Approx(std::exp(-700.0)).epsilon(1e-12));
  CHECK(run_values(OpKind::Erfc, {tensor(DType::F64, {6})})[0] == Approx(2.1519736712498913e-17));
}

TEST_CASE("f32 functions are rounded once", "[eval]") {
  for (double x : {-3.7, -0.1, 0.3, 1.0, 2.9}) {
    const auto narrow = static_cast<double>(static_cast<float>(x));
    const auto value = [&](OpKind kind) { return run_values(kind, {tensor(DType::F32, {x})})[0]; };
    CHECK(value(OpKind::Exp) == static_cast<double>(static_cast<float>(std::exp(narrow))));
    CHECK(value(OpKind::Tanh) == static_cast<double>(static_cast<float>(std::tanh(narrow))));
    CHECK(value(OpKind::Erfc) == static_cast<double>(static_cast<float>(std::erfc(narrow))));
  }
}

TEST_CASE("16-bit floats round after each op", "[eval]") {
  CHECK(same_numbers(ints(OpKind::Add, DType::BF16, {256, 1}, {1, kInf}), {256, kInf}));
  CHECK(same_numbers(ints(OpKind::Mul, DType::F16, {256, 2049}, {256, 1}), {kInf, 2048}));
}

TEST_CASE("two operands at the edges", "[eval]") {
  CHECK(same_numbers(f64(OpKind::Add, {kInf, 1, -0.0}, {-kInf, kNan, -0.0}), {kNan, kNan, -0.0}));
  CHECK(same_numbers(f64(OpKind::Div, {1, -1, 0, 6}, {0, 0, 0, -3}), {kInf, -kInf, kNan, -2}));
  CHECK(same_numbers(f64(OpKind::FloorDiv, {7, -7, 7, 1}, {2, 2, -2, 0}), {3, -4, -4, kInf}));
  CHECK(
      same_numbers(f64(OpKind::Mod, {7, -7, 7, 5.5, 1}, {2, 2, -2, 2, 0}), {1, 1, -1, 1.5, kNan}));
  CHECK(same_numbers(f64(OpKind::Maximum, {kNan, 1, 0.0, -0.0, 2}, {1, kNan, -0.0, 0.0, kInf}),
                     {kNan, kNan, -0.0, 0.0, kInf}));
  CHECK(same_numbers(f64(OpKind::Minimum, {kNan, 1, 0.0, -0.0, 2}, {1, kNan, -0.0, 0.0, -kInf}),
                     {kNan, kNan, -0.0, 0.0, -kInf}));
  CHECK(same_numbers(f64(OpKind::Pow, {0, 0, -8, -2, kNan, 1, 2}, {0, -1, 0.5, 3, 0, kNan, -1}),
                     {1, kInf, kNan, -8, 1, 1, 0.5}));
}

TEST_CASE("integers wrap, and division by zero is zero", "[eval]") {
  const double low32 = -2147483648.0;
  CHECK(same_numbers(ints(OpKind::Add, DType::I32, {2147483647}, {1}), {low32}));
  CHECK(same_numbers(ints(OpKind::Mul, DType::I32, {65536}, {65536}), {0}));
  CHECK(same_numbers(ints(OpKind::Sub, DType::U8, {3}, {5}), {254}));
  CHECK(same_numbers(
      ints(OpKind::FloorDiv, DType::I32, {7, -7, 7, -7, 5, low32, 0}, {2, 2, -2, -2, 0, -1, 3}),
      {3, -4, -4, 3, 0, low32, 0}));
  CHECK(same_numbers(
      ints(OpKind::Mod, DType::I32, {7, -7, 7, -7, 5, low32, -6}, {2, 2, -2, -2, 0, -1, 3}),
      {1, 1, -1, -1, 0, 0, 0}));
  CHECK(same_numbers(ints(OpKind::FloorDiv, DType::I64, {-9223372036854775808.0}, {-1}),
                     {-9223372036854775808.0}));
  CHECK(same_numbers(ints(OpKind::FloorDiv, DType::U8, {250}, {7}), {35}));
  CHECK(same_numbers(run_values(OpKind::Abs, {tensor(DType::I32, {low32, -3})}), {low32, 3}));
  CHECK(same_numbers(run_values(OpKind::Sign, {tensor(DType::U8, {0, 200})}), {0, 1}));
  CHECK(same_numbers(run_values(OpKind::Neg, {tensor(DType::U8, {1})}), {255}));
}

TEST_CASE("comparisons, logic and selection", "[eval]") {
  CHECK(same_numbers(f64(OpKind::Equal, {0.0, kNan, kInf}, {-0.0, kNan, kInf}), {1, 0, 1}));
  CHECK(same_numbers(f64(OpKind::NotEqual, {0.0, kNan}, {-0.0, kNan}), {0, 1}));
  CHECK(same_numbers(f64(OpKind::Less, {1, 2, kNan}, {2, 2, 1}), {1, 0, 0}));
  CHECK(same_numbers(f64(OpKind::LessEqual, {1, 2, kNan}, {2, 2, 1}), {1, 1, 0}));
  CHECK(same_numbers(f64(OpKind::Greater, {3, 2, kNan}, {2, 2, 1}), {1, 0, 0}));
  CHECK(same_numbers(f64(OpKind::GreaterEqual, {3, 2, kNan}, {2, 2, 1}), {1, 1, 0}));
  CHECK(same_numbers(ints(OpKind::Less, DType::U8, {200}, {100}), {0}));
  CHECK(same_numbers(ints(OpKind::And, DType::Bool, {0, 0, 1, 1}, {0, 1, 0, 1}), {0, 0, 0, 1}));
  CHECK(same_numbers(ints(OpKind::Or, DType::Bool, {0, 0, 1, 1}, {0, 1, 0, 1}), {0, 1, 1, 1}));
  CHECK(same_numbers(run_values(OpKind::Not, {tensor(DType::Bool, {0, 1})}), {1, 0}));
  CHECK(same_numbers(
      run_values(OpKind::Select, {tensor(DType::Bool, {1, 0}), tensor(DType::F32, {1, kNan}),
                                  tensor(DType::F32, {kNan, 2})}),
      {1, 2}));
}

TEST_CASE("conversions saturate, truncate and wrap as stated", "[eval]") {
  const auto convert = [](DType from, DType to, std::initializer_list<double> x) {
    return run_values(OpKind::Convert, {tensor(from, x)}, {{"dtype", to}});
  };
  CHECK(same_numbers(convert(DType::F64, DType::I32, {-2.9, 2.9, 3e9, -3e9, kNan, kInf, -kInf}),
                     {-2, 2, 2147483647.0, -2147483648.0, 0, 2147483647.0, -2147483648.0}));
  CHECK(same_numbers(convert(DType::F32, DType::U8, {-1, 255.9, 256, 300}), {0, 255, 255, 255}));
  CHECK(same_numbers(convert(DType::F64, DType::I64, {1e19, -1e19}), {0x1p63, -0x1p63}));
  CHECK(same_numbers(convert(DType::I32, DType::U8, {-1, 257}), {255, 1}));
  CHECK(same_numbers(convert(DType::F32, DType::Bool, {0, -0.0, 0.1, kNan}), {0, 0, 1, 1}));
  CHECK(same_numbers(convert(DType::Bool, DType::F32, {0, 1}), {0, 1}));
  CHECK(same_numbers(convert(DType::F64, DType::F32, {1e300, 16777217}), {kInf, 16777216}));
  CHECK(same_numbers(convert(DType::U8, DType::BF16, {255}), {255}));
  CHECK(same_numbers(convert(DType::F16, DType::I32, {-1.5}), {-1}));
}

TEST_CASE("elementwise ops keep shapes of size 0 and 1", "[eval]") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{3, 0, 2}, Shape{1, 1}}) {
    const Tensor x(DType::F32, shape);
    CHECK(testing::run_op(OpKind::Cos, {x})[0].type() == x.type());
    CHECK(testing::run_op(OpKind::Less, {x, x})[0].type() == Type{DType::Bool, shape});
  }
}

}  // namespace gradc
