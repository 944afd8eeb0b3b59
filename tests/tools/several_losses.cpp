// Training with several losses, frozen parts, averages and a start, through the program.
#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"
// Behind the headers of the project, whose CHECK it replaces.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;

namespace {

/// A critic with gradient penalty against a generator, on 16 x 49 numbers of `digits`.
const std::string kModel =
    "layer judge(x: float[batch, n]) -> float[batch] {\n"
    "  hidden = dense(x, 8, activation = tanh)\n  score = dense(hidden, 1)\n"
    "  return score[:, 0]\n}\n"
    "model duel(image: u8[batch, 28, 28]) {\n"
    "  pixels = flatten(image)[:, 300:349] / 255\n"
    "  real = batch_norm(pixels)\n"
    "  shared critic = judge\n"
    "  generator = dense(random_normal([batch, 4]), 49)\n"
    "  slope = gradient(sum(critic(generator)), generator)\n"
    "  loss critic_loss = mean(critic(generator)) - mean(critic(real)) +\n"
    "                     mean(square(sum(square(slope), axis = -1) - 1))\n"
    "  loss generator_loss = -mean(critic(generator))\n"
    "  metric gap = mean(critic(real))\n}\n";

const std::string kTrain =
    "train duel {\n  data = digits\n  batch = 16\n  steps = 6\n  averaging = ema(0.9)\n"
    "  optimize critic_loss { parameters = \"critic\"; optimizer = adam(0.01)\n"
    "    group \"**.bias\" { learning_rate = 0.02 } }\n"
    "  optimize generator_loss { parameters = \"generator\"; every = 2\n"
    "    optimizer = sgd(0.1, momentum = 0.9) }\n"
    "  freeze \"real\"\n}\n";

std::string trained(const std::string& model, const std::vector<std::string>& flags,
                    const std::string& input = "") {
  static int serial = 0;
  const std::string out = temporary_path("duel" + std::to_string(serial++) + ".safetensors");
  std::vector<std::string> arguments = {"train", model, "--out", out};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const ProgramRun run = run_program(arguments, input);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return out;
}

bool same_tensor(const std::string& a, const std::string& b, const std::string& name) {
  const NamedTensors first = read_safetensors(a);
  const NamedTensors second = read_safetensors(b);
  INFO(name);
  REQUIRE(first.find(name) != nullptr);
  REQUIRE(second.find(name) != nullptr);
  return same_bits(*first.find(name), *second.find(name));
}

}  // namespace

TEST_CASE("several losses train from every dumped stage to the same bits") {
  const std::string model = write_temporary("duel.grad", kModel + kTrain);
  const std::string direct = trained(model, {});
  for (const std::string stage : {"model", "grad", "optimized", "fused"}) {
    INFO(stage);
    const ProgramRun dumped = run_program({"dump", model, "--stage", stage});
    REQUIRE(dumped.exit_code == 0);
    CHECK((read_file(trained("-", {}, dumped.out)) == read_file(direct)));
  }
  CHECK((read_file(trained(model, {"--unfused"})) == read_file(direct)));
  CHECK(run_program({"verify", model}).exit_code == 0);
}

TEST_CASE("losses are reported by name, and frozen values keep their bits") {
  const std::string model = write_temporary("duel.grad", kModel + kTrain);
  const std::string before = trained(model, {"--set", "steps=0"});
  const std::string after = trained(model, {});
  for (const std::string name : {"real.gamma", "real.beta", "real.moving_mean"})
    CHECK(same_tensor(before, after, name));
  for (const std::string name : {"critic.hidden.kernel", "generator.kernel", "generator.bias"})
    CHECK_FALSE(same_tensor(before, after, name));
  CHECK(read_safetensors(after).find("real.gamma:m") == nullptr);
  const ProgramRun eval = run_program({"eval", model, "--weights", after, "--json"});
  const nlohmann::json end = eval.last_json();
  CHECK(end.at("critic_loss").is_number());
  CHECK(end.at("generator_loss").is_number());
  CHECK(end.at("gap").is_number());
  const ProgramRun summary = run_program({"summary", model});
  CHECK_THAT(summary.out, Contains("Trainable params: 654\nNon-trainable params: 196\n"));
}

