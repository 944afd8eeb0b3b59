// Places pictures on a canvas.
#include "tools/sample_grid.h"

#include <algorithm>

namespace gradc {
namespace {

constexpr int64_t kLine = 2;
constexpr double kLineGrey = 96;
constexpr int64_t kMostPixels = int64_t{1} << 28;

bool is_picture(const Field& field) {
  if (field.windows) return false;
  const Shape shape = field.row_type().shape;
  return shape.element_count() > 0 &&
         (shape.rank() == 2 || (shape.rank() == 3 && (shape[2] == 1 || shape[2] == 3)));
}

/// How the numbers of the shown rows become grey values.
struct Stretch {
  double offset = 0;
  double factor = 1;

  Stretch(const Field& field, const std::vector<int64_t>& rows) {
    if (field.values.dtype() == DType::U8 || rows.empty()) return;
    const int64_t size = field.row_type().shape.element_count();
    double least = field.values.at(rows.front() * size);
    double most = least;
    for (const int64_t row : rows)
      for (int64_t i = 0; i < size; ++i) {
        least = std::min(least, field.values.at(row * size + i));
        most = std::max(most, field.values.at(row * size + i));
      }
    offset = least;
    factor = most > least ? 255 / (most - least) : 1;
  }
  double operator()(double value) const {
    const double grey = (value - offset) * factor;
    return grey >= 0 ? std::min(grey, 255.0) : 0;  // a NaN is black
  }
};

}  // namespace

const Field& picture_field(const Dataset& dataset, const std::string& name) {
  for (const Field& field : dataset.fields)
    if ((name.empty() || field.name == name) && is_picture(field)) return field;
  throw Error(ExitCode::Usage, "",
              name.empty()
                  ? fmt::format("the data `{}` has no field of pictures", dataset.name)
                  : fmt::format("the data `{}` has no field `{}` of pictures", dataset.name, name));
}

Tensor sample_grid(const Field& field, const std::vector<int64_t>& rows, const GridShape& shape) {
  const Shape picture = field.row_type().shape;
  const int64_t height = picture[0] * shape.scale;
  const int64_t width = picture[1] * shape.scale;
  const int64_t channels = picture.rank() == 3 ? picture[2] : 1;
  const int64_t canvas_height = shape.rows * (height + kLine) + kLine;
  const int64_t canvas_width = shape.columns * (width + kLine) + kLine;
  if (canvas_height > kMostPixels / canvas_width)
    throw Error(ExitCode::Usage, "",
                fmt::format("a grid of {} x {} pixels is too large", canvas_width, canvas_height));
  Tensor canvas(DType::U8, channels == 3 ? Shape{canvas_height, canvas_width, 3}
                                         : Shape{canvas_height, canvas_width});
  for (uint8_t& pixel : canvas.span<uint8_t>()) pixel = static_cast<uint8_t>(kLineGrey);
  const Stretch grey(field, rows);
  const int64_t size = picture.element_count();
  for (size_t place = 0; place < rows.size(); ++place) {
    const int64_t top = static_cast<int64_t>(place) / shape.columns * (height + kLine) + kLine;
    const int64_t left = static_cast<int64_t>(place) % shape.columns * (width + kLine) + kLine;
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t pixel = (y / shape.scale * picture[1] + x / shape.scale) * channels + c;
          canvas.set(((top + y) * canvas_width + left + x) * channels + c,
                     grey(field.values.at(rows[place] * size + pixel)));
        }
  }
  return canvas;
}

}  // namespace gradc
