// Chooses the domain of a nest and builds it: between analyze_group and the term builder.
#pragma once
#include "ir/iteration_terms.h"

namespace gradc {

/// A value that a nest stores. Axis k runs over the source dims source_dims[k] in row-major order,
/// or stands at `fixed[k]` where there are none; its index counts strides[k] in the output element,
/// from `offset` on.
struct NestRoot {
  ValueId value;
  std::vector<std::vector<int32_t>> source_dims = {};
  std::vector<int64_t> strides = {};
  std::vector<int64_t> fixed = {};  // empty: all 0
  int32_t output = 0;
  int64_t offset = 0;
  bool is_fill = false;  // the value is a scalar, stored at every point
  bool is_zero = false;  // -0 of the dtype of the value is stored instead of it
  bool adds = false;     // to what is there
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
