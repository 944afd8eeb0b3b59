// Programs of one step each, bound to the same memory.
#include "tools/time_kernels.h"

namespace gradc {
namespace {

constexpr int kLeastRuns = 5;

Tensor find_input(Session& session, const BenchBatch& batch, const ProgramInput& input) {
  if (input.kind == InputKind::Seed) return Tensor::scalar(DType::I64, 0);
  for (const Field& field : batch.fields)
    if (input.kind == InputKind::Data && field.name == input.name) return field.values;
  // A session calls its own counter so where a parameter has the name.
  Tensor* counter = input.kind == InputKind::Step ? session.find_state(":step") : nullptr;
  Tensor* state = counter != nullptr ? counter : session.find_state(input.name);
  CHECK(state != nullptr, "no state {}", input.name);
  return *state;
}

}  // namespace

StepByStep::StepByStep(Session& session, const Program& program, const BenchBatch& batch)
    : arena_(DType::U8, Shape{program.arena_bytes}) {
  for (const ProgramInput& input : program.inputs) {
    inputs_.push_back(find_input(session, batch, input));
    CHECK(inputs_.back().type() == input.type, "{} is {}", input.name,
          to_string(inputs_.back().type()));
    input_memory_.push_back(inputs_.back().raw());
  }
  for (const ProgramOutput& output : program.outputs) {
    outputs_.push_back(output.updates_input >= 0 ? Tensor() : Tensor(output.type));
    output_memory_.push_back(outputs_.back().raw());
  }
  Program frame = program;
  frame.steps.clear();
  for (const Step& step : program.steps) {
    auto alone = std::make_shared<Program>(frame);
    alone->steps.push_back(step);
    executors_.push_back(std::make_unique<Executor>(std::move(alone), arena_.raw()));
  }
}

std::vector<KernelTime> time_kernels(Session& session, GraphMode mode, const BenchBatch& batch,
                                     double seconds) {
  const Program& program = session.program(mode, batch.rows);
  StepByStep steps(session, program, batch);
  std::vector<KernelTime> unused, kernels;
  for (const StepFacts& facts : program.facts) kernels.push_back({facts, {}});
  unused = kernels;
  const auto run = [&](std::vector<KernelTime>& timed) {
    for (size_t i = 0; i < steps.size(); ++i) {
      const BenchClock::time_point start = BenchClock::now();
      steps.run(i);
      timed[i].times.add(seconds_since(start));
    }
  };
  run(unused);
  const BenchClock::time_point start = BenchClock::now();
  for (int runs = 0; runs < kLeastRuns || seconds_since(start) < seconds; ++runs) run(kernels);
  return kernels;
}

}  // namespace gradc
