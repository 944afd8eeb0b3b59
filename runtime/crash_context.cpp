// The scopes of each thread, and what they leave behind when an exception ends them.
#include "runtime/crash_context.h"

#include <exception>
#include <mutex>
#include <utility>

namespace gradc {
namespace {

thread_local const CrashScope* innermost = nullptr;
/// For threads that are in no scope of their own, such as those of a team.
std::atomic<const CrashScope*> latest = nullptr;

CrashInput noted_input;
std::mutex trace_mutex;
CrashTrace trace;

}  // namespace

CrashScope::CrashScope(const char* stage, Text text)
    : stage_(stage),
      text_(std::move(text)),
      outer_(innermost),
      exceptions_(std::uncaught_exceptions()) {
  innermost = this;
  latest.store(this, std::memory_order_relaxed);
}

CrashScope::~CrashScope() {
  innermost = outer_;
  const CrashScope* self = this;
  latest.compare_exchange_strong(self, outer_, std::memory_order_relaxed);
  if (std::uncaught_exceptions() == exceptions_) return;
  try {
    const std::lock_guard lock(trace_mutex);
    trace.stages += trace.stages.empty() ? stage_ : std::string(" < ") + stage_;
    if (trace.text.empty() && text_) trace.text = text_();
  } catch (...) {
    // What is wrong is told without it.
  }
}

const CrashScope* crash_scope() { return innermost != nullptr ? innermost : latest.load(); }

CrashStack::CrashStack() : memory_(new std::byte[kCrashStackBytes]) {
  stack_t stack{};
  stack.ss_sp = memory_.get();
  stack.ss_size = kCrashStackBytes;
  sigaltstack(&stack, &before_);
}

CrashStack::~CrashStack() { sigaltstack(&before_, nullptr); }

void note_crash_input(CrashInput input) { noted_input = std::move(input); }
const CrashInput& crash_input() { return noted_input; }

CrashTrace take_crash_trace() {
  const std::lock_guard lock(trace_mutex);
  return std::exchange(trace, {});
}

}  // namespace gradc
