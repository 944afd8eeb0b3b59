// Handlers that must not return and must not allocate.
#include "codegen/llvm/fatal_errors.h"

#include <llvm/Support/ErrorHandling.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "runtime/core/signal_safe.h"

namespace gradc {
namespace {

std::atomic<int> at_work = 0;

constexpr const char* kProgram = "gradc";  // built programs have no LLVM

void end_or_throw() {
  if (at_work > 0) end_without_memory(kProgram);
  throw std::bad_alloc();
}

void end_with_fault(void*, const char* reason, bool) {
  say(kProgram);
  say(": LLVM: ");
  say(reason);
  say("\n");
  std::abort();
}

}  // namespace

void install_fatal_error_handlers() {
  llvm::install_bad_alloc_error_handler(
      [](void*, const char*, bool) { end_without_memory(kProgram); });
  llvm::install_fatal_error_handler(end_with_fault);
  std::set_new_handler(end_or_throw);
}

LlvmAtWork::LlvmAtWork() { ++at_work; }
LlvmAtWork::~LlvmAtWork() { --at_work; }

}  // namespace gradc
