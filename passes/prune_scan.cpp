// Liveness around the loop: a carry lives if it is used at the end or by what lives in a round.
#include "passes/prune_scan.h"

#include <algorithm>

#include "ir/ops/scan.h"

namespace gradc {
namespace {

using ops::ScanForm;

/// The values of the body that its outputs in `used` depend on; carries that are read become used.
std::vector<bool> find_live(const ScanForm& form, std::vector<bool>& used) {
  const Graph& body = *form.body;
  while (true) {
    std::vector<bool> live(body.value_count());
    for (size_t i = 0; i < used.size(); ++i)
      if (used[i]) live[index(body.outputs()[i].value)] = true;
    for (size_t n = body.nodes().size(); n-- > 0;) {
      const Node& node = body.nodes()[n];
      if (std::any_of(node.results.begin(), node.results.end(),
                      [&](ValueId result) { return live[index(result)]; }))
        for (ValueId operand : node.operands) live[index(operand)] = true;
    }
    bool has_grown = false;
    for (size_t i = 0; i < form.carries; ++i) {
      if (!live[i] || used[i]) continue;
      used[i] = has_grown = true;
    }
    if (!has_grown) return live;
  }
}

}  // namespace

std::vector<bool> used_operands(const Node& node, const std::vector<bool>& used_results) {
  const ScanForm form = ops::scan_form(node.attrs, node.operands.size());
  std::vector<bool> used = used_results;
  std::vector<bool> operands = find_live(form, used);
  operands.resize(node.operands.size());
  for (size_t i = 0; i < form.carries; ++i) operands[i] = used[i];
  return operands;
}

void copy_used_scan(Rewriter& rewriter, const Node& node, const std::vector<bool>& used_results) {
  ScanForm form = ops::scan_form(node.attrs, node.operands.size());
  const Graph& body = *form.body;
  std::vector<bool> used = used_results;
  const std::vector<bool> live = find_live(form, used);
  const auto is_kept = [&](size_t i) { return i < form.carries ? used[i] : live[i]; };
  GraphBuilder builder(body.name, GraphMode::Body);
  std::vector<ValueId> map(body.value_count());
  std::vector<ValueId> operands;
  ScanForm pruned = form;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    if (!is_kept(i)) {
      if (i < form.carries)
        --pruned.carries;
      else if (i < form.first_constant())
        --pruned.sequences;
      continue;
    }
    map[i] = builder.input(InputKind::Operand, fmt::format("a{}", operands.size()),
                           body.type(Graph::input_value(i)));
    operands.push_back(rewriter.map(node.operands[i]));
  }
  for (const Node& inner : body.nodes()) {
    if (std::none_of(inner.results.begin(), inner.results.end(),
                     [&](ValueId result) { return live[index(result)]; }))
      continue;
    std::vector<ValueId> inner_operands;
    for (ValueId operand : inner.operands) inner_operands.push_back(map[index(operand)]);
    builder.set_origin(inner.origin);
    const std::vector<ValueId> results =
        builder.add_node(inner.kind, std::move(inner_operands), inner.attrs);
    for (size_t k = 0; k < results.size(); ++k) map[index(inner.results[k])] = results[k];
  }
  // What is collected twice is collected once.
  std::vector<size_t> result_of(used.size());
  std::vector<ValueId> kept;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const ValueId value = map[index(body.outputs()[i].value)];
    const auto collected =
        kept.begin() + static_cast<int64_t>(std::min(kept.size(), pruned.carries));
    const auto same = i < form.carries ? kept.end() : std::find(collected, kept.end(), value);
    result_of[i] = static_cast<size_t>(same - kept.begin());
    if (same != kept.end()) continue;
    builder.output(OutputKind::Result, fmt::format("r{}", kept.size()), value);
    kept.push_back(value);
  }
  pruned.body = std::make_shared<const Graph>(std::move(builder).build());
  rewriter.builder().set_origin(node.origin);
  const std::vector<ValueId> results =
      rewriter.builder().add_node(OpKind::Scan, std::move(operands), ops::scan_attrs(pruned));
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i]) rewriter.replace(node.results[i], results[result_of[i]]);
}

}  // namespace gradc
