// What rounding explains of the difference between compiled code and the reference interpreter.
//
// The rule. The reference is the interpreter on the differentiated graph: sums in f64, every result
// rounded once to its dtype. Compiled code may differ from it where docs say so: mathematical
// functions by a few units in the last place, sums, products over axes, dot and convolutions by
// their order and by accumulating in the dtype, means and small powers by one more rounding. All
// else is exact. So the graph is interpreted again with each of these results moved at random by as
// much as is allowed to it, and an output element is explained if it lies in the range of the
// values so found, widened by its width once more and eight units in the last place. Comparisons,
// argmax and conversions that jump need no rule of their own: where the allowed roundings make them
// jump, some of the runs show it. An element that lies outside after the last run is a difference.
#pragma once
#include "ir/graph.h"

namespace gradc {

enum class Allowance : uint8_t {
  Roundings,
  SignsOfZero,  // of sums and extremes only: what passes that keep every bit may change
};

/// The outputs that roundings allow; more runs are made only where they are needed.
class AllowedOutputs {
 public:
  /// `graph` without gradient nodes; both are kept by reference. All outputs of `most_runs` runs
  /// are in memory where so many are needed.
  AllowedOutputs(const Graph& graph, std::span<const Tensor> inputs, Allowance allowance,
                 size_t most_runs = 400);
  /// The same reference, judged otherwise.
  AllowedOutputs(const AllowedOutputs& other, Allowance allowance);

  const std::vector<Tensor>& reference() const { return runs_[0]; }
  /// Empty, or what differs: "y0, element 3: 0.5 instead of 0.25".
  std::string find_difference(std::span<const Tensor> outputs);
  /// The same for one output.
  std::string find_difference(size_t output, const Tensor& value);

 private:
  bool explains(size_t output, int64_t element, double value) const;

  const Graph& graph_;
  std::span<const Tensor> inputs_;
  Allowance allowance_;
  size_t most_runs_;
  std::vector<std::vector<Tensor>> runs_;
};

/// Equal types and bits, all NaNs taken as one.
bool same_values(const Tensor& a, const Tensor& b);

}  // namespace gradc
