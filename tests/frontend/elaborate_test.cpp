// Elaborated graphs as text, paths, sharing, sizes; BLESS=1 rewrites the expected graphs.
#include <set>

#include "ir/text.h"
#include "passes/differentiate.h"
// Behind the headers of the project, whose CHECK it replaces.
#include "elaborated_model.h"
#include "golden_text.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

std::string model_folder() { return std::string(GRADC_SOURCE_DIR) + "/models/"; }

Model shipped(const std::string& name, Diagnostics& diagnostics,
              const ElaborationOptions& options = {}) {
  return Model::read(model_folder() + name, options, diagnostics);
}

int64_t parameter_count(Model& model) {
  int64_t count = 0;
  for (const LayerRow& row : model.layers(2)) count += row.parameters;
  return count;
}

std::vector<std::string> names(const Graph& graph, InputKind kind) {
  std::vector<std::string> found;
  for (const Input& input : graph.inputs())
    if (input.kind == kind) found.push_back(input.name);
  return found;
}

Model example(const std::string& name, Diagnostics& diagnostics) {
  const auto path = golden_folder() / "elaboration" / name;
  return Model::read_text(name, read_text(path), {}, diagnostics);
}

const Numbers kPass{1, 2, 3, -4, 0.5, 6, 7, 8, 2, 1};

/// The metrics of a pass over kPass, the input `x`, two numbers a row, in batches of so many rows.
std::map<std::string, Tensor> metrics_of(Model& model, const std::vector<int64_t>& batches) {
  std::map<std::string, Numbers> totals;
  size_t at = 0;
  for (const int64_t rows : batches) {
    const Graph graph = differentiate(model.elaborate(GraphMode::Evaluate, rows));
    const Numbers part(kPass.begin() + static_cast<int64_t>(at),
                       kPass.begin() + static_cast<int64_t>(at) + rows * 2);
    at += part.size();
    const auto values = run(graph, {{"x", part}});
    for (const Output& output : graph.outputs()) {
      if (output.kind == OutputKind::Loss) continue;
      const double value = values.at(output.name).at(0);
      auto [total, is_new] = totals.emplace(output.name, Numbers{value});
      if (is_new) continue;
      double& sum = total->second[0];
      if (output.kind == OutputKind::AccumulateSum) sum += value;
      if (output.kind == OutputKind::AccumulateMax) sum = std::max(sum, value);
      if (output.kind == OutputKind::AccumulateMin) sum = std::min(sum, value);
    }
  }
  return run(model.elaborate(GraphMode::Metrics, 1), totals);
}

}  // namespace

TEST_CASE("graphs of small models in every mode") {
  for (const auto& path : files_of(golden_folder() / "elaboration", ".grad")) {
    INFO(path.string());
    Diagnostics diagnostics;
    Model model = example(path.filename().string(), diagnostics);
    std::string text;
    const bool trains = model.settings().get<std::string>("optimizer") != "none";
    for (const GraphMode mode : {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate,
                                 GraphMode::Predict, GraphMode::Run, GraphMode::Metrics}) {
      if (mode == GraphMode::Train && !trains) continue;
      if (mode == GraphMode::Predict && path.stem() == "shared") continue;
      text += print(model.elaborate(mode, 4, {.training = true, .gradients = true})) + "\n";
    }
    CHECK(render(diagnostics) == "");
    check_golden(std::filesystem::path(path).replace_extension(".ir"), text);
  }
}

TEST_CASE("parameter counts of the reference models") {
  const std::map<std::string, int64_t> expected{{"mnist_mlp.grad", 407050},
                                                {"reference/n1.grad", 407050},
                                                {"reference/d1.grad", 9},
                                                {"reference/d2.grad", 379},
                                                {"reference/d3.grad", 379},
                                                {"reference/d4.grad", 7850},
                                                {"reference/d5.grad", 23970},
                                                {"reference/m02.grad", 335114},
                                                {"reference/mlp.grad", 269322},
                                                {"reference/cnn.grad", 80266},
                                                {"reference/r1.grad", 75530},
                                                {"reference/lstm.grad", 294410},
                                                {"reference/gru.grad", 222218},
                                                {"reference/bilstm.grad", 588810},
                                                {"bench/cnn64_adam.grad", 80266},
                                                {"bench/mlp512_rmsprop.grad", 407050},
                                                {"bench/mlp256_dropout_adam.grad", 269322}};
  for (const auto& [name, count] : expected) {
    INFO(name);
    Diagnostics diagnostics;
    Model model = shipped(name, diagnostics);
    CHECK(parameter_count(model) == count);
    CHECK(render(diagnostics) == "");
  }
}

