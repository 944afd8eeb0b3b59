// Which nodes would have to be computed again to drop a value for a while, and what that costs.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "ir/memory_outline.h"

namespace gradc {

/// What a copy of a node takes, in the order in which copies are allowed.
enum class Effort : uint8_t { Cheap, Product, Scan };

/// The part of a group that some of its results need.
struct GroupSlice {
  Graph body;
  std::vector<ValueId> operands;  // of the surrounding graph
};

/// A copy of a node that gives some of its results.
struct NodeCopy {
  int32_t node = 0;
  std::vector<bool> results;        // which of the node's
  std::optional<GroupSlice> slice;  // of a group; nothing for a scan
};

/// Copies, operands first, in front of the first late reader of what they give.
struct CopyPlan {
  std::vector<NodeCopy> copies;
  int32_t position = 0;     // of the node behind them
  int64_t saved_bytes = 0;  // where most is alive
  double cost_ns = 0;       // estimated, one thread
  Effort effort = Effort::Cheap;
};

/// The plans for the values that are alive at `peak` without being used there, and that are read
/// later.
std::vector<CopyPlan> plan_copies(const Graph& graph, const MemoryOutline& memory, int32_t peak);

/// The graph with the copies; what reads their results from there on reads the copies.
Graph apply_copies(const Graph& graph, const CopyPlan& plan);

/// The value itself, or what it is a view of.
ValueId viewed_value(const Graph& graph, ValueId value);

}  // namespace gradc
