// Functions that slide a window or a kernel over a tensor.
#include <algorithm>

#include "frontend/builtin_table.h"

namespace gradc {

namespace {

using Ints = std::vector<int64_t>;

/// One whole number >= 1 for each of `count` axes, or one for all.
Ints per_axis(BuiltinCall& call, size_t position, int64_t otherwise, size_t count) {
  Ints numbers = call.has(position) ? call.integers(position) : Ints{otherwise};
  if (numbers.size() == 1) numbers.assign(count, numbers[0]);
  if (numbers.size() != count || std::ranges::any_of(numbers, [](int64_t n) { return n < 1; }))
    call.wrong_kind(position, fmt::format("a whole number of at least 1, or a list of {}", count));
  return numbers;
}

int64_t padding_width(BuiltinCall& call, size_t position, const Value& value) {
  const NumberValue* number = value.as<NumberValue>();
  const auto whole = number ? number->whole() : std::nullopt;
  if (!whole || *whole < 0)
    call.wrong_kind(position, "\"valid\", \"same\", or a list of widths or pairs [before, after]");
  return *whole;
}

/// "valid", "same", a width, or a width or a pair [before, after] for each axis.
void read_padding(BuiltinCall& call, size_t position, size_t count, Sliding& sliding) {
  sliding.low.assign(count, 0);
  sliding.high.assign(count, 0);
  if (!call.has(position)) return;
  const Value& value = call.value(position);
  if (const std::string* text = value.as<std::string>()) {
    if (*text != "valid" && *text != "same") call.wrong_kind(position, "\"valid\" or \"same\"");
    sliding.is_same = *text == "same";
    return;
  }
  const std::vector<Value>* list = value.elements();
  if (!list) {
    sliding.low.assign(count, padding_width(call, position, value));
    sliding.high = sliding.low;
    return;
  }
  if (list->size() != count)
    call.wrong_kind(position, fmt::format("\"valid\", \"same\", or a list of {} widths", count));
  for (size_t axis = 0; axis < count; ++axis) {
    const std::vector<Value>* pair = (*list)[axis].elements();
    if (pair && pair->size() != 2) call.wrong_kind(position, "a list of pairs [before, after]");
    sliding.low[axis] = padding_width(call, position, pair ? (*pair)[0] : (*list)[axis]);
    sliding.high[axis] = padding_width(call, position, pair ? (*pair)[1] : (*list)[axis]);
  }
}

Sliding read_sliding(BuiltinCall& call, TensorId x) {
  const int64_t rank = call.type(x).shape.rank();
  const size_t count = rank < 3 ? 1 : static_cast<size_t>(rank - 2);
  Sliding sliding;
  sliding.stride = per_axis(call, 2, 1, count);
  read_padding(call, 3, count, sliding);
  sliding.dilation = per_axis(call, 4, 1, count);
  sliding.groups = call.integer(5, 1);
  return sliding;
}

Value convolution(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const TensorId y = call.ops().convolution(x, call.tensor(1), read_sliding(call, x));
  call.elaborator().count_multiply_adds(call.ops().convolution_products(y));
  return y;
}

Value convolution_transpose(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const TensorId y = call.ops().convolution_transpose(x, call.tensor(1), read_sliding(call, x));
  call.elaborator().count_multiply_adds(call.ops().convolution_products(y));
  return y;
}

Value windows(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  const Ints axes = call.integers(1);
  const Ints size = per_axis(call, 2, 1, axes.size());
  const Ints stride = call.has(3) ? per_axis(call, 3, 1, axes.size()) : size;
  return call.ops().windows(x, axes, size, stride, per_axis(call, 4, 1, axes.size()));
}

constexpr Builtin kTable[] = {
    {"convolution", convolution},
    {"convolution_transpose", convolution_transpose},
    {"windows", windows},
};

}  // namespace

std::span<const Builtin> window_builtins() { return kTable; }

}  // namespace gradc
