// State by name, executors by mode and row count, and the sums of a pass.
#include "runtime/session.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "runtime/core/path_pattern.h"
#include "runtime/model_interface.h"
#include "runtime/weights_file.h"

namespace gradc {

namespace {

bool is_accumulator(OutputKind kind) {
  return kind == OutputKind::AccumulateSum || kind == OutputKind::AccumulateMin ||
         kind == OutputKind::AccumulateMax;
}

void combine(OutputKind kind, std::span<double> total, std::span<const double> batch) {
  for (size_t i = 0; i < total.size(); ++i) {
    // NaN stays: a comparison with NaN is false, so the NaN side must be the one that is kept.
    if (kind == OutputKind::AccumulateSum)
      total[i] += batch[i];
    else if (kind == OutputKind::AccumulateMin)
      total[i] = batch[i] < total[i] || batch[i] != batch[i] ? batch[i] : total[i];
    else
      total[i] = batch[i] > total[i] || batch[i] != batch[i] ? batch[i] : total[i];
  }
}

/// Rows [first, first + count) of a tensor, which must outlive the result.
Tensor rows_of(const Tensor& tensor, int64_t first, int64_t count) {
  std::vector<int64_t> dims = tensor.shape().dims();
  CHECK(!dims.empty() && first + count <= dims.front());
  const int64_t row_bytes = dims.front() > 0 ? tensor.size_bytes() / dims.front() : 0;
  dims.front() = count;
  std::byte* const memory = const_cast<std::byte*>(tensor.raw()) + first * row_bytes;
  return Tensor({tensor.dtype(), Shape(std::move(dims))}, memory, nullptr);
}

/// Between lists of the same names and types.
void copy_values(const std::vector<NamedTensor>& from, std::vector<NamedTensor>& to) {
  CHECK(from.size() == to.size());
  for (size_t i = 0; i < to.size(); ++i) {
    const Tensor& value = from[i].value;
    CHECK(from[i].name == to[i].name && value.type() == to[i].value.type(), "{} for {}",
          from[i].name, to[i].name);
    if (!value.is_empty())
      std::memcpy(to[i].value.raw(), value.raw(), static_cast<size_t>(value.size_bytes()));
  }
}

/// An executor with the tensors it works on.
struct Prepared {
  std::shared_ptr<const Program> program;
  std::unique_ptr<Executor> executor;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<size_t> data_inputs;      // positions of the program's inputs
  std::vector<size_t> field_positions;  // by data input: where its field was last time
  bool counts_step = false;             // the program itself makes the next step number
};

std::vector<Tensor> make_outputs(const Program& program) {
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program.outputs)
    outputs.push_back(output.updates_input >= 0 ? Tensor() : Tensor(output.type));
  return outputs;
}

}  // namespace

void PassValues::add(const Program& program, std::span<const Tensor> outputs) {
  CHECK(program.outputs.size() == outputs.size());
  size_t expected = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ProgramOutput& output = program.outputs[i];
    if (!is_accumulator(output.kind)) continue;
    CHECK(outputs[i].dtype() == DType::F64, "accumulator {} is {}", output.name,
          to_string(output.type));
    // Every batch has the same accumulators in the same order; search only where it has not.
    const auto hint = values_.begin() + static_cast<int64_t>(std::min(expected, values_.size()));
    auto found = hint != values_.end() && hint->first == output.name
                     ? hint
                     : std::find_if(values_.begin(), values_.end(),
                                    [&](const auto& entry) { return entry.first == output.name; });
    ++expected;
    if (found == values_.end()) {
      values_.emplace_back(output.name, outputs[i].clone());
      continue;
    }
    CHECK(found->second.type() == output.type, "accumulator {} changes its shape", output.name);
    combine(output.kind, found->second.span<double>(), outputs[i].span<double>());
  }
}

bool PassValues::fits(const Program& program) const {
  size_t accumulators = 0;
  for (const ProgramOutput& output : program.outputs) {
    if (!is_accumulator(output.kind)) continue;
    ++accumulators;
    const Tensor* sum = find(output.name);
    if (sum == nullptr || sum->type() != output.type) return false;
  }
  return accumulators == values_.size();
}

const Tensor* PassValues::find(std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return &value;
  return nullptr;
}

struct Session::State {
  ProgramSource& source;
  uint64_t seed;
  Tensor seed_tensor;
  Tensor step;
  std::shared_ptr<const Program> init;
  std::vector<NamedTensor> values;  // of Init's outputs, then the step where Init has none
  std::vector<InputKind> kinds;     // by position in `values`
  std::map<std::pair<GraphMode, int64_t>, Prepared> prepared;
  bool gave_numbers = true;

