// Literals to loads, and kernels without what their code does not depend on.
#include "codegen/share_kernels.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace gradc {
namespace {

using namespace loop;

bool draws(const std::vector<Stmt>& body) {
  return std::any_of(body.begin(), body.end(), [](const Stmt& stmt) {
    if (const auto* loop = std::get_if<For>(&stmt)) return draws(loop->body);
    const auto* let = std::get_if<Let>(&stmt);
    return let != nullptr && std::holds_alternative<Draw>(let->value);
  });
}

class NumberTaker {
 public:
  explicit NumberTaker(Kernel& kernel) : kernel_(kernel) {}

  std::vector<Tensor> run() {
    take(kernel_.body);
    kernel_.body.insert(kernel_.body.begin(), loads_.begin(), loads_.end());
    std::vector<Tensor> contents;
    for (const auto& [dtype, numbers] : numbers_) contents.push_back(joined(dtype, numbers));
    number_buffers();
    return contents;
  }

 private:
  static bool is_taken(const Let& let) {
    const bool is_number =
        let.dtype == DType::I64 || let.dtype == DType::F32 || let.dtype == DType::F64;
    return is_number && std::holds_alternative<Literal>(let.value);
  }

  void take(std::vector<Stmt>& body) {
    for (Stmt& stmt : body) {
      if (auto* loop = std::get_if<For>(&stmt)) take(loop->body);
      const auto* let = std::get_if<Let>(&stmt);
      if (let == nullptr || !is_taken(*let)) continue;
      std::vector<Tensor>& numbers = numbers_[let->dtype];
      Load load;
      load.access.position.offset = static_cast<int64_t>(numbers.size());
      loads_.push_back(Let{let->id, let->dtype, std::move(load)});
      numbers.push_back(std::get<Literal>(let->value).value);
    }
    std::erase_if(body, [](const Stmt& stmt) {
      const auto* let = std::get_if<Let>(&stmt);
      return let != nullptr && is_taken(*let);
    });
  }

  static Tensor joined(DType dtype, const std::vector<Tensor>& numbers) {
    Tensor result(dtype, {static_cast<int64_t>(numbers.size())});
    const int64_t bytes = size_bytes(dtype);
    for (size_t i = 0; i < numbers.size(); ++i)
      std::memcpy(result.raw() + static_cast<int64_t>(i) * bytes, numbers[i].raw(),
                  static_cast<size_t>(bytes));
    return result;
  }

  void number_buffers() {
    std::map<DType, int32_t> buffers;
    for (const auto& [dtype, numbers] : numbers_) {
      buffers[dtype] = static_cast<int32_t>(kernel_.buffers.size());
      kernel_.buffers.push_back({fmt::format("n{}", buffers.size() - 1), dtype,
                                 static_cast<int64_t>(numbers.size()), false});
    }
    for (size_t i = 0; i < loads_.size(); ++i) {
      auto& let = std::get<Let>(kernel_.body[i]);
      std::get<Load>(let.value).access.buffer = buffers.at(let.dtype);
    }
  }

  Kernel& kernel_;
  std::map<DType, std::vector<Tensor>> numbers_;
  std::vector<Stmt> loads_;
};

}  // namespace

std::vector<Tensor> take_out_numbers(Kernel& kernel) {
  if (!draws(kernel.body)) return {};
  return NumberTaker(kernel).run();
}

std::string sharing_key(const Kernel& kernel) {
  Kernel bare = kernel;
  bare.name.clear();
  if (!takes_extent_from_range(kernel)) return print(bare);
  for (Buffer& buffer : bare.buffers) buffer.elements = 0;
  auto& loop = std::get<For>(bare.body.back());
  loop.extent = std::min(loop.extent, kLongExtent);
  if (loop.extent < kLongExtent) loop.extent = 1;
  return print(bare) + "any extent\n";
}

}  // namespace gradc
