// Operand types and attributes for every op that has a derivative.
#include "op_cases.h"

#include <numeric>

#include "ir/op.h"
#include "passes/gradcheck_node.h"
#include "runtime/core/rng.h"
#include "tests/random_op.h"

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

const Shape kShapes[] = {{},      {0},     {1},     {3},         {15},      {16},      {17},
                         {33},    {64},    {65},    {1, 1},      {1, 5},    {5, 1},    {0, 4},
                         {4, 0},  {2, 3},  {5, 7},  {16, 3},     {2, 1, 3}, {2, 3, 4}, {3, 0, 2},
                         {1, 17}, {7, 19}, {2, 16}, {2, 2, 2, 3}};

size_t at(int64_t position) { return static_cast<size_t>(position); }

std::vector<OpCase> elementwise_cases(OpKind kind) {
  double low = -2;
  double high = 2;
  const bool needs_positive =
      kind == OpKind::Log || kind == OpKind::Sqrt || kind == OpKind::Pow || kind == OpKind::Div;
  if (needs_positive) low = 0.3;
  if (kind == OpKind::Log1p) low = -0.7;
  // Quotients away from whole numbers: mod jumps there.
  if (kind == OpKind::Mod) low = 1.2, high = 1.9;
  std::vector<OpCase> cases;
  for (const Shape& shape : kShapes) {
    const Type type{DType::F64, shape};
    OpCase op_case{kind, {}, {}, low, high};
    const int count = op_info(kind).min_operands;
    if (kind == OpKind::Select) op_case.operands = {{DType::Bool, shape}, type, type};
    if (kind != OpKind::Select) op_case.operands.assign(static_cast<size_t>(count), type);
    if (kind == OpKind::Convert) op_case.attrs = {{"dtype", DType::F64}};
    cases.push_back(std::move(op_case));
  }
  return cases;
}

Attrs slice_attrs(const Shape& shape) {
  Ints start;
  Ints limit;
  Ints stride;
  for (int64_t dim : shape) {
    start.push_back(dim > 2 ? 1 : 0);
    limit.push_back(dim > 4 ? dim - 1 : dim);
    stride.push_back(dim > 4 ? 2 : 1);
  }
  return {{"start", start}, {"limit", limit}, {"stride", stride}};
}

std::vector<OpCase> movement_cases(OpKind kind) {
  std::vector<OpCase> cases;
  for (const Shape& shape : kShapes) {
    const Type type{DType::F64, shape};
    const int64_t rank = shape.rank();
    Ints reversed(at(rank));
    std::iota(reversed.rbegin(), reversed.rend(), 0);
    if (kind == OpKind::Reshape) {
      cases.push_back({kind, {type}, {{"shape", Ints{shape.element_count()}}}});
    } else if (kind == OpKind::Transpose) {
      cases.push_back({kind, {type}, {{"permutation", reversed}}});
    } else if (kind == OpKind::Broadcast) {
      Ints dims = {3};
      for (int64_t axis : reversed) dims.push_back(shape[axis] == 1 ? 4 : shape[axis]);
      Ints axes(at(rank));
      for (int64_t axis = 0; axis < rank; ++axis) axes[at(axis)] = rank - axis;
      cases.push_back({kind, {type}, {{"shape", dims}, {"axes", axes}}});
    } else if (kind == OpKind::Slice) {
      cases.push_back({kind, {type}, slice_attrs(shape)});
    } else if (kind == OpKind::Reverse) {
      cases.push_back({kind, {type}, {{"axes", reversed}}});
    } else if (kind == OpKind::Pad) {
      const Ints low(at(rank), 1);
      const Ints high(at(rank), 2);
      cases.push_back({kind, {type, {DType::F64, {}}}, {{"low", low}, {"high", high}}});
    } else if (kind == OpKind::Concat && rank > 0) {
      cases.push_back({kind, {type, type, type}, {{"axis", rank - 1}}});
      cases.push_back({kind, {type, type}, {{"axis", int64_t{0}}}});
    }
  }
  return cases;
}