TEST_CASE("evaluation reads averages, training goes on from the values themselves") {
  const std::string model = write_temporary("duel.grad", kModel + kTrain);
  const std::string whole = trained(model, {"--set", "shuffle=false"});
  NamedTensors content = read_safetensors(whole);
  const auto gap = [&](const std::string& weights) {
    return run_program({"eval", model, "--weights", weights, "--json"}).last_json().at("gap");
  };
  const nlohmann::json averaged = gap(whole);
  // Weights without slots are their own averages: the same numbers once more.
  NamedTensors values;
  NamedTensors averages;
  for (const NamedTensor& tensor : content.tensors) {
    if (tensor.name.find(':') != std::string::npos || tensor.name == "step") continue;
    values.add(tensor.name, tensor.value);
    const Tensor* average = content.find(tensor.name + ":averaging.average");
    averages.add(tensor.name, average != nullptr ? *average : tensor.value);
  }
  const std::string values_path = temporary_path("values.safetensors");
  const std::string averages_path = temporary_path("averages.safetensors");
  write_safetensors(values_path, values);
  write_safetensors(averages_path, averages);
  CHECK(gap(averages_path) == averaged);
  CHECK(gap(values_path) != averaged);
}

TEST_CASE("a start gives the selected values, from a file beside the model, or fails") {
  const std::string donor = trained(write_temporary("duel.grad", kModel + kTrain), {});
  const std::string name = donor.substr(donor.rfind('/') + 1);
  const auto with_start = [&](const std::string& start) {
    std::string train = kTrain;
    train.insert(train.find("  steps"), "  start = " + start + "\n");
    return write_temporary("start.grad", kModel + train);
  };
  const std::string part =
      with_start("load(\"" + name + "\", only = [\"critic.hidden\", \"real\"])");
  const std::string fresh = trained(part, {"--set", "steps=0", "--seed", "9"});
  const NamedTensors given = read_safetensors(donor);
  const NamedTensors read = read_safetensors(fresh);
  CHECK(same_bits(*read.find("critic.hidden.kernel"),
                  *given.find("critic.hidden.kernel:averaging.average")));
  CHECK(same_bits(*read.find("critic.hidden.kernel:averaging.average"),
                  *given.find("critic.hidden.kernel:averaging.average")));
  CHECK(same_tensor(donor, fresh, "real.moving_mean"));
  CHECK_FALSE(same_tensor(donor, fresh, "generator.kernel"));
  CHECK(read.find("step")->at(0) == 0);
  const ProgramRun dumped = run_program({"dump", part, "--seed", "9"});
  CHECK((read_file(trained("-", {"--set", "steps=0"}, dumped.out)) == read_file(fresh)));
  CHECK(run_program({"train", with_start("load(\"nowhere.safetensors\")")}).exit_code == 5);
  const ProgramRun unknown =
      run_program({"train", with_start("load(\"" + name + "\", only = \"judge\")")});
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, Contains("E0920"));
  std::string renamed = read_file(part);
  for (size_t at = renamed.find("hidden"); at != std::string::npos; at = renamed.find("hidden", at))
    renamed.replace(at, 6, "hiding");
  const ProgramRun other = run_program({"train", write_temporary("start.grad", renamed)});
  CHECK(other.exit_code == 1);
}

TEST_CASE("a loss that is not a number ends evaluation too") {
  const std::string model = write_temporary(
      "nan.grad",
      "model m(image: u8[batch, 28, 28]) {\n"
      "  y = dense(flatten(image) / 255, 1)\n  loss first = mean(y)\n  loss second = "
      "mean(log(-abs(y)))\n}\n"
      "train m {\n  data = digits\n  optimize first { parameters = \"**\"; optimizer = sgd }\n}\n");
  const ProgramRun eval = run_program({"eval", model});
  CHECK(eval.exit_code == 4);
  CHECK_THAT(eval.err, Contains("E0810") && Contains("`second` is"));
  const ProgramRun train = run_program({"train", model});
  CHECK(train.exit_code == 4);
  CHECK_THAT(train.err, Contains("`second` is"));
}

TEST_CASE("a requirement on a name that will not come is refused before training") {
  const ProgramRun run = run_program(
      {"train", model_path("reference/d1.grad"), "--epochs", "100000000", "--require", "los<1"});
  CHECK(run.exit_code == 2);
  CHECK_THAT(run.err, Contains("there is no `los`"));
}

TEST_CASE("a user's optimizer, loss and layer train beside the model") {
  const auto loss_after = [&](const std::string& steps) {
    const ProgramRun run = run_program(
        {"train", model_path("gallery/deep.grad"), "--set", "steps=" + steps, "--json"});
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    return run.last_json().at("test_loss").get<double>();
  };
  CHECK(loss_after("60") < 0.6 * loss_after("1"));
}
