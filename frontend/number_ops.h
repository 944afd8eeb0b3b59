// Arithmetic of compile-time numbers: Python's, with 64-bit integers.
#pragma once
#include "frontend/value.h"

namespace gradc {

/// left OP right. Integers stay integers except under `/` and negative powers; the result is marked
/// as depending on the rows if an operand is. Throws Error E0312: division by zero, overflow.
NumberValue apply_numbers(ast::BinaryOp op, const NumberValue& left, const NumberValue& right);

/// For `==`, `<`, … of two numbers.
bool compare_numbers(ast::BinaryOp op, const NumberValue& left, const NumberValue& right);

/// Equality of two compile-time values. Throws Error E0313 for lists that hold tensors.
bool equal_values(const Value& left, const Value& right);

}  // namespace gradc
