// docs/library.md is current (BLESS=1 rewrites it), and everything in the library is documented.
#include "frontend/library_page.h"
#include "frontend/file_scope.h"
#include "golden_text.h"

using namespace gradc;
using namespace gradc::testing;

TEST_CASE("docs/library.md is what the library's comments say") {
  check_golden(std::filesystem::path(GRADC_SOURCE_DIR) / "docs/library.md", library_page());
}

TEST_CASE("every definition of the library is documented") {
  for (const auto& file : library_files())
    for (const ast::Item& item : file->items) {
      if (!ast::defined_name(item)) continue;
      INFO(ast::defined_name(item)->text);
      CHECK_FALSE(item.doc.empty());
    }
}
