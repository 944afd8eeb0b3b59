// Types, numbers and tensors of the text form.
#pragma once
#include "ir/text_lexer.h"
#include "runtime/core/tensor.h"

namespace gradc {

/// A decimal integer in [lowest, highest]; `what` names it in the error.
int64_t parse_integer(TextLexer& lexer, std::string_view what, int64_t lowest, int64_t highest);

/// "[1, 2]".
std::vector<int64_t> parse_integers(TextLexer& lexer);

/// A decimal, inf, -inf, nan or nan:BITS (hexadecimal).
double parse_float(TextLexer& lexer);

/// "f32[2, 3]"; refuses ranks and sizes that check_dims refuses.
Type parse_type(TextLexer& lexer);

/// "f32[2] (1, 2)" or "f32[64] hex "00..."". Memory is taken only where the text has all elements.
Tensor parse_tensor(TextLexer& lexer);

}  // namespace gradc
