// Several losses, groups, freezing, `every` and averaging against numbers computed by hand.
#include <cmath>

#include "passes/differentiate.h"
#include "passes/gradcheck.h"
#include "tests/frontend/elaborated_model.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

using State = std::map<std::string, Numbers>;

/// A model with its state; what a step does not give keeps its value.
class Trained {
 public:
  explicit Trained(const std::string& text, const ElaborationOptions& options = {})
      : model_(model_of(text, diagnostics_, options)) {
    try {
      for (const auto& [name, value] : run(model_.elaborate(GraphMode::Init, 1), {{"seed", {0}}}))
        state[name] = numbers_of(value);
      step_.emplace(differentiate(model_.elaborate(GraphMode::Train, 1)));
    } catch (const ModelError&) {
      FAIL(render(diagnostics_));
    }
  }

  void step(const Numbers& x) {
    state["x"] = x;
    for (const auto& [name, value] : run(*step_, state)) state[name] = numbers_of(value);
  }
  double at(const std::string& name) const { return state.at(name).at(0); }
  std::map<std::string, Tensor> outputs(GraphMode mode) {
    return run(differentiate(model_.elaborate(mode, 1)), state);
  }
  const Graph& graph() const { return *step_; }

  State state;

 private:
  Diagnostics diagnostics_;
  Model model_;
  std::optional<Graph> step_;
};

bool updates(const Graph& graph, const std::string& name) {
  for (const Output& output : graph.outputs())
    if (output.name == name) return true;
  return false;
}

const std::string kTwoLosses =
    "model m(x: f64[batch, 1]) {\n"
    "  param a: f64[1] = constant(1.0)\n  param b: f64[1] = constant(2.0)\n"
    "  loss first = mean(x * a * b)\n  loss second = mean(square(a * b))\n}\n";

}  // namespace

TEST_CASE(
    "two losses, each with its optimizer and its parameters, all from the values at the start") {
  Trained trained(
      kTwoLosses +
      "train m {\n"
      "  optimize first { parameters = \"a\"; optimizer = sgd(0.1) }\n"
      "  optimize second { parameters = \"b\"; optimizer = sgd(0.01, momentum = 0.9) }\n}\n");
  double a = 1, b = 2, velocity = 0;
  for (const double x : {0.5, -2.0, 0.25}) {
    trained.step({x});
    CHECK(trained.at("first") == Approx(x * a * b));
    CHECK(trained.at("second") == Approx(a * a * b * b));
    velocity = 0.9 * velocity - 0.01 * 2 * a * a * b;
    a -= 0.1 * x * b;
    b += velocity;
    CHECK(trained.at("a") == Approx(a).epsilon(1e-12));
    CHECK(trained.at("b") == Approx(b).epsilon(1e-12));
  }
  CHECK(trained.at("step") == 3);
  CHECK_FALSE(updates(trained.graph(), "a:velocity"));
}

TEST_CASE("a penalty reaches every loss and moves only the parameters in it") {
  Trained trained(
      "model m(x: f64[batch, 1]) {\n"
      "  a = dense(x, 1, kernel_init = ones, use_bias = false, kernel_regularizer = l2(0.5))\n"
      "  b = dense(x, 1, kernel_init = ones, use_bias = false)\n"
      "  loss first = mean(a)\n  loss second = mean(b)\n}\n"
      "train m {\n  optimize first { parameters = \"a\"; optimizer = sgd(1.0) }\n"
      "  optimize second { parameters = \"b\"; optimizer = sgd(1.0) }\n}\n");
  trained.step({3});
  CHECK(trained.at("first") == Approx(3.5));
  CHECK(trained.at("second") == Approx(3.5));
  CHECK(trained.at("a.kernel") == Approx(1 - 3 - 1));
  CHECK(trained.at("b.kernel") == Approx(1 - 3));
}

TEST_CASE("every = N acts on steps N, 2N, … and counts its own updates") {
  Trained trained(kTwoLosses +
                  "train m {\n  optimize first { parameters = \"a\"; optimizer = sgd(0.1) }\n"
                  "  optimize second { parameters = \"b\"; every = 3\n"
                  "    optimizer = sgd(fn(step) => 0.01 * (step + 1), momentum = 0.5) }\n}\n");
  double b = 2, velocity = 0;
  int made = 0;
  for (int step = 1; step <= 7; ++step) {
    const double a = trained.at("a");
    trained.step({0.5});
    if (step % 3 == 0) {
      velocity = 0.5 * velocity - 0.01 * ++made * 2 * a * a * b;
      b += velocity;
    }
    INFO("step " << step);
    CHECK(trained.at("b") == Approx(b).epsilon(1e-6));
    CHECK(trained.at("b:velocity") == Approx(velocity).epsilon(1e-6));
  }
  CHECK(made == 2);
}

