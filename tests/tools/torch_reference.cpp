// Every case of tests/golden/torch: values, gradients and trained state are PyTorch's.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "runtime/safetensors.h"
#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

/// Of the largest element of the expected tensor; floats only.
constexpr double kTolerance = 1e-5;

/// Names of the cases, sorted.
std::vector<std::string> case_stems() {
  std::vector<std::string> stems;
  for (const auto& entry : fs::directory_iterator(GRADC_SOURCE_DIR "/tests/golden/torch"))
    if (entry.path().extension() == ".grad")
      stems.push_back((entry.path().parent_path() / entry.path().stem()).string());
  std::sort(stems.begin(), stems.end());
  return stems;
}

/// What is wrong with `actual`; empty where it agrees.
std::string difference(const Tensor& expected, const Tensor* actual) {
  if (actual == nullptr) return "is missing";
  if (actual->shape() != expected.shape())
    return "is " + to_string(actual->type()) + ", expected " + to_string(expected.type());
  double largest = 0;
  for (int64_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(expected.at(i)));
  const double allowed = is_float(expected.dtype()) ? kTolerance * largest : 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    const double want = expected.at(i);
    const double have = actual->at(i);
    if (want == have || (std::isnan(want) && std::isnan(have))) continue;
    if (!(std::abs(want - have) <= allowed))
      return "has " + std::to_string(have) + " at " + std::to_string(i) + ", expected " +
             std::to_string(want) + " within " + std::to_string(allowed);
  }
  return "";
}

void compare(const std::string& stem, const std::string& kind, std::vector<std::string> arguments) {
  const NamedTensors expected = read_safetensors(stem + "." + kind + ".safetensors");
  REQUIRE_FALSE(expected.tensors.empty());
  const std::string fetched = temporary_path(fs::path(stem).filename().string() + "." + kind);
  arguments.insert(arguments.begin(), {"run", stem + ".grad", "--feed", stem + ".feed.safetensors",
                                       "--fetch", fetched});
  const ProgramRun run = run_program(arguments);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const NamedTensors actual = read_safetensors(fetched);
  for (const NamedTensor& tensor : expected.tensors) {
    const std::string fault = difference(tensor.value, actual.find(tensor.name));
    INFO(kind << ": `" << tensor.name << "` " << fault);
    CHECK(fault.empty());
  }
}

}  // namespace

TEST_CASE("models agree with PyTorch", "[torch]") {
  const std::vector<std::string> stems = case_stems();
  REQUIRE_FALSE(stems.empty());
  for (const std::string& stem : stems) {
    DYNAMIC_SECTION(fs::path(stem).filename().string()) {
      compare(stem, "expected", {"--gradients"});
      const std::string steps_path = stem + ".steps.safetensors";
      // No early return: it would end the loop over the cases.
      if (fs::exists(steps_path)) {
        const auto metadata = read_safetensors(steps_path).metadata;
        REQUIRE(metadata.count("steps") == 1);
        compare(stem, "steps", {"--steps", metadata.at("steps")});
      }
    }
  }
}
