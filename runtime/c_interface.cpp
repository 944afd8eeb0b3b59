// The C interface: sessions over built programs, and faults as statuses.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "runtime/built_programs.h"
#include "runtime/gradc.h"
#include "runtime/session.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

static_assert(GRADC_WRONG_DATA == static_cast<int>(ExitCode::ModelOrData) &&
              GRADC_WRONG_CALL == static_cast<int>(ExitCode::Usage) &&
              GRADC_NOT_FINITE == static_cast<int>(ExitCode::Numeric) &&
              GRADC_INPUT_OUTPUT == static_cast<int>(ExitCode::InputOutput) &&
              GRADC_BUG == static_cast<int>(ExitCode::Bug));
static_assert(
    GRADC_BOOL == static_cast<int>(DType::Bool) && GRADC_U8 == static_cast<int>(DType::U8) &&
    GRADC_I32 == static_cast<int>(DType::I32) && GRADC_I64 == static_cast<int>(DType::I64) &&
    GRADC_BF16 == static_cast<int>(DType::BF16) && GRADC_F16 == static_cast<int>(DType::F16) &&
    GRADC_F32 == static_cast<int>(DType::F32) && GRADC_F64 == static_cast<int>(DType::F64));

/// The inputs that training and evaluation read, or those of prediction, in the caller's memory.
struct CallInputs {
  std::vector<size_t> positions;  // among the model's inputs
  std::vector<Field> fields;

  void add(size_t position, const std::string& name) {
    positions.push_back(position);
    fields.push_back({name, {}});
  }
};

/// What is used of a model by one session.
struct OpenModel {
  explicit OpenModel(const gradc_model& model) : programs(model), session(programs, 0) {
    for (const auto& [name, value] : programs.facts().weights) weights.add(name, value);
    interface = programs.interface();
    for (size_t i = 0; i < interface.inputs.size(); ++i) {
      if (interface.inputs[i].is_for_training) training.add(i, interface.inputs[i].name);
      if (interface.inputs[i].is_for_prediction) prediction.add(i, interface.inputs[i].name);
    }
    if (programs.rows_of(GraphMode::Metrics).empty()) return;
    for (const ProgramOutput& output : programs.program(GraphMode::Metrics, 0)->outputs)
      if (output.type.shape.rank() == 0) metric_names.push_back(output.name);
  }

  BuiltPrograms programs;
  Session session;
  NamedTensors weights;
  ModelInterface interface;
  CallInputs training, prediction;
  std::vector<std::string> metric_names;
  PassValues sums;
};

/// Points the field at the caller's memory for `rows` rows.
void set_rows(Field& field, const Type& type, const void* memory, int64_t rows) {
  if (field.values.type().shape.rank() > 0 && field.values.shape()[0] == rows &&
      field.values.raw() == memory)
    return;
  std::vector<int64_t> dims = type.shape.dims();
  dims.front() = rows;
  field.values = Tensor({type.dtype, Shape(std::move(dims))},
                        static_cast<std::byte*>(const_cast<void*>(memory)), nullptr);
}

[[noreturn]] void wrong_call(const std::string& message) {
  throw Error(ExitCode::Usage, "", message);
}

}  // namespace
}  // namespace gradc

struct gradc_session {
  std::unique_ptr<gradc::OpenModel> model;
  int threads = 0;
  std::string error;
};

