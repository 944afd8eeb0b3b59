// Allocation of and element access to tensors.
#include "runtime/core/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace gradc {

namespace {

/// Pages of this size save most of the time of first touching memory, and misses of the address
/// translation later.
constexpr size_t kHugePage = size_t{1} << 21;

[[noreturn]] void throw_no_memory(int64_t bytes) {
  throw Error(ExitCode::InputOutput, "E0802", fmt::format("cannot allocate {} bytes", bytes));
}

/// Zeros by the system, made when a page is first touched, by the thread that needs it.
std::shared_ptr<std::byte> map_zeroed(int64_t bytes) {
  const size_t length = (static_cast<size_t>(bytes) + kHugePage - 1) / kHugePage * kHugePage;
  const size_t reserved = length + kHugePage;  // to begin at a multiple
  void* memory =
      mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_no_memory(bytes);
  auto* begin = static_cast<std::byte*>(memory);
  const size_t skipped = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  madvise(begin + skipped, length, MADV_HUGEPAGE);
  return {begin + skipped, [begin, reserved](std::byte*) { munmap(begin, reserved); }};
}

}  // namespace

std::shared_ptr<std::byte> allocate_zeroed(int64_t bytes) {
  if (static_cast<size_t>(bytes) >= kHugePage) return map_zeroed(bytes);
  constexpr size_t kAlignment = 64;
  const size_t rounded = (static_cast<size_t>(bytes) + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) throw_no_memory(bytes);
  std::memset(memory, 0, rounded);
  return {static_cast<std::byte*>(memory), [](std::byte* address) { std::free(address); }};
}

Tensor::Tensor(Type type) : type_(std::move(type)), size_(type_.shape.element_count()) {
  auto memory = allocate_zeroed(type_.size_bytes());
  memory_ = memory.get();
  owner_ = std::move(memory);
}

Tensor::Tensor(Type type, std::byte* memory, std::shared_ptr<void> owner)
    : type_(std::move(type)),
      size_(type_.shape.element_count()),
      memory_(memory),
      owner_(std::move(owner)) {}

Tensor Tensor::scalar(DType dtype, double value) {
  Tensor tensor(dtype, Shape{});
  tensor.set(0, value);
  return tensor;
}

double Tensor::at(int64_t index) const {
  CHECK(index >= 0 && index < size_, "element {} of {}", index, to_string(type_));
  return visit_dtype(dtype(), [&](auto tag) -> double {
    using T = typename decltype(tag)::type;
    const T value = reinterpret_cast<const T*>(memory_)[index];
    if constexpr (std::is_arithmetic_v<T>)
      return static_cast<double>(value);
    else
      return static_cast<double>(static_cast<float>(value));
  });
}

void Tensor::set(int64_t index, double value) {
  CHECK(index >= 0 && index < size_, "element {} of {}", index, to_string(type_));
  visit_dtype(dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T& element = reinterpret_cast<T*>(memory_)[index];
    if (type_.dtype == DType::Bool)
      element = static_cast<T>(value != 0 ? 1.0F : 0.0F);
    else if constexpr (std::is_arithmetic_v<T>)
      element = static_cast<T>(value);
    else
      element = T(static_cast<float>(value));
  });
}

Tensor Tensor::clone() const {
  Tensor copy(type_);
  if (size_bytes() > 0) std::memcpy(copy.raw(), raw(), static_cast<size_t>(size_bytes()));
  return copy;
}

Tensor Tensor::reshaped(Shape shape) const {
  CHECK(shape.element_count() == size_, "{} as {}", to_string(type_), to_string(shape));
  return {Type{type_.dtype, std::move(shape)}, memory_, owner_};
}

void Tensor::check_element(size_t bytes) const {
  CHECK(static_cast<int64_t>(bytes) == gradc::size_bytes(type_.dtype),
        "{} read as {}-byte elements", to_string(type_), bytes);
}

void swap_bytes(Tensor& tensor) {
  const auto width = static_cast<size_t>(size_bytes(tensor.dtype()));
  if (width == 1) return;
  for (std::byte* at = tensor.raw(); at < tensor.raw() + tensor.size_bytes(); at += width)
    std::reverse(at, at + width);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() &&
         (a.size_bytes() == 0 ||
          std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.size_bytes())) == 0);
}

}  // namespace gradc
