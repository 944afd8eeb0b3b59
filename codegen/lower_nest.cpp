// Chooses the order of a nest's loops.
#include "codegen/lower_nest.h"

#include "codegen/nest_lowering.h"
#include "ir/op.h"

namespace gradc {
namespace {

std::optional<OpKind> corrupted_kind;

}  // namespace

void corrupt_kernels_for_test(std::optional<OpKind> kind) { corrupted_kind = kind; }

OpKind compiled_op(OpKind kind) {
  if (kind != corrupted_kind) return kind;
  CHECK(op_info(kind).max_operands <= 2, "no wrong code for {}", op_info(kind).name);
  if (op_info(kind).max_operands == 1) return kind == OpKind::Neg ? OpKind::Abs : OpKind::Neg;
  return kind == OpKind::Sub ? OpKind::Add : OpKind::Sub;
}

loop::ReduceKind reduce_kind(OpKind kind) {
  switch (kind) {
    case OpKind::Sum:
      return loop::ReduceKind::Sum;
    case OpKind::Max:
      return loop::ReduceKind::Max;
    case OpKind::Min:
      return loop::ReduceKind::Min;
    case OpKind::Prod:
      return loop::ReduceKind::Prod;
    case OpKind::ArgMax:
      return loop::ReduceKind::ArgMax;
    case OpKind::ArgMin:
      return loop::ReduceKind::ArgMin;
    default:
      break;
  }
  CHECK(false, "no reduction");
}

LoweredNest lower_nest(const Graph& body, const Nest& nest, std::string name) {
  if (const std::optional<SplitNest> blocked = block_columns(nest))
    return NestLowering(body, blocked->nest).run_blocked(std::move(name), blocked->inner_dim);
  if (const std::optional<TiledProduct> tiled = tile_product(nest))
    return NestLowering(body, tiled->nest).run_product(std::move(name), *tiled);
  if (const std::optional<SplitNest> rows = tile_rows(nest))
    return NestLowering(body, rows->nest).run(std::move(name), {rows->inner_dim});
  return NestLowering(body, nest).run(std::move(name), nest.short_sum_dims());
}

}  // namespace gradc
