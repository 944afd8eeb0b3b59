// State, programs by row count, passes, files.
#include "runtime/session.h"

#include "tests/runtime/mean_model.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <limits>

namespace gradc {
namespace {

std::string temporary_path(const char* name) {
  return fmt::format("/tmp/gradc_session_{}_{}.safetensors", getpid(), name);
}

/// Deletes the file at the end of the test.
struct TemporaryFile {
  std::string path;
  explicit TemporaryFile(const char* name) : path(temporary_path(name)) {}
  ~TemporaryFile() { std::remove(path.c_str()); }
};

std::string error_code(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

TEST_CASE("session: initial state, updates in place, one program per row count") {
  MeanModel model;
  Session session(model, 5);
  CHECK(session.find_state("center")->at(0) == 0);
  session.initialize();
  CHECK(session.find_state("center")->at(0) == 5);
  const Dataset data = counting_data(4);
  const auto outputs = session.execute(GraphMode::Train, data.fields, 4);
  CHECK(outputs[0].at(0) == Approx((25 + 16 + 9 + 4) / 4.0));
  // Gradient 2 * (5 - 1.5) = 7.
  CHECK(session.find_state("center")->at(0) == Approx(5 - 0.35));
  CHECK(session.find_state("center:velocity")->at(0) == Approx(7));
  CHECK(session.find_state("step")->at(0) == 1);
  CHECK(session.find_state("nothing") == nullptr);
  session.execute(GraphMode::Train, counting_data(3).fields, 3);
  session.execute(GraphMode::Train, data.fields, 4);
  CHECK(session.find_state("step")->at(0) == 3);
  using Made = std::vector<std::pair<GraphMode, int64_t>>;
  CHECK(model.made == Made{{GraphMode::Init, 0}, {GraphMode::Train, 4}, {GraphMode::Train, 3}});
  session.initialize();
  CHECK(session.find_state("center")->at(0) == 5);
  CHECK(session.find_state("step")->at(0) == 0);
}

TEST_CASE("session: metrics of a pass are exact over batches of different sizes") {
  MeanModel model;
  Session session(model, 0);
  session.initialize();
  PassValues pass;
  for (int64_t rows : {4, 4, 1}) {
    const auto outputs = session.execute(GraphMode::Evaluate, counting_data(rows).fields, rows);
    pass.add(session.program(GraphMode::Evaluate, rows), outputs);
  }
  const NamedValues metrics = session.metrics(pass);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].first == "spread");
  CHECK(metrics[0].second == Approx((14.0 + 14.0 + 0.0) / 9));
  pass.reset();
  CHECK(pass.is_empty());
}

TEST_CASE("session: sums, minima and maxima of a pass") {
  Program program;
  const Type type{DType::F64, Shape{2}};
  program.outputs = {{OutputKind::AccumulateSum, "sum", type},
                     {OutputKind::Loss, "loss", Type{}},
                     {OutputKind::AccumulateMin, "min", type},
                     {OutputKind::AccumulateMax, "max", type}};
  const auto batch = [](double a, double b) {
    const Tensor values = Tensor::from<double>(DType::F64, Shape{2}, std::vector<double>{a, b});
    return std::vector<Tensor>{values, Tensor(), values, values};
  };
  PassValues pass;
  pass.add(program, batch(1, -2));
  pass.add(program, batch(4, -8));
  pass.add(program, batch(2, 5));
  CHECK(pass.find("sum")->at(0) == 7);
  CHECK(pass.find("sum")->at(1) == -5);
  CHECK(pass.find("min")->at(0) == 1);
  CHECK(pass.find("min")->at(1) == -8);
  CHECK(pass.find("max")->at(0) == 4);
  CHECK(pass.find("max")->at(1) == 5);
  CHECK(pass.find("loss") == nullptr);
  pass.add(program, batch(std::numeric_limits<double>::quiet_NaN(), 0));
  pass.add(program, batch(0, 0));
  for (const char* name : {"sum", "min", "max"}) CHECK(std::isnan(pass.find(name)->at(0)));
}

TEST_CASE("session: saved and loaded, with and without the optimizer's state") {
  const TemporaryFile file("state");
  MeanModel model;
  Session session(model, 3);
  session.initialize();
  for (int i = 0; i < 3; ++i) session.execute(GraphMode::Train, counting_data(8).fields, 8);
  session.save(file.path);
  Session other(model, 9);
  other.initialize();
  other.load(file.path);
  for (const NamedTensor& entry : session.state())
    CHECK(same_bits(entry.value, *other.find_state(entry.name)));
  other.execute(GraphMode::Train, counting_data(8).fields, 8);
  session.execute(GraphMode::Train, counting_data(8).fields, 8);
  CHECK(same_bits(*other.find_state("center"), *session.find_state("center")));

  NamedTensors weights;
  weights.add("center", Tensor::scalar(DType::F32, 42));
  write_safetensors(file.path, weights);
  other.load(file.path);
  CHECK(other.find_state("center")->at(0) == 42);
  CHECK(other.find_state("step")->at(0) == 4);
  weights.add("center:velocity", Tensor::scalar(DType::F32, 1));
  write_safetensors(file.path, weights);
  CHECK(error_code([&] { other.load(file.path); }) == "E0920");
  weights.add("step", Tensor::scalar(DType::I64, 1));
  weights.add("surplus", Tensor::scalar(DType::I64, 1));
  write_safetensors(file.path, weights);
  CHECK(error_code([&] { other.load(file.path); }) == "E0920");
  CHECK(other.find_state("center")->at(0) == 42);
}

TEST_CASE("session: data that does not fit is refused by name") {
  MeanModel model;
  Session session(model, 0);
  session.initialize();
  const Program& program = session.program(GraphMode::Train, 4);
  Dataset data = counting_data(6);
  check_data(program, data);
  data.fields[0].values.set(4, 10);
  CHECK(error_code([&] { check_data(program, data); }) == "E0904");
  CHECK(error_code([&] { session.execute(GraphMode::Train, data.fields, 4); }) == "E0902");
  data.fields[1] = {"x", Tensor(DType::F32, Shape{6, 2})};
  CHECK(error_code([&] { check_data(program, data); }) == "E0902");
  data.fields[1] = {"x", Tensor(DType::F64, Shape{6})};
  CHECK(error_code([&] { check_data(program, data); }) == "E0902");
  data.fields.pop_back();
  CHECK(error_code([&] { check_data(program, data); }) == "E0901");
  CHECK(error_code([&] { session.execute(GraphMode::Train, data.fields, 6); }) == "E0901");
  CHECK(session.find_state("step")->at(0) == 0);
}

}  // namespace
}  // namespace gradc
