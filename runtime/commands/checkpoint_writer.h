// Checkpoints that are written while training goes on.
#pragma once
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "runtime/session.h"

namespace gradc {

/// One file at a time, by a thread of its own. What is written are the values at the call of
/// start(); a failure of the thread is thrown by the next call of any member.
class CheckpointWriter {
 public:
  /// `after_write` runs in the thread when the files of a save are complete.
  explicit CheckpointWriter(std::function<void()> after_write)
      : after_write_(std::move(after_write)) {}
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Waits for the save before, copies the state, and writes it with `additions`, tensors and
  /// metadata that are the writer's from then on, into each of `paths` in turn.
  void start(const Session& session, NamedTensors additions, std::vector<std::string> paths);
  /// Throws what the last save met, if it is over.
  void check();
  void wait();

 private:
  std::function<void()> after_write_;
  NamedTensors content_;    // the thread's while it runs
  size_t state_count_ = 0;  // of its tensors; then what was added
  std::future<void> writing_;
};

}  // namespace gradc
