// Shape rule and evaluation of group.
#include "ir/ops/region.h"

#include "ir/interpret.h"

namespace gradc::ops {

std::string find_body_fault(const Graph* body, std::span<const Type> operands) {
  if (body == nullptr) return "it has no body";
  if (body->mode != GraphMode::Body)
    return fmt::format("its body is a graph of mode {}", name(body->mode));
  if (body->inputs().size() != operands.size())
    return fmt::format("its body has {} inputs for {} operands", body->inputs().size(),
                       operands.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    if (body->inputs()[i].kind != InputKind::Operand)
      return fmt::format("input {} of its body is no operand", i);
    const Type& type = body->type(Graph::input_value(i));
    if (type != operands[i])
      return fmt::format("operand {} is {}, its body takes {}", i, to_string(operands[i]),
                         to_string(type));
  }
  for (const Output& output : body->outputs())
    if (output.kind != OutputKind::Result)
      return fmt::format("output {} of its body is no result", output.name);
  return {};
}

std::vector<Type> Group::infer(const InferContext& context) {
  const BodyRef& body = context.attrs.get<BodyRef>("body");
  const std::string fault = find_body_fault(body.get(), context.operands);
  if (!fault.empty()) throw shape_error("group: " + fault);
  std::vector<Type> types;
  for (const Output& output : body->outputs()) types.push_back(body->type(output.value));
  return types;
}

std::vector<Tensor> Group::eval(const EvalContext& context) {
  return interpret(*context.attrs.get<BodyRef>("body"), context.operands);
}

void Group::vjp(VjpContext&) { CHECK(false, "groups are made after differentiation"); }

}  // namespace gradc::ops
