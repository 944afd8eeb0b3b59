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

/// The bytes of the checkpoint with the most steps.
std::string newest_checkpoint(const std::string& folder);

/// `count` times: a run that gets `signal` at a random moment, resumed (and half of them cut off
/// again), until it ends. Checkpoint and table of epochs are those of an uninterrupted run.
void check_interrupted_runs(const InterruptedCase& subject, int signal, int count);

}  // namespace gradc
