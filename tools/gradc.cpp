// The gradc command.
#include "runtime/commands/process_age.h"
#include "runtime/threads.h"
#include "tools/commands.h"
#include "tools/version.h"

int main(int argc, char** argv) {
  gradc::configure_thread_waiting(argv);
  gradc::note_main_start();
  const gradc::CommandLine line = {"gradc",
                                   "Compiles a model described in text and trains it on the CPU",
                                   gradc::version_text(), gradc::all_commands()};
  return gradc::run_command_line(line, argc, argv);
}
