// Kernels and programs of the model written by hand.
#include "tests/runtime/mean_model.h"

namespace gradc {

namespace {

float* floats(void* memory) { return static_cast<float*>(memory); }
double* doubles(void* memory) { return static_cast<double*>(memory); }

/// seed, center, velocity, step.
void init_kernel(void* const* buffers, int64_t, int64_t) {
  floats(buffers[1])[0] = static_cast<float>(*static_cast<const int64_t*>(buffers[0]));
  floats(buffers[2])[0] = 0;
  *static_cast<int64_t*>(buffers[3]) = 0;
}

/// x, center, loss, squares, rows.
void evaluate_kernel(void* const* buffers, int64_t, int64_t rows) {
  const float* x = floats(buffers[0]);
  const float center = floats(buffers[1])[0];
  double squares = 0;
  for (int64_t i = 0; i < rows; ++i) squares += (x[i] - center) * (x[i] - center);
  floats(buffers[2])[0] = static_cast<float>(squares / static_cast<double>(rows));
  doubles(buffers[3])[0] = squares;
  doubles(buffers[4])[0] = static_cast<double>(rows);
}

/// The same, then velocity, step.
void train_kernel(void* const* buffers, int64_t begin, int64_t rows) {
  evaluate_kernel(buffers, begin, rows);
  const float* x = floats(buffers[0]);
  float& center = floats(buffers[1])[0];
  float& velocity = floats(buffers[5])[0];
  double gradient = 0;
  for (int64_t i = 0; i < rows; ++i) gradient += 2 * (center - x[i]);
  velocity = static_cast<float>(0.5 * velocity + gradient / static_cast<double>(rows));
  center -= 0.05F * velocity;
  ++*static_cast<int64_t*>(buffers[6]);
}

/// squares, rows, spread.
void metrics_kernel(void* const* buffers, int64_t, int64_t) {
  doubles(buffers[2])[0] = doubles(buffers[0])[0] / doubles(buffers[1])[0];
}

const Type kFloat{DType::F32, Shape{}};
const Type kDouble{DType::F64, Shape{}};
const Type kInteger{DType::I64, Shape{}};

Program make_init() {
  Program program;
  program.inputs = {{InputKind::Seed, "seed", kInteger}};
  program.outputs = {{OutputKind::Parameter, "center", kFloat},
                     {OutputKind::Slot, "center:velocity", kFloat},
                     {OutputKind::Step, "step", kInteger}};
  program.buffers = {
      {Place::Input, 0, 8}, {Place::Output, 0, 4}, {Place::Output, 1, 4}, {Place::Output, 2, 8}};
  program.steps = {KernelStep{"init", init_kernel, 1, 1, 0, {0, 1, 2, 3}}};
  return program;
}

Program make_evaluate(int64_t rows) {
  Program program;
  program.inputs = {{InputKind::Data, "x", Type{DType::F32, Shape{rows}}},
                    {InputKind::Data, "label", Type{DType::U8, Shape{rows}}, 10},
                    {InputKind::Parameter, "center", kFloat}};
  program.outputs = {{OutputKind::Loss, "loss", kFloat},
                     {OutputKind::AccumulateSum, "squares", kDouble},
                     {OutputKind::AccumulateSum, "rows", kDouble}};
  program.buffers = {{Place::Input, 0, rows * 4},
                     {Place::Input, 2, 4},
                     {Place::Output, 0, 4},
                     {Place::Output, 1, 8},
                     {Place::Output, 2, 8}};
  program.steps = {KernelStep{"evaluate", evaluate_kernel, rows, 1, 0, {0, 1, 2, 3, 4}}};
  return program;
}

Program make_train(int64_t rows) {
  Program program = make_evaluate(rows);
  program.inputs.push_back({InputKind::Slot, "center:velocity", kFloat});
  program.inputs.push_back({InputKind::Step, "step", kInteger});
  program.outputs.push_back({OutputKind::Parameter, "center", kFloat, 2});
  program.outputs.push_back({OutputKind::Slot, "center:velocity", kFloat, 3});
  program.outputs.push_back({OutputKind::Step, "step", kInteger, 4});
  program.buffers.push_back({Place::Input, 3, 4});
  program.buffers.push_back({Place::Input, 4, 8});
  program.steps = {KernelStep{"train", train_kernel, rows, 1, 0, {0, 1, 2, 3, 4, 5, 6}}};
  return program;
}

Program make_metrics() {
  Program program;
  program.inputs = {{InputKind::Accumulator, "squares", kDouble},
                    {InputKind::Accumulator, "rows", kDouble}};
  program.outputs = {{OutputKind::Metric, "spread", kDouble}};
  program.buffers = {{Place::Input, 0, 8}, {Place::Input, 1, 8}, {Place::Output, 0, 8}};
  program.steps = {KernelStep{"metrics", metrics_kernel, 1, 1, 0, {0, 1, 2}}};
  return program;
}

Program make(GraphMode mode, int64_t rows) {
  switch (mode) {
    case GraphMode::Init:
      return make_init();
    case GraphMode::Train:
      return make_train(rows);
    case GraphMode::Evaluate:
      return make_evaluate(rows);
    case GraphMode::Metrics:
      return make_metrics();
    case GraphMode::Predict:
    case GraphMode::Run:
    case GraphMode::Body:
      break;
  }
  throw InternalError("no such program");
}

}  // namespace

std::shared_ptr<const Program> MeanModel::program(GraphMode mode, int64_t rows) {
  made.emplace_back(mode, rows);
  Program program = make(mode, rows);
  program.name = "mean";
  program.mode = mode;
  program.rows = rows;
  return std::make_shared<Program>(std::move(program));
}

Dataset counting_data(int64_t rows) {
  Tensor x(DType::F32, Shape{rows});
  Tensor label(DType::U8, Shape{rows});
  for (int64_t i = 0; i < rows; ++i) {
    x.set(i, static_cast<double>(i));
    label.set(i, static_cast<double>(i % 10));
  }
  return {"counting", {{"label", label}, {"x", x}}};
}

}  // namespace gradc
