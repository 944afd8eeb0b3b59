// What LLVM knows of the host.
#include "codegen/llvm/target.h"

#include <fmt/format.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/processor.h"

namespace gradc {
namespace {

Target find_host() {
  const llvm::StringMap<bool> found = llvm::sys::getHostCPUFeatures();
  const auto has = [&](llvm::StringRef feature) { return found.lookup(feature); };
  std::vector<std::string> features;
  for (const auto& entry : found)
    features.push_back((entry.second ? "+" : "-") + entry.first().str());
  std::sort(features.begin(), features.end());
  Target target;
  for (const ProcessorFeature& feature : processor_features())
    if (has(feature.name))
      target.required += fmt::format("{}{}", target.required.empty() ? "" : ",", feature.name);
  target.triple = llvm::sys::getProcessTriple();
  target.cpu = llvm::sys::getHostCPUName().str();
  target.label = fmt::format("native ({})", target.cpu);
  target.features = fmt::format("{}", fmt::join(features, ","));
  target.has_avx512 = host_has_avx512();
  target.lanes = vector_lanes();
  target.calls_libm = !has("fma") || !has("sse4.1");
  return target;
}

}  // namespace

const Target& host_target() {
  static const Target target = find_host();
  return target;
}

Target x86_level(int level) {
  const std::string name = level == 1 ? "x86-64" : fmt::format("x86-64-v{}", level);
  std::string_view required;
  for (const ProcessorLevel& known : processor_levels())
    if (known.name == name) required = known.features;
  return {.label = name,
          .required = std::string(required),
          .triple = llvm::sys::getProcessTriple(),
          .cpu = name,
          .features = "",
          .lanes = level >= 4   ? 16
                   : level == 3 ? 8
                                : 4,
          .has_avx512 = level >= 4,
          .calls_libm = level < 3};
}

Target find_target(const std::string& name) {
  if (name == "native") return host_target();
  for (const int level : {2, 3, 4})
    if (Target target = x86_level(level); target.label == name) return target;
  throw Error(
      ExitCode::Usage, "",
      fmt::format("no target `{}`; there are native, x86-64-v2, x86-64-v3 and x86-64-v4", name));
}

}  // namespace gradc
