// Every file of tests/golden/faults is read without fault and refused (or warned of) when it is
// elaborated, with exactly the messages beside it.
#include "frontend/model.h"
#include "golden_text.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

std::string messages_of(const std::filesystem::path& path) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read_text(path.filename().string(), read_text(path), {}, diagnostics);
    const bool trains = model.settings().get<std::string>("optimizer") != "none";
    if (trains) model.elaborate(GraphMode::Init, 128);
    model.elaborate(trains ? GraphMode::Train : GraphMode::Evaluate, 128);
    if (trains) model.elaborate(GraphMode::Metrics, 128);
  } catch (const ModelError& refusal) {
    CHECK(refusal.exit_code() == ExitCode::ModelOrData);
    CHECK(diagnostics.has_errors());
  }
  return render(diagnostics);
}

std::string messages_of(const std::string& text, std::span<const FieldType> fields) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read_text("m.grad", text, {}, diagnostics);
    model.bind_data(fields);
    model.elaborate(GraphMode::Evaluate, 4);
  } catch (const ModelError&) {
  }
  return render(diagnostics);
}

std::string usage_error(const std::string& key, const std::string& value) {
  Diagnostics diagnostics;
  const std::string text =
      "model m(x: f32[batch, 3], units: int = 2) {\n  loss = mean(dense(x, units))\n}\n"
      "train m { optimizer = sgd }\n";
  try {
    Model model = Model::read_text("m.grad", text, {{{key, value}}}, diagnostics);
    model.settings();
  } catch (const Error& refusal) {
    CHECK(refusal.exit_code() == ExitCode::Usage);
    return refusal.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("models that cannot be elaborated give the expected messages") {
  for (const auto& path : files_of(golden_folder() / "faults", ".grad")) {
    INFO(path.string());
    const std::string messages = messages_of(path);
    CHECK(messages != "");
    check_golden(std::filesystem::path(path).replace_extension(".txt"), messages);
  }
}

TEST_CASE("the data is checked against the inputs of the model") {
  const std::string text =
      "model m(img: u8[batch, 28, 28], label: u8[batch]) {\n"
      "  loss = mean(sparse_categorical_crossentropy(dense(flatten(img) / 255, 10), label))\n}\n";
  const FieldType label{"label", DType::U8, {}};
  const FieldType image{"image", DType::U8, {28, 28}};
  const FieldType small{"img", DType::U8, {14, 14}};
  const FieldType wide{"img", DType::F32, {28, 28}};
  check_golden(golden_folder() / "faults/data_field.out",
               messages_of(text, std::vector<FieldType>{image, label}) +
                   messages_of(text, std::vector<FieldType>{small, label}) +
                   messages_of(text, std::vector<FieldType>{wide, label}));
}

TEST_CASE("a shape that changes with the number of rows is found at the second row count") {
  Diagnostics diagnostics;
  // A reshape that splits the rows loses sight of them, so only the comparison can tell.
  const std::string text =
      "model m(x: f32[batch, 3]) {\n"
      "  y = reshape(x, [2, size(x) / 2])\n"
      "  loss = mean(dense(y, 1))\n}\ntrain m { optimizer = sgd }\n";
  Model model = Model::read_text("m.grad", text, {}, diagnostics);
  model.elaborate(GraphMode::Train, 4);
  CHECK_THROWS_AS(model.elaborate(GraphMode::Train, 8), ModelError);
  CHECK(diagnostics.sorted().at(0)->code == "E0605");
}

TEST_CASE("sums over the batches of a pass fit together, in whatever order they are elaborated") {
  const auto findings_of = [](const std::string& body,
                              std::vector<std::pair<GraphMode, int64_t>> graphs) {
    Diagnostics diagnostics;
    try {
      Model model = Model::read_text("m.grad",
                                     "model m(x: f32[batch, 3]) {\n  loss = mean(dense(x, 1))\n" +
                                         body + "\n}\ntrain m { data = noise; optimizer = sgd }\n",
                                     {}, diagnostics);
      for (const auto& [mode, rows] : graphs) model.elaborate(mode, rows);
    } catch (const ModelError&) {
    }
    return render(diagnostics);
  };
  using enum GraphMode;
  const std::string only_outside = "  if not training { metric late = mean(x) }";
  CHECK_THAT(findings_of(only_outside, {{Evaluate, 4}, {Train, 4}}), Catch::Contains("E0609"));
  CHECK_THAT(findings_of(only_outside, {{Train, 4}, {Evaluate, 4}}), Catch::Contains("E0609"));
  CHECK(findings_of(only_outside, {{Evaluate, 4}, {Evaluate, 3}}).empty());
  CHECK(findings_of("  if training { penalty mean(x) }", {{Train, 4}, {Evaluate, 4}}).empty());
  const std::string of_rows = "  metric doubled = accumulate(reshape(x, [6 * batch / 2]))";
  CHECK(findings_of(of_rows, {{Evaluate, 4}, {Train, 4}}).empty());
  CHECK_THAT(findings_of(of_rows, {{Evaluate, 4}, {Evaluate, 3}}), Catch::Contains("E0716"));
}

TEST_CASE("overrides name entries, model parameters and optimizer settings") {
  CHECK(usage_error("batch", "64") == "accepted");
  CHECK(usage_error("model.units", "5") == "accepted");
  CHECK(usage_error("optimizer.momentum", "0.9") == "accepted");
  CHECK(usage_error("optimizer", "adam(1e-4)") == "accepted");
  CHECK(usage_error("bacth", "64").find("the nearest are batch") != std::string::npos);
  CHECK(usage_error("model.unit", "5").find("model.units") != std::string::npos);
  CHECK(usage_error("optimizer.rho", "1").find("no such key") != std::string::npos);
  CHECK(usage_error("batch", "1 +").find("--set batch=1 +") != std::string::npos);
}
