// Elements of a tensor as nested lists hand them out, one after the other.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/tensor.h"

namespace gradc {

/// Finds the shape from the nesting. Every function returns a reason to refuse the lists, empty
/// where there is none.
class NestedValues {
 public:
  /// No tensor has more than `most_elements`; `source` names the file where memory does not
  /// suffice.
  NestedValues(int64_t most_elements, std::string source)
      : most_elements_(most_elements), source_(std::move(source)) {}

  /// For the next tensor.
  void start(DType dtype);
  std::string open_list();
  std::string close_list();
  std::string add_integer(int64_t value);
  /// As it is written: a float is rounded once.
  std::string add_real(std::string_view text);
  std::string add_bool(bool value);
  /// "nan", "inf" or "-inf".
  std::string add_word(std::string_view word);

  /// Whether no list is open and a value or a list was given.
  bool is_complete() const { return depth_ == 0 && (size_ > 0 || !sizes_.empty()); }
  /// A tensor of its own memory, of `shape` where it is given: the reason says where that differs.
  std::string finish(const std::optional<Shape>& shape, Tensor& result);

 private:
  std::string place_element();

  int64_t most_elements_;
  std::string source_;
  DType dtype_ = DType::F32;
  Tensor elements_;  // reserved for most_elements_, filled up to size_
  int64_t size_ = 0;
  size_t depth_ = 0;
  std::vector<int64_t> counts_;                // of the open lists
  std::vector<std::optional<int64_t>> sizes_;  // by depth, of lists that were closed
  bool has_elements_ = false;
};

}  // namespace gradc
