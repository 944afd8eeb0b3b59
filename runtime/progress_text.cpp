// JSON and hexadecimal floats.
#include "runtime/progress_text.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runtime/reserve.h"

namespace gradc {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Tensor& sums) {
  Json elements = Json::array();
  for (const double element : sums.span<double>()) elements.push_back(exact_text(element));
  return {{"shape", sums.shape().dims()}, {"values", std::move(elements)}};
}

/// Reads what to_text wrote; `fail` is called where something else is met.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  TrainProgress read(const std::string& text) const {
    const Json json = Json::parse(text, nullptr, false);
    TrainProgress progress;
    progress.epoch = count(json, "epoch");
    progress.batch = count(json, "batch");
    progress.steps = count(json, "steps");
    for (const auto& [name, value] : object(json, "sums").items())
      progress.sums.add_value(name, tensor(value));
    for (const auto& [name, value] : object(json, "metrics").items())
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
  const Json& object(const Json& json, const char* name) const {
    const Json& value = member(json, name);
    if (!value.is_object()) fail();
    return value;
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
  Tensor tensor(const Json& json) const {
    const Json& shape = member(json, "shape");
    const Json& values = member(json, "values");
    if (!shape.is_array() || shape.size() > 32 || !values.is_array()) fail();
    std::vector<int64_t> dims;
    size_t elements = 1;
    for (const Json& dim : shape) {
      if (!dim.is_number_unsigned() || dim.get<uint64_t>() > values.size()) fail();
      dims.push_back(dim.get<int64_t>());
      elements *= dim.get<size_t>();
      if (elements > values.size()) fail();
    }
    if (elements != values.size()) fail();
    Tensor result(DType::F64, Shape(std::move(dims)));
    for (size_t i = 0; i < elements; ++i) result.span<double>()[i] = number(values[i]);
    return result;
  }

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

std::string to_text(const TrainProgress& progress) {
  Json sums = Json::object();
  for (const auto& [name, value] : progress.sums.values()) sums[name] = json_of(value);
  Json metrics = Json::object();
  for (const auto& [name, value] : progress.metrics) metrics[name] = exact_text(value);
  return Json{{"epoch", progress.epoch},
              {"batch", progress.batch},
              {"steps", progress.steps},
              {"sums", std::move(sums)},
              {"metrics", std::move(metrics)}}
      .dump();
}

TrainProgress parse_progress(const std::string& text, const std::string& source) {
  return Reader(source).read(text);
}

}  // namespace gradc
