// Layout of the data on writing; reading straight into the tensors.
#include "runtime/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/atomic_file.h"
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

std::string header_text(const NamedTensors& content, const std::vector<size_t>& order) {
  std::vector<int64_t> begins(content.tensors.size());
  int64_t end = 0;
  for (size_t i : order) {
    begins[i] = end;
    end += content.tensors[i].value.size_bytes();
  }
  nlohmann::ordered_json::object_t header;
  header.reserve(content.tensors.size() + 1);
  if (!content.metadata.empty()) header.push_back({"__metadata__", content.metadata});
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
  return text;
}

void check_names(const NamedTensors& content) {
  std::vector<std::string_view> names;
  for (const NamedTensor& tensor : content.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto repeated = std::adjacent_find(names.begin(), names.end());
  CHECK(repeated == names.end(), "tensor `{}` is written twice", *repeated);
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

}  // namespace

const Tensor* NamedTensors::find(std::string_view name) const {
  for (const NamedTensor& tensor : tensors)
    if (tensor.name == name) return &tensor.value;
  return nullptr;
}

void write_safetensors(const std::string& path, const NamedTensors& content) {
  check_names(content);
  const std::vector<size_t> order = data_order(content);
  const std::string text = header_text(content, order);
  const auto length = std::bit_cast<std::array<std::byte, kLengthBytes>>(uint64_t{text.size()});
  AtomicFile file(path);
  file.write(length);
  file.write(std::as_bytes(std::span(text)));
  for (size_t i : order) {
    const Tensor& value = content.tensors[i].value;
    file.write({value.raw(), static_cast<size_t>(value.size_bytes())});
  }
  file.commit();
}

NamedTensors read_safetensors(const std::string& path) {
  const InputFile file(path);
  const std::string text = read_header_text(file);
  const int64_t data_begin = kLengthBytes + static_cast<int64_t>(text.size());
  SafetensorsHeader header = parse_safetensors_header(text, file.size() - data_begin, path);
  check_fits_memory(file.size(), path);
  NamedTensors content;
  content.metadata = std::move(header.metadata);
  content.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    Tensor value = reserve_tensor(entry.type, path);
    const std::span<std::byte> bytes{value.raw(), static_cast<size_t>(value.size_bytes())};
    if (file.read_at(data_begin + entry.begin, bytes) < bytes.size())
      throw_invalid(path, fmt::format("tensor `{}`: the file shrank while it was read",
                                      printable(entry.name)));
    content.add(std::move(entry.name), std::move(value));
  }
  return content;
}

}  // namespace gradc
