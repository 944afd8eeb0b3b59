// The gradients of a graph against central differences.
#pragma once
#include "passes/gradcheck_node.h"

namespace gradc {

/// One operand of a gradient node: the worst of its directions.
struct GradientCheck {
  std::string name;          // of the input, or "%id" of the value
  double y = 0;              // what is differentiated
  double max_abs_error = 0;  // infinite where a derivative or a quotient is no number
  double max_rel_error = 0;
  bool agrees = true;
};

/// A derivative rule that is wrong at the values it was used at.
struct VjpFault {
  OpKind kind;
  Origin origin;
  VjpDifference difference;
  Attrs attrs = {};
  std::vector<Tensor> operands = {};  // f64 where float
};

struct GradcheckReport {
  std::vector<GradientCheck> gradients;
  /// If a gradient disagrees: the first node of its path whose rule alone disagrees too.
  std::optional<VjpFault> fault;

  bool agrees() const;
};

struct GradcheckOptions {
  /// Random directions for each gradient.
  int directions = 3;
  /// Single elements of each operand, chosen at random, by themselves.
  int elements = 0;
  uint64_t seed = 0;
};

/// Checks every gradient node of `graph` (as elaborated: before differentiation) at `inputs`, in
/// f64: <gradient, d> against the difference quotient of y along d. Values behind stop_gradient
/// stay what they are. A difference that y's own rounding explains is none. Costs 3 * (directions +
/// elements) evaluations of y for each gradient, more where one crosses a kink.
GradcheckReport check_gradients(const Graph& graph, std::span<const Tensor> inputs,
                                const GradcheckOptions& options = {});

}  // namespace gradc
