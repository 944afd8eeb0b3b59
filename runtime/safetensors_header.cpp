// A streaming parser of the header, which keeps only what the format allows, and its checks.
#include "runtime/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "runtime/core/checked_size.h"
#include "runtime/core/signature.h"
#include "runtime/printable.h"

namespace gradc {
namespace {

using nlohmann::json;

/// Keys of the metadata may be names of tensors with something before them.
constexpr size_t kMostKeyBytes = kMostNameBytes + 16;

class HeaderParser final : public nlohmann::json_sax<json> {
 public:
  explicit HeaderParser(const std::string& path) : path_(path) {}

  bool null() override { fail("null is not allowed"); }
  bool boolean(bool) override { fail("true and false are not allowed"); }
  bool number_integer(number_integer_t) override { fail("numbers must not be negative"); }
  bool number_float(number_float_t, const string_t&) override { fail("numbers must be whole"); }
  bool binary(binary_t&) override { fail("binary data is not allowed"); }
  bool number_unsigned(number_unsigned_t value) override;
  bool string(string_t& value) override;
  bool start_object(size_t) override;
  bool key(string_t& value) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    fail(fmt::format("no valid JSON at byte {}", position));
  }

  SafetensorsHeader take() { return std::move(header_); }

 private:
  enum class Place { Outside, Top, Metadata, Entry, Sizes, Offsets };
  enum class Member { None, DType, Shape, Offsets };

  [[noreturn]] void fail(const std::string& reason) const;
  SafetensorsEntry& entry() { return header_.entries.back(); }
  void finish_entry();

