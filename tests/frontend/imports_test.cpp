// Imports: relative paths, private names, circles, files that are not there.
#include "frontend/model.h"
#include "golden_text.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

/// A folder of files that is removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("gradc_imports_" + name + "_" + std::to_string(std::rand()))) {
    std::filesystem::create_directories(path_ / "parts");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

const std::string kModel =
    "model m(x: f32[batch, 3]) {\n  output y = twice(x)\n  loss = mean(y)\n}\n";

/// The codes of the findings, or "" if the model elaborates.
std::string codes_of(const std::string& path) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read(path, {}, diagnostics);
    model.elaborate(GraphMode::Evaluate, 2);
  } catch (const ModelError&) {
  }
  std::string codes;
  for (const Diagnostic* finding : diagnostics.sorted())
    codes += (codes.empty() ? "" : " ") + finding->code;
  return codes;
}

}  // namespace

TEST_CASE("names are imported from files beside the importing one") {
  const Folder folder("good");
  folder.write("m.grad", "import twice from \"parts/a.grad\"\n" + kModel);
  folder.write("parts/a.grad",
               "import _half, scale from \"../b.grad\"\nfn twice(x) => scale * x\n");
  CHECK(codes_of(folder.file("m.grad")) == "E0231");
  folder.write("b.grad", "_hidden = 1\nscale = 1 + _hidden\n");
  CHECK(codes_of(folder.file("m.grad")) == "E0232");
  folder.write("parts/a.grad", "import scale from \"../b.grad\"\nfn twice(x) => scale * x\n");
  CHECK(codes_of(folder.file("m.grad")) == "");
  folder.write("parts/a.grad",
               "import scale, _hidden from \"../b.grad\"\nfn twice(x) => scale * _hidden * x\n");
  CHECK(codes_of(folder.file("m.grad")).find("E0234") != std::string::npos);
}

TEST_CASE("files that import each other are refused") {
  const Folder folder("circle");
  folder.write("m.grad", "import twice from \"a.grad\"\n" + kModel);
  folder.write("a.grad", "import scale from \"b.grad\"\nfn twice(x) => scale * x\n");
  folder.write("b.grad", "import twice from \"a.grad\"\nscale = twice(1)\n");
  CHECK(codes_of(folder.file("m.grad")).find("E0233") != std::string::npos);
  folder.write("b.grad", "import m from \"m.grad\"\nscale = 2\n");
  CHECK(codes_of(folder.file("m.grad")).find("E0233") != std::string::npos);
}

TEST_CASE("a long chain of imports is refused, not followed to the end of the stack") {
  const Folder folder("chain");
  folder.write("m.grad", "import twice from \"f0.grad\"\n" + kModel);
  for (int i = 0; i < 200; ++i)
    folder.write(
        "f" + std::to_string(i) + ".grad",
        "import twice from \"f" + std::to_string(i + 1) + ".grad\"\nfn two(x) => twice(x)\n");
  CHECK(codes_of(folder.file("m.grad")).find("E0235") != std::string::npos);
}

TEST_CASE("errors of an imported file are shown with its name") {
  const Folder folder("faulty");
  folder.write("m.grad", "import twice from \"a.grad\"\n" + kModel);
  folder.write("a.grad", "fn twice(x) => x @ x\n");
  Diagnostics diagnostics;
  Model model = Model::read(folder.file("m.grad"), {}, diagnostics);
  CHECK_THROWS_AS(model.elaborate(GraphMode::Evaluate, 2), ModelError);
  const Diagnostic& finding = *diagnostics.sorted().at(0);
  CHECK(finding.code == "E0401");
  CHECK(finding.span.place().find("a.grad:1:18") != std::string::npos);
  CHECK(finding.chain.at(0).text == "in `twice`, called here");
}

TEST_CASE("a file that is not there, a folder and an endless file are errors") {
  Diagnostics diagnostics;
  const auto exit_code = [&](const std::string& path) {
    try {
      Model::read(path, {}, diagnostics);
    } catch (const Error& failure) {
      return failure.exit_code();
    }
    return ExitCode::Done;
  };
  CHECK(exit_code("/nowhere/m.grad") == ExitCode::InputOutput);
  CHECK(exit_code("/") == ExitCode::InputOutput);
  CHECK(exit_code("/dev/zero") == ExitCode::ModelOrData);
}
