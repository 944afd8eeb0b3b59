// Shape rules refuse what does not fit, in a sentence that names the types.
#include "tests/ir/single_op.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

const Type kMatrix{DType::F32, {2, 3}};
const Type kInts{DType::I32, {4}};
const Type kScalar{DType::F32, {}};
const Type kBool{DType::Bool, {2, 3}};

/// "CODE message" of the error that the rule throws, empty if it does not.
std::string refusal(OpKind kind, const std::vector<Type>& operands, const Attrs& attrs = {}) {
  try {
    infer_types(kind, {operands, attrs});
  } catch (const Error& error) {
    return error.code() + " " + error.what();
  }
  return {};
}

Attrs dot_attrs(Ints lb, Ints rb, Ints lc, Ints rc) {
  return {{"lhs_batch", std::move(lb)},
          {"rhs_batch", std::move(rb)},
          {"lhs_contract", std::move(lc)},
          {"rhs_contract", std::move(rc)}};
}

}  // namespace

TEST_CASE("elementwise ops take one dtype and one shape", "[infer]") {
  CHECK(refusal(OpKind::Add, {kMatrix, {DType::F32, {3}}}) ==
        "E0403 add of different shapes: f32[2, 3] and f32[3]");
  CHECK(refusal(OpKind::Add, {kMatrix, {DType::F64, {2, 3}}}) ==
        "E0501 add of different dtypes: f32[2, 3] and f64[2, 3]");
  CHECK(refusal(OpKind::Add, {kBool, kBool}) ==
        "E0501 add takes numbers, not bool, not bool[2, 3] and bool[2, 3]");
  CHECK(refusal(OpKind::Div, {kInts, kInts}) == "E0501 div takes floats, not i32[4] and i32[4]");
  CHECK(refusal(OpKind::Exp, {kInts}) == "E0501 exp takes floats, not i32[4]");
  CHECK(refusal(OpKind::And, {kMatrix, kMatrix}) ==
        "E0501 and takes bool, not f32[2, 3] and f32[2, 3]");
  CHECK(refusal(OpKind::Less, {kBool, kBool}).find("E0501") == 0);
  CHECK(refusal(OpKind::Equal, {kBool, kBool}).empty());
  CHECK(refusal(OpKind::Select, {kMatrix, kMatrix, kMatrix}) ==
        "E0501 select: the condition must be bool, not f32[2, 3]");
  CHECK(refusal(OpKind::Select, {kBool, kInts, kInts}) ==
        "E0403 select: condition [2, 3] for operands i32[4]");
}

TEST_CASE("movement ops fit their operands", "[infer]") {
  CHECK(refusal(OpKind::Reshape, {kMatrix}, {{"shape", Ints{4}}}) ==
        "E0404 reshape: f32[2, 3] has 6 elements, [4] has 4");
  CHECK(refusal(OpKind::Reshape, {kMatrix}, {{"shape", Ints{-2, -3}}}).find("E0801") == 0);
  CHECK(refusal(OpKind::Transpose, {kMatrix}, {{"permutation", Ints{0}}}) ==
        "E0404 transpose: [0] does not give each axis of f32[2, 3] a value");
  CHECK(refusal(OpKind::Transpose, {kMatrix}, {{"permutation", Ints{0, 0}}}) ==
        "E0404 transpose: axis 0 is listed twice");
  CHECK(refusal(OpKind::Broadcast, {kMatrix}, {{"shape", Ints{2, 4}}, {"axes", Ints{0, 1}}}) ==
        "E0403 broadcast: axis 1 of f32[2, 3] does not fit axis 1 of [2, 4]");
  CHECK(refusal(OpKind::Slice, {kInts},
                {{"start", Ints{1}}, {"limit", Ints{5}}, {"stride", Ints{1}}}) ==
        "E0404 slice: 1:5:1 of axis 0 of i32[4]");
  CHECK(
      refusal(OpKind::Slice, {kInts}, {{"start", Ints{1}}, {"limit", Ints{4}}, {"stride", Ints{0}}})
          .find("E0404") == 0);
  CHECK(refusal(OpKind::Reverse, {kInts}, {{"axes", Ints{-1}}}) ==
        "E0404 reverse: axis -1 of a tensor of rank 1");
  CHECK(refusal(OpKind::Pad, {kInts, kScalar}, {{"low", Ints{1}}, {"high", Ints{0}}}) ==
        "E0501 pad: i32[4] is filled with a scalar of its dtype, not f32[]");
  CHECK(refusal(OpKind::Pad, {kInts, {DType::I32, {}}}, {{"low", Ints{-1}}, {"high", Ints{0}}}) ==
        "E0404 pad: -1 before and 0 after axis 0");
  CHECK(refusal(OpKind::Concat, {kMatrix, kInts}, {{"axis", int64_t{0}}}) ==
        "E0403 concat on axis 0: i32[4] after f32[2, 3]");
  CHECK(refusal(OpKind::Concat, {kMatrix, {DType::F32, {5, 3}}}, {{"axis", int64_t{0}}}).empty());
}

