// Writing element by element; reading through a parser that keeps nothing but the elements.
#include "runtime/weights_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "runtime/atomic_file.h"
#include "runtime/core/checked_size.h"
#include "runtime/core/signature.h"
#include "runtime/data/whole_file.h"
#include "runtime/nested_values.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

using nlohmann::json;

/// What a model knows of the tensors that it takes.
class Expected {
 public:
  explicit Expected(std::span<const NamedTensor> state) {
    for (const NamedTensor& tensor : state) {
      dtypes_.emplace(tensor.name, tensor.value.dtype());
      if (!is_slot_name(tensor.name) && tensor.name != kStepName) names_.push_back(tensor.name);
    }
  }

  std::string name(size_t position) const {
    return position < names_.size() ? names_[position] : fmt::to_string(position);
  }
  DType dtype(const std::string& name) const {
    const auto found = dtypes_.find(name);
    return found == dtypes_.end() ? DType::F32 : found->second;
  }

 private:
  std::map<std::string, DType> dtypes_;
  std::vector<std::string> names_;
};

class WeightsParser final : public nlohmann::json_sax<json> {
 public:
  WeightsParser(const std::string& path, int64_t file_bytes, std::span<const NamedTensor> state)
      : path_(path),
        expected_(state),
        most_elements_((file_bytes + 1) / 2),
        values_(most_elements_, path) {}

  bool null() override { fail("null is not allowed"); }
  bool binary(binary_t&) override { fail("binary data is not allowed"); }
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override;
  bool start_object(size_t) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    fail(fmt::format("no valid JSON at byte {}", position));
  }

  NamedTensors take() { return std::move(content_); }

 private:
  // Top is the object of names, List the list without names, Entry the object of one tensor.
  enum class Place { Outside, Top, List, Entry, Shape, Values };

  [[noreturn]] void fail(const std::string& reason) const;
  void check(const std::string& reason) const {
    if (!reason.empty()) fail(reason);
  }
  /// A number, word or list: of a tensor that is about to begin, or of the one under way.
  void enter_values();
  void leave_values();
  void begin_tensor(std::string name);

  const std::string& path_;
  Expected expected_;
  int64_t most_elements_;
  NestedValues values_;
  NamedTensors content_;
  std::unordered_set<std::string> names_;
  Place place_ = Place::Outside;
  Place outer_ = Place::Outside;  // of Values: Top, List or Entry
  std::string name_;
  std::string member_;
  std::optional<DType> dtype_;
  std::optional<std::vector<int64_t>> sizes_;
  bool has_values_ = false;
};

void WeightsParser::fail(const std::string& reason) const {
  const bool is_in_tensor =
      place_ == Place::Entry || place_ == Place::Shape || place_ == Place::Values;
  const std::string where =
      is_in_tensor ? fmt::format("tensor `{}`: ", printable(name_)) : std::string();
  throw Error(ExitCode::ModelOrData, "E0921",
              fmt::format("`{}` is no valid file of weights: {}{}", path_, where, reason));
}

void WeightsParser::begin_tensor(std::string name) {
  if (name.size() > kMostNameBytes)
    fail(fmt::format("the name `{}` is longer than {} bytes", printable(name), kMostNameBytes));
  if (!names_.insert(name).second) fail(fmt::format("`{}` is given twice", printable(name)));
  name_ = std::move(name);
}

void WeightsParser::enter_values() {
  if (place_ == Place::Values) return;
  outer_ = place_;
  if (place_ == Place::List) {
    begin_tensor(expected_.name(content_.tensors.size()));
  } else if (place_ == Place::Entry) {
    if (member_ != "values" || !dtype_ || !sizes_)
      fail("`dtype` and `shape` come first, then `values`, and nothing else");
    if (has_values_) fail("`values` are given twice");
  } else if (place_ != Place::Top) {
    fail("an object of tensors is expected, or a list of them");
  }
  values_.start(place_ == Place::Entry ? *dtype_ : expected_.dtype(name_));
  place_ = Place::Values;
}

void WeightsParser::leave_values() {
  if (!values_.is_complete()) return;
  std::optional<Shape> shape;
  if (outer_ == Place::Entry) shape = Shape(*sizes_);
  Tensor tensor;
  check(values_.finish(shape, tensor));
  content_.add(name_, std::move(tensor));
  has_values_ = true;
  place_ = outer_;
}

bool WeightsParser::boolean(bool value) {
  enter_values();
  check(values_.add_bool(value));
  leave_values();
  return true;
}

bool WeightsParser::number_integer(number_integer_t value) {
  if (place_ == Place::Shape) fail(fmt::format("{} is no size", value));
  enter_values();
  check(values_.add_integer(value));
  leave_values();
  return true;
}

bool WeightsParser::number_unsigned(number_unsigned_t value) {
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return number_float(0, fmt::to_string(value));
  if (place_ != Place::Shape) return number_integer(static_cast<int64_t>(value));
  if (sizes_->size() == kMostAxes) fail(fmt::format("it has more than {} axes", kMostAxes));
  sizes_->push_back(static_cast<int64_t>(value));
  return true;
}

