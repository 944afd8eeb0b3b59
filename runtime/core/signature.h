// What a graph or program takes and gives: the kinds of its inputs and outputs, and its mode.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace gradc {

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

/// What `averaging` keeps beside a parameter, as the slot PATH:averaging.average: evaluation and
/// prediction read it in the parameter's place.
inline constexpr std::string_view kAveragingPrefix = "averaging.";
inline constexpr std::string_view kAverageSlot = "averaging.average";

/// The number of updates so far, among the state of a model; nothing else there has this name.
inline constexpr std::string_view kStepName = "step";

/// What files of weights call what they say beside tensors.
inline constexpr std::string_view kMetadataName = "__metadata__";
/// Bytes of a name of a tensor in a file.
inline constexpr size_t kMostNameBytes = 4096;

/// Why no parameter or state can have this path, as the end of a sentence; empty where one can.
std::string_view fault_of_path(std::string_view path);

/// What the events of training say beside losses and metrics, and predictions beside outputs: names
/// that those cannot have.
inline constexpr std::string_view kEventFields[] = {
    "event",   "model",         "target",     "threads",     "deterministic", "seed",    "rows",
    "epoch",   "batch",         "steps",      "last_rows",   "seconds",       "step_ms", "message",
    "stopped", "first_step_ms", "compile_ms", "interrupted", "best_epoch"};
inline constexpr std::string_view kRowField = "row";

/// Checkpoints of a run have tensors that are no state, and begin with this.
inline constexpr std::string_view kSumsPrefix = ":sum.";

/// "hidden.kernel:adam.m"; parameters, states and the step have no colon.
inline bool is_slot_name(std::string_view name) { return name.find(':') != name.npos; }

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

/// The kind of the input that an output gives a new value of; nothing for the other outputs.
std::optional<InputKind> updated_input_kind(OutputKind kind);

}  // namespace gradc
