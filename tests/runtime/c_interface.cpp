// The C interface on a model whose kernels are written by hand.
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "runtime/compiled_model.h"
#include "runtime/gradc.h"
#include "runtime/model_facts.h"
#include "tests/runtime/mean_model.h"
#include "tests/runtime/scratch_folder.h"

using namespace gradc;
using Catch::Contains;

namespace {

/// What `gradc build` would make of MeanModel for training on 4 rows and evaluation on 4 and 1.
class CompiledMean {
 public:
  explicit CompiledMean(const char* features = "", uint32_t format = compiled_model_format()) {
    ModelFacts facts;
    facts.name = "mean";
    MeanModel model;
    const std::pair<GraphMode, int64_t> wanted[] = {{GraphMode::Init, 0},
                                                    {GraphMode::Train, 4},
                                                    {GraphMode::Evaluate, 4},
                                                    {GraphMode::Evaluate, 1},
                                                    {GraphMode::Metrics, 0}};
    for (const auto& [mode, rows] : wanted) {
      const auto program = model.program(mode, rows);
      facts.programs.push_back(*program);
      const auto& step = std::get<KernelStep>(program->steps.front());
      if (std::find(facts.kernels.begin(), facts.kernels.end(), step.name) != facts.kernels.end())
        continue;
      facts.kernels.push_back(step.name);
      functions_.push_back(step.function);
    }
    ByteWriter writer;
    fields(writer, facts);
    bytes_ = Tensor(DType::U8, Shape{static_cast<int64_t>(writer.bytes().size())});
    std::memcpy(bytes_.raw(), writer.bytes().data(), writer.bytes().size());
    code_ = {"here", features, functions_.data()};
    model_ = {format, 1, &code_, bytes_.raw(), writer.bytes().size(), nullptr};
  }

  const gradc_model* get() const { return &model_; }

