// Walks back from the result: activation, bias, transpose, dot, transposed operands.
#include "ir/matmul_pattern.h"

#include <algorithm>

#include "ir/iteration.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// An input of the body seen through transposes and broadcasts: one stride for each axis.
struct InputView {
  int32_t input;
  std::vector<int64_t> strides;
};

std::optional<InputView> view_of_input(const Graph& body, ValueId value) {
  const Node* node = body.defining_node(value);
  if (node == nullptr)
    return InputView{static_cast<int32_t>(index(value)), body.type(value).shape.strides()};
  if (node->kind != OpKind::Transpose && node->kind != OpKind::Broadcast) return std::nullopt;
  const std::optional<InputView> operand = view_of_input(body, node->operands[0]);
  if (!operand) return std::nullopt;
  const auto rank = static_cast<size_t>(body.type(value).shape.rank());
  InputView view{operand->input, std::vector<int64_t>(rank, 0)};
  if (node->kind == OpKind::Transpose) {
    for (size_t axis = 0; axis < rank; ++axis)
      view.strides[axis] =
          operand->strides[static_cast<size_t>(node->attrs.ints("permutation")[axis])];
    return view;
  }
  const Shape& shape = body.type(node->operands[0]).shape;
  const std::vector<int64_t>& axes = node->attrs.ints("axes");
  for (size_t k = 0; k < axes.size(); ++k)
    if (shape[static_cast<int64_t>(k)] != 1)
      view.strides[static_cast<size_t>(axes[k])] = operand->strides[k];
  return view;
}

/// Axes that several arrays share: a size and a stride in each array.
struct SharedAxes {
  std::vector<int64_t> sizes;
  std::vector<std::vector<int64_t>> strides;  // by array, then axis

  explicit SharedAxes(size_t array_count) : strides(array_count) {}
  void add(int64_t size, const std::vector<int64_t>& of_arrays) {
    if (size == 1) return;
    sizes.push_back(size);
    for (size_t a = 0; a < strides.size(); ++a) strides[a].push_back(of_arrays[a]);
  }
  /// Joins neighbours that every array lays out as one index; are at most `most` left?
  bool merge(size_t most = 1) {
    for (size_t last = sizes.size(); last-- > 1;) {
      const bool is_one = std::all_of(strides.begin(), strides.end(), [&](const auto& of_array) {
        return of_array[last - 1] == of_array[last] * sizes[last];
      });
      if (!is_one) continue;
      for (std::vector<int64_t>& of_array : strides)
        of_array.erase(of_array.begin() + static_cast<int64_t>(last) - 1);
      sizes[last - 1] *= sizes[last];
      sizes.erase(sizes.begin() + static_cast<int64_t>(last));
    }
    return sizes.size() <= most;
  }
  int64_t size() const { return sizes.empty() ? 1 : sizes.back(); }
  int64_t stride(size_t array) const { return sizes.empty() ? 1 : strides[array].back(); }
  /// Of the first of two.
  int64_t outer_size() const { return sizes.size() < 2 ? 1 : sizes[0]; }
  int64_t outer_stride(size_t array) const { return sizes.size() < 2 ? 1 : strides[array][0]; }
};

bool is_zero(const Graph& body, ValueId value) {
  const Node* node = body.defining_node(value);
  while (node != nullptr && (node->kind == OpKind::Broadcast || node->kind == OpKind::Reshape))
    node = body.defining_node(node->operands[0]);
  if (node == nullptr || node->kind != OpKind::Constant) return false;
  const std::optional<Tensor> scalar = uniform_element(node->attrs.get<Tensor>("value"));
  return scalar && same_bits(*scalar, Tensor::scalar(scalar->dtype(), 0));
}

/// What is left to match, from the result backwards.
class Matcher {
 public:
  explicit Matcher(const Graph& body) : body_(body), users_(count_users(body)) {}

  std::optional<MatmulPattern> match() {
    if (body_.outputs().size() != 1) return std::nullopt;
    ValueId value = body_.outputs()[0].value;
    if (body_.type(value).dtype != DType::F32) return std::nullopt;
    out_strides_ = body_.type(value).shape.strides();
    value = match_relu(value);
    value = match_bias(value);
    value = match_transpose(value);
    const Node* node = body_.defining_node(value);
    if (node == nullptr || node->kind != OpKind::Dot || !match_dot(*node)) return std::nullopt;
    return pattern_;
  }

 private:
  /// The node that makes `value` if it is of this kind and nobody else reads it.
  const Node* sole(ValueId value, OpKind kind) const {
    const Node* node = body_.defining_node(value);
    const bool is_sole = users_[index(value)] == 1;
    return node != nullptr && node->kind == kind && is_sole ? node : nullptr;
  }

  ValueId match_relu(ValueId value) {
    const Node* node = sole(value, OpKind::Maximum);
    if (node == nullptr || !is_zero(body_, node->operands[1])) return value;
    pattern_.activation = MatmulPattern::Activation::Relu;
    return node->operands[0];
  }

  ValueId match_bias(ValueId value) {
    const Node* node = sole(value, OpKind::Add);
    if (node == nullptr) return value;
    for (size_t k = 0; k < 2; ++k) {
      const Node* other = body_.defining_node(node->operands[1 - k]);
      const std::optional<InputView> view = view_of_input(body_, node->operands[k]);
      const bool is_product =
          other != nullptr && (other->kind == OpKind::Dot || other->kind == OpKind::Transpose);
      if (!view || !is_product) continue;
      bias_ = view;
      return node->operands[1 - k];
    }
    return value;
  }

