// Lives of values, slices of groups, and the rewriting of the graph.
#include "passes/recompute_plan.h"

#include <algorithm>
#include <limits>
#include <map>

#include "ir/builder.h"
#include "ir/convolution_shape.h"
#include "ir/iteration.h"
#include "ir/matmul_pattern.h"
#include "ir/op.h"
#include "passes/fusion_cost.h"
#include "passes/prune_scan.h"

namespace gradc {
namespace {

/// Bounds the time of a search.
constexpr size_t kMaxCopies = 12;
/// An operand that is this much smaller than what it saves may as well live longer.
constexpr int64_t kSmallShare = 8;
/// One thread's time for one operation of a library call.
constexpr double kFlopNs = 0.01;
constexpr int32_t kForever = std::numeric_limits<int32_t>::max();

bool has_product(const Graph& body) {
  return std::any_of(body.nodes().begin(), body.nodes().end(), [](const Node& node) {
    return node.kind == OpKind::Dot || is_convolution(node.kind);
  });
}

double library_flop(const Graph& body) {
  for (const Node& node : body.nodes())
    if (is_convolution(node.kind))
      return 2.0 * static_cast<double>(convolution_shape(body, node).multiplications());
  const std::optional<MatmulPattern> product = match_matmul(body);
  if (!product) return 0;
  return 2.0 * static_cast<double>(product->outer * product->batch) *
         static_cast<double>(product->m) * static_cast<double>(product->n) *
         static_cast<double>(product->k);
}

/// One thread's time for a group; nothing where its body cannot be one.
std::optional<double> group_ns(const std::string& kind, const Graph& body) {
  if (kind != "loop") return library_flop(body) * kFlopNs + kGroupOverheadNs;
  const auto analysis = analyze_group(body);
  const auto* accepted = std::get_if<GroupAnalysis>(&analysis);
  if (accepted == nullptr) return std::nullopt;
  return estimate_cost_ns(body, *accepted) + kGroupOverheadNs;
}

double scan_ns(const Node& scan) {
  double round = 0;
  for (const Node& node : scan.attrs.get<BodyRef>("body")->nodes()) {
    if (node.kind == OpKind::Scan) round += scan_ns(node);
    if (node.kind != OpKind::Group) continue;
    round +=
        group_ns(node.attrs.get<std::string>("kind"), *node.attrs.get<BodyRef>("body")).value_or(0);
  }
  return round * static_cast<double>(scan.attrs.integer("length"));
}

/// When each value is computed and read; views are read where what they show is.
class Lives {
 public:
  Lives(const Graph& graph, const MemoryOutline& memory)
      : graph_(graph),
        memory_(memory),
        readers_(graph.value_count()),
        last_(graph.value_count(), -1) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      const int32_t time = memory.node_time[n];
      if (time < 0) continue;
      for (ValueId operand : graph.nodes()[n].operands) {
        const ValueId value = viewed_value(graph, operand);
        readers_[index(value)].push_back(static_cast<int32_t>(n));
        last_[index(value)] = std::max(last_[index(value)], time);
      }
    }
    for (const Output& output : graph.outputs())
      last_[index(viewed_value(graph, output.value))] = kForever;
  }

  int32_t time(int32_t node) const { return memory_.node_time[static_cast<size_t>(node)]; }
  int32_t last(ValueId value) const { return last_[index(value)]; }
  /// The nodes that read it.
  const std::vector<int32_t>& readers(ValueId value) const { return readers_[index(value)]; }
  bool in_arena(ValueId value) const { return memory_.in_arena[index(value)]; }
  /// Can a node that runs at `time` read the value at no cost?
  bool is_there(ValueId value, int32_t time) const {
    return !in_arena(value) || last(value) >= time;
  }
  int64_t bytes(ValueId value) const { return graph_.type(value).size_bytes(); }

  /// Alive at `peak` for later readers only.
  bool waits_at(ValueId value, int32_t peak) const {
    if (!in_arena(value) || last(value) <= peak || last(value) == kForever) return false;
    return std::none_of(readers(value).begin(), readers(value).end(),
                        [&](int32_t reader) { return time(reader) == peak; });
  }

 private:
  const Graph& graph_;
  const MemoryOutline& memory_;
  std::vector<std::vector<int32_t>> readers_;  // by value
  std::vector<int32_t> last_;
};

/// Puts one plan together.
class Planner {
 public:
  Planner(const Graph& graph, const Lives& lives, int32_t peak)
      : graph_(graph), lives_(lives), peak_(peak) {}

