// Lists the pictures of each class, checks their sizes, reads them.
#include "runtime/data/images.h"

#include <algorithm>
#include <filesystem>

#include "runtime/data/split.h"
#include "runtime/png.h"
#include "runtime/printable.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0915", reason);
}

/// What is in a folder but not hidden, sorted by name.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code fault;
  for (fs::directory_iterator at(folder, fault), end; !fault && at != end; at.increment(fault))
    if (!at->path().filename().string().starts_with('.')) found.push_back(at->path());
  if (fault)
    throw Error(ExitCode::InputOutput, "E0911",
                fmt::format("cannot read the folder `{}`: {}", folder.string(), fault.message()));
  std::sort(found.begin(), found.end());
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// The pictures of one part.
struct Part {
  std::vector<std::string> classes;
  std::vector<std::string> paths;
  std::vector<int64_t> labels;

  int64_t rows() const { return static_cast<int64_t>(paths.size()); }
};

Part list_part(const fs::path& folder) {
  Part part;
  for (const fs::path& group : entries(folder)) {
    if (!is_folder(group))
      refuse(fmt::format("`{}` is no folder; `{}` holds a folder of pictures for each class",
                         group.string(), folder.string()));
    const size_t before = part.paths.size();
    for (const fs::path& file : entries(group)) {
      if (file.extension() != ".png")
        refuse(fmt::format("`{}` is no .png file; pictures of other kinds are to be converted",
                           file.string()));
      part.paths.push_back(file.string());
      part.labels.push_back(static_cast<int64_t>(part.classes.size()));
    }
    if (part.paths.size() == before)
      refuse(fmt::format("the class `{}` has no pictures", group.string()));
    part.classes.push_back(group.filename().string());
  }
  if (part.paths.empty()) refuse(fmt::format("`{}` has no pictures", folder.string()));
  return part;
}

struct Listing {
  Part train;
  std::optional<Part> test;
  Shape picture;
  DType label = DType::U8;
};

Listing list(const DataSource& source) {
  const fs::path folder = source.path;
  Listing listing;
  if (is_folder(folder / "train")) {
    listing.train = list_part(folder / "train");
    if (is_folder(folder / "test")) {
      if (source.number("test", 0) > 0)
        refuse(fmt::format("`{}` has a folder `test`, so the option `test` is not to be given",
                           source.path));
      listing.test = list_part(folder / "test");
    }
  } else {
    listing.train = list_part(folder);
  }
  if (listing.test) {
    std::vector<int64_t> codes;
    const std::vector<std::string>& known = listing.train.classes;
    for (const std::string& name : listing.test->classes) {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end())
        refuse(fmt::format("`{}` has the class `{}` in `test` but not in `train`", source.path,
                           printable(name)));
      codes.push_back(found - known.begin());
    }
    for (int64_t& label : listing.test->labels) label = codes[static_cast<size_t>(label)];
  }
  listing.picture = PngFile(listing.train.paths.front()).shape();
  listing.label = listing.train.classes.size() > 256 ? DType::I32 : DType::U8;
  return listing;
}

Dataset read_part(const Part& part, const Listing& listing, const std::string& source) {
  std::vector<int64_t> dims = listing.picture.dims();
  dims.insert(dims.begin(), part.rows());
  Tensor image = reserve_tensor({DType::U8, Shape(std::move(dims))}, source);
  Tensor label(listing.label, {part.rows()});
  const int64_t bytes = listing.picture.element_count();
  for (int64_t row = 0; row < part.rows(); ++row) {
    const auto place = static_cast<size_t>(row);
    const PngFile file(part.paths[place]);
    if (file.shape() != listing.picture)
      refuse(fmt::format("`{}` is {}, `{}` is {}; all pictures must have one size",
                         part.paths[place], to_string(file.shape()), listing.train.paths.front(),
                         to_string(listing.picture)));
    file.read(image.raw() + row * bytes);
    label.set(row, static_cast<double>(part.labels[place]));
  }
  return {"images", {{"image", image}, {"label", label, std::nullopt, listing.train.classes}}};
}

}  // namespace

bool is_image_folder(const std::string& path) {
  const fs::path root =
      is_folder(fs::path(path) / "train") ? fs::path(path) / "train" : fs::path(path);
  if (!is_folder(root)) return false;
  for (const fs::path& group : entries(root))
    if (is_folder(group))
      for (const fs::path& file : entries(group))
        if (file.extension() == ".png") return true;
  return false;
}

DataSplit load_images(const DataSource& source) {
  const Listing listing = list(source);
  const Dataset train = read_part(listing.train, listing, source.path);
  if (listing.test) return {train, read_part(*listing.test, listing, source.path)};
  return hold_out(train, source.number("test", 0), source.path);
}

DataDescription describe_images(const DataSource& source) {
  const Listing listing = list(source);
  DataDescription description{
      "images",
      {{"image", {DType::U8, listing.picture}}, {"label", {listing.label, {}}}},
      listing.train.rows(),
      std::nullopt};
  if (listing.test) {
    description.test_rows = listing.test->rows();
    return description;
  }
  hold_out(description, source.number("test", 0), source.path);
  return description;
}

}  // namespace gradc
