// Every name a definition binds anywhere in it, and every name it calls.
#pragma once
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "frontend/ast.h"

namespace gradc {

struct ItemNames {
  /// The first place that binds the name.
  std::unordered_map<std::string, Span> bound;
  /// Callees as written; they are segments of paths.
  std::unordered_set<std::string> called;
};

ItemNames item_names(const ast::Item& item);

}  // namespace gradc
