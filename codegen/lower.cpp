// Fused graph to program: a block of steps for each group, memory, order.
#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "codegen/compile.h"
#include "codegen/draft.h"
#include "codegen/guard_stores.h"
#include "codegen/input_gradient.h"
#include "codegen/lower_conv.h"
#include "codegen/lower_group.h"
#include "codegen/lower_matmul.h"
#include "codegen/lower_ordered.h"
#include "codegen/lower_scan.h"
#include "codegen/plan_memory.h"
#include "codegen/share_kernels.h"
#include "codegen/work.h"
#include "ir/computing_ops.h"
#include "ir/op.h"
#include "ir/op_cost.h"

namespace gradc {

namespace {

/// Below this a second thread gains less than it costs to move data between the cores.
constexpr double kSerialUpToNs = 40000;
/// One thread's time for one operation of a library call or a scan.
constexpr double kFlopNs = 0.02;

double estimated_ns(const Step& step, const StepFacts& facts) {
  if (const auto* kernel = std::get_if<KernelStep>(&step)) return kernel->cost_ns;
  return facts.work.flop * kFlopNs + facts.work.bytes * kByteCostNs;
}

bool is_serial(const Program& program) {
  double ns = 0;
  for (size_t i = 0; i < program.steps.size(); ++i)
    ns += estimated_ns(program.steps[i], program.facts[i]);
  return program.mode != GraphMode::Body && ns <= kSerialUpToNs;
}

void add_once(std::vector<int32_t>& list, int32_t value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

/// "dot for the gradient of hidden.kernel, mnist.grad:4": a line for each node that knows its
/// place.
std::vector<std::string> notes_of(const Graph& body) {
  std::vector<std::string> notes;
  for (const Node& node : body.nodes()) {
    if (node.origin == nullptr || node.kind == OpKind::Constant) continue;
    const Origin& origin = *node.origin;
    const std::string role = origin.role.empty() ? "" : fmt::format(" for {}", origin.role);
    std::string note =
        fmt::format("{}{}, {}:{}", op_info(node.kind).name, role, origin.file, origin.line);
    if (std::find(notes.begin(), notes.end(), note) == notes.end())
      notes.push_back(std::move(note));
  }
  return notes;
}

class Lowering {
 public:
  Lowering(const Graph& graph, const CompileOptions& options, KernelPool& pool)
      : graph_(graph), options_(options), pool_(pool) {}

  LoweredProgram run();

 private:
  void add_inputs();
  int32_t add_constant(const std::string& name, const Tensor& value);
  int32_t add_numbers(Tensor numbers);
  void add_group(const Node& node);
  void add_scan(const Node& node);
  StepBlock start_block(const Node& node, const Graph& body);
  template <typename LibraryStep>
  void add_call(const Node& node, StepBlock& block, const LibraryStep& call);
  void add_ordered(const Node& node, const Graph& body, StepBlock& block) const;
  LoweredGroup add_kernels(const Graph& body, const std::vector<int32_t>& operands,
                           const std::vector<int32_t>& results, StepBlock& block);
  void add_loops(const Node& node, const Graph& body, StepBlock& block);
  void add_in_place(const Node& node, const LoweredGroup& lowered, StepBlock& block) const;
  KernelStep add_kernel(loop::Kernel kernel);
  void emit(const std::vector<int32_t>& order);
  void outline(const std::vector<int32_t>& order);

  void find_state_values();
  std::vector<GuardedBuffer> guarded_buffers(const std::vector<GroupBuffer>& buffers,
                                             const std::vector<int32_t>& results);
  int32_t guard_storage();

  int32_t storage_of(ValueId value) const { return draft_.value_storage[index(value)]; }
  void set_storage(ValueId value, int32_t storage) { draft_.value_storage[index(value)] = storage; }

  const Graph& graph_;
  const CompileOptions& options_;
  Draft draft_;
  LoweredProgram lowered_;
  std::vector<const Tensor*> constants_;
  std::deque<Tensor> numbers_;  // taken out of kernels
  int64_t constant_bytes_ = 0;
  std::string bodies_;  // reports of scans
  /// Of a training step: the float outputs that are new values of inputs, by the value that a node
  /// computes for them.
  std::map<ValueId, std::vector<size_t>> state_values_;
  std::map<int32_t, ValueId> state_storages_;  // of those
  std::set<size_t> guarded_outputs_;
  int32_t guard_ = -1;
  KernelPool& pool_;
};

void Lowering::add_inputs() {
  for (size_t i = 0; i < graph_.inputs().size(); ++i) {
    const Input& input = graph_.inputs()[i];
    const Type& type = graph_.type(Graph::input_value(i));
    lowered_.program.inputs.push_back({input.kind, input.name, type, input.limit});
    set_storage(Graph::input_value(i), draft_.add_storage({input.name, type.size_bytes(),
                                                           Place::Input, static_cast<int64_t>(i)}));
  }
}

/// `value` outlives the lowering or shares its memory with one that does.
int32_t Lowering::add_constant(const std::string& name, const Tensor& value) {
  const int32_t storage =
      draft_.add_storage({name, value.size_bytes(), Place::Constant, constant_bytes_});
  constants_.push_back(&value);
  constant_bytes_ += round_to_alignment(value.size_bytes());
  return storage;
}

StepBlock Lowering::start_block(const Node& node, const Graph& body) {
  StepBlock block;
  block.name = node.kind == OpKind::Scan ? "scan" : title_of_ops(body);
  block.node = graph_.producer(node.results.front());
  if (node.kind == OpKind::Group) block.reason = node.attrs.get<std::string>("reason");
  for (ValueId operand : node.operands) add_once(block.reads, storage_of(operand));
  for (size_t i = 0; i < node.results.size(); ++i) {
    const std::string name =
        node.results.size() == 1 ? block.name : fmt::format("{}:{}", block.name, i);
    const int64_t bytes = graph_.type(node.results[i]).size_bytes();
    const int32_t storage = draft_.add_storage({name, bytes});
    set_storage(node.results[i], storage);
    if (state_values_.contains(node.results[i])) state_storages_[storage] = node.results[i];
    block.writes.push_back(storage);
  }
  return block;
}

void Lowering::add_group(const Node& node) {
  const Graph& body = *node.attrs.get<BodyRef>("body");
  const std::string& kind = node.attrs.get<std::string>("kind");
  CHECK(kind == "loop" || kind == "matmul" || kind == "conv" || kind == "ordered",
        "a group of kind {}", kind);
  StepBlock block = start_block(node, body);
  const bool may_use_onednn = options_.backend == Backend::Auto;
  const auto product = kind == "matmul" && may_use_onednn ? lower_matmul(body) : std::nullopt;
  const auto convolution = kind == "conv" && may_use_onednn ? lower_conv(body) : std::nullopt;
  if (product)
    add_call(node, block, *product);
  else if (convolution)
    add_call(node, block, *convolution);
  else if (kind == "ordered")
    add_ordered(node, body, block);
  else
    add_loops(node, body, block);
  draft_.blocks.push_back(std::move(block));
}

void Lowering::add_scan(const Node& node) {
  ScanPlan plan = plan_scan(node);
  StepBlock block = start_block(node, plan.body);
  LoweredProgram round = Lowering(plan.body, options_, pool_).run();
  ScanStep step = std::move(plan.step);
  step.name = block.name;
  for (const ScanPlan::Buffer& buffer : plan.buffers) {
    const auto position = static_cast<size_t>(buffer.position);
    switch (buffer.source) {
      case ScanPlan::Buffer::Source::Operand:
        step.buffers.push_back(storage_of(node.operands.at(position)));
        break;
      case ScanPlan::Buffer::Source::Result:
        step.buffers.push_back(storage_of(node.results.at(position)));
        break;
      case ScanPlan::Buffer::Source::Spare:
        block.scratch.push_back(draft_.add_storage(
            {fmt::format("scan:carry{}", position), step.carries.at(position).bytes}));
        step.buffers.push_back(block.scratch.back());
        break;
    }
  }
  if (round.program.arena_bytes > 0) {
    block.scratch.push_back(draft_.add_storage({"scan:arena", round.program.arena_bytes}));
    step.arena = static_cast<int32_t>(step.buffers.size());
    step.buffers.push_back(block.scratch.back());
  }
  block.backend = "loop";
  block.reason = fmt::format("{} steps a round", round.program.steps.size());
  bodies_ += fmt::format("round of the scan that makes b{}:\n{}",
                         block.writes.empty() ? -1 : block.writes[0], round.report);
  step.body = std::make_shared<Program>(std::move(round.program));
  block.steps.push_back(std::move(step));
  draft_.blocks.push_back(std::move(block));
}

/// Positions of the body's inputs and outputs become storages.
template <typename LibraryStep>
void Lowering::add_call(const Node& node, StepBlock& block, const LibraryStep& call) {
  const auto operand = [&](int32_t position) {
    return storage_of(node.operands[static_cast<size_t>(position)]);
  };
  LibraryStep step = call;
  step.name = block.name;
  step.lhs = operand(call.lhs);
  step.rhs = operand(call.rhs);
  step.bias = call.bias < 0 ? -1 : operand(call.bias);
  step.out = storage_of(node.results[static_cast<size_t>(call.out)]);
  block.backend = "onednn";
  block.steps.push_back(std::move(step));
}

void Lowering::add_ordered(const Node& node, const Graph& body, StepBlock& block) const {
  OrderedStep step = lower_ordered(body);
  step.name = block.name;
  step.from = storage_of(node.operands[0]);
  step.to = storage_of(node.results[0]);
  block.backend = "own";
  block.steps.push_back(std::move(step));
}

/// Kernels of a group whose operands and results are these storages.
LoweredGroup Lowering::add_kernels(const Graph& body, const std::vector<int32_t>& operands,
                                   const std::vector<int32_t>& results, StepBlock& block) {
  LoweredGroup lowered = lower_group(body, block.name);
  const size_t first_scratch = block.scratch.size();
  for (size_t i = 0; i < lowered.scratch_bytes.size(); ++i)
    block.scratch.push_back(
        draft_.add_storage({fmt::format("{}:scratch{}", block.name, i), lowered.scratch_bytes[i]}));
  for (GroupKernel& group_kernel : lowered.kernels) {
    CHECK(group_kernel.buffers.size() == group_kernel.kernel.pointer_count(), "kernel {}",
          group_kernel.kernel.name);
    const std::vector<Tensor> numbers = take_out_numbers(group_kernel.kernel);
    const bool is_guarded =
        guard_stores(group_kernel.kernel, guarded_buffers(group_kernel.buffers, results));
    group_kernel.kernel.notes = notes_of(body);
    KernelStep step = add_kernel(std::move(group_kernel.kernel));
    for (const GroupBuffer& buffer : group_kernel.buffers) {
      const auto position = static_cast<size_t>(buffer.position);
      switch (buffer.source) {
        case GroupBuffer::Source::Operand:
          step.buffers.push_back(operands.at(position));
          break;
        case GroupBuffer::Source::Result:
          step.buffers.push_back(results.at(position));
          break;
        case GroupBuffer::Source::Scratch:
          step.buffers.push_back(block.scratch.at(first_scratch + position));
          break;
      }
    }
    for (const Tensor& buffer : numbers) step.buffers.push_back(add_numbers(buffer));
    if (is_guarded) step.buffers.push_back(guard_storage());
    block.steps.push_back(std::move(step));
  }
  return lowered;
}

void Lowering::find_state_values() {
  if (graph_.mode != GraphMode::Train || !options_.guards) return;
  for (size_t i = 0; i < graph_.outputs().size(); ++i) {
    const Output& output = graph_.outputs()[i];
    if (!updated_input_kind(output.kind) || !is_float(graph_.type(output.value).dtype)) continue;
    ValueId value = output.value;
    for (const Node* node = graph_.defining_node(value);
         node != nullptr && node->kind == OpKind::Reshape; node = graph_.defining_node(value))
      value = node->operands[0];
    if (!graph_.is_input(value)) state_values_[value].push_back(i);
  }
}

/// The results among a kernel's buffers that are new values of state.
std::vector<GuardedBuffer> Lowering::guarded_buffers(const std::vector<GroupBuffer>& buffers,
                                                     const std::vector<int32_t>& results) {
  std::vector<GuardedBuffer> guarded;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].source != GroupBuffer::Source::Result) continue;
    const auto found = state_storages_.find(results.at(static_cast<size_t>(buffers[i].position)));
    if (found == state_storages_.end()) continue;
    bool admits_infinity = true;
    for (const size_t output : state_values_.at(found->second)) {
      guarded_outputs_.insert(output);
      admits_infinity &= graph_.outputs()[output].kind == OutputKind::State;
    }
    guarded.push_back({static_cast<int32_t>(i), admits_infinity});
  }
  return guarded;
}

