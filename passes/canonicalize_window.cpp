// Rewrite rules of windows that do not overlap: they are movement.
#include "ir/op.h"
#include "passes/canonicalize_rules.h"

namespace gradc {
namespace {

using Result = std::optional<ValueId>;
using Ints = std::vector<int64_t>;

/// Does each window begin where the one before it ends?
bool is_partition(const Attrs& attrs, const Ints& sizes) {
  for (size_t k = 0; k < sizes.size(); ++k)
    if (attrs.ints("stride")[k] != sizes[k] || (attrs.ints("dilation")[k] != 1 && sizes[k] != 1))
      return false;
  return true;
}

Result windows_that_partition(Simplifier& simplifier, const Candidate& node) {
  const Ints& sizes = node.attrs.ints("size");
  if (!is_partition(node.attrs, sizes)) return {};
  const Shape& shape = simplifier.shape(node.operands[0]);
  for (size_t k = 0; k < sizes.size(); ++k)
    if (shape[node.attrs.ints("axes")[k]] % sizes[k] != 0) return {};
  return simplifier.reshape(node.operands[0], node.type.shape);
}

Result fold_of_partition(Simplifier& simplifier, const Candidate& node) {
  const Ints& axes = node.attrs.ints("axes");
  const Shape& shape = simplifier.shape(node.operands[0]);
  Ints sizes;
  Ints inner = node.type.shape.dims();
  Ints high(inner.size(), 0);
  for (size_t k = 0; k < axes.size(); ++k) {
    const int64_t place = axes[k] + static_cast<int64_t>(k);
    sizes.push_back(shape[place + 1]);
    inner[static_cast<size_t>(axes[k])] = shape[place] * shape[place + 1];
    high[static_cast<size_t>(axes[k])] = node.attrs.ints("length")[k] - shape[place] * sizes[k];
  }
  if (!is_partition(node.attrs, sizes)) return {};
  const ValueId whole = simplifier.reshape(node.operands[0], Shape(std::move(inner)));
  if (simplifier.shape(whole) == node.type.shape) return whole;
  const ValueId zero =
      simplifier.add(OpKind::Constant, {}, {{"value", Tensor::scalar(node.type.dtype, -0.0)}});
  return simplifier.add(OpKind::Pad, {whole, zero},
                        {{"low", Ints(high.size(), 0)}, {"high", high}});
}

constexpr RewriteRule kRules[] = {
    {OpKind::Windows, "windows(a) ==> reshape(a) if they follow each other and fill the axes",
     windows_that_partition},
    {OpKind::FoldWindows, "fold_windows(a) ==> pad(reshape(a), -0) if they follow each other",
     fold_of_partition},
};

}  // namespace

std::span<const RewriteRule> window_rules() { return kRules; }

}  // namespace gradc
