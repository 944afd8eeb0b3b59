// Programs of one group each, and of its parts, run in turn.
#include "tools/fusion_report.h"

#include <map>

#include "ir/builder.h"
#include "passes/fuse.h"
#include "passes/fusion_cost.h"
#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr int kWarmRounds = 2;
constexpr int kLeastRounds = 9;
/// Of a group in a scan, the first not counted.
constexpr int kRunsInScan = 4;
constexpr uint64_t kSeed = 7;

/// A group as a graph of its own. What is updated in place in the step is so here too.
Graph isolate_group(const Graph& graph, const Node& node) {
  GraphBuilder builder(graph.name, GraphMode::Run, graph.rows);
  const auto updates = [&](size_t operand, const Output& output) {
    if (!graph.is_input(node.operands[operand])) return false;
    const Input& input = graph.inputs()[index(node.operands[operand])];
    return updated_input_kind(output.kind) == input.kind && output.name == input.name;
  };
  const auto output_of = [&](ValueId value) -> const Output* {
    for (const Output& output : graph.outputs())
      if (output.value == value) return &output;
    return nullptr;
  };
  std::vector<ValueId> operands;
  std::vector<const Output*> updated(node.results.size(), nullptr);
  for (size_t i = 0; i < node.operands.size(); ++i) {
    Input input{InputKind::Data, fmt::format("operand{}", i)};
    for (size_t k = 0; k < node.results.size(); ++k) {
      const Output* output = output_of(node.results[k]);
      if (output == nullptr || !updates(i, *output)) continue;
      input = {*updated_input_kind(output->kind), output->name};
      updated[k] = output;
    }
    operands.push_back(builder.input(input.kind, input.name, graph.type(node.operands[i])));
  }
  const std::vector<ValueId> results = builder.add_node(node.kind, operands, node.attrs);
  for (size_t k = 0; k < results.size(); ++k) {
    if (updated[k] != nullptr)
      builder.output(updated[k]->kind, updated[k]->name, results[k]);
    else
      builder.output(OutputKind::Output, fmt::format("result{}", k), results[k]);
  }
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

/// A compiled graph and its memory.
class Runner {
 public:
  Runner(const Graph& graph, const CompileOptions& options, bool is_serial, TensorPool& pool) {
    auto program = std::make_shared<Program>(compile(graph, options));
    program->is_serial = is_serial;
    for (const StepFacts& facts : program->facts) bytes_ += facts.work.bytes;
    name_ = program->facts.front().name;
    kernels_ = program->steps.size();
    std::vector<Type> types;
    for (const ProgramInput& input : program->inputs) types.push_back(input.type);
    for (const ProgramOutput& output : program->outputs) types.push_back(output.type);
    inputs_ = pool.take(types);
    outputs_.assign(inputs_.begin() + static_cast<int64_t>(program->inputs.size()), inputs_.end());
    inputs_.resize(program->inputs.size());
    executor_ = std::make_unique<Executor>(std::move(program));
  }

  void run(Times& times, int runs) {
    for (int i = 0; i < runs; ++i) {
      const BenchClock::time_point start = BenchClock::now();
      executor_->run(inputs_, outputs_);
      if (i > 0 || runs == 1) times.add(seconds_since(start));
    }
  }

  const std::string& name() const { return name_; }
  size_t kernels() const { return kernels_; }
  double bytes() const { return bytes_; }

 private:
  std::string name_;
  size_t kernels_ = 0;
  double bytes_ = 0;
  std::vector<Tensor> inputs_, outputs_;
  std::unique_ptr<Executor> executor_;
};

/// A group, its graph and that of its parts.
struct GroupCase {
  GroupGain gain;
  Graph fused, parts;
  bool is_in_scan = false;
  std::unique_ptr<Runner> fused_runner, parts_runner;
};

/// Adds the groups of a graph that runs `rounds` times and of its scans, equal ones once.
void collect_groups(const Graph& graph, int64_t rounds, const std::string& place, bool is_in_scan,
                    std::vector<GroupCase>& cases) {
  for (const Node& node : graph.nodes()) {
    const std::string name = fmt::format("{}%{}", place, index(node.results.front()));
    if (node.kind == OpKind::Scan)
      collect_groups(*node.attrs.get<BodyRef>("body"), rounds * node.attrs.integer("length"),
                     name + "/", true, cases);
    if (node.kind != OpKind::Group) continue;
    GroupCase entry;
    entry.fused = isolate_group(graph, node);
    entry.parts = split_groups(entry.fused);
    if (count_groups(entry.parts) < 2) continue;
    const auto known = std::find_if(cases.begin(), cases.end(), [&](const GroupCase& other) {
      return other.is_in_scan == is_in_scan && same_graph(other.parts, entry.parts);
    });
    if (known != cases.end()) {
      known->gain.runs += rounds;
      continue;
    }
    entry.is_in_scan = is_in_scan;
    entry.gain.group = name;
    entry.gain.kind = node.attrs.get<std::string>("kind");
    entry.gain.runs = rounds;
    entry.gain.estimated_fused_ns = estimated_ns(entry.fused);
    entry.gain.estimated_parts_ns = estimated_ns(entry.parts);
    cases.push_back(std::move(entry));
  }
}

}  // namespace

