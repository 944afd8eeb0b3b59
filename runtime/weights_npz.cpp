// Headers of all members first, then their elements.
#include "runtime/weights_npz.h"

#include <memory>
#include <unordered_set>

#include "runtime/data/npy.h"
#include "runtime/data/zip_archive.h"
#include "runtime/data/zip_writer.h"
#include "runtime/printable.h"
#include "runtime/reserve.h"

namespace gradc {
namespace {

constexpr std::string_view kEnding = ".npy";

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0921",
              fmt::format("`{}` is no valid file of weights: {}", path, reason));
}

NpyArray open(const ZipArchive& archive, const ZipMember& member) {
  const auto stream = std::make_shared<ZipStream>(archive, member);
  return {archive.path() + ":" + member.name,
          [stream](std::span<std::byte> buffer) { return stream->read(buffer); }, member.bytes};
}

/// Names are unique and sizes possible; nothing is inflated but headers.
void check_headers(const ZipArchive& archive, std::optional<int64_t> most_bytes) {
  std::unordered_set<std::string_view> names;
  int64_t bytes = 0;
  for (const ZipMember& member : archive.members()) {
    const std::string shown = printable(member.name);
    if (!member.name.ends_with(kEnding))
      refuse(archive.path(), fmt::format("its member `{}` is no array, NAME.npy", shown));
    if (!names.insert(member.name).second)
      refuse(archive.path(), fmt::format("`{}` is there twice", shown));
    bytes += open(archive, member).type().size_bytes();
    if (most_bytes && bytes > *most_bytes)
      refuse(archive.path(),
             fmt::format("up to `{}` its tensors have {} bytes; the model's could have {}", shown,
                         bytes, *most_bytes));
    check_fits_memory(bytes, archive.path());
  }
}

}  // namespace

void write_npz_weights(const std::string& path, const NamedTensors& content) {
  ZipWriter archive(path);
  for (const NamedTensor& tensor : content.tensors) {
    const std::string header = npy_header(tensor.value.type());
    archive.add(tensor.name + std::string(kEnding), std::as_bytes(std::span(header)),
                {tensor.value.raw(), static_cast<size_t>(tensor.value.size_bytes())});
  }
  archive.finish();
}

NamedTensors read_npz_weights(const std::string& path, std::optional<int64_t> most_bytes) {
  const ZipArchive archive(path);
  check_headers(archive, most_bytes);
  NamedTensors content;
  for (const ZipMember& member : archive.members())
    content.add(member.name.substr(0, member.name.size() - kEnding.size()),
                open(archive, member).read());
  return content;
}

}  // namespace gradc