  std::optional<CopyPlan> plan(int32_t node, const std::vector<bool>& results) {
    plan_ = {};
    time_ = kForever;
    plan_.position = kForever;
    const Node& maker = graph_.nodes()[static_cast<size_t>(node)];
    for (size_t k = 0; k < results.size(); ++k) {
      if (!results[k]) continue;
      plan_.saved_bytes += lives_.bytes(maker.results[k]);
      for (int32_t reader : lives_.readers(maker.results[k])) {
        if (lives_.time(reader) <= peak_) continue;
        plan_.position = std::min(plan_.position, reader);
        time_ = std::min(time_, lives_.time(reader));
      }
    }
    small_ = plan_.saved_bytes / kSmallShare;
    if (!add(node, results) || plan_.saved_bytes <= 0) return std::nullopt;
    return std::move(plan_);
  }

 private:
  /// Appends a copy of the node behind copies of its operands.
  bool add(int32_t position, const std::vector<bool>& results) {
    if (plan_.copies.size() >= kMaxCopies || position >= plan_.position) return false;
    const Node& node = graph_.nodes()[static_cast<size_t>(position)];
    NodeCopy copy{position, results, std::nullopt};
    std::vector<ValueId> operands;
    if (node.kind == OpKind::Scan) {
      const std::vector<bool> used = used_operands(node, results);
      for (size_t i = 0; i < used.size(); ++i)
        if (used[i]) operands.push_back(node.operands[i]);
      plan_.cost_ns += scan_ns(node);
      plan_.effort = Effort::Scan;
    } else {
      copy.slice = slice(node, results);
      const std::string& kind = node.attrs.get<std::string>("kind");
      const std::optional<double> cost = group_ns(kind, copy.slice->body);
      if (!cost) return false;
      operands = copy.slice->operands;
      plan_.cost_ns += *cost;
      if (kind != "loop" || has_product(copy.slice->body))
        plan_.effort = std::max(plan_.effort, Effort::Product);
    }
    for (ValueId operand : operands)
      if (!provide(viewed_value(graph_, operand))) return false;
    plan_.copies.push_back(std::move(copy));
    return true;
  }

  /// Makes a value readable for the copies: it is, it lives longer, or it is computed again too.
  bool provide(ValueId value) {
    if (lives_.is_there(value, time_) || is_copied(value)) return true;
    const int64_t bytes = lives_.bytes(value);
    if (bytes <= small_) {
      if (lives_.last(value) < peak_) plan_.saved_bytes -= bytes;
      return true;
    }
    const int32_t maker = graph_.producer(value);
    const Node& node = graph_.nodes()[static_cast<size_t>(maker)];
    std::vector<bool> results(node.results.size());
    for (size_t k = 0; k < results.size(); ++k) results[k] = node.results[k] == value;
    return add(maker, results);
  }

  bool is_copied(ValueId value) const {
    return std::any_of(plan_.copies.begin(), plan_.copies.end(), [&](const NodeCopy& copy) {
      const Node& node = graph_.nodes()[static_cast<size_t>(copy.node)];
      for (size_t k = 0; k < copy.results.size(); ++k)
        if (copy.results[k] && node.results[k] == value) return true;
      return false;
    });
  }

  /// What the results need of a group; it starts from other results of the group that are there.
  GroupSlice slice(const Node& node, const std::vector<bool>& wanted) const {
    const Graph& body = *node.attrs.get<BodyRef>("body");
    const bool may_cut = node.attrs.get<std::string>("kind") == "loop";
    std::map<ValueId, ValueId> given;  // of the body, as the outer value
    for (size_t i = 0; i < node.operands.size(); ++i)
      given[Graph::input_value(i)] = node.operands[i];
    for (size_t k = 0; may_cut && k < wanted.size(); ++k)
      if (!wanted[k] && lives_.is_there(node.results[k], time_))
        given.try_emplace(body.outputs()[k].value, node.results[k]);
    for (size_t k = 0; k < wanted.size(); ++k)
      if (wanted[k] && !body.is_input(body.outputs()[k].value))
        given.erase(body.outputs()[k].value);
    std::vector<bool> needed(body.value_count());
    for (size_t k = 0; k < wanted.size(); ++k)
      if (wanted[k]) needed[index(body.outputs()[k].value)] = true;
    for (size_t n = body.nodes().size(); n-- > 0;)
      for (ValueId result : body.nodes()[n].results)
        if (needed[index(result)] && given.count(result) == 0)
          for (ValueId operand : body.nodes()[n].operands) needed[index(operand)] = true;
    return copy_needed(body, wanted, needed, given);
  }

