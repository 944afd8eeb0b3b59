// Guards of new state: one element that is no number is found, wherever it is stored.
#include <cmath>
#include <limits>

#include "codegen/compile.h"
#include "ir/builder.h"
#include "passes/pipeline.h"
#include "runtime/execute.h"
#include "runtime/threads.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What becomes of a state, which is 0 before the step.
enum class Formula : uint8_t {
  Sum,       // state + x
  Quotient,  // state / x: NaN in the lanes of a tail, which load zeros
  Numbered,  // state + x + 0, 1, 2, ...: code that knows its extent
};

/// A training step of one state.
class UpdateStep {
 public:
  UpdateStep(InputKind input, OutputKind output, const Type& type, Formula formula = Formula::Sum) {
    GraphBuilder builder("guarded", GraphMode::Train);
    const ValueId x = builder.input(InputKind::Data, "x", type);
    const ValueId old = builder.input(input, "s", type);
    ValueId updated = formula == Formula::Quotient ? builder.div(old, x) : builder.add(old, x);
    if (formula == Formula::Numbered)
      updated = builder.add(
          updated,
          builder.add(OpKind::Iota, {},
                      {{"shape", type.shape.dims()}, {"axis", int64_t{0}}, {"dtype", type.dtype}}));
    builder.output(output, "s", updated);
    prepare(std::move(builder).build());
  }
  /// A state that a product makes, which may be one of the library.
  explicit UpdateStep(int64_t size) {
    const Type type{DType::F32, {size, size}};
    GraphBuilder builder("guarded", GraphMode::Train);
    const ValueId x = builder.input(InputKind::Data, "x", type);
    const ValueId old = builder.input(InputKind::Parameter, "s", type);
    const Attrs attrs{{"lhs_contract", std::vector<int64_t>{1}},
                      {"rhs_contract", std::vector<int64_t>{0}},
                      {"lhs_batch", std::vector<int64_t>{}},
                      {"rhs_batch", std::vector<int64_t>{}}};
    builder.output(OutputKind::Parameter, "s", builder.add(OpKind::Dot, {x, old}, attrs));
    prepare(std::move(builder).build());
  }

  /// Runs a step in which element `position` of x is `value` and all others are 0.5.
  bool gives_numbers(int64_t position, double value) {
    std::vector<Tensor> inputs;
    for (const ProgramInput& input : program_->inputs) inputs.emplace_back(input.type);
    for (int64_t i = 0; i < inputs[0].size(); ++i) inputs[0].set(i, 0.5);
    if (position >= 0) inputs[0].set(position, value);
    std::vector<Tensor> outputs(program_->outputs.size());
    executor_->run(inputs, outputs);
    return executor_->gave_numbers();
  }
  const Program& program() const { return *program_; }

 private:
  void prepare(const Graph& graph) {
    program_ = std::make_shared<const Program>(compile(run_until(graph, Stage::Fused, {}), {}));
    executor_ = std::make_unique<Executor>(program_);
  }

  std::shared_ptr<const Program> program_;
  std::unique_ptr<Executor> executor_;
};

void check_every_place(UpdateStep& step, int64_t size, double endless = -kInfinity) {
  for (const int64_t position :
       {int64_t{0}, int64_t{1}, size / 3, size / 2, size - 17, size - 2, size - 1}) {
    if (position < 0 || position >= size) continue;
    INFO("element " << position << " of " << size);
    CHECK_FALSE(step.gives_numbers(position, kNan));
    // The next step is judged by itself.
    CHECK(step.gives_numbers(-1, 0));
    CHECK_FALSE(step.gives_numbers(position, endless));
  }
}

}  // namespace

TEST_CASE("one element that is no number is found in a new parameter of any size") {
  for (const int threads : {1, 2, 3}) {
    const ThreadScope scope(threads);
    for (const DType dtype : {DType::F32, DType::F64, DType::F16, DType::BF16})
      for (const int64_t size : {1, 7, 16, 17, 63, 64, 65, 129, 1000, 70000}) {
        INFO(to_string(Type{dtype, {size}}) << ", " << threads << " threads");
        for (const Formula formula : {Formula::Sum, Formula::Quotient, Formula::Numbered}) {
          const bool is_too_long = dtype == DType::F16 && size > 65504;
          if (formula == Formula::Numbered && is_too_long) continue;
          INFO("formula " << static_cast<int>(formula));
          UpdateStep step(InputKind::Parameter, OutputKind::Parameter, {dtype, {size}}, formula);
          CHECK(step.program().unguarded.empty());
          // 0 / 0 is no number either.
          check_every_place(step, size, formula == Formula::Quotient ? 0 : -kInfinity);
        }
      }
  }
}

TEST_CASE("slots are held to the same, states may be infinite, integers are not looked at") {
  UpdateStep slot(InputKind::Slot, OutputKind::Slot, {DType::F32, {100}});
  CHECK_FALSE(slot.gives_numbers(99, kInfinity));
  CHECK_FALSE(slot.gives_numbers(50, kNan));
  UpdateStep state(InputKind::State, OutputKind::State, {DType::F32, {100}});
  CHECK(state.gives_numbers(99, kInfinity));
  CHECK_FALSE(state.gives_numbers(99, kNan));
  UpdateStep counter(InputKind::State, OutputKind::State, {DType::I64, {100}});
  CHECK(counter.gives_numbers(3, 7));
}

TEST_CASE("a new parameter that a product makes is looked at, by whomever it is computed") {
  for (const int64_t size : {2, 40, 130}) {
    UpdateStep step(size);
    check_every_place(step, size * size);
  }
}
