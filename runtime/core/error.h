// Errors of the user (Error), bugs of ours (CHECK), and the exit codes both lead to.
#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gradc {

/// What the process returns; a contract with users.
enum class ExitCode : int {
  Done = 0,
  ModelOrData = 1,
  Usage = 2,
  Requirement = 3,
  Numeric = 4,
  InputOutput = 5,
  Bug = 70,
  Interrupted = 130,
};

/// A fault of the user's input or machine. `code` is the diagnostic code ("E0903", or empty);
/// what() is one clear sentence without the code, then optional lines of help.
class Error : public std::runtime_error {
 public:
  Error(ExitCode exit_code, std::string code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code), code_(std::move(code)) {}

  ExitCode exit_code() const { return exit_code_; }
  const std::string& code() const { return code_; }

 private:
  ExitCode exit_code_;
  std::string code_;
};

/// A bug of ours, thrown by CHECK; the command exits with 70.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);

/// CHECK(condition) or CHECK(condition, "format {}", value): throws InternalError if it is false.
#define CHECK(condition, ...)                                                                     \
  do {                                                                                            \
    if (!(condition)) [[unlikely]]                                                                \
      ::gradc::check_failed(__FILE__, __LINE__, #condition, ::gradc::check_message(__VA_ARGS__)); \
  } while (false)

inline std::string check_message() { return {}; }
template <typename... Args>
std::string check_message(fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format(format, std::forward<Args>(args)...);
}

}  // namespace gradc
