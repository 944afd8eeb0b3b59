// Wrong data and wrong weights: a clear message, exit 1 or 5, fast, and without large memory.

#include <filesystem>
#include <fstream>

#include "runtime/safetensors.h"
#include "tests/deflated.h"
#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

namespace fs = std::filesystem;
using namespace gradc;
using Catch::Contains;

namespace {

std::string idx_header(int rank, const std::vector<uint32_t>& dims) {
  std::string bytes = {0, 0, 8, static_cast<char>(rank)};
  for (uint32_t dim : dims)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(dim >> shift);
  return bytes;
}

std::string images(uint32_t count, uint32_t side = 28) {
  return idx_header(3, {count, side, side}) + std::string(size_t{count} * side * side, '\7');
}
std::string labels(uint32_t count, char value = 3) {
  return idx_header(1, {count}) + std::string(count, value);
}

std::string gzip(const std::string& text) { return testing::deflated(text, 31); }

/// A folder with the training files of that content.
std::string folder(const std::string& name, const std::string& image_bytes,
                   const std::string& label_bytes, const std::string& suffix = "") {
  const std::string path = temporary_path(name);
  fs::create_directories(path);
  std::ofstream(path + "/train-images-idx3-ubyte" + suffix, std::ios::binary) << image_bytes;
  std::ofstream(path + "/train-labels-idx1-ubyte" + suffix, std::ios::binary) << label_bytes;
  return path;
}

void expect_refused(const std::string& data, const std::string& message) {
  INFO(data);
  const ProgramRun run =
      run_program({"train", model_path("mnist_mlp.grad"), "--data", data, "--epochs", "1"});
  INFO(run.err);
  CHECK((run.exit_code == 1 || run.exit_code == 5));
  CHECK_THAT(run.err, Contains(message));
  CHECK(run.out.empty());
#ifndef __SANITIZE_ADDRESS__
  CHECK(run.processor_seconds < 1.0);
#endif
}

/// Trains one epoch of XOR and changes what it saved.
std::string damaged_weights(const std::string& name,
                            const std::function<void(NamedTensors&)>& damage) {
  const std::string path = temporary_path(name);
  REQUIRE(run_program({"train", model_path("reference/d1.grad"), "--epochs", "1", "--out", path})
              .exit_code == 0);
  NamedTensors content = read_safetensors(path);
  damage(content);
  write_safetensors(path, content);
  return path;
}

void expect_weights_refused(const std::string& path, const std::string& message) {
  const ProgramRun run = run_program({"eval", model_path("reference/d1.grad"), "--weights", path});
  INFO(run.err);
  CHECK((run.exit_code == 1 || run.exit_code == 5));
  CHECK_THAT(run.err, Contains(message));
  CHECK(run.out.empty());
#ifndef __SANITIZE_ADDRESS__
  CHECK(run.processor_seconds < 1.0);
#endif
}

}  // namespace

TEST_CASE("good data in a folder trains, so that the refusals below mean something") {
  for (const std::string suffix : {"", ".gz"}) {
    const std::string image_bytes = suffix.empty() ? images(20) : gzip(images(20));
    const std::string label_bytes = suffix.empty() ? labels(20) : gzip(labels(20));
    const ProgramRun run =
        run_program({"train", model_path("mnist_mlp.grad"), "--epochs", "1", "--data",
                     folder("good" + suffix, image_bytes, label_bytes, suffix)});
    INFO(run.err);
    CHECK(run.exit_code == 0);
  }
}

