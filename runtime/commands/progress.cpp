// Draws the progress line.
#include "runtime/commands/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "runtime/core/signal_safe.h"

namespace gradc {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

std::string bar(int64_t step, int64_t steps, int width) {
  const int64_t done = steps > 0 ? width * step / steps : width;
  if (done >= width) return std::string(static_cast<size_t>(width), '=');
  return std::string(static_cast<size_t>(done), '=') + '>' +
         std::string(static_cast<size_t>(width - done - 1), '.');
}

}  // namespace

std::string short_duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 10e-3) return fmt::format("{:.1f}ms", seconds * 1e3);
  if (seconds < 1) return fmt::format("{:.0f}ms", seconds * 1e3);
  return fmt::format("{:.1f}s", seconds);
}

std::string short_number(double value) {
  return value != 0 && std::abs(value) < 1e-3 ? fmt::format("{:.4e}", value)
                                              : fmt::format("{:.4f}", value);
}

std::string progress_line(const ProgressState& state, int width) {
  const std::string total = std::to_string(state.steps);
  std::string line = fmt::format("{:>{}}/{} [{}]", state.step, total.size(), total,
                                 bar(state.step, state.steps, width));
  if (state.step > 0)
    line +=
        fmt::format(" {}/step", short_duration(state.seconds / static_cast<double>(state.step)));
  for (const auto& [name, value] : state.values)
    line += fmt::format(" - {}: {}", name, short_number(value));
  return line;
}

Progress::Progress()
    : is_terminal_(isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now()) {}

bool Progress::is_due() const { return is_terminal_ && std::chrono::steady_clock::now() >= next_; }

void Progress::redraw(const ProgressState& state) {
  if (!is_due()) return;
  next_ = std::chrono::steady_clock::now() + kInterval;
  say(fmt::format("\r{}\x1b[K", progress_line(state)));
  is_drawn_ = true;
}

void Progress::finish_epoch(const ProgressState& state) {
  say(fmt::format("{}{}{}\n", is_drawn_ ? "\r" : "", progress_line(state),
                  is_drawn_ ? "\x1b[K" : ""));
  is_drawn_ = false;
}

void Progress::note(const std::string& text) {
  say(fmt::format("{}{}\n", is_drawn_ ? "\r\x1b[K" : "", text));
  is_drawn_ = false;
}

}  // namespace gradc
