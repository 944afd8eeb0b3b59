// docs/library.md, written from the library's own text.
#pragma once
#include <string>

namespace gradc {

/// A Markdown page: every definition of frontend/std with its signature, its documentation and that
/// of its parameters, file by file, then the built-in names.
std::string library_page();

}  // namespace gradc
