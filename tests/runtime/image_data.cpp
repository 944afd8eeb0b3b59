// Folders of pictures: classes, sizes, splits, and files that are no pictures.
#include <zlib.h>

#include "runtime/data/load.h"
#include "runtime/png.h"
#include "tests/runtime/scratch_folder.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

Tensor picture(Shape shape, int first) {
  Tensor pixels(DType::U8, std::move(shape));
  for (int64_t i = 0; i < pixels.size(); ++i) pixels.set(i, (first + 7 * i) % 256);
  return pixels;
}

void add(const ScratchFolder& folder, const std::string& name, const Tensor& pixels) {
  std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
  write_png(folder / name, pixels);
}

}  // namespace

TEST_CASE("png: what is written is read") {
  const ScratchFolder folder;
  for (const Shape& shape : {Shape{3, 5}, Shape{4, 2, 3}, Shape{1, 1}}) {
    const Tensor pixels = picture(shape, 9);
    write_png(folder / "a.png", pixels);
    const PngFile file(folder / "a.png");
    REQUIRE(file.shape() == shape);
    Tensor read(DType::U8, shape);
    file.read(read.raw());
    CHECK(same_bits(read, pixels));
  }
  CHECK_THAT(error_of([&] {
               write_png(folder / "none/a.png", picture({2, 2}, 0));
             }),
             StartsWith("5 E0922"));
}

TEST_CASE("images: classes are the sorted folders") {
  const ScratchFolder folder;
  for (int i = 0; i < 4; ++i) {
    add(folder, fmt::format("dog/{}.png", i), picture({4, 3}, i));
    add(folder, fmt::format("cat/{}.png", i), picture({4, 3}, 100 + i));
  }
  folder.write("cat/.hidden", "x");
  DataSource source = parse_data_source(folder.path());
  CHECK(source.kind == "images");
  const DataSplit split = load_data(source);
  CHECK_FALSE(split.test);
  CHECK(to_string(split.train.find("image")->values.type()) == "u8[8, 4, 3]");
  const Field& label = *split.train.find("label");
  CHECK(label.categories == std::vector<std::string>{"cat", "dog"});
  for (int64_t row = 0; row < 8; ++row) {
    CHECK(label.values.at(row) == row / 4);
    CHECK(split.train.find("image")->values.at(row * 12) == (row < 4 ? 100 + row : row - 4));
  }
  source.options["test"] = 0.25;
  CHECK(load_data(source).test->rows() == 2);
  const DataDescription described = describe_data(source);
  CHECK(described.train_rows == 6);
  CHECK(described.test_rows == 2);
  CHECK(to_string(described.fields[0].row_type) == "u8[4, 3]");
}

TEST_CASE("images: train and test folders, in colour") {
  const ScratchFolder folder;
  add(folder, "train/a/1.png", picture({2, 2, 3}, 1));
  add(folder, "train/b/1.png", picture({2, 2, 3}, 2));
  add(folder, "test/b/1.png", picture({2, 2, 3}, 3));
  DataSource source = parse_data_source(folder.path());
  const DataSplit split = load_data(source);
  CHECK(to_string(split.train.find("image")->row_type()) == "u8[2, 2, 3]");
  REQUIRE(split.test);
  CHECK(split.test->find("label")->values.at(0) == 1);
  CHECK(describe_data(source).test_rows == 1);
  source.options["test"] = 0.5;
  CHECK_THAT(error_of([&] { load_data(source); }), StartsWith("1 E0915"));
  source.options.clear();
  add(folder, "test/c/1.png", picture({2, 2, 3}, 3));
  CHECK_THAT(error_of([&] { load_data(source); }), Contains("`c`") && Contains("not in `train`"));
}

TEST_CASE("images: files that do not belong") {
  const ScratchFolder folder;
  const DataSource source{"images", folder.path()};
  const auto error = [&] { return error_of([&] { load_data(source); }); };
  CHECK_THAT(error(), StartsWith("1 E0915") && Contains("no pictures"));
  add(folder, "a/1.png", picture({2, 2}, 1));
  CHECK(error().empty());
  add(folder, "a/2.png", picture({2, 3}, 1));
  CHECK_THAT(error(), StartsWith("1 E0915") && Contains("[2, 3]") && Contains("a/2.png"));
  add(folder, "a/2.png", picture({2, 2, 3}, 1));
  CHECK_THAT(error(), StartsWith("1 E0915"));
  folder.write("a/2.png", "no picture");
  CHECK_THAT(error(), StartsWith("1 E0918") && Contains("a/2.png"));
  const std::string good = file_bytes(folder / "a/1.png");
  for (size_t length = 0; length + 12 < good.size(); ++length) {
    folder.write("a/2.png", good.substr(0, length));
    CHECK_THAT(error(), StartsWith("1 E0918"));
  }
  std::filesystem::remove(folder / "a/2.png");
  folder.write("a/2.jpg", good);
  CHECK_THAT(error(), Contains("a/2.jpg` is no .png file"));
  std::filesystem::remove(folder / "a/2.jpg");
  std::filesystem::create_directories(folder / "empty");
  CHECK_THAT(error(), Contains("empty` has no pictures"));
  std::filesystem::remove(folder / "empty");
  folder.write("readme.md", "x");
  CHECK_THAT(error(), Contains("readme.md` is no folder"));
}

TEST_CASE("png: a header that promises more than the file holds costs nothing") {
  const ScratchFolder folder;
  write_png(folder / "a.png", picture({2, 2}, 1));
  std::string bytes = file_bytes(folder / "a.png");
  // Width and height of the IHDR chunk, then its checksum.
  for (const size_t at : {size_t{16}, size_t{20}}) bytes.replace(at, 4, std::string{0, 3, 13, 64});
  const std::string unchecked = folder.write("a.png", bytes);
  CHECK_THAT(error_of([&] { PngFile{unchecked}; }), StartsWith("1 E0918") && Contains("CRC"));
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()) + 12, 17);
  for (int i = 0; i < 4; ++i)
    bytes[static_cast<size_t>(29 + i)] = static_cast<char>(checksum >> (24 - 8 * i));
  const std::string checked = folder.write("a.png", bytes);
  CHECK_THAT(error_of([&] { PngFile{checked}; }),
             StartsWith("1 E0918") && Contains("200000 x 200000") && Contains("bytes can hold"));
}
