// Attributes: the compile-time operands of a node, by name.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

class Graph;
/// A nested graph: the body of a group (and of a scan).
using BodyRef = std::shared_ptr<const Graph>;

/// The kinds of attribute, in the order of AttrValue's alternatives.
enum class AttrKind : uint8_t { Bool, Int, Float, String, Ints, DType, Tensor, Body };
using AttrValue =
    std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, DType, Tensor, BodyRef>;

inline AttrKind kind_of(const AttrValue& value) { return static_cast<AttrKind>(value.index()); }

/// A short list of named values in the order in which they were set. Copies share the list until
/// one of them is changed, as passes copy every node many times.
class Attrs {
 public:
  using Entries = std::vector<std::pair<std::string, AttrValue>>;

  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, AttrValue>> entries)
      : entries_(std::make_shared<Entries>(entries)) {}

  /// Replaces the value of `name` or appends it.
  void set(std::string name, AttrValue value);
  const AttrValue* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// The value of `name`, which must exist and be a T (CHECK).
  template <typename T>
  const T& get(std::string_view name) const {
    const AttrValue* value = find(name);
    CHECK(value != nullptr, "no attribute {}", name);
    const T* typed = std::get_if<T>(value);
    CHECK(typed != nullptr, "attribute {} has another kind", name);
    return *typed;
  }
  int64_t integer(std::string_view name) const { return get<int64_t>(name); }
  const std::vector<int64_t>& ints(std::string_view name) const {
    return get<std::vector<int64_t>>(name);
  }

  const Entries& entries() const { return entries_ ? *entries_ : kNoEntries; }
  /// Is it the same list? Equal lists need not be the same.
  bool shares_with(const Attrs& other) const { return entries_ == other.entries_; }

 private:
  static const Entries kNoEntries;

  std::shared_ptr<Entries> entries_;  // null while it is empty
};

/// Equal names, kinds and values in the same order; tensors by bits, bodies by structure.
bool same_attrs(const Attrs& a, const Attrs& b);

}  // namespace gradc