TEST_CASE("wrong data is refused") {
  const std::string whole = images(20);
  expect_refused(folder("truncated", whole.substr(0, whole.size() - 5), labels(20)),
                 "train-images-idx3-ubyte");
  expect_refused(folder("header_only", whole.substr(0, 7), labels(20)), "train-images-idx3-ubyte");
  expect_refused(folder("surplus", whole + "xyz", labels(20)), "train-images-idx3-ubyte");
  expect_refused(folder("magic", "PNG!" + whole.substr(4), labels(20)), "train-images-idx3-ubyte");
  expect_refused(folder("counts", whole, labels(19)), "19");
  expect_refused(folder("label_ten", whole, labels(20, 10)), "label");
  expect_refused(folder("promise", idx_header(3, {4000000000U, 65535, 65535}), labels(20)),
                 "train-images-idx3-ubyte");
  expect_refused(
      folder("bomb", gzip(images(20) + std::string(200 << 20, '\0')), gzip(labels(20)), ".gz"),
      "train-images-idx3-ubyte");
  expect_refused(folder("not_gzip", "\x1f\x8b" + std::string(100, 'x'), labels(20), ".gz"),
                 "train-images-idx3-ubyte");
  expect_refused(folder("shape", images(20, 32), labels(20)), "28");
  const std::string empty = temporary_path("empty_folder");
  fs::create_directories(empty);
  expect_refused(empty, "empty_folder");
  expect_refused(temporary_path("not_there"), "not_there");
}

TEST_CASE("wrong weights are refused") {
  expect_weights_refused(damaged_weights("missing.safetensors",
                                         [](NamedTensors& content) {
                                           std::erase_if(content.tensors, [](const auto& tensor) {
                                             return tensor.name == "hidden.kernel";
                                           });
                                         }),
                         "hidden.kernel");
  expect_weights_refused(damaged_weights("surplus.safetensors",
                                         [](NamedTensors& content) {
                                           content.add("extra.kernel", Tensor(DType::F32, {2}));
                                         }),
                         "extra.kernel");
  expect_weights_refused(damaged_weights("shape.safetensors",
                                         [](NamedTensors& content) {
                                           for (NamedTensor& tensor : content.tensors)
                                             if (tensor.name == "hidden.kernel")
                                               tensor.value = Tensor(DType::F32, {2, 3});
                                         }),
                         "[2, 3]");
  const std::string good = read_file(damaged_weights("good.safetensors", [](NamedTensors&) {}));
  for (size_t length : {size_t{0}, size_t{4}, size_t{8}, size_t{40}, good.size() - 1})
    expect_weights_refused(write_temporary("truncated.safetensors", good.substr(0, length)),
                           "truncated.safetensors");
  const std::string huge_header = std::string(7, '\xff') + '\x7f' + good.substr(8);
  expect_weights_refused(write_temporary("hostile.safetensors", huge_header),
                         "hostile.safetensors");
  std::string nested = std::string(100000, '[');
  std::string size(8, '\0');
  for (int i = 0; i < 4; ++i)
    size[static_cast<size_t>(i)] = static_cast<char>(nested.size() >> (8 * i));
  expect_weights_refused(write_temporary("nested.safetensors", size + nested),
                         "nested.safetensors");
  expect_weights_refused(temporary_path("no_such.safetensors"), "no_such.safetensors");
}

TEST_CASE("wrong feeds are refused") {
  const std::string out = temporary_path("fetched.safetensors");
  auto run_with = [&](const NamedTensors& feed) {
    const std::string path = temporary_path("feed.safetensors");
    write_safetensors(path, feed);
    return run_program({"run", model_path("reference/d1.grad"), "--feed", path, "--fetch", out});
  };
  NamedTensors good;
  good.add("point", Tensor(DType::F32, {4, 2}));
  good.add("target", Tensor(DType::F32, {4, 1}));
  CHECK(run_with(good).exit_code == 0);

  NamedTensors no_target;
  no_target.add("point", Tensor(DType::F32, {4, 2}));
  CHECK_THAT(run_with(no_target).err, Contains("target"));
  NamedTensors rows = no_target;
  rows.add("target", Tensor(DType::F32, {3, 1}));
  CHECK(run_with(rows).exit_code == 1);
  NamedTensors dtype = no_target;
  dtype.add("target", Tensor(DType::F64, {4, 1}));
  CHECK_THAT(run_with(dtype).err, Contains("f64"));
  NamedTensors unknown = good;
  unknown.add("hiden.kernel", Tensor(DType::F32, {2, 2}));
  CHECK_THAT(run_with(unknown).err, Contains("hiden.kernel"));
}
