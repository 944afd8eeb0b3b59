// The table of subcommands.
#include "tools/commands.h"

#include "runtime/commands/run_commands.h"
#include "tools/model_options.h"

namespace gradc {
namespace {

using ConfigureRun = Action (*)(Flags&, std::shared_ptr<ModelOpener>);

/// A command that every built program has too.
template <ConfigureRun Configure>
Action on_model_file(Flags& flags) {
  return Configure(flags, workspace_opener());
}

const Command kCommands[] = {
    {"check", "Read a model and report its errors and warnings", configure_check},
    {"summary", "Print the layers, their output shapes and parameters",
     on_model_file<configure_summary>},
    {"plot", "Draw the layers of a model, or the curves of a training run", configure_plot},
    {"explain", "Print the chain rule of a small model, number by number", configure_explain},
    {"dump", "Print the graph after a stage of the compiler", configure_dump},
    {"train", "Compile and train a model; report the test metrics", on_model_file<configure_train>},
    {"eval", "Losses and metrics of a trained model on the test data",
     on_model_file<configure_eval>},
    {"predict", "Outputs of a trained model, row by row", on_model_file<configure_predict>},
    {"build", "Write the model as a program, object or library that needs no gradc",
     configure_build},
    {"run", "One evaluation: every tensor that the model names, printed or in a file",
     configure_run},
    {"verify", "Compare compiled code, the interpreter and finite differences", configure_verify},
    {"data", "What the data of a model, or data by itself, looks like", configure_data},
    {"weights", "List the tensors of a file of weights, or write them in another format",
     configure_weights},
    {"bench", "Time a step, fused and unfused", configure_bench},
    {"docs", "Print the page of the standard library", configure_docs},
};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

}  // namespace gradc
