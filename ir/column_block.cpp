// Sums down columns: the blocks of columns that walk the rows as memory lies.
#include <algorithm>

#include "ir/iteration.h"

namespace gradc {
namespace {

constexpr int64_t kMinRows = 8;
constexpr int64_t kMinBlock = 64;
constexpr int64_t kMaxEvenBlock = 128;
constexpr int64_t kMaxBlock = 1024;
constexpr int64_t kBlockStep = 16;

/// The largest even block that leaves two of them or more; else all columns; 0 where neither fits.
int64_t choose_block(int64_t columns) {
  for (int64_t block = kMaxEvenBlock; block >= kMinBlock; block -= kBlockStep)
    if (columns % block == 0 && columns > block) return block;
  return columns >= kMinBlock && columns <= kMaxBlock ? columns : 0;
}

bool are_sums_in_one_phase(const Nest& nest) {
  bool has_sums = false;
  uint64_t reduced = 0;
  for (size_t d = nest.kept_count(); d < nest.dims.size(); ++d) reduced |= uint64_t{1} << d;
  for (const Term& term : nest.terms) {
    if (term.kind == TermKind::Reduce) {
      if (term.op != OpKind::Sum || term.operands.size() != 1 || term.phase != 1) return false;
      has_sums = true;
    } else if (term.phase > 0 && (term.dims & reduced) != 0) {
      return false;
    }
  }
  const bool reads_sums_in_rows =
      std::any_of(nest.stores.begin(), nest.stores.end(), [&](const TermStore& store) {
        bool is_full = false;
        for (size_t d = nest.kept_count(); d < nest.dims.size(); ++d)
          is_full = is_full || store.position.strides[d] != 0;
        return store.add || (is_full && nest.terms[store.value].phase > 0);
      });
  return has_sums && !reads_sums_in_rows;
}

}  // namespace

int64_t Nest::column_block() const {
  const size_t kept = kept_count();
  if (kept == 0 || kept == dims.size()) return 0;
  if (vector_dim != static_cast<int32_t>(kept) - 1) return 0;
  int64_t rows = 1;
  for (size_t d = kept; d < dims.size(); ++d) rows *= dims[d].extent;
  return rows < kMinRows || !are_sums_in_one_phase(*this) ? 0 : choose_block(dims[kept - 1].extent);
}

}  // namespace gradc
