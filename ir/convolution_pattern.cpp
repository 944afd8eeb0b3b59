// Walks back from the result: bias, convolution, inputs.
#include "ir/convolution_pattern.h"

#include <algorithm>

namespace gradc {
namespace {

/// The input of the body that `value` is a view of; -1 if it is anything else.
int32_t input_behind(const Graph& body, ValueId value) {
  while (const Node* node = body.defining_node(value)) {
    if (node->kind != OpKind::Reshape) return -1;
    value = node->operands[0];
  }
  return static_cast<int32_t>(index(value));
}

/// The input whose element o is element [..., o] of `value`; -1 if there is none.
int32_t bias_behind(const Graph& body, ValueId value) {
  const Node* node = body.defining_node(value);
  if (node == nullptr || node->kind != OpKind::Broadcast) return -1;
  const Shape& from = body.type(node->operands[0]).shape;
  const Shape& to = body.type(value).shape;
  const int64_t last = to.rank() - 1;
  if (from.element_count() != to[last]) return -1;
  for (int64_t k = 0; k < from.rank(); ++k)
    if (from[k] != 1 && node->attrs.ints("axes")[static_cast<size_t>(k)] != last) return -1;
  return input_behind(body, node->operands[0]);
}

std::optional<ConvolutionPattern> match_node(const Graph& body, ValueId value) {
  const Node* node = body.defining_node(value);
  if (node == nullptr || !is_convolution(node->kind) || body.type(value).dtype != DType::F32)
    return std::nullopt;
  ConvolutionPattern pattern{node->kind, convolution_shape(body, *node)};
  pattern.lhs = input_behind(body, node->operands[0]);
  pattern.rhs = input_behind(body, node->operands[1]);
  if (pattern.lhs < 0 || pattern.rhs < 0) return std::nullopt;
  if (!suits_library(pattern.kind, pattern.shape)) return std::nullopt;
  return pattern;
}

bool are_all_one(const std::vector<int64_t>& sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](int64_t size) { return size == 1; });
}

}  // namespace

bool suits_library(OpKind kind, const ConvolutionShape& shape) {
  if (kind == OpKind::Conv && is_short_convolution(shape)) return false;
  return kind != OpKind::ConvKernel || !are_all_one(shape.kernel) || are_all_one(shape.stride);
}

std::optional<ConvolutionPattern> match_convolution(const Graph& body) {
  if (body.outputs().size() != 1) return std::nullopt;
  const ValueId result = body.outputs()[0].value;
  const Node* node = body.defining_node(result);
  if (node == nullptr || node->kind != OpKind::Add) return match_node(body, result);
  for (size_t k = 0; k < 2; ++k) {
    std::optional<ConvolutionPattern> pattern = match_node(body, node->operands[k]);
    if (!pattern || pattern->kind != OpKind::Conv) continue;
    pattern->bias = bias_behind(body, node->operands[1 - k]);
    if (pattern->bias >= 0) return pattern;
  }
  return std::nullopt;
}

}  // namespace gradc
