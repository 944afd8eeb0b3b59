// A fault whose message is already on stderr.
#pragma once
#include "runtime/core/error.h"

namespace gradc {

/// Ends the command with its exit code; main prints nothing more.
class ReportedError : public Error {
 public:
  explicit ReportedError(ExitCode exit_code) : Error(exit_code, "", "reported") {}
};

}  // namespace gradc
