// Two loop kernels, compiled as all others are: independent multiply-adds in registers, and
// c = a + b / 2 over arrays of three sizes. The best of many runs counts.
#include "tools/ceilings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <functional>
#include <numeric>
#include <span>
#include <thread>

#include "runtime/execute.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

constexpr uint32_t kChains = 12;        // more than latency times throughput of any processor
constexpr int64_t kChainSteps = 60000;  // vectors of 16; about 0.2 ms
constexpr double kMiB = 1 << 20;
using Clock = std::chrono::steady_clock;

loop::Affine at(std::vector<int64_t> strides, int64_t offset = 0) {
  return {offset, std::move(strides)};
}

loop::Stmt let(uint32_t id, decltype(loop::Let::value) value) {
  return loop::Let{static_cast<loop::LetId>(id), DType::F32, std::move(value)};
}

loop::LetId value(uint32_t id) { return static_cast<loop::LetId>(id); }

/// Each thread: kChains sums of products of numbers that no compiler knows.
loop::Kernel peak_kernel(int threads) {
  loop::Kernel kernel;
  kernel.name = "multiply_add_peak";
  kernel.buffers = {{"x", DType::F32, kChains + 1, false}, {"sums", DType::F32, threads, true}};
  kernel.var_count = 2;
  kernel.accumulator_count = kChains;
  uint32_t next = 0;
  for (; next <= kChains; ++next)
    kernel.body.push_back(let(next, loop::Load{{0, at({}, next), {}}}));
  loop::For chains{static_cast<loop::VarId>(1), kChainSteps * 16, false, true, {}};
  loop::For team{static_cast<loop::VarId>(0), threads, true, false, {}};
  for (uint32_t chain = 0; chain < kChains; ++chain) {
    const auto sum = static_cast<loop::AccumulatorId>(chain);
    team.body.push_back(loop::Accumulator{sum, loop::ReduceKind::Sum, DType::F32});
    chains.body.push_back(loop::Accumulate{sum, value(chain), value(kChains), {}});
  }
  team.body.push_back(std::move(chains));
  uint32_t total = next;
  for (uint32_t chain = 0; chain < kChains; ++chain) {
    team.body.push_back(
        let(next++, loop::ReadAccumulator{static_cast<loop::AccumulatorId>(chain)}));
    if (chain == 0) continue;
    team.body.push_back(let(next, loop::Apply{OpKind::Add, {value(total), value(next - 1)}}));
    total = next++;
  }
  team.body.push_back(loop::Store{{1, at({1}), {}}, value(total)});
  kernel.body.push_back(std::move(team));
  kernel.let_count = next;
  return kernel;
}

/// Each thread has `count` elements of each array and goes over them `repeats` times.
loop::Kernel triad_kernel(int threads, int64_t count, int64_t repeats) {
  loop::Kernel kernel;
  kernel.name = fmt::format("triad_{}", count);
  const int64_t elements = threads * count;
  kernel.buffers = {{"a", DType::F32, elements, false},
                    {"b", DType::F32, elements, false},
                    {"c", DType::F32, elements, true}};
  kernel.var_count = 3;
  kernel.let_count = 5;
  const loop::Affine position = at({count, 0, 1});
  loop::For line{static_cast<loop::VarId>(2), count, false, true, {}};
  line.body.push_back(let(1, loop::Load{{0, position, {}}}));
  line.body.push_back(let(2, loop::Load{{1, position, {}}}));
  line.body.push_back(let(3, loop::Apply{OpKind::Mul, {value(2), value(0)}}));
  line.body.push_back(let(4, loop::Apply{OpKind::Add, {value(1), value(3)}}));
  line.body.push_back(loop::Store{{2, position, {}}, value(4)});
  loop::For again{static_cast<loop::VarId>(1), repeats, false, false, {}};
  again.body.push_back(std::move(line));
  loop::For team{static_cast<loop::VarId>(0), threads, true, false, {}};
  team.body.push_back(std::move(again));
  kernel.body = {let(0, loop::Literal{Tensor::scalar(DType::F32, 0.5)}), std::move(team)};
  return kernel;
}

/// A program of one kernel: its last buffer is the output, the others are inputs.
std::shared_ptr<const Program> program_of(const loop::Kernel& kernel, KernelFunction function,
                                          const std::shared_ptr<void>& code) {
  auto program = std::make_shared<Program>();
  KernelStep step{kernel.name, function, kernel.parallel_extent(), 1, 1e9, {}};
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    const bool is_output = i + 1 == kernel.buffers.size();
    const Type type{DType::F32, Shape{kernel.buffers[i].elements}};
    program->buffers.push_back({is_output ? Place::Output : Place::Input,
                                is_output ? 0 : static_cast<int64_t>(i), type.size_bytes()});
    step.buffers.push_back(static_cast<int32_t>(i));
    if (is_output)
      program->outputs.push_back({OutputKind::Output, "out", type});
    else
      program->inputs.push_back({InputKind::Data, "in", type});
  }
  program->steps.emplace_back(std::move(step));
  program->code = code;
  return program;
}

constexpr std::chrono::duration<double> kBudget(0.015);  // of one measurement

