// Text of the header of an object.
#include <algorithm>
#include <cctype>
#include <set>

#include "codegen/artefact.h"

namespace gradc {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// Without an end of the comment it stands in.
std::string in_comment(std::string text) {
  for (size_t end = text.find("*/"); end != std::string::npos; end = text.find("*/", end))
    text.replace(end, 2, "* /");
  return text;
}

std::string constants(const std::string& title, const std::string& prefix,
                      const std::vector<NamedRow>& rows) {
  if (rows.empty()) return "";
  std::string text = fmt::format("/* {} */\nenum {{\n", title);
  std::set<std::string> taken;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string constant = fmt::format("{}_{}", prefix, upper(c_identifier(rows[i].name)));
    // Names that differ in case or signs alone: the position is added until none has it.
    while (!taken.insert(constant).second) constant += fmt::format("_{}", i);
    text += fmt::format("  {} = {}, /* {} */\n", constant, i, to_string(row_type(rows[i].type)));
  }
  return text + "};\n\n";
}

std::string row_counts_text(const Artefact& artefact, GraphMode mode) {
  std::vector<int64_t> rows;
  for (const Program& program : artefact.facts.programs)
    if (program.mode == mode) rows.push_back(program.rows);
  return rows.empty() ? "none" : fmt::format("{}", fmt::join(rows, ", "));
}

}  // namespace

std::string c_header(const Artefact& artefact) {
  const std::string& name = artefact.code.name;
  const std::string guard = fmt::format("GRADC_MODEL_{}_H", upper(name));
  const ModelInterface interface = interface_of(artefact.facts.programs);
  std::string text = fmt::format(
      "/* The model {}, compiled by {} for {}.\n"
      " * Row counts: training {}; evaluation {}; prediction {}.\n"
      " * Functions and their rules: gradc.h. */\n"
      "#ifndef {}\n#define {}\n\n#include <gradc.h>\n\n"
      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n"
      "/* For gradc_create(). */\n"
      "extern const gradc_model gradc_model_{};\n\n",
      in_comment(artefact.facts.name), artefact.facts.compiler,
      fmt::join(artefact.code.targets, ", "), row_counts_text(artefact, GraphMode::Train),
      row_counts_text(artefact, GraphMode::Evaluate), row_counts_text(artefact, GraphMode::Predict),
      guard, guard, name);
  const std::string prefix = upper(name);
  text += constants("Positions of the inputs; the type of a row of each.", prefix + "_INPUT",
                    interface.inputs);
  text += constants("Positions of the outputs; the type of a row of each.", prefix + "_OUTPUT",
                    interface.outputs);
  return text + fmt::format("#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {} */\n", guard);
}

}  // namespace gradc
