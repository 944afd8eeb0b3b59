// Values of the library's functions against numbers computed from their formulas in 50 digits.
#include <cmath>

#include "elaborated_model.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

void check_value(const std::string& expression, const Numbers& x, const Numbers& expected,
                 int64_t rows = 1, double tolerance = 1e-6) {
  INFO(expression);
  check_close(numbers_of(value_of(expression, x, rows)), expected, tolerance);
}

}  // namespace

TEST_CASE("activations") {
  const Numbers x{-3, -0.5, 0, 0.5, 2};
  check_value("linear(x)", x, x);
  check_value("relu(x)", x, {0, 0, 0, 0.5, 2});
  check_value("leaky_relu(x)", x, {-0.9, -0.15, 0, 0.5, 2});
  check_value("leaky_relu(x, slope = 0.01)", x, {-0.03, -0.005, 0, 0.5, 2});
  check_value("elu(x)", x, {-0.9502129316, -0.3934693403, 0, 0.5, 2});
  check_value("selu(x)", x, {-1.6705687287, -0.6917581878, 0, 0.5253504937, 2.1014019747});
  check_value("gelu(x)", x, {-0.0040496940, -0.1542687694, 0, 0.3457312306, 1.9544997361});
  check_value("silu(x)", x, {-0.1422776195, -0.1887703343, 0, 0.3112296657, 1.7615941560});
  check_value("softplus(x)", x,
              {0.0485873516, 0.4740769842, 0.6931471806, 0.9740769842, 2.1269280110});
  check_value("sigmoid(x)", x, {0.0474258732, 0.3775406688, 0.5, 0.6224593312, 0.8807970780});
  check_value("square(x)", x, {9, 0.25, 0, 0.25, 4});
}

TEST_CASE("softmax and its logarithm do not overflow") {
  check_value("softmax(x)", {1, 2, 3, 1000, 1000, 0},
              {0.0900305732, 0.2447284711, 0.6652409558, 0.5, 0.5, 0}, 2);
  check_value(
      "log_softmax(x)", {1, 2, 3, 1000, 1000, 0},
      {-2.4076059644, -1.4076059644, -0.4076059644, -0.6931471806, -0.6931471806, -1000.6931471806},
      2);
  const Numbers tail = numbers_of(value_of("gelu(x)", {-6, -10}, 1));
  CHECK(tail[0] / -5.919525870226207e-09 == Approx(1).epsilon(1e-5));
  CHECK(tail[1] / -7.619853024160593e-23 == Approx(1).epsilon(1e-5));
}

TEST_CASE("losses") {
  // Keras: SparseCategoricalCrossentropy(from_logits=True, reduction="none").
  check_value("sparse_categorical_crossentropy(x, tensor([2, 0]))", {1, 2, 3, 0.5, -1, 2},
              {0.4076059644, 1.7413112967}, 2);
  check_value("categorical_crossentropy(x, tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))",
              {1, 2, 3, 0.5, -1, 2}, {0.4076059644, 1.7413112967}, 2);
  check_value("binary_crossentropy(x, tensor([[0.0, 1.0, 1.0]]))", {-2, 0.5, -200},
              {0.1269280110, 0.4740769842, 200});
  check_value("binary_crossentropy(x, 1)", {0, 3}, {0.6931471806, 0.0485873516});
  check_value("mean_squared_error(x, tensor([[1.0, 1.0], [0.0, 2.0]]))", {0, 3, 1, 1}, {2.5, 1}, 2);
  check_value("mean_absolute_error(x, tensor([[1.0, 1.0], [0.0, 2.0]]))", {0, 3, 1, 1}, {1.5, 1},
              2);
  check_value("sum_squared_error(x, tensor([[1.0, 1.0], [0.0, 2.0]]))", {0, 3, 1, 1}, {5, 2}, 2);
}

