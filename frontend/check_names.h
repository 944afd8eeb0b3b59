// What can be said of a file without evaluating it, for every definition whether called or not:
// names, argument names and counts, kinds of literals, misplaced statements, missing and
// unreachable returns, cycles between definitions, names that are never used.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"

namespace gradc {

/// A definition that a file can use; null `item` stands for one that is not known further.
struct ImportedName {
  std::string name;
  const ast::Item* item = nullptr;
};

struct NameScope {
  /// The library's files; their definitions can be used everywhere.
  std::vector<std::shared_ptr<const ast::File>> library;
  /// What the file's imports brought, by name. With `imports_known` false every imported name is
  /// taken to exist (a file is checked alone).
  std::vector<ImportedName> imports;
  bool imports_known = false;
};

/// Codes E02xx, E03xx, W02xx. To check the library itself, pass its files as `scope.library` and
/// one of them as `file`.
void check_names(const ast::File& file, const NameScope& scope, Diagnostics& diagnostics);

}  // namespace gradc
