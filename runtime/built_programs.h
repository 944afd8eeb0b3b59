// A model that was compiled ahead of time: finds its programs in an artefact.
#pragma once
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/compiled_model.h"
#include "runtime/model_facts.h"
#include "runtime/model_interface.h"
#include "runtime/session.h"

namespace gradc {

/// The programs of a compiled model with the code that this processor can run. Several threads may
/// share one.
class BuiltPrograms : public ProgramSource {
 public:
  /// Throws Error: InputOutput, E0925 where the processor lacks what the code needs, E0926 where
  /// the object was made for another version of the runtime.
  /// `deterministic`: its programs are so even where they were not built so.
  explicit BuiltPrograms(const gradc_model& model, bool deterministic = false);

  const ModelFacts& facts() const { return facts_; }
  /// What a caller gives and gets.
  const ModelInterface& interface() const { return interface_; }
  /// The same bits for any number of threads?
  bool is_deterministic() const;
  /// "x86-64-v4".
  const char* target() const { return code_->target; }

  /// Throws Error (ModelOrData, E0927) where it was not compiled.
  std::shared_ptr<const Program> program(GraphMode mode, int64_t rows) override;
  std::vector<int64_t> parts(GraphMode mode, int64_t rows) override;
  /// The row counts of the programs of a mode, the largest first.
  std::vector<int64_t> rows_of(GraphMode mode) const;

 private:
  ModelFacts facts_;
  ModelInterface interface_;
  const gradc_code* code_ = nullptr;
  std::map<std::pair<GraphMode, int64_t>, std::shared_ptr<const Program>> programs_;
};

}  // namespace gradc
