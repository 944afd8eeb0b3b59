// Reads the facts, chooses the code, binds kernels to their functions.
#include "runtime/built_programs.h"

#include <algorithm>
#include <unordered_map>

#include "runtime/processor.h"

namespace gradc {
namespace {

const gradc_code& choose_code(const gradc_model& model) {
  const std::span<const gradc_code> choices(model.code, model.code_count);
  for (const gradc_code& code : choices)
    if (missing_features(code.features).empty()) return code;
  const gradc_code& least = choices.back();
  throw Error(ExitCode::InputOutput, "E0925",
              fmt::format("compiled for {}; this processor ({}) has no {}", least.target,
                          target_description(), fmt::join(missing_features(least.features), ", ")));
}

ModelFacts read_facts(const gradc_model& model) {
  if (model.format != compiled_model_format())
    throw Error(
        ExitCode::InputOutput, "E0926",
        fmt::format("the model was compiled for version {:x} of the runtime, this is version "
                    "{:x}: build it again",
                    model.format, compiled_model_format()));
  ByteReader reader({model.facts, model.facts_bytes});
  ModelFacts facts;
  fields(reader, facts);
  CHECK(reader.is_at_end(), "bytes behind the facts of {}", facts.name);
  return facts;
}

using Functions = std::unordered_map<std::string, KernelFunction>;

void bind_code(Program& program, const Functions& functions, const LibraryCalls* library,
               bool deterministic) {
  program.library = library;
  program.is_deterministic |= deterministic;
  for (Step& step : program.steps) {
    if (auto* kernel = std::get_if<KernelStep>(&step))
      kernel->function = functions.at(kernel->name);
    if (auto* scan = std::get_if<ScanStep>(&step))
      bind_code(*scan->body, functions, library, deterministic);
  }
}

}  // namespace

BuiltPrograms::BuiltPrograms(const gradc_model& model, bool deterministic)
    : facts_(read_facts(model)) {
  code_ = &choose_code(model);
  interface_ = interface_of(facts_.programs);
  Functions functions;
  for (size_t i = 0; i < facts_.kernels.size(); ++i)
    functions[facts_.kernels[i]] = code_->functions[i];
  for (Program& program : facts_.programs) {
    bind_code(program, functions, model.library, deterministic);
    const std::pair key{program.mode, program.rows};
    programs_[key] = std::make_shared<const Program>(std::move(program));
  }
  facts_.programs.clear();
}

bool BuiltPrograms::is_deterministic() const {
  return std::all_of(programs_.begin(), programs_.end(), [](const auto& entry) {
    const Program& program = *entry.second;
    return program.is_deterministic || program.steps.empty();
  });
}

std::vector<int64_t> BuiltPrograms::rows_of(GraphMode mode) const {
  std::vector<int64_t> rows;
  for (const auto& [key, program] : programs_)
    if (key.first == mode) rows.push_back(key.second);
  std::sort(rows.rbegin(), rows.rend());
  return rows;
}

std::shared_ptr<const Program> BuiltPrograms::program(GraphMode mode, int64_t rows) {
  for (const int64_t held : {rows, int64_t{0}})
    if (const auto found = programs_.find({mode, held}); found != programs_.end())
      return found->second;
  const std::vector<int64_t> held = rows_of(mode);
  if (held.empty())
    throw Error(ExitCode::ModelOrData, "E0927",
                fmt::format("`{}` was built without {} programs", facts_.name, name(mode)));
  std::string help;
  if (mode == GraphMode::Train)
    help =
        "\n  build it with the --batch and --data it is to train on, or leave the last rows out: "
        "--set last_batch=drop";
  throw Error(ExitCode::ModelOrData, "E0927",
              fmt::format("`{}` was built with {} programs for {} rows, not for {}{}", facts_.name,
                          name(mode), fmt::join(held, " and "), rows, help));
}

/// The largest that fits, again and again. A training step is one step, whatever its rows.
std::vector<int64_t> BuiltPrograms::parts(GraphMode mode, int64_t rows) {
  if (mode == GraphMode::Train || programs_.contains({mode, rows})) return {rows};
  std::vector<int64_t> result;
  int64_t rest = rows;
  for (const int64_t held : rows_of(mode))
    for (; held > 0 && rest >= held; rest -= held) result.push_back(held);
  return rest == 0 ? result : std::vector<int64_t>{rows};
}

}  // namespace gradc