  const std::string& path_;
  SafetensorsHeader header_;
  std::unordered_set<std::string> names_;
  Place place_ = Place::Outside;
  Member member_ = Member::None;
  std::string key_;
  std::optional<DType> dtype_;
  std::optional<std::vector<int64_t>> sizes_;
  std::optional<std::vector<int64_t>> offsets_;
};

void HeaderParser::fail(const std::string& reason) const {
  const bool is_in_entry =
      place_ == Place::Entry || place_ == Place::Sizes || place_ == Place::Offsets;
  const std::string where =
      is_in_entry ? fmt::format("tensor `{}`: ", printable(header_.entries.back().name)) : "";
  throw Error(ExitCode::ModelOrData, "E0921",
              fmt::format("`{}` is no valid safetensors file: {}{}", path_, where, reason));
}

bool HeaderParser::number_unsigned(number_unsigned_t value) {
  if (place_ != Place::Sizes && place_ != Place::Offsets) fail("a number is out of place");
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    fail(fmt::format("{} is too large", value));
  auto& list = place_ == Place::Sizes ? *sizes_ : *offsets_;
  if (list.size() == kMostAxes) fail("a list is too long");
  list.push_back(static_cast<int64_t>(value));
  return true;
}

bool HeaderParser::string(string_t& value) {
  if (place_ == Place::Metadata) {
    header_.metadata[key_] = std::move(value);
    return true;
  }
  if (place_ != Place::Entry || member_ != Member::DType) fail("a string is out of place");
  for (DType dtype : kAllDTypes)
    if (safetensors_name(dtype) == value) dtype_ = dtype;
  if (!dtype_) fail(fmt::format("the dtype `{}` is not supported", printable(value)));
  return true;
}

bool HeaderParser::start_object(size_t) {
  if (place_ == Place::Outside) {
    place_ = Place::Top;
  } else if (place_ == Place::Top) {
    place_ = key_ == kMetadataName ? Place::Metadata : Place::Entry;
    if (place_ == Place::Entry) header_.entries.push_back({key_, {}, 0, 0});
    dtype_.reset();
    sizes_.reset();
    offsets_.reset();
  } else {
    fail("an object is out of place");
  }
  return true;
}

bool HeaderParser::key(string_t& value) {
  if (place_ == Place::Entry) {
    member_ = value == "dtype"          ? Member::DType
              : value == "shape"        ? Member::Shape
              : value == "data_offsets" ? Member::Offsets
                                        : Member::None;
    const bool is_repeated = (member_ == Member::DType && dtype_) ||
                             (member_ == Member::Shape && sizes_) ||
                             (member_ == Member::Offsets && offsets_);
    if (member_ == Member::None) fail(fmt::format("unknown member `{}`", printable(value)));
    if (is_repeated) fail(fmt::format("`{}` is given twice", value));
    return true;
  }
  const size_t most = place_ == Place::Metadata ? kMostKeyBytes : kMostNameBytes;
  if (value.size() > most)
    fail(fmt::format("the name `{}` is longer than {} bytes", printable(value), most));
  const bool is_new = place_ == Place::Metadata
                          ? header_.metadata.find(value) == header_.metadata.end()
                          : names_.insert(value).second;
  if (!is_new) fail(fmt::format("`{}` is given twice", printable(value)));
  key_ = std::move(value);
  return true;
}

bool HeaderParser::end_object() {
  if (place_ == Place::Entry) finish_entry();
  place_ = place_ == Place::Top ? Place::Outside : Place::Top;
  return true;
}

bool HeaderParser::start_array(size_t) {
  if (place_ != Place::Entry || (member_ != Member::Shape && member_ != Member::Offsets))
    fail("a list is out of place");
  const bool is_shape = member_ == Member::Shape;
  (is_shape ? sizes_ : offsets_).emplace();
  place_ = is_shape ? Place::Sizes : Place::Offsets;
  return true;
}

bool HeaderParser::end_array() {
  place_ = Place::Entry;
  return true;
}

void HeaderParser::finish_entry() {
  if (!dtype_ || !sizes_ || !offsets_) fail("`dtype`, `shape` and `data_offsets` are all needed");
  if (offsets_->size() != 2 || (*offsets_)[0] > (*offsets_)[1])
    fail("`data_offsets` must be a begin and an end");
  const std::optional<int64_t> elements = checked_element_count(*sizes_);
  if (!elements) fail(fmt::format("its shape {} is too large", to_string(Shape(*sizes_))));
  entry().type = {*dtype_, Shape(std::move(*sizes_))};
  entry().begin = (*offsets_)[0];
  entry().end = (*offsets_)[1];
  const int64_t bytes = *elements * size_bytes(*dtype_);
  if (entry().end - entry().begin != bytes)
    fail(fmt::format("{} is {} bytes, its data_offsets span {}", to_string(entry().type), bytes,
                     entry().end - entry().begin));
}

void check_layout(const SafetensorsHeader& header, int64_t data_bytes, const std::string& path) {
  std::vector<const SafetensorsEntry*> order;
  for (const SafetensorsEntry& entry : header.entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  const auto fail = [&](const std::string& reason) {
    throw Error(ExitCode::ModelOrData, "E0921",
                fmt::format("`{}` is no valid safetensors file: {}", path, reason));
  };
  int64_t end = 0;
  for (const SafetensorsEntry* entry : order) {
    if (entry->begin != end)
      fail(fmt::format("tensor `{}`: its data begins at {}, the data before it ends at {}",
                       printable(entry->name), entry->begin, end));
    if (entry->end > data_bytes)
      fail(
          fmt::format("tensor `{}`: its data ends at {}, the file has {} bytes of data; is it "
                      "complete?",
                      printable(entry->name), entry->end, data_bytes));
    end = entry->end;
  }
  if (end != data_bytes)
    fail(fmt::format("{} bytes follow the data of the last tensor", data_bytes - end));
}

}  // namespace

std::string_view safetensors_name(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return "BOOL";
    case DType::U8:
      return "U8";
    case DType::I32:
      return "I32";
    case DType::I64:
      return "I64";
    case DType::BF16:
      return "BF16";
    case DType::F16:
      return "F16";
    case DType::F32:
      return "F32";
    case DType::F64:
      return "F64";
  }
  CHECK(false, "dtype {}", static_cast<int>(dtype));
}

SafetensorsHeader parse_safetensors_header(std::string_view text, int64_t data_bytes,
                                           const std::string& path) {
  HeaderParser parser(path);
  json::sax_parse(text.begin(), text.end(), &parser);
  SafetensorsHeader header = parser.take();
  check_layout(header, data_bytes, path);
  return header;
}

}  // namespace gradc
