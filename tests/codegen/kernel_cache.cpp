// The cache of compiled kernels: hits, misses, damage, and folders that cannot be written.
#include "codegen/kernel_cache.h"

#include <filesystem>
#include <thread>

#include "codegen/code_file.h"
#include "tests/codegen/kernel_builder.h"
#include "tests/runtime/scratch_folder.h"

#include <catch2/catch.hpp>

using namespace gradc;
using loop::KernelBuilder;
namespace fs = std::filesystem;

namespace {

std::vector<loop::Kernel> adding_kernels(double number) {
  KernelBuilder builder("adding");
  const int32_t out = builder.buffer(DType::F32, 1, true);
  builder.store(out, KernelBuilder::at({}), builder.literal(DType::F32, number));
  return {builder.kernel()};
}

float result_of(const CompiledKernels& compiled) {
  float out = 0;
  void* const buffers[] = {&out};
  compiled.functions.at(0)(buffers, 0, 1);
  return out;
}

float run(double number, const std::string& folder) {
  return result_of(cached_kernels("test", adding_kernels(number), {.folder = folder}));
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

void overwrite(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("kernel cache: one file for each program, and what it holds is used") {
  const ScratchFolder scratch;
  const std::string folder = scratch / "new/folder";
  CHECK(run(2, folder) == 2);
  REQUIRE(files_below(folder).size() == 1);
  const std::string path = files_below(folder)[0];
  CHECK(run(3, folder) == 3);
  REQUIRE(files_below(folder).size() == 2);
  // Proof that the file is read: another program's code in its place, under its key.
  const std::string other = files_below(folder)[files_below(folder)[0] == path ? 1 : 0];
  const std::string bytes = file_bytes(path);
  Hash key;
  std::memcpy(&key, bytes.data() + 16, sizeof(key));
  Hash other_key;
  std::memcpy(&other_key, file_bytes(other).data() + 16, sizeof(other_key));
  overwrite(path, to_code_file(*from_code_file(file_bytes(other), other_key), key));
  CHECK(run(2, folder) == 3);
  // Under its own key it is of no use there.
  overwrite(path, file_bytes(other));
  CHECK(run(2, folder) == 2);
  CHECK(file_bytes(path) == bytes);
}

TEST_CASE("kernel cache: a damaged file is compiled again and replaced") {
  const ScratchFolder scratch;
  run(2, scratch.path());
  const std::string path = files_below(scratch.path()).at(0);
  const std::string good = file_bytes(path);
  std::vector<std::string> damaged = {"", "gradcode", std::string(10000, '\0'), good + "x"};
  for (const size_t size : {size_t{1}, size_t{20}, size_t{47}, size_t{48}, size_t{52}, size_t{56},
                            size_t{57}, good.size() / 2, good.size() - 1})
    damaged.push_back(good.substr(0, size));
  for (size_t place = 0; place < good.size(); place += place < 64 ? 1 : 97) {
    damaged.push_back(good);
    damaged.back()[place] = static_cast<char>(damaged.back()[place] ^ (1 << place % 8));
  }
  Hash key;
  std::memcpy(&key, good.data() + 16, sizeof(key));
  REQUIRE(from_code_file(good, key).has_value());
  for (const std::string& bytes : damaged) CHECK_FALSE(from_code_file(bytes, key).has_value());
  // A whole file whose object is none, and one without the kernel.
  damaged = {good.substr(0, 100), damaged.back(), to_code_file({"no object"}, key),
             to_code_file({}, key)};
  for (const std::string& bytes : damaged) {
    overwrite(path, bytes);
    CHECK(run(2, scratch.path()) == 2);
    CHECK(file_bytes(path) == good);
  }
}

TEST_CASE("kernel cache: sizes in a file with a right checksum are not believed") {
  const Hash key = {1, 2};
  std::string bytes = to_code_file({"abc", "defg"}, key);
  REQUIRE(from_code_file(bytes, key) == KernelObjects{"abc", "defg"});
  const auto resealed = [&](size_t place, uint64_t value, size_t width) {
    std::string other = bytes;
    std::memcpy(other.data() + place, &value, width);
    std::memset(other.data() + 32, 0, sizeof(Hash));
    const Hash checksum = hash_of(other);
    std::memcpy(other.data() + 32, &checksum, sizeof(checksum));
    return from_code_file(other, key);
  };
  CHECK(resealed(48, 3, 8).has_value());
  CHECK_FALSE(resealed(48, 2, 8).has_value());
  CHECK_FALSE(resealed(48, ~uint64_t{0}, 8).has_value());
  CHECK_FALSE(resealed(12, 3, 4).has_value());
  CHECK_FALSE(resealed(12, 0xFFFFFFFF, 4).has_value());
  CHECK_FALSE(resealed(8, 2, 4).has_value());
}

TEST_CASE("kernel cache: a folder that cannot be made, and none") {
  const ScratchFolder scratch;
  const std::string file = scratch.write("file", "x");
  CHECK(run(2, file + "/folder") == 2);
  CHECK(run(2, "") == 2);
  CHECK(files_below(scratch.path()).size() == 1);
}

TEST_CASE("kernel cache: runs at the same time share a folder") {
  const ScratchFolder scratch;
  std::vector<std::thread> threads;
  std::vector<float> results(8);
  for (size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] { results[i] = run(static_cast<double>(i % 2), scratch.path()); });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < results.size(); ++i) CHECK(results[i] == static_cast<float>(i % 2));
  CHECK(files_below(scratch.path()).size() == 2);
}

TEST_CASE("kernel cache: the files used longest ago go first") {
  const ScratchFolder scratch;
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 5; ++i) {
    const std::string path = scratch.write(fmt::format("{}", i), std::string(100, 'x'));
    fs::last_write_time(path, now - std::chrono::hours(i == 2 ? 9 : i));
  }
  shrink_cache(scratch.path(), 500);
  CHECK(files_below(scratch.path()).size() == 5);
  shrink_cache(scratch.path(), 350);
  CHECK(files_below(scratch.path()) ==
        std::vector<std::string>{scratch / "0", scratch / "1", scratch / "3"});
  shrink_cache(scratch / "nowhere", 0);
}

TEST_CASE("kernel cache: where it lies") {
  CHECK(cache_folder("off").empty());
  CHECK(cache_folder("some/folder") == "some/folder");
}
