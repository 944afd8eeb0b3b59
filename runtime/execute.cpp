// Binding of memory and the loop over the steps.
#include "runtime/execute.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <variant>

#include "runtime/core/parallel_threshold.h"
#include "runtime/crash_context.h"
#include "runtime/library_calls.h"
#include "runtime/library_parts.h"
#include "runtime/ordered_kernels.h"
#include "runtime/run_parallel.h"
#include "runtime/run_scan.h"

namespace gradc {

namespace {

/// A call of the library and its memory: lhs, rhs, bias, out as last given to it.
struct BoundCall {
  std::unique_ptr<LibraryCall> call;
  std::array<void*, 4> bound{};
};

enum class StepClass : uint8_t { Serial, Parallel, Matmul, Conv, Copy, Scan, Ordered, Nothing };

/// A step ready to run; `pointers` is the position of its first buffer in State::pointers.
struct BoundStep {
  StepClass step_class = StepClass::Nothing;
  size_t pointers = 0;
  KernelFunction function = nullptr;
  int64_t extent = 0;  // bytes of a copy, position among the library calls or scans
  int64_t grain = 1;
  const OrderedStep* ordered = nullptr;
};

void run_rows(const OrderedStep& step, void* const* pointers, int team) {
  const auto run = [&](int64_t begin, int64_t end) {
    run_ordered(step, pointers[0], pointers[1], begin, end);
  };
  const double cost_ns = ordered_row_cost_ns(step) * static_cast<double>(step.rows);
  if (team == 1 || step.rows == 1 || cost_ns < kParallelFromNs)
    run(0, step.rows);
  else
    run_parallel(step.rows, 1, team, run);
}

/// Where there is nothing to sum, the product is bias and activation of 0; oneDNN refuses it.
void fill_empty_product(const MatmulStep& step, const float* bias, float* out) {
  for (int64_t pair = 0; pair < step.outer * step.batch; ++pair) {
    const int64_t o = pair / step.batch;
    const int64_t b = pair % step.batch;
    for (int64_t row = 0; row < step.m; ++row) {
      for (int64_t column = 0; column < step.n; ++column) {
        float value = bias == nullptr ? 0.0F : bias[column];
        if (step.activation == MatmulStep::Activation::Relu) value = value < 0 ? 0 : value;
        if (step.activation == MatmulStep::Activation::Tanh) value = std::tanh(value);
        if (step.activation == MatmulStep::Activation::Sigmoid) value = 1 / (1 + std::exp(-value));
        out[o * step.out_outer + b * step.out_strides[0] + row * step.out_strides[1] +
            column * step.out_strides[2]] = value;
      }
    }
  }
}

}  // namespace

struct Executor::State {
  std::shared_ptr<const Program> program;
  std::shared_ptr<std::byte> own_arena;
  std::byte* arena = nullptr;
  std::shared_ptr<std::byte> call_scratch;  // of all calls, one after the other
  std::vector<BoundStep> steps;
  std::vector<BoundCall> calls;
  std::vector<std::variant<const MatmulStep*, const ConvStep*>> call_steps;
  int call_threads = 0;
  std::vector<std::unique_ptr<ScanRunner>> scans;
  std::vector<void*> pointers;
  std::vector<void*> bound_inputs, bound_outputs;
  std::vector<std::vector<size_t>> input_uses, output_uses;  // positions in `pointers`
  alignas(64) std::array<int32_t, kGuardBytes / sizeof(int32_t)> guard{};
  bool gave_numbers = true;