int32_t Lowering::guard_storage() {
  if (guard_ < 0) guard_ = draft_.add_storage({"guard", kGuardBytes, Place::Guard});
  return guard_;
}

void Lowering::add_loops(const Node& node, const Graph& body, StepBlock& block) {
  block.backend = "llvm";
  std::vector<int32_t> operands, results;
  for (ValueId operand : node.operands) operands.push_back(storage_of(operand));
  for (ValueId result : node.results) results.push_back(storage_of(result));
  const std::optional<InputGradient> gradient = as_convolution(body);
  if (!gradient) return add_in_place(node, add_kernels(body, operands, results, block), block);
  const auto prepare = [&](const Graph& graph, ValueId read) {
    const Type& type = graph.type(graph.outputs()[0].value);
    const int32_t made = draft_.add_storage({block.name + ":prepared", type.size_bytes()});
    block.scratch.push_back(made);
    add_kernels(graph, {operands.at(index(read))}, {made}, block);
    return made;
  };
  const Node& op = body.nodes().front();
  const int32_t images = prepare(gradient->padded, op.operands[0]);
  const int32_t kernel = prepare(gradient->turned, op.operands[1]);
  add_kernels(gradient->convolution, {images, kernel}, results, block);
}

/// A storage that stands behind several operands may be written only if each of them allows it.
void Lowering::add_in_place(const Node& node, const LoweredGroup& lowered, StepBlock& block) const {
  for (const auto& [operand, result] : lowered.in_place) {
    const int32_t read = storage_of(node.operands.at(static_cast<size_t>(operand)));
    const int32_t written = storage_of(node.results.at(static_cast<size_t>(result)));
    bool is_allowed = draft_.storage(read).bytes == draft_.storage(written).bytes;
    for (size_t other = 0; other < node.operands.size(); ++other) {
      const std::pair<int32_t, int32_t> pair{static_cast<int32_t>(other), result};
      if (storage_of(node.operands[other]) == read &&
          std::find(lowered.in_place.begin(), lowered.in_place.end(), pair) ==
              lowered.in_place.end())
        is_allowed = false;
    }
    const std::pair<int32_t, int32_t> storages{read, written};
    if (is_allowed &&
        std::find(block.in_place.begin(), block.in_place.end(), storages) == block.in_place.end())
      block.in_place.push_back(storages);
  }
}

