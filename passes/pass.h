// A pass: one graph in, an equivalent graph out.
#pragma once
#include <string_view>

#include "ir/graph.h"

namespace gradc {

/// `name` is the name of its file, of its golden file and of `dump --after`; `doc` is one sentence.
/// `run` never changes its argument, accepts graphs of every mode and stage, and is idempotent.
struct Pass {
  std::string_view name;
  std::string_view doc;
  Graph (*run)(const Graph&);
};

}  // namespace gradc
