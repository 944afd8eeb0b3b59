// Chooses ops, and operands that fit them.
#include "tests/soak/graph_grower.h"

#include <limits>
#include <numeric>

#include "ir/op.h"
#include "ir/ops/scan.h"
#include "tests/random_op.h"

namespace gradc::testing {
namespace {

using Ints = std::vector<int64_t>;

constexpr double kConstants[] = {0, -0.0, 1, -1, 2, 0.5, 3, -0.25};

Ints all_axes(int64_t rank) {
  Ints axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

double special_number(RandomSource& random, DType dtype) {
  using Limits = std::numeric_limits<float>;
  const double infinity = std::numeric_limits<double>::infinity();
  const double least = dtype == DType::F64   ? 4.9e-324
                       : dtype == DType::F16 ? 0x1p-24
                       : dtype == DType::F32 ? 0x1p-149
                                             : 0x1p-133;
  const double normal = dtype == DType::F64 ? 0x1p-1022 : dtype == DType::F16 ? 0x1p-14 : 0x1p-126;
  const double most = dtype == DType::F64   ? std::numeric_limits<double>::max()
                      : dtype == DType::F16 ? 65504.0
                      : dtype == DType::F32 ? double{Limits::max()}
                                            : 3.3895e38;
  return random.pick<double>({0.0, -0.0, infinity, -infinity, std::nan(""), least, -least, normal,
                              normal / 2, most, -most, 1, -1, 0.5, 2});
}

}  // namespace

Shape odd_shape(RandomSource& random, int64_t max_elements) {
  static const Ints kSizes = {0, 1, 1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 31, 33, 64, 65, 127, 257};
  Ints dims;
  int64_t count = 1;
  for (int64_t rank = random.between(0, 4); rank > 0; --rank) {
    const int64_t size = random.pick(kSizes);
    if (count * size > max_elements || (size == 0 && random.chance(60))) continue;
    dims.push_back(size);
    count *= std::max<int64_t>(size, 1);
  }
  return Shape(dims);
}

Tensor odd_tensor(RandomSource& random, const Type& type, bool special) {
  Tensor tensor = random_tensor(random, type);
  if (!is_float(type.dtype)) return tensor;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (special && random.chance(15))
      tensor.set(i, special_number(random, type.dtype));
    else if (random.chance(20))
      tensor.set(i, static_cast<double>(random.between(-4, 4)) / 2);
  }
  return tensor;
}

GraphGrower::GraphGrower(RandomSource& random, GraphBuilder& builder, int64_t max_elements,
                         int depth, bool stays_small)
    : random_(random),
      builder_(builder),
      max_elements_(max_elements),
      depth_(depth),
      stays_small_(stays_small) {}

void GraphGrower::offer(ValueId value) {
  if (builder_.shape(value).element_count() <= 4 * max_elements_ &&
      builder_.shape(value).rank() <= 6)
    pool_.push_back(value);
}

void GraphGrower::offer_counters(ValueId seed, ValueId step) { counters_ = {seed, step}; }

void GraphGrower::grow() {
  const int64_t choice = random_.between(1, 100);
  if (choice <= 6 && depth_ < 2) return grow_scan();
  if (choice <= 9) return grow_gradient();
  if (choice <= 13) return offer(grow_dense());
  if (choice <= 16) return offer(grow_softmax());
  if (choice <= 20) return offer(grow_view());
  OpKind kind = random_.pick(std::vector<OpKind>(std::begin(kAllOpKinds), std::end(kAllOpKinds)));
  if (op_class(kind) == OpClass::Region || kind == OpKind::Gradient)
    kind = random_.pick<OpKind>({OpKind::Add, OpKind::Mul, OpKind::Sub, OpKind::Convert});
  ValueId value = grow_kind(kind);
  if (stays_small_ && is_float(builder_.dtype(value)) && random_.chance(15))
    value = builder_.add(random_.chance(50) ? OpKind::Tanh : OpKind::Sin, {value});
  offer(value);
}

ValueId GraphGrower::pick_float() {
  for (int attempt = 0; attempt < 8; ++attempt)
    if (const ValueId value = pick(); is_float(builder_.dtype(value))) return value;
  return builder_.convert(pick(), random_.chance(80) ? DType::F32 : DType::F64);
}

/// A value whose dtype the op takes.
ValueId GraphGrower::with_dtype_of(OpKind kind) {
  for (int attempt = 0; attempt < 8; ++attempt)
    if (const ValueId value = pick(); takes_dtype(kind, builder_.dtype(value))) return value;
  std::vector<DType> taken;
  for (DType dtype : kAllDTypes)
    if (takes_dtype(kind, dtype)) taken.push_back(dtype);
  return builder_.convert(pick(), random_.pick(taken));
}

ValueId GraphGrower::pick_like(const Type& wanted) {
  const Type type = wanted;
  std::vector<ValueId> fitting;
  for (ValueId value : pool_)
    if (builder_.type(value) == type) fitting.push_back(value);
  if (!fitting.empty() && random_.chance(70)) return random_.pick(fitting);
  if (random_.chance(25)) return fit(pick(), type);
  if (random_.chance(30))
    return builder_.fill(
        type, type.dtype == DType::U8 ? 2 : kConstants[static_cast<size_t>(random_.between(0, 7))]);
  const int64_t rank = type.shape.rank();
  const Ints dims(type.shape.begin() + random_.between(0, rank), type.shape.end());
  const Tensor value = odd_tensor(random_, {type.dtype, Shape(dims)}, !stays_small_);
  return builder_.broadcast_to(builder_.constant(value), type.shape);
}

/// Elements of any value, repeated or left out so that they are of the type.
ValueId GraphGrower::fit(ValueId value, const Type& wanted) {
  const Type type = wanted;
  value = builder_.convert(value, type.dtype);
  if (builder_.type(value) == type) return value;
  const int64_t needed = type.shape.element_count();
  int64_t count = builder_.shape(value).element_count();
  if (count == 0) return builder_.fill(type, 1);
  value = builder_.reshape(value, {count});
  if (count < needed) {
    const int64_t times = (needed + count - 1) / count;
    value = builder_.broadcast_to(value, {times, count});
    count *= times;
    value = builder_.reshape(value, {count});
  }
  if (count > needed) {
    const int64_t start = random_.between(0, count - needed);
    value = builder_.add(
        OpKind::Slice, {value},
        {{"start", Ints{start}}, {"limit", Ints{start + needed}}, {"stride", Ints{1}}});
  }
  return builder_.reshape(value, type.shape);
}

ValueId GraphGrower::total(ValueId value) {
  return builder_.reduce(OpKind::Sum, value, all_axes(builder_.shape(value).rank()));
}

Ints GraphGrower::some_axes(int64_t rank) {
  Ints axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (random_.chance(50)) axes.push_back(axis);
  if (random_.chance(30)) random_.shuffle(axes);
  return axes;
}

ValueId GraphGrower::grow_kind(OpKind kind) {
  const OpClass op_class_of_kind = op_class(kind);
  if (op_class_of_kind == OpClass::Random) return grow_draw();
  if (op_class_of_kind == OpClass::Meta) return builder_.add(kind, {pick()});
  const ValueId a = with_dtype_of(kind);
  const DType dtype = builder_.dtype(a);
  switch (op_class_of_kind) {
    case OpClass::Elementwise:
      return grow_elementwise(kind, a);
    case OpClass::Leaf:
      if (kind == OpKind::Constant)
        return builder_.constant(
            odd_tensor(random_, {dtype, odd_shape(random_, max_elements_)}, !stays_small_));
      return grow_case(kind, dtype);
    case OpClass::Window:
      return grow_case(kind, dtype);
    default:
      return random_.chance(35) ? grow_case(kind, dtype) : grow_natural(kind, a);
  }
}

/// Where the op varies slowly and is defined.
ValueId GraphGrower::tamed(OpKind kind, ValueId a) {
  if (!stays_small_ || !is_float(builder_.dtype(a)) || random_.chance(15)) return a;
  const auto positive = [&](double least) {
    return builder_.add(builder_.add(OpKind::Abs, {a}), builder_.fill_like(a, least));
  };
  switch (kind) {
    case OpKind::Exp:
    case OpKind::Expm1:
    case OpKind::Mul:
    case OpKind::CumulativeSum:
      return builder_.add(OpKind::Tanh, {a});
    case OpKind::Prod:
      return builder_.add(OpKind::Cos, {a});
    case OpKind::Log1p:
      return builder_.add(OpKind::Sigmoid, {a});
    case OpKind::Log:
    case OpKind::Sqrt:
    case OpKind::Div:
    case OpKind::FloorDiv:
    case OpKind::Mod:
    case OpKind::Pow:
      return positive(0.5);
    default:
      return a;
  }
}

ValueId GraphGrower::grow_elementwise(OpKind kind, ValueId a) {
  const Type type = builder_.type(a);
  if (kind == OpKind::Convert)
    return builder_.add(kind, {a},
                        {{"dtype", random_.pick(std::vector<DType>(std::begin(kAllDTypes),
                                                                   std::end(kAllDTypes)))}});
  if (kind == OpKind::Select)
    return builder_.select(pick_like({DType::Bool, type.shape}), a, pick_like(type));
  if (op_info(kind).min_operands == 1) return builder_.add(kind, {tamed(kind, a)});
  const ValueId b = random_.chance(6) ? a : pick_like(type);
  if (kind == OpKind::Div || kind == OpKind::FloorDiv || kind == OpKind::Mod)
    return builder_.add(kind, {a, tamed(kind, b)});
  if (kind == OpKind::Mul)
    return random_.chance(50) ? builder_.mul(tamed(kind, a), b) : builder_.mul(b, tamed(kind, a));
  if (kind != OpKind::Pow)
    return random_.chance(50) ? builder_.add(kind, {a, b}) : builder_.add(kind, {b, a});
  const bool is_small_power = random_.chance(50);
  const double power = random_.pick<double>({0, 1, 2, 3, -1, 0.5, -2});
  return builder_.add(
      kind, {tamed(kind, a), is_small_power ? builder_.fill(type, power) : tamed(OpKind::Mul, b)});
}

/// Shapes and attributes of the generator for single ops, with values of the pool or constants.
ValueId GraphGrower::grow_case(OpKind kind, DType dtype) {
  const auto seed = static_cast<uint64_t>(random_.between(0, int64_t{1} << 40));
  const OpCase drawn = random_op_case(kind, seed, dtype, max_elements_);
  std::vector<ValueId> operands;
  for (const Tensor& operand : drawn.operands) {
    const bool holds_indices = op_class(kind) == OpClass::Index && operands.size() == 1;
    if (holds_indices && operand.size() > 0 && random_.chance(20))
      operands.push_back(builder_.fill(operand.type(), operand.at(0)));
    else
      operands.push_back(random_.chance(holds_indices ? 80 : 25) ? builder_.constant(operand)
                                                                 : fit(pick(), operand.type()));
  }
  return builder_.add(kind, operands, drawn.attrs);
}

/// The op on `a` as it is.
ValueId GraphGrower::grow_natural(OpKind kind, ValueId a) {
  const Shape shape = builder_.shape(a);
  const int64_t rank = shape.rank();
  Ints axes = all_axes(rank);
  switch (kind) {
    case OpKind::Transpose:
      random_.shuffle(axes);
      return builder_.transpose(a, axes);
    case OpKind::Reverse:
      return builder_.add(kind, {a}, {{"axes", some_axes(rank)}});
    case OpKind::Broadcast: {
      Ints dims = shape.dims();
      dims.insert(dims.begin(), random_.between(1, 3));
      return builder_.broadcast_to(a, Shape(dims));
    }
    case OpKind::Reshape: {
      if (random_.chance(50)) return builder_.reshape(a, {shape.element_count()});
      Ints dims = shape.dims();
      dims.insert(dims.begin() + random_.between(0, rank), 1);
      return builder_.reshape(a, Shape(dims));
    }
    case OpKind::Concat: {
      if (rank == 0) return builder_.reshape(a, {1});
      const std::vector<ValueId> parts = {a, pick_like(builder_.type(a)), a};
      return builder_.add(kind, parts, {{"axis", random_.between(0, rank - 1)}});
    }
    case OpKind::Slice: {
      Ints start, limit, stride;
      for (int64_t size : shape) {
        start.push_back(random_.chance(60) ? 0 : random_.between(0, size / 2));
        limit.push_back(random_.chance(60) ? size : random_.between(start.back(), size));
        stride.push_back(random_.chance(70) ? 1 : random_.between(1, 3));
      }
      return builder_.add(kind, {a}, {{"start", start}, {"limit", limit}, {"stride", stride}});
    }
    case OpKind::CumulativeSum:
    case OpKind::ArgSort: {
      if (rank == 0) return a;
      if (kind == OpKind::ArgSort)
        return builder_.add(kind, {a}, {{"descending", random_.chance(50)}});
      return builder_.add(kind, {tamed(kind, a)},
                          {{"reverse", random_.chance(50)}, {"exclusive", random_.chance(50)}});
    }
    default:
      break;
  }
  if (op_class(kind) != OpClass::Reduction) return grow_case(kind, builder_.dtype(a));
  const bool keeps = random_.chance(50);
  const ValueId reduced = builder_.reduce(kind, tamed(kind, a), some_axes(rank), keeps);
  if (!keeps || builder_.dtype(reduced) != builder_.dtype(a) || random_.chance(50)) return reduced;
  const ValueId repeated = builder_.broadcast_to(reduced, shape);
  return builder_.add(random_.chance(50) ? OpKind::Sub : OpKind::Maximum, {a, repeated});
}

/// activation(a . kernel + bias), as layers have it.
ValueId GraphGrower::grow_dense() {
  const ValueId a = pick_float();
  const Shape shape = builder_.shape(a);
  if (shape.rank() == 0) return builder_.mul(a, a);
  const int64_t width = shape[shape.rank() - 1];
  const int64_t units = random_.pick<int64_t>({1, 2, 5, 16, 17, 33});
  const DType dtype = builder_.dtype(a);
  if (shape.element_count() / std::max<int64_t>(width, 1) * units > 4 * max_elements_) return a;
  const ValueId kernel = pick_like({dtype, {width, units}});
  ValueId y = builder_.add(OpKind::Dot, {a, kernel},
                           {{"lhs_batch", Ints{}},
                            {"rhs_batch", Ints{}},
                            {"lhs_contract", Ints{shape.rank() - 1}},
                            {"rhs_contract", Ints{0}}});
  if (random_.chance(60))
    y = builder_.add(y, builder_.broadcast_to(pick_like({dtype, {units}}), builder_.shape(y)));
  if (random_.chance(30)) return y;
  if (random_.chance(30)) return builder_.add(OpKind::Maximum, {y, builder_.fill_like(y, 0)});
  return builder_.add(random_.chance(50) ? OpKind::Tanh : OpKind::Sigmoid, {y});
}

/// exp(a - max) / sum(exp(a - max)) along an axis, or (a - mean) / sqrt(variance + 0.1).
ValueId GraphGrower::grow_softmax() {
  const ValueId a = pick_float();
  const Shape shape = builder_.shape(a);
  if (shape.rank() == 0) return builder_.neg(a);
  const Ints axes{random_.between(0, shape.rank() - 1)};
  const auto spread = [&](OpKind kind, ValueId value) {
    return builder_.broadcast_to(builder_.reduce(kind, value, axes, true), shape);
  };
  if (random_.chance(50)) {
    const ValueId powers = builder_.add(OpKind::Exp, {builder_.sub(a, spread(OpKind::Max, a))});
    return builder_.div(powers, spread(OpKind::Sum, powers));
  }
  const ValueId centred = builder_.sub(a, spread(OpKind::Mean, a));
  const ValueId variance = spread(OpKind::Mean, builder_.mul(centred, centred));
  return builder_.div(
      centred, builder_.add(OpKind::Sqrt, {builder_.add(variance, builder_.fill_like(a, 0.1))}));
}

/// Movements of movements: of one tensor, or of what elementwise ops made of it between them.
ValueId GraphGrower::grow_view() {
  ValueId view = pick();
  for (int attempt = 0; attempt < 6 && builder_.shape(view).rank() < 2; ++attempt) view = pick();
  for (int64_t movements = random_.between(2, 5); movements > 0; --movements) {
    const OpKind kind =
        random_.pick<OpKind>({OpKind::Slice, OpKind::Slice, OpKind::Slice, OpKind::Reverse,
                              OpKind::Transpose, OpKind::Reshape, OpKind::Broadcast});
    if (kind == OpKind::Broadcast &&
        (builder_.shape(view).rank() > 4 || builder_.shape(view).element_count() > max_elements_))
      continue;
    view = grow_natural(kind, view);
    if (random_.chance(15) && builder_.dtype(view) != DType::Bool)
      view = builder_.add(OpKind::Abs, {view});
  }
  return view;
}

ValueId GraphGrower::grow_draw() {
  if (!counters_) return grow_case(OpKind::Iota, DType::F32);
  return builder_.add(OpKind::Random, {counters_->first, counters_->second},
                      {{"shape", odd_shape(random_, max_elements_).dims()},
                       {"dtype", random_.chance(75) ? DType::F32 : DType::F64},
                       {"stream", random_.between(-99, 99)}});
}

/// Rounds over values of the pool; the body is grown from what a round reads.
void GraphGrower::grow_scan() {
  ops::ScanForm form;
  form.length = random_.pick<int64_t>({0, 1, 2, 2, 3, 4, 7});
  form.reverse = random_.chance(50);
  form.carries = static_cast<size_t>(random_.between(0, 2));
  form.sequences = static_cast<size_t>(random_.between(0, 2));
  std::vector<ValueId> operands;
  std::vector<Type> elements;
  for (size_t i = 0; i < form.carries; ++i) operands.push_back(pick());
  for (ValueId operand : operands) elements.push_back(builder_.type(operand));
  for (size_t i = 0; i < form.sequences; ++i) {
    elements.push_back(
        builder_.type(random_.chance(60) && i == 0 && form.carries > 0 ? operands[0] : pick()));
    Ints dims{form.length};
    dims.insert(dims.end(), elements.back().shape.begin(), elements.back().shape.end());
    operands.push_back(pick_like({elements.back().dtype, Shape(dims)}));
  }
  for (int64_t constants = random_.between(0, 3); constants > 0; --constants) {
    operands.push_back(pick());
    elements.push_back(builder_.type(operands.back()));
  }
  const bool draws = counters_ && random_.chance(30);
  if (draws) {
    operands.insert(operands.end(), {counters_->first, counters_->second});
    elements.insert(elements.end(), 2, {DType::I64, {}});
  }
  GraphBuilder body("round", GraphMode::Body);
  GraphGrower rounds(random_, body, max_elements_, depth_ + 1, stays_small_);
  std::vector<ValueId> inputs;
  for (const Type& type : elements) {
    inputs.push_back(body.input(InputKind::Operand, fmt::format("a{}", inputs.size()), type));
    rounds.offer(inputs.back());
  }
  if (draws) rounds.offer_counters(inputs[inputs.size() - 2], inputs.back());
  if (rounds.pool_.empty()) rounds.offer(body.fill({DType::F32, {}}, 1));
  for (int64_t nodes = random_.between(1, depth_ == 0 ? 7 : 4); nodes > 0; --nodes) rounds.grow();
  const auto output = [&](ValueId value) {
    body.output(OutputKind::Result, fmt::format("r{}", body.graph().outputs().size()), value);
  };
  for (size_t i = 0; i < form.carries; ++i) {
    ValueId next = rounds.pick_like(elements[i]);
    if (stays_small_ && is_float(elements[i].dtype)) next = body.add(OpKind::Tanh, {next});
    output(next);
  }
  int64_t collected = random_.between(form.carries == 0 ? 1 : 0, 3);
  for (; collected > 0; --collected) output(rounds.pick());
  if (form.carries > 0 && random_.chance(40)) output(body.graph().outputs()[0].value);
  if (form.carries > 0 && random_.chance(25)) output(inputs[0]);
  form.body = std::make_shared<const Graph>(std::move(body).build());
  for (ValueId result : builder_.add_node(OpKind::Scan, operands, ops::scan_attrs(form)))
    offer(result);
}

void GraphGrower::grow_gradient() {
  std::vector<ValueId> operands{total(tamed(OpKind::Mul, pick_float()))};
  for (int64_t count = random_.between(1, 2); count > 0; --count) operands.push_back(pick_float());
  for (ValueId gradient : builder_.add_node(OpKind::Gradient, operands)) offer(gradient);
}

}  // namespace gradc::testing
