// Signal handling: sets a flag, nothing else.
#include "runtime/commands/interrupt.h"

#include <unistd.h>
#include <csignal>

namespace gradc {
namespace {

std::atomic<bool> stop_requested{false};
volatile std::sig_atomic_t received_signal = 0;

extern "C" void handle_signal(int signal_number) {
  if (stop_requested.exchange(true)) _exit(128 + signal_number);
  received_signal = signal_number;
}

}  // namespace

std::atomic<bool>& stop_on_signal() {
  struct sigaction action = {};
  action.sa_handler = handle_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_requested;
}

ExitCode interrupted_exit_code() {
  return static_cast<ExitCode>(128 + (received_signal != 0 ? received_signal : SIGINT));
}

}  // namespace gradc
