// Matching a file's tensors against a model's state.
#include "runtime/check_state.h"

#include <catch2/catch.hpp>

#include "tests/processor_time.h"
#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Matchers::Contains;

TEST_CASE("checkpoint: exact state passes, in any order") {
  NamedTensors content;
  content.add("b", Tensor(DType::F32, {10}));
  content.add("a", Tensor(DType::I64, Shape{}));
  const std::vector<StateSpec> specs{{"a", {DType::I64, {}}}, {"b", {DType::F32, {10}}}};
  check_state(specs, content, "x.safetensors");
  check_state({}, {}, "x.safetensors");
}

TEST_CASE("checkpoint: all differences at once") {
  NamedTensors content;
  content.add("hidden.kernel", Tensor(DType::F32, {784, 256}));
  content.add("hidden.bias", Tensor(DType::F64, {512}));
  content.add("logit.kernel", Tensor(DType::F32, {512, 10}));
  content.add("zzz", Tensor(DType::U8, {1}));
  const std::vector<StateSpec> specs{{"hidden.kernel", {DType::F32, {784, 512}}},
                                     {"hidden.bias", {DType::F32, {512}}},
                                     {"logits.kernel", {DType::F32, {512, 10}}},
                                     {"step", {DType::I64, {}}}};
  CHECK(error_of([&] { check_state(specs, content, "x.safetensors"); }) ==
        "1 E0920 the tensors of `x.safetensors` do not fit the model\n"
        "  the file has no:\n"
        "    logits.kernel f32[512, 10]; the file has `logit.kernel`\n"
        "    step i64[]\n"
        "  of another type:\n"
        "    hidden.kernel: the model has f32[784, 512], the file f32[784, 256]\n"
        "    hidden.bias: the model has f32[512], the file f64[512]\n"
        "  the model has no:\n"
        "    logit.kernel f32[512, 10]\n"
        "    zzz u8[1]");
}

TEST_CASE("checkpoint: long lists are cut short, and quickly") {
  NamedTensors content;
  std::vector<StateSpec> specs;
  for (int i = 0; i < 20000; ++i) {
    content.add(fmt::format("layer.{}.kernel.of.a.deep.network", i), Tensor(DType::U8, {1}));
    specs.push_back({fmt::format("block.{}.kernel.of.a.deep.network", i), {DType::U8, {1}}});
  }
  const testing::ProcessorTime time;
  const std::string error = error_of([&] { check_state(specs, content, "x"); });
  CHECK_THAT(error, Contains("and 19980 more"));
  CHECK(error.size() < 8000);
  CHECK(time.seconds() < 5);
}
