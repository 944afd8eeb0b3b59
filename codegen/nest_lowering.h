// Places the terms of a nest in its loops, phase by phase.
#pragma once
#include <algorithm>
#include <bit>
#include <map>
#include <numeric>

#include "codegen/lower_nest.h"
#include "codegen/split_nest.h"

namespace gradc {

loop::ReduceKind reduce_kind(OpKind kind);

/// Statements are appended to the body of the loop that binds the last dim they depend on; a loop
/// itself is appended to the body around it when it closes, so what was hoisted comes first.
class NestLowering {
 public:
  NestLowering(const Graph& body, const Nest& nest)
      : body_(body), nest_(nest), kept_(nest.kept_count()) {
    for (size_t d = kept_; d < nest.dims.size(); ++d) reduced_ |= uint64_t{1} << d;
    bodies_.resize(nest.dims.size() + 1);
    vars_.resize(nest.dims.size());
    lets_.assign(1, std::vector<std::optional<Emitted>>(nest.terms.size()));
    std::vector<size_t> loops(nest.dims.size());
    std::iota(loops.begin(), loops.end(), size_t{0});
    set_loops(loops);
  }

  /// `unrolled`: dims whose points are computed side by side, ascending.
  LoweredNest run(std::string name, std::vector<size_t> unrolled = {}) {
    start(std::move(name));
    unroll(std::move(unrolled));
    open_kept_loops(0);
    int32_t last_phase = 0;
    for (const Term& term : nest_.terms) last_phase = std::max(last_phase, term.phase);
    for (int32_t phase = 0; phase <= last_phase; ++phase) {
      lower_phase(phase);
      for (const TermStore& store : nest_.stores)
        if (nest_.phase_of(store) == phase && nest_.is_read_back(store))
          stored_.try_emplace(store.value, &store);
    }
    close_kept_loops(0);
    return finish();
  }

  /// A product in tiles.
  LoweredNest run_product(std::string name, const TiledProduct& tiled);

  /// blocks { elements: sums = 0; rows { elements: sums += ... }; elements: what follows }
  LoweredNest run_blocked(std::string name, size_t element_dim) {
    start(std::move(name));
    const std::vector<TermId> sums = all_sums();
    for (TermId t : sums) bind_scratch(t);
    for (size_t d = 0; d < element_dim; ++d) vars_[d] = next_var();
    clear_sums(sums, element_dim);
    add_rows(sums, element_dim);
    finish_columns(sums, element_dim);
    for (size_t d = element_dim; d-- > 0;) close_loop(d);
    return finish();
  }

 private:
  struct Emitted {
    loop::LetId id;
    size_t depth;
  };

  void start(std::string name) {
    kernel().name = std::move(name);
    bind_buffers();
  }

  std::vector<TermId> all_sums() const {
    std::vector<TermId> sums;
    for (TermId t = 0; t < nest_.terms.size(); ++t)
      if (nest_.terms[t].kind == TermKind::Reduce) sums.push_back(t);
    return sums;
  }

  LoweredNest finish() {
    kernel().body = std::move(bodies_[0]);
    return std::move(result_);
  }

  /// The dims that are loops, from the outside; the reduced ones that are missing come last.
  void set_loops(std::vector<size_t> loops) {
    loops_ = std::move(loops);
    depths_.assign(nest_.dims.size(), 0);
    kept_depth_ = 0;
    for (size_t l = 0; l < loops_.size(); ++l) {
      depths_[loops_[l]] = l + 1;
      if (loops_[l] < kept_) kept_depth_ = l + 1;
    }
  }
  /// The points of these dims, which are no loops then, are computed side by side.
  void unroll(std::vector<size_t> dims) {
    unrolled_ = std::move(dims);
    copies_ = 1;
    std::vector<size_t> loops = loops_;
    for (size_t dim : unrolled_) {
      copies_ *= nest_.dims[dim].extent;
      std::erase(loops, dim);
    }
    lets_.resize(static_cast<size_t>(copies_), lets_[0]);
    set_loops(std::move(loops));
  }
  void roll() { unroll({}); }
  /// Calls visit(dim, index of copy_ on it, number of copies to the next index).
  template <typename Visit>
  void for_each_unrolled(Visit visit) const {
    int64_t stride = copies_;
    for (size_t dim : unrolled_) {
      stride /= nest_.dims[dim].extent;
      visit(dim, copy_ / stride % nest_.dims[dim].extent, stride);
    }
  }
  /// The first copy that computes the same as copy_ of what depends on `dims`.
  int64_t first_copy(uint64_t dims) const {
    int64_t first = 0;
    for_each_unrolled([&](size_t dim, int64_t index, int64_t stride) {
      if (((dims >> dim) & 1) != 0) first += index * stride;
    });
    return first;
  }
  /// Those inside the first `outside` loops, as far as loops over kept dims reach.
  void open_kept_loops(size_t outside) {
    for (size_t l = outside; l < kept_depth_; ++l) vars_[loops_[l]] = next_var();
  }
  /// Those inside the first `outside` loops.
  void close_kept_loops(size_t outside) {
    for (size_t l = kept_depth_; l-- > outside;) close_loop(loops_[l]);
  }