namespace gradc {
namespace {

gradc_status fail(gradc_session& session, ExitCode code, const std::string& message) noexcept {
  try {
    session.error = message;
  } catch (...) {
    session.error.clear();
  }
  return static_cast<gradc_status>(code);
}

/// Runs `action`; what it throws becomes a status and a message.
template <typename Action>
gradc_status guarded(gradc_session* session, Action action) noexcept {
  if (session == nullptr) return GRADC_WRONG_CALL;
  try {
    const ThreadScope scope(session->threads);
    action();
    return GRADC_DONE;
  } catch (const Error& fault) {
    const std::string code = fault.code().empty() ? "" : fault.code() + ": ";
    return fail(*session, fault.exit_code(), code + fault.what());
  } catch (const std::bad_alloc&) {
    return fail(*session, ExitCode::InputOutput, "out of memory");
  } catch (const std::exception& fault) {
    return fail(*session, ExitCode::Bug, fault.what());
  }
}

/// The same for what needs a model that could be opened.
template <typename Action>
gradc_status with_model(gradc_session* session, Action action) noexcept {
  return guarded(session, [&] {
    if (session->model == nullptr) wrong_call("the session was not created: " + session->error);
    action(*session->model);
  });
}

/// Null where there is no open model.
const OpenModel* model_of(const gradc_session* session) {
  return session == nullptr ? nullptr : session->model.get();
}

gradc_tensor tensor_info(const std::string& name, const Type& type, bool is_row) {
  const std::vector<int64_t>& dims = type.shape.dims();
  const size_t skipped = is_row && !dims.empty() ? 1 : 0;
  int64_t count = 1;
  for (size_t i = skipped; i < dims.size(); ++i) count *= dims[i];
  return {name.c_str(), static_cast<gradc_dtype>(type.dtype),
          static_cast<int32_t>(dims.size() - skipped), dims.data() + skipped,
          static_cast<size_t>(count * size_bytes(type.dtype))};
}

const NamedRow& row_at(const std::vector<NamedRow>& rows, int32_t position) {
  if (position < 0 || static_cast<size_t>(position) >= rows.size())
    wrong_call(fmt::format("position {} of {}", position, rows.size()));
  return rows[static_cast<size_t>(position)];
}

/// The caller's batch as fields, after checks.
std::span<const Field> bind_inputs(const ModelInterface& interface, CallInputs& wanted,
                                   const void* const* inputs, int64_t rows) {
  if (rows < 1) wrong_call(fmt::format("a batch of {} rows", rows));
  if (inputs == nullptr && !wanted.positions.empty()) wrong_call("no inputs");
  for (size_t i = 0; i < wanted.positions.size(); ++i) {
    const NamedRow& row = interface.inputs[wanted.positions[i]];
    const void* const memory = inputs[wanted.positions[i]];
    if (memory == nullptr) wrong_call(fmt::format("no memory for the input `{}`", row.name));
    if (reinterpret_cast<uintptr_t>(memory) % static_cast<size_t>(size_bytes(row.type.dtype)) != 0)
      wrong_call(fmt::format("the input `{}` is not aligned to its elements", row.name));
    set_rows(wanted.fields[i], row.type, memory, rows);
    if (row.limit > 0) check_field_range(wanted.fields[i], row.limit);
  }
  return wanted.fields;
}

double sum_of_losses(const Program& program, std::span<const Tensor> outputs) {
  double sum = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (program.outputs[i].kind != OutputKind::Loss) continue;
    sum += outputs[i].at(0);
    if (!std::isfinite(outputs[i].at(0)))
      throw Error(ExitCode::Numeric, "E0810",
                  fmt::format("`{}` is {}", program.outputs[i].name, outputs[i].at(0)));
  }
  return sum;
}

/// Copies the outputs of a part of the batch to where the caller wants them.
void copy_outputs(const OpenModel& model, const Program& program, std::span<const Tensor> made,
                  int64_t first, int64_t rows, void* const* wanted) {
  for (size_t i = 0; i < made.size(); ++i) {
    if (program.outputs[i].kind != OutputKind::Output) continue;
    const std::vector<NamedRow>& described = model.interface.outputs;
    const auto found = std::find_if(described.begin(), described.end(), [&](const NamedRow& row) {
      return row.name == program.outputs[i].name;
    });
    CHECK(found != described.end());
    void* const memory = wanted[found - described.begin()];
    if (memory == nullptr) continue;
    const int64_t row_bytes = made[i].size_bytes() / rows;
    std::memcpy(static_cast<std::byte*>(memory) + first * row_bytes, made[i].raw(),
                static_cast<size_t>(made[i].size_bytes()));
  }
}

Tensor& state_of(OpenModel& model, const char* name, size_t bytes) {
  Tensor* tensor = name == nullptr ? nullptr : model.session.find_state(name);
  if (tensor == nullptr)
    wrong_call(fmt::format("the model has no tensor `{}`", name == nullptr ? "" : name));
  if (static_cast<size_t>(tensor->size_bytes()) != bytes)
    wrong_call(fmt::format("`{}` has {} bytes, not {}", name, tensor->size_bytes(), bytes));
  return *tensor;
}

}  // namespace
}  // namespace gradc

