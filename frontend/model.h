// A model file as the tools see it: read and checked once, elaborated into a graph per request.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/diagnostics.h"
#include "ir/graph.h"
#include "runtime/core/layer_row.h"

namespace gradc {

/// What one field of the data looks like: the dtype and the shape of a row.
struct FieldType {
  std::string name;
  DType dtype = DType::F32;
  Shape row_shape;
};

/// A box of the picture of a model: an input or parameter that the model's body reads, something it
/// applies, or an output.
struct LayerNode {
  enum class Kind : uint8_t { Input, Parameter, Layer, Function, Operator, Output };
  Kind kind = Kind::Layer;
  std::string path;                 // "hidden"; empty for an operator
  std::string what;                 // "dense", "... / 255"
  std::vector<std::string> inputs;  // "(None, 784)" of each tensor it is applied to
  std::string output;               // the same of the result
  std::vector<size_t> operands;     // positions of the nodes it reads, all earlier
};

struct ElaborationOptions {
  /// `--set KEY=EXPR`, in order; of two with one key the last counts.
  std::vector<std::pair<std::string, std::string>> overrides;
};

/// What a graph of mode Run is to hold; the other modes ignore it.
struct GraphRequest {
  bool training = false;   // the value of the word `training` in the model
  bool gradients = false;  // add the gradient of its loss for every trained parameter
  bool names = false;      // add every tensor that the model's body binds, as an output
};

/// The model was refused; the findings are in the Diagnostics given to Model::read. what() is the
/// first of them.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// Every member function may throw ModelError after reporting up to 20 errors to the Diagnostics
/// given to `read`, which must outlive the model. Warnings are reported there too.
class Model {
 public:
  /// Reads `path` ("-": stdin) and the files it imports (relative to the importing file), and
  /// checks their names. Throws Error (InputOutput) where a file cannot be read, Error (Usage)
  /// for an override whose key does not exist.
  static Model read(const std::string& path, const ElaborationOptions& options,
                    Diagnostics& diagnostics);
  /// The same for a text in memory; `name` is what messages show and imports are relative to.
  static Model read_text(const std::string& name, std::string text,
                         const ElaborationOptions& options, Diagnostics& diagnostics);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const std::string& name() const;

  /// The evaluated `train` block, always with all of: data (String, as written: "digits",
  /// "mnist(\"dir\")"; "" where the block has none), test (String), batch, eval_batch (Int),
  /// epochs or steps (Int), shuffle (Bool), last_batch (String "keep" or "drop"), seed (Int),
  /// optimizer (String: its name, or "LOSS: NAME, …"; "none" to evaluate only); where initial
  /// values are read: start (String, the file) and start_only (String, patterns by line). Needs no
  /// data.
  const Attrs& settings();

  /// The fields the model reads, in declaration order.
  std::vector<std::string> input_names() const;
  /// Their dtypes, in the same order; nothing where any will do (`float[...]`).
  std::vector<std::optional<DType>> input_dtypes() const;
  /// All of them as declared, also those that no graph reads.
  std::vector<std::pair<Input, Type>> inputs(int64_t rows);
  /// Tells the data's fields; others than the model's inputs are ignored. Checks names (E0901),
  /// dtypes (E0902) and shapes, and binds the free dimensions of the inputs.
  void bind_data(std::span<const FieldType> fields);
  /// Tells how many rows the training data has, for `total_steps` and `steps_per_epoch`.
  void bind_row_count(int64_t training_rows);

  /// A verified graph of the stage `model`: derivatives are `gradient` nodes. `rows` is the size of
  /// the row dimension (ignored for Metrics, which is the same graph for all row counts).
  /// Inputs are those that the outputs depend on: data as declared, then parameters, states, slots
  /// in declaration order, step, seed. Outputs: Train gives new parameters, states, slots and the
  /// step, the loss and what is accumulated of losses and metrics ("accuracy.0"); Evaluate the loss
  /// and accumulators; Predict the outputs; Run all three, and the gradients if wanted; Init the
  /// first values; Metrics every loss and metric of a pass, from the accumulators.
  Graph elaborate(GraphMode mode, int64_t rows, const GraphRequest& request = {});

  /// False where there is nothing to predict: no `output`.
  bool has_outputs(int64_t rows);
  /// For `summary`.
  std::vector<LayerRow> layers(int64_t rows);
  /// For `plot`.
  std::vector<LayerNode> layer_graph(int64_t rows);

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gradc
