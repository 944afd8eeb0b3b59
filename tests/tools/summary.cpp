// The layer table: what has a row, its shape, its counts, and the totals.
#include <catch2/catch.hpp>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

namespace {

const char* const kBranches = R"(
layer block(x: float[..., width]) -> float[..., width] {
  inner = dense(x, width, activation = relu)
  return inner + x
}
model branches(image: u8[batch, 28, 28], label: u8[batch]) {
  x     = flatten(image) / 255
  left  = dropout(relu(dense(x, 16)), 0.5)
  right = block(dense(x, 16))
  var joined = left + right
  for level in range(2) { joined := block(joined) }
  logits = dense(joined, 10)
  loss = mean(sparse_categorical_crossentropy(logits, label))
  output probabilities = softmax(logits)
}
)";

nlohmann::json row(const std::vector<nlohmann::json>& rows, const std::string& path) {
  for (const nlohmann::json& one : rows)
    if (one.value("layer", "") == path) return one;
  FAIL("no row " << path);
  return {};
}

}  // namespace

TEST_CASE("the table of the model with two hidden layers has Keras' counts") {
  const ProgramRun run = run_program(
      {"summary", model_path("reference/m02.grad"), "--set", "model.widths=[256, 256]"});
  INFO(run.err);
  CHECK_THAT(run.out, Contains("Layer (type)"));
  CHECK_THAT(run.out, Contains("hidden.0.dropout (dropout)"));
  CHECK_THAT(run.out, Contains("(None, 256)"));
  CHECK_THAT(run.out, Contains("200,960"));
  CHECK_THAT(run.out, Contains("65,792"));
  CHECK_THAT(run.out, Contains("Total params: 269,322\nTrainable params: 269,322\n"
                               "Non-trainable params: 0\n"));
  // 2 * (784 * 256 + 256 * 256 + 256 * 10)
  CHECK_THAT(run.out, Contains("FLOPs per sample, forward: 537,600"));
}

TEST_CASE("functions on the way to the outputs have rows, nested layers too, losses none") {
  const ProgramRun run =
      run_program({"summary", write_temporary("branches.grad", kBranches), "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const std::vector<nlohmann::json> rows = run.json_lines();
  std::vector<std::string> paths;
  for (const nlohmann::json& one : rows) paths.push_back(one.value("layer", ""));
  CHECK(paths == std::vector<std::string>{"x.flatten", "left.dense", "left.relu", "left",
                                          "right.dense", "right", "right.inner", "level.0.block",
                                          "level.0.block.inner", "level.1.block",
                                          "level.1.block.inner", "logits", "probabilities", ""});
  CHECK(row(rows, "x.flatten").at("shape") == "(None, 784)");
  CHECK(row(rows, "left").at("type") == "dropout");
  CHECK(row(rows, "right.inner").at("parameters") == 16 * 16 + 16);
  CHECK(row(rows, "right").at("parameters") == 0);
  CHECK(rows.back().at("parameters") == 2 * (784 * 16 + 16) + 3 * (16 * 16 + 16) + 170);
}

TEST_CASE("a contraction of a function counts in the function's row") {
  const std::string model = write_temporary("product.grad", R"(
fn product(a, b) => a @ b
model m(x: f32[batch, 4]) {
  param w: f32[4, 3] = glorot_uniform
  y = product(x, w)
  output z = y @ w[0:3]
}
)");
  const std::vector<nlohmann::json> rows = run_program({"summary", model, "--json"}).json_lines();
  CHECK(row(rows, "y").at("flops_per_row") == 2 * 12);
  CHECK(rows.back().at("flops_per_row") == 2 * (12 + 9));
}
