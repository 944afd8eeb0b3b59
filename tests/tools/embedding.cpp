// docs/embedding: the examples are built outside the source tree from an installed gradc, and run.
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

const std::string kExamples = std::string(GRADC_SOURCE_DIR) + "/docs/embedding/";
const std::string kSanitizer = GRADC_SANITIZER;

/// Where everything is installed and built; made once.
const std::string& workshop() {
  static const std::string folder = [] {
    const std::string made = temporary_path("workshop");
    fs::create_directories(made);
    const ProgramRun install =
        run_executable(GRADC_CMAKE, {"--install", GRADC_BUILD_DIR, "--prefix", made + "/prefix"});
    INFO(install.err);
    REQUIRE(install.exit_code == 0);
    for (const auto& entry : fs::directory_iterator(kExamples))
      fs::copy(entry.path(), made + "/" + entry.path().filename().string());
    return made;
  }();
  return folder;
}

/// Runs a command line in the workshop, as a reader would type it.
ProgramRun typed(const std::string& line) {
  const std::string prefix = workshop() + "/prefix";
  const ProgramRun run = run_executable(
      "/bin/sh", {"-c", "cd " + workshop() + " && export PATH=" + prefix + "/bin:$PATH " +
                            "PKG_CONFIG_PATH=" + prefix + "/lib/pkgconfig && " + line});
  INFO(line << "\n" << run.err);
  CHECK(run.exit_code == 0);
  return run;
}

/// What the compilers have to be told of sanitized libraries.
std::string sanitizer_flag() { return kSanitizer.empty() ? "" : " -fsanitize=" + kSanitizer + " "; }

void check_output(const ProgramRun& run) {
  std::istringstream words(run.out.substr(run.out.find("accuracy")));
  std::string word;
  double accuracy = 0;
  words >> word >> accuracy;
  CHECK(accuracy > 0.95);
  CHECK_THAT(run.out, Contains("the loaded model predicts the same"));
}

void build_object() { typed("gradc build rings.grad --emit obj -o rings.o"); }

}  // namespace

TEST_CASE("the C and C++ examples train from outside the source tree") {
  build_object();
  typed("cc -std=c11 -Wall -Wextra -Werror rings.c rings.o" + sanitizer_flag() +
        " $(pkg-config --cflags --libs gradc-runtime) -o rings_c");
  check_output(typed("./rings_c rings.csv"));
  typed("c++ -std=c++17 -Wall -Wextra -Werror rings.cpp rings.o" + sanitizer_flag() +
        " $(pkg-config --cflags --libs gradc-runtime) -o rings_cpp");
  check_output(typed("./rings_cpp rings.csv"));
}

TEST_CASE("the Fortran example trains") {
  if (!fs::exists("/usr/bin/gfortran")) {
    WARN("skipped: no gfortran");
    return;
  }
  build_object();
  typed("gfortran rings.f90 rings.o" + sanitizer_flag() +
        " $(pkg-config --libs gradc-runtime) -o rings_f");
  check_output(typed("./rings_f rings.csv"));
}

TEST_CASE("the Python example trains") {
  // A sanitized library cannot be loaded into an interpreter that is not.
  if (!kSanitizer.empty()) return;
  if (!fs::exists("/usr/lib/python3/dist-packages/numpy")) {
    WARN("skipped: no python3-numpy");
    return;
  }
  typed("gradc build rings.grad --emit shared -o librings.so");
  check_output(typed("/usr/bin/python3 rings.py ./librings.so rings.csv"));
}

TEST_CASE("the CMake package finds the runtime") {
  build_object();
  write_temporary("workshop/CMakeLists.txt",
                  "cmake_minimum_required(VERSION 3.25)\nproject(rings LANGUAGES C CXX)\n"
                  "find_package(gradc REQUIRED)\nadd_executable(rings_cmake rings.c rings.o)\n"
                  "set_target_properties(rings_cmake PROPERTIES LINKER_LANGUAGE CXX)\n"
                  "target_link_libraries(rings_cmake PRIVATE gradc::runtime)\n");
  typed("cmake -B out -DCMAKE_PREFIX_PATH=prefix -DCMAKE_EXE_LINKER_FLAGS='" + sanitizer_flag() +
        "' . && cmake --build out");
  check_output(typed("out/rings_cmake rings.csv"));
}

TEST_CASE("an object needs the runtime and the C library, nothing else") {
  build_object();
  std::istringstream symbols(typed("nm --undefined-only --format=just-symbols rings.o").out);
  const std::set<std::string> allowed = {"onednn_calls_of_gradc", "memset", "memcpy", "memmove"};
  for (std::string symbol; symbols >> symbol;) {
    INFO(symbol);
    CHECK(allowed.contains(symbol));
  }
  CHECK(typed("nm --defined-only --extern-only --format=just-symbols rings.o").out ==
        "gradc_model_rings\n");
}

TEST_CASE("a shared library shows the C interface alone") {
  typed("gradc build rings.grad --emit shared -o librings.so");
  std::istringstream symbols(typed("nm -D --defined-only --format=just-symbols librings.so").out);
  int count = 0;
  for (std::string symbol; symbols >> symbol; ++count) {
    INFO(symbol);
    CHECK(symbol.starts_with("gradc_"));
  }
  CHECK(count > 20);
}
