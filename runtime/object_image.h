// Object code in memory: a relocatable object becomes functions that can be called. No LLVM.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gradc {

/// A function that object code may call by name.
struct ExternalFunction {
  std::string_view name;
  void* address;
};

/// An ELF object for x86-64 of position-independent code in the small code model, as LLVM writes it
/// for kernels: sections of code and of constants, nothing writable. They are copied into one
/// mapping, relocated, and then made read-only, code executable; no page is ever both writable and
/// executable. Nothing of the object is believed: what is malformed, out of bounds, writable, of an
/// unknown relocation type, or names a function that is not in `externals` throws Error.
class ObjectImage {
 public:
  ObjectImage(std::span<const std::byte> object, std::span<const ExternalFunction> externals);
  ~ObjectImage();
  ObjectImage(ObjectImage&&) noexcept;
  ObjectImage& operator=(ObjectImage&&) noexcept;

  /// The address of a function that the object defines, valid as long as the image; nullptr where
  /// there is none of that name.
  void* find(const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradc
