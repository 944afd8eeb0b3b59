// From the graphs of a model to what is written ahead of time.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codegen/artefact_code.h"
#include "codegen/compile.h"
#include "runtime/model_facts.h"
#include "runtime/model_interface.h"

namespace gradc {

/// What a linker makes of the objects.
enum class ArtefactKind : uint8_t { Executable, Shared, Object };

struct Artefact {
  ArtefactCode code;
  ModelFacts facts;  // as archived in `code`
};

struct ArtefactGraph {
  Graph fused;
  std::optional<bool> is_serial = std::nullopt;  // of its program; else what lowering finds
};

/// Lowers every graph, all to one pool of kernels, and adds the programs to those of `facts`;
/// `name` is that of the exported symbol.
Artefact make_artefact(const std::string& name, std::span<const ArtefactGraph> graphs,
                       ModelFacts facts, const CompileOptions& options);

/// `name` with everything that a C identifier does not have replaced by `_`.
std::string c_identifier(const std::string& name);

/// The C header that says what the object `code.name` holds: its model, the positions of its inputs
/// and outputs, the row counts it was compiled for.
std::string c_header(const Artefact& artefact);

}  // namespace gradc
