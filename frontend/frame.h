// One running call: its names, its place in the path of instances, what it returned.
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "frontend/file_scope.h"
#include "frontend/ownership.h"

namespace gradc {

enum class VariableRole : uint8_t {
  Binding,    // bound once
  Var,        // `var`: any new value
  Argument,   // a parameter of the function
  Dimension,  // bound by a signature
  Owned,      // `param`
  State,      // `state`: keeps its type
  Slot,       // `slot`: keeps its type
  Updated,    // an optimizer's value: keeps its type
  Carry,      // of a scan under way: keeps its type
};

struct Variable {
  std::string name;
  Value value;
  Span where;
  VariableRole role = VariableRole::Binding;
  Owned* owned = nullptr;  // of Owned and State
  std::string from;        // of a Dimension: "axis 1 of `x`"
};

/// Where in the path of instances a call would stand, relative to the frame's instance.
struct Naming {
  std::vector<std::string> loops;   // "hidden", "0": rounds of `for`
  std::string bound;                // the name that the statement binds
  std::vector<std::string> rounds;  // rounds of comprehensions
};

struct Frame {
  Frame* caller = nullptr;
  FunctionKind kind = FunctionKind::Fn;
  std::string name;  // the function's, for messages
  const ast::Callable* callable = nullptr;
  const FileScope* file = nullptr;
  Span call;  // where it was called
  Instance* instance = nullptr;
  /// A deque: pointers to variables stay valid while names are added.
  std::deque<Variable> variables;
  size_t first_own = 0;  // the variables before are a lambda's captured names
  Naming naming;
  std::optional<DType> float_dtype;
  std::optional<std::vector<int64_t>> rest;  // what `...` stands for
  std::optional<Value> returned;

  /// The innermost variable of that name, or null.
  Variable* find(const std::string& variable_name);
};

/// One `loss`, `metric` or `output`.
struct Published {
  std::string name;
  TensorId value{};
  Span where;
};

/// What an optimizer did to one parameter.
struct SlotUpdate {
  std::string name;  // PATH:SLOT
  Span where;        // of the initial value
  TensorId input{};
  TensorId initial{};
  TensorId current{};
};

}  // namespace gradc
