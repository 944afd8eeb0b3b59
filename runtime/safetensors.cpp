// Layout of the data on writing; reading straight into the tensors.
#include "runtime/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/atomic_file.h"
#include "runtime/checksum.h"
#include "runtime/core/signature.h"
#include "runtime/input_file.h"
#include "runtime/printable.h"
#include "runtime/reserve.h"
#include "runtime/safetensors_header.h"

namespace gradc {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they are");

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kMostHeaderBytes = int64_t{32} << 20;

/// The tensors in the order of their data: wide elements first.
std::vector<size_t> data_order(const NamedTensors& content) {
  std::vector<size_t> order(content.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return size_bytes(content.tensors[a].value.dtype()) >
           size_bytes(content.tensors[b].value.dtype());
  });
  return order;
}

constexpr std::string_view kChecksum = "xxh3";
constexpr std::string_view kNoChecksum = "0000000000000000";

std::string checksum_key(std::string_view tensor) {
  return fmt::format("{}:{}", kChecksum, tensor);
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {tensor.raw(), static_cast<size_t>(tensor.size_bytes())};
}

std::map<std::string, std::string> metadata_of(const NamedTensors& content) {
  std::map<std::string, std::string> metadata = content.metadata;
  metadata[std::string(kChecksum)] = kNoChecksum;
  for (const NamedTensor& tensor : content.tensors)
    metadata[checksum_key(tensor.name)] = checksum_text(bytes_of(tensor.value));
  return metadata;
}

/// Where the header's own checksum stands; npos where it has none. Quotes inside of strings are
/// escaped, so nothing else reads like this.
size_t find_checksum(std::string_view header, std::string_view value) {
  const std::string entry = fmt::format("\"{}\":\"{}\"", kChecksum, value);
  const size_t found = header.find(entry);
  return found == std::string_view::npos ? found : found + entry.size() - 1 - value.size();
}

std::string header_text(const NamedTensors& content, const std::vector<size_t>& order) {
  std::vector<int64_t> begins(content.tensors.size());
  int64_t end = 0;
  for (size_t i : order) {
    begins[i] = end;
    end += content.tensors[i].value.size_bytes();
  }
  nlohmann::ordered_json::object_t header;
  header.reserve(content.tensors.size() + 1);
  header.push_back({std::string(kMetadataName), metadata_of(content)});
  for (size_t i = 0; i < begins.size(); ++i) {
    const Tensor& value = content.tensors[i].value;
    header.push_back({content.tensors[i].name,
                      {{"dtype", safetensors_name(value.dtype())},
                       {"shape", value.shape().dims()},
                       {"data_offsets", {begins[i], begins[i] + value.size_bytes()}}}});
  }
  std::string text = nlohmann::ordered_json(std::move(header))
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const std::string own = checksum_text(std::as_bytes(std::span(text)));
  text.replace(find_checksum(text, kNoChecksum), own.size(), own);
  return text;
}

[[noreturn]] void refuse_to_write(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::InputOutput, "E0922", fmt::format("cannot write `{}`: {}", path, reason));
}

/// What reading would refuse is not written.
void check_names(const NamedTensors& content, const std::string& path) {
  std::vector<std::string_view> names;
  for (const NamedTensor& tensor : content.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto repeated = std::adjacent_find(names.begin(), names.end());
  CHECK(repeated == names.end(), "tensor `{}` is written twice", *repeated);
  for (const std::string_view name : names) {
    if (name == kMetadataName)
      refuse_to_write(path, fmt::format("`{}` is no name of a tensor in this format", name));
    if (name.size() > kMostNameBytes)
      refuse_to_write(path, fmt::format("the name `{}` is longer than {} bytes", printable(name),
                                        kMostNameBytes));
  }
}

[[noreturn]] void throw_invalid(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0921",
              fmt::format("`{}` is no valid safetensors file: {}", path, reason));
}

