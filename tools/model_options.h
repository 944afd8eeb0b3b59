// The flags that every command on a model file shares.
#pragma once
#include <memory>
#include <string>

#include "runtime/commands/run_options.h"

namespace gradc {

struct ModelOptions : RunOptions {
  std::string model;  // a model or graph file, "-" for stdin
  bool unfused = false;
  std::string backend = "auto";
  std::string cache;  // a folder or "off"; empty: the usual one
  bool explains_cache = false;
  bool unguarded = false;
  int64_t memory_limit = 0;  // bytes of intermediate results; 0: as many as it takes
  bool shows_names = false;  // every name of the model is shown, so none is unused
};

/// MODEL, --set, --json.
void add_model_flags(Flags& flags, ModelOptions& options);
/// --threads, --deterministic, --unfused, --backend, --cache, --explain-cache, --no-guard,
/// --memory-limit.
void add_execution_flags(Flags& flags, ModelOptions& options);

/// Compiles the model that the command line names.
std::shared_ptr<ModelOpener> workspace_opener();

}  // namespace gradc
