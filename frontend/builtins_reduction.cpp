// Reductions, the gradient, and what is accumulated over a pass.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/builtin_table.h"
#include "frontend/number_ops.h"

namespace gradc {

namespace {

std::vector<int64_t> axes_of(BuiltinCall& call, TensorId x) {
  if (call.has(1)) return call.integers(1);
  std::vector<int64_t> axes(static_cast<size_t>(call.type(x).shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

bool is_list_of_numbers(const Value& value) {
  const std::vector<Value>* list = value.elements();
  return list &&
         std::ranges::all_of(*list, [](const Value& v) { return v.as<NumberValue>() != nullptr; });
}

NumberValue reduce_numbers(BuiltinCall& call, OpKind kind, const std::vector<Value>& list) {
  const bool is_product = kind == OpKind::Prod;
  const bool is_sum = kind == OpKind::Sum || kind == OpKind::Mean;
  if (!is_sum && !is_product && list.empty())
    call.elaborator().fail("E0312", call.span(), fmt::format("`{}` of an empty list", call.name()));
  call.elaborator().count_elements(static_cast<int64_t>(list.size()), call.span());
  NumberValue total = is_sum || is_product ? NumberValue::of(int64_t{is_product ? 1 : 0})
                                           : *list[0].as<NumberValue>();
  for (const Value& element : list) {
    const NumberValue& number = *element.as<NumberValue>();
    if (is_sum || is_product) {
      total = apply_numbers(is_sum ? ast::BinaryOp::Add : ast::BinaryOp::Multiply, total, number);
    } else {
      const bool takes = kind == OpKind::Max ? number.real > total.real : number.real < total.real;
      if (takes) total = number.marked(total.of_rows || number.of_rows);
    }
  }
  if (kind != OpKind::Mean) return total;
  return apply_numbers(ast::BinaryOp::Divide, total,
                       NumberValue::of(static_cast<int64_t>(list.size())));
}

template <OpKind kKind>
Value reduction(BuiltinCall& call) {
  if (is_list_of_numbers(call.value(0)))
    return reduce_numbers(call, kKind, *call.value(0).elements());
  const TensorId x = call.tensor(0);
  return call.ops().reduce(kKind, x, axes_of(call, x), call.boolean(2, false));
}

template <OpKind kKind>
Value arg_reduction(BuiltinCall& call) {
  const TensorId x = call.tensor(0);
  std::vector<int64_t> axes{-1};
  if (const Value* given = call.find(1))
    axes = given->is_none() ? axes_of(call, x) : call.integers(1);
  return call.ops().reduce(kKind, x, axes, call.boolean(2, false));
}

Value accumulate(BuiltinCall& call) {
  Elaborator& elaborator = call.elaborator();
  const TensorId x = call.tensor(0);
  if (elaborator.draft().row_axis(x) >= 0)
    elaborator.fail(
        error("E0716", call.where(0),
              fmt::format("{} has an axis of rows: batches of other sizes cannot be added to it",
                          elaborator.describe(x)))
            .with_help(fmt::format("accumulate(sum({}, axis = {}))",
                                   call.where(0).text().substr(0, 60),
                                   elaborator.draft().row_axis(x))));
  return elaborator.draft().add(OpKind::Accumulate, {x});
}

// True if some path leads from one of `sources` to `target`.
bool depends_on(const DraftGraph& draft, TensorId target, TensorId source) {
  if (target == source) return true;
  std::vector<bool> seen(draft.tensor_count(), false);
  std::vector<TensorId> open{target};
  while (!open.empty()) {
    const TensorId id = open.back();
    open.pop_back();
    if (id == source) return true;
    const DraftNode* node = draft.node(id);
    if (!node) continue;
    for (const TensorId operand : node->operands) {
      if (index(operand) < index(source) || seen[index(operand)]) continue;
      seen[index(operand)] = true;
      open.push_back(operand);
    }
  }
  return false;
}

Value gradient(BuiltinCall& call) {
  Elaborator& elaborator = call.elaborator();
  const TensorId y = call.tensor(0);
  if (call.type(y).shape.rank() != 0 || !is_float(call.type(y).dtype))
    elaborator.fail(
        error("E0701", call.where(0),
              fmt::format("only one float number has a gradient, got {}", elaborator.describe(y)))
            .with_help(
                fmt::format("sum({}) where the rows are independent", call.where(0).text())));
  const bool is_list = call.value(1).elements() != nullptr;
  const std::vector<TensorId> sources =
      is_list ? call.tensors(1) : std::vector<TensorId>{call.tensor(1)};
  std::vector<TensorId> operands{y};
  for (const TensorId x : sources) {
    if (!is_float(call.type(x).dtype))
      elaborator.fail(
          error("E0705", call.where(1),
                fmt::format("gradient with respect to {}: integers have no derivative",
                            elaborator.describe(x)))
              .with_help("convert first, use the converted value in the model and here"));
    if (!depends_on(elaborator.draft(), y, x))
      elaborator.fail(
          "E0706", call.where(1),
          fmt::format("`{}` does not depend on `{}`", call.where(0).text(), call.where(1).text()));
    operands.push_back(x);
  }
  const std::vector<TensorId> results =
      elaborator.draft().add_node(OpKind::Gradient, std::move(operands));
  if (!is_list) return results.at(0);
  return Value::list({results.begin(), results.end()});
}

constexpr Builtin kTable[] = {
    {"accumulate", accumulate},
    {"argmax", arg_reduction<OpKind::ArgMax>},
    {"argmin", arg_reduction<OpKind::ArgMin>},
    {"gradient", gradient},
    {"max", reduction<OpKind::Max>},
    {"mean", reduction<OpKind::Mean>},
    {"min", reduction<OpKind::Min>},
    {"prod", reduction<OpKind::Prod>},
    {"sum", reduction<OpKind::Sum>},
};

}  // namespace

std::span<const Builtin> reduction_builtins() { return kTable; }

}  // namespace gradc