/// The least time of a run.
double best_seconds(const std::function<void()>& run) {
  double best = 1e300;
  for (const Clock::time_point first = Clock::now(); Clock::now() - first < kBudget;) {
    const Clock::time_point start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

/// Parts of all threads per second, for work in which threads do not meet: each thread takes its
/// own best time, so that it does not matter if others keep them from running at once.
double parts_per_second(KernelFunction function, std::span<void* const> buffers, int team) {
  std::vector<double> rates(static_cast<size_t>(team));
  std::vector<std::thread> members;
  for (int part = 0; part < team; ++part)
    members.emplace_back([&, part] {
      const auto run = [&] { function(buffers.data(), part, part + 1); };
      rates[static_cast<size_t>(part)] = 1 / best_seconds(run);
    });
  for (std::thread& member : members) member.join();
  const double sum = std::accumulate(rates.begin(), rates.end(), 0.0);
  return sum * std::min(1.0, static_cast<double>(available_cores()) / team);
}

double peak(const loop::Kernel& kernel, KernelFunction function, int team) {
  std::vector<float> x(kChains + 1), sums(static_cast<size_t>(team));
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1e-6F * static_cast<float>(i);
  CHECK(kernel.buffers[0].elements == static_cast<int64_t>(x.size()));
  const std::array<void*, 2> buffers = {x.data(), sums.data()};
  return parts_per_second(function, buffers, team) * 2 * kChains * kChainSteps * 16;
}

/// What each level measures with: the bytes of all arrays together, and how often.
struct Plan {
  Ceilings::Level level;
  double measured_bytes;
  int64_t repeats;
  bool is_shared;  // by the threads
};

/// The arrays change places, so that the memory of each has been written before it is read.
double bandwidth(const std::shared_ptr<const Program>& program, const Plan& plan, int team) {
  Executor executor(program);
  const Type type = program->outputs[0].type;
  std::array<Tensor, 3> arrays = {Tensor(type), Tensor(type), Tensor(type)};
  const auto run = [&](size_t shift) {
    const std::array<void*, 2> inputs = {arrays[shift % 3].raw(), arrays[(shift + 1) % 3].raw()};
    const std::array<void*, 1> outputs = {arrays[(shift + 2) % 3].raw()};
    executor.run_at(inputs, outputs);
  };
  for (size_t shift = 0; shift < 3; ++shift) run(shift);
  const auto bytes = static_cast<double>(3 * type.size_bytes() * plan.repeats);
  if (plan.is_shared) return bytes / best_seconds([&] { run(0); });
  const std::array<void*, 3> buffers = {arrays[0].raw(), arrays[1].raw(), arrays[2].raw()};
  const auto& step = std::get<KernelStep>(program->steps[0]);
  return bytes / team * parts_per_second(step.function, buffers, team);
}

/// Of one cache of a level, as Linux tells ("1024K"); sysconf adds up those of all sockets.
double cache_bytes(int level, double otherwise) {
  const std::string cache = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", level);
  int found = 0;
  double kib = 0;
  if (!(std::ifstream(cache + "level") >> found) || found != level) return otherwise;
  return std::ifstream(cache + "size") >> kib && kib > 0 ? kib * 1024 : otherwise;
}

}  // namespace

void Ceilings::raise_to(const Ceilings& other) {
  flop_per_s = std::max(flop_per_s, other.flop_per_s);
  for (size_t i = 0; i < levels.size(); ++i)
    levels[i].bytes_per_s = std::max(levels[i].bytes_per_s, other.levels[i].bytes_per_s);
}

double Ceilings::bandwidth(double bytes) const {
  for (const Level& level : levels)
    if (bytes <= level.fits_bytes) return level.bytes_per_s;
  return levels.back().bytes_per_s;
}

double Ceilings::seconds(const Work& work) const {
  return std::max(work.flop / flop_per_s, work.bytes / bandwidth(work.bytes));
}

Ceilings measure_ceilings(const CacheOptions& cache) {
  Ceilings ceilings;
  ceilings.threads = threads();
  const double l2 = cache_bytes(2, kMiB) * ceilings.threads;
  const double l3 = std::max(cache_bytes(3, 8 * kMiB), 2 * l2);
  const std::vector<Plan> plans = {{{"L2", l2, 0}, l2 / 4, 32, false},
                                   {{"L3", l3, 0}, l3 / 2, 1, true},
                                   {{"memory", 1e300, 0}, std::min(3 * l3, 384 * kMiB), 1, true}};
  std::vector<loop::Kernel> kernels = {peak_kernel(ceilings.threads)};
  for (const Plan& plan : plans) {
    const auto count = static_cast<int64_t>(plan.measured_bytes / 12 / ceilings.threads) / 64 * 64;
    kernels.push_back(triad_kernel(ceilings.threads, count, plan.repeats));
  }
  const CompiledKernels compiled = cached_kernels("ceilings", kernels, cache);
  ceilings.flop_per_s = peak(kernels[0], compiled.functions[0], ceilings.threads);
  for (size_t i = 0; i < plans.size(); ++i) {
    ceilings.levels.push_back(plans[i].level);
    ceilings.levels.back().bytes_per_s =
        bandwidth(program_of(kernels[i + 1], compiled.functions[i + 1], compiled.code), plans[i],
                  ceilings.threads);
  }
  return ceilings;
}

}  // namespace gradc