  State(ProgramSource& given, uint64_t given_seed);
  const Tensor& find(InputKind kind, const std::string& name) const;
  /// All of it for a file; shares the memory.
  NamedTensors content() const;
  /// Puts a value into the state; a running average that stands for it follows.
  void set_value(size_t position, const Tensor& value);
  Prepared& prepare(GraphMode mode, int64_t rows);
  void bind_data(Prepared& entry, std::span<const Field> fields) const;
};

void Session::State::set_value(size_t position, const Tensor& value) {
  NamedTensor& entry = values[position];
  if (value.is_empty()) return;
  std::memcpy(entry.value.raw(), value.raw(), static_cast<size_t>(value.size_bytes()));
  if (kinds[position] != InputKind::Parameter) return;
  const std::string average = fmt::format("{}:{}", entry.name, kAverageSlot);
  for (NamedTensor& other : values)
    if (other.name == average && other.value.type() == value.type())
      std::memcpy(other.value.raw(), value.raw(), static_cast<size_t>(value.size_bytes()));
}

Session::State::State(ProgramSource& given, uint64_t given_seed)
    : source(given), seed(given_seed), seed_tensor(DType::I64, Shape{}) {
  seed_tensor.span<int64_t>()[0] = std::bit_cast<int64_t>(seed);
  init = source.program(GraphMode::Init, 0);
  bool is_step_name_free = true;
  for (const ProgramOutput& output : init->outputs) {
    const std::optional<InputKind> kind = updated_input_kind(output.kind);
    CHECK(kind.has_value(), "{} makes {}, which is no state", init->name, output.name);
    values.push_back({output.name, Tensor(output.type)});
    kinds.push_back(*kind);
    if (*kind == InputKind::Step) step = values.back().value;
    is_step_name_free = is_step_name_free && output.name != kStepName;
  }
  if (step.type().dtype == DType::I64 && step.size() == 1) return;
  step = Tensor(DType::I64, Shape{});
  values.push_back({std::string(is_step_name_free ? kStepName : ":step"), step});
  kinds.push_back(InputKind::Step);
}

/// Programs may come from an edited graph file, so what does not fit together is the user's fault.
[[noreturn]] void refuse_programs(const std::string& message) {
  throw Error(ExitCode::ModelOrData, "E0111", "the graphs do not fit together: " + message);
}

const Tensor& Session::State::find(InputKind kind, const std::string& name) const {
  if (kind == InputKind::Seed) return seed_tensor;
  if (kind == InputKind::Step) return step;
  for (size_t i = 0; i < values.size(); ++i)
    if (kinds[i] == kind && values[i].name == name) return values[i].value;
  refuse_programs(fmt::format("the init graph makes no {} `{}`", gradc::name(kind), name));
}

Prepared& Session::State::prepare(GraphMode mode, int64_t rows) {
  const auto [place, is_new] = prepared.try_emplace({mode, rows});
  Prepared& entry = place->second;
  if (!is_new) return entry;
  try {
    entry.program = source.program(mode, rows);
    const Program& program = *entry.program;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const ProgramInput& input = program.inputs[i];
      const bool is_given = input.kind == InputKind::Data || input.kind == InputKind::Accumulator;
      entry.inputs.push_back(is_given ? Tensor() : find(input.kind, input.name));
      if (!is_given && entry.inputs.back().type() != input.type)
        refuse_programs(fmt::format("`{}` is {} in the {} graph, {} in the init graph", input.name,
                                    to_string(input.type), gradc::name(mode),
                                    to_string(entry.inputs.back().type())));
      if (input.kind != InputKind::Data) continue;
      entry.data_inputs.push_back(i);
      entry.field_positions.push_back(0);
    }
    for (const ProgramOutput& output : program.outputs)
      entry.counts_step = entry.counts_step || output.kind == OutputKind::Step;
    entry.outputs = make_outputs(program);
    entry.executor = std::make_unique<Executor>(entry.program);
  } catch (...) {
    prepared.erase(place);
    throw;
  }
  return entry;
}

