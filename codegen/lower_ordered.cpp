// Reads the op's attributes.
#include "codegen/lower_ordered.h"

#include "ir/op.h"

namespace gradc {

OrderedStep lower_ordered(const Graph& body) {
  CHECK(body.nodes().size() == 1 && body.inputs().size() == 1, "an ordered group of {} nodes",
        body.nodes().size());
  const Node& node = body.nodes()[0];
  CHECK(op_class(node.kind) == OpClass::Ordered, "{} is not ordered", op_info(node.kind).name);
  const Type& type = body.type(node.operands[0]);
  OrderedStep step;
  step.dtype = type.dtype;
  step.columns = type.shape[type.shape.rank() - 1];
  step.rows = step.columns == 0 ? 0 : type.shape.element_count() / step.columns;
  if (node.kind == OpKind::CumulativeSum) {
    step.operation = OrderedStep::Operation::CumulativeSum;
    step.is_backward = node.attrs.get<bool>("reverse");
    step.is_exclusive = node.attrs.get<bool>("exclusive");
  } else {
    step.operation = OrderedStep::Operation::ArgSort;
    step.is_backward = node.attrs.get<bool>("descending");
  }
  return step;
}

}  // namespace gradc
