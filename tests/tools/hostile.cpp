// Hostile files: each is refused with a message, fast, and in little memory.
#include <malloc.h>

#include <filesystem>
#include <fstream>

#include "tests/tools/hostile_files.h"
#include "tests/tools/run_program.h"

#include <catch2/catch.hpp>

namespace fs = std::filesystem;
using namespace gradc;

namespace {

constexpr int64_t kMostBytes = int64_t{64} << 20;

/// What the command is given: the file, or the folder that it is laid out in.
std::string lay_out(const std::string& format, const HostileFile& file) {
  const std::string folder = temporary_path("hostile_" + format);
  if (format != "png" && format != "idx") {
    fs::create_directories(folder);
    std::ofstream(folder + "/" + file.name, std::ios::binary) << file.bytes;
    return folder + "/" + file.name;
  }
  fs::remove_all(folder);
  fs::create_directories(folder + "/class");
  if (format == "png") {
    std::ofstream(folder + "/class/" + file.name, std::ios::binary) << file.bytes;
    return folder;
  }
  fs::remove(folder + "/class");
  std::ofstream(folder + "/train-images-idx3-ubyte", std::ios::binary) << file.bytes;
  std::ofstream(folder + "/train-labels-idx1-ubyte", std::ios::binary)
      << std::string("\0\0\x08\x01\0\0\0\x02\x03\x04", 10);
  return folder;
}

}  // namespace

TEST_CASE("hostile files are refused in little time and memory") {
  const std::vector<HostileFormat> formats = hostile_formats();
  // What a program starts from counts as its memory: that of this test.
  malloc_trim(0);
  if (!kIsSanitized) CHECK(run_program({"--version"}).peak_bytes < kMostBytes);
  // So that no run loads LLVM, which has its own memory.
  REQUIRE(run_program({"eval", model_path("reference/d1.grad"), "--cache", temporary_path("cache")})
              .exit_code == 0);
  size_t count = 0;
  size_t run_count = 0;
  for (const HostileFormat& format : formats) {
    // Files that need each other lie in one folder, before the first is read.
    for (const HostileFile& file : format.files) lay_out(format.name, file);
    for (const HostileFile& file : format.files) {
      // A start takes long under the sanitizers.
      if (count++ % 8 != 0 && kIsSanitized) continue;
      ++run_count;
      const std::string path = lay_out(format.name, file);
      const ProgramRun run = run_program(format.arguments(path));
      INFO(format.name << "/" << file.name << ", " << file.bytes.size() << " bytes: exit "
                       << run.exit_code << ", " << run.seconds << " s, " << run.peak_bytes / 1e6
                       << " MB\n"
                       << run.err.substr(0, 2000));
      CHECK((run.exit_code == 1 || run.exit_code == 2 || run.exit_code == 5));
      CHECK(run.err.find("error") != std::string::npos);
      if (kIsSanitized) continue;
      CHECK(run.processor_seconds < 1);
      CHECK(run.peak_bytes < kMostBytes + 2 * static_cast<int64_t>(file.bytes.size()));
    }
  }
  CHECK(count >= 200);
  CHECK(run_count > 20);
}
