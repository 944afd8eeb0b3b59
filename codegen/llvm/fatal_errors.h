// What LLVM does where it cannot go on.
#pragma once

namespace gradc {

/// From here on LLVM ends the process with 5 where memory runs out, and by abort(), which leaves a
/// report, where something is wrong with what it is given.
void install_fatal_error_handlers();

/// While one lives, `new` that gets no memory, in any thread, ends the process with 5 as well: LLVM
/// is compiled without exceptions, and its destructors find what they do not expect when one
/// passes.
class LlvmAtWork {
 public:
  LlvmAtWork();
  ~LlvmAtWork();
  LlvmAtWork(const LlvmAtWork&) = delete;
  LlvmAtWork& operator=(const LlvmAtWork&) = delete;
};

}  // namespace gradc
