// The flags that the commands on a model share, compiled ahead of time or not.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/commands/flags.h"
#include "runtime/commands/runnable_model.h"

namespace gradc {

struct RunOptions {
  std::string data;               // replaces the train block's `data`; empty: keep it
  std::vector<std::string> sets;  // KEY=EXPR
  std::optional<int64_t> batch;   // shorthand for --set batch=N; likewise below
  std::optional<int64_t> epochs;
  std::optional<int64_t> seed;
  int threads = 0;  // 0: all cores
  bool is_deterministic = false;
  bool json = false;
};

/// --set, --json.
void add_setting_flags(Flags& flags, RunOptions& options);
/// --data, --batch, --seed.
void add_data_flags(Flags& flags, RunOptions& options);
/// --threads, --deterministic.
void add_thread_flags(Flags& flags, RunOptions& options);

/// --set and its shorthands as (key, expression) pairs. Throws Error (Usage) for a --set without
/// `=` and for a shorthand that contradicts a --set of the same key.
std::vector<std::pair<std::string, std::string>> overrides(const RunOptions& options);

/// How a command gets the model it works on: from a file named on the command line, or from the
/// program itself.
class ModelOpener {
 public:
  virtual ~ModelOpener() = default;
  /// Adds every flag that says which model it is and, for a command that executes it, how.
  virtual void add_flags(Flags& flags, bool executes) = 0;
  /// What the flags are read into.
  virtual RunOptions& options() = 0;
  /// Once, after the command line is read.
  virtual std::unique_ptr<RunnableModel> open() = 0;
};

}  // namespace gradc