  State(std::shared_ptr<const Program> given, std::byte* given_arena);
  void add_pointer(int32_t buffer);
  void add_step(const KernelStep& step);
  void add_step(const MatmulStep& step);
  void add_step(const ConvStep& step);
  void add_step(const CopyStep& step);
  void add_step(const ScanStep& step);
  void add_step(const OrderedStep& step);
  int team() const { return program->is_serial ? 1 : threads(); }
  template <typename LibraryStep>
  std::unique_ptr<LibraryCall> make_call(const LibraryStep& step) const;
  void make_calls();
  void bind(std::span<const Tensor> inputs, std::span<Tensor> outputs);
  void bind_at(std::span<void* const> inputs, std::span<void* const> outputs);
  void rebind(const std::vector<size_t>& uses, void* address);
  void run_call(const BoundStep& step, int32_t bias);
  void run_step(const BoundStep& step);
  void run_steps();
  void look_at_state(std::span<const Tensor> inputs);
};

Executor::State::State(std::shared_ptr<const Program> given, std::byte* given_arena)
    : program(std::move(given)), arena(given_arena) {
  CHECK(program != nullptr);
  if (arena == nullptr) {
    own_arena = allocate_zeroed(program->arena_bytes);
    arena = own_arena.get();
  }
  input_uses.resize(program->inputs.size());
  output_uses.resize(program->outputs.size());
  bound_inputs.resize(program->inputs.size(), nullptr);
  bound_outputs.resize(program->outputs.size(), nullptr);
  for (const Step& step : program->steps)
    std::visit([&](const auto& typed) { add_step(typed); }, step);
}

void Executor::State::add_pointer(int32_t position) {
  CHECK(position >= 0 && static_cast<size_t>(position) < program->buffers.size(), "buffer {}",
        position);
  const Buffer& buffer = program->buffers[static_cast<size_t>(position)];
  const auto target = static_cast<size_t>(buffer.offset);
  void* address = nullptr;
  switch (buffer.place) {
    case Place::Arena:
      CHECK(buffer.offset + buffer.bytes <= program->arena_bytes);
      address = arena + buffer.offset;
      break;
    case Place::Constant:
      CHECK(buffer.offset + buffer.bytes <= program->constants.size_bytes());
      address = const_cast<std::byte*>(program->constants.raw()) + buffer.offset;
      break;
    case Place::Input:
      input_uses.at(target).push_back(pointers.size());
      break;
    case Place::Output:
      output_uses.at(target).push_back(pointers.size());
      break;
    case Place::Guard:
      address = guard.data();
      break;
  }
  pointers.push_back(address);
}

void Executor::State::add_step(const KernelStep& step) {
  CHECK(step.function != nullptr, "kernel {} has no code", step.name);
  CHECK(step.grain >= 1, "kernel {} has grain {}", step.name, step.grain);
  BoundStep bound{StepClass::Serial, pointers.size(), step.function, step.extent, step.grain};
  if (step.extent == 0) bound.step_class = StepClass::Nothing;
  const bool can_split = step.extent > step.grain;
  if (can_split && step.cost_ns >= kParallelFromNs) bound.step_class = StepClass::Parallel;
  for (int32_t buffer : step.buffers) add_pointer(buffer);
  steps.push_back(bound);
}

void Executor::State::add_step(const MatmulStep& step) {
  BoundStep bound{StepClass::Matmul, pointers.size()};
  bound.extent = static_cast<int64_t>(call_steps.size());
  if (step.outer == 0 || step.batch == 0 || step.m == 0 || step.n == 0)
    bound.step_class = StepClass::Nothing;
  for (int32_t buffer : {step.lhs, step.rhs, step.out}) add_pointer(buffer);
  if (step.bias >= 0) add_pointer(step.bias);
  if (bound.step_class == StepClass::Matmul) call_steps.emplace_back(&step);
  steps.push_back(bound);
}

void Executor::State::add_step(const ConvStep& step) {
  CHECK(step.multiplications > 0, "{} computes nothing", step.name);
  BoundStep bound{StepClass::Conv, pointers.size()};
  bound.extent = static_cast<int64_t>(call_steps.size());
  for (int32_t buffer : {step.lhs, step.rhs, step.out}) add_pointer(buffer);
  if (step.bias >= 0) add_pointer(step.bias);
  call_steps.emplace_back(&step);
  steps.push_back(bound);
}

void Executor::State::add_step(const CopyStep& step) {
  const Buffer& from = program->buffers.at(static_cast<size_t>(step.from));
  const Buffer& to = program->buffers.at(static_cast<size_t>(step.to));
  CHECK(from.bytes == to.bytes, "{} copies {} bytes to {}", step.name, from.bytes, to.bytes);
  BoundStep bound{StepClass::Copy, pointers.size()};
  bound.extent = from.bytes;
  add_pointer(step.from);
  add_pointer(step.to);
  steps.push_back(bound);
}

void Executor::State::add_step(const ScanStep& step) {
  BoundStep bound{StepClass::Scan, pointers.size()};
  bound.extent = static_cast<int64_t>(scans.size());
  for (int32_t buffer : step.buffers) add_pointer(buffer);
  auto* body_arena = static_cast<std::byte*>(
      step.arena < 0 ? nullptr : pointers[bound.pointers + static_cast<size_t>(step.arena)]);
  scans.push_back(std::make_unique<ScanRunner>(step, body_arena));
  steps.push_back(bound);
}

void Executor::State::add_step(const OrderedStep& step) {
  BoundStep bound{StepClass::Ordered, pointers.size()};
  bound.ordered = &step;
  if (step.rows == 0 || step.columns == 0) bound.step_class = StepClass::Nothing;
  add_pointer(step.from);
  add_pointer(step.to);
  steps.push_back(bound);
}

template <typename LibraryStep>
std::unique_ptr<LibraryCall> Executor::State::make_call(const LibraryStep& step) const {
  if (program->is_deterministic) return call_in_parts(*program->library, step, call_threads);
  if constexpr (std::is_same_v<LibraryStep, MatmulStep>)
    return program->library->matmul(step);
  else
    return program->library->convolution(step);
}

/// A library chooses code and cuts work for the number of threads at creation.
void Executor::State::make_calls() {
  if (call_threads == team()) return;
  call_threads = team();
  omp_set_num_threads(call_threads);
  calls.clear();
  int64_t scratch_bytes = 0;
  for (const auto& step : call_steps) {
    CHECK(program->library != nullptr, "{} calls a library that is not linked", program->name);
    if (const auto* matmul = std::get_if<const MatmulStep*>(&step)) {
      MatmulStep made = **matmul;
      if (made.k == 0) made.k = 1;  // never run: see run_step
      calls.push_back({make_call(made), {}});
    } else {
      calls.push_back({make_call(*std::get<const ConvStep*>(step)), {}});
    }
    scratch_bytes = std::max(scratch_bytes, calls.back().call->scratch_bytes());
  }
  if (scratch_bytes > 0) call_scratch = allocate_zeroed(scratch_bytes);
}

void Executor::State::rebind(const std::vector<size_t>& uses, void* address) {
  for (size_t use : uses) pointers[use] = address;
}

void Executor::State::bind(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  CHECK(inputs.size() == program->inputs.size(), "{} inputs for {}", inputs.size(), program->name);
  CHECK(outputs.size() == program->outputs.size(), "{} outputs for {}", outputs.size(),
        program->name);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ProgramInput& expected = program->inputs[i];
    CHECK(inputs[i].type() == expected.type, "input {} of {} is {}, given {}", expected.name,
          program->name, to_string(expected.type), to_string(inputs[i].type()));
    void* address = const_cast<std::byte*>(inputs[i].raw());
    if (address == bound_inputs[i]) continue;
    rebind(input_uses[i], address);
    bound_inputs[i] = address;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ProgramOutput& expected = program->outputs[i];
    if (expected.updates_input >= 0) continue;
    CHECK(outputs[i].type() == expected.type, "output {} of {} is {}, given {}", expected.name,
          program->name, to_string(expected.type), to_string(outputs[i].type()));
    void* address = outputs[i].raw();
    if (address == bound_outputs[i]) continue;
    rebind(output_uses[i], address);
    bound_outputs[i] = address;
  }
}

