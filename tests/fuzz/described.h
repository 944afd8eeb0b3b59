// Data is what it was said to look like before it was read.
#pragma once
#include "runtime/core/error.h"
#include "runtime/data/dataset.h"

namespace gradc::fuzz {

inline void check_described(const DataDescription& said, const DataSplit& data) {
  const DataDescription found = describe(data);
  CHECK(said.train_rows == found.train_rows && said.test_rows == found.test_rows, "{} rows, not {}",
        found.train_rows, said.train_rows);
  CHECK(said.fields.size() == found.fields.size());
  for (size_t i = 0; i < found.fields.size(); ++i)
    CHECK(said.fields[i].name == found.fields[i].name &&
              said.fields[i].row_type == found.fields[i].row_type,
          "`{}` is another field", found.fields[i].name);
}

}  // namespace gradc::fuzz
