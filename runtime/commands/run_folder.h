// The folder of a run: its checkpoints, its logs, and the lock on it.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/safetensors.h"

namespace gradc {

/// In the metadata of a checkpoint that was made because it was due, not because the run ended.
inline constexpr const char* kIsDue = "due";

/// A text file that grows by whole lines.
class LogFile {
 public:
  /// Throws Error (InputOutput, E0922), as all members.
  explicit LogFile(const std::string& path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  void append(const std::string& line);
  bool is_empty() const { return is_empty_; }
  /// Keeps the whole lines that `is_kept`; what was cut short by a crash goes too.
  void filter(const std::function<bool(const std::string&)>& is_kept);

 private:
  [[noreturn]] void fail() const;
  void open();

  std::string path_;
  int file_ = -1;
  bool is_empty_ = true;
};

/// DIR/run.json            what runs here: command, versions, settings
/// DIR/log.jsonl           the events of the run, as `train --json` prints them
/// DIR/metrics.csv         a row for each epoch
/// DIR/step-000001500.safetensors  the last checkpoints, by the number of updates
/// DIR/best.safetensors    the checkpoint of the epoch with the best metric
/// DIR/step-….damaged      could not be read when the run was resumed
/// DIR/lock                held by the run that works here
class RunFolder {
 public:
  /// Makes the folder where it is missing and locks it for this process. Throws Error
  /// (InputOutput): E0922 where that cannot be done, E0932 where another process has it.
  explicit RunFolder(const std::string& path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string checkpoint(int64_t steps) const;
  std::string best() const { return file("best.safetensors"); }

  /// What run.json says; nothing where there is none. Throws Error (ModelOrData, E0933) where it
  /// cannot be read.
  std::optional<nlohmann::ordered_json> description() const;
  void describe(const nlohmann::ordered_json& description) const;

  struct Checkpoint {
    std::string path;
    NamedTensors content;
  };
  /// The newest one that is whole; a note on stderr for each that is not. Nothing where there is
  /// none; throws Error (ModelOrData, E0933) where there are some and none is whole.
  std::optional<Checkpoint> newest_checkpoint() const;
  bool has_checkpoints() const { return !checkpoints().empty(); }
  /// Checkpoints that are newer than `taken` are not of the run that goes on there. They get names
  /// that count no more if they could not be read (".damaged"), and are removed else: left where
  /// they are they would be kept, and taken, in the place of those that come.
  enum class Newer { Damaged, Undone };
  void clear_after(const Checkpoint& taken, Newer newer) const;
  /// The same that was due when it was made (see kIsDue), so that a run without a break has made
  /// it too.
  std::optional<Checkpoint> newest_due_checkpoint() const;
  /// Removes all but the newest `keep` checkpoints (0: keeps all) and `kept` (a path; may be
  /// empty), and what writing that was cut short has left.
  void tidy(int64_t keep, const std::string& kept) const;

 private:
  /// Newest first.
  std::vector<std::string> checkpoints() const;
  void lock();

  std::string path_;
  int lock_ = -1;
};

}  // namespace gradc
