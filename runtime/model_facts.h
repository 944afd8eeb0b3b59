// What is compiled into an artefact beside code: programs, and all that a run has to know.
#pragma once
#include "runtime/core/layer_row.h"
#include "runtime/data/data_source.h"
#include "runtime/program_fields.h"
#include "runtime/settings.h"

namespace gradc {

/// Whether any program of a mode is there, or only those of prediction.
enum class Entry : uint8_t { All, Predict };

struct ModelFacts {
  std::string name;
  std::string compiler;  // "gradc 0.1.0"
  Settings::Entries settings;
  Entry entry = Entry::All;
  /// The fields the model reads; their dtypes where they are not left open.
  std::vector<std::pair<std::string, std::optional<DType>>> fields_read;
  std::vector<DeclaredField> declared;
  /// For `summary`, with the sizes of a batch.
  std::vector<LayerRow> layers;
  int64_t train_rows = 0;         // of the data it was compiled for; 0: unknown
  bool reads_run_length = false;  // a step depends on the number of rows or of steps
  std::string step_hash;          // RunnableModel::step_hash of a batch
  std::vector<Program> programs;
  /// Trained values that come with it; empty where there are none.
  std::vector<std::pair<std::string, Tensor>> weights;
  std::vector<std::string> kernels;  // names of the functions, in the order of their table
};

template <typename A>
void fields(A& archive, typename A::template Ref<DeclaredField> value) {
  auto& [name, row_type, limit] = value;
  archive(name, row_type, limit);
}

template <typename A>
void fields(A& archive, typename A::template Ref<LayerRow> value) {
  auto& [path, layer, output, shape, parameters, trainable, states, multiply_adds, applications] =
      value;
  archive(path, layer, output, shape, parameters, trainable, states, multiply_adds, applications);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ModelFacts> value) {
  auto& [name, compiler, settings, entry, fields_read, declared, layers, train_rows,
         reads_run_length, step_hash, programs, weights, kernels] = value;
  archive(name, compiler, settings, entry, fields_read, declared, layers, train_rows,
          reads_run_length, step_hash, programs, weights, kernels);
}

}  // namespace gradc
