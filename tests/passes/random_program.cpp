// Random typed graphs that rewrite rules like to apply to.
#include "random_program.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "ir/op.h"

namespace gradc {
namespace {

using Ints = std::vector<int64_t>;

constexpr int64_t kMaxElements = 400;

constexpr OpKind kUnary[] = {OpKind::Neg,  OpKind::Neg,     OpKind::Abs,   OpKind::Tanh,
                             OpKind::Exp,  OpKind::Sigmoid, OpKind::Floor, OpKind::Sqrt,
                             OpKind::Sign, OpKind::Log1p,   OpKind::Sin,   OpKind::Erf};
constexpr OpKind kBinary[] = {OpKind::Add, OpKind::Sub,     OpKind::Mul,     OpKind::Div,
                              OpKind::Add, OpKind::Maximum, OpKind::Minimum, OpKind::Mul};
constexpr OpKind kCompare[] = {OpKind::Equal,     OpKind::NotEqual, OpKind::Less,
                               OpKind::LessEqual, OpKind::Greater,  OpKind::GreaterEqual};
constexpr OpKind kReduce[] = {OpKind::Sum,  OpKind::Max,    OpKind::Min,
                              OpKind::Prod, OpKind::ArgMax, OpKind::ArgMin};
constexpr double kNumbers[] = {0, -0.0, 1, -1, 2, 0.5, 4, 3};

size_t at(int64_t position) { return static_cast<size_t>(position); }

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed), builder_("random", GraphMode::Run) {}

