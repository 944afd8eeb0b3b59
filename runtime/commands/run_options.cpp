// Declares the shared flags.
#include "runtime/commands/run_options.h"

#include "runtime/core/error.h"

namespace gradc {

void add_setting_flags(Flags& flags, RunOptions& options) {
  flags
      .add("--set", &options.sets,
           "KEY=EXPR overrides an entry of the train block, model.NAME or optimizer.NAME")
      .one_at_a_time();
  flags.add("--json", &options.json, "One JSON object a line on stdout");
}

void add_data_flags(Flags& flags, RunOptions& options) {
  flags.add("--data", &options.data, "Built-in data, or a file or folder of data").as_path();
  flags.add("--batch", &options.batch, "Rows of a batch").in_range(1, int64_t{1} << 30);
  flags.add("--seed", &options.seed, "Seed of all random numbers").in_range(0, (int64_t{1} << 62));
}

void add_thread_flags(Flags& flags, RunOptions& options) {
  flags.add("--threads", &options.threads, "Threads; 0 means all cores").in_range(0, 1024);
  flags.add("--deterministic", &options.is_deterministic,
            "The same bits for any number of threads");
}

std::vector<std::pair<std::string, std::string>> overrides(const RunOptions& options) {
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
