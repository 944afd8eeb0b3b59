// Windows of a text, which may be gzip.
#include "runtime/data/text.h"

#include "tests/fuzz/described.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(text) {
  const DataSource source{"text", fuzz::file_of(bytes), {{"window", 3.0}, {"test", 0.25}}};
  const DataSplit split = load_text(source);
  for (int64_t row = 0; row < split.train.rows(); row += split.train.rows() / 4 + 1)
    split.train.fields.front().row(row);
  fuzz::check_described(describe_text(source), split);
}