using gradc::OpenModel;

gradc_status gradc_create(const gradc_model* model, uint32_t version, gradc_session** session) {
  if (session == nullptr) return GRADC_WRONG_CALL;
  *session = new (std::nothrow) gradc_session;
  if (*session == nullptr) return GRADC_INPUT_OUTPUT;
  return gradc::guarded(*session, [&] {
    if (model == nullptr) gradc::wrong_call("no model");
    if (version != GRADC_INTERFACE_VERSION)
      gradc::wrong_call(fmt::format("version {} of gradc.h is used with version {} of the runtime",
                                    version, GRADC_INTERFACE_VERSION));
    auto opened = std::make_unique<OpenModel>(*model);
    if (!opened->weights.tensors.empty())
      opened->session.load(opened->weights, "the weights built in");
    (*session)->model = std::move(opened);
  });
}

void gradc_free(gradc_session* session) { delete session; }

const char* gradc_last_error(const gradc_session* session) {
  return session == nullptr ? "out of memory" : session->error.c_str();
}

gradc_status gradc_set_threads(gradc_session* session, int threads) {
  constexpr int kMostThreads = 1024;
  return gradc::guarded(session, [&] {
    if (threads < 0 || threads > kMostThreads)
      gradc::wrong_call(fmt::format("{} threads", threads));
    session->threads = threads;
  });
}

gradc_status gradc_initialize(gradc_session* session, uint64_t seed) {
  return gradc::with_model(session, [&](OpenModel& model) {
    if (model.programs.facts().entry == gradc::Entry::Predict)
      gradc::wrong_call("built for prediction alone, without initial values");
    model.session.set_seed(seed);
    model.session.initialize();
  });
}

int32_t gradc_input_count(const gradc_session* session) {
  const OpenModel* model = gradc::model_of(session);
  return model == nullptr ? 0 : static_cast<int32_t>(model->interface.inputs.size());
}

gradc_status gradc_input(gradc_session* session, int32_t position, gradc_tensor* input) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const gradc::NamedRow& row = gradc::row_at(model.interface.inputs, position);
    *input = gradc::tensor_info(row.name, row.type, true);
  });
}

int32_t gradc_output_count(const gradc_session* session) {
  const OpenModel* model = gradc::model_of(session);
  return model == nullptr ? 0 : static_cast<int32_t>(model->interface.outputs.size());
}

gradc_status gradc_output(gradc_session* session, int32_t position, gradc_tensor* output) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const gradc::NamedRow& row = gradc::row_at(model.interface.outputs, position);
    *output = gradc::tensor_info(row.name, row.type, true);
  });
}

int32_t gradc_train_rows(const gradc_session* session, int64_t* rows, int32_t count) {
  const OpenModel* model = gradc::model_of(session);
  if (model == nullptr) return 0;
  const std::vector<int64_t> held = model->programs.rows_of(gradc::GraphMode::Train);
  for (size_t i = 0; i < held.size() && static_cast<int32_t>(i) < count; ++i) rows[i] = held[i];
  return static_cast<int32_t>(held.size());
}

gradc_status gradc_train_step(gradc_session* session, const void* const* inputs, int64_t rows,
                              double* loss) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const auto fields = gradc::bind_inputs(model.interface, model.training, inputs, rows);
    const gradc::Program& program = model.session.program(gradc::GraphMode::Train, rows);
    const auto outputs = model.session.execute(gradc::GraphMode::Train, fields, rows);
    const double sum = gradc::sum_of_losses(program, outputs);
    if (!model.session.gave_numbers())
      throw gradc::Error(gradc::ExitCode::Numeric, "E0810",
                         "a new value of a parameter or slot is not finite");
    if (loss != nullptr) *loss = sum;
  });
}