int32_t Lowering::add_numbers(Tensor numbers) {
  numbers_.push_back(std::move(numbers));
  return add_constant("numbers", numbers_.back());
}

KernelStep Lowering::add_kernel(loop::Kernel kernel) {
  KernelStep step;
  step.extent = kernel.parallel_extent();
  step.grain = kernel.parallel_grain();
  step.cost_ns = kernel.cost_ns();
  step.work = work_of(kernel);
  std::string wanted = kernel.name;
  const auto [known, is_new] = pool_.names.try_emplace(sharing_key(kernel), wanted);
  if (is_new) {
    for (int count = 2; !pool_.used_names.insert(wanted).second; ++count)
      wanted = fmt::format("{}.{}", known->second, count);
    known->second = wanted;
    kernel.name = wanted;
    pool_.kernels.push_back(std::move(kernel));
  }
  step.name = known->second;
  return step;
}

void Lowering::emit(const std::vector<int32_t>& order) {
  Program& program = lowered_.program;
  for (const Storage& storage : draft_.storages)
    program.buffers.push_back({storage.place, storage.offset, storage.bytes});
  for (int32_t position : order) {
    const StepBlock& block = draft_.blocks[static_cast<size_t>(position)];
    for (const Step& step : block.steps) {
      program.steps.push_back(step);
      program.facts.push_back(facts_of(draft_, block, step));
    }
  }
  program.product_flop = product_flop(graph_);
  program.is_serial = is_serial(program);
}

