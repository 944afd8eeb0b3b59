// Opens libgradc_llvm.so, which the program's RPATH finds.
#include "codegen/code_generator.h"

#include <dlfcn.h>

#include "codegen/build_id.h"
#include "runtime/crash_context.h"

namespace gradc {
namespace {

constexpr const char* kLibrary = "libgradc_llvm.so";

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ExitCode::InputOutput, "E0924",
              fmt::format("cannot compile kernels: `{}` {}", kLibrary, reason));
}

/// Stays open: LLVM is not made to be unloaded.
const CodeGenerator& open_library() {
  const CrashScope scope(kOpeningLibrary);
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) refuse(fmt::format("cannot be opened: {}", dlerror()));
  const auto entry =
      reinterpret_cast<decltype(&gradc_code_generator)>(dlsym(library, "gradc_code_generator"));
  if (entry == nullptr) refuse("is another library");
  const CodeGenerator* generator = entry(kBuildId);
  if (generator == nullptr) refuse("is of another build than this program");
  return *generator;
}

}  // namespace

const CodeGenerator& code_generator() {
  static const CodeGenerator& generator = open_library();
  return generator;
}

}  // namespace gradc
