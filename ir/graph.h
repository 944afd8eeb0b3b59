// The graph: an ordered list of nodes over typed values. Nodes are never mutated; a pass copies.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/attrs.h"
#include "ir/op_kind.h"
#include "runtime/core/signature.h"

namespace gradc {

/// Index of a value in its graph. Inputs come first, then the results of each node in order, so an
/// operand's id is always smaller than the ids of the results of the node that reads it.
enum class ValueId : uint32_t {};
constexpr uint32_t index(ValueId value) { return static_cast<uint32_t>(value); }

/// Where a node comes from: the place in the model's text and what it is there for.
/// `role` is free text without newlines ("gradient of hidden.kernel"), empty for the forward graph.
struct Origin {
  std::string file;
  int32_t line = 0;
  int32_t column = 0;
  std::string role;
  friend bool operator==(const Origin&, const Origin&) = default;
};
/// May be null: no origin known.
using OriginRef = std::shared_ptr<const Origin>;

struct Node {
  OpKind kind;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Attrs attrs;
  OriginRef origin;
};

struct Input {
  InputKind kind;
  std::string name;
  /// Data of an integer dtype: every element must be in [0, limit); 0 means no limit. The runtime
  /// checks it once when the data is loaded.
  int64_t limit = 0;
};
struct Output {
  OutputKind kind;
  std::string name;
  ValueId value;
};

class Graph {
 public:
  std::string name;
  GraphMode mode = GraphMode::Body;
  /// Size of the row dimension this graph was made for; 0 where there is none.
  int64_t rows = 0;

  std::span<const Input> inputs() const { return inputs_; }
  std::span<const Output> outputs() const { return outputs_; }
  std::span<const Node> nodes() const { return nodes_; }
  size_t value_count() const { return types_.size(); }
  const Type& type(ValueId value) const { return types_[index(value)]; }

  /// The value of input `position`: inputs are values 0, 1, ...
  static ValueId input_value(size_t position) { return static_cast<ValueId>(position); }
  bool is_input(ValueId value) const { return index(value) < inputs_.size(); }
  /// Position in nodes() of the node that makes `value`; -1 for an input.
  int32_t producer(ValueId value) const { return producers_[index(value)]; }
  /// The node that makes `value`, or null for an input.
  const Node* defining_node(ValueId value) const {
    return is_input(value) ? nullptr : &nodes_[static_cast<size_t>(producer(value))];
  }

 private:
  friend class GraphBuilder;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<Node> nodes_;
  std::vector<Type> types_;
  std::vector<int32_t> producers_;
};

/// How often each value is read by nodes and outputs; computed, not kept.
std::vector<int32_t> count_users(const Graph& graph);

/// All graphs of a model (each mode, each row count) and its settings: what a graph file holds.
struct Module {
  std::string name;
  Attrs settings;  // the evaluated `train` block: see docs/ir.md
  std::vector<Graph> graphs;
};

}  // namespace gradc