std::vector<OpCase> reduction_cases(OpKind kind) {
  std::vector<OpCase> cases;
  for (const Shape& shape : kShapes) {
    const Type type{DType::F64, shape};
    if (kind == OpKind::Mean && shape.element_count() == 0) continue;
    Ints all(at(shape.rank()));
    std::iota(all.begin(), all.end(), 0);
    cases.push_back({kind, {type}, {{"axes", all}}});
    if (shape.rank() == 0) continue;
    cases.push_back({kind, {type}, {{"axes", Ints{0}}}});
    cases.push_back({kind, {type}, {{"axes", Ints{shape.rank() - 1}}}});
  }
  const bool is_extreme = kind == OpKind::Max || kind == OpKind::Min;
  if (is_extreme) {
    std::erase_if(cases, [](const OpCase& c) { return c.operands[0].shape.element_count() == 0; });
  }
  return cases;
}

Attrs dot_attrs(Ints lhs_batch, Ints rhs_batch, Ints lhs_contract, Ints rhs_contract) {
  return {{"lhs_batch", lhs_batch},
          {"rhs_batch", rhs_batch},
          {"lhs_contract", lhs_contract},
          {"rhs_contract", rhs_contract}};
}

std::vector<OpCase> dot_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](Shape a, Shape b, Attrs attrs) {
    cases.push_back({OpKind::Dot, {{DType::F64, a}, {DType::F64, b}}, std::move(attrs)});
  };
  const int64_t sizes[][3] = {{1, 1, 1},  {0, 3, 2},  {3, 0, 2},   {3, 2, 0}, {2, 3, 4},
                              {16, 5, 1}, {1, 17, 3}, {17, 16, 5}, {7, 1, 9}, {5, 33, 2}};
  for (const auto& [m, k, n] : sizes) {
    add({m, k}, {k, n}, dot_attrs({}, {}, {1}, {0}));
    add({k, m}, {n, k}, dot_attrs({}, {}, {0}, {1}));
    add({2, m, k}, {k, 2, n}, dot_attrs({0}, {1}, {2}, {0}));
  }
  add({3}, {3}, dot_attrs({}, {}, {0}, {0}));
  add({}, {4}, dot_attrs({}, {}, {}, {}));
  add({2, 3, 4}, {4, 2, 5}, dot_attrs({}, {}, {0, 2}, {1, 0}));
  add({3, 2, 4, 2}, {2, 5, 3}, dot_attrs({3, 0}, {0, 2}, {}, {}));
  return cases;
}

std::vector<OpCase> index_cases(OpKind kind) {
  std::vector<OpCase> cases;
  for (const Shape& shape : kShapes) {
    if (shape.rank() == 0 || shape.element_count() == 0) continue;
    for (const Shape& index_shape : {Shape{}, Shape{4}, Shape{2, 3}}) {
      const int64_t axis = shape.rank() - 1;
      Ints dims(shape.begin(), shape.end() - 1);
      dims.insert(dims.end(), index_shape.begin(), index_shape.end());
      OpCase op_case{kind, {{DType::F64, shape}, {DType::I32, index_shape}}, {{"axis", axis}}};
      op_case.limit = shape[axis] + 1;
      if (kind == OpKind::ScatterAdd) op_case.operands.push_back({DType::F64, Shape(dims)});
      cases.push_back(std::move(op_case));
    }
  }
  return cases;
}

std::vector<OpCase> ordered_cases(OpKind kind) {
  std::vector<OpCase> cases;
  for (const Shape& shape : kShapes) {
    if (shape.rank() == 0) continue;
    const bool is_backward = cases.size() % 2 == 0;
    const bool is_exclusive = cases.size() % 3 == 0;
    cases.push_back(
        {kind, {{DType::F64, shape}}, {{"reverse", is_backward}, {"exclusive", is_exclusive}}});
  }
  return cases;
}

