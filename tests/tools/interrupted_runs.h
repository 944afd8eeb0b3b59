// Training runs that are cut off and resumed.
#pragma once
#include "tests/tools/run_program.h"

namespace gradc {

struct InterruptedCase {
  std::string name;
  std::vector<std::string> arguments;  // of `gradc`: train, the model, its flags
};

/// A small MLP with dropout and Adam, as a file.
std::string dropout_model();
/// Runs of some hundred steps that save every few.
InterruptedCase dropout_case();
InterruptedCase lstm_case();
InterruptedCase gpt_case();

/// The path of the checkpoint with the most steps; empty where there is none.
std::string newest_checkpoint(const std::string& folder);

/// What a run leaves behind: the bytes of its last and of its best checkpoint.
struct RunResult {
  std::string newest, best;
  bool operator==(const RunResult&) const = default;
};
RunResult run_result(const std::string& folder);

/// A checkpoint that is there is whole, so what resumes the run (and prints `messages`) must take
/// `newest`, the last one there, and starts anew only where that is empty.
void check_resumed_from(const std::string& newest, const std::string& messages);

/// `count` times: a run that gets `signal` at a random moment, resumed (and half of them cut off
/// again), until it ends. Checkpoints and table of epochs are those of an uninterrupted run, and no
/// saved step is run again.
void check_interrupted_runs(const InterruptedCase& subject, int signal, int count);

}  // namespace gradc
