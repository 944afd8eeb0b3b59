// Products in tiles: the loops around them, and the block in which their sums wait for what
// follows.
#include "codegen/nest_lowering.h"

namespace gradc {

/// chunks { panels { tiles { columns { sums side by side; what follows, for each row } } } }, or
/// chunks { panels { tiles { columns { sums side by side } } } rows { panels { columns: what
/// follows } } }; in this form there may be a loop over parts of the sums around the first
/// panels.
LoweredNest NestLowering::run_product(std::string name, const TiledProduct& tiled) {
  start(std::move(name));
  unroll({tiled.row()});
  if (!tiled.is_blocked) {
    open_kept_loops(0);
    lower_phase(0);
    lower_phase(1);
    close_kept_loops(0);
    return finish();
  }
  const std::vector<TermId> sums = all_sums();
  const AffineMap place = bind_blocks(sums, tiled);
  const size_t outside = tiled.by_panels ? tiled.first + 2 : tiled.first + 1;
  for (size_t d = 0; d < outside; ++d) vars_[d] = next_var();
  if (tiled.sum_block) {
    set_block_loops(tiled, outside);
    store_zeros(sums, place, kept_depth_);
    close_kept_loops(outside);
  }
  store_sums(sums, place, tiled, outside);
  set_block_loops(tiled, outside);
  for (TermId t : sums) add_let(t, kept_depth_, loop::Load{sum_access(t, place)});
  std::vector<const TermStore*> stores;
  for (const TermStore& store : nest_.stores) stores.push_back(&store);
  store_all(stores);
  close_kept_loops(0);
  return finish();
}

/// Memory of the kernel's own for the sums of a block; the place in it.
AffineMap NestLowering::bind_blocks(const std::vector<TermId>& sums, const TiledProduct& tiled) {
  const auto extent = [&](size_t d) { return nest_.dims[d].extent; };
  const int64_t width = extent(tiled.column()) * (tiled.by_panels ? 1 : extent(tiled.panel()));
  for (TermId t : sums) {
    scratch_buffers_[t] = static_cast<int32_t>(kernel().buffers.size());
    const int64_t elements = extent(tiled.tile()) * extent(tiled.row()) * width;
    kernel().buffers.push_back({"block", nest_.terms[t].dtype, elements, true, true});
  }
  AffineMap place = constant_map(nest_.dims.size());
  place.strides[tiled.column()] = 1;
  if (!tiled.by_panels) place.strides[tiled.panel()] = extent(tiled.column());
  place.strides[tiled.row()] = width;
  place.strides[tiled.tile()] = width * extent(tiled.row());
  return place;
}

/// Loops over the rows and columns of a block, inside the first `outside` loops.
void NestLowering::set_block_loops(const TiledProduct& tiled, size_t outside) {
  roll();
  std::vector<size_t> loops(outside);
  std::iota(loops.begin(), loops.end(), size_t{0});
  loops.insert(loops.end(), {tiled.tile(), tiled.row()});
  if (!tiled.by_panels) loops.push_back(tiled.panel());
  loops.push_back(tiled.column());
  set_loops(std::move(loops));
  open_kept_loops(outside);
}

void NestLowering::store_sums(const std::vector<TermId>& sums, const AffineMap& place,
                              const TiledProduct& tiled, size_t outside) {
  unroll({tiled.row()});
  std::vector<size_t> loops(outside);
  std::iota(loops.begin(), loops.end(), size_t{0});
  if (tiled.sum_block) loops.push_back(*tiled.sum_block);
  for (size_t d = outside; d < nest_.dims.size(); ++d)
    if (d != tiled.row() && d != tiled.sum_block) loops.push_back(d);
  set_loops(std::move(loops));
  open_kept_loops(outside);
  std::vector<loop::LetId> starts;
  if (tiled.sum_block)
    for (TermId t : sums)
      for (copy_ = 0; copy_ < copies_; ++copy_) {
        starts.push_back(next_let());
        bodies_[kept_depth_].push_back(
            loop::Let{starts.back(), nest_.terms[t].dtype, loop::Load{sum_access(t, place)}});
      }
  lower_reduced_loops(sums, {}, starts);
  for (TermId t : sums)
    for (copy_ = 0; copy_ < copies_; ++copy_)
      bodies_[kept_depth_].push_back(loop::Store{sum_access(t, place), let_of(t)->id, false});
  copy_ = 0;
  close_kept_loops(outside);
}

}  // namespace gradc
