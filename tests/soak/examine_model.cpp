// Elaborates, and carries state from graph to graph by name.
#include "tests/soak/examine_model.h"

#include "ir/interpret.h"
#include "passes/pipeline.h"
#include "tests/random_op.h"

namespace gradc::testing {
namespace {

constexpr int64_t kTrainingRows = 20;

class ModelSamples {
 public:
  ModelSamples(const RandomModel& given, uint64_t seed)
      : given_(given),
        seed_(seed),
        random_(seed + 11),
        model_(Model::read_text("random.grad", given.text, {}, diagnostics_)) {
    model_.bind_data(given.fields);
    model_.bind_row_count(kTrainingRows);
    model_.settings();
  }

  std::vector<Sample> run() {
    try {
      const int64_t rows = random_.between(2, 5);
      add(GraphMode::Init, 0, {}, 30);
      const Batch batch = draw(rows);
      add(GraphMode::Train, rows, batch, 100);
      add(GraphMode::Train, rows, random_.chance(50) ? batch : draw(rows), 100);
      if (random_.chance(15)) add(GraphMode::Train, 1, draw(1), 100);
      add(GraphMode::Evaluate, rows, batch, 40);
      if (model_.has_outputs(rows)) add(GraphMode::Predict, rows, batch, 40);
      add(GraphMode::Metrics, 0, {}, 30);
    } catch (const ModelError& error) {
      throw Error(ExitCode::ModelOrData, error.code(), render(diagnostics_));
    }
    return std::move(samples_);
  }

 private:
  using Batch = std::map<std::string, Tensor>;

  Batch draw(int64_t rows) {
    Batch batch;
    for (const FieldType& field : given_.fields) {
      std::vector<int64_t> dims{rows};
      dims.insert(dims.end(), field.row_shape.begin(), field.row_shape.end());
      Tensor tensor = random_tensor(random_, {field.dtype, Shape(dims)}, -1, 1);
      // Labels and codes are small numbers.
      for (int64_t i = 0; i < tensor.size() && !is_float(field.dtype); ++i)
        tensor.set(i, static_cast<double>(random_.between(0, 1)));
      batch[field.name] = std::move(tensor);
    }
    return batch;
  }

  /// Interprets the graph for what comes after it; `percent` of them are samples.
  void add(GraphMode mode, int64_t rows, const Batch& batch, int percent) {
    const Graph graph = model_.elaborate(mode, rows);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      inputs.push_back(input(graph.inputs()[i], graph.type(Graph::input_value(i)), batch));
    const std::vector<Tensor> outputs = interpret(run_until(graph, Stage::Grad), inputs);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const Output& output = graph.outputs()[k];
      if (updated_input_kind(output.kind)) state_[output.name] = outputs[k];
      accumulated_[output.name] = outputs[k];
    }
    if (random_.chance(percent))
      samples_.push_back({graph, std::move(inputs), seed_ + samples_.size()});
  }

  Tensor input(const Input& input, const Type& type, const Batch& batch) {
    if (const auto at = batch.find(input.name); at != batch.end() && input.kind == InputKind::Data)
      return at->second;
    if (input.kind == InputKind::Seed) return Tensor::scalar(DType::I64, 7);
    const auto& known = input.kind == InputKind::Accumulator ? accumulated_ : state_;
    if (const auto at = known.find(input.name); at != known.end()) {
      CHECK(at->second.type() == type, "{} changes its type", input.name);
      return at->second;
    }
    return Tensor(type);
  }

  const RandomModel& given_;
  uint64_t seed_;
  RandomSource random_;
  Diagnostics diagnostics_;
  Model model_;
  std::map<std::string, Tensor> state_, accumulated_;
  std::vector<Sample> samples_;
};

}  // namespace

std::vector<Sample> samples_of(const RandomModel& model, uint64_t seed) {
  return ModelSamples(model, seed).run();
}

std::string find_refusal_fault(const RandomModel& given, const std::string& text,
                               bool& is_refused) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read_text("spoilt.grad", text, {}, diagnostics);
    model.bind_data(given.fields);
    model.bind_row_count(kTrainingRows);
    model.settings();
    for (GraphMode mode : {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate,
                           GraphMode::Predict, GraphMode::Metrics})
      model.elaborate(mode, 3);
  } catch (const ModelError& error) {
    is_refused = true;
    if (!diagnostics.has_errors()) return std::string("refused without a finding: ") + error.what();
    const std::string shown = render(diagnostics);
    if (shown.find("spoilt.grad:") == std::string::npos)
      return "a finding without a place: " + shown;
  } catch (const Error& error) {
    is_refused = true;
    if (std::string(error.what()).empty()) return "an error without words";
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace gradc::testing
