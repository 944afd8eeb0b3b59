// JSON, hexadecimal floats, and tensors.
#include "runtime/saved_progress.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace gradc {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kProgress = "progress";

std::string tensor_name(const std::string& sum) { return fmt::format("{}{}", kSumsPrefix, sum); }

/// Reads what add_progress wrote.
class Reader {
 public:
  Reader(NamedTensors& checkpoint, const std::string& source)
      : checkpoint_(checkpoint), source_(source) {}

  TrainProgress take() {
    const auto text = checkpoint_.metadata.find(kProgress);
    if (text == checkpoint_.metadata.end()) fail();
    const Json json = Json::parse(text->second, nullptr, false);
    checkpoint_.metadata.erase(text);
    TrainProgress progress;
    progress.epoch = count(json, "epoch");
    progress.batch = count(json, "batch");
    progress.steps = count(json, "steps");
    if (!member(json, "sums").is_array()) fail();
    for (const Json& name : member(json, "sums")) {
      if (!name.is_string()) fail();
      const std::string sum = name.get<std::string>();
      progress.sums.add_value(sum, take_tensor(tensor_name(sum)));
    }
    if (!member(json, "metrics").is_object()) fail();
    for (const auto& [name, value] : member(json, "metrics").items())
      progress.metrics.emplace_back(name, number(value));
    return progress;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ExitCode::ModelOrData, "E0921",
                fmt::format("`{}` is no checkpoint of a run: what it says of its progress cannot "
                            "be read",
                            source_));
  }
  const Json& member(const Json& json, const char* name) const {
    if (!json.is_object() || !json.contains(name)) fail();
    return json[name];
  }
  int64_t count(const Json& json, const char* name) const {
    const Json& value = member(json, name);
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{1} << 60) fail();
    return value.get<int64_t>();
  }
  double number(const Json& json) const {
    if (!json.is_string()) fail();
    const std::optional<double> value = parse_exact(json.get<std::string>());
    if (!value) fail();
    return *value;
  }
  Tensor take_tensor(const std::string& name) {
    auto& tensors = checkpoint_.tensors;
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& tensor) {
      return tensor.name == name && tensor.value.dtype() == DType::F64;
    });
    if (found == tensors.end()) fail();
    Tensor taken = std::move(found->value);
    tensors.erase(found);
    return taken;
  }

  NamedTensors& checkpoint_;
  const std::string& source_;
};

}  // namespace

std::string exact_text(double value) { return fmt::format("{:a}", value); }

std::optional<double> parse_exact(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return value;
}

void add_progress(const TrainProgress& progress, NamedTensors& checkpoint) {
  Json sums = Json::array();
  for (const auto& [name, value] : progress.sums.values()) {
    sums.push_back(name);
    checkpoint.add(tensor_name(name), value.clone());
  }
  Json metrics = Json::object();
  for (const auto& [name, value] : progress.metrics) metrics[name] = exact_text(value);
  checkpoint.metadata[kProgress] = Json{
      {"epoch", progress.epoch},
      {"batch", progress.batch},
      {"steps", progress.steps},
      {"sums", std::move(sums)},
      {"metrics", std::move(metrics)}}.dump();
}

TrainProgress take_progress(NamedTensors& checkpoint, const std::string& source) {
  return Reader(checkpoint, source).take();
}

}  // namespace gradc
