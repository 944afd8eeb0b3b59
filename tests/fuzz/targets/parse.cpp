// Model files as far as the syntax goes, which is many times as fast as elaboration.
#include "frontend/parse.h"

#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(parse) {
  Diagnostics diagnostics;
  const SourcePtr source = Source::make("fuzz.grad", std::string(fuzz::as_text(bytes)));
  CHECK(parse(source, diagnostics) != nullptr);
  if (bytes.size() % 8 == 0) render(diagnostics);
}