void Executor::State::bind_at(std::span<void* const> inputs, std::span<void* const> outputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == bound_inputs[i]) continue;
    rebind(input_uses[i], inputs[i]);
    bound_inputs[i] = inputs[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == bound_outputs[i]) continue;
    rebind(output_uses[i], outputs[i]);
    bound_outputs[i] = outputs[i];
  }
}

void Executor::State::run_call(const BoundStep& step, int32_t bias) {
  BoundCall& bound = calls[static_cast<size_t>(step.extent)];
  void** const at = pointers.data() + step.pointers;
  const std::array<void*, 4> now{at[0], at[1], bias >= 0 ? at[3] : nullptr, at[2]};
  if (now != bound.bound) bound.call->bind(now[0], now[1], now[2], now[3], call_scratch.get());
  bound.bound = now;
  bound.call->run();
}

void Executor::State::run_step(const BoundStep& step) {
  void** const at = pointers.data() + step.pointers;
  switch (step.step_class) {
    case StepClass::Serial:
      step.function(at, 0, step.extent);
      break;
    case StepClass::Parallel:
      if (team() == 1)
        step.function(at, 0, step.extent);
      else
        run_parallel(step.extent, step.grain, team(),
                     [&](int64_t begin, int64_t end) { step.function(at, begin, end); });
      break;
    case StepClass::Matmul: {
      const auto& product =
          *std::get<const MatmulStep*>(call_steps[static_cast<size_t>(step.extent)]);
      if (product.k == 0)
        fill_empty_product(product, static_cast<const float*>(product.bias >= 0 ? at[3] : nullptr),
                           static_cast<float*>(at[2]));
      else
        run_call(step, product.bias);
      break;
    }
    case StepClass::Conv:
      run_call(step, std::get<const ConvStep*>(call_steps[static_cast<size_t>(step.extent)])->bias);
      break;
    case StepClass::Copy:
      if (at[0] != at[1] && step.extent > 0)
        std::memcpy(at[1], at[0], static_cast<size_t>(step.extent));
      break;
    case StepClass::Scan:
      scans[static_cast<size_t>(step.extent)]->run(at);
      break;
    case StepClass::Ordered:
      run_rows(*step.ordered, at, team());
      break;
    case StepClass::Nothing:
      break;
  }
}

