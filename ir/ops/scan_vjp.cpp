// The derivative of scan: a scan in the other direction.
//   The forward scan runs with more collected values (residuals); merge_scans joins it with the
//   original. The backward scan carries the cotangents of the carries. Sums over the rounds of what
//   is linear in one product become one product after the loop:
//     sum_t dot(a_t, b_t) = dot(stack a, stack b), contracted over the rounds too.
#include <algorithm>
#include <map>

#include "ir/ops/scan_rounds.h"

namespace gradc::ops {
namespace {

class ScanDerivative {
 public:
  explicit ScanDerivative(VjpContext& context)
      : context_(context),
        form_(scan_form(context.attrs, context.operands.size())),
        outer_(context.builder) {
    std::vector<bool> reaches_collected, wants;
    for (size_t i = 0; i < form_.carries; ++i)
      reaches_carry_.push_back(context.cotangents[i].has_value());
    for (size_t j = 0; j < form_.collected; ++j)
      reaches_collected.push_back(context.cotangents[form_.carries + j].has_value());
    for (size_t i = 0; i < context.operands.size(); ++i)
      wants.push_back(is_float(outer_.dtype(context.operands[i])) && context.needs(i));
    round_ = make_derivative_round(form_, reaches_carry_, reaches_collected, wants);
  }

  void run() {
    plan();
    add_forward();
    add_backward();
    for (size_t i = 0; i < form_.carries; ++i)
      if (reaches_carry_[i] && context_.needs(i)) context_.add(i, carried(*round_.carry_seeds[i]));
    for (size_t i = form_.carries; i < context_.operands.size(); ++i) {
      if (!round_.cotangents[i]) continue;
      if (!context_.needs(i)) continue;
      const ValueId cotangent = *round_.cotangents[i];
      context_.add(i, i < form_.first_constant() ? stacked(cotangent) : total(cotangent));
    }
  }

 private:
  const Graph& graph() const { return round_.builder.graph(); }
  bool is_invariant(ValueId value) const { return round_.is_invariant[index(value)]; }
  bool is_zero(ValueId value) const {
    const Node* node = graph().defining_node(value);
    if (node == nullptr || node->kind != OpKind::Constant) return false;
    const Tensor& tensor = node->attrs.get<Tensor>("value");
    return tensor.size() == 1 && tensor.at(0) == 0;
  }

  /// Does sum_t op(a_t) = op(sum_t a_t) hold?
  bool is_linear(const Node& node) const {
    switch (node.kind) {
      case OpKind::Neg:
      case OpKind::Reshape:
      case OpKind::Transpose:
      case OpKind::Broadcast:
      case OpKind::Slice:
      case OpKind::Reverse:
        return true;
      case OpKind::Pad:
        return is_zero(node.operands[1]);
      default:
        return false;
    }
  }

  /// The node whose sum over the rounds is computed after the loop; null where it is carried.
  const Node* summed_after(ValueId value) const {
    const Node* node = graph().defining_node(value);
    if (node == nullptr || is_invariant(value)) return nullptr;
    const bool is_sum = node->kind == OpKind::Add || node->kind == OpKind::Sum;
    return is_sum || is_linear(*node) || node->kind == OpKind::Dot ? node : nullptr;
  }

  /// The varying operands of a node that is summed after the loop: all of a product, or sums.
  static bool is_summed_as_stack(const Node& node) {
    return node.kind == OpKind::Dot || node.kind == OpKind::Sum;
  }

  /// Finds what the total over the rounds is made of: stacks and carried sums.
  void find_parts(ValueId value) {
    const Node* node = summed_after(value);
    if (node == nullptr) {
      sums_.insert(value);
      return;
    }
    const bool is_half_product = node->kind == OpKind::Dot && (is_invariant(node->operands[0]) ||
                                                               is_invariant(node->operands[1]));
    for (ValueId operand : node->operands) {
      if (node->kind == OpKind::Pad && operand == node->operands[1]) continue;
      if (is_half_product && is_invariant(operand)) continue;
      if (is_half_product || !is_summed_as_stack(*node))
        find_parts(operand);
      else
        stacks_.insert(operand);
    }
  }

  void plan() {
    for (size_t i = form_.carries; i < context_.operands.size(); ++i) {
      if (!round_.cotangents[i]) continue;
      if (i < form_.first_constant())
        stacks_.insert(*round_.cotangents[i]);
      else
        find_parts(*round_.cotangents[i]);
    }
    std::vector<ValueId> targets(sums_.begin(), sums_.end());
    std::set<ValueId> kept;
    for (ValueId value : stacks_) {
      const bool is_operand = graph().is_input(value) && index(value) >= form_.carries;
      if (round_.is_backward[index(value)] || is_operand)
        targets.push_back(value);
      else
        kept.insert(value);
    }
    for (size_t i = 0; i < form_.carries; ++i)
      if (round_.cotangents[i]) targets.push_back(*round_.cotangents[i]);
    residuals_ = choose_residuals(round_, form_, targets, kept);
  }

