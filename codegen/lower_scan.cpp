// Shares memory between carries and what is collected of them.
#include "codegen/lower_scan.h"

#include <algorithm>

#include "ir/builder.h"

namespace gradc {
namespace {

using ops::ScanForm;
using Source = ScanPlan::Buffer::Source;

class Planner {
 public:
  explicit Planner(const Node& node)
      : form_(ops::scan_form(node.attrs, node.operands.size())),
        body_(*form_.body),
        is_shared_(body_.outputs().size()) {
    plan_.step.length = form_.length;
    plan_.step.reverse = form_.reverse;
  }

  ScanPlan run() {
    for (size_t i = 0; i < form_.carries; ++i) add_carry(i);
    for (size_t i = form_.carries; i < body_.inputs().size(); ++i) {
      const auto position = static_cast<int32_t>(i);
      const int32_t memory = buffer(Source::Operand, position);
      if (i < form_.first_constant())
        plan_.step.sequences.push_back({position, memory, bytes_of(Graph::input_value(i))});
      else
        plan_.step.constants.push_back({position, memory});
    }
    for (size_t i = form_.carries; i < body_.outputs().size(); ++i) {
      if (is_shared_[i]) continue;
      const ValueId value = body_.outputs()[i].value;
      plan_.step.collected.push_back(
          {add_output(value), buffer(Source::Result, static_cast<int32_t>(i)), bytes_of(value)});
    }
    plan_.body = body_with_outputs();
    return std::move(plan_);
  }

 private:
  int64_t bytes_of(ValueId value) const { return body_.type(value).size_bytes(); }

  int32_t buffer(Source source, int32_t position) {
    plan_.buffers.push_back({source, position});
    return static_cast<int32_t>(plan_.buffers.size()) - 1;
  }

  int32_t add_output(ValueId value) {
    outputs_.push_back(value);
    return static_cast<int32_t>(outputs_.size()) - 1;
  }

  /// The buffer of a collected value that is `value` and not yet shared with a carry, or -1.
  int32_t collected_buffer(ValueId value) {
    for (size_t i = form_.carries; i < body_.outputs().size(); ++i) {
      if (body_.outputs()[i].value != value || is_shared_[i]) continue;
      is_shared_[i] = true;
      return buffer(Source::Result, static_cast<int32_t>(i));
    }
    return -1;
  }

  void add_carry(size_t i) {
    const auto position = static_cast<int32_t>(i);
    const ValueId value = body_.outputs()[i].value;
    ScanStep::Carry carry;
    carry.input = position;
    carry.output = add_output(value);
    carry.bytes = bytes_of(value);
    carry.initial = buffer(Source::Operand, position);
    carry.last = buffer(Source::Result, position);
    if (!body_.is_input(value)) carry.kept_after = collected_buffer(value);
    carry.kept_before = collected_buffer(Graph::input_value(i));
    if (carry.kept_after < 0 && carry.kept_before < 0)
      carry.spare = buffer(Source::Spare, position);
    plan_.step.carries.push_back(carry);
  }

  Graph body_with_outputs() const {
    Rewriter rewriter(body_);
    for (const Node& node : body_.nodes()) rewriter.copy(node);
    GraphBuilder& builder = rewriter.builder();
    for (size_t i = 0; i < outputs_.size(); ++i)
      builder.output(OutputKind::Result, fmt::format("r{}", i), rewriter.map(outputs_[i]));
    return std::move(builder).build();
  }

  ScanForm form_;
  const Graph& body_;
  std::vector<bool> is_shared_;  // by output of the body: lives with a carry
  std::vector<ValueId> outputs_;
  ScanPlan plan_;
};

}  // namespace

ScanPlan plan_scan(const Node& node) { return Planner(node).run(); }

}  // namespace gradc