void Executor::State::run_steps() {
  make_calls();
  // The setting belongs to the calling thread, which may be another one than last time.
  if (omp_get_max_threads() != team()) omp_set_num_threads(team());
  for (const BoundStep& step : steps) run_step(step);
}

/// The state after a run stands in the inputs that were updated.
void Executor::State::look_at_state(std::span<const Tensor> inputs) {
  gave_numbers = true;
  // One pass without branches: it is made in every step.
  int32_t found = 0;
  for (const int32_t word : guard) found |= word;
  if (found != 0) {
    gave_numbers = false;
    guard.fill(0);
  }
  for (const int32_t position : program->unguarded) {
    const ProgramOutput& output = program->outputs[static_cast<size_t>(position)];
    const Tensor& value = inputs[static_cast<size_t>(output.updates_input)];
    const bool admits_infinity = output.kind == OutputKind::State;
    for (int64_t i = 0; i < value.size() && gave_numbers; ++i) {
      const double element = value.at(i);
      gave_numbers = admits_infinity ? !std::isnan(element) : std::isfinite(element);
    }
  }
}

Executor::Executor(std::shared_ptr<const Program> program)
    : Executor(std::move(program), nullptr) {}
Executor::Executor(std::shared_ptr<const Program> program, std::byte* arena)
    : state_(std::make_unique<State>(std::move(program), arena)) {}
Executor::~Executor() = default;

const Program& Executor::program() const { return *state_->program; }
bool Executor::gave_numbers() const { return state_->gave_numbers; }

void Executor::run(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  const CrashScope scope("running a program");
  state_->bind(inputs, outputs);
  state_->run_steps();
  state_->look_at_state(inputs);
}

void Executor::run_at(std::span<void* const> inputs, std::span<void* const> outputs) {
  state_->bind_at(inputs, outputs);
  state_->run_steps();
}

}  // namespace gradc