void Lowering::outline(const std::vector<int32_t>& order) {
  MemoryOutline& memory = lowered_.memory;
  memory.arena_bytes = lowered_.program.arena_bytes;
  memory.node_time.assign(graph_.nodes().size(), -1);
  for (size_t time = 0; time < order.size(); ++time) {
    const int32_t node = draft_.blocks[static_cast<size_t>(order[time])].node;
    if (node >= 0) memory.node_time[static_cast<size_t>(node)] = static_cast<int32_t>(time);
  }
  for (int32_t storage : draft_.value_storage)
    memory.in_arena.push_back(draft_.storage(storage).place == Place::Arena);
}

LoweredProgram Lowering::run() {
  Program& program = lowered_.program;
  program.name = graph_.name;
  program.mode = graph_.mode;
  program.rows = graph_.rows;
  program.is_deterministic = options_.is_deterministic;
  draft_.value_storage.assign(graph_.value_count(), -1);
  find_state_values();
  add_inputs();
  for (const Node& node : graph_.nodes()) {
    if (node.kind == OpKind::Constant)
      set_storage(node.results[0], add_constant("constant", node.attrs.get<Tensor>("value")));
    else if (node.kind == OpKind::Reshape)
      set_storage(node.results[0], storage_of(node.operands[0]));
    else if (node.kind == OpKind::Group)
      add_group(node);
    else if (node.kind == OpKind::Scan)
      add_scan(node);
    else
      CHECK(false, "{} in {} is in no group", op_info(node.kind).name, graph_.name);
  }
  program.constants = Tensor(DType::U8, Shape{constant_bytes_});
  std::byte* target = program.constants.raw();
  for (const Tensor* constant : constants_) {
    if (!constant->is_empty())
      std::memcpy(target, constant->raw(), static_cast<size_t>(constant->size_bytes()));
    target += round_to_alignment(constant->size_bytes());
  }
  program.outputs = place_outputs(graph_, draft_);
  for (const auto& [value, outputs] : state_values_)
    for (const size_t output : outputs)
      if (!guarded_outputs_.contains(output))
        program.unguarded.push_back(static_cast<int32_t>(output));
  const std::vector<int32_t> order = order_blocks(draft_);
  const std::string plan = place_arena(draft_, order, program, lowered_.memory.alive);
  emit(order);
  outline(order);
  lowered_.report = describe_program(draft_, order, program) + plan + bodies_;
  return std::move(lowered_);
}

}  // namespace

LoweredProgram lower(const Graph& fused, const CompileOptions& options, KernelPool& pool) {
  return Lowering(fused, options, pool).run();
}

LoweredProgram lower(const Graph& fused, const CompileOptions& options) {
  KernelPool pool;
  LoweredProgram lowered = lower(fused, options, pool);
  lowered.kernels = std::move(pool.kernels);
  return lowered;
}

}  // namespace gradc
