// Chooses shapes, axes and values for each op.
#include "tests/random_op.h"

#include <limits>
#include <numeric>

#include "ir/ops/scalar.h"

namespace gradc::testing {
namespace {

using Ints = std::vector<int64_t>;

Ints all_axes(const Shape& shape) {
  Ints axes(static_cast<size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// Each axis with probability 1/2, in any order.
Ints some_axes(RandomSource& random, const Shape& shape) {
  Ints axes;
  for (int64_t axis : all_axes(shape))
    if (random.chance(50)) axes.push_back(axis);
  if (random.chance(30)) random.shuffle(axes);
  return axes;
}

Shape shape_with_axis(RandomSource& random, int64_t max_elements) {
  Shape shape = random_shape(random, max_elements);
  return shape.rank() == 0 ? Shape{random.between(1, 5)} : shape;
}

template <typename Row>
scalar::Domain row_domain() {
  if constexpr (requires { Row::facts; })
    return Row::facts.domain;
  else
    return scalar::Domain::Any;
}

scalar::Domain domain_of(OpKind kind) {
  constexpr scalar::Domain (*kDomains[])() = {
#define OP(Kind, text, op_class) &row_domain<scalar::Kind>,
#include "ir/ops.def"
  };
  return kDomains[static_cast<size_t>(kind)]();
}

OpCase elementwise_case(RandomSource& random, OpKind kind, const Type& type) {
  OpCase result;
  const int arity = op_info(kind).min_operands;
  for (int i = 0; i < arity; ++i) {
    const bool is_condition = kind == OpKind::Select && i == 0;
    const Type operand{is_condition ? DType::Bool : type.dtype, type.shape};
    const bool is_positive = kind == OpKind::Log || kind == OpKind::Sqrt ||
                             (kind == OpKind::Pow && i == 0) || (kind == OpKind::Div && i == 1) ||
                             kind == OpKind::Mod || kind == OpKind::FloorDiv;
    const double low = is_positive ? 0.3 : kind == OpKind::Log1p ? -0.8 : -2;
    result.operands.push_back(random_tensor(random, operand, low, 2));
  }
  if (kind == OpKind::Convert) {
    const bool to_float = is_float(type.dtype);
    result.attrs.set("dtype", to_float ? random.pick<DType>({DType::F32, DType::F64})
                                       : random.pick<DType>({DType::I64, DType::F32}));
  }
  return result;
}

OpCase broadcast_case(RandomSource& random, DType dtype, int64_t max_elements) {
  const Shape to = random_shape(random, max_elements);
  Ints axes = some_axes(random, to);
  Ints from;
  for (int64_t axis : axes) from.push_back(random.chance(30) ? 1 : to[axis]);
  return {{random_tensor(random, {dtype, Shape(from)})}, {{"shape", to.dims()}, {"axes", axes}}};
}

OpCase slice_case(RandomSource& random, const Type& type) {
  Ints start, limit, stride;
  for (int64_t size : type.shape) {
    start.push_back(random.between(0, size));
    limit.push_back(random.between(start.back(), size));
    if (random.chance(40)) {
      start.back() = 0;
      limit.back() = size;
    }
    stride.push_back(random.chance(60) ? 1 : random.between(1, 4));
  }
  return {{random_tensor(random, type)}, {{"start", start}, {"limit", limit}, {"stride", stride}}};
}

OpCase pad_case(RandomSource& random, const Type& type) {
  Ints low, high;
  for (int64_t axis = 0; axis < type.shape.rank(); ++axis) {
    low.push_back(random.chance(50) ? 0 : random.between(0, 3));
    high.push_back(random.chance(50) ? 0 : random.between(0, 3));
  }
  return {{random_tensor(random, type), random_tensor(random, {type.dtype, {}})},
          {{"low", low}, {"high", high}}};
}

OpCase concat_case(RandomSource& random, DType dtype, int64_t max_elements) {
  const Shape shape = shape_with_axis(random, max_elements / 3);
  const int64_t axis = random.between(0, shape.rank() - 1);
  OpCase result{{}, {{"axis", axis}}};
  for (int64_t count = random.between(1, 3); count > 0; --count) {
    Ints dims = shape.dims();
    dims[static_cast<size_t>(axis)] = random.between(0, std::max<int64_t>(1, shape[axis]));
    result.operands.push_back(random_tensor(random, {dtype, Shape(dims)}));
  }
  return result;
}

/// Windows that fit into some axes of a tensor, often side by side.
OpCase windows_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  const Shape shape = random_shape(random, max_elements / 4);
  Ints axes, length, size, stride, dilation, dims;
  for (int64_t axis : all_axes(shape)) {
    if (shape[axis] == 0 || axes.size() == 2 || random.chance(30)) {
      dims.push_back(shape[axis]);
      continue;
    }
    axes.push_back(axis);
    length.push_back(shape[axis]);
    size.push_back(random.between(1, std::min<int64_t>(3, shape[axis])));
    const bool is_partition = random.chance(40);
    const int64_t widest =
        size.back() == 1 ? 3 : std::min<int64_t>(3, (shape[axis] - 1) / (size.back() - 1));
    stride.push_back(is_partition ? size.back() : random.between(1, 3));
    dilation.push_back(is_partition ? 1 : random.between(1, widest));
    dims.push_back((shape[axis] - (size.back() - 1) * dilation.back() - 1) / stride.back() + 1);
    dims.push_back(size.back());
  }
  if (kind == OpKind::Windows)
    return {{random_tensor(random, {dtype, shape})},
            {{"axes", axes}, {"size", size}, {"stride", stride}, {"dilation", dilation}}};
  return {{random_tensor(random, {dtype, Shape(dims)})},
          {{"axes", axes}, {"length", length}, {"stride", stride}, {"dilation", dilation}}};
}

/// One to three spatial axes with all that can be asked of them.
OpCase convolution_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  const bool is_small = max_elements < 300;
  const int64_t groups = random.chance(60) ? 1 : random.between(2, 3);
  const bool is_short = !is_small && random.chance(20);  // see is_short_convolution
  const int64_t channels = random.between(1, is_small || is_short ? 2 : 9);
  const int64_t filters =
      is_short ? 16 : random.between(random.chance(90) ? 1 : 0, is_small ? 2 : 17);
  Ints x{random.between(random.chance(90) ? 1 : 0, 3)}, kernel, y{x[0]};
  Ints size, stride, low, high, dilation;
  for (int64_t rank = random.between(1, is_small ? 2 : 3); rank > 0; --rank) {
    kernel.push_back(random.between(1, 3));
    dilation.push_back(random.chance(70) ? 1 : random.between(1, 2));
    stride.push_back(random.chance(60) ? 1 : random.between(1, 3));
    low.push_back(random.chance(60) ? 0 : random.between(0, 2));
    high.push_back(random.chance(60) ? 0 : random.between(0, 2));
    const int64_t reach = (kernel.back() - 1) * dilation.back() + 1;
    const int64_t least = std::max<int64_t>(0, reach - low.back() - high.back());
    x.push_back(least + random.between(0, 4));
    y.push_back((x.back() + low.back() + high.back() - reach) / stride.back() + 1);
  }
  const Ints window = kernel;
  const Ints input(x.begin() + 1, x.end());
  x.push_back(channels * groups);
  y.push_back(filters * groups);
  kernel.push_back(channels);
  kernel.push_back(filters * groups);
  OpCase result;
  const auto add = [&](const Ints& dims) {
    result.operands.push_back(random_tensor(random, {dtype, Shape(dims)}, -1, 1));
  };
  add(kind == OpKind::ConvInput ? y : x);
  add(kind == OpKind::ConvKernel ? y : kernel);
  if (kind != OpKind::Conv) result.attrs.set("size", kind == OpKind::ConvInput ? input : window);
  result.attrs.set("stride", stride);
  result.attrs.set("low", low);
  result.attrs.set("high", high);
  result.attrs.set("dilation", dilation);
  result.attrs.set("groups", groups);
  return result;
}

OpCase movement_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  const Type type{dtype, random_shape(random, max_elements)};
  if (kind == OpKind::Broadcast) return broadcast_case(random, dtype, max_elements);
  if (kind == OpKind::Slice) return slice_case(random, type);
  if (kind == OpKind::Pad) return pad_case(random, type);
  if (kind == OpKind::Concat) return concat_case(random, dtype, max_elements);
  if (kind == OpKind::Windows) return windows_case(random, kind, dtype, max_elements);
  OpCase result{{random_tensor(random, type)}, {}};
  Ints axes = all_axes(type.shape);
  if (kind == OpKind::Reverse) {
    result.attrs.set("axes", some_axes(random, type.shape));
  } else if (kind == OpKind::Transpose) {
    random.shuffle(axes);
    result.attrs.set("permutation", axes);
  } else {
    const Ints dims = type.shape.dims();
    const std::vector<Ints> shapes = {{type.shape.element_count()},
                                      Ints(dims.rbegin(), dims.rend()),
                                      {1, type.shape.element_count(), 1}};
    result.attrs.set("shape", random.pick(shapes));
  }
  return result;
}

OpCase dot_case(RandomSource& random, DType dtype, int64_t max_elements) {
  const std::vector<int64_t> sizes =
      max_elements < 300 ? Ints{0, 1, 2, 3} : Ints{0, 1, 2, 3, 5, 16, 17};
  Ints left_sizes, right_sizes;
  Ints left_names, right_names;  // 0: free, 1 + n: pair n, negative: batch
  const int64_t batches = random.chance(40) ? random.between(1, 2) : 0;
  const int64_t contracted = random.chance(70) ? 1 : random.between(0, 2);
  for (int64_t n = 0; n < batches + contracted; ++n) {
    const int64_t size = n < batches ? random.between(0, 3) : random.pick(sizes);
    const int64_t axis_name = n < batches ? -1 - n : 1 + n;
    left_sizes.push_back(size), left_names.push_back(axis_name);
    right_sizes.push_back(size), right_names.push_back(axis_name);
  }
  for (int64_t n = random.between(0, 2); n > 0; --n)
    left_sizes.push_back(random.pick(sizes)), left_names.push_back(0);
  for (int64_t n = random.between(0, 2); n > 0; --n)
    right_sizes.push_back(random.pick(sizes)), right_names.push_back(0);
  const auto arrange = [&](Ints& side_sizes, Ints& names) {
    Ints order(names.size());
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(order);
    Ints new_sizes, new_names;
    for (int64_t i : order) {
      new_sizes.push_back(side_sizes[static_cast<size_t>(i)]);
      new_names.push_back(names[static_cast<size_t>(i)]);
    }
    side_sizes = new_sizes, names = new_names;
  };
  arrange(left_sizes, left_names);
  arrange(right_sizes, right_names);
  Attrs attrs;
  const auto position = [](const Ints& names, int64_t axis_name) {
    return std::find(names.begin(), names.end(), axis_name) - names.begin();
  };
  Ints lhs_batch, rhs_batch, lhs_contract, rhs_contract;
  for (int64_t n = 0; n < batches + contracted; ++n) {
    const int64_t axis_name = n < batches ? -1 - n : 1 + n;
    (n < batches ? lhs_batch : lhs_contract).push_back(position(left_names, axis_name));
    (n < batches ? rhs_batch : rhs_contract).push_back(position(right_names, axis_name));
  }
  return {{random_tensor(random, {dtype, Shape(left_sizes)}, -1, 1),
           random_tensor(random, {dtype, Shape(right_sizes)}, -1, 1)},
          {{"lhs_batch", lhs_batch},
           {"rhs_batch", rhs_batch},
           {"lhs_contract", lhs_contract},
           {"rhs_contract", rhs_contract}}};
}

/// Some indices lie outside and are clamped.
OpCase index_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  Shape shape = shape_with_axis(random, max_elements / 4);
  const int64_t axis = random.between(0, shape.rank() - 1);
  if (shape[axis] == 0) {
    Ints dims = shape.dims();
    dims[static_cast<size_t>(axis)] = 3;
    shape = Shape(dims);
  }
  const Shape index_shape(random.pick<Ints>({{}, {0}, {1}, {4}, {2, 3}}));
  Tensor indices(random.pick<DType>({DType::U8, DType::I32, DType::I64}), index_shape);
  const bool is_signed = indices.dtype() != DType::U8;
  for (int64_t i = 0; i < indices.size(); ++i)
    indices.set(i, static_cast<double>(random.between(is_signed ? -1 : 0, shape[axis])));
  OpCase result{{random_tensor(random, {dtype, shape}), indices}, {{"axis", axis}}};
  if (kind == OpKind::ScatterAdd) {
    Ints dims(shape.begin(), shape.begin() + axis);
    dims.insert(dims.end(), index_shape.begin(), index_shape.end());
    dims.insert(dims.end(), shape.begin() + axis + 1, shape.end());
    result.operands.push_back(random_tensor(random, {dtype, Shape(dims)}));
  }
  return result;
}

