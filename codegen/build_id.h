// What tells builds apart that may make other code: version, LLVM, and a hash of the sources that
// code depends on. Made by codegen/build_id.cmake.
#pragma once

namespace gradc {

extern const char* const kBuildId;

}  // namespace gradc