  static GroupSlice copy_needed(const Graph& body, const std::vector<bool>& wanted,
                                const std::vector<bool>& needed,
                                const std::map<ValueId, ValueId>& given) {
    GroupSlice slice;
    GraphBuilder builder(body.name, GraphMode::Body);
    std::vector<ValueId> map(body.value_count());
    for (const auto& [inner, outer] : given) {
      if (!needed[index(inner)]) continue;
      map[index(inner)] = builder.input(
          InputKind::Operand, fmt::format("a{}", slice.operands.size()), body.type(inner));
      slice.operands.push_back(outer);
    }
    for (const Node& node : body.nodes()) {
      const bool is_used = std::any_of(
          node.results.begin(), node.results.end(),
          [&](ValueId result) { return needed[index(result)] && given.count(result) == 0; });
      if (!is_used) continue;
      std::vector<ValueId> operands;
      for (ValueId operand : node.operands) operands.push_back(map[index(operand)]);
      const std::vector<ValueId> copies = builder.copy_node(body, node, std::move(operands));
      for (size_t k = 0; k < copies.size(); ++k)
        if (given.count(node.results[k]) == 0) map[index(node.results[k])] = copies[k];
    }
    size_t count = 0;
    for (size_t k = 0; k < wanted.size(); ++k)
      if (wanted[k])
        builder.output(OutputKind::Result, fmt::format("r{}", count++),
                       map[index(body.outputs()[k].value)]);
    slice.body = std::move(builder).build();
    return slice;
  }

  const Graph& graph_;
  const Lives& lives_;
  int32_t peak_;
  CopyPlan plan_;
  int32_t time_ = 0;   // of the first late reader
  int64_t small_ = 0;  // bytes
};

void copy_group(Rewriter& rewriter, const Node& node, const NodeCopy& copy) {
  rewriter.builder().set_origin(node.origin);
  const std::vector<ValueId> results = rewriter.builder().add_node(
      OpKind::Group, rewriter.map(copy.slice->operands),
      {{"kind", node.attrs.get<std::string>("kind")},
       {"body", std::make_shared<const Graph>(copy.slice->body)},
       {"reason", std::string("computed again, which needs less memory than to keep it")}});
  size_t next = 0;
  for (size_t k = 0; k < copy.results.size(); ++k)
    if (copy.results[k]) rewriter.replace(node.results[k], results[next++]);
}

/// The views of what was copied, as those of the copies.
void copy_views(Rewriter& rewriter, const Graph& graph, int32_t position,
                const std::vector<bool>& is_copied) {
  for (int32_t n = 0; n < position; ++n) {
    const Node& node = graph.nodes()[static_cast<size_t>(n)];
    if (node.kind != OpKind::Reshape || !is_copied[index(viewed_value(graph, node.results[0]))])
      continue;
    rewriter.builder().set_origin(node.origin);
    rewriter.replace(
        node.results[0],
        rewriter.builder().add(OpKind::Reshape, rewriter.map(node.operands), node.attrs));
  }
}

}  // namespace

ValueId viewed_value(const Graph& graph, ValueId value) {
  while (!graph.is_input(value) && graph.defining_node(value)->kind == OpKind::Reshape)
    value = graph.defining_node(value)->operands[0];
  return value;
}

std::vector<CopyPlan> plan_copies(const Graph& graph, const MemoryOutline& memory, int32_t peak) {
  const Lives lives(graph, memory);
  Planner planner(graph, lives, peak);
  std::vector<CopyPlan> plans;
  const auto consider = [&](int32_t node, const std::vector<bool>& results) {
    if (std::optional<CopyPlan> plan = planner.plan(node, results))
      plans.push_back(*std::move(plan));
  };
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto position = static_cast<int32_t>(n);
    const int32_t time = memory.node_time[n];
    if (time < 0 || time >= peak) continue;
    const Node& node = graph.nodes()[n];
    std::vector<bool> waiting;
    for (ValueId result : node.results) waiting.push_back(lives.waits_at(result, peak));
    const auto count = std::count(waiting.begin(), waiting.end(), true);
    if (count > 1) consider(position, waiting);
    for (size_t k = 0; k < waiting.size(); ++k) {
      if (!waiting[k]) continue;
      std::vector<bool> single(waiting.size());
      single[k] = true;
      consider(position, single);
    }
  }
  return plans;
}

Graph apply_copies(const Graph& graph, const CopyPlan& plan) {
  Rewriter rewriter(graph);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    if (static_cast<int32_t>(n) == plan.position) {
      std::vector<bool> is_copied(graph.value_count());
      for (const NodeCopy& copy : plan.copies) {
        const Node& node = graph.nodes()[static_cast<size_t>(copy.node)];
        if (copy.slice)
          copy_group(rewriter, node, copy);
        else
          copy_used_scan(rewriter, node, copy.results);
        for (size_t k = 0; k < copy.results.size(); ++k)
          if (copy.results[k]) is_copied[index(node.results[k])] = true;
        copy_views(rewriter, graph, plan.position, is_copied);
      }
    }
    rewriter.copy(graph.nodes()[n]);
  }
  return std::move(rewriter).finish();
}

}  // namespace gradc
