// The progress of a run in its checkpoints.
#pragma once
#include <optional>
#include <string>

#include "runtime/train.h"

namespace gradc {

/// Adds to a checkpoint what the rest of a run depends on beside the state: "progress" of the
/// metadata, one line of JSON in which numbers that are not whole are hexadecimal, so that no bit
/// is lost; and each sum of the epoch so far as a tensor of its own, a copy, kSumsPrefix before its
/// name.
void add_progress(const TrainProgress& progress, NamedTensors& checkpoint);
/// Takes it out again. Throws Error (ModelOrData, E0921) that names `source` where it is not of
/// this form.
TrainProgress take_progress(NamedTensors& checkpoint, const std::string& source);

/// "0x1.8p+1", and back; nothing where the text is no number.
std::string exact_text(double value);
std::optional<double> parse_exact(const std::string& text);

}  // namespace gradc
