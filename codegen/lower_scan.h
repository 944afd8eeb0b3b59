// The body of a scan and where its values live between rounds.
#pragma once
#include "ir/graph.h"
#include "ir/ops/scan.h"
#include "runtime/program.h"

namespace gradc {

/// The program of one round in the making: `step` without body and name, whose buffers are numbered
/// as `Buffer` says, and the graph of the body with exactly the outputs that the step expects.
struct ScanPlan {
  /// What stands behind a buffer of the step.
  struct Buffer {
    enum class Source : uint8_t { Operand, Result, Spare };
    Source source;
    int32_t position;  // of the node's operands or results; of the carry of a spare
  };
  Graph body;
  ScanStep step;
  std::vector<Buffer> buffers;
};

/// Chooses for each carry where it lives: in a collected value that is the same, else in two
/// buffers in turn.
ScanPlan plan_scan(const Node& node);

}  // namespace gradc