TEST_CASE("every shipped model elaborates in every mode it has") {
  for (const std::string folder : {"", "reference", "bench", "gallery"})
    for (const auto& path : files_of(model_folder() + folder, ".grad")) {
      if (path.stem() == "custom") continue;  // definitions for other files only
      INFO(path.string());
      Diagnostics diagnostics;
      ElaborationOptions options;
      if (path.stem() == "gpt") options.overrides = {{"model.span", "17"}};  // else of the data
      Model model = Model::read(path.string(), options, diagnostics);
      if (model.settings().get<std::string>("optimizer") != "none")
        model.elaborate(GraphMode::Train, 3);
      for (const GraphMode mode : {GraphMode::Init, GraphMode::Evaluate, GraphMode::Predict,
                                   GraphMode::Run, GraphMode::Metrics})
        model.elaborate(mode, 3);
      CHECK(render(diagnostics) == "");
    }
}

TEST_CASE("paths of instances, and of functions that the body calls") {
  Diagnostics diagnostics;
  Model model = example("paths.grad", diagnostics);
  std::vector<std::string> paths;
  for (const LayerRow& row : model.layers(4)) paths.push_back(row.path);
  CHECK(paths == std::vector<std::string>{"first", "second.dense", "second", "level.0.dense",
                                          "level.0.wide", "level.1.dense", "level.1.wide",
                                          "heads.head.0.dense", "heads.head.1.dense", "third",
                                          "third.inner", "third.cell", "picked", "y", ""});
}

TEST_CASE("a shared layer owns once and is counted") {
  Diagnostics diagnostics;
  Model model = example("shared.grad", diagnostics);
  const Graph train = model.elaborate(GraphMode::Train, 4);
  CHECK(names(train, InputKind::Parameter) == std::vector<std::string>{"f.kernel"});
  CHECK(names(train, InputKind::State) == std::vector<std::string>{"f.calls"});
  const std::vector<LayerRow> rows = model.layers(4);
  CHECK(rows.at(0).applications == 2);
  CHECK(rows.at(0).parameters == 9);
  // Both applications draw, from streams of their own.
  std::set<int64_t> streams;
  for (const Node& node : train.nodes())
    if (node.kind == OpKind::Random) streams.insert(node.attrs.integer("stream"));
  CHECK(streams.size() == 2);
}

TEST_CASE("initial values depend on the seed and the path, not on other layers") {
  Diagnostics diagnostics;
  const std::string head = "model m(x: f32[batch, 3]) {\n";
  const std::string tail =
      "  b = dense(x, 2, kernel_init = normal(1, 0.5))\n  loss = mean(b)\n}\ntrain m { optimizer = "
      "sgd }\n";
  Model alone = model_of(head + tail, diagnostics);
  Model after = model_of(head + "  _a = dense(x, 4)\n" + tail, diagnostics);
  const std::map<std::string, Numbers> seed{{"seed", {7}}};
  const Tensor first = run(alone.elaborate(GraphMode::Init, 2), seed).at("b.kernel");
  const Tensor second = run(after.elaborate(GraphMode::Init, 2), seed).at("b.kernel");
  CHECK(same_bits(first, second));
  CHECK_FALSE(
      same_bits(first, run(alone.elaborate(GraphMode::Init, 2), {{"seed", {8}}}).at("b.kernel")));
}

TEST_CASE("initializers have the spread they promise") {
  Diagnostics diagnostics;
  const std::string text =
      "model m(x: f32[batch, 300]) {\n"
      "  a = dense(x, 200, kernel_init = glorot_uniform, use_bias = false)\n"
      "  b = dense(x, 200, kernel_init = he_normal, use_bias = false)\n"
      "  c = dense(x, 200, kernel_init = lecun_uniform, use_bias = false)\n"
      "  d = dense(x, 200, kernel_init = uniform(0, 0.1), use_bias = false)\n"
      "  e = dense(x, 200, kernel_init = dsfs_xavier, use_bias = false)\n"
      "  loss = mean(a + b + c + d + e)\n}\n";
  Model model = model_of(text, diagnostics);
  const auto values = run(model.elaborate(GraphMode::Init, 2), {{"seed", {1}}});
  const auto check_moments = [&](const std::string& name, double mean, double deviation) {
    INFO(name);
    double sum = 0;
    double squares = 0;
    const Numbers numbers = numbers_of(values.at(name + ".kernel"));
    for (const double value : numbers) {
      sum += value;
      squares += value * value;
    }
    const double count = static_cast<double>(numbers.size());
    CHECK(sum / count == Approx(mean).margin(deviation / 50));
    CHECK(std::sqrt(squares / count - (sum / count) * (sum / count)) ==
          Approx(deviation).epsilon(0.02));
  };
  check_moments("a", 0, std::sqrt(6.0 / 500 / 3));
  check_moments("b", 0, std::sqrt(2.0 / 300));
  check_moments("c", 0, std::sqrt(1.0 / 300));
  check_moments("d", 0.05, 0.1 / std::sqrt(12.0));
  check_moments("e", 0, 2.0 / 500);
}

