// Declares the shared flags.
#include "tools/model_options.h"

#include "runtime/core/error.h"

namespace gradc {

void add_model_flags(CLI::App& app, ModelOptions& options) {
  app.add_option("model", options.model, "Model (.grad) or dumped graph; - is stdin")->required();
  app.add_option("--set", options.sets,
                 "KEY=EXPR overrides an entry of the train block, model.NAME or optimizer.NAME")
      ->allow_extra_args(false);
  app.add_flag("--json", options.json, "One JSON object a line on stdout");
}

void add_data_flags(CLI::App& app, ModelOptions& options) {
  app.add_option("--data", options.data, "Built-in data, or a file or folder of data");
  app.add_option("--batch", options.batch, "Rows of a batch")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 30));
  app.add_option("--seed", options.seed, "Seed of all random numbers")
      ->check(CLI::Range(int64_t{0}, (int64_t{1} << 62)));
}

void add_execution_flags(CLI::App& app, ModelOptions& options) {
  app.add_option("--threads", options.threads, "Threads; 0 means all cores")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--unfused", options.unfused, "Compile each op on its own");
  app.add_option("--backend", options.backend, "auto, or llvm for our own loops only")
      ->check(CLI::IsMember({"auto", "llvm"}));
  app.add_option("--cache", options.cache,
                 "Folder of compiled kernels, or off; else $GRADC_CACHE, else ~/.cache/gradc");
  app.add_flag("--explain-cache", options.explains_cache,
               "Say for each program whether its kernels were compiled, and why");
}

std::vector<std::pair<std::string, std::string>> overrides(const ModelOptions& options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : options.sets) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ExitCode::Usage, "",
                  fmt::format("--set wants KEY=EXPR, got `{}`; for instance --set batch=64", text));
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  const std::pair<std::string_view, std::optional<int64_t>> shorthands[] = {
      {"batch", options.batch}, {"epochs", options.epochs}, {"seed", options.seed}};
  for (const auto& [key, value] : shorthands) {
    if (!value) continue;
    for (const auto& [set_key, expression] : pairs)
      if (set_key == key && expression != std::to_string(*value))
        throw Error(ExitCode::Usage, "",
                    fmt::format("--{} {} contradicts --set {}={}", key, *value, key, expression));
    pairs.emplace_back(key, std::to_string(*value));
  }
  return pairs;
}

}  // namespace gradc
