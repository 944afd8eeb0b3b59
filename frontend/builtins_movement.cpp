// Functions that move elements without computing, and indexing by tensors.
#include <numeric>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

Value reshape(BuiltinCall& call) { return call.ops().reshape(call.tensor(0), call.shape(1)); }

Value transpose(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const int64_t rank = call.type(x).shape.rank();
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  if (call.has(1)) {
    order = call.integers(1);
    if (static_cast<int64_t>(order.size()) != rank)
      call.elaborator().fail(
          "E0408", call.where(1),
          fmt::format("an order of {} axes for {}", order.size(), call.elaborator().describe(x)));
  } else if (rank >= 2) {
    std::swap(order[order.size() - 1], order[order.size() - 2]);
  }
  return call.ops().transpose(x, order);
}

Value expand(BuiltinCall& call) { return call.ops().expand(call.tensor(0), call.integer(1, 0)); }

Value broadcast(BuiltinCall& call) { return call.ops().broadcast(call.tensor(0), call.shape(1)); }

Value concat(BuiltinCall& call) { return call.ops().concat(call.tensors(0), call.integer(1, 0)); }

Value stack(BuiltinCall& call) {
  std::vector<TensorId> parts = call.tensors(0);
  for (TensorId& part : parts) part = call.ops().expand(part, call.integer(1, 0));
  return call.ops().concat(parts, call.integer(1, 0));
}

Value split(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const Shape shape = call.type(x).shape;
  const int64_t axis = call.ops().checked_axis(call.integer(2, 0), shape.rank());
  std::vector<int64_t> sizes;
  if (call.number(1)) {
    const int64_t parts = call.integer(1, 1);
    if (parts < 1 || shape[axis] % parts != 0 || parts > ElaborationSetup::kMaxElements)
      call.elaborator().fail("E0404", call.where(1),
                             fmt::format("axis {} of {} does not fall into {} equal parts", axis,
                                         to_string(shape), parts));
    sizes.assign(static_cast<size_t>(parts), shape[axis] / parts);
  } else {
    sizes = call.integers(1);
  }
  std::vector<Value> parts;
  std::vector<int64_t> start(static_cast<size_t>(shape.rank()), 0);
  std::vector<int64_t> limit = shape.dims();
  int64_t position = 0;
  for (const int64_t size : sizes) {
    start[static_cast<size_t>(axis)] = position;
    position += size;
    limit[static_cast<size_t>(axis)] = position;
    if (size < 0 || position > shape[axis]) break;
    parts.emplace_back(call.ops().slice(x, start, limit));
  }
  if (parts.size() != sizes.size() || position != shape[axis])
    call.elaborator().fail("E0404", call.where(1),
                           fmt::format("parts of [{}] do not make up the {} of axis {}",
                                       fmt::join(sizes, ", "), shape[axis], axis));
  return Value::list(std::move(parts));
}

Value reverse(BuiltinCall& call) { return call.ops().reverse(call.tensor(0), call.integer(1, 0)); }

Value pad(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const std::vector<Value>* widths = call.value(1).elements();
  const Shape shape = call.type(x).shape;
  if (!widths || static_cast<int64_t>(widths->size()) != shape.rank())
    call.wrong_kind(1, fmt::format("a list of {} pairs [before, after]", shape.rank()));
  std::vector<int64_t> low, high;
  for (const Value& pair : *widths) {
    const std::vector<Value>* both = pair.elements();
    if (!both || both->size() != 2) call.wrong_kind(1, "a list of pairs [before, after]");
    for (size_t side = 0; side < 2; ++side) {
      const NumberValue* number = (*both)[side].as<NumberValue>();
      const auto whole = number ? number->whole() : std::nullopt;
      if (!whole || *whole < 0) call.wrong_kind(1, "a list of pairs of whole numbers");
      (side == 0 ? low : high).push_back(*whole);
    }
  }
  NumberValue filler = NumberValue::of(int64_t{0});
  if (call.has(2)) {
    if (!call.number(2)) call.wrong_kind(2, "a number");
    filler = *call.number(2);
  }
  return call.ops().pad(x, low, high, filler);
}

Value gather(BuiltinCall& call) {
  return call.ops().gather(call.tensor(0), call.tensor(1), call.integer(2, 0));
}

Value scatter_add(BuiltinCall& call) {
  return call.ops().scatter_add(call.tensor(0), call.tensor(1), call.tensor(2), call.integer(3, 0));
}

// indices[..., 1] == iota over a new last axis.
Value one_hot(BuiltinCall& call) {
  const TensorId indices = call.tensor(0);
  const int64_t classes = call.integer(1, 0);
  if (!is_int(call.type(indices).dtype))
    call.elaborator().fail(
        "E0507", call.where(0),
        fmt::format("indices are integers, got {}", call.elaborator().describe(indices)));
  if (classes < 0) call.wrong_kind(1, "a number of classes");
  const TensorId wide = call.ops().convert(indices, DType::I32);
  const TensorId column = call.ops().expand(wide, -1);
  std::vector<int64_t> dims = call.type(indices).shape.dims();
  dims.push_back(classes);
  const Shape shape(std::move(dims));
  const TensorId numbers = call.ops().iota(shape, shape.rank() - 1, DType::I32);
  const TensorId hits = call.ops().binary(OpKind::Equal, column, numbers);
  return call.ops().convert(hits, call.dtype(2, DType::F32));
}

// Labels that come straight from the data are checked once when it is loaded.
Value index_range(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const int64_t limit = call.integer(1, 0);
  if (limit < 1) call.wrong_kind(1, "a number of classes of at least 1");
  DraftInput* input = call.elaborator().draft().find_input(x);
  const bool is_checked = input && input->kind == InputKind::Data && is_int(call.type(x).dtype);
  if (is_checked) input->limit = input->limit == 0 ? limit : std::min(input->limit, limit);
  return x;
}

constexpr Builtin kTable[] = {
    {"broadcast", broadcast},
    {"concat", concat},
    {"expand", expand},
    {"gather", gather},
    {"index_range", index_range},
    {"one_hot", one_hot},
    {"pad", pad},
    {"reshape", reshape},
    {"reverse", reverse},
    {"scatter_add", scatter_add},
    {"split", split},
    {"stack", stack},
    {"transpose", transpose},
};

}  // namespace

std::span<const Builtin> movement_builtins() { return kTable; }

}  // namespace gradc
