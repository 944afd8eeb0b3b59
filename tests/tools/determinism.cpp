// The weights after a training run as bits: with --deterministic for any number of threads, and
// what is promised without it.
#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

using Arguments = std::vector<std::string>;

struct Workload {
  const char* model;  // in models/bench
  Arguments flags;    // that make it small
};

const Workload kWorkloads[] = {
    {"mlp512_rmsprop.grad", {"--data", "noise(rows = 128)", "--batch", "64"}},
    {"cnn64_adam.grad", {"--data", "noise(rows = 32)", "--batch", "16"}},
    {"rnn256_sgd.grad", {"--data", "noise(rows = 64)", "--batch", "32"}},
    {"gpt_char_adamw.grad",
     {"--data", "noise(rows = 16)", "--batch", "8", "--set", "model.depth=1", "--set",
      "model.span=64"}},
};

Arguments joined(Arguments first, const Arguments& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Of the checkpoint that a program writes.
NamedTensors weights_of(const std::string& program, const Arguments& arguments) {
  const std::string path = temporary_path("weights.safetensors");
  const ProgramRun run = run_executable(program, joined(arguments, {"--out", path}));
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return read_safetensors(path);
}

NamedTensors trained(const Workload& workload, const Arguments& flags) {
  const std::string model = model_path(std::string("bench/") + workload.model);
  return weights_of(GRADC_PROGRAM, joined(joined({"train", model}, workload.flags), flags));
}

/// Empty where all have the same bits.
std::string first_difference(const NamedTensors& a, const NamedTensors& b) {
  if (a.tensors.size() != b.tensors.size()) return "the number of tensors";
  for (const NamedTensor& tensor : a.tensors) {
    const Tensor* other = b.find(tensor.name);
    if (other == nullptr || !same_bits(tensor.value, *other)) return tensor.name;
  }
  return "";
}

Arguments threads(int count) { return {"--threads", std::to_string(count)}; }

}  // namespace

TEST_CASE("--deterministic: the bits of the weights are those of any number of threads") {
  for (const Workload& workload : kWorkloads) {
    INFO(workload.model);
    const NamedTensors one = trained(workload, joined(threads(1), {"--deterministic"}));
    for (int count : {2, 3, 4, 7}) {
      INFO(count << " threads");
      CHECK(first_difference(one, trained(workload, joined(threads(count), {"--deterministic"}))) ==
            "");
    }
  }
}

TEST_CASE("without --deterministic: the same bits again, and unfused") {
  for (const size_t i : {1, 2}) {
    const Workload& workload = kWorkloads[i];
    INFO(workload.model);
    const NamedTensors first = trained(workload, threads(2));
    CHECK(first_difference(first, trained(workload, threads(2))) == "");
    CHECK(first_difference(first, trained(workload, joined(threads(2), {"--unfused"}))) == "");
  }
}

TEST_CASE("the threads that load batches have no part in the bits") {
  const Workload& workload = kWorkloads[0];
  const NamedTensors first = trained(workload, threads(2));
  for (const char* count : {"0", "2", "3", "4"}) {
    INFO(count << " threads load");
    CHECK(first_difference(
              first, trained(workload, joined(threads(2), {"--loader-threads", count}))) == "");
  }
}

TEST_CASE("a program built with --deterministic stays so, and any can be made so") {
  if (kIsSanitized) return;
  const Workload& workload = kWorkloads[1];
  const std::string model = model_path(std::string("bench/") + workload.model);
  const NamedTensors compiled = trained(workload, {"--deterministic", "--threads", "2"});
  for (const bool is_built_so : {true, false}) {
    const std::string program = temporary_path("cnn");
    const Arguments flag = {"--deterministic"};
    const ProgramRun build = run_program(joined(
        joined({"build", model, "-o", program}, workload.flags), is_built_so ? flag : Arguments()));
    INFO(build.err);
    REQUIRE(build.exit_code == 0);
    const Arguments train = joined({"train"}, is_built_so ? Arguments() : flag);
    for (int count : {1, 3})
      CHECK(first_difference(compiled, weights_of(program, joined(train, threads(count)))) == "");
    CHECK(run_executable(program, {"info", "--json"}).last_json()["deterministic"] == is_built_so);
    const ProgramRun info = run_executable(program, {"info"});
    CHECK((info.out.find("deterministic") != std::string::npos) == is_built_so);
  }
}

TEST_CASE("the start of a run says whether it is deterministic") {
  const std::string model = model_path("bench/mlp512_rmsprop.grad");
  for (const bool is_set : {true, false}) {
    Arguments arguments = {"train", model, "--data", "noise(rows = 8)", "--batch", "8", "--json"};
    if (is_set) arguments.push_back("--deterministic");
    CHECK(run_program(arguments).json_lines().front()["deterministic"] == is_set);
  }
}
