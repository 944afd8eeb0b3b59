// A model that can run: its settings, its data, its programs.
#pragma once
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/layer_row.h"
#include "runtime/data/load.h"
#include "runtime/session.h"
#include "runtime/settings.h"

namespace gradc {

/// What the commands that train, evaluate and predict work on, whether its programs are compiled
/// when they are needed or were compiled ahead of time.
class RunnableModel : public ProgramSource {
 public:
  virtual const std::string& name() const = 0;
  /// The train block with the overrides of the command line.
  const Settings& settings() const { return settings_; }
  /// "AMD EPYC 9B14, avx512f, 16 lanes": what the code is made for.
  virtual std::string target() const = 0;
  /// The same bits for any number of threads?
  virtual bool is_deterministic() const = 0;

  /// What the data that the settings name looks like; checked against the model on first use.
  const DataDescription& description();
  /// Starts to read the data, so that it overlaps with other work. AsRead: the rows of data() may
  /// be left to fillers, those of test_data() are not.
  enum class Rows { All, AsRead };
  void prefetch_data(Rows rows = Rows::All);
  /// The data itself; waits until it is read.
  const DataSplit& data();
  /// What `eval` and the test after training read: the settings' `test`, else the data's own test
  /// rows, else the training rows.
  const Dataset& test_data();
  int64_t test_row_count();
  /// True where there are rows that were not trained on.
  bool has_test_data();

  /// Holds out this share of the training rows, drawn by a rule of its own (data/split.h), to
  /// validate on; before the data is looked at. Throws Error (ModelOrData, E0915) with the data
  /// where it leaves a part without rows.
  void hold_out(double share) { validation_share_ = share; }
  bool has_validation() const { return validation_share_ > 0; }
  /// Null where nothing is held out.
  const Dataset* validation_data();

  /// Where values stopped being numbers in a training step on this state and these rows, for a
  /// message; empty where that is not known. The state stays as it is.
  virtual std::string locate_nan(Session& /*session*/, std::span<const Field> /*fields*/,
                                 int64_t /*rows*/) {
    return {};
  }
  /// Hexadecimal digits that are the same for the same training step on `rows` rows, wherever the
  /// model stands and whatever its layers are called; empty where that is not known.
  virtual std::string step_hash(int64_t /*rows*/) { return {}; }
  /// "gradc 0.1.0", and what that is built on: what compiles, or compiled, it.
  virtual std::string compiler() const = 0;

  /// Starts to make the program, so that it overlaps with what comes before its first use.
  virtual void prefetch_program(GraphMode /*mode*/, int64_t /*rows*/) {}
  /// Throws Error (ModelOrData, E0927) where there can be no program for this many rows.
  virtual void check_rows(GraphMode /*mode*/, int64_t /*rows*/) {}
  /// Seconds spent in compilation so far.
  virtual double compile_seconds() const { return 0; }
  /// Trained values that come with the model; null where there are none.
  virtual const NamedTensors* weights() const { return nullptr; }
  /// False where the program that makes initial values was left out: `weights` must come first.
  virtual bool has_initial_values() const { return true; }

  /// For `summary`, with the sizes of a batch of the settings' rows.
  virtual std::vector<LayerRow> summary_rows() = 0;

 protected:
  /// A setting that names data, with the fields that the model has a use for.
  virtual DataSource source_of(const std::string& setting) = 0;
  /// The data is known from here on.
  virtual void on_description(const DataDescription& /*description*/) {}
  /// `--data`: replaces the settings' data and test data.
  void replace_data(const std::string& data);
  bool has_description() const { return description_.has_value(); }
  void set_description(const DataDescription& given);

  Settings settings_;

 private:
  DataSource settings_source();

  std::optional<DataDescription> description_;
  std::future<DataSplit> loading_;
  std::optional<DataSplit> data_;
  std::optional<Dataset> test_;
  double validation_share_ = 0;
  std::optional<Dataset> validation_;
};

/// The row counts that a pass over `rows` rows in batches of `batch` needs: {batch, the rest}.
std::vector<int64_t> row_counts(int64_t rows, int64_t batch, bool drop_last);

}  // namespace gradc
