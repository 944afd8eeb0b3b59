// What the process is doing, for the report of an internal error: noted where it begins, read when
// something goes wrong.
#pragma once
#include <signal.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace gradc {

/// While one lives, its thread is at this stage. Where an InternalError passes through, it keeps
/// the text of what was worked on for the report.
class CrashScope {
 public:
  using Text = std::function<std::string()>;
  /// `stage` outlives the scope. `text`, if given, is asked for only when something goes wrong.
  explicit CrashScope(const char* stage, Text text = {});
  ~CrashScope();
  CrashScope(const CrashScope&) = delete;
  CrashScope& operator=(const CrashScope&) = delete;

  const char* stage() const { return stage_; }
  const Text& text() const { return text_; }
  const CrashScope* outer() const { return outer_; }

 private:
  const char* stage_;
  Text text_;
  const CrashScope* outer_;
  int exceptions_;
};

/// What the report of a crash needs for its stack.
inline constexpr size_t kCrashStackBytes = size_t{1} << 18;

/// The stage at which constructors of a library run: they call abort() where they get no memory.
inline constexpr const char* kOpeningLibrary = "opening a library";

/// The innermost scope of the calling thread, else the last one that any thread began; may be null.
const CrashScope* crash_scope();

/// While one lives, its thread, which is not the first, has a stack to report on that its own ran
/// over.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  std::unique_ptr<std::byte[]> memory_;
  stack_t before_{};
};

/// What is compiled, as it was read. `name` is that of a file ("model.grad").
struct CrashInput {
  std::string name, text;
};
void note_crash_input(CrashInput input);
const CrashInput& crash_input();

/// Stages and texts that an exception has passed through, the innermost first; emptied by the call.
struct CrashTrace {
  std::string stages, text;
};
CrashTrace take_crash_trace();

}  // namespace gradc
