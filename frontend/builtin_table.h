// The built-in functions: a row of name and function each; their parameters are in builtins.h.
#pragma once
#include <span>

#include "frontend/builtins.h"
#include "frontend/elaborator.h"

namespace gradc {

class BuiltinCall;
using BuiltinFunction = Value (*)(BuiltinCall& call);

struct Builtin {
  std::string_view name;
  BuiltinFunction function;
};

/// Null where there is none.
const Builtin* find_builtin_function(std::string_view name);
/// The function as a value, or the constant.
Value builtin_value(const Builtin& builtin);

// One table a family, each in the file builtins_FAMILY.cpp.
std::span<const Builtin> elementwise_builtins();
std::span<const Builtin> movement_builtins();
std::span<const Builtin> reduction_builtins();
std::span<const Builtin> ordered_builtins();
std::span<const Builtin> window_builtins();
std::span<const Builtin> creation_builtins();
std::span<const Builtin> compile_time_builtins();

/// The arguments of one call by the position of their parameter; getters check kinds and blame the
/// argument (E0304).
class BuiltinCall {
 public:
  BuiltinCall(Elaborator& elaborator, const Builtin& builtin, Invocation& invocation);

  Elaborator& elaborator() { return elaborator_; }
  TensorOps& ops() { return elaborator_.ops(); }
  const Type& type(TensorId id) { return elaborator_.type(id); }
  Span span() const { return invocation_.span; }
  Span where(size_t position) const;
  std::string_view name() const { return signature_.name; }

  /// Given and not `none`.
  bool has(size_t position) const;
  /// Null where left out.
  const Value* find(size_t position) const { return values_[position]; }
  const Value& value(size_t position) const;
  /// A tensor; a number becomes a scalar.
  TensorId tensor(size_t position);
  const NumberValue* number(size_t position) const { return value(position).as<NumberValue>(); }
  int64_t integer(size_t position, int64_t otherwise);
  double real(size_t position, double otherwise);
  bool boolean(size_t position, bool otherwise);
  DType dtype(size_t position, DType otherwise);
  /// A list of whole numbers, or one whole number.
  std::vector<int64_t> integers(size_t position);
  /// A list of sizes >= 0 (E0404); `is_of_rows` tells if one depends on the rows.
  Shape shape(size_t position);
  std::vector<TensorId> tensors(size_t position);
  /// A number or a tensor.
  const Value& operand(size_t position);
  [[noreturn]] void wrong_kind(size_t position, const std::string& wanted);

 private:
  Elaborator& elaborator_;
  const BuiltinSignature& signature_;
  const Invocation& invocation_;
  std::vector<const Value*> values_;
  std::vector<Span> spans_;
};

}  // namespace gradc
