// What `gradc bench` found, as JSON and as Markdown.
#pragma once
#include <nlohmann/json.hpp>

#include "tools/ceilings.h"
#include "tools/fusion_report.h"
#include "tools/time_kernels.h"

namespace gradc {

struct BenchResult {
  std::string model;
  std::string mode;  // "train", "infer"
  int64_t rows = 0;
  Ceilings ceilings;
  Times fused, unfused;
  Times infer;  // beside training, where the model has outputs
  Work least;   // what no step can do without
  size_t kernel_count = 0, unfused_kernel_count = 0;
  int64_t arena_bytes = 0, arena_lower_bound = 0;
  int64_t other_bytes = 0;  // state, constants, inputs and outputs
  int64_t resident_bytes = 0;
  CompilePhases compile;
  double compile_seconds = 0;
  std::vector<KernelTime> kernels;               // where they are wanted
  std::optional<std::vector<GroupGain>> groups;  // likewise

  double floor_seconds() const { return ceilings.seconds(least); }
};

struct CompileResult {
  std::string model;
  int64_t rows = 0;
  size_t kernel_count = 0;
  Times total, elaborate, passes, lower, code;
  Times cached;  // all phases, the kernels from the cache; empty where there is none
};

/// The share of the ceiling that a kernel reached.
double share_of_ceiling(const Ceilings& ceilings, const KernelTime& kernel);

/// An object for each kernel, one for each group, then the one with "event": "end".
std::vector<nlohmann::ordered_json> as_json(const BenchResult& result);
nlohmann::ordered_json as_json(const CompileResult& result);
/// Tables: the step, the kernels, the groups.
std::string as_markdown(const BenchResult& result);
std::string as_markdown(const CompileResult& result);

}  // namespace gradc