TEST_CASE("schedules") {
  const Numbers steps{0, 5, 10, 25};
  check_value("exponential_decay(0.8, steps = 10, rate = 0.25)(x)", steps, {0.8, 0.4, 0.2, 0.025});
  check_value("exponential_decay(0.8, 10, 0.25, staircase = true)(convert(x, i64))", steps,
              {0.8, 0.8, 0.2, 0.05});
  check_value("inverse_time_decay(1.0, rate = 0.1)(x)", steps, {1, 1 / 1.5, 0.5, 1 / 3.5});
  check_value("inverse_time_decay(1.0, 0.5, steps = 10, staircase = true)(convert(x, i64))", steps,
              {1, 1, 1 / 1.5, 0.5});
  check_value("piecewise_constant([5, 20], [1.0, 0.5, 0.1])(x)", steps, {1, 0.5, 0.5, 0.1});
  check_value("polynomial_decay(1.0, total = 20, lowest = 0.2, power = 2)(x)", steps,
              {1, 0.2 + 0.8 * 0.5625, 0.4, 0.2});
  check_value("cosine_decay(1.0, total = 20, lowest = 0.2)(x)", steps,
              {1, 0.2 + 0.4 * (1 + std::sqrt(0.5)), 0.6, 0.2});
  check_value("warmup(1.0, steps = 10)(x)", steps, {0.1, 0.6, 1, 1});
  check_value("warmup(1.0, 10, after = cosine_decay(1.0, 30))(x)", steps, {0.1, 0.6, 1, 0.5});
  check_value("warmup_cosine(1.0, warmup = 10, total = 40)(x)", steps, {0.1, 0.6, 1, 0.5});
}

TEST_CASE("clipping of gradients") {
  check_value("clip_by_value(1.5)([x])[0]", {-3, 4}, {-1.5, 1.5});
  check_value("clip_by_norm(1)([x, 2 * x])[1]", {-3, 4}, {-0.6, 0.8});
  check_value("clip_by_norm(10)([x])[0]", {-3, 4}, {-3, 4});
  check_value("clip_by_global_norm(2.5)([x, 0 * x])[0]", {-3, 4}, {-1.5, 2});
  check_value("clip_by_global_norm(13)([x, 4 * x])[0]", {-3, 4},
              {-3 * 13 / std::sqrt(425.0), 4 * 13 / std::sqrt(425.0)});
}

TEST_CASE("losses that PyTorch has not") {
  check_value("categorical_hinge(x, tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))",
              {1, 2, 1.5, 5, 1, 2}, {0.5, 0}, 2);
  check_value("sparse_categorical_crossentropy(x, tensor([1]), from_logits = false)", {1, 3},
              {0.2876820725});
  check_value("binary_crossentropy(x, 1, label_smoothing = 0.2)", {0, 3},
              {0.6931471806, 0.3485873516});
  check_value("binary_crossentropy(x, 1, from_logits = false)", {1, 0},
              {1.0000000495e-7, 16.1180956510}, 1, 1e-5);
  check_value("cosine_similarity(x, tensor([[0.0, 2.0], [1.0, 1.0]]))", {3, 4, 0, 0}, {-0.8, 0}, 2);
  check_value("hard_sigmoid(x)", {-3, -1, 0, 2, 3}, {0, 0.3, 0.5, 0.9, 1});
}

