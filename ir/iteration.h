// What a group computes at each point of its loops: the one analysis behind fusion and lowering.
//
// A nest has a domain of kept dims (K, outermost) and reduced dims (R, innermost). Every value of
// the group that is needed at a point becomes a term: an expression of loads and scalars with all
// movement folded into affine positions. A term lives at row level if it does not depend on R, else
// at full level. All reductions of a nest run over all of R, so a nest is executed as
//   for K { for each phase p { for R { terms; accumulate; store }; row-level terms; store } }.
// Full-level terms are computed again in each phase that needs them.
//
// Bits. The order in which a reduction adds up is a function of its own operand shape and axes
// (axes of size 1 do not count), whatever else is in the group:
//   - if the last axis is reduced, the adjacent reduced axes at the end are one vector loop, and
//   the
//     other reduced axes are serial loops around it in their order;
//   - else the reduced axes are serial loops in their order and each element has its own lane.
// The few products of an element of a short convolution are added up in their order wherever the
// element is needed; it counts as elementwise.
// A group that would need another order is not accepted. Elementwise terms have no order. So fused
// and unfused code give the same bits.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "ir/affine_map.h"
#include "ir/graph.h"

namespace gradc {

using TermId = uint32_t;

struct IterationDim {
  int64_t extent;
  bool reduced;
};

/// + clamp(value of `index`, 0, size - 1) * stride.
struct TermIndirection {
  TermId index;
  int64_t size;
  int64_t stride;
  friend bool operator==(const TermIndirection&, const TermIndirection&) = default;
};

/// Products: a sum of few products, written out.
enum class TermKind : uint8_t { Load, Literal, Iota, Draw, Apply, Products, Reduce };

struct Term {
  TermKind kind;
  DType dtype;
  /// Apply: the elementwise op. Reduce: Sum, Max, Min, Prod, ArgMax or ArgMin.
  OpKind op = OpKind::Add;
  /// Apply: the operands. Products: a, b, a, b, ... in the order of the sum. Reduce: the value and,
  /// of a sum of products, the factor. Draw: seed, step.
  std::vector<TermId> operands = {};
  int32_t input = -1;  // Load: position of the body's input
  /// Load: the element. Iota: the value. Draw: the element. ArgMax, ArgMin: the position.
  AffineMap position = {};
  std::vector<TermIndirection> indirections = {};  // Load
  Tensor literal = {};                             // Literal
  uint64_t stream = 0;                             // Draw
  DType accumulator = DType::F32;                  // Reduce, Products
  /// Number of phases that must be over before the term can be computed.
  int32_t phase = 0;
  /// Bit d: the term depends on dim d. A Reduce depends on all kept dims.
  uint64_t dims = 0;
};

struct TermStore {
  int32_t output;  // position of the body's output
  AffineMap position;
  std::vector<TermIndirection> indirections;
  TermId value;
  bool add = false;
};

/// One loop nest. Terms are in an order in which operands come first.
struct Nest {
  std::vector<IterationDim> dims;  // kept dims, then reduced dims; extents are not 1
  std::vector<Term> terms;
  std::vector<TermStore> stores;
  int32_t vector_dim = -1;  // the last kept or the last reduced dim

  size_t kept_count() const;
  /// Points of all dims in `mask`.
  int64_t points(uint64_t mask) const;
  /// Bit d: what is stored, or where, depends on dim d.
  uint64_t dims_of(const TermStore& store) const;
  /// The phase at whose end it can be stored.
  int32_t phase_of(const TermStore& store) const;
  /// Can later phases load what was stored, each point its own element, instead of computing it
  /// again? Not where rows end in a part of a vector: a load behind such a store would wait for it.
  bool is_read_back(const TermStore& store) const;
  /// Columns that one block of sums down the columns takes; 0 where the nest has no such sums or
  /// too few columns or rows.
  int64_t column_block() const;
  /// The innermost reduced dims, as far as they have few points in all: written out, the values of
  /// those points stay in registers for what reads the sums, and neighbours share what they load.
  /// Nothing where lanes run over a reduced dim.
  std::vector<size_t> short_sum_dims() const;
};

struct GroupAnalysis {
  std::vector<Nest> nests;  // run in this order
};

/// The loops of a group's body (inputs Operand, outputs Result), or one sentence why it cannot be
/// computed as one group.
std::variant<GroupAnalysis, std::string> analyze_group(const Graph& body);

/// The scalar that all elements of a constant are equal to, bit for bit; nothing for several or
/// none.
std::optional<Tensor> uniform_element(const Tensor& tensor);

/// Estimated time of one run on one thread, ns; memory traffic included.
double estimate_cost_ns(const Graph& body, const GroupAnalysis& analysis);

}  // namespace gradc
