// write() and _exit() only.
#include "runtime/core/signal_safe.h"

#include <unistd.h>

#include "runtime/core/error.h"

namespace gradc {

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void say(std::string_view text) { write_all(STDERR_FILENO, text); }

void end_without_memory(std::string_view program) {
  say(program);
  say(": ");
  say(kOutOfMemory);
  say("\n");
  _exit(static_cast<int>(ExitCode::InputOutput));
}

}  // namespace gradc
