// Movement, reduction, contraction, index, leaf and random ops on hand values.
#include <limits>

#include "runtime/core/rng.h"
#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using testing::run_op;
using testing::run_values;
using testing::same_numbers;
using testing::tensor;
using Ints = std::vector<int64_t>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 1 to 6 as [2, 3].
Tensor matrix(DType dtype = DType::F32) { return tensor(dtype, {2, 3}, {1, 2, 3, 4, 5, 6}); }
Tensor scalar(double value) { return tensor(DType::F32, Shape{}, {value}); }

}  // namespace

TEST_CASE("movement ops move elements of every size", "[eval]") {
  for (DType dtype : {DType::U8, DType::BF16, DType::F32, DType::I64}) {
    const Tensor x = matrix(dtype);
    CHECK(same_numbers(run_values(OpKind::Reshape, {x}, {{"shape", Ints{3, 2}}}),
                       {1, 2, 3, 4, 5, 6}));
    CHECK(same_numbers(run_values(OpKind::Transpose, {x}, {{"permutation", Ints{1, 0}}}),
                       {1, 4, 2, 5, 3, 6}));
    CHECK(same_numbers(run_values(OpKind::Reverse, {x}, {{"axes", Ints{1}}}), {3, 2, 1, 6, 5, 4}));
    CHECK(
        same_numbers(run_values(OpKind::Reverse, {x}, {{"axes", Ints{1, 0}}}), {6, 5, 4, 3, 2, 1}));
    CHECK(same_numbers(
        run_values(OpKind::Slice, {x},
                   {{"start", Ints{0, 0}}, {"limit", Ints{2, 3}}, {"stride", Ints{1, 2}}}),
        {1, 3, 4, 6}));
    CHECK(same_numbers(run_values(OpKind::Pad, {matrix(dtype), tensor(dtype, Shape{}, {9})},
                                  {{"low", Ints{1, 0}}, {"high", Ints{0, 1}}}),
                       {9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9}));
    CHECK(same_numbers(run_values(OpKind::Concat, {x, x}, {{"axis", int64_t{1}}}),
                       {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  }
}

TEST_CASE("transpose takes result axis j from axis permutation[j]", "[eval]") {
  const Tensor x = tensor(DType::F32, {1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor y = run_op(OpKind::Transpose, {x}, {{"permutation", Ints{2, 0, 1}}})[0];
  CHECK(y.shape() == Shape{3, 1, 2});
  CHECK(y.at(1) == 4);
}

TEST_CASE("broadcast maps axes in any order and stretches ones", "[eval]") {
  const auto broadcast = [](const Tensor& x, Ints shape, Ints axes) {
    return run_values(OpKind::Broadcast, {x},
                      {{"shape", std::move(shape)}, {"axes", std::move(axes)}});
  };
  CHECK(same_numbers(broadcast(scalar(7), {2, 2}, {}), {7, 7, 7, 7}));
  const Tensor pair = tensor(DType::F32, {1, 2});
  CHECK(same_numbers(broadcast(pair, {2, 3}, {0}), {1, 1, 1, 2, 2, 2}));
  CHECK(same_numbers(broadcast(pair, {3, 2}, {1}), {1, 2, 1, 2, 1, 2}));
  CHECK(same_numbers(broadcast(matrix(), {3, 2}, {1, 0}), {1, 4, 2, 5, 3, 6}));
  CHECK(same_numbers(broadcast(tensor(DType::F32, {2, 1}, {1, 2}), {2, 2}, {0, 1}), {1, 1, 2, 2}));
  CHECK(broadcast(tensor(DType::F32, {5}), {0, 2}, {1}).empty());
}

TEST_CASE("reductions at the edges", "[eval]") {
  const auto reduce = [](OpKind kind, const Tensor& x, Ints axes) {
    return run_values(kind, {x}, {{"axes", std::move(axes)}});
  };
  CHECK(same_numbers(reduce(OpKind::Sum, matrix(), {0}), {5, 7, 9}));
  CHECK(same_numbers(reduce(OpKind::Sum, matrix(), {1}), {6, 15}));
  CHECK(same_numbers(reduce(OpKind::Sum, matrix(), {1, 0}), {21}));
  CHECK(same_numbers(reduce(OpKind::Sum, matrix(), {}), {1, 2, 3, 4, 5, 6}));
  CHECK(same_numbers(reduce(OpKind::Mean, matrix(), {1}), {2, 5}));
  CHECK(same_numbers(reduce(OpKind::Prod, matrix(), {1}), {6, 120}));
  CHECK(same_numbers(reduce(OpKind::Max, matrix(), {0}), {4, 5, 6}));
  CHECK(same_numbers(reduce(OpKind::Min, matrix(), {1}), {1, 4}));
  CHECK(same_numbers(reduce(OpKind::Max, tensor(DType::F32, {1, kNan, 3}), {0}), {kNan}));
  CHECK(same_numbers(reduce(OpKind::Min, tensor(DType::F32, {1, 3, kNan}), {0}), {kNan}));
  CHECK(same_numbers(reduce(OpKind::Sum, tensor(DType::U8, {200, 100}), {0}), {44}));
  CHECK(same_numbers(reduce(OpKind::Prod, tensor(DType::I32, {65536, 65536}), {0}), {0}));
  const Tensor empty(DType::F32, {2, 0});
  CHECK(same_numbers(reduce(OpKind::Sum, empty, {1}), {0, 0}));
  CHECK(same_numbers(reduce(OpKind::Prod, empty, {1}), {1, 1}));
  CHECK(same_numbers(reduce(OpKind::Max, empty, {1}), {-kInf, -kInf}));
  CHECK(same_numbers(reduce(OpKind::Min, empty, {1}), {kInf, kInf}));
  CHECK(same_numbers(reduce(OpKind::Mean, empty, {1}), {kNan, kNan}));
  CHECK(same_numbers(reduce(OpKind::ArgMax, empty, {1}), {0, 0}));
  CHECK(reduce(OpKind::Sum, empty, {0}).empty());
  const Tensor no_ints(DType::I64, {0});
  CHECK(same_numbers(reduce(OpKind::Max, no_ints, {0}), {-0x1p63}));
  CHECK(run_op(OpKind::Min, {no_ints}, {{"axes", Ints{0}}})[0].span<int64_t>()[0] ==
        std::numeric_limits<int64_t>::max());
}

TEST_CASE("sums of many floats are rounded once", "[eval]") {
  Tensor x(DType::F32, {100'000});
  for (int64_t i = 0; i < x.size(); ++i) x.set(i, 0.1);
  const double exact = 100'000 * static_cast<double>(0.1F);
  CHECK(run_values(OpKind::Sum, {x}, {{"axes", Ints{0}}})[0] ==
        static_cast<double>(static_cast<float>(exact)));
}

TEST_CASE("running sums from both ends, with and without the element itself", "[eval]") {
  const auto sums = [](const Tensor& x, bool is_reverse, bool is_exclusive) {
    return run_values(OpKind::CumulativeSum, {x},
                      {{"reverse", is_reverse}, {"exclusive", is_exclusive}});
  };
  for (DType dtype : {DType::U8, DType::I32, DType::F16, DType::F32, DType::F64}) {
    CHECK(same_numbers(sums(matrix(dtype), false, false), {1, 3, 6, 4, 9, 15}));
    CHECK(same_numbers(sums(matrix(dtype), true, false), {6, 5, 3, 15, 11, 6}));
    CHECK(same_numbers(sums(matrix(dtype), false, true), {0, 1, 3, 0, 4, 9}));
    CHECK(same_numbers(sums(matrix(dtype), true, true), {5, 3, 0, 11, 6, 0}));
    CHECK(sums(Tensor(dtype, {2, 0}), false, true).empty());
  }
  CHECK(same_numbers(sums(tensor(DType::U8, {200, 100, 1}), false, false), {200, 44, 45}));
  CHECK(same_numbers(sums(tensor(DType::F32, {1, kNan, 2}), false, false), {1, kNan, kNan}));
  CHECK(same_numbers(sums(tensor(DType::F32, {0x1p24, 1, 1}), false, false),
                     {0x1p24, 0x1p24, 0x1p24 + 2}));
  CHECK_THROWS(sums(scalar(1), false, false));
  CHECK_THROWS(sums(tensor(DType::Bool, {1}), false, false));
}

TEST_CASE("argsort is stable and puts NaNs last", "[eval]") {
  const auto order = [](const Tensor& x, bool is_descending) {
    return run_values(OpKind::ArgSort, {x}, {{"descending", is_descending}});
  };
  CHECK(same_numbers(order(tensor(DType::F32, {2, 3}, {3, 1, 2, 5, 5, 4}), false),
                     {1, 2, 0, 2, 0, 1}));
  CHECK(same_numbers(order(tensor(DType::F32, {2, 3}, {3, 1, 2, 5, 5, 4}), true),
                     {0, 2, 1, 0, 1, 2}));
  const Tensor odd = tensor(DType::F64, {kNan, -kInf, 0.0, kNan, kInf, -0.0});
  CHECK(same_numbers(order(odd, false), {1, 2, 5, 4, 0, 3}));
  CHECK(same_numbers(order(odd, true), {4, 2, 5, 1, 0, 3}));
  CHECK(same_numbers(order(tensor(DType::U8, {200, 100, 255}), true), {2, 0, 1}));
  CHECK(same_numbers(order(tensor(DType::I32, {7}), false), {0}));
  CHECK(order(Tensor(DType::F32, {3, 0}), false).empty());
}

TEST_CASE("argmax takes the first of equals and the first NaN", "[eval]") {
  const auto find = [](OpKind kind, const Tensor& x, Ints axes) {
    return run_values(kind, {x}, {{"axes", std::move(axes)}});
  };
  const Tensor ties = tensor(DType::F32, {2, 3}, {1, 3, 3, 0, 0, -1});
  CHECK(same_numbers(find(OpKind::ArgMax, ties, {1}), {1, 0}));
  CHECK(same_numbers(find(OpKind::ArgMin, ties, {1}), {0, 2}));
  CHECK(same_numbers(find(OpKind::ArgMax, ties, {0, 1}), {1}));
  CHECK(same_numbers(find(OpKind::ArgMin, ties, {1, 0}), {5}));
  CHECK(same_numbers(find(OpKind::ArgMax, tensor(DType::F32, {kInf, kNan, kNan}), {0}), {1}));
  CHECK(same_numbers(find(OpKind::ArgMin, tensor(DType::F32, {-kInf, kNan, 0}), {0}), {1}));
  CHECK(same_numbers(find(OpKind::ArgMax, tensor(DType::F32, {-kInf, -kInf}), {0}), {0}));
  CHECK(same_numbers(find(OpKind::ArgMax, tensor(DType::U8, {7, 200}), {0}), {1}));
  CHECK(run_op(OpKind::ArgMax, {ties}, {{"axes", Ints{}}})[0].type() == Type{DType::I32, {2, 3}});
}

TEST_CASE("dot contracts, batches and orders its axes as stated", "[eval]") {
  const auto dot = [](const Tensor& a, const Tensor& b, Ints lb, Ints rb, Ints lc, Ints rc) {
    return run_op(OpKind::Dot, {a, b},
                  {{"lhs_batch", std::move(lb)},
                   {"rhs_batch", std::move(rb)},
                   {"lhs_contract", std::move(lc)},
                   {"rhs_contract", std::move(rc)}})[0];
  };
  const auto values = [](const Tensor& x) {
    std::vector<double> numbers;
    for (int64_t i = 0; i < x.size(); ++i) numbers.push_back(x.at(i));
    return numbers;
  };
  const Tensor a = matrix();
  CHECK(same_numbers(values(dot(a, a, {}, {}, {1}, {1})), {14, 32, 32, 77}));
  CHECK(same_numbers(values(dot(a, a, {}, {}, {0}, {0})), {17, 22, 27, 22, 29, 36, 27, 36, 45}));
  CHECK(same_numbers(values(dot(a, a, {0}, {0}, {1}, {1})), {14, 77}));
  CHECK(same_numbers(values(dot(a, a, {1}, {1}, {0}, {0})), {17, 29, 45}));
  CHECK(same_numbers(values(dot(a, a, {1, 0}, {1, 0}, {}, {})), {1, 16, 4, 25, 9, 36}));
  CHECK(dot(a, scalar(2), {}, {}, {}, {}).shape() == Shape{2, 3});
  CHECK(dot(a, a, {}, {}, {}, {}).shape() == Shape{2, 3, 2, 3});
  const Tensor none(DType::F32, {2, 0});
  CHECK(same_numbers(values(dot(none, none, {}, {}, {1}, {1})), {0, 0, 0, 0}));
  CHECK(dot(none, none, {}, {}, {0}, {0}).shape() == Shape{0, 0});
  const Tensor large = tensor(DType::I32, {65536, 1});
  CHECK(same_numbers(values(dot(large, large, {}, {}, {0}, {0})), {1}));
  const Tensor half = tensor(DType::F16, {2048, 1, 1});
  CHECK(same_numbers(values(dot(half, tensor(DType::F16, {1, 1, 1}), {}, {}, {0}, {0})), {2050}));
}

TEST_CASE("gather and scatter_add clamp and keep the order of axes", "[eval]") {
  const Attrs axis0{{"axis", int64_t{0}}};
  const Attrs axis1{{"axis", int64_t{1}}};
  const Tensor indices = tensor(DType::I32, {2, -5, 99});
  CHECK(same_numbers(run_values(OpKind::Gather, {matrix(), indices}, axis1), {3, 1, 3, 6, 4, 6}));
  CHECK(same_numbers(run_values(OpKind::Gather, {matrix(), tensor(DType::U8, Shape{}, {1})}, axis0),
                     {4, 5, 6}));
  CHECK(run_op(OpKind::Gather, {matrix(), tensor(DType::I64, {1, 2}, {0, 1})}, axis1)[0].shape() ==
        Shape{2, 1, 2});
  CHECK(run_op(OpKind::Gather, {matrix(), Tensor(DType::I64, {0})}, axis0)[0].shape() ==
        Shape{0, 3});
  CHECK(same_numbers(
      run_values(OpKind::ScatterAdd, {matrix(), tensor(DType::I32, {0, 0, 9}), matrix()}, axis1),
      {1 + 1 + 2, 2, 3 + 3, 4 + 4 + 5, 5, 6 + 6}));
  CHECK(same_numbers(
      run_values(OpKind::ScatterAdd,
                 {tensor(DType::U8, {250, 0}), tensor(DType::U8, {0}), tensor(DType::U8, {10})},
                 axis0),
      {4, 0}));
}

TEST_CASE("scatter_add adds in row-major order of the indices", "[eval]") {
  const Tensor indices = tensor(DType::I32, {0, 0, 0});
  const Tensor updates = tensor(DType::F32, {1e8, -1e8, 1});
  CHECK(run_values(OpKind::ScatterAdd, {tensor(DType::F32, {1}), indices, updates},
                   {{"axis", int64_t{0}}})[0] == 1);
}

TEST_CASE("leaves", "[eval]") {
  CHECK(same_numbers(run_values(OpKind::Constant, {}, {{"value", matrix()}}), {1, 2, 3, 4, 5, 6}));
  const auto iota = [](Ints shape, int64_t axis, DType dtype) {
    return run_values(OpKind::Iota, {},
                      {{"shape", std::move(shape)}, {"axis", axis}, {"dtype", dtype}});
  };
  CHECK(same_numbers(iota({2, 3}, 0, DType::I32), {0, 0, 0, 1, 1, 1}));
  CHECK(same_numbers(iota({2, 3}, 1, DType::F16), {0, 1, 2, 0, 1, 2}));
  CHECK(iota({0, 3}, 0, DType::F32).empty());
  CHECK(iota({3, 0}, 0, DType::F32).empty());
  CHECK(iota({257}, 0, DType::U8)[256] == 0);
}

TEST_CASE("random draws are those of the counter-based generator", "[eval]") {
  const auto draw = [](DType dtype, int64_t seed, int64_t step, int64_t stream) {
    Tensor seeds(DType::I64, Shape{});
    Tensor steps(DType::I64, Shape{});
    seeds.span<int64_t>()[0] = seed;
    steps.span<int64_t>()[0] = step;
    return run_op(OpKind::Random, {seeds, steps},
                  {{"shape", Ints{3, 50}}, {"dtype", dtype}, {"stream", stream}})[0];
  };
  const RngPosition position{.seed = 5, .stream = ~uint64_t{8}, .step = 7};
  const Tensor narrow = draw(DType::F32, 5, 7, -9);
  const Tensor wide = draw(DType::F64, 5, 7, -9);
  for (int64_t i = 0; i < 150; ++i) {
    CHECK(narrow.span<float>()[static_cast<size_t>(i)] ==
          random_unit_f32(position, static_cast<uint64_t>(i)));
    CHECK(wide.at(i) == random_unit_f64(position, static_cast<uint64_t>(i)));
  }
  CHECK(!same_bits(narrow, draw(DType::F32, 5, 8, -9)));
  CHECK(!same_bits(narrow, draw(DType::F32, 6, 7, -9)));
  CHECK(!same_bits(narrow, draw(DType::F32, 5, 7, 9)));
}

TEST_CASE("meta ops pass their operand on; gradient cannot be evaluated", "[eval]") {
  CHECK(same_bits(run_op(OpKind::StopGradient, {matrix()})[0], matrix()));
  CHECK(same_bits(run_op(OpKind::Accumulate, {matrix()})[0], matrix()));
  CHECK_THROWS_AS(run_op(OpKind::Gradient, {scalar(1), matrix()}), InternalError);
}

}  // namespace gradc
