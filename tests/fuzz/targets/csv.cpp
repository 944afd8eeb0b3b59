// CSV files: types found, and types, categories and features asked for.
#include "runtime/data/csv.h"

#include "tests/fuzz/described.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(csv) {
  DataSource source{"csv", fuzz::file_of(bytes)};
  // What is asked for depends on the text alone, so that a finding repeats.
  if (bytes.size() % 2 == 1) {
    source.options = {{"categories", std::vector<std::string>{"a"}},
                      {"features", std::vector<std::string>{"b", "c"}},
                      {"test", 0.25}};
    source.wanted = {{"b", DType::U8}, {"c", DType::F16}, {"a", std::nullopt}};
  }
  fuzz::check_described(describe_csv(source), load_csv(source));
}
