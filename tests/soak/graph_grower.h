// Grows a graph node by node from a pool of values: every op of every dtype, scans with bodies
// grown in the same way, gradients of values by values.
#pragma once
#include "ir/builder.h"
#include "tests/random_source.h"

namespace gradc::testing {

/// A shape of at most `max_elements` elements and rank 4: sizes 0 and 1, odd ones, primes, one more
/// and one less than vectors.
Shape odd_shape(RandomSource& random, int64_t max_elements);

/// Numbers of the dtype; `special`: some are zeros of both signs, infinities, NaN, denormals, the
/// ends of the range.
Tensor odd_tensor(RandomSource& random, const Type& type, bool special);

class GraphGrower {
 public:
  /// Appends to `builder`. `depth` is how many scans are around it. `stays_small` keeps values of
  /// floats where ops vary slowly.
  GraphGrower(RandomSource& random, GraphBuilder& builder, int64_t max_elements, int depth,
              bool stays_small);

  /// Lets nodes read the value.
  void offer(ValueId value);
  /// What random draws read: i64[] both.
  void offer_counters(ValueId seed, ValueId step);
  /// Appends a node, with what has to stand before it.
  void grow();

  ValueId pick() { return random_.pick(pool_); }
  ValueId pick_float();
  /// A value of exactly this type.
  ValueId pick_like(const Type& type);
  /// sum(value) over all axes.
  ValueId total(ValueId value);

 private:
  ValueId grow_kind(OpKind kind);
  ValueId grow_elementwise(OpKind kind, ValueId a);
  ValueId grow_case(OpKind kind, DType dtype);
  ValueId grow_natural(OpKind kind, ValueId a);
  ValueId grow_dense();
  ValueId grow_softmax();
  ValueId grow_view();
  void grow_scan();
  void grow_gradient();
  ValueId grow_draw();
  ValueId tamed(OpKind kind, ValueId a);
  ValueId fit(ValueId value, const Type& type);
  ValueId with_dtype_of(OpKind kind);
  std::vector<int64_t> some_axes(int64_t rank);

  RandomSource& random_;
  GraphBuilder& builder_;
  int64_t max_elements_;
  int depth_;
  bool stays_small_;
  std::vector<ValueId> pool_;
  std::optional<std::pair<ValueId, ValueId>> counters_;
};

}  // namespace gradc::testing