gradc_status gradc_evaluate(gradc_session* session, const void* const* inputs, int64_t rows) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const auto fields = gradc::bind_inputs(model.interface, model.training, inputs, rows);
    model.session.execute_parts(
        gradc::GraphMode::Evaluate, fields, rows,
        [&](const gradc::Program& program, std::span<const gradc::Tensor> outputs, int64_t,
            int64_t) { model.sums.add(program, outputs); });
  });
}

int32_t gradc_metric_count(const gradc_session* session) {
  const OpenModel* model = gradc::model_of(session);
  return model == nullptr ? 0 : static_cast<int32_t>(model->metric_names.size());
}

const char* gradc_metric_name(const gradc_session* session, int32_t position) {
  if (position < 0 || position >= gradc_metric_count(session)) return nullptr;
  return session->model->metric_names[static_cast<size_t>(position)].c_str();
}

gradc_status gradc_metrics(gradc_session* session, double* values) {
  return gradc::with_model(session, [&](OpenModel& model) {
    if (model.sums.is_empty()) gradc::wrong_call("nothing was evaluated since the last reset");
    for (const auto& [name, value] : model.session.metrics(model.sums)) *values++ = value;
  });
}

void gradc_reset_metrics(gradc_session* session) {
  if (gradc::model_of(session) != nullptr) session->model->sums.reset();
}

gradc_status gradc_predict(gradc_session* session, const void* const* inputs, int64_t rows,
                           void* const* outputs) {
  return gradc::with_model(session, [&](OpenModel& model) {
    if (outputs == nullptr) gradc::wrong_call("no outputs");
    const auto fields = gradc::bind_inputs(model.interface, model.prediction, inputs, rows);
    model.session.execute_parts(
        gradc::GraphMode::Predict, fields, rows,
        [&](const gradc::Program& program, std::span<const gradc::Tensor> made, int64_t first,
            int64_t count) { gradc::copy_outputs(model, program, made, first, count, outputs); });
  });
}

int32_t gradc_tensor_count(const gradc_session* session) {
  const OpenModel* model = gradc::model_of(session);
  return model == nullptr ? 0 : static_cast<int32_t>(model->session.state().size());
}

gradc_status gradc_tensor_at(gradc_session* session, int32_t position, gradc_tensor* tensor) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const auto& state = model.session.state();
    if (position < 0 || static_cast<size_t>(position) >= state.size())
      gradc::wrong_call(fmt::format("position {} of {}", position, state.size()));
    const gradc::NamedTensor& entry = state[static_cast<size_t>(position)];
    *tensor = gradc::tensor_info(entry.name, entry.value.type(), false);
  });
}

gradc_status gradc_get_tensor(gradc_session* session, const char* name, void* data, size_t bytes) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const gradc::Tensor& tensor = gradc::state_of(model, name, bytes);
    if (bytes > 0) std::memcpy(data, tensor.raw(), bytes);
  });
}

gradc_status gradc_set_tensor(gradc_session* session, const char* name, const void* data,
                              size_t bytes) {
  return gradc::with_model(session, [&](OpenModel& model) {
    const gradc::Type& type = gradc::state_of(model, name, bytes).type();
    auto* memory = static_cast<std::byte*>(const_cast<void*>(data));
    model.session.set_state(name, gradc::Tensor(type, memory, nullptr));
  });
}

gradc_status gradc_save(gradc_session* session, const char* path) {
  return gradc::with_model(session, [&](OpenModel& model) {
    if (path == nullptr) gradc::wrong_call("no path");
    model.session.save(path);
  });
}

gradc_status gradc_load(gradc_session* session, const char* path) {
  return gradc::with_model(session, [&](OpenModel& model) {
    if (path == nullptr) gradc::wrong_call("no path");
    model.session.load(path);
  });
}