std::string read_header_text(const InputFile& file) {
  std::array<std::byte, kLengthBytes> length_bytes{};
  if (file.read_at(0, length_bytes) < length_bytes.size())
    throw_invalid(file.path(), fmt::format("it has {} bytes", file.size()));
  const auto length = std::bit_cast<uint64_t>(length_bytes);
  if (length > static_cast<uint64_t>(file.size() - kLengthBytes))
    throw_invalid(file.path(), fmt::format("its header should have {} bytes, the file has {}; is "
                                           "it complete?",
                                           length, file.size()));
  if (length > static_cast<uint64_t>(kMostHeaderBytes))
    throw_invalid(file.path(), fmt::format("its header should have {} bytes, more than the {} "
                                           "allowed",
                                           length, kMostHeaderBytes));
  std::string text(length, '\0');
  const size_t found = file.read_at(kLengthBytes, std::as_writable_bytes(std::span(text)));
  if (found < text.size()) throw_invalid(file.path(), "it shrank while it was read");
  return text;
}

void check_header(std::string text, const SafetensorsHeader& header, const std::string& path) {
  const auto is_checksum = [](const auto& entry) {
    return entry.first.rfind(checksum_key(""), 0) == 0;
  };
  const auto own = header.metadata.find(std::string(kChecksum));
  const bool has_checksums =
      std::any_of(header.metadata.begin(), header.metadata.end(), is_checksum);
  if (own == header.metadata.end() && !has_checksums) return;
  const size_t place =
      own == header.metadata.end() ? std::string::npos : find_checksum(text, own->second);
  if (place != std::string::npos) {
    text.replace(place, own->second.size(), kNoChecksum);
    if (checksum_text(std::as_bytes(std::span(text))) == own->second) return;
  }
  throw_invalid(path, "its header is damaged: it is not what the checksum says");
}

void check_tensor(const NamedTensor& tensor, const SafetensorsHeader& header,
                  const std::string& path) {
  const auto written = header.metadata.find(checksum_key(tensor.name));
  if (written == header.metadata.end()) return;
  const std::string found = checksum_text(bytes_of(tensor.value));
  if (found == written->second) return;
  throw_invalid(path,
                fmt::format("tensor `{}` is damaged: its checksum is {}, that of its bytes {}",
                            printable(tensor.name), printable(written->second), found));
}

/// The metadata that was given to write_safetensors.
std::map<std::string, std::string> without_checksums(std::map<std::string, std::string> metadata) {
  std::erase_if(metadata, [](const auto& entry) {
    return entry.first == kChecksum || entry.first.rfind(checksum_key(""), 0) == 0;
  });
  return metadata;
}

}  // namespace

const Tensor* NamedTensors::find(std::string_view name) const {
  for (const NamedTensor& tensor : tensors)
    if (tensor.name == name) return &tensor.value;
  return nullptr;
}

void write_safetensors(const std::string& path, const NamedTensors& content) {
  check_names(content, path);
  const std::vector<size_t> order = data_order(content);
  const std::string text = header_text(content, order);
  if (text.size() > size_t{kMostHeaderBytes})
    refuse_to_write(path, fmt::format("its header would have {} bytes, more than the {} allowed",
                                      text.size(), kMostHeaderBytes));
  const auto length = std::bit_cast<std::array<std::byte, kLengthBytes>>(uint64_t{text.size()});
  AtomicFile file(path);
  file.write(length);
  file.write(std::as_bytes(std::span(text)));
  for (size_t i : order) file.write(bytes_of(content.tensors[i].value));
  file.commit();
}

NamedTensors read_safetensors(const std::string& path) {
  const InputFile file(path);
  const std::string text = read_header_text(file);
  const int64_t data_begin = kLengthBytes + static_cast<int64_t>(text.size());
  SafetensorsHeader header = parse_safetensors_header(text, file.size() - data_begin, path);
  check_header(text, header, path);
  check_fits_memory(file.size(), path);
  NamedTensors content;
  content.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    Tensor value = reserve_tensor(entry.type, path);
    const std::span<std::byte> bytes{value.raw(), static_cast<size_t>(value.size_bytes())};
    if (file.read_at(data_begin + entry.begin, bytes) < bytes.size())
      throw_invalid(path, fmt::format("tensor `{}`: the file shrank while it was read",
                                      printable(entry.name)));
    content.add(std::move(entry.name), std::move(value));
    check_tensor(content.tensors.back(), header, path);
  }
  content.metadata = without_checksums(std::move(header.metadata));
  return content;
}

}  // namespace gradc
