// gradc weights: what a file of weights holds, and the same in another format.
#include <fmt/format.h>

#include "codegen/code_file.h"
#include "runtime/commands/json_values.h"
#include "runtime/printable.h"
#include "runtime/weights_file.h"
#include "tools/commands.h"

namespace gradc {
namespace {

struct WeightsOptions {
  std::string in;
  std::string out;
  bool json = false;
};

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.raw()), static_cast<size_t>(tensor.size_bytes())};
}

void print_json(const NamedTensor& tensor) {
  print_line({{"name", tensor.name},
              {"dtype", name(tensor.value.dtype())},
              {"shape", tensor.value.shape().dims()},
              {"checksum", to_text(hash_of(bytes_of(tensor.value)))}});
}

void print_text(const NamedTensors& content) {
  size_t widest = 0;
  for (const NamedTensor& tensor : content.tensors)
    widest = std::max(widest, printable(tensor.name).size());
  int64_t elements = 0;
  for (const NamedTensor& tensor : content.tensors) {
    fmt::print("{}  {:{}}  {}\n", to_text(hash_of(bytes_of(tensor.value))), printable(tensor.name),
               widest, to_string(tensor.value.type()));
    elements += tensor.value.size();
  }
  fmt::print("{} tensors, {} elements\n", content.tensors.size(), elements);
}

ExitCode run_weights(const WeightsOptions& options) {
  const NamedTensors content = read_weights(options.in);
  if (!options.out.empty()) {
    write_weights(options.out, content);
  } else if (options.json) {
    for (const NamedTensor& tensor : content.tensors) print_json(tensor);
  } else {
    print_text(content);
  }
  return ExitCode::Done;
}

}  // namespace

Action configure_weights(Flags& flags) {
  auto options = std::make_shared<WeightsOptions>();
  flags.add("in", &options->in, "File of weights: .safetensors, .npz or .json").required();
  flags.add("out", &options->out, "Write them here, in the format of the ending").as_path();
  flags.add("--json", &options->json, "One JSON object a tensor");
  return [options] { return run_weights(*options); };
}

}  // namespace gradc
