// Scans of a draft: nodes are recorded as always; at the end of a body those that depend on its
// round are copied into a graph of their own.
#include <algorithm>

#include "frontend/draft.h"
#include "ir/builder.h"
#include "ir/ops/scan.h"

namespace gradc {

namespace {

/// Copied into a body rather than given to it: what repeats smaller tensors, and known numbers.
bool is_repetition(OpKind kind) { return kind == OpKind::Broadcast || kind == OpKind::Reshape; }
bool is_literal_op(OpKind kind) {
  return kind == OpKind::Constant || kind == OpKind::Iota || kind == OpKind::Convert;
}

}  // namespace

void DraftGraph::begin_scan(int64_t length, bool reverse) {
  OpenScan scan;
  scan.length = length;
  scan.reverse = reverse;
  scan.first_node = nodes_.size();
  open_scans_.push_back(std::move(scan));
}

TensorId DraftGraph::add_round_input(Type type, TensorId source, int64_t row_axis) {
  const TensorId id = static_cast<TensorId>(tensors_.size());
  const auto depends_on = static_cast<uint8_t>(this->depends_on(source) | kOnRound);
  tensors_.push_back(
      {std::move(type), -1, static_cast<int32_t>(inputs_.size()), depends_on, row_axis});
  inputs_.push_back({InputKind::Operand, "", 0, id});
  return id;
}

TensorId DraftGraph::add_carry(TensorId initial) {
  const TensorId id = add_round_input(Type(type(initial)), initial, row_axis(initial));
  open_scans_.back().carries.push_back({initial, id});
  return id;
}

TensorId DraftGraph::add_sequence(size_t level, TensorId stacked) {
  const Shape& shape = type(stacked).shape;
  Type element{type(stacked).dtype, Shape(std::vector<int64_t>(shape.begin() + 1, shape.end()))};
  const int64_t rows = row_axis(stacked);
  const TensorId id = add_round_input(std::move(element), stacked, rows > 0 ? rows - 1 : -1);
  open_scans_[level].sequences.push_back({stacked, id});
  return id;
}

/// What the end of a body has to know of each tensor.
struct DraftGraph::RoundMarks {
  std::vector<bool> inside;  // depends on the round
  std::vector<bool> copied;  // does not, but has its place in the body all the same
  std::vector<bool> needed;
};

DraftGraph::RoundMarks DraftGraph::mark_round(const OpenScan& scan,
                                              std::span<const TensorId> outputs) const {
  RoundMarks marks{std::vector<bool>(tensors_.size()), std::vector<bool>(tensors_.size()),
                   std::vector<bool>(tensors_.size())};
  for (const RoundInput& carry : scan.carries) marks.inside[index(carry.inner)] = true;
  for (const RoundInput& sequence : scan.sequences) marks.inside[index(sequence.inner)] = true;
  for (size_t n = scan.first_node; n < nodes_.size(); ++n) {
    const DraftNode& node = nodes_[n];
    const bool is_inside =
        std::ranges::any_of(node.operands, [&](TensorId id) { return marks.inside[index(id)]; });
    const bool is_copied =
        !is_inside &&
        (is_repetition(node.kind) ||
         (is_literal_op(node.kind) && std::ranges::all_of(node.operands, [&](TensorId id) {
            return marks.copied[index(id)];
          })));
    for (const TensorId result : node.results) {
      marks.inside[index(result)] = is_inside;
      marks.copied[index(result)] = is_copied;
    }
  }
  for (const TensorId output : outputs) marks.needed[index(output)] = true;
  for (size_t n = nodes_.size(); n-- > scan.first_node;) {
    const DraftNode& node = nodes_[n];
    const bool is_copied = std::ranges::any_of(node.results, [&](TensorId id) {
      return marks.needed[index(id)] && (marks.inside[index(id)] || marks.copied[index(id)]);
    });
    if (!is_copied) continue;
    for (const TensorId operand : node.operands) marks.needed[index(operand)] = true;
  }
  return marks;
}

std::vector<TensorId> DraftGraph::end_scan(std::span<const TensorId> outputs) {
  const OpenScan scan = std::move(open_scans_.back());
  open_scans_.pop_back();
  const RoundMarks marks = mark_round(scan, outputs);
  for (const RoundInput& carry : scan.carries)
    if (marks.inside[index(carry.outer)])
      throw Error(ExitCode::ModelOrData, "E0612",
                  "the initial value of a carry depends on the round\n"
                  "it is computed once, before the first round");
  GraphBuilder builder("round", GraphMode::Body);
  std::vector<std::optional<ValueId>> values(tensors_.size());
  std::vector<TensorId> operands;
  const auto input = [&](TensorId outer, TensorId inner) {
    values[index(inner)] =
        builder.input(InputKind::Operand, fmt::format("a{}", operands.size()), type(inner));
    operands.push_back(outer);
  };
  for (const RoundInput& carry : scan.carries) input(carry.outer, carry.inner);
  for (const RoundInput& sequence : scan.sequences) input(sequence.outer, sequence.inner);
  for (size_t t = 0; t < tensors_.size(); ++t) {
    const bool is_constant = marks.needed[t] && !marks.inside[t] && !marks.copied[t];
    if (is_constant) input(static_cast<TensorId>(t), static_cast<TensorId>(t));
  }
  for (size_t n = scan.first_node; n < nodes_.size(); ++n) {
    const DraftNode& node = nodes_[n];
    const bool is_copied = std::ranges::any_of(
        node.results, [&](TensorId id) { return marks.needed[index(id)] && !values[index(id)]; });
    if (!is_copied) continue;
    std::vector<ValueId> inner;
    for (const TensorId operand : node.operands) inner.push_back(*values[index(operand)]);
    builder.set_origin(node.origin);
    const std::vector<ValueId> results = builder.add_node(node.kind, std::move(inner), node.attrs);
    for (size_t k = 0; k < results.size(); ++k) values[index(node.results[k])] = results[k];
  }
  for (size_t k = 0; k < outputs.size(); ++k)
    builder.output(OutputKind::Result, fmt::format("r{}", k), *values[index(outputs[k])]);
  ops::ScanForm form;
  form.carries = scan.carries.size();
  form.sequences = scan.sequences.size();
  form.length = scan.length;
  form.reverse = scan.reverse;
  form.body = std::make_shared<const Graph>(std::move(builder).build());
  const std::vector<TensorId> results =
      add_node(OpKind::Scan, std::move(operands), ops::scan_attrs(form));
  for (size_t k = 0; k < results.size(); ++k) {
    const int64_t rows = row_axis(outputs[k]);
    tensors_[index(results[k])].row_axis = rows < 0 || k < form.carries ? rows : rows + 1;
  }
  return results;
}

}  // namespace gradc
