// The graph: an ordered list of nodes over typed values. Nodes are never mutated; a pass copies.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/attrs.h"
#include "ir/op_kind.h"

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

/// What an input is to the runtime.
enum class InputKind : uint8_t {
  Data,         // one batch of a field of the data; the first axis is the rows
  Parameter,    // trained
  Slot,         // optimizer state beside a parameter, named PATH:SLOT
  State,        // stored with the model, not trained
  Step,         // i64[]: updates already made
  Seed,         // i64[]: the run's seed
  Accumulator,  // in a metrics graph: a value accumulated over the batches of a pass, f64
  Operand,      // of a body
};
enum class OutputKind : uint8_t {
  Parameter,
  Slot,
  State,
  Step,    // new (or, in an init graph, initial) values of the inputs of that name
  Loss,    // scalar float
  Metric,  // of a metrics graph: f64[]
  Output,  // what predict returns; the first axis is the rows
  AccumulateSum,
  AccumulateMin,
  AccumulateMax,  // f64; combined over the batches of a pass by this rule
  Gradient,       // named after its parameter
  Result,         // of a body
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

/// What a graph of a module computes.
enum class GraphMode : uint8_t {
  Init,      // initial parameters, slots and states from the seed
  Train,     // one training step
  Evaluate,  // losses and metrics without an update
  Predict,   // outputs
  Run,       // losses, metrics, outputs, gradients of one evaluation
  Metrics,   // metrics and losses of a pass from its accumulators
  Body,      // nested in a node
};

std::string_view name(InputKind kind);
std::string_view name(OutputKind kind);
std::string_view name(GraphMode mode);
std::optional<InputKind> parse_input_kind(std::string_view text);
std::optional<OutputKind> parse_output_kind(std::string_view text);
std::optional<GraphMode> parse_graph_mode(std::string_view text);

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
