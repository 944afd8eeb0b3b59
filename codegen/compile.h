// From a fused graph to a runnable program, just in time.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/kernel_cache.h"
#include "codegen/loop.h"
#include "ir/graph.h"
#include "ir/memory_outline.h"
#include "runtime/program.h"

namespace gradc {

/// Which code is allowed to compute a group.
enum class Backend : uint8_t { Auto, Llvm };

struct CompileOptions {
  Backend backend = Backend::Auto;
  bool is_deterministic = false;  // see Program
  CacheOptions cache = {};
  /// Training steps tell of new values that are NaN or infinite.
  bool guards = true;
};

/// The stages after `fused`, for dumps: the program without code, and its kernels before LLVM.
struct LoweredProgram {
  Program program;                    // functions are null
  std::vector<loop::Kernel> kernels;  // one for each distinct KernelStep::name
  std::string report;                 // one line a step: backend and reason, and the memory plan
  MemoryOutline memory;
};

/// Kernels of one program and the bodies of its scans, or of several programs; equal ones are one.
struct KernelPool {
  std::vector<loop::Kernel> kernels;
  std::map<std::string, std::string> names;  // by sharing key
  std::set<std::string> used_names;
};

/// `fused`: every node is a group, a scan of such, a constant or movement that needs no code.
/// Throws InternalError for a graph that did not go through the fusion pass.
LoweredProgram lower(const Graph& fused, const CompileOptions& options);
/// The same with the kernels in `pool`; `kernels` of the result is empty.
LoweredProgram lower(const Graph& fused, const CompileOptions& options, KernelPool& pool);

/// Where the time of `compile` goes.
struct CompileSeconds {
  double lower = 0;
  double code = 0;
};

/// lower, then machine code for every kernel: from the cache, or through LLVM. Adds to `seconds`,
/// if that is not null.
Program compile(const Graph& fused, const CompileOptions& options,
                CompileSeconds* seconds = nullptr);

}  // namespace gradc