  loop::Kernel& kernel() { return result_.kernel.kernel; }
  loop::VarId next_var() { return static_cast<loop::VarId>(kernel().var_count++); }
  loop::LetId next_let() { return static_cast<loop::LetId>(kernel().let_count++); }

  void bind_buffers() {
    const auto add = [&](GroupBuffer::Source source, int32_t position, const std::string& name,
                         const Type& type) {
      const auto number = static_cast<int32_t>(kernel().buffers.size());
      const bool is_result = source == GroupBuffer::Source::Result;
      (is_result ? result_buffers_ : operand_buffers_)[position] = number;
      kernel().buffers.push_back({name, type.dtype, type.shape.element_count(), is_result});
      result_.kernel.buffers.push_back({source, position});
    };
    for (size_t i = 0; i < body_.inputs().size(); ++i) {
      const auto position = static_cast<int32_t>(i);
      const bool is_read =
          std::any_of(nest_.terms.begin(), nest_.terms.end(), [position](const Term& term) {
            return term.kind == TermKind::Load && term.input == position;
          });
      if (is_read)
        add(GroupBuffer::Source::Operand, position, body_.inputs()[i].name,
            body_.type(Graph::input_value(i)));
    }
    for (size_t i = 0; i < body_.outputs().size(); ++i) {
      const auto position = static_cast<int32_t>(i);
      const bool is_written =
          std::any_of(nest_.stores.begin(), nest_.stores.end(),
                      [position](const TermStore& store) { return store.output == position; });
      if (is_written)
        add(GroupBuffer::Source::Result, position, body_.outputs()[i].name,
            body_.type(body_.outputs()[i].value));
    }
  }

  /// Number of loops around the place where something that depends on `dims` is computed.
  size_t depth_of(uint64_t dims) const {
    size_t depth = 0;
    for (size_t d = 0; d < nest_.dims.size(); ++d)
      if (((dims >> d) & 1) != 0) depth = std::max(depth, depths_[d]);
    return depth;
  }
  bool is_row_level(const TermStore& store) const {
    return !store.add && (nest_.dims_of(store) & reduced_) == 0;
  }

  /// Moves what stands inside the loop over dim `d` into it, and the loop to where it belongs.
  void close_loop(size_t d) {
    const size_t depth = depths_[d];
    loop::For loop{vars_[d], nest_.dims[d].extent, depth == 1 && !nest_.dims[d].reduced,
                   static_cast<int32_t>(d) == nest_.vector_dim, std::move(bodies_[depth])};
    bodies_[depth].clear();
    bodies_[depth - 1].push_back(std::move(loop));
    for (std::vector<std::optional<Emitted>>& copy : lets_)
      for (std::optional<Emitted>& let : copy)
        if (let && let->depth >= depth) let.reset();
  }

