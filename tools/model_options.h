// The flags that every command on a model shares.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/flags.h"

namespace gradc {

struct ModelOptions {
  std::string model;              // a model or graph file, "-" for stdin
  std::string data;               // replaces the train block's `data`; empty: keep it
  std::vector<std::string> sets;  // KEY=EXPR
  std::optional<int64_t> batch;   // shorthand for --set batch=N; likewise below
  std::optional<int64_t> epochs;
  std::optional<int64_t> seed;
  int threads = 0;  // 0: all cores
  bool json = false;
  bool unfused = false;
  std::string backend = "auto";
  std::string cache;  // a folder or "off"; empty: the usual one
  bool explains_cache = false;
  int64_t memory_limit = 0;  // bytes of intermediate results; 0: as many as it takes
  bool shows_names = false;  // every name of the model is shown, so none is unused
};

/// MODEL, --set, --json.
void add_model_flags(Flags& flags, ModelOptions& options);
/// --data, --batch, --seed.
void add_data_flags(Flags& flags, ModelOptions& options);
/// --threads, --unfused, --backend, --cache, --explain-cache, --memory-limit.
void add_execution_flags(Flags& flags, ModelOptions& options);

/// --set and its shorthands as (key, expression) pairs. Throws Error (Usage) for a --set without
/// `=` and for a shorthand that contradicts a --set of the same key.
std::vector<std::pair<std::string, std::string>> overrides(const ModelOptions& options);

}  // namespace gradc
