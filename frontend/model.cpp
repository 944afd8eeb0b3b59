// Reads a model, keeps its elaborations, turns findings into exceptions.
#include "frontend/model.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "frontend/layer_table.h"
#include "frontend/model_graphs.h"
#include "ir/verify.h"

namespace gradc {

struct Model::State {
  State(ModelFiles read_files, const ElaborationOptions& options, Diagnostics& findings)
      : files(std::move(read_files)), diagnostics(findings) {
    refuse_errors();
    block.emplace(files.root(), options, findings);
    refuse_errors();
  }

  /// Throws the first error, if there is one.
  void refuse_errors() const {
    if (!diagnostics.has_errors()) return;
    for (const Diagnostic* finding : diagnostics.sorted())
      if (finding->severity == Severity::Error)
        throw ModelError(ExitCode::ModelOrData, finding->code,
                         fmt::format("{}: {}", finding->span.place(), finding->message));
  }

  const TrainEntries& evaluated() {
    if (!settings) settings = block->evaluate(row_count, diagnostics);
    refuse_errors();
    return *settings;
  }

  ModelGraphs& graphs(int64_t rows, bool training);
  void check_declarations(const ModelGraphs& made, bool training);
  void check_sums(const ModelGraphs& made, bool training);
  /// What `read` needs of a pass is among what is `summed`; `others` says where that is.
  void require_sums(const std::vector<PassSums>& read, const std::vector<PassSums>& summed,
                    const std::string& others);

  template <typename Action>
  auto reporting(Action action) {
    try {
      return action();
    } catch (const DiagnosticError& fault) {
      diagnostics.report(fault.diagnostic);
    } catch (const SilentFault&) {
    }
    refuse_errors();
    CHECK(false, "an evaluation ended without a finding");
  }