TEST_CASE("initializers") {
  check_value("identity(2.0)([2, 3], f32) + 0 * x", {0, 0, 0, 0, 0, 0}, {2, 0, 0, 0, 2, 0}, 2);
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 4]) {\n"
      "  param a: f32[100, 400] = truncated_normal(1.0, 0.5)\n"
      "  param b: f32[100, 400] = variance_scaling(2, \"fan_in\")\n"
      "  param c: f32[100, 400] = variance_scaling(1, \"fan_avg\", \"uniform\")\n"
      "  param d: f32[100, 400] = variance_scaling(1, \"fan_out\", \"normal\")\n"
      "  output y = x * (sum(a) + sum(b) + sum(c) + sum(d))\n}\n",
      diagnostics);
  const auto values = run(model.elaborate(GraphMode::Init, 0), {});
  const auto moments = [&](const std::string& name) {
    double sum = 0, squares = 0, furthest = 0;
    for (const double value : numbers_of(values.at(name))) {
      sum += value;
      squares += value * value;
      furthest = std::max(furthest, std::abs(value));
    }
    const double mean = sum / 40000;
    return std::array{mean, std::sqrt(squares / 40000 - mean * mean), furthest};
  };
  CHECK(moments("a")[0] == Approx(1).epsilon(0.01));
  CHECK(moments("a")[1] == Approx(0.5 * 0.8796).epsilon(0.02));
  CHECK(moments("a")[2] <= 2);
  CHECK(moments("b")[1] == Approx(std::sqrt(0.02)).epsilon(0.02));
  CHECK(moments("b")[2] <= 2 * std::sqrt(0.02) / 0.8796 + 1e-6);
  CHECK(moments("c")[1] == Approx(std::sqrt(1 / 250.0)).epsilon(0.02));
  CHECK(moments("c")[2] <= std::sqrt(3 / 250.0) + 1e-6);
  CHECK(moments("d")[1] == Approx(0.05).epsilon(0.02));
}

TEST_CASE("regularizers of dense") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 2]) {\n"
      "  out = dense(x, 1, kernel_regularizer = l2(0.1), bias_regularizer = l1(10), "
      "activity_regularizer = l2(1))\n"
      "  loss = 0 * mean(out)\n}\ntrain m { optimizer = sgd }\n",
      diagnostics);
  const auto values = run(model.elaborate(GraphMode::Run, 2),
                          {{"x", {1, 0, 1, 1}}, {"out.kernel", {1, 2}}, {"out.bias", {-1}}});
  // 0.1 * (1 + 4) + 10 * 1 + (0^2 + 2^2) / 2 rows.
  check_close(numbers_of(values.at("loss")), {12.5}, 1e-6);
}

TEST_CASE("noise is only for training and keeps what it should") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 50, 40]) {\n  output channels = spatial_dropout(x, 0.25)\n"
      "  output alpha = alpha_dropout(x, 0.25)\n  output noisy = gaussian_noise(x, 2)\n"
      "  output scaled = gaussian_dropout(x, 0.2)\n  output same = residual(x, relu)\n}\n",
      diagnostics);
  const std::map<std::string, Numbers> ones{{"x", Numbers(8000, 1.0)}};
  const auto still = run(model.elaborate(GraphMode::Predict, 4), ones);
  for (const char* name : {"channels", "alpha", "noisy", "scaled"})
    for (const double value : numbers_of(still.at(name))) CHECK(value == 1);
  for (const double value : numbers_of(still.at("same"))) CHECK(value == 2);
  const auto trained = run(model.elaborate(GraphMode::Run, 4, {.training = true}), ones);
  const Numbers channels = numbers_of(trained.at("channels"));
  for (size_t i = 0; i < channels.size(); ++i) {
    CHECK((channels[i] == 0 || channels[i] == Approx(1 / 0.75)));
    CHECK(channels[i] == channels[i / 2000 * 2000 + i % 40]);
  }
  const auto spread = [&](const char* name) {
    double sum = 0, squares = 0;
    for (const double value : numbers_of(trained.at(name))) sum += value, squares += value * value;
    return std::pair{sum / 8000, std::sqrt(squares / 8000 - sum / 8000 * sum / 8000)};
  };
  CHECK(spread("noisy").first == Approx(1).margin(0.1));
  CHECK(spread("noisy").second == Approx(2).epsilon(0.05));
  CHECK(spread("scaled").first == Approx(1).margin(0.03));
  CHECK(spread("scaled").second == Approx(0.5).epsilon(0.05));
  // Kept ones and lowest values, both under one line.
  const double lowest = -1.7580993408473766;
  const double scale = 1 / std::sqrt(0.75 * (1 + 0.25 * lowest * lowest));
  for (const double value : numbers_of(trained.at("alpha"))) {
    const double before = value / scale + lowest * 0.25;
    CHECK((before == Approx(1) || before == Approx(lowest)));
  }
}