  void bind_scratch(TermId sum) {
    scratch_buffers_[sum] = static_cast<int32_t>(kernel().buffers.size());
    const auto position = static_cast<int32_t>(result_.scratch_bytes.size());
    const DType dtype = nest_.terms[sum].dtype;
    const int64_t elements = nest_.points(~reduced_);
    kernel().buffers.push_back({fmt::format("s{}", position), dtype, elements, true});
    result_.kernel.buffers.push_back({GroupBuffer::Source::Scratch, position});
    result_.scratch_bytes.push_back(elements * size_bytes(dtype));
  }
  /// The place of a point's sum in scratch memory.
  AffineMap scratch_place() const {
    AffineMap map = constant_map(nest_.dims.size());
    int64_t stride = 1;
    for (size_t d = kept_; d-- > 0;) {
      map.strides[d] = stride;
      stride *= nest_.dims[d].extent;
    }
    return map;
  }
  loop::Access sum_access(TermId sum, const AffineMap& place) const {
    return {scratch_buffers_.at(sum), affine(place), {}};
  }
  /// sums = 0, inside `depth` loops.
  void store_zeros(const std::vector<TermId>& sums, const AffineMap& place, size_t depth) {
    for (TermId t : sums) {
      const DType dtype = nest_.terms[t].dtype;
      const loop::LetId zero = next_let();
      bodies_[0].push_back(loop::Let{zero, dtype, loop::Literal{Tensor::scalar(dtype, 0)}});
      bodies_[depth].push_back(loop::Store{sum_access(t, place), zero, false});
    }
  }

  // lower_product.cpp
  AffineMap bind_blocks(const std::vector<TermId>& sums, const TiledProduct& tiled);
  void set_block_loops(const TiledProduct& tiled, size_t outside);
  void store_sums(const std::vector<TermId>& sums, const AffineMap& place,
                  const TiledProduct& tiled, size_t outside);

  void clear_sums(const std::vector<TermId>& sums, size_t element_dim) {
    vars_[element_dim] = next_var();
    store_zeros(sums, scratch_place(), depths_[element_dim]);
    close_loop(element_dim);
  }

  void add_rows(const std::vector<TermId>& sums, size_t element_dim) {
    const size_t element_depth = depths_[element_dim];
    for (size_t d = kept_; d < nest_.dims.size(); ++d) {
      --depths_[d];
      vars_[d] = next_var();
    }
    depths_[element_dim] = nest_.dims.size();
    vars_[element_dim] = next_var();
    for (TermId t : sums) {
      loop::Store store{sum_access(t, scratch_place()), emit(nest_.terms[t].operands[0]), true};
      bodies_[nest_.dims.size()].push_back(std::move(store));
    }
    std::vector<const TermStore*> full;
    for (const TermStore& store : nest_.stores)
      if (!is_row_level(store)) full.push_back(&store);
    store_all(full);
    close_loop(element_dim);
    for (size_t d = nest_.dims.size(); d-- > kept_;) close_loop(d);
    for (size_t d = kept_; d < nest_.dims.size(); ++d) ++depths_[d];
    depths_[element_dim] = element_depth;
  }

  void finish_columns(const std::vector<TermId>& sums, size_t element_dim) {
    vars_[element_dim] = next_var();
    for (TermId t : sums)
      add_let(t, depths_[element_dim], loop::Load{sum_access(t, scratch_place())});
    std::vector<const TermStore*> row;
    for (const TermStore& store : nest_.stores)
      if (is_row_level(store)) row.push_back(&store);
    store_all(row);
    close_loop(element_dim);
  }

  void lower_phase(int32_t phase) {
    std::vector<TermId> reductions;
    for (TermId t = 0; t < nest_.terms.size(); ++t)
      if (nest_.terms[t].kind == TermKind::Reduce && nest_.terms[t].phase == phase + 1)
        reductions.push_back(t);
    std::vector<const TermStore*> full;
    std::vector<const TermStore*> row;
    for (const TermStore& store : nest_.stores)
      if (nest_.phase_of(store) == phase) (is_row_level(store) ? row : full).push_back(&store);
    if (!reductions.empty() || !full.empty()) lower_reduced_loops(reductions, full);
    store_all(row);
  }

