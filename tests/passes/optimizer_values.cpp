// The library's optimizers against the formulas of their sources, three steps on one parameter.
#include <cmath>

#include "passes/differentiate.h"
#include "tests/frontend/elaborated_model.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

constexpr double kGradients[] = {0.5, -2.0, 0.25};

/// The parameter after each step; it starts at 1, its gradient is the input.
Numbers trained(const std::string& optimizer) {
  Diagnostics diagnostics;
  const std::string text =
      "model m(x: f64[batch, 1]) {\n  param w: f64[1] = ones\n  loss = mean(x * w)\n}\n"
      "train m { optimizer = " +
      optimizer + " }\n";
  Model model = model_of(text, diagnostics);
  const auto initial = run(model.elaborate(GraphMode::Init, 1), {{"seed", {0}}});
  const Graph step = differentiate(model.elaborate(GraphMode::Train, 1));
  std::map<std::string, Numbers> state;
  for (const auto& [name, value] : initial) state[name] = numbers_of(value);
  Numbers path;
  for (const double gradient : kGradients) {
    state["x"] = {gradient};
    for (const auto& [name, value] : run(step, state)) state[name] = numbers_of(value);
    path.push_back(state.at("w")[0]);
  }
  CHECK(state.at("step")[0] == 3);
  return path;
}

/// `update(w, gradient, t)` with t = 1, 2, 3.
template <typename Update>
Numbers expected(Update update) {
  Numbers path;
  double w = 1;
  int t = 0;
  for (const double gradient : kGradients) path.push_back(w = update(w, gradient, ++t));
  return path;
}

}  // namespace

TEST_CASE("gradient descent and its momenta") {
  check_close(trained("sgd(0.1)"), expected([](double w, double g, int) { return w - 0.1 * g; }),
              1e-12);
  double velocity = 0;
  check_close(trained("sgd(0.1, momentum = 0.9)"), expected([&](double w, double g, int) {
                velocity = 0.9 * velocity - 0.1 * g;
                return w + velocity;
              }),
              1e-12);
  velocity = 0;
  check_close(trained("sgd(0.1, momentum = 0.9, nesterov = true)"),
              expected([&](double w, double g, int) {
                velocity = 0.9 * velocity - 0.1 * g;
                return w + 0.9 * velocity - 0.1 * g;
              }),
              1e-12);
  velocity = 0;
  check_close(trained("torch_sgd(0.1, momentum = 0.9)"), expected([&](double w, double g, int) {
                velocity = 0.9 * velocity + g;
                return w - 0.1 * velocity;
              }),
              1e-12);
  velocity = 0;
  check_close(trained("dsfs_momentum(0.1, momentum = 0.9)"), expected([&](double w, double g, int) {
                velocity = 0.9 * velocity + 0.1 * g;
                return w - 0.1 * velocity;
              }),
              1e-12);
}

TEST_CASE("optimizers that divide by the size of past gradients") {
  double v = 0;
  check_close(trained("rmsprop(0.01)"), expected([&](double w, double g, int) {
                v = 0.9 * v + 0.1 * g * g;
                return w - 0.01 * g / (std::sqrt(v) + 1e-7);
              }),
              1e-12);
  v = 0.1;
  check_close(trained("adagrad(0.01)"), expected([&](double w, double g, int) {
                v += g * g;
                return w - 0.01 * g / (std::sqrt(v) + 1e-7);
              }),
              1e-12);
  const auto adam = [](double decay) {
    return [decay, m = 0.0, u = 0.0](double w, double g, int t) mutable {
      m = 0.9 * m + 0.1 * g;
      u = 0.999 * u + 0.001 * g * g;
      const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
      return w - rate * m / (std::sqrt(u) + 1e-7) - 0.01 * decay * w;
    };
  };
  check_close(trained("adam(0.01)"), expected(adam(0)), 1e-12);
  check_close(trained("adamw(0.01, weight_decay = 0.1)"), expected(adam(0.1)), 1e-12);
}

TEST_CASE("NAdam looks ahead along a corrected momentum") {
  double m = 0, v = 0;
  check_close(trained("nadam(0.01)"), expected([&](double w, double g, int t) {
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                const double ahead =
                    0.9 * m / (1 - std::pow(0.9, t + 1)) + 0.1 * g / (1 - std::pow(0.9, t));
                return w - 0.01 * ahead / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-7);
              }),
              1e-12);
}

TEST_CASE("a setting may be a function of the step") {
  check_close(trained("sgd(learning_rate = fn(step) => 0.1 / (step + 1))"),
              expected([](double w, double g, int t) { return w - 0.1 / t * g; }), 1e-7);
}

TEST_CASE("gradients are processed before the optimizer") {
  check_close(
      trained("sgd(0.1)\n  gradients = clip_by_global_norm(1.0)"),
      expected([](double w, double g, int) { return w - 0.1 * g / std::max(1.0, std::abs(g)); }),
      1e-12);
}

TEST_CASE("penalties enter the gradient and the reported loss") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 2]) {\n"
      "  y = dense(x, 1, kernel_init = constant(2.0), kernel_regularizer = l2(0.1))\n"
      "  loss = mean(y)\n}\ntrain m { optimizer = sgd(1.0) }\n",
      diagnostics);
  const Graph graph = differentiate(model.elaborate(GraphMode::Train, 1));
  const auto values =
      run(graph, {{"x", {1, 3}}, {"y.kernel", {2, 2}}, {"y.bias", {0}}, {"step", {0}}});
  CHECK(values.at("loss").at(0) == Approx(8 + 0.1 * 8));
  check_close(numbers_of(values.at("y.kernel")), {2 - 1 - 0.4, 2 - 3 - 0.4}, 1e-6);
}
