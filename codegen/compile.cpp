// The last step: machine code for the kernels of a lowered program.
#include "codegen/compile.h"

#include <chrono>
#include <map>

#include "ir/text.h"
#include "runtime/crash_context.h"

namespace gradc {

namespace {

std::string title_of(const Program& program) {
  return fmt::format("{} ({}{})", program.name, name(program.mode),
                     program.rows > 0 ? fmt::format(", {} rows", program.rows) : "");
}

void fill_in(Program& program, const std::map<std::string, KernelFunction>& functions) {
  program.library = &onednn_calls_of_gradc;
  for (Step& step : program.steps) {
    if (auto* kernel = std::get_if<KernelStep>(&step))
      kernel->function = functions.at(kernel->name);
    if (auto* scan = std::get_if<ScanStep>(&step)) fill_in(*scan->body, functions);
  }
}

}  // namespace

Program compile(const Graph& fused, const CompileOptions& options, CompileSeconds* seconds) {
  const CrashScope scope("compiling a fused graph", [&] {
    return print(Module{fused.name, {}, {fused}});
  });
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  LoweredProgram lowered = lower(fused, options);
  const Clock::time_point middle = Clock::now();
  const CompiledKernels compiled =
      cached_kernels(title_of(lowered.program), lowered.kernels, options.cache);
  CHECK(compiled.functions.size() == lowered.kernels.size());
  std::map<std::string, KernelFunction> functions;
  for (size_t i = 0; i < lowered.kernels.size(); ++i)
    functions[lowered.kernels[i].name] = compiled.functions[i];
  fill_in(lowered.program, functions);
  lowered.program.code = compiled.code;
  if (seconds != nullptr) {
    seconds->lower += std::chrono::duration<double>(middle - start).count();
    seconds->code += std::chrono::duration<double>(Clock::now() - middle).count();
  }
  return std::move(lowered.program);
}

}  // namespace gradc
