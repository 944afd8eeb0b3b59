// Training curves from the JSON lines of `gradc train --json`.
#pragma once
#include "tools/scene.h"

namespace gradc {

struct Series {
  std::string name;
  std::vector<Point> points;  // x: epochs
  bool is_of_batches = false;
};

/// The losses and metrics of the events `epoch`, `batch` and `end` in a log, in the order of their
/// first occurrence. `name` is for messages. Throws Error (ModelOrData, E0912) for a text that is
/// no such log.
std::vector<Series> read_training_log(const std::string& name, const std::string& text);

/// One chart for the losses and one for what else there is.
Scene draw_curves(const std::vector<Series>& series);

/// About `count` steps of 1, 2 or 5 times a power of ten that cover [low, high].
std::vector<double> nice_ticks(double low, double high, int count);

}  // namespace gradc