TEST_CASE("metrics of a pass do not depend on how it is cut into batches") {
  Diagnostics diagnostics;
  const std::string text =
      "model m(x: f32[batch, 2]) {\n"
      "  hit = x[:, 0] > 1\n"
      "  loss = mean(square(x))\n"
      "  metric rmse = sqrt(mean(square(x)))\n"
      "  metric share = sum(hit) / (sum(hit) + sum(not hit))\n"
      "  metric top = max(x)\n"
      "  metric low = min(x) + exp(loss)\n}\n";
  Model model = model_of(text, diagnostics);
  double squares = 0;
  for (const double value : kPass) squares += value * value;
  for (const std::vector<int64_t>& batches : {std::vector<int64_t>{5}, {3, 2}, {1, 1, 3}}) {
    const auto metrics = metrics_of(model, batches);
    CHECK(metrics.at("loss").at(0) == Approx(squares / 10));
    CHECK(metrics.at("rmse").at(0) == Approx(std::sqrt(squares / 10)));
    CHECK(metrics.at("share").at(0) == Approx(0.6));
    CHECK(metrics.at("top").at(0) == Approx(8));
    CHECK(metrics.at("low").at(0) == Approx(-4 + std::exp(squares / 10)));
  }
}

TEST_CASE("what has no rows is averaged over the batches, and a scan of what is summed runs once") {
  Diagnostics diagnostics;
  const std::string text =
      "model m(x: f32[batch, 2]) {\n"
      "  param w: f32[] = 0.5\n"
      "  scan i in 3 { carry n = 1.5; n := n * 0.5 }\n"
      "  scan j in 2 { carry t = 0.0; t := t + exp(mean(x)) }\n"
      "  scan k in 2 { carry u = 0.0; u := u * 0.5 + accumulate(sum(x)) }\n"
      "  scan column in x, axis = 1 { carry total = 0.0; total := total + mean(column) }\n"
      "  loss = square(gradient(mean(x * x * w), w))\n"
      "  loss product = x[:, 0] @ x[:, 1] / batch\n"
      "  metric scaled = mean(x) * n\n"
      "  metric once = t\n"
      "  metric summed = u\n"
      "  metric columns = square(total)\n"
      "  metric drawn = mean(x) + random_uniform([])\n}\n";
  Model model = model_of(text, diagnostics);
  double sum = 0;
  double squares = 0;
  for (const double value : kPass) sum += value;
  for (const double value : kPass) squares += value * value;
  for (const std::vector<int64_t>& batches : {std::vector<int64_t>{5}, {3, 2}, {1, 1, 3}}) {
    const auto metrics = metrics_of(model, batches);
    CHECK(metrics.at("loss").at(0) == Approx(squares * squares / 100));
    CHECK(metrics.at("product").at(0) == Approx((2 - 12 + 3 + 56 + 2) / 5.0));
    CHECK(metrics.at("scaled").at(0) == Approx(sum / 10 * 0.1875));
    CHECK(metrics.at("once").at(0) == Approx(2 * std::exp(sum / 10)));
    CHECK(metrics.at("summed").at(0) == Approx(1.5 * sum));
    CHECK(metrics.at("columns").at(0) == Approx(sum * sum / 25));
    CHECK(metrics.at("drawn").at(0) == Approx(sum / 10 + 0.5).margin(0.5));
  }
}

TEST_CASE("labels straight from the data are limited to the classes") {
  Diagnostics diagnostics;
  Model model = shipped("mnist_mlp.grad", diagnostics);
  const Graph graph = model.elaborate(GraphMode::Evaluate, 2);
  CHECK(graph.inputs()[1].name == "label");
  CHECK(graph.inputs()[1].limit == 10);
}

TEST_CASE("settings are complete and can be overridden") {
  Diagnostics diagnostics;
  ElaborationOptions options;
  options.overrides = {{"steps", "3 * 4"}, {"optimizer.rho", "0.5"}, {"data", "mnist(\"a b\")"}};
  Model model = shipped("mnist_mlp.grad", diagnostics, options);
  const Attrs& settings = model.settings();
  CHECK(settings.get<std::string>("data") == "mnist(\"a b\")");
  CHECK(settings.integer("batch") == 128);
  CHECK(settings.integer("eval_batch") == 128);
  CHECK(settings.integer("steps") == 12);
  CHECK_FALSE(settings.has("epochs"));
  CHECK(settings.get<std::string>("last_batch") == "keep");
  CHECK(settings.get<std::string>("optimizer") ==
        "rmsprop(learning_rate = 0.001, rho = 0.5, epsilon = 1e-07)");
}

TEST_CASE("a body that reads single rows has first values and metrics for all row counts") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 3]) {\n  y = dense(x + x[:1], 2)\n  loss = mean(square(y))\n}\n"
      "train m { data = digits; batch = 4; optimizer = sgd }\n",
      diagnostics);
  for (const GraphMode mode : {GraphMode::Init, GraphMode::Metrics}) {
    const Graph graph = model.elaborate(mode, 0);
    CHECK(graph.rows == 0);
    CHECK_FALSE(graph.outputs().empty());
  }
}