void Session::State::bind_data(Prepared& entry, std::span<const Field> fields) const {
  for (size_t k = 0; k < entry.data_inputs.size(); ++k) {
    const ProgramInput& input = entry.program->inputs[entry.data_inputs[k]];
    size_t& position = entry.field_positions[k];
    if (position >= fields.size() || fields[position].name != input.name) {
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&](const Field& field) { return field.name == input.name; });
      if (found == fields.end())
        throw Error(ExitCode::ModelOrData, "E0901",
                    fmt::format("the data has no field `{}`", input.name));
      position = static_cast<size_t>(found - fields.begin());
    }
    const Tensor& value = fields[position].values;
    if (value.type() != input.type)
      throw Error(ExitCode::ModelOrData, "E0902",
                  fmt::format("the data field `{}` is {}, the model's input is {}", input.name,
                              to_string(value.type()), to_string(input.type)));
    entry.inputs[entry.data_inputs[k]] = value;
  }
}

Session::Session(ProgramSource& source, uint64_t seed)
    : state_(std::make_unique<State>(source, seed)) {}
Session::~Session() = default;

void Session::initialize() {
  const Program& init = *state_->init;
  state_->step.span<int64_t>()[0] = 0;
  std::vector<Tensor> inputs;
  for (const ProgramInput& input : init.inputs)
    inputs.push_back(state_->find(input.kind, input.name));
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < init.outputs.size(); ++i) outputs.push_back(state_->values[i].value);
  Executor(state_->init).run(inputs, outputs);
}

void Session::load(const std::string& path) { load(read_weights(path, state_->values), path); }

void Session::load(const NamedTensors& file, const std::string& source) {
  NamedTensors content = file;
  std::erase_if(content.tensors,
                [](const NamedTensor& tensor) { return tensor.name.starts_with(kSumsPrefix); });
  const auto is_optional = [&](size_t i) {
    return state_->kinds[i] == InputKind::Slot || state_->kinds[i] == InputKind::Step;
  };
  bool has_optional = false;
  for (size_t i = 0; i < state_->values.size(); ++i)
    has_optional |= is_optional(i) && content.find(state_->values[i].name) != nullptr;
  std::vector<StateSpec> specs;
  for (size_t i = 0; i < state_->values.size(); ++i) {
    const NamedTensor& entry = state_->values[i];
    if (has_optional || !is_optional(i)) specs.push_back({entry.name, entry.value.type()});
  }
  check_state(specs, content, source);
  // In this order: averages that are in the file replace those that followed their parameter.
  for (const bool is_slot : {false, true})
    for (size_t i = 0; i < state_->values.size(); ++i) {
      if ((state_->kinds[i] == InputKind::Slot) != is_slot) continue;
      if (const Tensor* loaded = content.find(state_->values[i].name))
        state_->set_value(i, *loaded);
    }
}

void Session::start_from(const std::string& path, std::span<const std::string> patterns) {
  const NamedTensors content = read_weights(path);
  const auto is_selected = [&](std::string_view name) {
    const auto hits = [name](const std::string& pattern) { return selects(pattern, name); };
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), hits);
  };
  std::vector<size_t> positions;
  std::vector<StateSpec> specs;
  for (size_t i = 0; i < state_->values.size(); ++i) {
    const NamedTensor& entry = state_->values[i];
    const bool is_stored =
        state_->kinds[i] == InputKind::Parameter || state_->kinds[i] == InputKind::State;
    if (!is_stored || !is_selected(entry.name)) continue;
    positions.push_back(i);
    specs.push_back({entry.name, entry.value.type()});
  }
  NamedTensors chosen;
  for (const NamedTensor& tensor : content.tensors) {
    if (is_slot_name(tensor.name) || tensor.name == kStepName || !is_selected(tensor.name))
      continue;
    const Tensor* average = content.find(fmt::format("{}:{}", tensor.name, kAverageSlot));
    chosen.add(tensor.name, average != nullptr ? *average : tensor.value);
  }
  if (specs.empty())
    throw Error(ExitCode::ModelOrData, "E0920",
                fmt::format("nothing of the model is selected to be read from `{}`", path));
  check_state(specs, chosen, path);
  for (const size_t position : positions)
    state_->set_value(position, *chosen.find(state_->values[position].name));
}

NamedTensors Session::State::content() const {
  NamedTensors content;
  for (const NamedTensor& entry : values) content.add(entry.name, entry.value);
  content.metadata["program"] = "gradc";
  content.metadata["seed"] = fmt::format("{}", seed);
  return content;
}

void Session::save(const std::string& path) const { write_weights(path, state_->content()); }

