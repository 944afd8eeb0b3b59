// Each pass against the graph before it, through the interpreter.
#pragma once
#include <optional>

#include "passes/pipeline.h"
#include "tools/verify_code.h"

namespace gradc {

/// Runs the pipeline on `source` and interprets the graph behind each pass that changed it; the
/// outputs must agree with those before. `checked` counts the passes compared. The first pass that
/// differs is named, with the output and the node that makes it; the case is the graph it was run
/// on. Later ones are not looked at.
std::optional<Difference> verify_passes(const Graph& source, std::span<const Tensor> inputs,
                                        const PipelineOptions& options, int64_t& checked);

}  // namespace gradc
