// Runs programs: binds memory, makes library calls ready once, runs the steps on the thread team.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "runtime/program.h"
#include "runtime/threads.h"

namespace gradc {

/// A program ready to run. Not thread-safe; keeps the program alive.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Program> program);
  /// The same in an arena that somebody else keeps.
  Executor(std::shared_ptr<const Program> program, std::byte* arena);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const Program& program() const;

  /// Runs every step. `inputs` and `outputs` are in the program's order with its types. The output
  /// that updates an input is written into that input's memory: its entry in `outputs` is ignored
  /// and may be an empty tensor.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs);
  /// The same on memory of the right sizes; no output updates an input.
  void run_at(std::span<void* const> inputs, std::span<void* const> outputs);
  /// Whether the last run of a training step gave only numbers: no new value of a parameter, slot
  /// or state is NaN, none of a parameter or slot is infinite.
  bool gave_numbers() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
