// The commands of a program that was built ahead of time.
#include <fmt/core.h>

#include <filesystem>

#include "runtime/commands/built_model.h"
#include "runtime/commands/json_values.h"
#include "runtime/commands/process_age.h"
#include "runtime/commands/run_commands.h"
#include "runtime/threads.h"

namespace gradc {
namespace {

class BuiltOpener : public ModelOpener {
 public:
  explicit BuiltOpener(const gradc_model& model) : model_(model) {}

  void add_flags(Flags& flags, bool executes) override {
    add_setting_flags(flags, options_);
    add_data_flags(flags, options_);
    if (executes) add_thread_flags(flags, options_);
  }
  RunOptions& options() override { return options_; }
  std::unique_ptr<RunnableModel> open() override {
    return std::make_unique<BuiltModel>(model_, options_);
  }

 private:
  const gradc_model& model_;
  RunOptions options_;
};

nlohmann::ordered_json program_as_json(const Program& program) {
  return {{"program", name(program.mode)},     {"rows", program.rows},
          {"steps", program.steps.size()},     {"flop", program.product_flop},
          {"peak_bytes", program.arena_bytes}, {"constant_bytes", program.constants.size_bytes()}};
}

constexpr GraphMode kModes[] = {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate,
                                GraphMode::Metrics, GraphMode::Predict};

void print_info(BuiltModel& model, bool json) {
  const ModelFacts& facts = model.programs().facts();
  nlohmann::ordered_json end = {{"event", "end"},
                                {"model", facts.name},
                                {"compiler", facts.compiler},
                                {"target", model.programs().target()},
                                {"kernels", facts.kernels.size()},
                                {"weights", !facts.weights.empty()},
                                {"deterministic", model.is_deterministic()}};
  if (!json)
    fmt::print("{}, built by {} for {}: {} kernels{}{}\n", facts.name, facts.compiler,
               model.programs().target(), facts.kernels.size(),
               facts.weights.empty() ? "" : ", with weights",
               model.is_deterministic() ? ", deterministic" : "");
  for (const GraphMode mode : kModes)
    for (const int64_t rows : model.programs().rows_of(mode)) {
      const auto program = model.program(mode, rows);
      if (json) {
        print_line(program_as_json(*program));
        continue;
      }
      const std::string title =
          rows > 0 ? fmt::format("{}, {} rows", name(mode), rows) : std::string(name(mode));
      fmt::print("  {:<24} {:>4} steps, {:>10} bytes of scratch memory\n", title,
                 program->steps.size(), program->arena_bytes);
    }
  if (json) print_line(end);
}

Action configure_info(Flags& flags, std::shared_ptr<ModelOpener> opener) {
  opener->add_flags(flags, false);
  return [opener] {
    const std::unique_ptr<RunnableModel> model = opener->open();
    print_info(dynamic_cast<BuiltModel&>(*model), opener->options().json);
    return ExitCode::Done;
  };
}

}  // namespace

int run_built_model(const gradc_model& model, int argc, char** argv) {
  const auto command = [&](auto configure) {
    return [&model, configure](Flags& flags) {
      return configure(flags, std::make_shared<BuiltOpener>(model));
    };
  };
  const Command commands[] = {
      {"train", "Train the model; report the test metrics", command(configure_train)},
      {"eval", "Losses and metrics of the trained model on the test data", command(configure_eval)},
      {"predict", "Outputs of the trained model, row by row", command(configure_predict)},
      {"summary", "Print the layers, their output shapes and parameters",
       command(configure_summary)},
      {"info", "Print what is compiled in, and for which processor", command(configure_info)},
  };
  const std::string program =
      argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "model";
  const CommandLine line = {program, "A model compiled ahead of time by gradc",
                            program + ", built by gradc", commands};
  return run_command_line(line, argc, argv);
}

}  // namespace gradc

int run_model_of_gradc(const gradc_model* model, int argc, char** argv) {
  gradc::configure_thread_waiting(argv);
  gradc::note_main_start();
  return gradc::run_built_model(*model, argc, argv);
}
