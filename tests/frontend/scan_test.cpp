// scan of the language: unrolled and scanned models give the same values; draws, shapes, sizes.
#include <cmath>
#include <set>

#include "elaborated_model.h"
#include "ir/ops/scan.h"
#include "ir/verify.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

const Numbers kX{0.5, -1, 2, 0.25, 1.5, -0.75, 3, -2, 0.125, 1, -0.5, 0.75};

/// The outputs of a model of x: f32[2, 3, 2] with weights w: f32[2, 2].
std::map<std::string, Tensor> run_model(const std::string& body, GraphMode mode = GraphMode::Run) {
  const std::string text = "model m(x: f32[batch, 3, 2]) {\n  param w: f32[2, 2] = 0\n" + body +
                           "\n  loss = mean(x)\n}\n";
  Diagnostics diagnostics;
  Model model = model_of(text, diagnostics);
  try {
    const Graph graph = model.elaborate(mode, 2);
    verify(graph, "as elaborated");
    return run(graph, {{"x", kX}, {"w", {0.5, -0.25, 1, 0.75}}, {"seed", {7}}, {"step", {3}}});
  } catch (const ModelError&) {
    FAIL(render(diagnostics));
  }
  return {};
}

size_t node_count(int64_t rounds) {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, " + std::to_string(rounds) + ", 4]) {\n  output h = lstm(x, 8)\n}\n",
      diagnostics);
  return model.elaborate(GraphMode::Predict, 2).nodes().size();
}

}  // namespace

TEST_CASE("a scan and the unrolled loop give the same values") {
  for (const bool reverse : {false, true}) {
    const std::string order = reverse ? "2 - t" : "t";
    const auto scanned = run_model(R"(
  scan x_t in x, axis = 1, reverse = )" +
                                   std::string(reverse ? "true" : "false") + R"( {
    carry h = zeros([batch, 2])
    gate = sigmoid(x_t)
    h := tanh(x_t + h @ w) * gate + h * 0.5
    collect states = h
    collect sums = sum(h, axis = 1)
  }
  output last = h
  output all = states
  output totals = sums)");
    const auto unrolled = run_model(R"(
  var h = zeros([batch, 2])
  for t in range(3) {
    x_t = x[:, )" + order + R"(]
    h := tanh(x_t + h @ w) * sigmoid(x_t) + h * 0.5
  }
  output last = h)");
    CHECK(same_bits(scanned.at("last"), unrolled.at("last")));
    const Tensor& all = scanned.at("all");
    CHECK(all.shape() == Shape{2, 3, 2});
    const int64_t final_round = reverse ? 0 : 2;
    for (int64_t row = 0; row < 2; ++row)
      for (int64_t k = 0; k < 2; ++k)
        CHECK(all.at(row * 6 + final_round * 2 + k) == scanned.at("last").at(row * 2 + k));
    CHECK(scanned.at("totals").shape() == Shape{2, 3});
  }
}

TEST_CASE("several sequences, a count, nested scans and zero rounds") {
  const auto values = run_model(R"(
  scan [a, b] in [x, 2 * x], axis = 1 {
    carry total = zeros([batch, 2])
    scan i in 3 {
      carry inner = 0
      inner := inner + i
    }
    total := total + a * b * inner
  }
  scan piece in x[:, 0:0], axis = 1 {
    carry kept = x[:, 0]
    kept := kept + piece
  }
  output product = total
  output first = kept)");
  // 2 * 3 * the sum of the squares over the axis.
  check_close(numbers_of(values.at("product")),
              {6 * (0.25 + 4 + 2.25), 6 * (1 + 0.0625 + 0.5625), 6 * (9 + 0.015625 + 0.25),
               6 * (4 + 1 + 0.5625)},
              1e-6);
  CHECK(numbers_of(values.at("first")) == Numbers{0.5, -1, 3, -2});
}

TEST_CASE("a draw in a scan is one draw for all rounds") {
  const auto values = run_model(R"(
  scan x_t in x, axis = 1 {
    collect drawn = random_uniform([batch, 2]) + 0 * x_t
  }
  output drawn_in = drawn
  )");
  const Tensor& drawn = values.at("drawn_in");
  std::set<double> distinct;
  for (int64_t i = 0; i < drawn.size(); ++i) distinct.insert(drawn.at(i));
  CHECK(distinct.size() == 12);
}

TEST_CASE("the graph of a scan does not grow with its rounds") {
  CHECK(node_count(28) == node_count(280));
}

TEST_CASE("orthogonal matrices") {
  for (const auto& [shape, rows, columns] : std::vector<std::tuple<std::string, int64_t, int64_t>>{
           {"[24, 24]", 24, 24}, {"[12, 40]", 12, 40}, {"[30, 7]", 30, 7}}) {
    Diagnostics diagnostics;
    Model model = model_of("model m(x: f32[batch, 3]) {\n  param q: f32" + shape +
                               " = orthogonal\n  loss = mean(x) + sum(q)\n}\n",
                           diagnostics);
    const Tensor q = run(model.elaborate(GraphMode::Init, 2), {{"seed", {5}}}).at("q");
    const bool is_wide = columns > rows;
    const int64_t count = std::min(rows, columns), size = std::max(rows, columns);
    const auto at = [&](int64_t vector, int64_t k) {
      return q.at(is_wide ? vector * columns + k : k * columns + vector);
    };
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double product = 0;
        for (int64_t k = 0; k < size; ++k) product += at(i, k) * at(j, k);
        CHECK(std::abs(product - (i == j ? 1 : 0)) < 1e-6);
      }
  }
}

TEST_CASE("recurrent layers have the parameters that Keras counts") {
  const auto count = [](const std::string& layer) {
    Diagnostics diagnostics;
    Model model = model_of("model m(x: f32[batch, 28, 28]) {\n  last = " + layer +
                               "\n  logits = dense(last, 10)\n  loss = mean(logits)\n}\n",
                           diagnostics);
    const Graph graph = model.elaborate(GraphMode::Run, 2);
    int64_t total = 0;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      if (graph.inputs()[i].kind == InputKind::Parameter)
        total += graph.type(Graph::input_value(i)).shape.element_count();
    return total;
  };
  CHECK(count("simple_rnn(x, 256)") == 75530);
  CHECK(count("lstm(x, 256)") == 294410);
  CHECK(count("gru(x, 256)") == 222218);
  CHECK(count("gru(x, 256, reset_after = false)") == 221450);
  CHECK(count("bidirectional(x, lstm, 256)") == 588810);
}
