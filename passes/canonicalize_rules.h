// The rewrite rules of canonicalize, by family. Each row states its equation.
#pragma once
#include "passes/simplifier.h"

namespace gradc {

/// Elementwise ops: identities, double negation, conversion chains, constant conditions.
std::span<const RewriteRule> elementwise_rules();
/// Reshape, transpose, broadcast, slice, reverse, pad, concat: identities and compositions.
std::span<const RewriteRule> movement_rules();
/// Reductions over nothing and transposes around contractions.
std::span<const RewriteRule> contraction_rules();

/// Windows that do not overlap.
std::span<const RewriteRule> window_rules();

}  // namespace gradc
