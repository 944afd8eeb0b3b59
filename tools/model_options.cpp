// Declares what commands ask of a model that is compiled on the spot.
#include "tools/model_options.h"

#include "tools/workspace.h"

namespace gradc {
namespace {

class WorkspaceOpener : public ModelOpener {
 public:
  void add_flags(Flags& flags, bool executes) override {
    add_model_flags(flags, options_);
    add_data_flags(flags, options_);
    if (executes) add_execution_flags(flags, options_);
  }
  RunOptions& options() override { return options_; }
  std::unique_ptr<RunnableModel> open() override { return std::make_unique<Workspace>(options_); }

 private:
  ModelOptions options_;
};

}  // namespace

void add_model_flags(Flags& flags, ModelOptions& options) {
  flags.add("model", &options.model, "Model (.grad) or dumped graph; - is stdin").required();
  add_setting_flags(flags, options);
}

void add_execution_flags(Flags& flags, ModelOptions& options) {
  add_thread_flags(flags, options);
  flags.add("--unfused", &options.unfused, "Compile each op on its own");
  flags.add("--backend", &options.backend, "auto, or llvm for our own loops only")
      .one_of({"auto", "llvm"});
  flags.add("--cache", &options.cache,
            "Folder of compiled kernels, or off; else $GRADC_CACHE, else ~/.cache/gradc");
  flags.add("--explain-cache", &options.explains_cache,
            "Say for each program whether its kernels were compiled, and why");
  flags.add("--no-guard", &options.unguarded,
            "Training steps do not look for NaN in new parameters");
  flags
      .add("--memory-limit", &options.memory_limit,
           "Bytes (512M, 2G) for intermediate results; values are computed again to keep it")
      .in_bytes();
}

std::shared_ptr<ModelOpener> workspace_opener() { return std::make_shared<WorkspaceOpener>(); }

}  // namespace gradc
