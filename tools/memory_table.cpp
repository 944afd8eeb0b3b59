// Bytes and microseconds in columns.
#include "tools/memory_table.h"

#include <fmt/format.h>

#include "codegen/draft.h"
#include "runtime/core/error.h"

namespace gradc {

void check_limit(const std::string& title, const Recomputation& fitted, int64_t limit) {
  if (fitted.arena_after <= limit) return;
  throw Error(
      ExitCode::InputOutput, "E0806",
      fmt::format("{} needs {} for its intermediate results and can do with {} ({} bytes) by "
                  "computing values again; the limit is {}\n"
                  "smaller batches need less: --batch",
                  title, readable_bytes(fitted.arena_before), readable_bytes(fitted.arena_after),
                  fitted.arena_after, readable_bytes(limit)));
}

std::string memory_table(const std::string& title, const Recomputation& fitted, int64_t limit) {
  if (fitted.values.empty()) return "";
  double cost_ns = 0;
  for (const RecomputedValues& values : fitted.values) cost_ns += values.cost_ns;
  std::string text = fmt::format(
      "memory: {}: intermediate results take {} instead of {}, limit {}; about {:.1f} us "
      "(one thread) to compute again\n",
      title, readable_bytes(fitted.arena_after), readable_bytes(fitted.arena_before),
      readable_bytes(limit), cost_ns / 1e3);
  for (const RecomputedValues& values : fitted.values)
    text += fmt::format("  {:>10}  {:>10.1f} us  {}\n", readable_bytes(values.bytes),
                        values.cost_ns / 1e3, values.what);
  return text;
}

}  // namespace gradc
