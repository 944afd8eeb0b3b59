// The progress line of a training epoch, in the form that Keras made familiar.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/session.h"

namespace gradc {

struct ProgressState {
  int64_t step = 0;    // steps done in this epoch
  int64_t steps = 0;   // steps of this epoch
  double seconds = 0;  // of this epoch so far
  NamedValues values;
};

/// "412/469 [====>..] 1.1ms/step - loss: 0.0479 - accuracy: 0.9852"; a full bar when all steps are
/// done. `width` is the number of characters inside the brackets.
std::string progress_line(const ProgressState& state, int width = 30);

/// "1.1ms", "35us", "2.4s".
std::string short_duration(double seconds);

/// "0.0479"; "1.7302e-12" where four decimals would show nothing.
std::string short_number(double value);

/// Writes to stderr. On a terminal the line is redrawn in place at most 10 times a second;
/// otherwise one line an epoch.
class Progress {
 public:
  Progress();
  bool is_terminal() const { return is_terminal_; }
  /// True when the line would be redrawn now: the caller then computes the values.
  bool is_due() const;
  void redraw(const ProgressState& state);
  void finish_epoch(const ProgressState& state);
  /// A line of its own, above the bar.
  void note(const std::string& text);

 private:
  bool is_terminal_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace gradc
