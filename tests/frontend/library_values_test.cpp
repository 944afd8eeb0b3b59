// Values of the library's functions against numbers computed from their formulas in 50 digits.
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

TEST_CASE("weak numbers, promotion and integer division") {
  check_value("convert(x, u8) - 128", {0, 200}, {-128, 72});
  check_value("convert(x, u8) / 255", {51, 255}, {0.2, 1});
  check_value("convert(x, i32) // 2", {-3, 3}, {-2, 1});
  check_value("convert(x, i32) % 3", {-4, 4}, {2, 1});
  check_value("x ** 2 - -x ** 2", {3, 2}, {18, 8});
  check_value("2 ** x", {3, -1}, {8, 0.5});
  check_value("convert(x, i32) * 0.5", {3, 4}, {1.5, 2});
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
