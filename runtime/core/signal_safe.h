// What may be done in a signal handler, or where there is no memory: nothing here allocates, locks
// or throws.
#pragma once
#include <string_view>

namespace gradc {

/// Writes all of `text`, or as much as the file takes.
void write_all(int file, std::string_view text);

/// Writes to standard error.
void say(std::string_view text);

inline constexpr std::string_view kOutOfMemory = "error[E0802] out of memory";
/// Says that memory ran out and ends the process at once with ExitCode::InputOutput.
/// `program` is its name.
[[noreturn]] void end_without_memory(std::string_view program);

}  // namespace gradc
