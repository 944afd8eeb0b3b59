// Lookup and comparison of attributes.
#include "ir/attrs.h"

#include "ir/graph.h"

namespace gradc {
namespace {

bool same_body(const Graph& a, const Graph& b) {
  if (&a == &b) return true;
  if (a.mode != b.mode || a.rows != b.rows || a.value_count() != b.value_count() ||
      a.inputs().size() != b.inputs().size() || a.outputs().size() != b.outputs().size() ||
      a.nodes().size() != b.nodes().size())
    return false;
  for (size_t i = 0; i < a.value_count(); ++i)
    if (a.type(static_cast<ValueId>(i)) != b.type(static_cast<ValueId>(i))) return false;
  for (size_t i = 0; i < a.inputs().size(); ++i) {
    const Input& x = a.inputs()[i];
    const Input& y = b.inputs()[i];
    if (x.kind != y.kind || x.name != y.name || x.limit != y.limit) return false;
  }
  for (size_t i = 0; i < a.outputs().size(); ++i) {
    const Output& x = a.outputs()[i];
    const Output& y = b.outputs()[i];
    if (x.kind != y.kind || x.name != y.name || x.value != y.value) return false;
  }
  for (size_t i = 0; i < a.nodes().size(); ++i) {
    const Node& x = a.nodes()[i];
    const Node& y = b.nodes()[i];
    if (x.kind != y.kind || x.operands != y.operands || x.results != y.results ||
        !same_attrs(x.attrs, y.attrs))
      return false;
  }
  return true;
}

bool same_value(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* tensor = std::get_if<Tensor>(&a)) return same_bits(*tensor, std::get<Tensor>(b));
  if (const auto* body = std::get_if<BodyRef>(&a)) {
    const BodyRef& other = std::get<BodyRef>(b);
    return *body == other || (*body != nullptr && other != nullptr && same_body(**body, *other));
  }
  if (const auto* number = std::get_if<double>(&a))
    return std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(std::get<double>(b));
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, BodyRef>)
          return false;
        else
          return value == std::get<T>(b);
      },
      a);
}

}  // namespace

const Attrs::Entries Attrs::kNoEntries;

void Attrs::set(std::string name, AttrValue value) {
  if (!entries_)
    entries_ = std::make_shared<Entries>();
  else if (entries_.use_count() > 1)
    entries_ = std::make_shared<Entries>(*entries_);
  for (auto& [key, old] : *entries_)
    if (key == name) {
      old = std::move(value);
      return;
    }
  entries_->emplace_back(std::move(name), std::move(value));
}

const AttrValue* Attrs::find(std::string_view name) const {
  for (const auto& [key, value] : entries())
    if (key == name) return &value;
  return nullptr;
}

bool same_attrs(const Attrs& a, const Attrs& b) {
  if (a.shares_with(b)) return true;
  if (a.entries().size() != b.entries().size()) return false;
  for (size_t i = 0; i < a.entries().size(); ++i)
    if (a.entries()[i].first != b.entries()[i].first ||
        !same_value(a.entries()[i].second, b.entries()[i].second))
      return false;
  return true;
}

}  // namespace gradc
