// Programs whose kernels are written by hand.
#include "runtime/execute.h"

#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/threads.h"

namespace gradc {
namespace {

/// buffers: x, out.
void increment(void* const* buffers, int64_t begin, int64_t end) {
  const auto* x = static_cast<const float*>(buffers[0]);
  auto* out = static_cast<float*>(buffers[1]);
  for (int64_t i = begin; i < end; ++i) out[i] = x[i] + 1;
}

std::mutex seen_mutex;
std::set<std::thread::id> seen_threads;
std::vector<Range> seen_ranges;

void record_range(void* const*, int64_t begin, int64_t end) {
  const std::lock_guard lock(seen_mutex);
  seen_threads.insert(std::this_thread::get_id());
  seen_ranges.push_back({begin, end});
}

/// n chained increments from input to output through one arena buffer per step.
Program chain(int64_t elements, int count, double cost_ns) {
  Program program;
  program.name = "chain";
  const Type type{DType::F32, Shape{elements}};
  program.inputs = {{InputKind::Data, "x", type}};
  program.outputs = {{OutputKind::Output, "y", type}};
  const int64_t bytes = type.size_bytes();
  program.buffers = {{Place::Input, 0, bytes}, {Place::Output, 0, bytes}};
  for (int i = 0; i < count; ++i) {
    KernelStep step{"increment", increment, elements, 16, cost_ns, {}};
    step.buffers = {i == 0 ? 0 : static_cast<int32_t>(program.buffers.size()) - 1, 1};
    if (i + 1 < count) {
      step.buffers[1] = static_cast<int32_t>(program.buffers.size());
      program.buffers.push_back({Place::Arena, (i % 2) * ((bytes + 63) / 64 * 64), bytes});
    }
    program.steps.push_back(step);
  }
  program.arena_bytes = 2 * ((bytes + 63) / 64 * 64);
  return program;
}

TEST_CASE("threads: parts cover the extent once, cut at the grain, evenly") {
  for (int64_t extent : {0, 1, 15, 16, 17, 96, 100, 784, 1000}) {
    for (int64_t grain : {1, 3, 16}) {
      for (int64_t parts : {1, 2, 3, 7, 64}) {
        int64_t covered = 0;
        int64_t smallest = extent, largest = 0;
        for (int64_t part = 0; part < parts; ++part) {
          const Range range = part_of(extent, grain, part, parts);
          REQUIRE(range.begin == covered);
          REQUIRE(range.end >= range.begin);
          if (range.end != extent) REQUIRE(range.end % grain == 0);
          covered = range.end;
          const int64_t grains = (range.end - range.begin + grain - 1) / grain;
          smallest = std::min(smallest, grains);
          largest = std::max(largest, grains);
        }
        REQUIRE(covered == extent);
        REQUIRE(largest - smallest <= 1);
      }
    }
  }
  const Range last = part_of(int64_t{1} << 46, 1, 63, 64);
  CHECK(last.end == int64_t{1} << 46);
}

TEST_CASE("execute: a chain of kernels through the arena") {
  const int team = GENERATE(1, 2, 5);
  const int64_t elements = GENERATE(0, 1, 100, 4096);
  set_threads(team);
  Executor executor(std::make_shared<Program>(chain(elements, 7, 1e6)));
  Tensor x(DType::F32, Shape{elements});
  for (int64_t i = 0; i < elements; ++i) x.set(i, static_cast<double>(i));
  std::vector<Tensor> outputs{Tensor(DType::F32, Shape{elements})};
  executor.run(std::vector{x}, outputs);
  for (int64_t i = 0; i < elements; ++i) REQUIRE(outputs[0].at(i) == static_cast<double>(i) + 7);
  set_threads(0);
}

TEST_CASE("execute: other tensors are bound, the same ones may change their content") {
  Executor executor(std::make_shared<Program>(chain(33, 2, 0)));
  for (int round = 0; round < 3; ++round) {
    Tensor x(DType::F32, Shape{33});
    std::vector<Tensor> outputs{Tensor(DType::F32, Shape{33})};
    for (int value = 0; value < 3; ++value) {
      for (int64_t i = 0; i < 33; ++i) x.set(i, value * 10 + round);
      executor.run(std::vector{x}, outputs);
      CHECK(outputs[0].at(32) == value * 10 + round + 2);
    }
  }
}

TEST_CASE("execute: cheap kernels stay on one thread, dear ones are split at the grain") {
  set_threads(3);
  Program program;
  program.steps = {KernelStep{"record", record_range, 100, 16, 1000, {}}};
  seen_ranges.clear();
  seen_threads.clear();
  std::vector<Tensor> none;
  Executor(std::make_shared<Program>(program)).run(none, none);
  REQUIRE(seen_ranges.size() == 1);
  CHECK(seen_threads.count(std::this_thread::get_id()) == 1);

  std::get<KernelStep>(program.steps[0]).cost_ns = 1e5;
  seen_ranges.clear();
  seen_threads.clear();
  Executor(std::make_shared<Program>(program)).run(none, none);
  CHECK(seen_ranges.size() == 3);
  for (const Range& range : seen_ranges) CHECK(range.begin % 16 == 0);
  CHECK(seen_threads.size() == 3);

  set_threads(1);
  seen_threads.clear();
  Executor(std::make_shared<Program>(program)).run(none, none);
  CHECK(seen_threads.size() == 1);
  set_threads(0);
}

TEST_CASE("execute: an input is updated in place, a copy goes to another input's memory") {
  Program program;
  const Type type{DType::F32, Shape{8}};
  program.inputs = {{InputKind::Parameter, "w", type}, {InputKind::State, "old", type}};
  program.outputs = {{OutputKind::Parameter, "w", type, 0}, {OutputKind::State, "old", type, 1}};
  program.buffers = {{Place::Input, 0, 32}, {Place::Input, 1, 32}};
  program.steps = {CopyStep{"keep", 0, 1}, KernelStep{"increment", increment, 8, 1, 0, {0, 0}}};
  Executor executor(std::make_shared<Program>(program));
  const std::vector<Tensor> state{Tensor(type), Tensor(type)};
  std::vector<Tensor> outputs(2);
  for (int i = 0; i < 4; ++i) executor.run(state, outputs);
  CHECK(state[0].at(7) == 4);
  CHECK(state[1].at(7) == 3);
}

TEST_CASE("execute: constants and wrong callers") {
  Program program;
  const Type type{DType::F32, Shape{2}};
  program.outputs = {{OutputKind::Result, "y", type}};
  program.constants = Tensor(DType::U8, Shape{72});
  reinterpret_cast<float*>(program.constants.raw() + 64)[1] = 2.5F;
  program.buffers = {{Place::Constant, 64, 8}, {Place::Output, 0, 8}};
  program.steps = {CopyStep{"y", 0, 1}};
  Executor executor(std::make_shared<Program>(program));
  std::vector<Tensor> none;
  std::vector<Tensor> outputs{Tensor(type)};
  executor.run(none, outputs);
  CHECK(outputs[0].at(1) == 2.5);
  outputs[0] = Tensor(DType::F32, Shape{1, 2});
  CHECK_THROWS_AS(executor.run(none, outputs), InternalError);
  CHECK_THROWS_AS(executor.run(none, none), InternalError);
  program.steps = {KernelStep{"no code", nullptr, 1, 1, 0, {}}};
  CHECK_THROWS_AS(Executor(std::make_shared<Program>(program)), InternalError);
}

}  // namespace
}  // namespace gradc
