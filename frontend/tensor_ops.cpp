// Promotion and broadcasting; elementwise operations.
#include "frontend/tensor_ops.h"

#include <algorithm>
#include <limits>

#include "ir/op.h"

namespace gradc {

namespace {

bool is_comparison(OpKind kind) { return kind >= OpKind::Equal && kind <= OpKind::GreaterEqual; }
bool is_logic(OpKind kind) { return kind == OpKind::And || kind == OpKind::Or; }

std::string_view symbol(OpKind kind) {
  switch (kind) {
    case OpKind::Add:
      return "+";
    case OpKind::Sub:
      return "-";
    case OpKind::Mul:
      return "*";
    case OpKind::Div:
      return "/";
    case OpKind::FloorDiv:
      return "//";
    case OpKind::Mod:
      return "%";
    case OpKind::Pow:
      return "**";
    case OpKind::Equal:
      return "==";
    case OpKind::NotEqual:
      return "!=";
    case OpKind::Less:
      return "<";
    case OpKind::LessEqual:
      return "<=";
    case OpKind::Greater:
      return ">";
    case OpKind::GreaterEqual:
      return ">=";
    default:
      return op_info(kind).name;
  }
}

// Storage dtypes are widened before arithmetic, so that image - 128 cannot wrap.
DType arithmetic_dtype(DType dtype) { return dtype <= DType::U8 ? DType::I32 : dtype; }

[[noreturn]] void fail(const std::string& code, const std::string& message) {
  throw Error(ExitCode::ModelOrData, code, message);
}

}  // namespace

DType promote(DType a, DType b) {
  const bool is_mixed_half =
      (a == DType::BF16 && b == DType::F16) || (a == DType::F16 && b == DType::BF16);
  return is_mixed_half ? DType::F32 : std::max(a, b);
}

TensorId TensorOps::constant(Tensor value) {
  return draft_.add(OpKind::Constant, {}, {{"value", std::move(value)}});
}

TensorId TensorOps::number(const NumberValue& number, DType dtype) {
  Tensor scalar(dtype, {});
  if (!is_float(dtype)) {
    const auto whole = number.whole();
    const bool fits =
        whole && (dtype == DType::I64 ||
                  (dtype == DType::I32 && *whole >= std::numeric_limits<int32_t>::min() &&
                   *whole <= std::numeric_limits<int32_t>::max()) ||
                  (dtype == DType::U8 && *whole >= 0 && *whole <= 255) ||
                  (dtype == DType::Bool && *whole >= 0 && *whole <= 1));
    if (!fits) fail("E0504", fmt::format("{} does not fit into {}", to_text(number), dtype));
    if (dtype == DType::I64)
      scalar.span<int64_t>()[0] = *whole;
    else
      scalar.set(0, static_cast<double>(*whole));
  } else {
    scalar.set(0, number.real);
  }
  const TensorId id = constant(std::move(scalar));
  draft_.mutable_node(id).of_rows = number.of_rows;
  return id;
}

TensorId TensorOps::fill(const Type& type, const NumberValue& number) {
  const Shape shape = type.shape;  // `type` may be a tensor's of the draft, which grows
  return broadcast(this->number(number, type.dtype), shape);
}

TensorId TensorOps::iota(Shape shape, int64_t axis, DType dtype) {
  return draft_.add(OpKind::Iota, {}, {{"shape", shape.dims()}, {"axis", axis}, {"dtype", dtype}});
}

TensorId TensorOps::convert(TensorId a, DType dtype) {
  if (type(a).dtype == dtype) return a;
  return draft_.add(OpKind::Convert, {a}, {{"dtype", dtype}});
}

TensorId TensorOps::arithmetic_unary(OpKind kind, TensorId a) {
  return unary(kind, convert(a, arithmetic_dtype(type(a).dtype)));
}

TensorId TensorOps::float_unary(OpKind kind, TensorId a) {
  return unary(kind, is_float(type(a).dtype) ? a : convert(a, DType::F32));
}

// A number takes the other operand's dtype; a float beside an integer tensor is f32.
TensorId TensorOps::as_tensor(const Value& value, const Value& other, OpKind kind) {
  if (const TensorId* id = value.as<TensorId>()) return *id;
  const NumberValue& number = *value.as<NumberValue>();
  DType dtype = type(*other.as<TensorId>()).dtype;
  if (!is_comparison(kind) && kind != OpKind::Select) dtype = arithmetic_dtype(dtype);
  if (dtype == DType::Bool) dtype = DType::I32;
  if (kind == OpKind::Div && !is_float(dtype)) dtype = DType::F32;
  if (number.is_float && !is_float(dtype)) dtype = DType::F32;
  return this->number(number, dtype);
}

void TensorOps::meet_dtypes(OpKind kind, TensorId& a, TensorId& b) {
  DType dtype = promote(type(a).dtype, type(b).dtype);
  if (!is_comparison(kind) && !is_logic(kind) && kind != OpKind::Select)
    dtype = arithmetic_dtype(dtype);
  if (kind == OpKind::Div && !is_float(dtype)) dtype = DType::F32;
  if (is_comparison(kind) && dtype == DType::Bool && kind != OpKind::Equal &&
      kind != OpKind::NotEqual)
    dtype = DType::I32;
  a = convert(a, dtype);
  b = convert(b, dtype);
}

TensorId TensorOps::binary(OpKind kind, const Value& left, const Value& right) {
  TensorId a = as_tensor(left, right, kind);
  TensorId b = as_tensor(right, left, kind);
  if (is_logic(kind) && (type(a).dtype != DType::Bool || type(b).dtype != DType::Bool))
    fail("E0506", fmt::format("`{}` joins bool tensors, got {} and {}", symbol(kind),
                              to_string(type(a)), to_string(type(b))));
  meet_dtypes(kind, a, b);
  meet_shapes(symbol(kind), {&a, &b});
  return draft_.add(kind, {a, b});
}

TensorId TensorOps::select(TensorId condition, const Value& left, const Value& right) {
  if (type(condition).dtype != DType::Bool)
    fail("E0506",
         fmt::format("the condition of select is bool, got {}", to_string(type(condition))));
  TensorId a{};
  TensorId b{};
  if (left.as<NumberValue>() && right.as<NumberValue>()) {
    const bool is_floating = left.as<NumberValue>()->is_float || right.as<NumberValue>()->is_float;
    a = number(*left.as<NumberValue>(), is_floating ? DType::F32 : DType::I32);
    b = number(*right.as<NumberValue>(), is_floating ? DType::F32 : DType::I32);
  } else {
    a = as_tensor(left, right, OpKind::Select);
    b = as_tensor(right, left, OpKind::Select);
    meet_dtypes(OpKind::Select, a, b);
  }
  meet_shapes("select", {&condition, &a, &b});
  return draft_.add(OpKind::Select, {condition, a, b});
}

// Equal ranks: either side stretches its 1s. Unequal ranks: only the lower rank is repeated, along
// new leading axes and its own 1s.
void TensorOps::meet_shapes(std::string_view symbol, std::vector<TensorId*> operands) {
  int64_t rank = 0;
  for (const TensorId* id : operands) rank = std::max(rank, type(*id).shape.rank());
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  std::string text;
  for (const TensorId* id : operands) {
    const Shape& shape = type(*id).shape;
    text += (text.empty() ? "" : fmt::format(" {} ", symbol)) + to_string(shape);
    if (shape.rank() < rank) continue;
    for (int64_t axis = 0; axis < rank; ++axis)
      if (shape[axis] != 1) dims[static_cast<size_t>(axis)] = shape[axis];
  }
  for (const TensorId* id : operands) {
    const Shape& shape = type(*id).shape;
    const int64_t offset = rank - shape.rank();
    for (int64_t axis = 0; axis < shape.rank(); ++axis) {
      const int64_t target = dims[static_cast<size_t>(axis + offset)];
      if (shape[axis] == 1 || shape[axis] == target) continue;
      if (target == 1)
        fail("E0403",
             fmt::format("{}: only the operand of lower rank is repeated\n"
                         "index [:, 0] drops an axis of size 1, expand(x, axis) inserts one",
                         text));
      fail("E0403", fmt::format("{}: sizes {} and {} do not fit", text, shape[axis], target));
    }
  }
  const Shape shape(std::move(dims));
  for (TensorId* id : operands) *id = broadcast(*id, shape);
}

TensorId TensorOps::step() {
  if (!step_) step_ = draft_.input(InputKind::Step, "step", {DType::I64, {}});
  return *step_;
}

TensorId TensorOps::seed() {
  if (!seed_) seed_ = draft_.input(InputKind::Seed, "seed", {DType::I64, {}});
  return *seed_;
}

TensorId TensorOps::random_unit(const Shape& shape, DType dtype, uint64_t stream, bool at_step) {
  const TensorId when = at_step ? step() : number(NumberValue::of(int64_t{0}), DType::I64);
  const size_t levels = draft_.open_scans().size();
  std::vector<int64_t> dims;
  for (const OpenScan& scan : draft_.open_scans()) dims.push_back(scan.length);
  dims.insert(dims.end(), shape.begin(), shape.end());
  TensorId drawn = draft_.add(
      OpKind::Random, {seed(), when},
      {{"shape", std::move(dims)}, {"dtype", dtype}, {"stream", static_cast<int64_t>(stream)}});
  for (size_t level = 0; level < levels; ++level) drawn = draft_.add_sequence(level, drawn);
  return drawn;
}

}  // namespace gradc
