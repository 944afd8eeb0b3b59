// The passes on the graphs of the models that come with the program.
#include <filesystem>
#include <fstream>

#include "frontend/model.h"
#include "ir/text.h"
#include "passes/gradcheck.h"
#include "passes/pipeline.h"

#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

constexpr GraphMode kModes[] = {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate,
                                GraphMode::Predict, GraphMode::Metrics};

bool defines_model(const fs::path& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model ") || line.starts_with("train ")) return true;
  return false;
}

std::vector<fs::path> trained_models() {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(GRADC_SOURCE_DIR) / "models")) {
    if (entry.path().extension() == ".grad" && defines_model(entry.path()))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Files that only define layers for others have nothing to train.
bool has_optimizer(Model& model) {
  return model.settings().get<std::string>("optimizer") != "none";
}

std::vector<Tensor> draw_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (size_t k = 0; k < graph.inputs().size(); ++k) {
    const Type& type = graph.type(Graph::input_value(k));
    const Tensor direction = random_direction(type.shape, 5, k);
    const int64_t limit = graph.inputs()[k].limit;
    Tensor tensor(type);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      const double unit = (direction.at(i) + 1) / 2;
      tensor.set(i, is_float(type.dtype)
                        ? direction.at(i) / 10
                        : std::floor(unit * static_cast<double>(limit > 0 ? limit : 200)));
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

}  // namespace

TEST_CASE("every model's graphs pass the pipeline, and their texts resume") {
  size_t count = 0;
  for (const fs::path& path : trained_models()) {
    INFO(path);
    Diagnostics diagnostics;
    // The size of a window, which the data would give, and a small model of that kind.
    ElaborationOptions small;
    if (path.stem() == "gpt")
      small.overrides = {{"model.span", "9"}, {"model.width", "8"}, {"model.depth", "1"}};
    Model model = Model::read(path, small, diagnostics);
    if (!has_optimizer(model)) continue;
    ++count;
    PipelineOptions options;
    options.verify = true;
    Module elaborated{model.name(), {}, {}};
    for (GraphMode mode : kModes) elaborated.graphs.push_back(model.elaborate(mode, 32));
    const Module optimized = run_until(elaborated, Stage::Optimized, options);
    const std::string fused = print(run_until(optimized, Stage::Fused, options));
    const Module parsed = parse_module(print(optimized), "dumped");
    CHECK(print(run_until(parsed, Stage::Fused, options)) == fused);
    for (size_t k = 0; k < optimized.graphs.size(); ++k) {
      CHECK(same_graph(run_until(optimized.graphs[k], Stage::Optimized), optimized.graphs[k]));
    }
  }
  CHECK(count >= 3);
}

TEST_CASE("the gradients of the default model agree with central differences") {
  Diagnostics diagnostics;
  const fs::path path = fs::path(GRADC_SOURCE_DIR) / "models/mnist_mlp.grad";
  Model model = Model::read(path, {}, diagnostics);
  const Graph graph = model.elaborate(GraphMode::Run, 2, {.training = true, .gradients = true});
  const GradcheckReport report = check_gradients(graph, draw_inputs(graph), {.directions = 1});
  REQUIRE(report.gradients.size() == 4);
  for (const GradientCheck& check : report.gradients) {
    INFO(check.name << " " << check.max_rel_error);
    CHECK(check.agrees);
  }
}