  /// `starts`: where the accumulators start, if not at their neutral elements.
  void lower_reduced_loops(const std::vector<TermId>& reductions,
                           const std::vector<const TermStore*>& full,
                           const std::vector<loop::LetId>& starts = {}) {
    std::vector<loop::AccumulatorId> accumulators;  // one for each of the elements
    std::vector<std::pair<TermId, int64_t>> elements;
    for (TermId t : reductions)
      for (copy_ = 0; copy_ < copies_; ++copy_)
        if (first_copy(nest_.terms[t].dims) == copy_) elements.emplace_back(t, copy_);
    for (const auto& [t, copy] : elements) {
      std::optional<loop::LetId> start;
      if (!starts.empty()) start = starts[accumulators.size()];
      accumulators.push_back(add_accumulator(t, kept_depth_, start));
    }
    for (size_t l = kept_depth_; l < loops_.size(); ++l) vars_[loops_[l]] = next_var();
    for (size_t e = 0; e < elements.size(); ++e)
      for (copy_ = 0; copy_ < copies_; ++copy_)
        if (first_copy(nest_.terms[elements[e].first].dims) == elements[e].second)
          feed(elements[e].first, accumulators[e]);
    store_all(full);
    for (size_t l = loops_.size(); l-- > kept_depth_;) close_loop(loops_[l]);
    for (size_t e = 0; e < elements.size(); ++e) {
      copy_ = elements[e].second;
      add_let(elements[e].first, kept_depth_, loop::ReadAccumulator{accumulators[e]});
    }
    copy_ = 0;
  }

  loop::AccumulatorId add_accumulator(TermId t, size_t depth,
                                      std::optional<loop::LetId> start = {}) {
    const Term& term = nest_.terms[t];
    const auto id = static_cast<loop::AccumulatorId>(kernel().accumulator_count++);
    bodies_[depth].push_back(loop::Accumulator{id, reduce_kind(term.op), term.accumulator, start});
    return id;
  }

  void feed(TermId t, loop::AccumulatorId accumulator) {
    const Term& term = nest_.terms[t];
    loop::Accumulate accumulate{accumulator, emit(term.operands[0]), std::nullopt, {}};
    if (term.operands.size() > 1) accumulate.factor = emit(term.operands[1]);
    if (term.op == OpKind::ArgMax || term.op == OpKind::ArgMin)
      accumulate.position = affine(term.position);
    bodies_[loops_.size()].push_back(std::move(accumulate));
  }

  /// All values first, so that a store never precedes a load that belongs to it.
  void store_all(const std::vector<const TermStore*>& stores) {
    for (copy_ = 0; copy_ < copies_; ++copy_)
      for (const TermStore* store : stores) {
        if (!is_stored_by_copy(*store)) continue;
        emit(store->value);
        for (const TermIndirection& indirection : store->indirections) emit(indirection.index);
      }
    for (copy_ = 0; copy_ < copies_; ++copy_)
      for (const TermStore* store : stores) {
        if (!is_stored_by_copy(*store)) continue;
        const uint64_t dims = is_row_level(*store) ? ~reduced_ : ~uint64_t{0};
        loop::Store statement{
            access(result_buffers_.at(store->output), store->position, store->indirections),
            emit(store->value), store->add};
        bodies_[depth_of(dims)].push_back(std::move(statement));
        result_.accesses.push_back(
            {true, store->indirections.empty() && !store->add, store->output, store->position});
      }
    copy_ = 0;
  }

  /// Copies that store the same element at the same place do it once.
  bool is_stored_by_copy(const TermStore& store) const {
    return store.add || first_copy(nest_.dims_of(store)) == copy_;
  }

  loop::Affine affine(const AffineMap& map) const {
    loop::Affine result{map.offset, {}};
    for_each_unrolled(
        [&](size_t dim, int64_t index, int64_t) { result.offset += map.strides[dim] * index; });
    for (size_t d = 0; d < map.strides.size(); ++d) {
      const bool is_unrolled = std::find(unrolled_.begin(), unrolled_.end(), d) != unrolled_.end();
      if (map.strides[d] == 0 || is_unrolled) continue;
      const auto var = static_cast<size_t>(vars_[d]);
      if (result.strides.size() <= var) result.strides.resize(var + 1, 0);
      result.strides[var] = map.strides[d];
    }
    return result;
  }
  loop::Access access(int32_t buffer, const AffineMap& position,
                      const std::vector<TermIndirection>& indirections) {
    loop::Access at{buffer, affine(position), {}};
    for (const TermIndirection& indirection : indirections)
      at.indirections.push_back({emit(indirection.index), indirection.size, indirection.stride});
    return at;
  }