TEST_CASE("weak numbers, promotion and integer division") {
  check_value("convert(x, u8) - 128", {0, 200}, {-128, 72});
  check_value("convert(x, u8) / 255", {51, 255}, {0.2, 1});
  check_value("convert(x, i32) // 2", {-3, 3}, {-2, 1});
  check_value("convert(x, i32) % 3", {-4, 4}, {2, 1});
  check_value("x ** 2 - -x ** 2", {3, 2}, {18, 8});
  check_value("2 ** x", {3, -1}, {8, 0.5});
  check_value("convert(x, i32) * 0.5", {3, 4}, {1.5, 2});
  check_value("select((x > 0) == true, x, -1)", {-3, 4}, {-1, 4});
  check_value("select(false != (x > 0), x, -1)", {-3, 4}, {-1, 4});
  check_value("select((x > 0) == false, x, -1)", {-3, 4}, {-3, -1});
  CHECK(value_of("convert(x, i32) * 0.5", {3}, 1).dtype() == DType::F32);
  CHECK(value_of("convert(x, u8) + convert(x, u8)", {3}, 1).dtype() == DType::I32);
  CHECK(value_of("convert(x, i64) + x", {3}, 1).dtype() == DType::F32);
  CHECK(value_of("convert(x, f16) + convert(x, bf16)", {3}, 1).dtype() == DType::F32);
  CHECK(value_of("sum(x > 0, axis = 1)", {3}, 1).dtype() == DType::I64);
  CHECK(value_of("mean(convert(x, i32), axis = 1)", {3}, 1).dtype() == DType::F32);
  CHECK(value_of("argmax(x)", {3}, 1).dtype() == DType::I32);
}

TEST_CASE("products, reductions and movement") {
  check_value("x @ tensor([[1.0, 0.0], [2.0, 1.0]])", {1, 2, 3, 4}, {5, 2, 11, 4}, 2);
  check_value("x @ tensor([1.0, -1.0])", {1, 2, 3, 4}, {-1, -1}, 2);
  check_value("expand(x, 1) @ broadcast(tensor([[1.0, 0.0], [2.0, 1.0]]), [2, 2, 2])", {1, 2, 3, 4},
              {5, 2, 11, 4}, 2);
  check_value("max(x, axis = -1) - min(x, axis = -1)", {1, 5, 3, 4}, {4, 1}, 2);
  check_value("argmax(x)", {1, 5, 5, 4, 3, 2}, {1, 0}, 2);
  check_value("x[:, 1:]", {1, 2, 3, 4, 5, 6}, {2, 3, 5, 6}, 2);
  check_value("x[:, -1]", {1, 2, 3, 4, 5, 6}, {3, 6}, 2);
  check_value("concat(split(x, 3, axis = 1)[1:] + [x[:, 0:1]], axis = 1)", {1, 2, 3}, {2, 3, 1});
  check_value("transpose(stack([x, x + 10], axis = 1))", {1, 2, 3, 4}, {1, 11, 2, 12, 3, 13, 4, 14},
              2);
  check_value("reverse(x, 1)", {1, 2, 3}, {3, 2, 1});
  check_value("pad(x, [[0, 0], [1, 2]], value = 7)", {1, 2}, {7, 1, 2, 7, 7});
  check_value("gather(x, tensor([2, 0]), axis = 1)", {1, 2, 3}, {3, 1});
  check_value("one_hot(convert(x[:, 0], i32), 3)", {2, 0}, {0, 0, 1, 1, 0, 0}, 2);
  check_value("select(x > 1 and not x > 2, x, 0)", {1, 2, 3}, {0, 2, 0});
  check_value("clip(x, 0, 1)", {-1, 0.5, 2}, {0, 0.5, 1});
  check_value("full(shape(x), 3) * ones_like(x)", {0, 0}, {3, 3});
}

