// Functions of types and lists, computed on the spot; and those that are not there yet.
#include <algorithm>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

Value shape(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const int64_t row_axis = call.elaborator().draft().row_axis(x);
  std::vector<Value> sizes;
  for (int64_t axis = 0; axis < call.type(x).shape.rank(); ++axis)
    sizes.emplace_back(NumberValue::of(call.type(x).shape[axis]).marked(axis == row_axis));
  return Value::list(std::move(sizes));
}

Value size(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const Shape shape = call.type(x).shape;
  const int64_t row_axis = call.elaborator().draft().row_axis(x);
  if (!call.has(1)) return NumberValue::of(shape.element_count()).marked(row_axis >= 0);
  const int64_t axis = call.ops().checked_axis(call.integer(1, 0), shape.rank());
  return NumberValue::of(shape[axis]).marked(axis == row_axis);
}

Value rank(BuiltinCall& call) { return call.type(call.tensor(0)).shape.rank(); }
Value dtype(BuiltinCall& call) { return call.type(call.tensor(0)).dtype; }
Value kind(BuiltinCall& call) { return kind_word(call.value(0)); }

Value len(BuiltinCall& call) {
  const std::vector<Value>* list = call.value(0).elements();
  if (!list) call.wrong_kind(0, "a list; size(x, axis) is for tensors");
  return static_cast<int64_t>(list->size());
}

Value range(BuiltinCall& call) {
  const int64_t first = call.integer(0, 0);
  const int64_t start = call.has(1) ? first : 0;
  const int64_t stop = call.integer(1, first);
  const int64_t step = call.integer(2, 1);
  if (step == 0) call.wrong_kind(2, "a step other than 0");
  const double span =
      (static_cast<double>(stop) - static_cast<double>(start)) / static_cast<double>(step);
  if (span > static_cast<double>(ElaborationSetup::kMaxElements))
    call.elaborator().fail(
        "E0804", call.span(),
        fmt::format("a list of more than {} elements", ElaborationSetup::kMaxElements));
  call.elaborator().count_elements(static_cast<int64_t>(std::max(span, 0.0)), call.span());
  std::vector<Value> numbers;
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) numbers.emplace_back(i);
  return Value::list(std::move(numbers));
}

constexpr Builtin kTable[] = {
    {"dtype", dtype}, {"kind", kind}, {"len", len},     {"pi", nullptr},
    {"range", range}, {"rank", rank}, {"shape", shape}, {"size", size},
};

}  // namespace

std::span<const Builtin> compile_time_builtins() { return kTable; }

}  // namespace gradc
