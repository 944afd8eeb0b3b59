// Reads the data that the settings name.
#include "runtime/commands/runnable_model.h"

#include "runtime/data/split.h"

namespace gradc {

std::vector<int64_t> row_counts(int64_t rows, int64_t batch, bool drop_last) {
  std::vector<int64_t> counts;
  if (rows >= batch) counts.push_back(batch);
  if (rows % batch != 0 && !drop_last) counts.push_back(rows % batch);
  return counts;
}

void RunnableModel::replace_data(const std::string& data) {
  const std::string own = settings_.text("data");
  const DataSource replaced =
      replace_data_source(is_data_call(own) ? parse_data_call(own) : DataSource(), data);
  settings_.set("data", to_text(replaced));
  settings_.set("test", std::string());
}

DataSource RunnableModel::settings_source() {
  const std::string& setting = settings_.text("data");
  if (setting.empty())
    throw Error(ExitCode::ModelOrData, "E0903",
                fmt::format("`{}` names no data; add `data = …` to its train block or give --data",
                            name()));
  return source_of(setting);
}

void RunnableModel::set_description(const DataDescription& given) {
  description_ = given;
  on_description(given);
}

const DataDescription& RunnableModel::description() {
  if (!description_) {
    DataDescription described = describe_data(settings_source());
    if (has_validation()) {
      DataDescription parts = described;
      gradc::hold_out(parts, validation_share_, described.name);
      described.train_rows = parts.train_rows;
    }
    set_description(described);
  }
  return *description_;
}

void RunnableModel::prefetch_data(Rows rows) {
  description();
  if (data_ || loading_.valid()) return;
  loading_ =
      std::async(std::launch::async, rows == Rows::All ? load_data : open_data, settings_source());
}

const DataSplit& RunnableModel::data() {
  prefetch_data();
  if (data_) return *data_;
  data_ = loading_.get();
  if (has_validation()) {
    data_->train.fill();
    DataSplit split = gradc::hold_out(data_->train, validation_share_, data_->train.name);
    data_->train = std::move(split.train);
    validation_ = std::move(split.test);
  }
  return *data_;
}

const Dataset* RunnableModel::validation_data() {
  data();
  return validation_ ? &*validation_ : nullptr;
}

const Dataset& RunnableModel::test_data() {
  const DataSplit& split = data();
  if (test_) return *test_;
  const std::string& setting = settings_.text("test");
  if (!setting.empty()) {
    DataSplit other = load_data(source_of(setting));
    test_ = other.test ? *other.test : other.train;
  } else {
    test_ = split.test ? *split.test : split.train;
    test_->fill();
  }
  return *test_;
}

int64_t RunnableModel::test_row_count() {
  const std::string& setting = settings_.text("test");
  const DataDescription described =
      setting.empty() ? description() : describe_data(source_of(setting));
  return described.test_rows.value_or(described.train_rows);
}

bool RunnableModel::has_test_data() {
  return description().test_rows.has_value() || !settings_.text("test").empty();
}

}  // namespace gradc
