// A small library that does not change, for tests of names and messages.
#pragma once
#include <memory>
#include <vector>

#include "frontend/check_names.h"
#include "frontend/parse.h"
#include "golden_text.h"

namespace gradc::testing {

/// The files of tests/golden/library.
inline const std::vector<std::shared_ptr<const ast::File>>& test_library() {
  static const auto files = [] {
    std::vector<std::shared_ptr<const ast::File>> all;
    Diagnostics diagnostics;
    for (const auto& path : files_of(golden_folder() / "library", ".grad"))
      all.push_back(parse(Source::make("std/" + path.filename().string(), read_text(path), true),
                          diagnostics));
    REQUIRE(render(diagnostics) == "");
    return all;
  }();
  return files;
}

/// Parses and checks a text alone; its imports are taken to exist.
inline std::shared_ptr<const ast::File> read_model(const std::string& name, const std::string& text,
                                                   Diagnostics& diagnostics) {
  const auto file = parse(Source::make(name, text), diagnostics);
  NameScope scope;
  scope.library = test_library();
  check_names(*file, scope, diagnostics);
  return file;
}

}  // namespace gradc::testing
