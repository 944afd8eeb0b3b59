// Finds the four files, checks that they agree, reads them.
#include "runtime/data/mnist.h"

#include <filesystem>
#include <future>
#include <optional>

#include "runtime/data/idx.h"

namespace gradc {
namespace {

constexpr const char* kTrain = "train";
constexpr const char* kTest = "t10k";
constexpr const char* kSuffixes[] = {"", ".gz"};

/// The file of `part` ("train-images") with `rank` axes; empty where there is none.
std::string find_file(const std::string& folder, const std::string& part, int rank) {
  for (const char* separator : {"-", "."})
    for (const char* suffix : kSuffixes) {
      const auto path = std::filesystem::path(folder) /
                        fmt::format("{}{}idx{}-ubyte{}", part, separator, rank, suffix);
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) return path.string();
    }
  return {};
}

std::string images_of(const std::string& folder, const std::string& subset) {
  return find_file(folder, subset + "-images", 3);
}
std::string labels_of(const std::string& folder, const std::string& subset) {
  return find_file(folder, subset + "-labels", 1);
}

std::string require_file(const std::string& folder, const std::string& path,
                         const std::string& expected) {
  if (path.empty())
    throw Error(
        ExitCode::InputOutput, "E0911",
        fmt::format("the folder `{}` has no file {} (or {}.gz)", folder, expected, expected));
  return path;
}

void check_axes(const IdxFile& file, const char* content, int64_t rank) {
  if (file.type().dtype == DType::U8 && file.type().shape.rank() == rank) return;
  throw Error(ExitCode::ModelOrData, "E0912",
              fmt::format("`{}` should hold {}, it holds {}", file.path(), content,
                          to_string(file.type())));
}

/// One subset, its headers checked before the first pixel is read.
class Subset {
 public:
  Subset(const std::string& folder, const std::string& subset)
      : images_(require_file(folder, images_of(folder, subset), subset + "-images-idx3-ubyte")),
        labels_(require_file(folder, labels_of(folder, subset), subset + "-labels-idx1-ubyte")) {
    check_axes(images_, "u8 images, [count, height, width]", 3);
    check_axes(labels_, "u8 labels, [count]", 1);
    const int64_t images = images_.type().shape[0];
    const int64_t labels = labels_.type().shape[0];
    if (images != labels)
      throw Error(ExitCode::ModelOrData, "E0915",
                  fmt::format("`{}` has {} images but `{}` has {} labels", images_.path(), images,
                              labels_.path(), labels));
  }

  Shape picture() const { return {images_.type().shape[1], images_.type().shape[2]}; }
  const std::string& path() const { return images_.path(); }
  int64_t rows() const { return images_.type().shape[0]; }

  Dataset read() {
    Dataset dataset{"mnist", {{"image", images_.read()}, {"label", labels_.read()}}};
    check_rows(dataset);
    return dataset;
  }

 private:
  IdxFile images_;
  IdxFile labels_;
};

/// The two subsets of a folder, their headers checked against each other.
struct Archive {
  Subset train;
  std::optional<Subset> test;

  explicit Archive(const std::string& folder) : train(folder, kTrain) {
    if (images_of(folder, kTest).empty() && labels_of(folder, kTest).empty()) return;
    test.emplace(folder, kTest);
    if (test->picture() != train.picture())
      throw Error(
          ExitCode::ModelOrData, "E0915",
          fmt::format("`{}` has images of {}, `{}` of {}", train.path(), to_string(train.picture()),
                      test->path(), to_string(test->picture())));
  }
};

}  // namespace

bool is_mnist_folder(const std::string& folder) {
  for (const char* subset : {kTrain, kTest})
    if (!images_of(folder, subset).empty() || !labels_of(folder, subset).empty()) return true;
  return false;
}

DataDescription describe_mnist(const std::string& folder) {
  const Archive archive(folder);
  DataDescription description{
      "mnist",
      {{"image", {DType::U8, archive.train.picture()}}, {"label", {DType::U8, {}}}},
      archive.train.rows(),
      std::nullopt};
  if (archive.test) description.test_rows = archive.test->rows();
  return description;
}

DataSplit load_mnist(const std::string& folder) {
  Archive archive(folder);
  if (!archive.test) return {archive.train.read(), std::nullopt};
  auto test_data = std::async(std::launch::async, [&] { return archive.test->read(); });
  Dataset train_data = archive.train.read();
  return {std::move(train_data), test_data.get()};
}

}  // namespace gradc