TEST_CASE("running sums, sorting and picking along an axis") {
  const Numbers x{3, 1, 2, 4, 6, 5};
  check_value("cumulative_sum(x)", x, {3, 4, 6, 4, 10, 15}, 2);
  check_value("cumulative_sum(x, axis = 0, exclusive = true)", x, {0, 0, 0, 3, 1, 2}, 2);
  check_value("cumulative_sum(x, reverse = true)", x, {6, 3, 2, 15, 11, 5}, 2);
  CHECK(value_of("cumulative_sum(x > 2)", x, 2).dtype() == DType::I64);
  check_value("cumulative_sum(x > 2)", x, {1, 1, 1, 1, 2, 3}, 2);
  check_value("sort(x)", x, {1, 2, 3, 4, 5, 6}, 2);
  check_value("sort(x, axis = 0, descending = true)", x, {4, 6, 5, 3, 1, 2}, 2);
  check_value("argsort(x, descending = true)", x, {0, 2, 1, 1, 2, 0}, 2);
  check_value("top_k(x, 2)[0]", x, {3, 2, 6, 5}, 2);
  check_value("top_k(x, 2)[1]", x, {0, 2, 1, 2}, 2);
  check_value("top_k(x, 0)[0]", x, {}, 2);
  check_value("take_along_axis(x, tensor([[2, 0], [9, -9]]))", x, {2, 3, 5, 4}, 2);
  check_value("take_along_axis(x, tensor([[1, 0, 1], [0, 0, 0]]), axis = 0)", x, {4, 1, 5, 3, 1, 2},
              2);
}

TEST_CASE("normalization") {
  const Numbers x{1, 2, 3, 6};
  Diagnostics diagnostics;
  Model layer =
      model_of("model m(x: f32[batch, 3]) {\n  output y = layer_norm(x)\n}\n", diagnostics);
  const auto values =
      run(layer.elaborate(GraphMode::Predict, 2),
          {{"x", {1, 2, 3, 5, 5, 5}}, {"y.gain", {1, 2, 1}}, {"y.shift", {0, 3, 1}}});
  check_close(numbers_of(values.at("y")), {-1.2247356859, 3, 2.2247356859, 0, 3, 1}, 1e-6);
  Model model = model_of(
      "model m(x: f32[batch, 2]) {\n  norm = batch_norm(x)\n  output y = norm\n"
      "  loss = mean(norm)\n}\ntrain m { optimizer = sgd }\n",
      diagnostics);
  std::map<std::string, Numbers> feed{{"x", x},
                                      {"norm.gamma", {1, 2}},
                                      {"norm.beta", {0, 1}},
                                      {"norm.moving_mean", {1, 4}},
                                      {"norm.moving_variance", {1, 4}}};
  const auto still = run(model.elaborate(GraphMode::Run, 2), feed);
  check_close(numbers_of(still.at("y")), {0, -0.9997500937, 1.9990007495, 2.9997500937}, 1e-6);
  const auto moved = run(model.elaborate(GraphMode::Run, 2, {.training = true}), feed);
  check_close(numbers_of(moved.at("y")), {-0.9995003746, -0.9997500937, 0.9995003746, 2.9997500937},
              1e-6);
}

TEST_CASE("an embedding reads rows of its table") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(word: u8[batch, 2]) {\n  embed = embedding(word, 3, 2)\n"
      "  output y = embed @ transpose(embed.table)\n}\n",
      diagnostics);
  const Graph graph = model.elaborate(GraphMode::Predict, 1);
  CHECK(graph.inputs()[0].limit == 3);
  const auto values = run(graph, {{"word", {2, 0}}, {"embed.table", {1, 0, 0, 1, 2, 3}}});
  check_close(numbers_of(values.at("y")), {2, 3, 13, 1, 0, 2}, 1e-6);
}

