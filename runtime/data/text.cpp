// Where the windows of a text begin and end.
#include "runtime/data/text.h"

#include <cmath>
#include <filesystem>

#include "runtime/data/split.h"
#include "runtime/data/whole_file.h"

namespace gradc {
namespace {

constexpr int64_t kDefaultWindow = 129;
constexpr double kDefaultTestShare = 0.1;

/// Bytes [begin, begin + length) of the text, cut into windows.
struct Part {
  int64_t begin = 0;
  int64_t length = 0;
  Windows windows;

  int64_t rows() const { return windows.rows(length); }
};

struct Layout {
  Part train;
  std::optional<Part> test;
};

/// A part without the bytes after its last window.
Part whole_windows(int64_t begin, int64_t length, const Windows& windows) {
  Part part{begin, length, windows};
  part.length = windows.length(part.rows());
  return part;
}

Layout lay_out(const DataSource& source, int64_t bytes) {
  const auto window = static_cast<int64_t>(source.number("window", kDefaultWindow));
  const auto stride = static_cast<int64_t>(source.number("stride", 1));
  const double share = source.number("test", kDefaultTestShare);
  const auto refuse = [&](const std::string& reason) {
    throw Error(ExitCode::ModelOrData, "E0915",
                fmt::format("the text `{}` has {} bytes: {}", source.path, bytes, reason));
  };
  if (stride > window)
    throw Error(ExitCode::ModelOrData, "E0910",
                fmt::format("text: `stride` is {}, more than the window of {}", stride, window));
  const auto held_out = static_cast<int64_t>(std::llround(share * static_cast<double>(bytes)));
  if (bytes - held_out < window)
    refuse(fmt::format("{} of them to train on are less than one window of {}", bytes - held_out,
                       window));
  if (share > 0 && held_out < window)
    refuse(
        fmt::format("{} of them to test on are less than one window of {}; give a smaller "
                    "window, a larger `test`, or test = 0",
                    held_out, window));
  Layout layout{whole_windows(0, bytes - held_out, {window, stride}), std::nullopt};
  if (share > 0)
    layout.test = whole_windows(bytes - held_out, held_out, held_out_windows({window, stride}));
  return layout;
}

}  // namespace

bool is_text_file(const std::string& path) {
  std::error_code ignored;
  return (path.ends_with(".txt") || path.ends_with(".txt.gz")) &&
         std::filesystem::is_regular_file(path, ignored);
}

DataSplit load_text(const DataSource& source) {
  const auto bytes = std::make_shared<std::string>(read_whole(source.path));
  const Layout layout = lay_out(source, static_cast<int64_t>(bytes->size()));
  const auto cut = [&](const Part& part) {
    const Tensor values({DType::U8, {part.length}},
                        reinterpret_cast<std::byte*>(bytes->data()) + part.begin, bytes);
    return Dataset{"text", {{"text", values, part.windows}}};
  };
  DataSplit split{cut(layout.train), std::nullopt};
  if (layout.test) split.test = cut(*layout.test);
  return split;
}

DataDescription describe_text(const DataSource& source) {
  const Layout layout = lay_out(source, whole_size(source.path));
  DataDescription description{"text",
                              {{"text", {DType::U8, {layout.train.windows.size}}}},
                              layout.train.rows(),
                              std::nullopt};
  if (layout.test) description.test_rows = layout.test->rows();
  description.windows = layout.train.windows;
  return description;
}

}  // namespace gradc