GroupGain::Verdict GroupGain::verdict() const {
  if (fused.quantile(0.75) < parts.quantile(0.25)) return Verdict::Gains;
  return parts.quantile(0.75) < fused.quantile(0.25) ? Verdict::Loses : Verdict::Even;
}

double GroupGain::gain() const {
  return (parts.median() - fused.median()) * static_cast<double>(runs);
}

std::string_view name(GroupGain::Verdict verdict) {
  constexpr std::string_view kNames[] = {"gains", "even", "loses"};
  return kNames[static_cast<size_t>(verdict)];
}

std::vector<GroupGain> measure_groups(BenchSubject& subject, GraphMode mode,
                                      const BenchBatch& batch, double seconds) {
  const CompileOptions options = subject.workspace().compile_options();
  const bool is_serial = subject.program(mode, batch).is_serial;
  std::vector<GroupCase> cases;
  collect_groups(subject.workspace().graph(mode, batch.rows, Stage::Fused), 1, "", false, cases);
  TensorPool pool;
  for (GroupCase& entry : cases) {
    const bool runs_alone = is_serial && !entry.is_in_scan;
    entry.fused_runner = std::make_unique<Runner>(entry.fused, options, runs_alone, pool);
    entry.parts_runner = std::make_unique<Runner>(entry.parts, options, runs_alone, pool);
    entry.gain.name = entry.fused_runner->name();
    entry.gain.fused_kernels = entry.fused_runner->kernels();
    entry.gain.parts_kernels = entry.parts_runner->kernels();
    entry.gain.saved_bytes = entry.parts_runner->bytes() - entry.fused_runner->bytes();
  }
  BenchClock::time_point start = BenchClock::now();
  for (int round = 0; round < kWarmRounds + kLeastRounds || seconds_since(start) < seconds;
       ++round) {
    const bool is_warm = round >= kWarmRounds;
    if (round == kWarmRounds) start = BenchClock::now();
    Times unused;
    for (GroupCase& entry : cases)
      entry.fused_runner->run(is_warm ? entry.gain.fused : unused,
                              entry.is_in_scan ? kRunsInScan : 1);
    for (GroupCase& entry : cases)
      entry.parts_runner->run(is_warm ? entry.gain.parts : unused,
                              entry.is_in_scan ? kRunsInScan : 1);
  }
  std::vector<GroupGain> gains;
  for (GroupCase& entry : cases) gains.push_back(std::move(entry.gain));
  return gains;
}

}  // namespace gradc
