// Maps objects; what their code may call is listed here.
#include "codegen/load_kernels.h"

#include <cmath>
#include <cstring>

#include "runtime/object_image.h"

namespace gradc {
namespace {

template <typename Function>
void* address_of(Function* function) {
  return reinterpret_cast<void*>(function);
}

/// Memory functions that LLVM makes of loops, and, on processors without fma or SSE 4.1, functions
/// of the mathematical library.
const ExternalFunction kExternals[] = {
    {"memcpy", address_of<void*(void*, const void*, size_t)>(std::memcpy)},
    {"memmove", address_of<void*(void*, const void*, size_t)>(std::memmove)},
    {"memset", address_of<void*(void*, int, size_t)>(std::memset)},
    {"fma", address_of<double(double, double, double)>(::fma)},
    {"fmaf", address_of<float(float, float, float)>(::fmaf)},
    {"floor", address_of<double(double)>(::floor)},
    {"floorf", address_of<float(float)>(::floorf)},
    {"ceil", address_of<double(double)>(::ceil)},
    {"ceilf", address_of<float(float)>(::ceilf)},
    {"trunc", address_of<double(double)>(::trunc)},
    {"truncf", address_of<float(float)>(::truncf)},
    {"rint", address_of<double(double)>(::rint)},
    {"rintf", address_of<float(float)>(::rintf)},
    {"nearbyint", address_of<double(double)>(::nearbyint)},
    {"nearbyintf", address_of<float(float)>(::nearbyintf)},
    {"roundeven", address_of<double(double)>(::rint)},
    {"roundevenf", address_of<float(float)>(::rintf)},
};

}  // namespace

std::string kernel_symbol(size_t position) { return fmt::format("kernel.{}", position); }

CompiledKernels load_kernels(const KernelObjects& objects, size_t count) {
  auto images = std::make_shared<std::vector<ObjectImage>>();
  for (const std::string& object : objects)
    images->emplace_back(std::as_bytes(std::span(object)), kExternals);
  CompiledKernels compiled;
  for (size_t i = 0; i < count; ++i) {
    const std::string symbol = kernel_symbol(i);
    void* address = nullptr;
    for (const ObjectImage& image : *images)
      if (address == nullptr) address = image.find(symbol);
    if (address == nullptr)
      throw Error(ExitCode::InputOutput, "E0923", fmt::format("object code has no `{}`", symbol));
    compiled.functions.push_back(reinterpret_cast<KernelFunction>(address));
  }
  compiled.code = images;
  return compiled;
}

}  // namespace gradc