  /// The scan again, with the residuals collected behind what it collects already.
  void add_forward() {
    std::vector<ValueId> added;
    for (ValueId value : residuals_.stored) {
      const auto found = std::find(round_.outputs.begin() + static_cast<int64_t>(form_.carries),
                                   round_.outputs.end(), value);
      if (found == round_.outputs.end())
        added.push_back(value);
      else
        stack_of_[value] = context_.results[static_cast<size_t>(found - round_.outputs.begin())];
    }
    if (added.empty()) return;
    ScanForm form = form_;
    form.body = forward_body(added);
    const std::vector<ValueId> results = outer_.add_node(
        OpKind::Scan, {context_.operands.begin(), context_.operands.end()}, scan_attrs(form));
    for (size_t k = 0; k < added.size(); ++k)
      stack_of_[added[k]] = results[form_.carries + form_.collected + k];
  }

  BodyRef forward_body(const std::vector<ValueId>& added) {
    std::set<ValueId> needed(added.begin(), added.end());
    for (size_t v = graph().value_count(); v-- > 0;)
      if (const auto value = static_cast<ValueId>(v); needed.count(value) != 0)
        if (const Node* node = graph().defining_node(value))
          needed.insert(node->operands.begin(), node->operands.end());
    GraphBuilder body(form_.body->name, GraphMode::Body);
    std::vector<ValueId> map(graph().value_count());
    for (size_t i = 0; i < form_.body->inputs().size(); ++i)
      map[i] = body.input(InputKind::Operand, form_.body->inputs()[i].name,
                          graph().type(Graph::input_value(i)));
    for (size_t n = 0; n < graph().nodes().size(); ++n) {
      const Node& node = graph().nodes()[n];
      const bool is_needed = n < round_.body_nodes ||
                             std::any_of(node.results.begin(), node.results.end(),
                                         [&](ValueId result) { return needed.count(result) != 0; });
      if (is_needed) copy(body, node, map);
    }
    for (size_t i = 0; i < round_.outputs.size(); ++i)
      body.output(OutputKind::Result, form_.body->outputs()[i].name, map[index(round_.outputs[i])]);
    for (size_t k = 0; k < added.size(); ++k)
      body.output(
          OutputKind::Result,
          fmt::format("residual {} of {}", index(added[k]), form_.body->outputs().size() + k),
          map[index(added[k])]);
    return std::make_shared<const Graph>(std::move(body).build());
  }

  static void copy(GraphBuilder& body, const Node& node, std::vector<ValueId>& map) {
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
    body.set_origin(node.origin);
    const std::vector<ValueId> results = body.add_node(node.kind, operands, node.attrs);
    for (size_t k = 0; k < results.size(); ++k) map[index(node.results[k])] = results[k];
  }

  /// The operand of the backward scan that is the sequence of `value`'s rounds.
  std::optional<ValueId> given_stack(ValueId value) const {
    if (const auto found = stack_of_.find(value); found != stack_of_.end()) return found->second;
    if (!graph().is_input(value)) return std::nullopt;
    if (index(value) >= form_.carries && index(value) < form_.first_constant())
      return context_.operands[index(value)];
    for (size_t j = 0; j < form_.collected; ++j)
      if (round_.result_seeds[j] == value) return context_.cotangents[form_.carries + j];
    return std::nullopt;
  }

  void add_backward() {
    ScanForm form;
    form.length = form_.length;
    form.reverse = !form_.reverse;
    GraphBuilder body("backward", GraphMode::Body);
    std::vector<ValueId> map(graph().value_count());
    std::vector<ValueId> operands;
    const auto input = [&](const Type& type, ValueId operand) {
      operands.push_back(operand);
      return body.input(InputKind::Operand, fmt::format("a{}", operands.size() - 1), type);
    };
    // Carries: the cotangents of the carries, then the sums.
    for (size_t i = 0; i < form_.carries; ++i) {
      if (!reaches_carry_[i]) continue;
      const ValueId seed = *round_.carry_seeds[i];
      const Type type = graph().type(seed);
      const auto& last = context_.cotangents[i];
      map[index(seed)] = input(type, last ? *last : outer_.fill(type, 0));
      carried_at_[seed] = form.carries++;
    }
    std::map<ValueId, ValueId> sums;
    for (ValueId value : sums_) {
      const Type type = graph().type(value);
      sums[value] = input(type, outer_.fill(type, 0));
      sum_at_[value] = form.carries++;
    }
    const auto is_read = [&](ValueId value) { return residuals_.needed.count(value) != 0; };
    for (size_t v = 0; v < graph().value_count(); ++v) {
      const auto value = static_cast<ValueId>(v);
      const std::optional<ValueId> stack = given_stack(value);
      if (!stack || !is_read(value)) continue;
      map[v] = input(graph().type(value), *stack);
      ++form.sequences;
    }
    for (size_t i = form_.first_constant(); i < context_.operands.size(); ++i)
      if (is_read(Graph::input_value(i)))
        map[i] = input(graph().type(Graph::input_value(i)), context_.operands[i]);
    for (const Node& node : graph().nodes()) {
      const bool is_computed =
          std::any_of(node.results.begin(), node.results.end(), is_read) &&
          std::none_of(node.results.begin(), node.results.end(),
                       [&](ValueId result) { return residuals_.stored.count(result) != 0; });
      if (is_computed) copy(body, node, map);
    }
    add_backward_outputs(body, map, sums);
    if (body.graph().outputs().empty()) return;  // all there is, is given
    form.body = std::make_shared<const Graph>(std::move(body).build());
    backward_ = outer_.add_node(OpKind::Scan, std::move(operands), scan_attrs(form));
  }