/// Cases of the random generator: their types and attributes.
std::vector<OpCase> generated_cases(OpKind kind) {
  std::vector<OpCase> cases;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    const testing::OpCase generated = testing::random_op_case(kind, seed, DType::F64, 100);
    OpCase op_case{kind, {}, generated.attrs};
    for (const Tensor& operand : generated.operands) op_case.operands.push_back(operand.type());
    cases.push_back(std::move(op_case));
  }
  return cases;
}

Tensor draw(const OpCase& op_case, const Type& type, uint64_t seed, uint64_t stream) {
  Tensor tensor(type);
  const int64_t limit = type.dtype == DType::Bool ? 2 : op_case.limit;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double unit = random_unit_f64({seed, stream, 0}, static_cast<uint64_t>(i));
    const double value = is_float(type.dtype) ? op_case.low + unit * (op_case.high - op_case.low)
                                              : std::floor(unit * static_cast<double>(limit));
    tensor.set(i, value);
  }
  return tensor;
}

/// sum over all axes of value * random weights.
ValueId weighted_sum(GraphBuilder& builder, ValueId value, uint64_t seed, uint64_t stream) {
  const Shape shape = builder.shape(value);
  const ValueId weights = builder.constant(random_direction(shape, seed, stream));
  Ints axes(at(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return builder.reduce(OpKind::Sum, builder.mul(value, weights), axes);
}

}  // namespace

std::span<const Shape> test_shapes() { return kShapes; }

std::vector<OpCase> op_cases(OpKind kind) {
  if (op_def(kind).vjp == nullptr) return {};
  switch (op_class(kind)) {
    case OpClass::Elementwise:
      return elementwise_cases(kind);
    case OpClass::Movement:
      return kind == OpKind::Windows ? generated_cases(kind) : movement_cases(kind);
    case OpClass::Window:
      return generated_cases(kind);
    case OpClass::Reduction:
      return reduction_cases(kind);
    case OpClass::Contraction:
      return dot_cases();
    case OpClass::Index:
      return index_cases(kind);
    case OpClass::Ordered:
      return ordered_cases(kind);
    case OpClass::Leaf:
    case OpClass::Random:
    case OpClass::Region:
    case OpClass::Meta:
      return {};
  }
  return {};
}

std::vector<Tensor> draw_operands(const OpCase& op_case, uint64_t seed) {
  std::vector<Tensor> tensors;
  for (const Type& type : op_case.operands) {
    tensors.push_back(draw(op_case, type, seed, tensors.size()));
  }
  return tensors;
}

Graph gradient_graph(const OpCase& op_case, bool second_order, uint64_t seed) {
  GraphBuilder builder("conformance", GraphMode::Run);
  std::vector<ValueId> operands;
  std::vector<ValueId> floats;
  for (const Type& type : op_case.operands) {
    const std::string name = fmt::format("operand_{}", operands.size());
    operands.push_back(builder.input(InputKind::Data, name, type));
    if (is_float(type.dtype)) floats.push_back(operands.back());
  }
  const ValueId result = builder.add(op_case.kind, operands, op_case.attrs);
  std::vector<ValueId> arguments = {weighted_sum(builder, result, seed, 100)};
  arguments.insert(arguments.end(), floats.begin(), floats.end());
  std::vector<ValueId> gradients = builder.add_node(OpKind::Gradient, arguments);
  if (second_order) {
    ValueId total = weighted_sum(builder, gradients[0], seed, 101);
    for (size_t k = 1; k < gradients.size(); ++k) {
      total = builder.add(total, weighted_sum(builder, gradients[k], seed, 101 + k));
    }
    arguments[0] = total;
    gradients = builder.add_node(OpKind::Gradient, arguments);
  }
  for (size_t k = 0; k < gradients.size(); ++k) {
    builder.output(OutputKind::Gradient, fmt::format("operand_{}", k), gradients[k]);
  }
  return std::move(builder).build();
}

}  // namespace gradc
