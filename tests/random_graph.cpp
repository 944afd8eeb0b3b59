// Grows a graph node by node from a pool of values.
#include "tests/random_graph.h"

#include <numeric>

namespace gradc::testing {
namespace {

using Ints = std::vector<int64_t>;

class Grower {
 public:
  Grower(uint64_t seed, const RandomGraphOptions& options)
      : random_(seed),
        options_(options),
        builder_(fmt::format("random {}", seed), GraphMode::Run) {}

  Graph grow() {
    declare_inputs();
    for (int i = 0; i < options_.nodes; ++i) {
      builder_.set_origin(std::make_shared<const Origin>(
          Origin{"random.grad", i + 1, 1, random_.chance(20) ? "gradient of x" : ""}));
      grow_node();
    }
    declare_outputs();
    return std::move(builder_).build();
  }

 private:
  void declare_inputs() {
    const Shape shared = random_shape(random_, options_.max_elements);
    const Type counter{DType::I64, {}};
    for (int i = 0; i < 4; ++i) {
      const Shape shape = i < 2 ? shared : random_shape(random_, options_.max_elements);
      const DType dtype = random_.chance(85) ? DType::F32 : DType::F64;
      const bool is_data = i == 3 && options_.discontinuous;
      const Type type{
          is_data ? random_.pick<DType>({DType::Bool, DType::U8, DType::I32, DType::I64}) : dtype,
          shape};
      pool_.push_back(builder_.input(is_data ? InputKind::Data : InputKind::Parameter,
                                     fmt::format("x{}", i), type));
    }
    seed_ = builder_.input(InputKind::Seed, "seed", counter);
    step_ = builder_.input(InputKind::Step, "step", counter);
  }

  void declare_outputs() {
    const std::vector<int32_t> users = count_users(builder_.graph());
    std::vector<ValueId> ends;
    for (size_t i = builder_.graph().inputs().size(); i < users.size(); ++i)
      if (users[i] == 0) ends.push_back(static_cast<ValueId>(i));
    builder_.set_origin(nullptr);
    for (size_t i = 0; i < ends.size(); ++i)
      builder_.output(OutputKind::Output, fmt::format("y{}", i), ends[i]);
    if (!options_.with_loss) return;
    ValueId loss = builder_.constant(Tensor::scalar(DType::F64, 0));
    for (ValueId end : ends) {
      if (!is_float(builder_.dtype(end))) continue;
      Ints axes(static_cast<size_t>(builder_.shape(end).rank()));
      std::iota(axes.begin(), axes.end(), 0);
      const ValueId sum = builder_.reduce(OpKind::Sum, builder_.convert(end, DType::F64), axes);
      loss = builder_.add(loss, sum);
    }
    builder_.output(OutputKind::Loss, "loss", loss);
  }

  ValueId pick() { return random_.pick(pool_); }

  /// A float of the pool, or one made from a value of it; values stay in a moderate range.
  ValueId pick_float() {
    const ValueId value = pick();
    return is_float(builder_.dtype(value)) ? value : builder_.convert(value, DType::F32);
  }

  /// A value of exactly this type: from the pool if it has one, else made.
  ValueId pick_like(const Type& wanted) {
    const Type type = wanted;
    std::vector<ValueId> fitting;
    for (ValueId value : pool_)
      if (builder_.type(value) == type) fitting.push_back(value);
    if (!fitting.empty() && random_.chance(80)) return random_.pick(fitting);
    const Shape suffix(random_.chance(50) || type.shape.rank() == 0
                           ? Ints{}
                           : Ints{type.shape[type.shape.rank() - 1]});
    return builder_.broadcast_to(builder_.constant(random_tensor(random_, {type.dtype, suffix})),
                                 type.shape);
  }

  void grow_node() {
    switch (random_.between(0, 11)) {
      case 0:
      case 1:
        return keep(grow_unary());
      case 2:
      case 3:
      case 4:
        return keep(grow_binary());
      case 5:
      case 6:
        return keep(grow_movement());
      case 7:
      case 8:
        return keep(grow_reduction());
      case 9:
        return keep(random_.chance(70) ? grow_dot() : grow_convolution());
      case 10:
        return keep(grow_index());
      default:
        return keep(options_.discontinuous ? grow_discontinuous() : grow_leaf());
    }
  }

  void keep(ValueId value) {
    if (builder_.shape(value).element_count() <= 16 * options_.max_elements) pool_.push_back(value);
  }

