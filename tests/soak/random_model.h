// Random model files that are right: layers, loops, branches, scans, losses, metrics, optimizers.
#pragma once
#include <string>

#include "frontend/model.h"

namespace gradc::testing {

struct RandomModel {
  std::string text;
  std::vector<FieldType> fields;  // of the data it is for
};

/// A function of the seed. The text has a model and its train block, and may define layers,
/// functions and optimizers of its own.
RandomModel random_model(uint64_t seed);

/// The text with words left out, doubled, swapped or replaced by others: mostly not a model.
std::string spoilt(const std::string& text, uint64_t seed);

}  // namespace gradc::testing
