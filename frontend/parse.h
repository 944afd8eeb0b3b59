// Model text to syntax tree. Errors are reported, not thrown; reading goes on at the next
// statement, so independent errors show together.
#pragma once
#include <memory>
#include <string_view>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"
#include "frontend/source.h"
#include "ir/text.h"

namespace gradc {

inline constexpr size_t kMaxFileBytes = size_t{16} << 20;
/// Brackets, blocks, lambdas and prefix operators inside one another.
inline constexpr int kMaxNesting = 256;
/// Operators of one chain (a + b + …, f(x)(y)…) count too, so that trees stay walkable.
inline constexpr uint32_t kMaxHeight = 1024;
/// Expressions of a file.
inline constexpr int64_t kMaxExpressions = 2'000'000;

/// The tree of a file; what could not be read is left out. Never null.
/// Codes E01xx. A tree with errors must not be evaluated.
std::shared_ptr<const ast::File> parse(const SourcePtr& source, Diagnostics& diagnostics);

/// One expression and nothing behind it (`--set KEY=EXPR`); null after an error. Its spans point
/// into `source`.
ast::ExprPtr parse_expression(const SourcePtr& source, Diagnostics& diagnostics);

/// Valid UTF-8 without NUL and not too long; false after a report (E0109, E0110).
bool is_readable_text(const Source& source, Diagnostics& diagnostics);

}  // namespace gradc
