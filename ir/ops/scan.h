// The run-time loop.
#pragma once
#include <functional>

#include "ir/ops/op_facts.h"

namespace gradc::ops {

struct Scan {
  static constexpr OpFacts facts{
      .min_operands = 0,
      .max_operands = -1,
      .doc =
          "`length` rounds of the graph `body`. Operands: `carries` initial values, `sequences` "
          "tensors whose axis 0 has size `length`, constants. The body takes the carries, one "
          "element of each sequence (without axis 0) and the constants; it gives the new carries, "
          "of unchanged types, and collected values. Results: the last carries, then each "
          "collected value with the rounds stacked on a new axis 0. With `reverse` the rounds go "
          "from the last element to the first; element i belongs to round i of the sequence "
          "either way."};
  static constexpr std::array<AttrSpec, 5> attrs{{{"body", AttrKind::Body},
                                                  {"carries", AttrKind::Int},
                                                  {"sequences", AttrKind::Int},
                                                  {"length", AttrKind::Int},
                                                  {"reverse", AttrKind::Bool}}};
  static std::vector<Type> infer(const InferContext& context);
  static std::vector<Tensor> eval(const EvalContext& context);
  static void vjp(VjpContext& context);
};

/// How the operands and results of a scan are divided.
struct ScanForm {
  BodyRef body;
  size_t carries = 0;
  size_t sequences = 0;
  size_t constants = 0;
  size_t collected = 0;
  int64_t length = 0;
  bool reverse = false;

  size_t first_constant() const { return carries + sequences; }
  /// The element of the sequence that round `round` reads.
  int64_t element(int64_t round) const { return reverse ? length - 1 - round : round; }
};
ScanForm scan_form(const Attrs& attrs, size_t operand_count);
Attrs scan_attrs(const ScanForm& form);

/// Puts what round `round` reads of the sequences, which are among the operands of the scan, into
/// their places among the inputs of its body.
void read_elements(const ScanForm& form, std::span<const Tensor> operands, int64_t round,
                   std::vector<Tensor>& inputs);

/// Runs the rounds one after the other and collects their results, which are of `types`. `run`
/// makes the outputs of the body from its inputs.
using RunBody = std::function<std::vector<Tensor>(const Graph& body, std::span<const Tensor>)>;
std::vector<Tensor> run_rounds(const ScanForm& form, std::span<const Tensor> operands,
                               std::span<const Type> types, const RunBody& run);

/// V7: empty if these attributes and operands make a scan, else what is wrong.
std::string find_scan_fault(const Attrs& attrs, std::span<const Type> operands);

}  // namespace gradc::ops
