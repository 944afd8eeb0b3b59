// Every file of tests/golden/diagnostics gives exactly the messages beside it.
#include "test_library.h"

using namespace gradc;
using namespace gradc::testing;

TEST_CASE("faulty texts give the expected messages") {
  for (const auto& path : files_of(golden_folder() / "diagnostics", ".grad")) {
    Diagnostics diagnostics;
    read_model(path.filename().string(), read_text(path), diagnostics);
    const std::string messages = render(diagnostics);
    INFO(path.string());
    CHECK(messages != "");
    check_golden(std::filesystem::path(path).replace_extension(".txt"), messages);
  }
}

TEST_CASE("the examples of the language have neither errors nor warnings") {
  for (const auto& path : files_of(golden_folder() / "language", ".grad")) {
    Diagnostics diagnostics;
    const auto file = read_model(path.filename().string(), read_text(path), diagnostics);
    INFO(path.string());
    CHECK(render(diagnostics) == "");
    CHECK_FALSE(file->items.empty());
  }
}