TEST_CASE("reductions and dots name what does not fit", "[infer]") {
  CHECK(refusal(OpKind::Sum, {kBool}, {{"axes", Ints{0}}}) ==
        "E0501 sum takes numbers, not bool[2, 3]");
  CHECK(refusal(OpKind::Mean, {kInts}, {{"axes", Ints{0}}}) ==
        "E0501 mean takes floats, not i32[4]");
  CHECK(refusal(OpKind::Max, {kMatrix}, {{"axes", Ints{0, 0}}}) ==
        "E0404 max: axis 0 is listed twice");
  CHECK(refusal(OpKind::ArgMax, {{DType::F32, {65536, 65536}}}, {{"axes", Ints{0, 1}}}) ==
        "E0403 argmax: 4294967296 elements do not fit an i32 index");
  const Type wide{DType::F32, {3, 4}};
  CHECK(refusal(OpKind::Dot, {kMatrix, wide}, dot_attrs({}, {}, {0}, {0})) ==
        "E0401 dot of f32[2, 3] and f32[3, 4]: 2 (axis 0) against 3 (axis 0)");
  CHECK(refusal(OpKind::Dot, {kMatrix, kInts}, dot_attrs({}, {}, {1}, {0})) ==
        "E0501 dot takes numbers of one dtype, not f32[2, 3] and i32[4]");
  CHECK(refusal(OpKind::Dot, {kMatrix, wide}, dot_attrs({}, {}, {1}, {})) ==
        "E0404 dot: 1 contracted axes of f32[2, 3] for 0 of f32[3, 4]");
  CHECK(refusal(OpKind::Dot, {kMatrix, wide}, dot_attrs({1}, {0}, {1}, {0})) ==
        "E0404 dot: axis 1 is listed twice");
}

TEST_CASE("index, leaf, random and meta ops name what does not fit", "[infer]") {
  const Attrs axis{{"axis", int64_t{0}}};
  CHECK(refusal(OpKind::Gather, {kMatrix, kScalar}, axis) ==
        "E0501 gather: indices must be integers, not f32[]");
  CHECK(refusal(OpKind::Gather, {{DType::F32, {0}}, kInts}, axis) ==
        "E0403 gather: axis 0 of f32[0] is empty");
  CHECK(refusal(OpKind::ScatterAdd, {kMatrix, kInts, kMatrix}, axis) ==
        "E0403 scatter_add: updates f32[2, 3] where the indices i32[4] on axis 0 of f32[2, 3] take "
        "[4, 3]");
  CHECK(refusal(OpKind::Iota, {},
                {{"shape", Ints{2}}, {"axis", int64_t{1}}, {"dtype", DType::F32}}) ==
        "E0404 iota: axis 1 of a tensor of rank 1");
  const Type counter{DType::I64, {}};
  const Attrs draw{{"shape", Ints{2}}, {"dtype", DType::F16}, {"stream", int64_t{1}}};
  CHECK(refusal(OpKind::Random, {counter, counter}, draw) ==
        "E0501 random draws f32 or f64, not f16");
  CHECK(refusal(OpKind::Random, {counter, kScalar}, draw) ==
        "E0501 random: seed and step must be i64[], not f32[]");
  CHECK(refusal(OpKind::Gradient, {kMatrix, kMatrix}).find("E0701 gradient of f32[2, 3]") == 0);
  CHECK(refusal(OpKind::Gradient, {kScalar, kInts}).find("E0705 gradient by i32[4]") == 0);
}

TEST_CASE("results that no machine holds are refused", "[infer]") {
  const int64_t huge = int64_t{1} << 40;
  const Type line{DType::F32, {huge}};
  CHECK(refusal(OpKind::Dot, {line, line}, dot_attrs({}, {}, {}, {})).find("E0801") == 0);
  CHECK(refusal(OpKind::Broadcast, {line}, {{"shape", Ints{huge, huge}}, {"axes", Ints{0}}})
            .find("E0801") == 0);
  CHECK(refusal(OpKind::Broadcast, {{DType::F32, {0}}},
                {{"shape", Ints{0, huge, huge}}, {"axes", Ints{0}}})
            .find("E0801") == 0);
  CHECK(refusal(OpKind::Pad, {kInts, {DType::I32, {}}},
                {{"low", Ints{std::numeric_limits<int64_t>::max()}}, {"high", Ints{1}}})
            .find("E0404 pad: an attribute is out of range") == 0);
}

TEST_CASE("wrong operand counts and attributes are bugs of the caller", "[infer]") {
  GraphBuilder builder("", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Data, "x", kMatrix);
  CHECK_THROWS_AS(builder.add(OpKind::Add, {x}), InternalError);
  CHECK_THROWS_AS(builder.add(OpKind::Neg, {x}, {{"axes", Ints{}}}), InternalError);
  CHECK_THROWS_AS(builder.add(OpKind::Sum, {x}), InternalError);
  CHECK_THROWS_AS(builder.add(OpKind::Neg, {static_cast<ValueId>(5)}), InternalError);
  CHECK(builder.graph().nodes().empty());
}

}  // namespace gradc