/// Few distinct values, so that equal ones meet; sometimes a NaN to sort.
OpCase ordered_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  OpCase result{{random_tensor(random, {dtype, shape_with_axis(random, max_elements)})}, {}};
  if (kind == OpKind::CumulativeSum) {
    result.attrs = {{"reverse", random.chance(50)}, {"exclusive", random.chance(30)}};
    return result;
  }
  Tensor& operand = result.operands[0];
  for (int64_t i = 0; i < operand.size(); ++i)
    if (is_float(dtype) && random.chance(50))
      operand.set(i, random.chance(10) ? std::numeric_limits<double>::quiet_NaN()
                                       : static_cast<double>(random.between(-2, 2)));
  result.attrs = {{"descending", random.chance(50)}};
  return result;
}

OpCase leaf_case(RandomSource& random, OpKind kind, DType dtype, int64_t max_elements) {
  const Shape shape = shape_with_axis(random, max_elements);
  if (kind == OpKind::Constant) return {{}, {{"value", random_tensor(random, {dtype, shape})}}};
  return {
      {},
      {{"shape", shape.dims()}, {"axis", random.between(0, shape.rank() - 1)}, {"dtype", dtype}}};
}

OpCase random_draw_case(RandomSource& random, DType dtype, int64_t max_elements) {
  Tensor seed(DType::I64, Shape{});
  Tensor step(DType::I64, Shape{});
  seed.set(0, static_cast<double>(random.between(0, 1000)));
  step.set(0, static_cast<double>(random.between(0, 1000)));
  return {{seed, step},
          {{"shape", random_shape(random, max_elements).dims()},
           {"dtype", dtype},
           {"stream", random.between(-1'000'000'000'000, 1'000'000'000'000)}}};
}

