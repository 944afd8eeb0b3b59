// Writes the report, from an exception or from a signal handler.
#include "runtime/commands/crash_report.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "runtime/core/signal_safe.h"
#include "runtime/crash_context.h"

namespace gradc {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;  // they report signals themselves
#else
constexpr bool kIsSanitized = false;
#endif

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
/// Seconds that writing a report after a signal may take: a lock may be held for ever.
constexpr unsigned kReportSeconds = 10;

const char* program_name = "gradc";
std::string version;  // made before anything can go wrong
int argument_count = 0;
char** arguments = nullptr;
std::array<char, kCrashStackBytes> handler_stack;
std::atomic<pid_t> reporter = 0;  // the thread that reports a signal
/// Inside a command: exit() is not for others to call.
std::atomic<bool> is_running = false;

/// Nothing is allocated here: it may run in a signal handler.
class ReportFolder {
 public:
  ReportFolder() { is_made_ = mkdtemp(path_.data()) != nullptr; }

  bool is_made() const { return is_made_; }
  const char* path() const { return path_.data(); }

  int create(const char* name) const {
    std::array<char, 512> file;
    std::snprintf(file.data(), file.size(), "%s/%s", path_.data(), name);
    return open(file.data(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  }

  void write_file(const char* name, std::string_view text) const {
    const int file = create(name);
    if (file < 0) return;
    write_all(file, text);
    close(file);
  }

 private:
  std::array<char, 32> path_{"./gradc-crash-XXXXXX"};
  bool is_made_ = false;
};

void write_words(int file) {
  write_all(file, version);
  write_all(file, "\ncommand:");
  for (int i = 0; i < argument_count; ++i) {
    write_all(file, " ");
    write_all(file, arguments[i]);
  }
  write_all(file, "\n");
}

void write_input(const ReportFolder& folder) {
  const CrashInput& input = crash_input();
  if (!input.name.empty()) folder.write_file(input.name.c_str(), input.text);
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "a wrong memory access (SIGSEGV)";
    case SIGBUS:
      return "a wrong memory access (SIGBUS)";
    case SIGFPE:
      return "a wrong arithmetic operation (SIGFPE)";
    case SIGILL:
      return "an instruction that this processor does not have (SIGILL)";
    default:
      return "a call of abort (SIGABRT)";
  }
}

/// In a child of its own, which may crash or hang: the text of the graph has to be made.
void write_signal_report(const ReportFolder& folder, int signal) {
  const int file = folder.create("report.txt");
  if (file >= 0) {
    write_all(file, "internal error: ");
    write_all(file, name_of(signal));
    write_all(file, "\n");
    write_words(file);
    for (const CrashScope* scope = crash_scope(); scope != nullptr; scope = scope->outer()) {
      write_all(file, "stage: ");
      write_all(file, scope->stage());
      write_all(file, "\n");
    }
    close(file);
  }
  write_input(folder);
  for (const CrashScope* scope = crash_scope(); scope != nullptr; scope = scope->outer())
    if (scope->text()) return folder.write_file("compiled.graph", scope->text()());
}

extern "C" void report_signal(int signal) {
  pid_t first = 0;
  if (!reporter.compare_exchange_strong(first, gettid())) {
    if (first == gettid()) _exit(static_cast<int>(ExitCode::Bug));
    // A kernel that is wrong crashes in all threads of a team: one of them tells.
    while (true) pause();
  }
  const CrashScope* scope = crash_scope();
  if (signal == SIGABRT && scope != nullptr && scope->stage() == kOpeningLibrary)
    end_without_memory(program_name);
  say(program_name);
  say(": internal error (a bug of gradc): ");
  say(name_of(signal));
  const ReportFolder folder;
  // fork() would wait for the allocator's lock, which this thread may hold.
  const pid_t child = folder.is_made() ? _Fork() : -1;
  if (child == 0) {
    for (const int caught : kSignals) ::signal(caught, SIG_DFL);
    alarm(kReportSeconds);
    write_signal_report(folder, signal);
    _exit(0);
  }
  if (child > 0) {
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    say("\n  what it was doing is in ");
    say(folder.path());
  }
  say("\n");
  _exit(static_cast<int>(ExitCode::Bug));
}

/// Nothing catches it: thrown in a thread of a team, or where nothing may be thrown.
[[noreturn]] void end_uncaught() {
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    end_without_memory(program_name);
  } catch (const std::exception& fault) {
    say(program_name);
    say(": ");
    say(fault.what());
    say("\n");
  } catch (...) {
  }
  std::abort();
}

/// Before anything is constructed that allocates.
__attribute__((constructor(101))) void catch_terminate() { std::set_terminate(end_uncaught); }

/// The C library loads what it unwinds with when it first needs it, and aborts where it has no
/// memory for that.
void load_unwinder() {
  void* frame = nullptr;
  backtrace(&frame, 1);
}

/// Libraries that call exit() have no other way to say that the machine has too little of
/// something, and have said it on stderr; the OpenMP runtime is one.
void end_exited() {
  if (!is_running) return;
  std::fflush(stderr);
  _exit(static_cast<int>(ExitCode::InputOutput));
}

}  // namespace

RunningCommand::RunningCommand() { is_running = true; }
RunningCommand::~RunningCommand() { is_running = false; }

void watch_for_crashes(const CommandLine& line, int argc, char** argv) {
  program_name = line.name.c_str();
  version = line.version;
  argument_count = argc;
  arguments = argv;
  std::atexit(end_exited);
  load_unwinder();
  if (kIsSanitized) return;
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = report_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int caught : kSignals) sigaction(caught, &action, nullptr);
}

std::string write_crash_report(const std::string& message) {
  try {
    const CrashTrace trace = take_crash_trace();
    const ReportFolder folder;
    if (!folder.is_made()) return "";
    const int file = folder.create("report.txt");
    if (file < 0) return "";
    write_all(file, "internal error: " + message + "\n");
    write_words(file);
    if (!trace.stages.empty()) write_all(file, "stage: " + trace.stages + "\n");
    close(file);
    write_input(folder);
    if (!trace.text.empty()) folder.write_file("compiled.graph", trace.text);
    return folder.path();
  } catch (const std::exception&) {
    return "";
  }
}

}  // namespace gradc
