// Elaborates and interprets small models in tests.
#pragma once
#include <map>

#include "frontend/model.h"
#include "ir/interpret.h"
// Behind the headers of the project, whose CHECK it replaces.
#include <catch2/catch.hpp>

namespace gradc::testing {

using Numbers = std::vector<double>;

inline Model model_of(const std::string& text, Diagnostics& diagnostics,
                      const ElaborationOptions& options = {}) {
  return Model::read_text("m.grad", text, options, diagnostics);
}

inline Numbers numbers_of(const Tensor& tensor) {
  Numbers numbers;
  for (int64_t i = 0; i < tensor.size(); ++i) numbers.push_back(tensor.at(i));
  return numbers;
}

inline Tensor tensor_of(const Type& type, const Numbers& numbers) {
  Tensor tensor(type);
  REQUIRE(tensor.size() == static_cast<int64_t>(numbers.size()));
  for (size_t i = 0; i < numbers.size(); ++i) tensor.set(static_cast<int64_t>(i), numbers[i]);
  return tensor;
}

/// Values of the outputs by name, for inputs by name; inputs left out are 0.
inline std::map<std::string, Tensor> run(const Graph& graph,
                                         const std::map<std::string, Numbers>& feed) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Type& type = graph.type(Graph::input_value(i));
    const auto given = feed.find(graph.inputs()[i].name);
    inputs.push_back(given == feed.end() ? Tensor(type) : tensor_of(type, given->second));
  }
  const std::vector<Tensor> values = interpret(graph, inputs);
  std::map<std::string, Tensor> outputs;
  for (size_t i = 0; i < values.size(); ++i) outputs[graph.outputs()[i].name] = values[i];
  return outputs;
}

/// The value of an expression of x: f32[rows, width].
inline Tensor value_of(const std::string& expression, const Numbers& x, int64_t rows) {
  Diagnostics diagnostics;
  const int64_t width = static_cast<int64_t>(x.size()) / rows;
  Model model = model_of("model m(x: f32[batch, " + std::to_string(width) +
                             "]) {\n  output y = " + expression + "\n}\n",
                         diagnostics);
  try {
    return run(model.elaborate(GraphMode::Predict, rows), {{"x", x}}).at("y");
  } catch (const ModelError&) {
    FAIL(render(diagnostics));
  }
  return {};
}

inline void check_close(const Numbers& actual, const Numbers& expected, double tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    CHECK(actual[i] == Approx(expected[i]).epsilon(tolerance).margin(tolerance));
}

}  // namespace gradc::testing