OpCase meta_case(RandomSource& random, OpKind kind, const Type& type) {
  OpCase result{{random_tensor(random, type)}, {}};
  if (kind == OpKind::Gradient)
    result.operands.insert(result.operands.begin(), random_tensor(random, {type.dtype, {}}));
  return result;
}

}  // namespace

Shape random_shape(RandomSource& random, int64_t max_elements) {
  const std::vector<int64_t> sizes = {0, 1, 1, 2, 3, 5, 7, 16, 17, 33};
  Ints dims;
  int64_t count = 1;
  for (int64_t rank = random.between(0, 4); rank > 0; --rank) {
    const int64_t size = random.pick(sizes);
    if (count * size > max_elements) continue;
    dims.push_back(size);
    count *= std::max<int64_t>(size, 1);
  }
  return Shape(dims);
}

Tensor random_tensor(RandomSource& random, const Type& type, double low, double high) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (type.dtype == DType::Bool)
      tensor.set(i, random.chance(50) ? 1 : 0);
    else if (is_float(type.dtype))
      tensor.set(i, low + (high - low) * random.unit());
    else
      tensor.set(i, static_cast<double>(random.between(type.dtype == DType::U8 ? 0 : -9, 9)));
  }
  return tensor;
}

bool takes_dtype(OpKind kind, DType dtype) {
  switch (op_class(kind)) {
    case OpClass::Elementwise:
      switch (domain_of(kind)) {
        case scalar::Domain::Bool:
          return dtype == DType::Bool;
        case scalar::Domain::Float:
          return is_float(dtype);
        case scalar::Domain::Number:
          return dtype != DType::Bool;
        case scalar::Domain::Any:
          return true;
      }
      return false;
    case OpClass::Movement:
      return true;
    case OpClass::Reduction:
      return kind == OpKind::Mean ? is_float(dtype) : dtype != DType::Bool;
    case OpClass::Window:
      return kind == OpKind::FoldWindows ? dtype != DType::Bool : is_float(dtype);
    case OpClass::Contraction:
    case OpClass::Index:
    case OpClass::Ordered:
      return dtype != DType::Bool;
    case OpClass::Leaf:
      return kind == OpKind::Constant || dtype != DType::Bool;
    case OpClass::Random:
      return dtype == DType::F32 || dtype == DType::F64;
    case OpClass::Region:
      return false;
    case OpClass::Meta:
      return kind != OpKind::Gradient || is_float(dtype);
  }
  return false;
}

