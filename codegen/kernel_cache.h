// Compiled kernels, kept from run to run: one file for the kernels of a program.
//
// A file lies in FOLDER/ENVIRONMENT/PROGRAM, both hashes: of the build of the compiler and the
// processor, and of the text of the program's kernels. A file that is damaged, or not what its
// place says, counts as missing and is written anew. Writing is atomic, so runs may share a folder.
#pragma once
#include <span>
#include <string>

#include "codegen/load_kernels.h"
#include "codegen/loop.h"

namespace gradc {

struct CacheOptions {
  std::string folder;     // empty: no cache
  bool explains = false;  // a line on stderr for each program: used, or why it is compiled
};

/// The folder that a user asks for: a path, or "off" for none; where nothing is asked for,
/// $GRADC_CACHE (the same), else $XDG_CACHE_HOME/gradc, else ~/.cache/gradc, else none.
std::string cache_folder(const std::string& asked);

/// The kernels of the program `title` from the cache; else compiled, and put there if the folder
/// can be written (if not, one warning). The oldest files go where the folder exceeds
/// `kCacheBytes`.
CompiledKernels cached_kernels(const std::string& title, std::span<const loop::Kernel> kernels,
                               const CacheOptions& options);
inline constexpr uint64_t kCacheBytes = uint64_t{256} << 20;

/// Removes files below `folder`, those used longest ago first, until at most `bytes` are left.
void shrink_cache(const std::string& folder, uint64_t bytes);

}  // namespace gradc
