// What an op is: the table made from ops.def and the op structs.
#pragma once
#include <functional>
#include <span>

#include "ir/graph.h"

namespace gradc {

class GraphBuilder;

/// The facts of an op: `doc` starts with its formula.
struct OpInfo {
  std::string_view name;
  OpClass op_class;
  int min_operands;
  int max_operands;  // -1: any number
  std::string_view doc;
  double max_ulp = 0.5;  // of compiled f32 code against the exact result; elementwise ops only
};

struct AttrSpec {
  std::string_view name;
  AttrKind kind;
};

/// Operand types and attributes: all that a shape rule may see.
struct InferContext {
  std::span<const Type> operands;
  const Attrs& attrs;
};

/// Evaluates one node on tensors; results have the inferred types.
struct EvalContext {
  std::span<const Tensor> operands;
  const Attrs& attrs;
  std::span<const Type> results;
};

/// Reverse-mode rule of one node: reads cotangents of the results, adds cotangents of operands.
/// All values are of the graph that `builder` extends.
class VjpContext {
 public:
  VjpContext(GraphBuilder& graph_builder, std::span<const ValueId> operand_values,
             std::span<const ValueId> result_values,
             std::span<const std::optional<ValueId>> result_cotangents, const Attrs& node_attrs,
             std::function<bool(size_t)> is_needed, std::function<void(size_t, ValueId)> accumulate)
      : builder(graph_builder),
        operands(operand_values),
        results(result_values),
        cotangents(result_cotangents),
        attrs(node_attrs),
        needs(std::move(is_needed)),
        add(std::move(accumulate)) {}

  GraphBuilder& builder;
  std::span<const ValueId> operands;
  std::span<const ValueId> results;
  std::span<const std::optional<ValueId>> cotangents;  // empty where the result does not reach y
  const Attrs& attrs;
  std::function<bool(size_t)> needs;         // is a cotangent of this operand wanted?
  std::function<void(size_t, ValueId)> add;  // adds to the cotangent of this operand
};

/// One row of the op table.
struct OpDef {
  OpKind kind;
  OpInfo info;
  std::span<const AttrSpec> attrs;
  /// Result types. Throws Error (ModelOrData, E04xx/E05xx) with a sentence that names both shapes.
  std::vector<Type> (*infer)(const InferContext&);
  /// The reference semantics, written for readability.
  std::vector<Tensor> (*eval)(const EvalContext&);
  /// Null: integer or bool results only, or derivative zero everywhere.
  void (*vjp)(VjpContext&);
};

const OpDef& op_def(OpKind kind);
inline const OpInfo& op_info(OpKind kind) { return op_def(kind).info; }
inline OpClass op_class(OpKind kind) { return op_info(kind).op_class; }
std::optional<OpKind> parse_op_kind(std::string_view name);

/// Result types of a node after checking what holds for every op: its form (CHECK) and the sizes of
/// attributes and results. Throws what the op's shape rule throws; E0801 where a result is too
/// large.
std::vector<Type> infer_types(OpKind kind, const InferContext& context);

/// V3: empty if an op of `kind` takes that many operands and exactly these attributes (in any
/// order), else a sentence that says what is wrong.
std::string find_form_fault(OpKind kind, size_t operand_count, const Attrs& attrs);

/// Throws Error (InputOutput, E0801) unless the rank is at most 32, sizes are >= 0 and the product
/// of those above 0 is at most 2^46, so that strides never overflow.
void check_dims(const Shape& shape);

/// Calls the vjp of `kind` (which must not be null), scaled if corrupt_derivative_for_test asks.
/// The context's attributes must not lie in the builder's graph, which grows and moves its nodes.
void run_vjp(OpKind kind, VjpContext& context);

/// A deliberately wrong derivative for the tests of verify: where set, the vjp of `kind` is scaled
/// by 1.5.
void corrupt_derivative_for_test(std::optional<OpKind> kind);

}  // namespace gradc
