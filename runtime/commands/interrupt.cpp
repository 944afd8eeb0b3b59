// Signal handling: notes the signal and sets a flag, nothing else.
#include "runtime/commands/interrupt.h"

#include <unistd.h>
#include <csignal>

namespace gradc {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<int> received_signal{0};

/// Any thread may run it. Whoever sees the flag finds the signal.
extern "C" void handle_signal(int signal_number) {
  int none = 0;
  if (!received_signal.compare_exchange_strong(none, signal_number)) _exit(128 + signal_number);
  stop_requested = true;
}

}  // namespace

std::atomic<bool>& stop_on_signal() {
  struct sigaction action = {};
  action.sa_handler = handle_signal;
  action.sa_flags = SA_RESTART;  // a line that waits for its reader is written all the same
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    // `nohup`, and a shell for what runs beside it, have it ignored.
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  return stop_requested;
}

ExitCode interrupted_exit_code() { return static_cast<ExitCode>(128 + received_signal); }

}  // namespace gradc
