// The exports of libgradc_llvm.so.
#include <cstring>

#include "codegen/build_id.h"
#include "codegen/code_generator.h"
#include "codegen/llvm/artefact_objects.h"
#include "codegen/llvm/fatal_errors.h"
#include "codegen/llvm/object_code.h"

namespace gradc {
namespace {

constexpr CodeGenerator kGenerator = {
    [](std::span<const loop::Kernel> kernels) {
      const LlvmAtWork at_work;
      return compile_objects(kernels, host_target());
    },
    [](std::span<const loop::Kernel> kernels) {
      const LlvmAtWork at_work;
      return llvm_text(kernels, host_target());
    },
    [](std::span<const loop::Kernel> kernels) {
      const LlvmAtWork at_work;
      return assembly_text(kernels, host_target());
    },
    [](const ArtefactCode& code, size_t count) {
      const LlvmAtWork at_work;
      return artefact_objects(code, count);
    },
    [](const ArtefactCode& code, bool as_assembly) {
      const LlvmAtWork at_work;
      return artefact_text(code, as_assembly);
    },
};

}  // namespace
}  // namespace gradc

extern "C" __attribute__((visibility("default"))) const gradc::CodeGenerator* gradc_code_generator(
    const char* build_id) {
  if (std::strcmp(build_id, gradc::kBuildId) != 0) return nullptr;
  gradc::install_fatal_error_handlers();
  return &gradc::kGenerator;
}
