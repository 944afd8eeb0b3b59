// Chooses the domain of a nest and builds it: between analyze_group and the term builder.
#pragma once
#include "ir/iteration_terms.h"

namespace gradc {

/// A value that a nest stores. Axis k runs over source dim source_dims[k], or has one element where
/// that is -1; its index counts strides[k] in the output element, from `offset` on.
struct NestRoot {
  ValueId value;
  std::vector<int32_t> source_dims = {};
  std::vector<int64_t> strides = {};
  int32_t output = 0;
  int64_t offset = 0;
  bool is_fill = false;  // the value is a scalar, stored at every point
  /// Adds at looked-up positions: clamp(indices, 0, size - 1) * stride. The axes of the indices are
  /// those of the value from `axis` on.
  struct Scatter {
    ValueId indices;
    size_t axis;
    int64_t size;
    int64_t stride;
  };
  std::optional<Scatter> scatter = {};
};

/// The loops a nest starts from, before reshapes split them and equal ones merge.
struct NestPlan {
  std::vector<IterationDim> source_dims;  // kept, then reduced
  std::vector<NestRoot> roots;
  std::optional<ReductionForm> form;
};

/// The nest of a plan, or why there is none.
std::variant<Nest, std::string> build_nest(const Graph& body, const NestPlan& plan);

}  // namespace gradc
