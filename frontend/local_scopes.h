// The names bound inside a definition while it is checked: blocks in blocks.
#pragma once
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/ast.h"

namespace gradc {

enum class LocalKind : uint8_t {
  Parameter,
  Dimension,
  Binding,
  Var,
  Param,
  State,
  Slot,
  Carry,
  Collect,
  Shared,
  Published,
  /// An element of a `for`, a comprehension or a `scan`.
  Element,
  /// The value of an optimizer.
  OptimizedValue,
  /// Given by the language: `step`, the gradient of an optimizer.
  Given
};

/// May stand on the left of `:=`.
bool is_updatable(LocalKind kind);

struct Local {
  std::string name;
  Span span;
  LocalKind kind = LocalKind::Binding;
  bool is_used = false;
  /// How many callables and `scan` bodies are open around it.
  int callable_depth = 0;
  int scan_depth = 0;
  /// A layer: a parameter of kind `layer`, or `shared`.
  bool is_layer = false;
};

class LocalScopes {
 public:
  void open() { starts_.push_back(locals_.size()); }
  /// The names of the innermost scope, which ends.
  std::vector<Local> close();

  /// The innermost of that name; null if there is none. Valid until its scope ends.
  Local* find(const std::string& name);
  void add(Local local);
  std::vector<std::string> names() const;
  bool is_empty() const { return starts_.empty(); }

 private:
  std::deque<Local> locals_;
  std::vector<size_t> starts_;
  std::unordered_map<std::string, std::vector<size_t>> by_name_;
};

}  // namespace gradc