TEST_CASE("groups change settings of the optimizer for what they select") {
  const std::string text =
      "model m(x: f64[batch, 1]) {\n"
      "  y = dense(x, 1, kernel_init = ones)\n  z = dense(y, 1, kernel_init = ones)\n"
      "  loss = mean(z)\n}\n"
      "train m {\n  optimizer = sgd(0.1)\n  group \"**.bias\" { learning_rate = fn(step) => 0.5 }\n"
      "  group \"z.kernel\" { learning_rate = 0; momentum = 0.5 }\n}\n";
  Trained trained(text);
  trained.step({3});
  CHECK(trained.at("y.kernel") == Approx(1 - 0.1 * 3));
  CHECK(trained.at("y.bias") == Approx(-0.5));
  CHECK(trained.at("z.bias") == Approx(-0.5));
  CHECK(trained.at("z.kernel") == 1);
  CHECK(updates(trained.graph(), "z.kernel:velocity"));
  CHECK_FALSE(updates(trained.graph(), "y.kernel:velocity"));
  Trained faster(text, {{{"optimizer.learning_rate", "1.0"}}});
  faster.step({3});
  CHECK(faster.at("y.kernel") == Approx(1 - 3));
  CHECK(faster.at("y.bias") == Approx(-0.5));
}

TEST_CASE("what is frozen is no output of the step, and its layer sees it") {
  Trained trained(
      "model m(x: f64[batch, 1]) {\n  norm = batch_norm(x)\n  free = batch_norm(norm)\n"
      "  y = dense(free, 1, kernel_init = ones)\n  loss = mean(y)\n}\n"
      "train m {\n  optimizer = sgd(0.1)\n  freeze \"norm\", \"y.bias\"\n}\n");
  trained.step({3});
  for (const char* name :
       {"norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance", "y.bias"})
    CHECK_FALSE(updates(trained.graph(), name));
  for (const char* name : {"free.gamma", "free.beta", "free.moving_mean", "y.kernel"})
    CHECK(updates(trained.graph(), name));
  // The frozen layer normalizes by its stored mean 0 and variance 1: the other one sees about 3.
  CHECK(trained.at("free.moving_mean") == Approx(0.01 * 3 / std::sqrt(1.001)).epsilon(1e-6));
}

TEST_CASE("averaging keeps the mean of the values, weighted by age, and evaluation reads it") {
  Trained trained(
      "model m(x: f64[batch, 1]) {\n  y = dense(x, 1, kernel_init = constant(2.0), use_bias = "
      "false)\n"
      "  loss = mean(y)\n  output guess = y\n}\n"
      "train m {\n  optimizer = sgd(0.1)\n  averaging = ema(0.75)\n}\n");
  const std::string slot = "y.kernel:averaging.average";
  CHECK(trained.at(slot) == 2);
  double w = 2, sum = 0, weights = 0;
  for (const double x : {1.0, 4.0, -2.0}) {
    trained.step({x});
    w -= 0.1 * x;
    sum = 0.75 * sum + w;
    weights = 0.75 * weights + 1;
    CHECK(trained.at("y.kernel") == Approx(w).epsilon(1e-12));
    CHECK(trained.at(slot) == Approx(sum / weights).epsilon(1e-12));
  }
  trained.state["x"] = {10};
  CHECK(trained.outputs(GraphMode::Evaluate).at("loss").at(0) == Approx(10 * sum / weights));
  CHECK(trained.outputs(GraphMode::Predict).at("guess").at(0) == Approx(10 * sum / weights));
}

TEST_CASE("gradients are processed per optimize") {
  Trained trained(kTwoLosses +
                  "train m {\n  optimize first { parameters = \"a\"; optimizer = sgd(1.0)\n"
                  "    gradients = clip_by_value(0.25) }\n"
                  "  optimize second { parameters = \"b\"; optimizer = sgd(1.0)\n"
                  "    gradients = clip_by_norm(0.5) }\n}\n");
  trained.step({3});
  CHECK(trained.at("a") == Approx(1 - 0.25));
  CHECK(trained.at("b") == Approx(2 - 0.5));
}