  ModelFiles files;
  Diagnostics& diagnostics;
  std::optional<TrainBlock> block;
  std::optional<TrainEntries> settings;
  Attrs attributes;
  int64_t row_count = 0;
  std::map<std::string, Type> fields;
  std::map<std::pair<int64_t, bool>, std::unique_ptr<ModelGraphs>> made;
  /// Path, kind and type of what the first training elaboration declared.
  std::optional<std::map<std::string, std::pair<InputKind, Type>>> declared;
  /// What the first elaborations, in training and not, sum over a pass.
  std::map<bool, std::vector<PassSums>> declared_sums;
};

namespace {

// More elaborations than these are seldom needed at once: two row counts, training and not.
constexpr size_t kKeptElaborations = 6;

}  // namespace

ModelGraphs& Model::State::graphs(int64_t rows, bool training) {
  const auto key = std::make_pair(rows, training);
  const auto known = made.find(key);
  if (known != made.end()) return *known->second;
  if (made.size() >= kKeptElaborations) made.clear();
  ModelArguments arguments;
  arguments.values = evaluated().model_arguments;
  arguments.fields = fields;
  ElaborationSetup setup;
  setup.training = training;
  setup.rows = rows;
  setup.freezes = evaluated().freezes;
  auto graphs = reporting([&] {
    return std::make_unique<ModelGraphs>(*block, evaluated(), arguments, setup, diagnostics);
  });
  refuse_errors();
  check_declarations(*graphs, training);
  check_sums(*graphs, training);
  return *made.emplace(key, std::move(graphs)).first->second;
}

// All elaborations own the same; inference may own less.
void Model::State::check_declarations(const ModelGraphs& graphs, bool training) {
  std::map<std::string, std::pair<InputKind, Type>> owned;
  for (const auto& one : graphs.ownership().owned()) owned[one->path] = {one->kind, one->type};
  if (training && !declared) {
    declared = owned;
    return;
  }
  if (!declared) return;
  for (const auto& one : graphs.ownership().owned()) {
    const auto known = declared->find(one->path);
    if (known == declared->end()) {
      diagnostics.report(error("E0609", one->where,
                               fmt::format("{} is declared here, but not in training", one->path)));
    } else if (known->second.second != one->type) {
      diagnostics.report(
          error("E0605", one->where,
                fmt::format("the shape of {} depends on the number of rows", one->path))
              .note(
                  fmt::format("{} and {}", to_string(known->second.second), to_string(one->type))));
    }
  }
  refuse_errors();
}

namespace {

template <typename T>
bool begins_with(const std::vector<T>& all, const std::vector<T>& first) {
  return all.size() >= first.size() && std::equal(first.begin(), first.end(), all.begin());
}

}  // namespace

// One metrics graph serves the passes of training and all others, whatever the rows of their
// batches. It reads the first of the sums of training, which may have more: penalties.
void Model::State::check_sums(const ModelGraphs& graphs, bool training) {
  const std::vector<PassSums> sums = graphs.sums();
  const auto [first, is_first] = declared_sums.try_emplace(training, sums);
  if (!is_first)
    require_sums(sums, first->second, "for other numbers of rows");
  else if (declared_sums.size() == 2)
    require_sums(declared_sums.at(false), declared_sums.at(true), "in training");
}

void Model::State::require_sums(const std::vector<PassSums>& read,
                                const std::vector<PassSums>& summed, const std::string& others) {
  for (const PassSums& sums : read) {
    const auto known = std::ranges::find(summed, sums.name, &PassSums::name);
    if (known == summed.end())
      diagnostics.report(
          error("E0609", sums.where,
                fmt::format("`{}` is declared here, but not {}", sums.name, others)));
    else if (!begins_with(known->types, sums.types))
      diagnostics.report(error(
          "E0716", sums.where,
          fmt::format("`{}` is made of other sums over the batches, or sums of other shapes, {}",
                      sums.name, others)));
  }
  refuse_errors();
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::read(const std::string& path, const ElaborationOptions& options,
                  Diagnostics& diagnostics) {
  return Model(std::make_unique<State>(ModelFiles::read(path, diagnostics), options, diagnostics));
}

Model Model::read_text(const std::string& name, std::string text, const ElaborationOptions& options,
                       Diagnostics& diagnostics) {
  return Model(std::make_unique<State>(ModelFiles::read_text(name, std::move(text), diagnostics),
                                       options, diagnostics));
}

const std::string& Model::name() const { return state_->block->model()->name.text; }

const Attrs& Model::settings() {
  state_->attributes = TrainBlock::attributes(state_->evaluated());
  return state_->attributes;
}

std::vector<std::string> Model::input_names() const {
  std::vector<std::string> names;
  for (const ast::Parameter& parameter : state_->block->model()->callable.parameters)
    if (parameter.type && parameter.type->is_tensor) names.push_back(parameter.name.text);
  return names;
}

std::vector<std::optional<DType>> Model::input_dtypes() const {
  std::vector<std::optional<DType>> dtypes;
  for (const ast::Parameter& parameter : state_->block->model()->callable.parameters)
    if (parameter.type && parameter.type->is_tensor)
      dtypes.push_back(parse_dtype(parameter.type->name.text));
  return dtypes;
}

std::vector<std::pair<Input, Type>> Model::inputs(int64_t rows) {
  const DraftGraph& draft = state_->graphs(rows, false).elaborator().draft();
  std::vector<std::pair<Input, Type>> declared;
  for (const DraftInput& input : draft.inputs())
    if (input.kind == InputKind::Data)
      declared.emplace_back(Input{input.kind, input.name, input.limit}, draft.type(input.id));
  return declared;
}

void Model::bind_data(std::span<const FieldType> fields) {
  std::map<std::string, Type> bound;
  for (const ast::Parameter& parameter : state_->block->model()->callable.parameters) {
    if (!parameter.type || !parameter.type->is_tensor) continue;
    const auto field =
        std::ranges::find(fields, parameter.name.text, [](const FieldType& f) { return f.name; });
    if (field == fields.end()) {
      std::string list;
      for (const FieldType& one : fields)
        list += fmt::format("{}{} {}{}", list.empty() ? "" : ", ", one.name, one.dtype,
                            to_string(one.row_shape));
      state_->diagnostics.report(
          error("E0901", parameter.name.span,
                fmt::format("the data has no field `{}`", parameter.name.text))
              .note("fields: " + list)
              .with_help("rename the input to one of the fields"));
      continue;
    }
    const auto dtype = parse_dtype(parameter.type->name.text);
    if (dtype && *dtype != field->dtype)
      state_->diagnostics.report(
          error("E0902", parameter.span,
                fmt::format("input `{}` is {}, the data has {}", field->name, *dtype, field->dtype))
              .with_help(fmt::format("declare {} and convert({}, {}) in the model", field->dtype,
                                     field->name, *dtype)));
    bound[field->name] = {field->dtype, field->row_shape};
  }
  state_->refuse_errors();
  state_->fields = std::move(bound);
  state_->made.clear();
  state_->declared.reset();
  state_->declared_sums.clear();
}

void Model::bind_row_count(int64_t training_rows) {
  state_->row_count = training_rows;
  state_->settings.reset();
  state_->made.clear();
}

Graph Model::elaborate(GraphMode mode, int64_t rows, const GraphRequest& request) {
  const bool training = mode == GraphMode::Train || mode == GraphMode::Init ||
                        (mode == GraphMode::Run && request.training);
  // These hold nothing that depends on the rows, but the body that they come from may look at some.
  const bool is_for_all_rows = mode == GraphMode::Init || mode == GraphMode::Metrics;
  const int64_t elaborated_rows = is_for_all_rows && rows == 0 ? settings().integer("batch") : rows;
  ModelGraphs& graphs = state_->graphs(elaborated_rows, training);
  Graph graph = state_->reporting([&] { return graphs.make(mode, request); });
  state_->refuse_errors();
  if (elaborated_rows != rows) graph.rows = rows;
  verify(graph, "elaboration");
  return graph;
}

bool Model::has_outputs(int64_t rows) { return state_->graphs(rows, false).has_outputs(); }

std::vector<LayerRow> Model::layers(int64_t rows) {
  return layer_rows(state_->graphs(rows, true).elaborator());
}

std::vector<LayerNode> Model::layer_graph(int64_t rows) {
  return gradc::layer_graph(state_->graphs(rows, true).elaborator());
}

}  // namespace gradc
