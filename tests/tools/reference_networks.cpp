// The reference networks reach what the texts print. MNIST is read from beside the checkout.
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

/// Empty where there is none.
std::string mnist_folder() {
  const char* given = std::getenv("GRADC_DATA");
  const std::string base =
      given != nullptr ? std::string(given) : std::string(GRADC_SOURCE_DIR) + "/../shared/data";
  return std::filesystem::exists(base + "/mnist") ? base + "/mnist" : "";
}

Tensor matrix(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(DType::F32, std::move(shape), values);
}

}  // namespace

TEST_CASE("XOR with the printed weights gives the printed outputs") {
  NamedTensors feed;
  feed.add("point", matrix({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1}));
  feed.add("target", matrix({4, 1}, {0, 1, 1, 0}));
  feed.add("hidden.kernel", matrix({2, 2}, {-2.6F, 2.1F, -2.7F, 2.1F}));
  feed.add("hidden.bias", matrix({2}, {0.2F, -3.4F}));
  feed.add("out.kernel", matrix({2, 1}, {-3.1F, -2.6F}));
  feed.add("out.bias", matrix({1}, {1.8F}));
  const std::string in = temporary_path("xor_feed.safetensors");
  const std::string out = temporary_path("xor_out.safetensors");
  write_safetensors(in, feed);
  REQUIRE(run_program(
              {"run", model_path("reference/d1.grad"), "--feed", in, "--fetch", out, "--gradients"})
              .exit_code == 0);
  const NamedTensors fetched = read_safetensors(out);
  const Tensor* prediction = fetched.find("prediction");
  REQUIRE(prediction != nullptr);
  const double printed[] = {0.012, 1.008, 0.985, -0.013};
  for (int i = 0; i < 4; ++i) CHECK(std::abs(prediction->at(i) - printed[i]) < 0.0005);
  for (const char* name : {"hidden.kernel", "hidden.bias", "out.kernel", "out.bias"})
    CHECK(fetched.find(std::string("grad/") + name) != nullptr);
}

TEST_CASE("XOR trained from scratch separates the four points") {
  const std::string weights = temporary_path("xor.safetensors");
  REQUIRE(run_program({"train", model_path("reference/d1.grad"), "--out", weights}).exit_code == 0);
  const ProgramRun run =
      run_program({"predict", model_path("reference/d1.grad"), "--weights", weights, "--json"});
  const std::vector<nlohmann::json> rows = run.json_lines();
  REQUIRE(rows.size() == 4);
  const double target[] = {0, 1, 1, 0};
  for (size_t i = 0; i < 4; ++i)
    CHECK(std::abs(rows[i].at("prediction")[0].get<double>() - target[i]) < 0.1);
}

TEST_CASE("steps on a feed are the steps of training") {
  NamedTensors feed;
  feed.add("point", matrix({1, 2}, {0, 1}));
  feed.add("target", matrix({1, 1}, {1}));
  const std::string in = temporary_path("steps_feed.safetensors");
  const std::string two = temporary_path("two.safetensors");
  const std::string one = temporary_path("one.safetensors");
  const std::string one_more = temporary_path("one_more.safetensors");
  write_safetensors(in, feed);
  const std::string model = model_path("reference/d1.grad");
  REQUIRE(run_program({"run", model, "--feed", in, "--fetch", two, "--steps", "2"}).exit_code == 0);
  REQUIRE(run_program({"run", model, "--feed", in, "--fetch", one, "--steps", "1"}).exit_code == 0);
  REQUIRE(run_program(
              {"run", model, "--feed", in, "--weights", one, "--fetch", one_more, "--steps", "1"})
              .exit_code == 0);
  const NamedTensors expected = read_safetensors(two);
  const NamedTensors resumed = read_safetensors(one_more);
  REQUIRE(expected.tensors.size() == resumed.tensors.size());
  for (const NamedTensor& tensor : expected.tensors)
    CHECK(same_bits(tensor.value, *resumed.find(tensor.name)));
}

TEST_CASE("the default model reaches 0.97 on digits") {
  const ProgramRun run = run_program({"train", model_path("mnist_mlp.grad"), "--epochs", "2",
                                      "--json", "--require", "test_accuracy>=0.97"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("MNIST: 469 steps an epoch, the last batch of 96, accuracy of the first network") {
  const std::string folder = mnist_folder();
  if (folder.empty()) {
    WARN("SKIPPED: no MNIST beside the checkout (../shared/data/mnist, or GRADC_DATA)");
    return;
  }
  const ProgramRun run = run_program({"train", model_path("mnist_mlp.grad"), "--data", folder,
                                      "--epochs", "2", "--json", "--seed", "1"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  for (const nlohmann::json& line : run.json_lines())
    if (line.at("event") == "epoch") {
      CHECK(line.at("steps") == 469);
      CHECK(line.at("last_rows") == 96);
    }
  CHECK(run.last_json().at("test_accuracy").get<double>() > 0.965);
}
