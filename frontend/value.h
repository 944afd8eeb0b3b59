// What an expression of the language is worth during elaboration: everything but the elements of
// tensors.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "frontend/ast.h"
#include "runtime/core/shape.h"

namespace gradc {

class FileScope;
struct Builtin;
struct Instance;
class Value;

/// Index of a tensor in the DraftGraph of one elaboration.
enum class TensorId : uint32_t {};
constexpr uint32_t index(TensorId id) { return static_cast<uint32_t>(id); }

/// The value of a name whose statement had an error: uses of it stay silent.
struct Bad {};
struct NoneValue {};

/// An int or a float of compile time. `of_rows`: it depends on the size of the row dimension.
struct NumberValue {
  bool is_float = false;
  int64_t integer = 0;
  double real = 0;
  bool of_rows = false;

  static NumberValue of(int64_t value) { return {false, value, static_cast<double>(value), false}; }
  static NumberValue of(double value) { return {true, 0, value, false}; }
  NumberValue marked(bool is_of_rows) const { return {is_float, integer, real, is_of_rows}; }
  /// The integer that the number is, also for a whole-valued float such as 32.0.
  std::optional<int64_t> whole() const;
};

/// Where training data comes from, as `data = …` says it: canonical text such as
/// csv("homes.csv", test = 0.2).
struct DataName {
  std::string text;
};

struct List;
using ListRef = std::shared_ptr<const List>;
struct FunctionValue;
using FunctionRef = std::shared_ptr<const FunctionValue>;

/// Immutable and cheap to copy.
class Value {
 public:
  using Node = std::variant<Bad, NoneValue, bool, NumberValue, std::string, DType, ListRef,
                            FunctionRef, TensorId, DataName>;
  Value() = default;
  template <typename T>
  requires std::is_constructible_v<Node, T&&> Value(T&& node)
      : node_(std::forward<T>(node)) {}                    // NOLINT: a Value is any of these
  Value(int64_t value) : node_(NumberValue::of(value)) {}  // NOLINT
  Value(double value) : node_(NumberValue::of(value)) {}   // NOLINT
  static Value list(std::vector<Value> elements);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node_);
  }
  const std::vector<Value>* elements() const;
  /// How deep lists and captured values are nested in this one; 0 for a plain value.
  uint32_t depth() const;
  const FunctionValue* function() const;
  bool is_none() const { return as<NoneValue>() != nullptr; }
  bool is_bad() const { return as<Bad>() != nullptr; }
  const Node& node() const { return node_; }

 private:
  Node node_;
};

struct List {
  std::vector<Value> elements;
  uint32_t depth = 1;
};

/// A value bound to a parameter of a function.
struct BoundArgument {
  std::string name;
  Value value;
};

/// A name visible where a lambda was written, with its value there.
struct CapturedName {
  std::string name;
  Value value;
  Span where;
};
/// The surroundings of a lambda: values, not variables.
struct Capture {
  std::vector<CapturedName> names;
  std::optional<DType> float_dtype;
  std::optional<std::vector<int64_t>> rest;  // the dimensions that `...` stands for
};

enum class FunctionKind : uint8_t { Builtin, Fn, Layer, Shared, Optimizer, Model };

struct FunctionValue {
  FunctionKind kind = FunctionKind::Fn;
  std::string name;  // as defined or bound; "fn" for a lambda
  Span definition;
  const Builtin* builtin = nullptr;
  const ast::Callable* callable = nullptr;
  const FileScope* file = nullptr;
  std::shared_ptr<const Capture> capture;  // of a lambda
  Instance* instance = nullptr;            // of a Shared
  std::vector<BoundArgument> arguments;    // given to a Shared, or the settings of an Optimizer
  const ast::Optimizer* optimizer = nullptr;
  bool is_configured = false;  // an Optimizer whose settings are all bound
  uint32_t depth = 0;          // of the values it holds

  /// Sets `depth` when capture and arguments are complete.
  void count_depth();
};

/// "a number", "a function", "a tensor", …: what messages call the kind of a value. The elements of
/// `types` are not needed: tensors are named by the caller, who knows their types.
std::string kind_text(const Value& value);
/// "int", "float", "bool", "string", "dtype", "list", "fn", "layer", "none", "tensor": what the
/// built-in function `kind` returns.
std::string kind_word(const Value& value);
/// The shortest text that reads back as the same number.
std::string to_text(const NumberValue& number);
/// Numbers, strings, lists, … as they would be written, long ones cut off; a function by its name.
std::string to_text(const Value& value);

}  // namespace gradc