OpCase random_op_case(OpKind kind, uint64_t seed, DType dtype, int64_t max_elements) {
  CHECK(takes_dtype(kind, dtype), "{} of {}", op_info(kind).name, dtype);
  RandomSource random(seed);
  switch (op_class(kind)) {
    case OpClass::Elementwise:
      return elementwise_case(random, kind, {dtype, random_shape(random, max_elements)});
    case OpClass::Movement:
      return movement_case(random, kind, dtype, max_elements);
    case OpClass::Reduction: {
      const Shape shape = random_shape(random, max_elements);
      Ints axes = some_axes(random, shape);
      return {{random_tensor(random, {dtype, shape})}, {{"axes", std::move(axes)}}};
    }
    case OpClass::Contraction:
      return dot_case(random, dtype, max_elements);
    case OpClass::Window:
      return kind == OpKind::FoldWindows ? windows_case(random, kind, dtype, max_elements)
                                         : convolution_case(random, kind, dtype, max_elements);
    case OpClass::Index:
      return index_case(random, kind, dtype, max_elements);
    case OpClass::Ordered:
      return ordered_case(random, kind, dtype, max_elements);
    case OpClass::Leaf:
      return leaf_case(random, kind, dtype, max_elements);
    case OpClass::Random:
      return random_draw_case(random, dtype, max_elements);
    case OpClass::Meta:
      return meta_case(random, kind, {dtype, random_shape(random, max_elements)});
    case OpClass::Region:
      break;
  }
  CHECK(false, "no cases of {}", op_info(kind).name);
}

Graph single_node_graph(OpKind kind, const OpCase& op_case) {
  GraphBuilder builder("", GraphMode::Run);
  std::vector<ValueId> operands;
  for (const Tensor& operand : op_case.operands)
    operands.push_back(
        builder.input(InputKind::Data, fmt::format("{}", operands.size()), operand.type()));
  const std::vector<ValueId> results = builder.add_node(kind, operands, op_case.attrs);
  for (size_t i = 0; i < results.size(); ++i)
    builder.output(OutputKind::Output, fmt::format("{}", i), results[i]);
  return std::move(builder).build();
}

}  // namespace gradc::testing
