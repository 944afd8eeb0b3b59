// Common subexpression elimination by a hash of op, operands and attributes.
#include "passes/cse.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "ir/builder.h"
#include "ir/op.h"

namespace gradc {
namespace {

/// Bytes of a constant that enter its hash; equality compares all of them.
constexpr size_t kHashedBytes = 256;

class Hash {
 public:
  void add(uint64_t word) {
    state_ ^= word + 0x9E3779B97F4A7C15u + (state_ << 6) + (state_ >> 2);
    state_ *= 0xFF51AFD7ED558CCDu;
    state_ ^= state_ >> 32;
  }
  void add(std::string_view text) { add(std::hash<std::string_view>{}(text)); }
  uint64_t value() const { return state_; }

  void operator()(bool value) { add(uint64_t{value}); }
  void operator()(int64_t value) { add(static_cast<uint64_t>(value)); }
  void operator()(double value) { add(std::bit_cast<uint64_t>(value)); }
  void operator()(const std::string& value) { add(value); }
  void operator()(const std::vector<int64_t>& values) {
    for (int64_t value : values) (*this)(value);
  }
  void operator()(DType dtype) { add(static_cast<uint64_t>(dtype)); }
  void operator()(const Tensor& tensor) {
    (*this)(tensor.shape().dims());
    const auto size = std::min(static_cast<size_t>(tensor.size_bytes()), kHashedBytes);
    add(std::string_view(reinterpret_cast<const char*>(tensor.raw()), size));
  }
  void operator()(const BodyRef& body) { add(body->nodes().size()); }

 private:
  uint64_t state_ = 0;
};

uint64_t hash_of(OpKind kind, std::span<const ValueId> operands, const Attrs& attrs) {
  Hash hash;
  hash.add(static_cast<uint64_t>(kind));
  for (ValueId operand : operands) hash.add(uint64_t{index(operand)});
  for (const auto& [name, value] : attrs.entries()) {
    hash.add(std::string_view(name));
    std::visit([&](const auto& typed) { hash(typed); }, value);
  }
  return hash.value();
}

/// f(a, b) = f(b, a), bit for bit (of a NaN: that it is one).
bool is_commutative(OpKind kind) {
  return kind == OpKind::Add || kind == OpKind::Mul || kind == OpKind::And || kind == OpKind::Or ||
         kind == OpKind::Equal || kind == OpKind::NotEqual;
}

/// The mapped operands, in one order for nodes that do not depend on it.
std::vector<ValueId> comparable_operands(const Rewriter& rewriter, const Node& node) {
  std::vector<ValueId> operands = rewriter.map(node.operands);
  if (is_commutative(node.kind)) std::sort(operands.begin(), operands.end());
  return operands;
}

}  // namespace

Graph cse(const Graph& graph) {
  Rewriter rewriter(graph);
  // From hash to the nodes of the source graph that were kept.
  std::unordered_multimap<uint64_t, const Node*> kept;
  kept.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    if (op_class(node.kind) == OpClass::Region) {
      rewriter.copy(node);
      continue;
    }
    const std::vector<ValueId> operands = comparable_operands(rewriter, node);
    const uint64_t hash = hash_of(node.kind, operands, node.attrs);
    const Node* same = nullptr;
    const auto [begin, end] = kept.equal_range(hash);
    for (auto entry = begin; entry != end && same == nullptr; ++entry) {
      const Node& other = *entry->second;
      if (other.kind == node.kind && comparable_operands(rewriter, other) == operands &&
          same_attrs(other.attrs, node.attrs)) {
        same = &other;
      }
    }
    if (same == nullptr) {
      rewriter.copy(node);
      kept.emplace(hash, &node);
      continue;
    }
    for (size_t k = 0; k < node.results.size(); ++k) {
      rewriter.replace(node.results[k], rewriter.map(same->results[k]));
    }
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