TEST_CASE("settings of one optimize can be overridden") {
  const std::string text =
      kTwoLosses +
      "train m {\n  optimize first { parameters = \"a\"; optimizer = sgd(1.0) }\n"
      "  optimize second { parameters = \"b\"; optimizer = sgd(1.0) }\n}\n";
  Trained trained(text, {{{"first.optimizer.learning_rate", "0.5"}, {"second.every", "2"}}});
  trained.step({1});
  CHECK(trained.at("a") == Approx(1 - 0.5 * 2));
  CHECK(trained.at("b") == 2);
  Trained other(text, {{{"second.optimizer", "sgd(0.125)"}}});
  other.step({1});
  CHECK(other.at("b") == Approx(2 - 0.125 * 4));
  for (const std::string key : {"first.evry", "first.optimizer.rate", "optimizer.learning_rate",
                                "third.every", "gradients"}) {
    INFO(key);
    Diagnostics diagnostics;
    try {
      model_of(text, diagnostics, {{{key, "1"}}}).settings();
      FAIL("accepted");
    } catch (const Error& refusal) {
      CHECK(refusal.exit_code() == ExitCode::Usage);
    }
  }
}

TEST_CASE("the printed momentum with the wrong sign climbs") {
  const auto last_loss = [](const std::string& sign) {
    Trained trained(
        "optimizer printed(learning_rate = 0.1, momentum: float = 0.9) for value, gradient {\n"
        "  slot velocity = zeros_like(value)\n"
        "  velocity := momentum * velocity + (1 - momentum) * gradient\n"
        "  value := value " +
        sign +
        " learning_rate * velocity\n}\n"
        "model m(x: f64[batch, 1]) {\n  y = dense(x, 1, kernel_init = ones)\n"
        "  loss = mean(square(y))\n}\ntrain m { optimizer = printed }\n");
    trained.step({1});
    const double first = trained.at("loss");
    for (int i = 0; i < 20; ++i) trained.step({1});
    return trained.at("loss") / first;
  };
  CHECK(last_loss("-") < 0.5);
  CHECK(last_loss("+") > 2);
}

TEST_CASE("a tied table gets the gradient of its lookup and of its product") {
  Trained trained(
      "model m(x: f64[batch, 2]) {\n  word = convert(x[:, 0], i32)\n"
      "  embed = embedding(word, 2, 2, table_init = ones)\n"
      "  logits = embed @ transpose(embed.table)\n"
      "  loss = mean(sum(logits * logits, axis = -1)) \n}\ntrain m { optimizer = sgd(1.0) }\n");
  // With table rows e0, e1 and word 0: loss = (e0.e0)^2 + (e0.e1)^2.
  trained.step({0, 0});
  const double d0 = 2 * 2 * 2 * 1 + 2 * 2 * 1;  // 2 (e0.e0) 2 e0 + 2 (e0.e1) e1
  const double d1 = 2 * 2 * 1;                  // 2 (e0.e1) e0
  check_close(trained.state.at("embed.table"), {1 - d0, 1 - d0, 1 - d1, 1 - d1}, 1e-6);
}

TEST_CASE("a gradient penalty is differentiated again") {
  Diagnostics diagnostics;
  Model model = model_of(
      "layer judge(x: float[batch, n]) -> float[batch] {\n"
      "  hidden = dense(x, 4, activation = tanh)\n  score = dense(hidden, 1)\n  return score[:, "
      "0]\n}\n"
      "model m(x: f64[batch, 3]) {\n  shared critic = judge\n"
      "  slope = gradient(sum(critic(x)), x)\n"
      "  steep = sqrt(sum(square(slope), axis = -1) + 1e-12)\n"
      "  loss = mean(critic(x)) + 10 * mean(square(steep - 1))\n}\n",
      diagnostics);
  const Graph graph = model.elaborate(GraphMode::Run, 2, {.training = true, .gradients = true});
  std::vector<Tensor> inputs;
  for (size_t k = 0; k < graph.inputs().size(); ++k) {
    Tensor& input = inputs.emplace_back(graph.type(Graph::input_value(k)));
    const Tensor direction = random_direction(input.shape(), 5, k);
    for (int64_t i = 0; i < input.size(); ++i) input.set(i, direction.at(i));
  }
  const GradcheckReport report = check_gradients(graph, inputs);
  REQUIRE(report.gradients.size() == 5);  // of the slope and of four parameters
  for (const GradientCheck& check : report.gradients) {
    INFO(check.name << " " << check.max_rel_error);
    CHECK(check.agrees);
  }
}
