// What LLVM does where it cannot go on.
#pragma once

namespace gradc {

/// From here on LLVM ends the process with 5 where memory runs out, and by abort(), which leaves a
/// report, where something is wrong with what it is given.
void install_fatal_error_handlers();

}  // namespace gradc
