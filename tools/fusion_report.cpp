// Groups of the step where they stand; those of scans as programs of their own.
#include "tools/fusion_report.h"

#include <cmath>
#include <map>
#include <numeric>

#include "ir/builder.h"
#include "ir/computing_ops.h"
#include "passes/fuse.h"
#include "passes/fusion_cost.h"
#include "runtime/core/rng.h"
#include "tools/time_kernels.h"

namespace gradc {
namespace {

constexpr int kWarmRounds = 2;
constexpr int kLeastRounds = 9;
/// In a row, the first not counted.
constexpr int kRunsInScan = 4;
/// Two readings of the clock, and how much they vary.
constexpr double kClockSeconds = 1e-7;
/// Smaller differences of two times say nothing.
constexpr double kNoiseShare = 0.03;
constexpr uint64_t kSeed = 7;

/// A group as a graph of its own.
Graph isolate_group(const Graph& graph, const Node& node) {
  GraphBuilder builder(graph.name, GraphMode::Body);
  std::vector<ValueId> operands;
  for (size_t i = 0; i < node.operands.size(); ++i)
    operands.push_back(builder.input(InputKind::Operand, fmt::format("operand{}", i),
                                     graph.type(node.operands[i])));
  const std::vector<ValueId> results = builder.add_node(node.kind, operands, node.attrs);
  for (size_t k = 0; k < results.size(); ++k)
    builder.output(OutputKind::Result, fmt::format("result{}", k), results[k]);
  return std::move(builder).build();
}

/// The rule's time for the groups of a graph, calls included; negative where it has none.
double estimated_ns(const Graph& groups) {
  double total = 0;
  for (const Node& node : groups.nodes()) {
    if (node.kind != OpKind::Group) continue;
    if (node.attrs.get<std::string>("kind") != "loop") return -1;
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const auto analysis = analyze_group(body);
    total += group_cost_ns(body, std::get<GroupAnalysis>(analysis)) + kGroupOverheadNs;
  }
  return total;
}

size_t count_groups(const Graph& graph) {
  size_t count = 0;
  for (const Node& node : graph.nodes()) count += node.kind == OpKind::Group ? 1 : 0;
  return count;
}

void fill_with_numbers(Tensor& tensor) {
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double unit = random_unit_f32({kSeed, 0, 0}, static_cast<uint64_t>(i));
    tensor.set(i, is_float(tensor.dtype())        ? 0.1 + 0.8 * unit
                  : tensor.dtype() == DType::Bool ? (unit < 0.5 ? 0.0 : 1.0)
                                                  : static_cast<double>(i % 8));
  }
}

/// Tensors that all groups share: the first of a type, the second, ...
class TensorPool {
 public:
  std::vector<Tensor> take(const std::vector<Type>& types) {
    std::map<std::string, size_t> used;
    std::vector<Tensor> tensors;
    for (const Type& type : types) {
      const std::string key = to_string(type);
      std::vector<Tensor>& known = tensors_[key];
      const size_t position = used[key]++;
      if (position == known.size()) {
        known.emplace_back(type);
        fill_with_numbers(known.back());
      }
      tensors.push_back(known[position]);
    }
    return tensors;
  }

 private:
  std::map<std::string, std::vector<Tensor>> tensors_;
};

/// A compiled graph of one group or of its parts, and its memory.
class AloneRunner {
 public:
  AloneRunner(const Graph& graph, const CompileOptions& options, TensorPool& pool)
      : program_(std::make_shared<Program>(compile(graph, options))), executor_(program_) {
    std::vector<Type> types;
    for (const ProgramInput& input : program_->inputs) types.push_back(input.type);
    for (const ProgramOutput& output : program_->outputs) types.push_back(output.type);
    inputs_ = pool.take(types);
    outputs_.assign(inputs_.begin() + static_cast<int64_t>(program_->inputs.size()), inputs_.end());
    inputs_.resize(program_->inputs.size());
  }

  const Program& program() const { return *program_; }

  void run(Times& times) {
    for (int i = 0; i < kRunsInScan; ++i) {
      const BenchClock::time_point start = BenchClock::now();
      executor_.run(inputs_, outputs_);
      if (i > 0) times.add(seconds_since(start));
    }
  }

 private:
  std::shared_ptr<Program> program_;
  std::vector<Tensor> inputs_, outputs_;
  Executor executor_;
};

/// A group of a graph and, where it is in a scan, its program and that of its parts.
struct GroupCase {
  GroupGain gain;
  Graph fused, parts;
  std::vector<int32_t> nodes;  // of the step: its equals
  std::unique_ptr<AloneRunner> fused_runner, parts_runner;

  bool is_in_scan() const { return nodes.empty(); }
};

/// Finds the groups of the step and of its scans, equal ones once.
class GroupCollector {
 public:
  std::vector<GroupCase> cases;

  void collect(const Graph& graph, int64_t rounds = 1, const std::string& place = "") {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      const Node& node = graph.nodes()[n];
      const std::string name = fmt::format("{}%{}", place, index(node.results.front()));
      if (node.kind == OpKind::Scan)
        collect(*node.attrs.get<BodyRef>("body"), rounds * node.attrs.integer("length"),
                name + "/");
      if (node.kind != OpKind::Group) continue;
      GroupCase& found = find(graph, node, place.empty());
      if (found.gain.parts_kernels < 2) continue;
      if (place.empty()) found.nodes.push_back(static_cast<int32_t>(n));
      if (found.gain.runs == 0) found.gain.group = name;
      found.gain.runs += rounds;
    }
    if (place.empty())
      std::erase_if(cases, [](const GroupCase& entry) { return entry.gain.parts_kernels < 2; });
  }

