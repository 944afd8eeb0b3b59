// The table of ops, expanded from ops.def: an op struct without one of its members does not
// compile.
#include <algorithm>

#include "ir/ops/contraction.h"
#include "ir/ops/convolution.h"
#include "ir/ops/elementwise.h"
#include "ir/ops/index.h"
#include "ir/ops/leaf.h"
#include "ir/ops/meta.h"
#include "ir/ops/movement.h"
#include "ir/ops/ordered.h"
#include "ir/ops/random.h"
#include "ir/ops/reduction.h"
#include "ir/ops/region.h"
#include "ir/ops/scan.h"
#include "ir/ops/windows.h"
#include "runtime/core/checked_size.h"

namespace gradc {
namespace ops {

// Declared for every op; the elementwise ones are never defined: their struct is made from a row.
#define OP(Kind, text, op_class) struct Kind;
#include "ir/ops.def"

}  // namespace ops
namespace {

std::optional<OpKind> corrupted_kind;

/// The op struct of a kind: from its scalar row or its own.
template <OpKind kKind, OpClass kClass, typename Row, typename Struct>
using OpStruct =
    std::conditional_t<kClass == OpClass::Elementwise, ops::ElementwiseOp<kKind, Row>, Struct>;

template <typename Struct>
constexpr OpDef row(OpKind kind, std::string_view name, OpClass op_class) {
  constexpr ops::OpFacts kFacts = Struct::facts;
  return {kind,
          {name, op_class, kFacts.min_operands, kFacts.max_operands, kFacts.doc, kFacts.max_ulp},
          Struct::attrs,
          Struct::infer,
          Struct::eval,
          Struct::vjp};
}

constexpr OpDef kTable[] = {
#define OP(Kind, text, op_class)                                                              \
  row<OpStruct<OpKind::Kind, OpClass::op_class, scalar::Kind, ops::Kind>>(OpKind::Kind, text, \
                                                                          OpClass::op_class),
#include "ir/ops.def"
};

bool attrs_in_range(const Attrs& attrs, int64_t limit) {
  for (const auto& [name, value] : attrs.entries())
    if (const auto* ints = std::get_if<std::vector<int64_t>>(&value))
      for (int64_t number : *ints)
        if (number > limit || number < -limit) return false;
  return true;
}

}  // namespace

const OpDef& op_def(OpKind kind) { return kTable[static_cast<size_t>(kind)]; }

std::optional<OpKind> parse_op_kind(std::string_view name) {
  for (const OpDef& def : kTable)
    if (def.info.name == name) return def.kind;
  return std::nullopt;
}

std::string find_form_fault(OpKind kind, size_t operand_count, const Attrs& attrs) {
  const OpDef& def = op_def(kind);
  const auto count = static_cast<int>(operand_count);
  if (count < def.info.min_operands ||
      (def.info.max_operands >= 0 && count > def.info.max_operands))
    return fmt::format("{} has {} operands, it takes {}{}", def.info.name, operand_count,
                       def.info.min_operands, def.info.max_operands < 0 ? " or more" : "");
  for (const AttrSpec& spec : def.attrs) {
    const AttrValue* value = attrs.find(spec.name);
    if (value == nullptr) return fmt::format("{} lacks the attribute {}", def.info.name, spec.name);
    if (kind_of(*value) != spec.kind)
      return fmt::format("the attribute {} of {} has another kind", spec.name, def.info.name);
  }
  for (const auto& [name, value] : attrs.entries()) {
    const auto is_declared = [&wanted = name](const AttrSpec& spec) { return spec.name == wanted; };
    if (std::none_of(def.attrs.begin(), def.attrs.end(), is_declared))
      return fmt::format("{} has no attribute {}", def.info.name, name);
  }
  return {};
}

void check_dims(const Shape& shape) {
  if (shape.dims().size() > kMostAxes)
    throw Error(
        ExitCode::InputOutput, "E0801",
        fmt::format("a tensor of rank {}: at most {} is possible", shape.rank(), kMostAxes));
  if (!checked_element_count(shape.dims()))
    throw Error(ExitCode::InputOutput, "E0801",
                fmt::format("a tensor of shape {} does not fit into memory", to_string(shape)));
}

std::vector<Type> infer_types(OpKind kind, const InferContext& context) {
  const std::string fault = find_form_fault(kind, context.operands.size(), context.attrs);
  CHECK(fault.empty(), "{}", fault);
  if (!attrs_in_range(context.attrs, kMostElements))
    throw ops::attr_error(fmt::format("{}: an attribute is out of range", op_info(kind).name));
  std::vector<Type> types = op_def(kind).infer(context);
  for (const Type& type : types) check_dims(type.shape);
  return types;
}

void corrupt_derivative_for_test(std::optional<OpKind> kind) { corrupted_kind = kind; }

void run_vjp(OpKind kind, VjpContext& context) {
  const auto vjp = op_def(kind).vjp;
  CHECK(vjp != nullptr, "{} has no derivative", op_info(kind).name);
  if (corrupted_kind != kind) return vjp(context);
  VjpContext corrupted = context;
  corrupted.add = [&](size_t operand, ValueId cotangent) {
    GraphBuilder& b = context.builder;
    context.add(operand, b.mul(cotangent, b.fill_like(cotangent, 1.5)));
  };
  vjp(corrupted);
}

}  // namespace gradc
