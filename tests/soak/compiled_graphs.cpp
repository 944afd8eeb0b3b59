// Lowers into one pool, compiles once, runs each program on memory that holds rubbish.
#include "tests/soak/compiled_graphs.h"

#include <algorithm>

#include "codegen/llvm/object_code.h"
#include "runtime/execute.h"

namespace gradc::testing {
namespace {

void fill_in(Program& program, const std::map<std::string, KernelFunction>& functions) {
  program.library = &onednn_calls_of_gradc;
  for (Step& step : program.steps) {
    if (auto* kernel = std::get_if<KernelStep>(&step))
      kernel->function = functions.at(kernel->name);
    if (auto* scan = std::get_if<ScanStep>(&step)) fill_in(*scan->body, functions);
  }
}

/// Bytes that make large numbers of every dtype, so that what is read before it is written shows.
void fill_with_rubbish(std::byte* memory, int64_t bytes) {
  std::fill_n(memory, bytes, std::byte{0x47});
}

/// Every kernel as if it were worth many threads.
std::shared_ptr<const Program> cut_into_parts(const Program& program) {
  auto cut = std::make_shared<Program>(program);
  cut->is_serial = false;
  for (Step& step : cut->steps)
    if (auto* kernel = std::get_if<KernelStep>(&step)) kernel->cost_ns = 1e9;
  return cut;
}

struct Run {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

Run run_once(Executor& executor, const Program& program, std::span<const Tensor> given) {
  Run run;
  for (const Tensor& input : given) run.inputs.push_back(input.clone());
  for (const ProgramOutput& output : program.outputs) {
    run.outputs.emplace_back(output.type);
    fill_with_rubbish(run.outputs.back().raw(), run.outputs.back().size_bytes());
  }
  executor.run(run.inputs, run.outputs);
  std::vector<bool> is_updated(given.size());
  for (size_t i = 0; i < program.outputs.size(); ++i)
    if (const int32_t input = program.outputs[i].updates_input; input >= 0) {
      run.outputs[i] = run.inputs[static_cast<size_t>(input)];
      is_updated[static_cast<size_t>(input)] = true;
    }
  for (size_t i = 0; i < given.size(); ++i)
    CHECK(is_updated[i] || same_bits(run.inputs[i], given[i]), "input {} is overwritten",
          program.inputs[i].name);
  return run;
}

}  // namespace

size_t CompiledGraphs::add(const Graph& fused, Backend backend) {
  LoweredProgram lowered = lower(fused, {.backend = backend}, pool_);
  programs_.push_back(std::make_shared<Program>(std::move(lowered.program)));
  return programs_.size() - 1;
}

void CompiledGraphs::compile() {
  const std::span<const loop::Kernel> fresh = std::span(pool_.kernels).subspan(compiled_count_);
  const CompiledKernels compiled =
      load_kernels(compile_objects(fresh, host_target()), fresh.size());
  for (size_t i = 0; i < fresh.size(); ++i) functions_[fresh[i].name] = compiled.functions[i];
  compiled_count_ = pool_.kernels.size();
  kernels_ += fresh.size();
  code_.push_back(compiled.code);
  for (const std::shared_ptr<Program>& program : programs_) fill_in(*program, functions_);
}

void CompiledGraphs::next_batch() {
  programs_.clear();
  if (pool_.kernels.size() <= kMostKernels) return;
  pool_ = {};
  functions_.clear();
  code_.clear();
  compiled_count_ = 0;
}

std::vector<Tensor> run_program(std::shared_ptr<const Program> program,
                                std::span<const Tensor> inputs, int threads) {
  if (threads > 1) program = cut_into_parts(*program);
  const ThreadScope scope(threads);
  Tensor arena(DType::U8, Shape{program->arena_bytes + 64});
  fill_with_rubbish(arena.raw(), arena.size_bytes());
  Executor executor(program, arena.raw());
  Run first = run_once(executor, *program, inputs);
  const Run second = run_once(executor, *program, inputs);
  for (size_t i = 0; i < first.outputs.size(); ++i)
    CHECK(same_bits(first.outputs[i], second.outputs[i]), "a second run gives another {}",
          program->outputs[i].name);
  return std::move(first.outputs);
}

}  // namespace gradc::testing