 private:
  /// The case of a group like this one at the same kind of place.
  GroupCase& find(const Graph& graph, const Node& node, bool is_in_step) {
    GroupCase entry;
    entry.fused = isolate_group(graph, node);
    entry.parts = split_groups(entry.fused);
    for (GroupCase& other : cases)
      if (other.is_in_scan() != is_in_step && same_graph(other.parts, entry.parts)) return other;
    entry.gain.kind = node.attrs.get<std::string>("kind");
    entry.gain.name = title_of_ops(*node.attrs.get<BodyRef>("body"));
    entry.gain.parts_kernels = count_groups(entry.parts);
    entry.gain.estimated_fused_ns = estimated_ns(entry.fused);
    entry.gain.estimated_parts_ns = estimated_ns(entry.parts);
    cases.push_back(std::move(entry));
    return cases.back();
  }
};

/// A step whose kernels are timed, and the group that each belongs to.
class TimedStep {
 public:
  TimedStep(BenchSubject& subject, const BenchBatch& batch, Program program)
      : program_(std::move(program)), steps_(subject.session(), program_, batch) {}

  const Program& program() const { return program_; }

  /// Seconds by the node that a kernel's node comes from.
  std::vector<double> run(const std::vector<int32_t>& origins, size_t count) {
    std::vector<double> seconds(count, 0);
    for (size_t i = 0; i < steps_.size(); ++i) {
      const BenchClock::time_point start = BenchClock::now();
      steps_.run(i);
      const double time = seconds_since(start);
      const int32_t node = program_.facts[i].node;
      if (node >= 0) seconds[static_cast<size_t>(origins[static_cast<size_t>(node)])] += time;
    }
    return seconds;
  }

 private:
  Program program_;
  StepByStep steps_;
};

/// The mean over the group's equals.
double mean_of(const std::vector<double>& seconds, const std::vector<int32_t>& nodes) {
  double sum = 0;
  for (int32_t node : nodes) sum += seconds[static_cast<size_t>(node)];
  return sum / static_cast<double>(nodes.size());
}

double bytes_of_node(const Program& program, const std::vector<int32_t>& origins, int32_t node) {
  double bytes = 0;
  for (const StepFacts& facts : program.facts)
    if (facts.node >= 0 && origins[static_cast<size_t>(facts.node)] == node)
      bytes += facts.work.bytes;
  return bytes;
}

double bytes_of_all(const Program& program) {
  double bytes = 0;
  for (const StepFacts& facts : program.facts) bytes += facts.work.bytes;
  return bytes;
}

}  // namespace

GroupGain::Verdict GroupGain::verdict() const {
  const double difference = parts_time() - fused_time();
  const double noise = kClockSeconds + kNoiseShare * std::min(parts_time(), fused_time());
  const bool agree = (parts.median() > fused.median()) == (difference > 0);
  if (!agree || std::abs(difference) <= noise) return Verdict::Even;
  return difference > 0 ? Verdict::Gains : Verdict::Loses;
}

double GroupGain::gain() const { return (parts_time() - fused_time()) * static_cast<double>(runs); }

std::string_view name(GroupGain::Verdict verdict) {
  constexpr std::string_view kNames[] = {"gains", "even", "loses"};
  return kNames[static_cast<size_t>(verdict)];
}

std::vector<GroupGain> measure_groups(BenchSubject& subject, GraphMode mode,
                                      const BenchBatch& batch, double seconds) {
  const CompileOptions options = subject.workspace().compile_options();
  const Graph fused = subject.workspace().graph(mode, batch.rows, Stage::Fused);
  std::vector<int32_t> same(fused.nodes().size()), origins;
  std::iota(same.begin(), same.end(), 0);
  const Graph split = split_groups(fused, &origins);
  TimedStep fused_step(subject, batch, compile(fused, options));
  Program split_program = compile(split, options);
  split_program.is_serial = fused_step.program().is_serial;
  TimedStep split_step(subject, batch, std::move(split_program));
  GroupCollector collector;
  collector.collect(fused);
  TensorPool pool;
  for (GroupCase& entry : collector.cases) {
    if (!entry.is_in_scan()) {
      entry.gain.saved_bytes = bytes_of_node(split_step.program(), origins, entry.nodes.front()) -
                               bytes_of_node(fused_step.program(), same, entry.nodes.front());
      continue;
    }
    entry.fused_runner = std::make_unique<AloneRunner>(entry.fused, options, pool);
    entry.parts_runner = std::make_unique<AloneRunner>(entry.parts, options, pool);
    entry.gain.saved_bytes =
        bytes_of_all(entry.parts_runner->program()) - bytes_of_all(entry.fused_runner->program());
  }
  BenchClock::time_point start = BenchClock::now();
  for (int round = -kWarmRounds; round < kLeastRounds || seconds_since(start) < seconds; ++round) {
    if (round == 0) start = BenchClock::now();
    const std::vector<double> fused_times = fused_step.run(same, fused.nodes().size());
    const std::vector<double> split_times = split_step.run(origins, fused.nodes().size());
    if (round < 0) continue;
    for (GroupCase& entry : collector.cases) {
      if (entry.is_in_scan()) {
        entry.fused_runner->run(entry.gain.fused);
        entry.parts_runner->run(entry.gain.parts);
      } else {
        entry.gain.fused.add(mean_of(fused_times, entry.nodes));
        entry.gain.parts.add(mean_of(split_times, entry.nodes));
      }
    }
  }
  std::vector<GroupGain> gains;
  for (GroupCase& entry : collector.cases) gains.push_back(std::move(entry.gain));
  return gains;
}

}  // namespace gradc