  void add_backward_outputs(GraphBuilder& body, const std::vector<ValueId>& map,
                            const std::map<ValueId, ValueId>& sums) {
    size_t count = 0;
    const auto output = [&](ValueId value) {
      body.output(OutputKind::Result, fmt::format("r{}", count), value);
      return count++;
    };
    for (size_t i = 0; i < form_.carries; ++i) {
      if (!reaches_carry_[i]) continue;
      const auto& cotangent = round_.cotangents[i];
      output(cotangent ? map[index(*cotangent)]
                       : body.fill(graph().type(*round_.carry_seeds[i]), 0));
    }
    for (const auto& [value, sum] : sums) output(body.add(sum, map[index(value)]));
    for (ValueId value : stacks_)
      if (!given_stack(value)) collected_at_[value] = output(map[index(value)]);
  }

  ValueId carried(ValueId value) const { return backward_[carried_at_.at(value)]; }

  ValueId stacked(ValueId value) const {
    const std::optional<ValueId> given = given_stack(value);
    return given ? *given : backward_[collected_at_.at(value)];
  }

  /// The sum over the rounds, after the loop.
  ValueId total(ValueId value) {
    const Node* summed = summed_after(value);
    if (summed == nullptr) return backward_[sum_at_.at(value)];
    const Node node = *summed;
    outer_.set_origin(node.origin);
    if (node.kind == OpKind::Add) {
      const ValueId a = total(node.operands[0]);
      return outer_.add(a, total(node.operands[1]));
    }
    if (node.kind == OpKind::Dot) return total_product(node);
    if (node.kind == OpKind::Sum) {
      std::vector<int64_t> axes{0};
      for (int64_t axis : node.attrs.ints("axes")) axes.push_back(axis + 1);
      return outer_.add(OpKind::Sum, {stacked(node.operands[0])}, {{"axes", std::move(axes)}});
    }
    std::vector<ValueId> operands{total(node.operands[0])};
    if (node.kind == OpKind::Pad)
      operands.push_back(outer_.fill({outer_.dtype(operands[0]), {}}, 0));
    return outer_.add(node.kind, std::move(operands), node.attrs);
  }

  ValueId total_product(const Node& node) {
    const ValueId a = node.operands[0];
    const ValueId b = node.operands[1];
    if (is_invariant(a)) return outer_.add(OpKind::Dot, {outside(a), total(b)}, node.attrs);
    if (is_invariant(b)) {
      const ValueId sum = total(a);
      return outer_.add(OpKind::Dot, {sum, outside(b)}, node.attrs);
    }
    Attrs attrs;
    for (const char* name : {"lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract"}) {
      std::vector<int64_t> axes = node.attrs.ints(name);
      for (int64_t& axis : axes) ++axis;
      const bool is_contract = std::string_view(name).ends_with("contract");
      if (is_contract) axes.insert(axes.begin(), 0);
      attrs.set(name, std::move(axes));
    }
    return outer_.add(OpKind::Dot, {stacked(a), stacked(b)}, std::move(attrs));
  }

  /// An invariant of the round, computed outside.
  ValueId outside(ValueId value) {
    if (graph().is_input(value)) return context_.operands[index(value)];
    const Node node = *graph().defining_node(value);
    std::vector<ValueId> operands;
    for (ValueId operand : node.operands) operands.push_back(outside(operand));
    const std::vector<ValueId> results = outer_.add_node(node.kind, operands, node.attrs);
    const auto at = std::find(node.results.begin(), node.results.end(), value);
    return results[static_cast<size_t>(at - node.results.begin())];
  }

  VjpContext& context_;
  ScanForm form_;
  GraphBuilder& outer_;
  std::vector<bool> reaches_carry_;
  DerivativeRound round_;
  std::set<ValueId> stacks_, sums_;  // of the round's graph
  Residuals residuals_;
  std::map<ValueId, ValueId> stack_of_;                           // of a residual, outside
  std::map<ValueId, size_t> carried_at_, sum_at_, collected_at_;  // results of the backward scan
  std::vector<ValueId> backward_;
};

}  // namespace

void Scan::vjp(VjpContext& context) { ScanDerivative(context).run(); }

}  // namespace gradc::ops