  template <typename Value>
  loop::LetId add_let(TermId t, size_t depth, Value value) {
    const loop::LetId id = next_let();
    bodies_[depth].push_back(loop::Let{id, nest_.terms[t].dtype, std::move(value)});
    let_of(t) = Emitted{id, depth};
    return id;
  }
  /// The number of a stream, before all loops and before the seed, which may stand there already.
  loop::LetId stream_let(uint64_t stream) {
    Tensor number(DType::I64, Shape{});
    number.span<int64_t>()[0] = std::bit_cast<int64_t>(stream);
    const loop::LetId id = next_let();
    bodies_[0].insert(bodies_[0].begin(), loop::Let{id, DType::I64, loop::Literal{number}});
    return id;
  }
  /// Of the copy that is being emitted; what the unrolled dims do not change is there once.
  std::optional<Emitted>& let_of(TermId t) {
    return lets_[static_cast<size_t>(first_copy(nest_.terms[t].dims))][t];
  }

  /// The let of a term, placed now unless one is in scope.
  loop::LetId emit(TermId t) {
    if (let_of(t)) return let_of(t)->id;
    const Term& term = nest_.terms[t];
    if (const auto stored = stored_.find(t); stored != stored_.end()) {
      const TermStore& store = *stored->second;
      return add_let(t, depth_of(~uint64_t{0}),
                     loop::Load{access(result_buffers_.at(store.output), store.position, {})});
    }
    const size_t depth = depth_of(term.dims);
    switch (term.kind) {
      case TermKind::Load: {
        loop::Access at = access(operand_buffers_.at(term.input), term.position, term.indirections);
        result_.accesses.push_back({false, term.indirections.empty(), term.input, term.position});
        return add_let(t, depth, loop::Load{std::move(at)});
      }
      case TermKind::Literal:
        return add_let(t, depth, loop::Literal{term.literal});
      case TermKind::Iota:
        return add_let(t, depth, loop::Iota{affine(term.position)});
      case TermKind::Draw: {
        const loop::LetId stream = stream_let(term.stream);
        const loop::LetId seed = emit(term.operands[0]);
        const loop::LetId step = emit(term.operands[1]);
        return add_let(t, depth, loop::Draw{seed, step, stream, affine(term.position)});
      }
      case TermKind::Apply: {
        loop::Apply apply{compiled_op(term.op), {}};
        for (TermId operand : term.operands) apply.operands.push_back(emit(operand));
        return add_let(t, depth, std::move(apply));
      }
      case TermKind::Products: {
        std::vector<loop::LetId> factors;
        for (TermId operand : term.operands) factors.push_back(emit(operand));
        const loop::AccumulatorId sum = add_accumulator(t, depth);
        for (size_t k = 0; k < factors.size(); k += 2)
          bodies_[depth].push_back(loop::Accumulate{sum, factors[k], factors[k + 1], {}});
        return add_let(t, depth, loop::ReadAccumulator{sum});
      }
      case TermKind::Reduce:
        break;
    }
    CHECK(false, "a reduction is read before its phase");
  }

  const Graph& body_;
  const Nest& nest_;
  std::vector<size_t> unrolled_;
  int64_t copies_ = 1;  // points of the unrolled dims
  int64_t copy_ = 0;    // of them, the one being emitted
  const size_t kept_;
  size_t kept_depth_ = 0;  // number of loops over kept dims
  uint64_t reduced_ = 0;
  std::vector<size_t> loops_;   // dims, from the outside
  std::vector<size_t> depths_;  // by dim: number of loops around what depends on it
  LoweredNest result_;
  std::map<int32_t, int32_t> operand_buffers_;
  std::map<int32_t, int32_t> result_buffers_;
  std::map<TermId, int32_t> scratch_buffers_;
  std::map<TermId, const TermStore*> stored_;              // by earlier phases, to be read back
  std::vector<std::vector<loop::Stmt>> bodies_;            // by number of loops around
  std::vector<loop::VarId> vars_;                          // by dim
  std::vector<std::vector<std::optional<Emitted>>> lets_;  // by copy, then term
};

}  // namespace gradc
