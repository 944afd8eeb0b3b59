// Range, mean and counts of what a field holds.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "runtime/data/dataset.h"

namespace gradc {

struct FieldStatistics {
  double least = 0;
  double most = 0;
  double mean = 0;
  double deviation = 0;
  /// Different values, of an integer field with at most 256 of them.
  std::optional<int64_t> distinct;
  /// How often each value occurs, of an integer field with one value a row and at most 256
  /// different ones; else empty.
  std::map<int64_t, int64_t> counts;
};

/// Over every element; where windows overlap, each element of the sequence counts once.
FieldStatistics statistics(const Field& field);

/// The mean of the elements minus `centre`, each rounded as f64.
double centred_mean(const Field& field, double centre);

/// "{0: 5923, 1: 6742}", with the names of categories where the field has them.
std::string histogram(const Field& field, const std::map<int64_t, int64_t>& counts);

}  // namespace gradc