  ValueId grow_unary() {
    const ValueId a = pick_float();
    if (random_.chance(15))
      return builder_.convert(a, builder_.dtype(a) == DType::F32 ? DType::F64 : DType::F32);
    if (random_.chance(10)) return builder_.add(OpKind::StopGradient, {a});
    const OpKind kind =
        random_.pick<OpKind>({OpKind::Neg, OpKind::Abs, OpKind::Sin, OpKind::Cos, OpKind::Tanh,
                              OpKind::Erf, OpKind::Erfc, OpKind::Sigmoid, OpKind::Exp,
                              OpKind::Expm1, OpKind::Log1p, OpKind::Sqrt, OpKind::Log});
    ValueId operand = a;
    if (kind == OpKind::Exp || kind == OpKind::Expm1) operand = builder_.add(OpKind::Tanh, {a});
    if (kind == OpKind::Log1p) operand = builder_.add(OpKind::Sigmoid, {a});
    if (kind == OpKind::Sqrt || kind == OpKind::Log)
      operand = builder_.add(builder_.add(OpKind::Abs, {a}), builder_.fill_like(a, 0.5));
    return builder_.add(kind, {operand});
  }

  ValueId grow_binary() {
    const ValueId a = pick_float();
    const ValueId b = pick_like(builder_.type(a));
    switch (random_.between(0, 6)) {
      case 0:
        return builder_.add(a, b);
      case 1:
        return builder_.sub(a, b);
      case 2:
        return builder_.mul(builder_.add(OpKind::Tanh, {a}), b);
      case 3:
        return builder_.div(a,
                            builder_.add(builder_.add(OpKind::Abs, {b}), builder_.fill_like(b, 1)));
      case 4:
        return builder_.add(OpKind::Maximum, {a, b});
      case 5:
        return builder_.add(OpKind::Minimum, {a, b});
      default: {
        const ValueId base =
            builder_.add(builder_.add(OpKind::Sigmoid, {a}), builder_.fill_like(a, 0.5));
        return builder_.add(OpKind::Pow, {base, builder_.add(OpKind::Tanh, {b})});
      }
    }
  }

  ValueId grow_movement() {
    const OpKind kind =
        random_.pick<OpKind>({OpKind::Reshape, OpKind::Transpose, OpKind::Broadcast, OpKind::Slice,
                              OpKind::Reverse, OpKind::Pad, OpKind::Concat, OpKind::Windows});
    const ValueId a = pick();
    const Shape shape = builder_.shape(a);
    if (kind == OpKind::Concat) {
      if (shape.rank() == 0) return builder_.reshape(a, {1});
      const std::vector<ValueId> parts = {a, pick_like(builder_.type(a)), a};
      return builder_.add(kind, parts, {{"axis", random_.between(0, shape.rank() - 1)}});
    }
    if (kind == OpKind::Broadcast) {
      Ints dims = shape.dims();
      dims.insert(dims.begin(), random_.between(1, 3));
      return builder_.broadcast_to(a, Shape(dims));
    }
    return grow_movement_of(kind, a);
  }

