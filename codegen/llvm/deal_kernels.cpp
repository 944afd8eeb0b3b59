// Greedy scheduling: the longest job first.
#include "codegen/llvm/deal_kernels.h"

#include <algorithm>

namespace gradc {
namespace {

/// Statements, as a measure of the time a kernel takes to compile.
size_t statement_count(const std::vector<loop::Stmt>& body) {
  size_t count = body.size();
  for (const loop::Stmt& stmt : body)
    if (const auto* loop = std::get_if<loop::For>(&stmt)) count += statement_count(loop->body);
  return count;
}

}  // namespace

std::vector<std::vector<size_t>> deal(std::span<const loop::Kernel> kernels, size_t hands) {
  std::vector<std::pair<size_t, size_t>> by_size;
  for (size_t i = 0; i < kernels.size(); ++i)
    by_size.emplace_back(statement_count(kernels[i].body), i);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::vector<size_t>> dealt(hands);
  std::vector<size_t> sizes(hands);
  for (const auto& [size, place] : by_size) {
    const auto least = std::min_element(sizes.begin(), sizes.end()) - sizes.begin();
    sizes[static_cast<size_t>(least)] += size;
    dealt[static_cast<size_t>(least)].push_back(place);
  }
  return dealt;
}

}  // namespace gradc
