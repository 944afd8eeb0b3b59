// Keys, places of files, and what is said about misses.
#include "codegen/kernel_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "codegen/build_id.h"
#include "codegen/code_file.h"
#include "codegen/code_generator.h"
#include "codegen/share_kernels.h"
#include "runtime/atomic_file.h"
#include "runtime/core/signal_safe.h"
#include "runtime/processor.h"

namespace gradc {
namespace {

namespace fs = std::filesystem;

std::string environment() { return fmt::format("{}; {}", kBuildId, host_fingerprint()); }

/// What a program's code depends on beside its environment.
std::string text_of(std::span<const loop::Kernel> kernels) {
  std::string text;
  for (const loop::Kernel& kernel : kernels) text += sharing_key(kernel) + '\0';
  return text;
}

/// One program's place in the cache.
class Entry {
 public:
  Entry(std::span<const loop::Kernel> kernels, std::string folder) : folder_(std::move(folder)) {
    const std::string around = environment();
    const std::string text = text_of(kernels);
    key_ = hash_of(around + text);
    program_ = to_text(hash_of(text));
    path_ = folder_ + "/" + to_text(hash_of(around)) + "/" + program_;
  }

  const std::string& path() const { return path_; }

  std::optional<KernelObjects> read() const {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return std::nullopt;
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return from_code_file(bytes, key_);
  }
  /// For shrink_cache().
  void mark_used() const { std::ignore = utimensat(AT_FDCWD, path_.c_str(), nullptr, 0); }

  void write(const KernelObjects& objects) const {
    fs::create_directories(fs::path(path_).parent_path());
    const std::string bytes = to_code_file(objects, key_);
    write_file(path_, std::as_bytes(std::span(bytes)), AtomicFile::Durability::ProcessEnd);
  }

  std::string miss_reason() const {
    std::error_code ignored;
    if (fs::exists(path_, ignored)) return "its file is damaged";
    for (const auto& other : fs::directory_iterator(folder_, ignored))
      if (fs::exists(other.path() / program_, ignored))
        return "it was compiled by another build of gradc or for another processor";
    return "it was not compiled before";
  }

 private:
  std::string folder_;
  Hash key_;
  std::string program_;
  std::string path_;
};

void warn_once(const std::string& message) {
  static std::once_flag once;
  std::call_once(
      once, [&] { say(fmt::format("warning: compiled kernels are not kept: {}\n", message)); });
}

/// No reason to fail: the kernels are at hand.
void keep(const Entry& entry, const KernelObjects& objects, const std::string& folder) {
  try {
    entry.write(objects);
    static std::once_flag once;
    std::call_once(once, [&] { shrink_cache(folder, kCacheBytes); });
  } catch (const Error& fault) {
    warn_once(fault.what());
  } catch (const fs::filesystem_error& fault) {
    warn_once(fault.what());
  }
}

std::optional<CompiledKernels> from_cache(const Entry& entry, size_t count) {
  const std::optional<KernelObjects> objects = entry.read();
  if (!objects) return std::nullopt;
  try {
    CompiledKernels compiled = load_kernels(*objects, count);
    entry.mark_used();
    return compiled;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string cache_folder(const std::string& asked) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  const std::string wanted = asked.empty() ? variable("GRADC_CACHE") : asked;
  if (wanted == "off") return "";
  if (!wanted.empty()) return wanted;
  // The base directory specification: paths that are not absolute are to be ignored.
  const std::string base = variable("XDG_CACHE_HOME");
  if (fs::path(base).is_absolute()) return base + "/gradc";
  const std::string home = variable("HOME");
  return fs::path(home).is_absolute() ? home + "/.cache/gradc" : "";
}

CompiledKernels cached_kernels(const std::string& title, std::span<const loop::Kernel> kernels,
                               const CacheOptions& options) {
  if (kernels.empty()) return {};
  if (options.folder.empty())
    return load_kernels(code_generator().objects(kernels), kernels.size());
  const Entry entry(kernels, options.folder);
  if (auto compiled = from_cache(entry, kernels.size())) {
    if (options.explains) say(fmt::format("cache: {}: used {}\n", title, entry.path()));
    return *std::move(compiled);
  }
  const std::string reason = options.explains ? entry.miss_reason() : "";
  const auto start = std::chrono::steady_clock::now();
  const KernelObjects objects = code_generator().objects(kernels);
  CompiledKernels compiled = load_kernels(objects, kernels.size());
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  keep(entry, objects, options.folder);
  if (options.explains)
    say(fmt::format("cache: {}: compiled {} kernels in {:.0f} ms, as {}\n", title, kernels.size(),
                    taken.count(), reason));
  return compiled;
}

void shrink_cache(const std::string& folder, uint64_t bytes) {
  struct File {
    fs::file_time_type used;
    uint64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  uint64_t total = 0;
  // Other runs may remove files at the same time.
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(folder, gone)) {
    if (!entry.is_regular_file(gone)) continue;
    const File file{entry.last_write_time(gone), entry.file_size(gone), entry.path()};
    if (gone) continue;
    total += file.bytes;
    files.push_back(file);
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.used < b.used; });
  for (size_t i = 0; i < files.size() && total > bytes; ++i) {
    if (fs::remove(files[i].path, gone)) total -= files[i].bytes;
  }
}

}  // namespace gradc
