// Built-in data: handwriting-like digits drawn by the program.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc {

/// Fields `image` u8[rows, 28, 28] (ink 0 to 255 on an empty background) and `label` u8[rows]:
/// 60000 rows to train on, 10000 to test on. Skeletons of strokes in several styles per digit are
/// bent, slanted, rotated, scaled, shifted and drawn with a pen of varying width.
/// The same bytes on every machine and for any number of threads; independent of the run's seed.
/// The images are drawn by fillers.
DataSplit make_digits();
DataDescription describe_digits();

/// Rows `first` to `first + rows` of the endless sequence: the training rows are 0 to 60000, the
/// test rows the 10000 that follow.
Dataset draw_digits(int64_t first, int64_t rows);

}  // namespace gradc