  /// out_strides_ (and the bias's) become those of the axes of the dot.
  ValueId match_transpose(ValueId value) {
    const Node* node = sole(value, OpKind::Transpose);
    if (node == nullptr) return value;
    const std::vector<int64_t>& permutation = node->attrs.ints("permutation");
    const auto undo = [&](const std::vector<int64_t>& strides) {
      std::vector<int64_t> undone(strides.size());
      for (size_t axis = 0; axis < strides.size(); ++axis)
        undone[static_cast<size_t>(permutation[axis])] = strides[axis];
      return undone;
    };
    out_strides_ = undo(out_strides_);
    if (bias_) bias_->strides = undo(bias_->strides);
    return node->operands[0];
  }

  bool match_dot(const Node& node);

  const Graph& body_;
  std::vector<int32_t> users_;
  std::vector<int64_t> out_strides_;
  std::optional<InputView> bias_;
  MatmulPattern pattern_;
};

bool Matcher::match_dot(const Node& node) {
  const Shape& lhs_shape = body_.type(node.operands[0]).shape;
  const Shape& rhs_shape = body_.type(node.operands[1]).shape;
  const std::optional<InputView> lhs = view_of_input(body_, node.operands[0]);
  const std::optional<InputView> rhs = view_of_input(body_, node.operands[1]);
  if (!lhs || !rhs) return false;
  const auto out_stride = [&](size_t axis) { return out_strides_[axis]; };
  const auto bias_stride = [&](size_t axis) { return bias_ ? bias_->strides[axis] : 0; };
  const auto in = [](const std::vector<int64_t>& axes, int64_t axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  SharedAxes batch(4);  // lhs, rhs, out, bias
  SharedAxes m(3);      // lhs, out, bias
  SharedAxes n(3);      // rhs, out, bias
  SharedAxes k(2);      // lhs, rhs
  const std::vector<int64_t>& lhs_batch = node.attrs.ints("lhs_batch");
  const std::vector<int64_t>& rhs_batch = node.attrs.ints("rhs_batch");
  const std::vector<int64_t>& lhs_contract = node.attrs.ints("lhs_contract");
  const std::vector<int64_t>& rhs_contract = node.attrs.ints("rhs_contract");
  const auto stride = [](const InputView& view, int64_t axis) {
    return view.strides[static_cast<size_t>(axis)];
  };
  size_t out = 0;
  for (size_t b = 0; b < lhs_batch.size(); ++b, ++out)
    batch.add(lhs_shape[lhs_batch[b]], {stride(*lhs, lhs_batch[b]), stride(*rhs, rhs_batch[b]),
                                        out_stride(out), bias_stride(out)});
  for (int64_t axis = 0; axis < lhs_shape.rank(); ++axis)
    if (!in(lhs_batch, axis) && !in(lhs_contract, axis)) {
      m.add(lhs_shape[axis], {stride(*lhs, axis), out_stride(out), bias_stride(out)});
      ++out;
    }
  for (int64_t axis = 0; axis < rhs_shape.rank(); ++axis)
    if (!in(rhs_batch, axis) && !in(rhs_contract, axis)) {
      n.add(rhs_shape[axis], {stride(*rhs, axis), out_stride(out), bias_stride(out)});
      ++out;
    }
  for (size_t c = 0; c < lhs_contract.size(); ++c)
    k.add(lhs_shape[lhs_contract[c]],
          {stride(*lhs, lhs_contract[c]), stride(*rhs, rhs_contract[c])});
  if (!batch.merge(2) || !m.merge() || !n.merge() || !k.merge()) return false;
  const bool repeats_operands =
      std::min({batch.outer_stride(0), batch.outer_stride(1), batch.stride(0), batch.stride(1),
                m.stride(0), n.stride(0), k.stride(0), k.stride(1)}) == 0;
  const bool is_empty =
      std::min({batch.outer_size(), batch.size(), m.size(), n.size(), k.size()}) == 0;
  if (repeats_operands || is_empty) return false;
  if (bias_) {
    const bool varies_by_row = (batch.outer_size() != 1 && batch.outer_stride(3) != 0) ||
                               (batch.size() != 1 && batch.stride(3) != 0) ||
                               (m.size() != 1 && m.stride(2) != 0);
    if (varies_by_row || n.stride(2) != 1) return false;
    pattern_.bias = bias_->input;
  }
  pattern_.lhs = lhs->input;
  pattern_.rhs = rhs->input;
  pattern_.outer = batch.outer_size();
  pattern_.lhs_outer = batch.outer_stride(0);
  pattern_.rhs_outer = batch.outer_stride(1);
  pattern_.out_outer = batch.outer_stride(2);
  pattern_.batch = batch.size();
  pattern_.m = m.size();
  pattern_.n = n.size();
  pattern_.k = k.size();
  pattern_.lhs_strides = {batch.stride(0), m.stride(0), k.stride(0)};
  pattern_.rhs_strides = {batch.stride(1), k.stride(1), n.stride(0)};
  pattern_.out_strides = {batch.stride(2), m.stride(1), n.stride(1)};
  return true;
}

}  // namespace

bool suits_loops(const MatmulPattern& pattern) {
  if (pattern.rhs_strides[2] != 1 || pattern.out_strides[2] != 1) return false;
  if (pattern.m == 1) return true;
  for (int64_t tile = kLeastTileRows; tile <= kMostTileRows; ++tile)
    if (pattern.m % tile == 0) return true;
  return false;
}

std::optional<MatmulPattern> match_matmul(const Graph& body) { return Matcher(body).match(); }

}  // namespace gradc
