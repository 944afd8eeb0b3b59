// The model inside a program that was built ahead of time.
#pragma once
#include "runtime/built_programs.h"
#include "runtime/commands/run_options.h"
#include "runtime/commands/runnable_model.h"

namespace gradc {

class BuiltModel : public RunnableModel {
 public:
  /// Throws as BuiltPrograms does, and Error (Usage) for an override of what is compiled in.
  BuiltModel(const gradc_model& model, const RunOptions& options);

  const std::string& name() const override { return programs_.facts().name; }
  std::string target() const override;
  std::string compiler() const override { return programs_.facts().compiler; }
  std::string step_hash(int64_t rows) override {
    return rows == settings().integer("batch") ? programs_.facts().step_hash : "";
  }
  const BuiltPrograms& programs() const { return programs_; }

  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override {
    return programs_.program(mode, rows);
  }
  void check_rows(GraphMode mode, int64_t rows) override { programs_.program(mode, rows); }
  std::vector<int64_t> parts(GraphMode mode, int64_t rows) override {
    return programs_.parts(mode, rows);
  }
  const NamedTensors* weights() const override {
    return weights_.tensors.empty() ? nullptr : &weights_;
  }
  bool has_initial_values() const override { return programs_.facts().entry == Entry::All; }
  bool is_deterministic() const override { return programs_.is_deterministic(); }
  std::vector<LayerRow> summary_rows() override { return programs_.facts().layers; }

 private:
  DataSource source_of(const std::string& setting) override;
  /// Throws Error (ModelOrData, E0928) where the number of rows is compiled in and is another.
  void on_description(const DataDescription& description) override;

  BuiltPrograms programs_;
  NamedTensors weights_;
};

/// train, eval, predict, summary and info of the model; what main() of a built program is.
int run_built_model(const gradc_model& model, int argc, char** argv);

}  // namespace gradc

/// The same under a name that generated objects can call.
extern "C" int run_model_of_gradc(const gradc_model* model, int argc, char** argv);