void Session::take_snapshot(NamedTensors& copy) const {
  if (copy.tensors.empty()) {
    copy = state_->content();
    for (NamedTensor& entry : copy.tensors) entry.value = Tensor(entry.value.type());
  }
  copy_values(state_->values, copy.tensors);
}

void Session::restore(const NamedTensors& snapshot) {
  copy_values(snapshot.tensors, state_->values);
}

bool Session::gave_numbers() const { return state_->gave_numbers; }

Tensor* Session::find_state(std::string_view name) {
  for (NamedTensor& entry : state_->values)
    if (entry.name == name) return &entry.value;
  return nullptr;
}

const Tensor& Session::input(InputKind kind, const std::string& name) const {
  return state_->find(kind, name);
}

void Session::set_state(std::string_view name, const Tensor& value) {
  for (size_t i = 0; i < state_->values.size(); ++i) {
    if (state_->values[i].name != name) continue;
    CHECK(state_->values[i].value.type() == value.type(), "{} changes its type", name);
    state_->set_value(i, value);
  }
}

const std::vector<NamedTensor>& Session::state() const { return state_->values; }
uint64_t Session::seed() const { return state_->seed; }

void Session::set_seed(uint64_t seed) {
  state_->seed = seed;
  state_->seed_tensor.span<int64_t>()[0] = std::bit_cast<int64_t>(seed);
}

const Program& Session::program(GraphMode mode, int64_t rows) {
  return *state_->prepare(mode, rows).program;
}

std::span<const Tensor> Session::execute(GraphMode mode, std::span<const Field> fields,
                                         int64_t rows) {
  Prepared& entry = state_->prepare(mode, rows);
  state_->bind_data(entry, fields);
  entry.executor->run(entry.inputs, entry.outputs);
  if (mode == GraphMode::Train) {
    state_->gave_numbers = entry.executor->gave_numbers();
    if (!entry.counts_step) ++state_->step.span<int64_t>()[0];
  }
  return entry.outputs;
}

std::vector<int64_t> Session::parts(GraphMode mode, int64_t rows) const {
  return state_->source.parts(mode, rows);
}

void Session::execute_parts(GraphMode mode, std::span<const Field> fields, int64_t rows,
                            const PartUse& use) {
  const std::vector<int64_t> cut = parts(mode, rows);
  if (cut.size() == 1) return use(program(mode, rows), execute(mode, fields, rows), 0, rows);
  int64_t first = 0;
  for (const int64_t count : cut) {
    std::vector<Field> slices;
    for (const Field& field : fields)
      slices.push_back({field.name, rows_of(field.values, first, count)});
    use(program(mode, count), execute(mode, slices, count), first, count);
    first += count;
  }
}

NamedValues Session::metrics(const PassValues& pass, NamedTensors* tables) {
  Prepared& entry = state_->prepare(GraphMode::Metrics, 0);
  const Program& program = *entry.program;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    if (program.inputs[i].kind != InputKind::Accumulator) continue;
    const Tensor* value = pass.find(program.inputs[i].name);
    if (value == nullptr || value->type() != program.inputs[i].type)
      refuse_programs(fmt::format("no {} `{}` is accumulated for the metrics graph",
                                  to_string(program.inputs[i].type), program.inputs[i].name));
    entry.inputs[i] = *value;
  }
  entry.executor->run(entry.inputs, entry.outputs);
  NamedValues values;
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    const std::string& name = program.outputs[i].name;
    if (entry.outputs[i].shape().rank() == 0)
      values.emplace_back(name, entry.outputs[i].at(0));
    else if (tables != nullptr)
      tables->add(name, entry.outputs[i].clone());
  }
  return values;
}

void check_data(const Program& program, const Dataset& dataset) {
  for (const ProgramInput& input : program.inputs) {
    if (input.kind != InputKind::Data) continue;
    const Field* field = dataset.find(input.name);
    if (field == nullptr) {
      std::string names;
      for (const Field& other : dataset.fields)
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", other.name);
      throw Error(ExitCode::ModelOrData, "E0901",
                  fmt::format("the data `{}` has no field `{}`\n  it has: {}", dataset.name,
                              input.name, names.empty() ? "nothing" : names));
    }
    if (field->row_type() != row_type(input.type))
      throw Error(ExitCode::ModelOrData, "E0902",
                  fmt::format("a row of the data field `{}` is {}, the model's input `{}` has {}",
                              field->name, to_string(field->row_type()), input.name,
                              to_string(row_type(input.type))));
    if (input.limit > 0) check_field_range(*field, input.limit);
  }
}

}  // namespace gradc
