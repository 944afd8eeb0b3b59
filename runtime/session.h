// A model at run time: its state, and programs by mode and row count.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/check_state.h"
#include "runtime/data/dataset.h"
#include "runtime/execute.h"
#include "runtime/program.h"

namespace gradc {

/// Where programs come from: compiled on first use, or made ahead of time.
class ProgramSource {
 public:
  virtual ~ProgramSource() = default;
  /// Never null. `rows` is 0 for Init and Metrics.
  virtual std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) = 0;
  /// Row counts that there are programs for and that sum to `rows`: how a batch is cut that need
  /// not be run at once. Every row count is there unless programs were made ahead of time.
  virtual std::vector<int64_t> parts(GraphMode /*mode*/, int64_t rows) { return {rows}; }
};

using NamedValues = std::vector<std::pair<std::string, double>>;

/// The accumulators of a pass, combined over its batches by their kind; f64.
class PassValues {
 public:
  /// Combines the Accumulate... outputs of one batch.
  void add(const Program& program, std::span<const Tensor> outputs);
  void reset() { values_.clear(); }
  bool is_empty() const { return values_.empty(); }
  /// Null where there is no accumulator of that name.
  const Tensor* find(std::string_view name) const;
  /// Those of a pass that was interrupted, to go on with; f64.
  void add_value(std::string name, Tensor value) {
    values_.emplace_back(std::move(name), std::move(value));
  }
  const std::vector<std::pair<std::string, Tensor>>& values() const { return values_; }
  /// Are these the accumulators of the program?
  bool fits(const Program& program) const;

 private:
  std::vector<std::pair<std::string, Tensor>> values_;
};

/// Owns parameters, slots, states, the step counter and the seed. Not thread-safe.
class Session {
 public:
  /// State is zero until initialize() or load().
  Session(ProgramSource& source, uint64_t seed);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the Init program; the step counter is 0 afterwards.
  void initialize();
  /// Every tensor of the state must be in the file with its type, and nothing else; slots and the
  /// step may be missing together (weights saved for inference): they then keep their values, and
  /// running averages take those of their parameters.
  /// Throws Error (E0920, E0921).
  void load(const std::string& path);
  /// The same of what was read; `source` names it in messages. Sums of a run (kSumsPrefix) are
  /// passed over.
  void load(const NamedTensors& file, const std::string& source);
  /// Initial values from a file, by path: those that one of the patterns selects (no pattern: all),
  /// which must be there on both sides with one type; running averages in the place of parameters
  /// where the file has them. Throws Error (E0920, E0921).
  void start_from(const std::string& path, std::span<const std::string> patterns);
  /// Parameters, slots, states and step; the file appears complete or not at all.
  void save(const std::string& path) const;

  /// Makes `copy` one of all state, with what save() says about it; reuses the memory of an earlier
  /// snapshot.
  void take_snapshot(NamedTensors& copy) const;
  /// Takes over a snapshot of this session.
  void restore(const NamedTensors& snapshot);

  /// By path ("hidden.kernel", "hidden.kernel:average", "step"); null where there is none.
  Tensor* find_state(std::string_view name);
  /// What a program's input of that kind and name reads; not of data.
  const Tensor& input(InputKind kind, const std::string& name) const;
  /// Gives a state of that name and type a value; the running average of a parameter follows.
  void set_state(std::string_view name, const Tensor& value);
  /// Name and tensor of all state, in the order of the Init program's outputs.
  const std::vector<NamedTensor>& state() const;
  uint64_t seed() const;
  /// For the programs that run from now on.
  void set_seed(uint64_t seed);

  /// Executes the program for the batch's row count: data inputs are taken from `fields` by name
  /// (their dtype and shape are checked, E0902), state from the session. State outputs are updated
  /// in place. Returns all outputs in the program's order (entries of updated state are empty);
  /// they are overwritten by the next execution of the same program.
  std::span<const Tensor> execute(GraphMode mode, std::span<const Field> fields, int64_t rows);
  /// See Executor::gave_numbers: of the last training step.
  bool gave_numbers() const;
  /// The same for rows that need not be run at once: the parts of the batch one after the other,
  /// each handed to `use` with its program and its outputs, its first row and its row count.
  using PartUse = std::function<void(const Program&, std::span<const Tensor>, int64_t, int64_t)>;
  void execute_parts(GraphMode mode, std::span<const Field> fields, int64_t rows,
                     const PartUse& use);
  /// How execute_parts cuts a batch.
  std::vector<int64_t> parts(GraphMode mode, int64_t rows) const;
  /// The program that execute uses; compiles it if need be.
  const Program& program(GraphMode mode, int64_t rows);

  /// Metrics and losses of a pass that are one number, in the metrics program's order; the others
  /// are added to `tables`.
  NamedValues metrics(const PassValues& pass, NamedTensors* tables = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Checks what can be known before the first step: the data has every field that the program's data
/// inputs name, of their dtype and row shape (E0901, E0902), and integers below their limits
/// (E0904).
void check_data(const Program& program, const Dataset& dataset);

}  // namespace gradc