bool WeightsParser::number_float(number_float_t, const string_t& text) {
  if (place_ == Place::Shape) fail(fmt::format("{} is no size", printable(text)));
  enter_values();
  check(values_.add_real(text));
  leave_values();
  return true;
}

bool WeightsParser::string(string_t& value) {
  if (place_ == Place::Entry && member_ == "dtype") {
    dtype_ = parse_dtype(value);
    if (!dtype_) fail(fmt::format("there is no dtype `{}`", printable(value)));
    return true;
  }
  enter_values();
  check(values_.add_word(value));
  leave_values();
  return true;
}

bool WeightsParser::start_object(size_t) {
  if (place_ == Place::Outside) {
    place_ = Place::Top;
  } else if (place_ == Place::Top) {
    place_ = Place::Entry;
    dtype_.reset();
    sizes_.reset();
    has_values_ = false;
  } else {
    fail("an object is out of place");
  }
  return true;
}

bool WeightsParser::key(string_t& value) {
  if (place_ == Place::Top)
    begin_tensor(std::move(value));
  else
    member_ = std::move(value);
  return true;
}

bool WeightsParser::end_object() {
  if (place_ == Place::Entry && !has_values_) fail("it has no `values`");
  place_ = place_ == Place::Entry ? Place::Top : Place::Outside;
  return true;
}

bool WeightsParser::start_array(size_t) {
  if (place_ == Place::Outside) {
    place_ = Place::List;
    return true;
  }
  if (place_ == Place::Entry && member_ == "shape") {
    sizes_.emplace();
    place_ = Place::Shape;
    return true;
  }
  if (place_ == Place::Shape) fail("a size is a number");
  enter_values();
  check(values_.open_list());
  return true;
}

bool WeightsParser::end_array() {
  if (place_ == Place::List) {
    place_ = Place::Outside;
  } else if (place_ == Place::Shape) {
    place_ = Place::Entry;
    const auto count = checked_element_count(*sizes_);
    if (!count || *count > most_elements_)
      fail(fmt::format("its shape {} is larger than the file", to_string(Shape(*sizes_))));
  } else {
    check(values_.close_list());
    leave_values();
  }
  return true;
}

/// Buffers what goes into the file.
class Writer {
 public:
  explicit Writer(const std::string& path) : file_(path) {}

  void write(std::string_view text) {
    constexpr size_t kBlock = size_t{1} << 20;
    buffer_ += text;
    if (buffer_.size() >= kBlock) flush();
  }
  void finish() {
    flush();
    file_.commit();
  }

 private:
  void flush() {
    file_.write(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
  }

  AtomicFile file_;
  std::string buffer_;
};

std::string quoted(const std::string& name) {
  return json(name).dump(-1, ' ', false, json::error_handler_t::replace);
}

template <typename Real>
std::string real_text(Real value) {
  if (std::isnan(value)) return "\"nan\"";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string element_text(const Tensor& tensor, int64_t index) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::I64)
    return fmt::to_string(tensor.span<int64_t>()[static_cast<size_t>(index)]);
  const double value = tensor.at(index);
  if (dtype == DType::Bool) return value != 0 ? "true" : "false";
  if (is_int(dtype)) return fmt::to_string(static_cast<int64_t>(value));
  return dtype == DType::F64 ? real_text(value) : real_text(static_cast<float>(value));
}

void write_nested(Writer& writer, const Tensor& tensor, int64_t axis, int64_t begin) {
  if (axis == tensor.shape().rank()) return writer.write(element_text(tensor, begin));
  const int64_t stride = tensor.shape().strides()[static_cast<size_t>(axis)];
  writer.write("[");
  for (int64_t i = 0; i < tensor.shape()[axis]; ++i) {
    if (i > 0) writer.write(", ");
    write_nested(writer, tensor, axis + 1, begin + i * stride);
  }
  writer.write("]");
}

}  // namespace

void write_json_weights(const std::string& path, const NamedTensors& content) {
  Writer writer(path);
  const char* separator = "{\n";
  for (const NamedTensor& tensor : content.tensors) {
    writer.write(fmt::format("{}{}: {{\"dtype\": \"{}\", \"shape\": {}, \"values\": ", separator,
                             quoted(tensor.name), tensor.value.dtype(),
                             to_string(tensor.value.shape())));
    write_nested(writer, tensor.value, 0, 0);
    writer.write("}");
    separator = ",\n";
  }
  writer.write(content.tensors.empty() ? "{}\n" : "\n}\n");
  writer.finish();
}

NamedTensors read_json_weights(const std::string& path, std::span<const NamedTensor> state) {
  const std::string text = read_bytes(path);
  WeightsParser parser(path, static_cast<int64_t>(text.size()), state);
  json::sax_parse(text.begin(), text.end(), &parser);
  return parser.take();
}

}  // namespace gradc
