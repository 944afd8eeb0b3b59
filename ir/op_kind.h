// The primitive operations, from ops.def.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace gradc {

enum class OpKind : uint8_t {
#define OP(Kind, text, op_class) Kind,
#include "ir/ops.def"
};

inline constexpr OpKind kAllOpKinds[] = {
#define OP(Kind, text, op_class) OpKind::Kind,
#include "ir/ops.def"
};

/// What the later stages switch on.
enum class OpClass : uint8_t {
  Elementwise,  // out[i] = f(a[i], b[i], ...); all operands and the result have one shape
  Movement,     // out[i] = a[map(i)]: reshape, transpose, ..., windows; pad, concat
  Reduction,    // over `axes`, which disappear
  Contraction,  // dot
  Window,       // sums over windows that slide: fold_windows, conv and its derivatives
  Index,        // gather, scatter_add
  Ordered,      // along the last axis: running sums, sorting
  Leaf,         // no tensor operands: constant, iota
  Random,       // counter-based
  Region,       // holds a body: group, scan
  Meta,         // has a meaning for the compiler only and is gone before codegen: gradient, ...
};

}  // namespace gradc
