// Walks two strided views at once, axis by axis.
#include "ir/ops/strided_copy.h"

namespace gradc::ops {
namespace {

template <typename Word>
struct Walk {
  const std::vector<int64_t>& dims;
  const View& from_view;
  const View& to_view;
  const Word* from;
  Word* to;

  void copy(size_t axis, int64_t from_offset, int64_t to_offset) const {
    if (axis == dims.size()) {
      to[to_offset] = from[from_offset];
      return;
    }
    const int64_t from_stride = from_view.strides[axis];
    const int64_t to_stride = to_view.strides[axis];
    const bool is_last = axis + 1 == dims.size();
    for (int64_t i = 0; i < dims[axis]; ++i) {
      if (is_last)
        to[to_offset + i * to_stride] = from[from_offset + i * from_stride];
      else
        copy(axis + 1, from_offset + i * from_stride, to_offset + i * to_stride);
    }
  }
};

template <typename Word>
void copy_words(const Shape& shape, const Tensor& from, const View& from_view, Tensor& to,
                const View& to_view) {
  const Walk<Word> walk{shape.dims(), from_view, to_view, reinterpret_cast<const Word*>(from.raw()),
                        reinterpret_cast<Word*>(to.raw())};
  walk.copy(0, from_view.offset, to_view.offset);
}

}  // namespace

void copy_strided(const Shape& shape, const Tensor& from, const View& from_view, Tensor& to,
                  const View& to_view) {
  if (shape.element_count() == 0) return;
  switch (size_bytes(to.dtype())) {
    case 1:
      return copy_words<uint8_t>(shape, from, from_view, to, to_view);
    case 2:
      return copy_words<uint16_t>(shape, from, from_view, to, to_view);
    case 4:
      return copy_words<uint32_t>(shape, from, from_view, to, to_view);
    default:
      return copy_words<uint64_t>(shape, from, from_view, to, to_view);
  }
}

}  // namespace gradc::ops
