// Programs without code, archived; their kernels beside them.
#include "codegen/artefact.h"

#include <algorithm>
#include <cctype>

#include "ir/text.h"
#include "runtime/crash_context.h"

namespace gradc {
namespace {

bool calls_library(const Program& program) {
  return std::any_of(program.steps.begin(), program.steps.end(), [](const Step& step) {
    if (const auto* scan = std::get_if<ScanStep>(&step)) return calls_library(*scan->body);
    return std::holds_alternative<MatmulStep>(step) || std::holds_alternative<ConvStep>(step);
  });
}

}  // namespace

std::string c_identifier(const std::string& name) {
  std::string result = name;
  for (char& c : result)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result.front())))
    result.insert(result.begin(), '_');
  return result;
}

Artefact make_artefact(const std::string& name, std::span<const ArtefactGraph> graphs,
                       ModelFacts facts, const CompileOptions& options) {
  Artefact artefact;
  KernelPool pool;
  for (const ArtefactGraph& graph : graphs) {
    const CrashScope scope("lowering a fused graph", [&] {
      return print(Module{graph.fused.name, {}, {graph.fused}});
    });
    facts.programs.push_back(lower(graph.fused, options, pool).program);
    Program& program = facts.programs.back();
    program.is_serial = graph.is_serial.value_or(program.is_serial);
    artefact.code.calls_library |= calls_library(program);
  }
  for (const loop::Kernel& kernel : pool.kernels) facts.kernels.push_back(kernel.name);
  ByteWriter writer;
  fields(writer, facts);
  artefact.code.name = name;
  artefact.code.kernels = std::move(pool.kernels);
  artefact.code.facts = writer.bytes();
  artefact.facts = std::move(facts);
  return artefact;
}

}  // namespace gradc