  /// Draws cases until one has attributes for a tensor of this rank.
  ValueId grow_movement_of(OpKind kind, ValueId a) {
    const Shape shape = builder_.shape(a);
    Ints axes(static_cast<size_t>(shape.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    if (kind == OpKind::Reshape) return builder_.reshape(a, {shape.element_count()});
    if (kind == OpKind::Transpose) {
      random_.shuffle(axes);
      return builder_.transpose(a, axes);
    }
    if (kind == OpKind::Reverse) {
      axes.resize(static_cast<size_t>(random_.between(0, shape.rank())));
      return builder_.add(kind, {a}, {{"axes", axes}});
    }
    if (kind == OpKind::Windows) return grow_windows(a);
    Ints low, high, start, limit, stride;
    for (int64_t size : shape) {
      low.push_back(random_.between(0, 2));
      high.push_back(random_.between(0, 2));
      start.push_back(random_.between(0, size / 2));
      limit.push_back(random_.between(start.back(), size));
      stride.push_back(random_.between(1, 2));
    }
    if (kind == OpKind::Slice)
      return builder_.add(kind, {a}, {{"start", start}, {"limit", limit}, {"stride", stride}});
    const ValueId fill = builder_.constant(random_tensor(random_, {builder_.dtype(a), {}}));
    return builder_.add(kind, {a, fill}, {{"low", low}, {"high", high}});
  }

  /// Windows of one axis, sometimes summed back or pooled.
  ValueId grow_windows(ValueId a) {
    const Shape shape = builder_.shape(a);
    if (shape.rank() == 0) return a;
    const int64_t axis = random_.between(0, shape.rank() - 1);
    const int64_t length = shape[axis];
    if (length == 0) return a;
    const int64_t size = random_.between(1, std::min<int64_t>(3, length));
    const Ints stride{random_.chance(60) ? size : random_.between(1, 3)};
    const ValueId windows = builder_.add(
        OpKind::Windows, {a},
        {{"axes", Ints{axis}}, {"size", Ints{size}}, {"stride", stride}, {"dilation", Ints{1}}});
    if (!is_float(builder_.dtype(a)) || random_.chance(30)) return windows;
    if (random_.chance(50)) return builder_.reduce(OpKind::Max, windows, {axis + 1});
    return builder_.add(OpKind::FoldWindows, {builder_.mul(windows, windows)},
                        {{"axes", Ints{axis}},
                         {"length", Ints{length}},
                         {"stride", stride},
                         {"dilation", Ints{1}}});
  }

  Ints some_axes(const Shape& shape) {
    Ints axes;
    for (int64_t axis = 0; axis < shape.rank(); ++axis)
      if (random_.chance(60)) axes.push_back(axis);
    return axes;
  }

  ValueId grow_reduction() {
    const ValueId a = pick_float();
    const Ints axes = some_axes(builder_.shape(a));
    const OpKind kind =
        random_.pick<OpKind>({OpKind::Sum, OpKind::Mean, OpKind::Max, OpKind::Min, OpKind::Prod});
    const bool keep_axes = random_.chance(50);
    for (int64_t axis : axes)
      if (builder_.shape(a)[axis] == 0 && kind != OpKind::Sum && kind != OpKind::Prod)
        return builder_.reduce(OpKind::Sum, a, axes, keep_axes);
    const ValueId operand = kind == OpKind::Prod ? builder_.add(OpKind::Cos, {a}) : a;
    const ValueId reduced = builder_.reduce(kind, operand, axes, keep_axes);
    return random_.chance(50) && keep_axes
               ? builder_.sub(a, builder_.broadcast_to(reduced, Shape(builder_.shape(a))))
               : reduced;
  }

  /// A convolution of the elements in a row with a constant kernel, or a derivative of it.
  ValueId grow_convolution() {
    const ValueId a = pick_float();
    const int64_t length = builder_.shape(a).element_count();
    if (length < 3 || length > 200) return a;
    const ValueId x = builder_.reshape(a, {1, length, 1});
    const ValueId kernel =
        builder_.constant(random_tensor(random_, {builder_.dtype(a), {3, 1, 2}}, -1, 1));
    Attrs attrs{{"stride", Ints{random_.between(1, 2)}},
                {"low", Ints{random_.between(0, 1)}},
                {"high", Ints{random_.between(0, 1)}},
                {"dilation", Ints{1}},
                {"groups", int64_t{1}}};
    const ValueId y = builder_.add(OpKind::Conv, {x, kernel}, attrs);
    if (random_.chance(40)) return y;
    if (random_.chance(50)) {
      attrs.set("size", Ints{length});
      return builder_.add(OpKind::ConvInput, {builder_.add(OpKind::Tanh, {y}), kernel}, attrs);
    }
    attrs.set("size", Ints{3});
    return builder_.add(OpKind::ConvKernel, {x, builder_.add(OpKind::Tanh, {y})}, attrs);
  }

  ValueId grow_dot() {
    const ValueId a = pick_float();
    const Type type = builder_.type(a);
    const int64_t rank = type.shape.rank();
    if (rank == 0) return builder_.mul(a, a);
    const int64_t contracted = random_.between(0, rank - 1);
    const bool has_batch = rank > 1 && random_.chance(30);
    const int64_t batch = contracted == 0 ? rank - 1 : 0;
    Ints dims = {type.shape[contracted], random_.pick<int64_t>({1, 3, 17})};
    if (has_batch) dims.insert(dims.begin(), type.shape[batch]);
    const ValueId b = pick_like({type.dtype, Shape(dims)});
    return builder_.add(OpKind::Dot, {a, b},
                        {{"lhs_batch", has_batch ? Ints{batch} : Ints{}},
                         {"rhs_batch", has_batch ? Ints{0} : Ints{}},
                         {"lhs_contract", Ints{contracted}},
                         {"rhs_contract", Ints{has_batch ? 1 : 0}}});
  }

  ValueId grow_index() {
    const ValueId a = pick_float();
    const Shape shape = builder_.shape(a);
    if (shape.rank() == 0) return builder_.reshape(a, {1, 1});
    if (random_.chance(20))
      return builder_.add(OpKind::CumulativeSum, {builder_.add(OpKind::Tanh, {a})},
                          {{"reverse", random_.chance(50)}, {"exclusive", random_.chance(50)}});
    const int64_t axis = random_.between(0, shape.rank() - 1);
    if (shape[axis] == 0) return builder_.add(OpKind::Abs, {a});
    Tensor indices(random_.pick<DType>({DType::I32, DType::I64}), {random_.between(1, 5)});
    for (int64_t i = 0; i < indices.size(); ++i)
      indices.set(i, static_cast<double>(random_.between(0, shape[axis] - 1)));
    const ValueId at = builder_.constant(indices);
    const Attrs attrs{{"axis", axis}};
    const ValueId gathered = builder_.add(OpKind::Gather, {a, at}, attrs);
    if (random_.chance(50)) return gathered;
    return builder_.add(OpKind::ScatterAdd, {a, at, gathered}, attrs);
  }

  ValueId grow_leaf() {
    const Shape shape = random_shape(random_, options_.max_elements);
    if (random_.chance(50)) {
      const ValueId draw = builder_.add(
          OpKind::Random, {seed_, step_},
          {{"shape", shape.dims()}, {"dtype", DType::F32}, {"stream", random_.between(0, 99)}});
      return draw;
    }
    if (shape.rank() == 0) return builder_.fill({DType::F32, shape}, 0.25);
    return builder_.add(OpKind::Iota, {},
                        {{"shape", shape.dims()},
                         {"axis", random_.between(0, shape.rank() - 1)},
                         {"dtype", DType::F32}});
  }

  ValueId grow_discontinuous() {
    const ValueId a = pick();
    const Type type = builder_.type(a);
    if (type.dtype == DType::Bool) {
      const ValueId b = pick_like(type);
      if (random_.chance(30)) return builder_.add(OpKind::Not, {a});
      return builder_.add(random_.pick<OpKind>({OpKind::And, OpKind::Or, OpKind::Equal}), {a, b});
    }
    switch (random_.between(0, 5)) {
      case 5:
        if (type.shape.rank() == 0) return builder_.add(OpKind::Sign, {a});
        return builder_.add(OpKind::ArgSort, {a}, {{"descending", random_.chance(50)}});
      case 0:
        return builder_.add(
            random_.pick<OpKind>({OpKind::Less, OpKind::LessEqual, OpKind::Greater,
                                  OpKind::GreaterEqual, OpKind::Equal, OpKind::NotEqual}),
            {a, pick_like(type)});
      case 1:
        return builder_.add(
            random_.pick<OpKind>({OpKind::Floor, OpKind::Ceil, OpKind::Round, OpKind::Sign}), {a});
      case 2:
        return builder_.add(random_.pick<OpKind>({OpKind::FloorDiv, OpKind::Mod}),
                            {a, pick_like(type)});
      case 3: {
        const ValueId condition = builder_.add(OpKind::Less, {a, pick_like(type)});
        return builder_.select(condition, a, pick_like(type));
      }
      default:
        return builder_.reduce(random_.chance(50) ? OpKind::ArgMax : OpKind::ArgMin, a,
                               some_axes(type.shape));
    }
  }

  RandomSource random_;
  RandomGraphOptions options_;
  GraphBuilder builder_;
  std::vector<ValueId> pool_;
  ValueId seed_{};
  ValueId step_{};
};

}  // namespace

Graph random_graph(uint64_t seed, const RandomGraphOptions& options) {
  return Grower(seed, options).grow();
}

double tolerance_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return 1e-10;
    case DType::F32:
      return 5e-4;
    case DType::F16:
      return 3e-2;
    case DType::BF16:
      return 2e-1;
    default:
      return 0;
  }
}

double tolerance_of(const Graph& graph) {
  double tolerance = 0;
  for (uint32_t v = 0; v < graph.value_count(); ++v)
    tolerance = std::max(tolerance, tolerance_of(graph.type(static_cast<ValueId>(v)).dtype));
  return tolerance;
}

std::vector<Tensor> random_inputs(const Graph& graph, uint64_t seed) {
  RandomSource random(seed);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    inputs.push_back(random_tensor(random, graph.type(Graph::input_value(i))));
  return inputs;
}

}  // namespace gradc::testing
