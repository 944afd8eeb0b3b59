// Reads the events of a training run.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/core/error.h"
#include "runtime/core/signature.h"
#include "tools/curves.h"

namespace gradc {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void no_log(const std::string& name, int64_t line, const std::string& why) {
  throw Error(ExitCode::ModelOrData, "E0912",
              fmt::format("{}:{}: {}; a log is what `gradc train --json` prints", name, line, why));
}

/// Is it one of the losses and metrics of an event?
bool is_measured(std::string_view key) {
  return std::ranges::find(kEventFields, key) == std::end(kEventFields);
}

class LogReader {
 public:
  explicit LogReader(std::string name) : name_(std::move(name)) {}

  void read(const std::string& text) {
    std::istringstream stream(text);
    int64_t number = 0;
    for (std::string line; std::getline(stream, line);) {
      ++number;
      if (line.empty()) continue;
      const Json event = Json::parse(line, nullptr, false);
      if (event.is_discarded() && stream.eof()) break;  // cut off in its middle: a run was killed
      if (!event.is_object() || !event.contains("event") || !event["event"].is_string())
        no_log(name_, number, "no JSON object with an `event`");
      if (event["event"] == "batch") batches_.push_back(event);
      if (event["event"] == "epoch") add(event, position(event, "epoch", number), false, "");
      if (event["event"] == "end") end_ = event;
    }
    for (const Json& batch : batches_)
      batches_of_epoch_ = std::max(batches_of_epoch_, 1 + position(batch, "batch", 0));
    for (const Json& batch : batches_)
      add(batch,
          position(batch, "epoch", 0) + (1 + position(batch, "batch", 0)) / batches_of_epoch_, true,
          "");
    // Test values are known at the end alone, unless each epoch had them.
    if (end_.is_object()) add(end_, last_epoch_, false, "test_");
  }

  std::vector<Series> take() && {
    if (series_.empty())
      throw Error(ExitCode::ModelOrData, "E0912",
                  fmt::format("{} has no event of an epoch or batch; a log is what `gradc train "
                              "--json` prints",
                              name_));
    return std::move(series_);
  }

 private:
  double position(const Json& event, const char* key, int64_t line) const {
    if (!event.contains(key) || !event[key].is_number())
      no_log(name_, line, fmt::format("an event without the number `{}`", key));
    return event[key].get<double>();
  }

  void add(const Json& event, double x, bool is_of_batches, const std::string& prefix) {
    if (!is_of_batches) last_epoch_ = std::max(last_epoch_, x);
    for (const auto& [key, value] : event.items()) {
      // NaN and infinities are strings; they have no place in a picture.
      if (!is_measured(key) || !value.is_number() || !key.starts_with(prefix)) continue;
      const std::string title = is_of_batches ? key + " of batches" : key;
      auto found = std::ranges::find(series_, title, &Series::name);
      if (found == series_.end()) {
        series_.push_back({title, {}, is_of_batches});
        found = series_.end() - 1;
      }
      if (prefix.empty() || found->points.empty() || found->points.back().x < x)
        found->points.push_back({x, value.get<double>()});
    }
  }

  std::string name_;
  std::vector<Series> series_;
  std::vector<Json> batches_;
  Json end_;
  double batches_of_epoch_ = 1;
  double last_epoch_ = 0;
};

}  // namespace

std::vector<Series> read_training_log(const std::string& name, const std::string& text) {
  LogReader reader(name);
  reader.read(text);
  return std::move(reader).take();
}

}  // namespace gradc
