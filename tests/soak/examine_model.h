// A model file from its text to two training steps, evaluation and prediction, compiled, against
// the interpreter.
#pragma once
#include "tests/soak/examine_sample.h"
#include "tests/soak/random_model.h"

namespace gradc::testing {

/// The graphs of the model with inputs: the first values, two training steps one after the other,
/// the last batch of fewer rows, evaluation, prediction, the metrics of a pass. Values come from
/// the interpreter. Throws what elaboration throws, with the diagnostics in the text.
std::vector<Sample> samples_of(const RandomModel& model, uint64_t seed);

/// Reads and elaborates a spoilt text. Empty if it is accepted or refused with a located error,
/// else what happened; `is_refused` tells which.
std::string find_refusal_fault(const RandomModel& model, const std::string& text, bool& is_refused);

}  // namespace gradc::testing
