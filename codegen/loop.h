// The loop IR: what a fusion group becomes before LLVM. A kernel is a tree of loops over buffers.
//
// Meaning. Loops run their variable from 0 to extent - 1. A `parallel` loop is the kernel's
// last statement, after lets that need no loop and that every thread computes; the runtime gives
// each thread a range [begin, end) of it. A kernel without one runs whole. A `vector` loop has no
// vector loop inside (serial loops it may have) and runs W iterations at once (W is the target's:
// 64 bytes of f32), the last ones masked: lanes outside are neither loaded nor stored nor
// accumulated. A loop may be both. A value is a vector if it depends on the variable of an
// enclosing vector loop, else a scalar, splat where needed. Bits. An accumulator declared outside
// the vector loop that feeds it has W lanes, lane l takes the iterations l, l + W, ..., and
// ReadAccumulator combines lanes as a balanced tree (l with l + W/2, then W/4, ...); inside, each
// lane has its own. A sum of products is one fma each. So the result of a reduction is fixed by its
// extents and by W, not by what it is fused with nor by the thread count.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/op_kind.h"
#include "runtime/core/tensor.h"

namespace gradc::loop {

enum class VarId : uint32_t {};
enum class LetId : uint32_t {};
enum class AccumulatorId : uint32_t {};

/// offset + sum over variables of strides[v] * v, in elements. Missing strides are 0.
struct Affine {
  int64_t offset = 0;
  std::vector<int64_t> strides;  // by VarId
};

/// + clamp(value of `index`, 0, size - 1) * stride.
struct Indirection {
  LetId index;  // an integer value
  int64_t size;
  int64_t stride;
};

/// An element of a buffer.
struct Access {
  int32_t buffer;  // position in Kernel::buffers
  Affine position;
  std::vector<Indirection> indirections;
};

struct Load {
  Access access;
};
/// A scalar constant; the tensor has rank 0 and the let's dtype.
struct Literal {
  Tensor value;
};
/// The value of an affine expression, converted to the let's dtype.
struct Iota {
  Affine position;
};
/// Uniform in [0, 1): element `position` of the stream, under runtime/core/rng.h. f32 or f64. Seed
/// and stream are known before the first loop, the stream first.
struct Draw {
  LetId seed;    // i64
  LetId step;    // i64
  LetId stream;  // i64
  Affine position;
};
/// An elementwise op; Convert takes its target from the let's dtype.
struct Apply {
  OpKind kind;
  std::vector<LetId> operands;
};
/// The combined value of an accumulator, after the loops that feed it.
struct ReadAccumulator {
  AccumulatorId accumulator;
};

/// A value, computed once at the place where it stands.
struct Let {
  LetId id;
  DType dtype;
  std::variant<Load, Literal, Iota, Draw, Apply, ReadAccumulator> value;
};

enum class ReduceKind : uint8_t { Sum, Max, Min, Prod, ArgMax, ArgMin };

/// Starts at the neutral element where it stands, or at `start`, in a vector loop only. ArgMax and
/// ArgMin keep the best value (of `dtype`) and its position; reading gives the i32 position; ties
/// and NaN as in the op's documentation.
struct Accumulator {
  AccumulatorId id;
  ReduceKind kind;
  DType dtype;
  std::optional<LetId> start = {};
};
/// accumulator = combine(accumulator, value), or fma(value, factor, accumulator) for a Sum with a
/// factor.
struct Accumulate {
  AccumulatorId accumulator;
  LetId value;
  std::optional<LetId> factor;
  Affine position;  // what ArgMax and ArgMin remember
};
/// Where a value is NaN or, unless those are admitted, infinite, `buffer` (i32, kGuardElements) has
/// a number that is not 0 when the kernel ends.
struct Guard {
  int32_t buffer;  // position in Kernel::buffers
  bool admits_infinity;
};
inline constexpr int64_t kGuardElements = 16;
/// buffer[access] = value, or += value.
struct Store {
  Access access;
  LetId value;
  bool add = false;
  std::optional<Guard> guard = {};
};

struct For;
using Stmt = std::variant<Let, Accumulator, Accumulate, Store, For>;
struct For {
  VarId var;
  int64_t extent;
  bool parallel = false;
  bool vector = false;
  std::vector<Stmt> body;
};

struct Buffer {
  std::string name;
  DType dtype;
  int64_t elements;
  bool is_written;
  /// Lives on the stack of the call: each thread has its own, and the caller gives no pointer.
  bool is_local = false;
};

struct Kernel {
  std::string name;
  std::vector<Buffer> buffers;  // but for local ones in the order of the call's pointers
  uint32_t var_count = 0;
  uint32_t let_count = 0;
  uint32_t accumulator_count = 0;
  std::vector<Stmt> body;
  /// For people: the nodes it computes, with their places in the model. Not part of the text form.
  std::vector<std::string> notes = {};

  /// Buffers that the caller gives.
  size_t pointer_count() const;
  /// Extent of the parallel loop, 1 where there is none.
  int64_t parallel_extent() const;
  /// Ranges are cut at multiples of this: W-aligned where the parallel loop is the vector loop.
  int64_t parallel_grain() const;
  /// Estimated single-thread time in nanoseconds: decides whether threads are worth waking.
  double cost_ns() const;
};

/// Is the only loop a parallel vector loop of one element an iteration? Its code then works for
/// every extent on the same side of kLongExtent: it reads the extent from the end of the range.
bool takes_extent_from_range(const Kernel& kernel);
/// Code for loops from here on may make this many iterations at once.
inline constexpr int64_t kLongExtent = 64;

/// Text form, for people and golden files.
std::string print(const Kernel& kernel);

}  // namespace gradc::loop
