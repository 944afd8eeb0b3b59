// Built-in data that fits every model: uniform random numbers in the shapes that its inputs
// declare.
#pragma once
#include "runtime/data/data_source.h"
#include "runtime/data/dataset.h"

namespace gradc {

/// One field for each of `source.declared`: floats in [0, 1), integers in [0, limit), or where
/// there is no limit in [0, 256), bool 0 or 1. The same numbers on every machine, independent of
/// the run's seed. No test data.
DataSplit make_noise(const DataSource& source);
DataDescription describe_noise(const DataSource& source);

}  // namespace gradc
