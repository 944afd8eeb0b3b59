// Graph files: what is accepted prints and parses back the same, and passes the pipeline.
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "tests/fuzz/target.h"

using namespace gradc;

namespace {

constexpr size_t kMostNodes = 60;

void run_passes(const Graph& graph) {
  if (graph.nodes().size() > kMostNodes) return;
  // What a pass makes of a verified graph has to verify; that it throws InternalError is a finding.
  PipelineOptions options;
  options.verify = true;
  run_until(graph, Stage::Fused, options);
}

}  // namespace

FUZZ_TARGET(graph) {
  const Module module = parse_module(fuzz::as_text(bytes), "fuzz.graph");
  const std::string text = print(module);
  const Module again = parse_module(text, "printed.graph");
  CHECK(print(again) == text, "a graph file prints differently after it is read again");
  for (const Graph& graph : module.graphs) run_passes(graph);
}