TEST_CASE("dropout keeps the expectation in training and is nothing otherwise") {
  Diagnostics diagnostics;
  Model model = model_of(
      "model m(x: f32[batch, 1000]) {\n  output y = dropout(x, 0.25)\n"
      "  output z = dsfs_dropout(x, 0.25)\n}\n",
      diagnostics);
  const std::map<std::string, Numbers> ones{{"x", Numbers(4000, 1.0)}};
  for (const double value : numbers_of(run(model.elaborate(GraphMode::Predict, 4), ones).at("y")))
    CHECK(value == 1);
  const auto trained = run(model.elaborate(GraphMode::Run, 4, {.training = true}), ones);
  double kept = 0;
  for (const double value : numbers_of(trained.at("y"))) {
    const bool is_dropped = value == 0;
    CHECK((is_dropped || value == Approx(1 / 0.75)));
    kept += is_dropped ? 0 : 1;
  }
  CHECK(kept / 4000 == Approx(0.75).margin(0.03));
}

TEST_CASE("convolutions, by hand") {
  check_value("convolution(reshape(x, [1, 5, 1]), tensor([[[1.0]], [[0.0]], [[-1.0]]]))",
              {1, 2, 3, 4, 5}, {-2, -2, -2});
  check_value(
      "convolution(reshape(x, [1, 5, 1]), tensor([[[1.0]], [[0.0]], [[-1.0]]]), padding = "
      "\"same\")",
      {1, 2, 3, 4, 5}, {-2, -2, -2, -2, 4});
  check_value(
      "convolution(reshape(x, [1, 5, 1]), tensor([[[1.0]], [[1.0]]]), strides = 2, "
      "padding = [[0, 1]], dilation = 2)",
      {1, 2, 3, 4, 5}, {4, 8});
  check_value(
      "convolution_transpose(reshape(x, [1, 3, 1]), tensor([[[1.0]], [[2.0]]]), strides = 2)",
      {1, 2, 3}, {1, 2, 2, 4, 3, 6});
  check_value(
      "convolution_transpose(reshape(x, [1, 3, 1]), tensor([[[1.0]], [[2.0]], [[4.0]]]), "
      "strides = 2, padding = \"same\")",
      {1, 2, 3}, {1, 2, 6, 4, 11, 6});
}

TEST_CASE("pooling, by hand") {
  Numbers x;
  for (int i = 1; i <= 16; ++i) x.push_back(i);
  const std::string image = "(reshape(x, [1, 4, 4, 1]), ";
  check_value("max_pool" + image + "2)", x, {6, 8, 14, 16});
  check_value("average_pool" + image + "2)", x, {3.5, 5.5, 11.5, 13.5});
  check_value("max_pool" + image + "[1, 2])", x, {2, 4, 6, 8, 10, 12, 14, 16});
  check_value("max_pooling2d" + image + "3, strides = 2, padding = \"same\")", x, {11, 12, 15, 16});
  check_value("max_pooling2d(reshape(-x, [1, 4, 4, 1]), 3, strides = 2, padding = 1)", x,
              {-1, -2, -5, -6});
  check_value("average_pooling2d" + image + "3, strides = 2, padding = \"same\")", x,
              {6, 7.5, 12, 13.5});
  check_value("global_average_pooling(reshape(x, [1, 4, 2, 2]))", x, {8, 9});
  check_value("global_max_pooling(reshape(x, [1, 2, 8]), data_format = \"channels_first\")", x,
              {8, 16});
  check_value("upsampling2d(reshape(x, [1, 1, 2, 1]), [2, 1])", {3, 4}, {3, 4, 3, 4});
  check_value("zero_padding2d(reshape(x, [1, 1, 2, 1]), [1, [0, 1]])", {3, 4},
              {0, 0, 0, 3, 4, 0, 0, 0, 0});
}
