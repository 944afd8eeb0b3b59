// Handlers that must not return and must not allocate.
#include "codegen/llvm/fatal_errors.h"

#include <llvm/Support/ErrorHandling.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/core/error.h"

namespace gradc {
namespace {

std::atomic<int> at_work = 0;

void say(const char* text) { (void)!write(STDERR_FILENO, text, std::strlen(text)); }

void end_without_memory(void*, const char*, bool) {
  say("gradc: error[E0802] out of memory\n");
  _exit(static_cast<int>(ExitCode::InputOutput));
}

void end_or_throw() {
  if (at_work > 0) end_without_memory(nullptr, nullptr, false);
  throw std::bad_alloc();
}

void end_with_fault(void*, const char* reason, bool) {
  say("gradc: LLVM: ");
  say(reason);
  say("\n");
  std::abort();
}

}  // namespace

void install_fatal_error_handlers() {
  llvm::install_bad_alloc_error_handler(end_without_memory);
  llvm::install_fatal_error_handler(end_with_fault);
  std::set_new_handler(end_or_throw);
}

LlvmAtWork::LlvmAtWork() { ++at_work; }
LlvmAtWork::~LlvmAtWork() { --at_work; }

}  // namespace gradc
