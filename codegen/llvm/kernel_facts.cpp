// Walks a kernel's statements once.
#include "codegen/llvm/kernel_facts.h"

#include <limits>

#include "runtime/core/error.h"

namespace gradc {
namespace {

using namespace loop;

void collect(const std::vector<Stmt>& body, bool in_vector_loop, KernelFacts& facts) {
  for (const Stmt& stmt : body) {
    if (const auto* accumulate = std::get_if<Accumulate>(&stmt)) {
      if (in_vector_loop) facts.fed_in_vector_loop.insert(accumulate->accumulator);
    } else if (const auto* let = std::get_if<Let>(&stmt)) {
      const auto* draw = std::get_if<Draw>(&let->value);
      if (draw == nullptr) continue;
      facts.streams[draw->seed].insert({draw->stream, false});
      if (let->dtype == DType::F64) facts.streams[draw->seed].insert({draw->stream, true});
    } else if (const auto* loop = std::get_if<For>(&stmt)) {
      facts.extents[static_cast<size_t>(loop->var)] = loop->extent;
      collect(loop->body, in_vector_loop || loop->vector, facts);
    }
  }
}

void collect_fed(const std::vector<Stmt>& body, std::set<AccumulatorId>& fed,
                 std::set<AccumulatorId>& declared) {
  for (const Stmt& stmt : body) {
    if (const auto* accumulate = std::get_if<Accumulate>(&stmt))
      fed.insert(accumulate->accumulator);
    else if (const auto* accumulator = std::get_if<Accumulator>(&stmt))
      declared.insert(accumulator->id);
    else if (const auto* loop = std::get_if<For>(&stmt))
      collect_fed(loop->body, fed, declared);
  }
}

}  // namespace

KernelFacts kernel_facts(const Kernel& kernel) {
  KernelFacts facts;
  facts.extents.resize(kernel.var_count, 1);
  collect(kernel.body, false, facts);
  return facts;
}

std::vector<AccumulatorId> carried_accumulators(const std::vector<Stmt>& body) {
  std::set<AccumulatorId> fed, declared;
  collect_fed(body, fed, declared);
  std::vector<AccumulatorId> carried;
  for (AccumulatorId id : fed)
    if (!declared.contains(id)) carried.push_back(id);
  return carried;
}

bool stores_guarded(const std::vector<Stmt>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt& stmt) {
    if (const auto* loop = std::get_if<For>(&stmt)) return stores_guarded(loop->body);
    const auto* store = std::get_if<Store>(&stmt);
    return store != nullptr && store->guard.has_value();
  });
}

int64_t stride_of(const Affine& affine, VarId var) {
  const auto position = static_cast<size_t>(var);
  return position < affine.strides.size() ? affine.strides[position] : 0;
}

bool fits_i32(const Affine& affine, const std::vector<int64_t>& extents) {
  double lowest = static_cast<double>(affine.offset), highest = lowest;
  for (size_t var = 0; var < affine.strides.size(); ++var) {
    const double span =
        static_cast<double>(affine.strides[var]) * static_cast<double>(extents[var] - 1);
    (span < 0 ? lowest : highest) += span;
  }
  return lowest >= std::numeric_limits<int32_t>::min() &&
         highest <= std::numeric_limits<int32_t>::max();
}

}  // namespace gradc