  RandomProgram run(int nodes, bool with_gradient) {
    const Shape shapes[] = {{4, 6}, {6}, {1, 6}, {4, 1}, {}, {2, 3, 4}, {6, 4}};
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) add_input({DType::F32, shape}, inputs);
    add_input({DType::I32, {4, 6}}, inputs);
    add_input({DType::U8, {6}}, inputs);
    const size_t input_count = inputs.size();
    for (int k = 0; k < nodes; ++k) add_random_node();
    if (with_gradient) add_gradient(input_count);
    for (int k = 0; k < 4; ++k) {
      const auto first = static_cast<int64_t>(input_count);
      const auto last = static_cast<int64_t>(builder_.graph().value_count()) - 1;
      builder_.output(OutputKind::Output, fmt::format("y{}", k),
                      static_cast<ValueId>(between(first, last)));
    }
    return {std::move(builder_).build(), std::move(inputs)};
  }

 private:
  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  template <size_t N>
  OpKind pick(const OpKind (&kinds)[N]) {
    return kinds[at(between(0, static_cast<int64_t>(N) - 1))];
  }
  const Type& type(ValueId value) { return builder_.type(value); }

  void add_input(const Type& type, std::vector<Tensor>& inputs) {
    builder_.input(InputKind::Data, fmt::format("x{}", inputs.size()), type);
    Tensor tensor(type);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      tensor.set(i, is_float(type.dtype) ? static_cast<double>(between(-16, 16)) / 4
                                         : static_cast<double>(between(0, 5)));
    }
    inputs.push_back(std::move(tensor));
  }

  ValueId any() {
    return static_cast<ValueId>(
        between(0, static_cast<int64_t>(builder_.graph().value_count()) - 1));
  }
  template <typename Accept>
  std::optional<ValueId> any(Accept accept) {
    for (int attempt = 0; attempt < 30; ++attempt) {
      const ValueId value = any();
      if (accept(type(value))) return value;
    }
    return {};
  }
  std::optional<ValueId> any_float() {
    return any([](const Type& type) { return type.dtype == DType::F32; });
  }
  std::optional<ValueId> any_number() {
    return any([](const Type& type) { return type.dtype != DType::Bool; });
  }
  /// A value of this type: an old one or a constant.
  ValueId partner(const Type& wanted) {
    const Type copy = wanted;
    if (between(0, 2) > 0) {
      if (const auto found = any([&](const Type& type) { return type == copy; })) return *found;
    }
    return builder_.fill(copy, copy.dtype == DType::Bool ? static_cast<double>(between(0, 1))
                                                         : kNumbers[between(0, 7)]);
  }

  void add_random_node() {
    switch (between(0, 11)) {
      case 0:
        if (const auto a = any_float()) builder_.add(pick(kUnary), {*a});
        break;
      case 1:
      case 2:
      case 3:
        if (const auto a = any_float()) add_binary(*a);
        break;
      case 4:
        if (const auto a = any_number()) add_comparison(*a);
        break;
      case 5:
        add_select(any());
        break;
      case 6:
        add_conversion();
        break;
      case 7:
      case 8:
        add_movement(any());
        break;
      case 9:
        if (const auto a = any_number()) add_reduction(*a);
        break;
      case 10:
        add_join(any());
        break;
      case 11:
        add_product();
        break;
    }
  }

  void add_binary(ValueId a) {
    const ValueId b = partner(type(a));
    const bool is_swapped = between(0, 1) == 1;
    const bool is_negated = between(0, 9) == 0;
    const ValueId left = is_negated ? builder_.neg(a) : a;
    const ValueId right = is_negated ? builder_.neg(b) : b;
    builder_.add(pick(kBinary), {is_swapped ? right : left, is_swapped ? left : right});
  }

  void add_comparison(ValueId a) {
    ValueId truth = builder_.add(pick(kCompare), {a, partner(type(a))});
    for (int64_t k = between(0, 2); k > 0; --k) truth = builder_.add(OpKind::Not, {truth});
    if (between(0, 2) == 0) {
      const ValueId other = partner(type(truth));
      builder_.add(between(0, 1) == 1 ? OpKind::And : OpKind::Or, {truth, other});
    }
  }

  void add_select(ValueId a) {
    const ValueId condition = partner({DType::Bool, type(a).shape});
    const ValueId b = partner(type(a));
    builder_.select(condition, a, b);
  }

  void add_conversion() {
    constexpr DType kDTypes[] = {DType::F32, DType::F64, DType::BF16, DType::F16};
    const auto a = any([](const Type& type) { return !is_float(type.dtype) || between_ok(type); });
    if (!a) return;
    const ValueId wide = builder_.convert(*a, kDTypes[between(0, 3)]);
    builder_.add(OpKind::Convert, {wide}, {{"dtype", DType::F32}});
  }
  static bool between_ok(const Type& type) { return type.dtype == DType::F32; }

  Ints shuffled_axes(int64_t rank) {
    Ints axes(at(rank));
    std::iota(axes.begin(), axes.end(), 0);
    std::shuffle(axes.begin(), axes.end(), random_);
    return axes;
  }

  void add_movement(ValueId a) {
    const Shape shape = type(a).shape;
    const int64_t rank = shape.rank();
    switch (between(0, 6)) {
      case 0: {
        Ints dims = shape.dims();
        if (between(0, 3) > 0) dims.insert(dims.begin() + between(0, rank), 1);
        builder_.add(OpKind::Reshape, {a}, {{"shape", dims}});
        break;
      }
      case 1:
        builder_.reshape(a, Shape{shape.element_count()});
        break;
      case 2:
        builder_.add(OpKind::Transpose, {a}, {{"permutation", shuffled_axes(rank)}});
        break;
      case 3:
        add_broadcast(a);
        break;
      case 4:
        add_slice(a);
        break;
      case 5:
        if (rank > 0) builder_.add(OpKind::Reverse, {a}, {{"axes", Ints{between(0, rank - 1)}}});
        break;
      case 6:
        if (rank > 0) add_windows(a, between(0, rank - 1));
        break;
    }
  }

  void add_broadcast(ValueId a) {
    const Shape shape = type(a).shape;
    if (shape.rank() > 3) return;
    Ints axes = shuffled_axes(shape.rank() + 1);
    Ints dims(axes.size(), between(1, 3));
    axes.pop_back();
    if (between(0, 2) > 0) std::sort(axes.begin(), axes.end());
    for (int64_t k = 0; k < shape.rank(); ++k) {
      dims[at(axes[at(k)])] = shape[k] == 1 ? between(1, 4) : shape[k];
    }
    if (Shape(dims).element_count() <= kMaxElements) builder_.broadcast(a, Shape(dims), axes);
  }

  /// Windows of an axis, and sometimes their sum back.
  void add_windows(ValueId a, int64_t axis) {
    const Shape shape = type(a).shape;
    const int64_t length = shape[axis];
    if (length == 0 || shape.rank() > 4) return;
    const int64_t size = between(1, std::min<int64_t>(3, length));
    const Ints stride{between(0, 2) > 0 ? size : between(1, 3)};
    const Ints ones{1};
    const ValueId windows = builder_.add(
        OpKind::Windows, {a},
        {{"axes", Ints{axis}}, {"size", Ints{size}}, {"stride", stride}, {"dilation", ones}});
    if (type(a).dtype == DType::Bool || between(0, 1) == 0) return;
    builder_.add(
        OpKind::FoldWindows, {windows},
        {{"axes", Ints{axis}}, {"length", Ints{length}}, {"stride", stride}, {"dilation", ones}});
  }

  void add_slice(ValueId a) {
    Ints start;
    Ints limit;
    Ints stride;
    for (int64_t dim : Shape(type(a).shape)) {
      start.push_back(between(0, std::max<int64_t>(0, dim / 2)));
      limit.push_back(between(start.back(), dim));
      if (between(0, 1) == 1) limit.back() = dim;
      stride.push_back(between(1, 2));
    }
    builder_.add(OpKind::Slice, {a}, {{"start", start}, {"limit", limit}, {"stride", stride}});
  }

  /// Sums of positive zeros: the sum of a single -0 is +0.
  void add_reduction(ValueId a) {
    const Shape shape = type(a).shape;
    Ints axes = shuffled_axes(shape.rank());
    const OpKind kind = pick(kReduce);
    if (between(0, 3) > 0) axes.resize(at(between(0, static_cast<int64_t>(axes.size()))));
    if (kind == OpKind::Sum) a = builder_.add(OpKind::Abs, {a});
    builder_.add(kind, {a}, {{"axes", axes}});
  }

  void add_join(ValueId a) {
    const Shape shape = type(a).shape;
    if (shape.rank() == 0 || shape.element_count() * 3 > kMaxElements) return;
    if (between(0, 4) == 0) return split_and_join(a, between(0, shape.rank() - 1));
    if (between(0, 1) == 1) {
      const int64_t axis = between(0, shape.rank() - 1);
      std::vector<ValueId> parts = {a, partner(type(a))};
      if (between(0, 2) == 0) {
        Ints dims = shape.dims();
        dims[at(axis)] = 0;
        parts.insert(parts.begin() + between(0, 2), builder_.fill({type(a).dtype, Shape(dims)}, 0));
      }
      builder_.add(OpKind::Concat, parts, {{"axis", axis}});
      return;
    }
    Ints low(at(shape.rank()), 0);
    Ints high = low;
    low[0] = between(0, 2);
    high[at(shape.rank() - 1)] = between(0, 1);
    const ValueId fill = builder_.constant(Tensor::scalar(type(a).dtype, 0));
    for (int64_t k = between(1, 2); k > 0; --k) {
      a = builder_.add(OpKind::Pad, {a, fill}, {{"low", low}, {"high", high}});
    }
  }

  /// concat(a[:k], a[k:]) on an axis.
  void split_and_join(ValueId a, int64_t axis) {
    const Ints dims = type(a).shape.dims();
    const Ints stride(dims.size(), 1);
    Ints middle = dims;
    middle[at(axis)] = between(0, dims[at(axis)]);
    Ints start(dims.size(), 0);
    const ValueId left =
        builder_.add(OpKind::Slice, {a}, {{"start", start}, {"limit", middle}, {"stride", stride}});
    start[at(axis)] = middle[at(axis)];
    const ValueId right =
        builder_.add(OpKind::Slice, {a}, {{"start", start}, {"limit", dims}, {"stride", stride}});
    builder_.add(OpKind::Concat, {left, right}, {{"axis", axis}});
  }

  void add_product() {
    const auto a = any_float();
    const auto b = any_float();
    if (!a || !b) return;
    const Shape left = type(*a).shape;
    const Shape right = type(*b).shape;
    if (left.rank() == 0 || right.rank() == 0 || left.rank() + right.rank() > 5) return;
    const int64_t i = between(0, left.rank() - 1);
    const int64_t j = between(0, right.rank() - 1);
    if (left[i] != right[j] || left[i] == 0) return;
    if (left.element_count() / left[i] * right.element_count() / right[j] > kMaxElements) return;
    const bool is_batch = between(0, 3) == 0;
    const Ints lhs{i};
    const Ints rhs{j};
    builder_.add(OpKind::Dot, {*a, *b},
                 {{"lhs_batch", is_batch ? lhs : Ints{}},
                  {"rhs_batch", is_batch ? rhs : Ints{}},
                  {"lhs_contract", is_batch ? Ints{} : lhs},
                  {"rhs_contract", is_batch ? Ints{} : rhs}});
  }

  void add_gradient(size_t input_count) {
    const auto a = any_float();
    if (!a) return;
    Ints axes = shuffled_axes(type(*a).shape.rank());
    std::vector<ValueId> operands = {builder_.reduce(OpKind::Sum, *a, axes)};
    for (size_t k = 0; k < input_count; ++k) {
      const ValueId input = Graph::input_value(k);
      if (is_float(type(input).dtype)) operands.push_back(input);
    }
    const std::vector<ValueId> gradients = builder_.add_node(OpKind::Gradient, operands);
    for (size_t k = 0; k < gradients.size(); ++k) {
      builder_.output(OutputKind::Gradient, fmt::format("x{}", k), gradients[k]);
    }
  }

  std::mt19937_64 random_;
  GraphBuilder builder_;
};

}  // namespace

RandomProgram random_program(uint64_t seed, int nodes, bool with_gradient) {
  return Generator(seed).run(nodes, with_gradient);
}

}  // namespace gradc