 private:
  std::vector<KernelFunction> functions_;
  Tensor bytes_;
  gradc_code code_{};
  gradc_model model_{};
};

class Handle {
 public:
  explicit Handle(const CompiledMean& model, uint32_t version = GRADC_INTERFACE_VERSION) {
    status = gradc_create(model.get(), version, &session_);
  }
  ~Handle() { gradc_free(session_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  gradc_session* get() const { return session_; }
  std::string error() const { return gradc_last_error(session_); }
  float center() const {
    float value = 0;
    REQUIRE(gradc_get_tensor(session_, "center", &value, sizeof value) == GRADC_DONE);
    return value;
  }

  gradc_status status;

 private:
  gradc_session* session_ = nullptr;
};

constexpr float kX[] = {1, 2, 3, 4, 5, 6};
constexpr uint8_t kLabel[] = {0, 1, 2, 3, 4, 5};
const void* const kInputs[] = {kX, kLabel};

float trained_center(const CompiledMean& model, int steps) {
  const Handle handle(model);
  REQUIRE(gradc_initialize(handle.get(), 1) == GRADC_DONE);
  for (int i = 0; i < steps; ++i)
    REQUIRE(gradc_train_step(handle.get(), kInputs, 4, nullptr) == GRADC_DONE);
  return handle.center();
}

}  // namespace

TEST_CASE("a session trains, evaluates, and gives its tensors") {
  const CompiledMean model;
  const Handle handle(model);
  REQUIRE(handle.status == GRADC_DONE);
  REQUIRE(gradc_initialize(handle.get(), 1) == GRADC_DONE);
  CHECK(gradc_input_count(handle.get()) == 2);
  gradc_tensor input;
  REQUIRE(gradc_input(handle.get(), 1, &input) == GRADC_DONE);
  CHECK(std::string(input.name) == "label");
  CHECK(input.dtype == GRADC_U8);
  CHECK(input.rank == 0);
  CHECK(input.bytes == 1);
  int64_t rows = 0;
  CHECK(gradc_train_rows(handle.get(), &rows, 1) == 1);
  CHECK(rows == 4);
  CHECK(gradc_output_count(handle.get()) == 0);

  double loss = 0;
  for (int i = 0; i < 100; ++i)
    REQUIRE(gradc_train_step(handle.get(), kInputs, 4, &loss) == GRADC_DONE);
  CHECK(handle.center() == Approx(2.5).margin(0.01));
  CHECK(loss == Approx(1.25).margin(0.01));

  CHECK(gradc_tensor_count(handle.get()) == 3);
  gradc_tensor step;
  REQUIRE(gradc_tensor_at(handle.get(), 2, &step) == GRADC_DONE);
  CHECK(std::string(step.name) == "step");
  int64_t steps = 0;
  REQUIRE(gradc_get_tensor(handle.get(), "step", &steps, sizeof steps) == GRADC_DONE);
  CHECK(steps == 100);
}

TEST_CASE("any number of rows is evaluated, in the parts that were compiled") {
  const CompiledMean model;
  const Handle handle(model);
  const float center = 3.5F;
  REQUIRE(gradc_set_tensor(handle.get(), "center", &center, sizeof center) == GRADC_DONE);
  REQUIRE(gradc_metric_count(handle.get()) == 1);
  CHECK(std::string(gradc_metric_name(handle.get(), 0)) == "spread");
  CHECK(gradc_metric_name(handle.get(), 1) == nullptr);
  double spread = 0;
  CHECK(gradc_metrics(handle.get(), &spread) == GRADC_WRONG_CALL);
  REQUIRE(gradc_evaluate(handle.get(), kInputs, 6) == GRADC_DONE);
  REQUIRE(gradc_metrics(handle.get(), &spread) == GRADC_DONE);
  CHECK(spread == Approx(17.5 / 6));
  REQUIRE(gradc_evaluate(handle.get(), kInputs, 1) == GRADC_DONE);
  REQUIRE(gradc_metrics(handle.get(), &spread) == GRADC_DONE);
  CHECK(spread == Approx((17.5 + 6.25) / 7));
  gradc_reset_metrics(handle.get());
  CHECK(gradc_metrics(handle.get(), &spread) == GRADC_WRONG_CALL);
}

TEST_CASE("wrong calls are refused and leave the session as it was") {
  const CompiledMean model;
  const Handle handle(model);
  REQUIRE(gradc_initialize(handle.get(), 1) == GRADC_DONE);
  const float before = handle.center();
  CHECK(gradc_train_step(handle.get(), kInputs, 3, nullptr) == GRADC_WRONG_DATA);
  CHECK_THAT(handle.error(), Contains("E0927") && Contains("for 4 rows, not for 3"));
  CHECK(gradc_train_step(handle.get(), kInputs, 0, nullptr) == GRADC_WRONG_CALL);
  CHECK(gradc_train_step(handle.get(), nullptr, 4, nullptr) == GRADC_WRONG_CALL);
  const void* const no_label[] = {kX, nullptr};
  CHECK(gradc_train_step(handle.get(), no_label, 4, nullptr) == GRADC_WRONG_CALL);
  CHECK_THAT(handle.error(), Contains("`label`"));
  const uint8_t large[] = {0, 1, 10, 2};
  const void* const out_of_range[] = {kX, large};
  CHECK(gradc_train_step(handle.get(), out_of_range, 4, nullptr) == GRADC_WRONG_DATA);
  CHECK_THAT(handle.error(), Contains("E0904"));
  const char* const bytes = reinterpret_cast<const char*>(kX);
  const void* const unaligned[] = {bytes + 1, kLabel};
  CHECK(gradc_train_step(handle.get(), unaligned, 4, nullptr) == GRADC_WRONG_CALL);
  CHECK(gradc_predict(handle.get(), kInputs, 4, nullptr) == GRADC_WRONG_CALL);
  CHECK(gradc_set_threads(handle.get(), -1) == GRADC_WRONG_CALL);
  float value = 0;
  CHECK(gradc_get_tensor(handle.get(), "centre", &value, sizeof value) == GRADC_WRONG_CALL);
  CHECK(gradc_get_tensor(handle.get(), "center", &value, 3) == GRADC_WRONG_CALL);
  CHECK_THAT(handle.error(), Contains("`center` has 4 bytes, not 3"));
  gradc_tensor tensor;
  CHECK(gradc_tensor_at(handle.get(), 3, &tensor) == GRADC_WRONG_CALL);
  CHECK(gradc_load(handle.get(), "/nonexistent") == GRADC_INPUT_OUTPUT);
  CHECK(gradc_save(handle.get(), "/nonexistent/file") == GRADC_INPUT_OUTPUT);
  CHECK(handle.center() == before);
  CHECK(gradc_train_step(handle.get(), kInputs, 4, nullptr) == GRADC_DONE);
}

TEST_CASE("a model that does not fit is refused at creation") {
  const auto message = [](const CompiledMean& model, uint32_t version, gradc_status expected) {
    const Handle handle(model, version);
    CHECK(handle.status == expected);
    const std::string error = handle.error();
    CHECK(gradc_train_step(handle.get(), kInputs, 4, nullptr) == GRADC_WRONG_CALL);
    CHECK(gradc_tensor_count(handle.get()) == 0);
    return error;
  };
  CHECK_THAT(message(CompiledMean(), GRADC_INTERFACE_VERSION + 1, GRADC_WRONG_CALL),
             Contains("version"));
  CHECK_THAT(message(CompiledMean("sse3,telepathy"), GRADC_INTERFACE_VERSION, GRADC_INPUT_OUTPUT),
             Contains("E0925") && Contains("has no telepathy"));
  CHECK_THAT(message(CompiledMean("", compiled_model_format() + 1), GRADC_INTERFACE_VERSION,
                     GRADC_INPUT_OUTPUT),
             Contains("E0926"));
  CHECK(gradc_create(nullptr, GRADC_INTERFACE_VERSION, nullptr) == GRADC_WRONG_CALL);
  CHECK(gradc_initialize(nullptr, 1) == GRADC_WRONG_CALL);
  gradc_free(nullptr);
}

TEST_CASE("a loss that is not finite is reported") {
  const CompiledMean model;
  const Handle handle(model);
  REQUIRE(gradc_initialize(handle.get(), 1) == GRADC_DONE);
  const float infinite[] = {1, 2, std::numeric_limits<float>::infinity(), 3};
  const void* const inputs[] = {infinite, kLabel};
  CHECK(gradc_train_step(handle.get(), inputs, 4, nullptr) == GRADC_NOT_FINITE);
  CHECK_THAT(handle.error(), Contains("`loss` is inf"));
}

TEST_CASE("a checkpoint moves to another session") {
  const CompiledMean model;
  const ScratchFolder folder;
  const Handle first(model), second(model);
  REQUIRE(gradc_initialize(first.get(), 1) == GRADC_DONE);
  for (int i = 0; i < 5; ++i)
    REQUIRE(gradc_train_step(first.get(), kInputs, 4, nullptr) == GRADC_DONE);
  const std::string path = folder / "mean.safetensors";
  REQUIRE(gradc_save(first.get(), path.c_str()) == GRADC_DONE);
  REQUIRE(gradc_load(second.get(), path.c_str()) == GRADC_DONE);
  for (const Handle* handle : {&first, &second})
    REQUIRE(gradc_train_step(handle->get(), kInputs, 4, nullptr) == GRADC_DONE);
  CHECK(first.center() == second.center());
}

TEST_CASE("sessions in two threads give the bits of one alone") {
  const CompiledMean model;
  const float expected = trained_center(model, 1000);
  float results[2] = {};
  std::thread other([&] { results[0] = trained_center(model, 1000); });
  results[1] = trained_center(model, 1000);
  other.join();
  CHECK(results[0] == expected);
  CHECK(results[1] == expected);
}

TEST_CASE("sessions come and go") {
  const CompiledMean model;
  for (int i = 0; i < 10000; ++i) {
    const Handle handle(model);
    if (handle.status != GRADC_DONE) FAIL(handle.error());
  }
}
