// The progress of a run as text, for checkpoints.
#pragma once
#include <string>

#include "runtime/train.h"

namespace gradc {

/// One line of JSON; numbers that are not whole are hexadecimal, so that no bit is lost.
std::string to_text(const TrainProgress& progress);
/// Throws Error (ModelOrData, E0921) that names `source` where the text is not of this form.
TrainProgress parse_progress(const std::string& text, const std::string& source);

/// "0x1.8p+1", and back; nothing where the text is no number.
std::string exact_text(double value);
std::optional<double> parse_exact(const std::string& text);

}  // namespace gradc
