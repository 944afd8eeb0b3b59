// Finds families of scans that are one loop, and joins what they collect.
#include "passes/merge_scans.h"

#include <algorithm>

#include "ir/builder.h"
#include "ir/ops/scan.h"
#include "passes/scan_bodies.h"

namespace gradc {
namespace {

using ops::ScanForm;

ScanForm form_of(const Node& node) { return ops::scan_form(node.attrs, node.operands.size()); }

/// Are the nodes of the shorter body the first nodes of the longer one?
bool has_same_start(const Graph& a, const Graph& b) {
  if (a.inputs().size() != b.inputs().size()) return false;
  const size_t count = std::min(a.nodes().size(), b.nodes().size());
  for (size_t n = 0; n < count; ++n) {
    const Node& x = a.nodes()[n];
    const Node& y = b.nodes()[n];
    if (x.kind != y.kind || x.operands != y.operands || x.results != y.results ||
        !same_attrs(x.attrs, y.attrs))
      return false;
  }
  return true;
}

bool is_same_loop(const Node& a, const Node& b) {
  if (a.operands != b.operands) return false;
  const ScanForm x = form_of(a);
  const ScanForm y = form_of(b);
  if (x.carries != y.carries || x.sequences != y.sequences || x.length != y.length ||
      x.reverse != y.reverse || !has_same_start(*x.body, *y.body))
    return false;
  for (size_t i = 0; i < x.carries; ++i)
    if (x.body->outputs()[i].value != y.body->outputs()[i].value) return false;
  return true;
}

/// The longest body of a family, with the carries and every value that one of them collects.
class Family {
 public:
  explicit Family(const Node& first) : form_(form_of(first)) { add(first); }

  void add(const Node& scan) {
    const ScanForm form = form_of(scan);
    if (form.body->nodes().size() > form_.body->nodes().size()) form_.body = form.body;
    for (size_t i = form_.carries; i < form.body->outputs().size(); ++i) {
      const ValueId value = form.body->outputs()[i].value;
      if (std::find(collected_.begin(), collected_.end(), value) == collected_.end())
        collected_.push_back(value);
    }
  }

  Attrs attrs() const {
    // Inputs and nodes as they are, other outputs.
    GraphBuilder builder(form_.body->name, GraphMode::Body);
    const Graph& body = *form_.body;
    for (size_t i = 0; i < body.inputs().size(); ++i)
      builder.input(body.inputs()[i].kind, body.inputs()[i].name, body.type(Graph::input_value(i)));
    for (const Node& node : body.nodes()) {
      builder.set_origin(node.origin);
      builder.add_node(node.kind, node.operands, node.attrs);
    }
    for (size_t i = 0; i < form_.carries; ++i)
      builder.output(OutputKind::Result, fmt::format("r{}", i), body.outputs()[i].value);
    for (size_t k = 0; k < collected_.size(); ++k)
      builder.output(OutputKind::Result, fmt::format("r{}", form_.carries + k), collected_[k]);
    ScanForm form = form_;
    form.body = std::make_shared<const Graph>(std::move(builder).build());
    return ops::scan_attrs(form);
  }

  /// The result of the family's scan that is result `position` of one of its scans.
  size_t result_of(const Node& scan, size_t position) const {
    if (position < form_.carries) return position;
    const ValueId value = form_of(scan).body->outputs()[position].value;
    const auto at = std::find(collected_.begin(), collected_.end(), value) - collected_.begin();
    return form_.carries + static_cast<size_t>(at);
  }

 private:
  ScanForm form_;
  std::vector<ValueId> collected_;  // of the bodies
};

/// The scans of one graph; their bodies stay.
Graph merge_level(const Graph& graph) {
  std::vector<int32_t> first_of(graph.nodes().size(), -1);  // by node: the first of its family
  std::vector<std::vector<size_t>> families;
  bool has_families = false;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (node.kind != OpKind::Scan) continue;
    // With all of them: two longer bodies that begin with a shorter one need not be the same.
    const auto same = std::find_if(families.begin(), families.end(), [&](const auto& family) {
      return std::all_of(family.begin(), family.end(), [&](size_t earlier) {
        return is_same_loop(graph.nodes()[earlier], node);
      });
    });
    has_families |= same != families.end();
    std::vector<size_t>& family = same == families.end() ? families.emplace_back() : *same;
    family.push_back(n);
    first_of[n] = static_cast<int32_t>(family[0]);
  }
  if (!has_families) return graph;
  Rewriter rewriter(graph);
  std::vector<std::vector<ValueId>> results(graph.nodes().size());
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (first_of[n] < 0) {
      rewriter.copy(node);
      continue;
    }
    const auto first = static_cast<size_t>(first_of[n]);
    Family family(graph.nodes()[first]);
    for (size_t other = first + 1; other < first_of.size(); ++other)
      if (first_of[other] == first_of[n]) family.add(graph.nodes()[other]);
    if (n == first) {
      rewriter.builder().set_origin(node.origin);
      results[n] =
          rewriter.builder().add_node(OpKind::Scan, rewriter.map(node.operands), family.attrs());
    }
    for (size_t k = 0; k < node.results.size(); ++k)
      rewriter.replace(node.results[k], results[first][family.result_of(node, k)]);
  }
  return std::move(rewriter).finish();
}

}  // namespace

Graph merge_scans(const Graph& graph) { return rewrite_bodies(merge_level(graph), merge_scans); }

}  // namespace gradc
