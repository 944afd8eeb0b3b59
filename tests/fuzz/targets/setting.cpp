// What stands behind --set KEY= and --data.
#include "frontend/model.h"
#include "runtime/data/data_source.h"
#include "tests/fuzz/target.h"

using namespace gradc;

namespace {

constexpr const char* kModel = R"(
model m(x: f32[batch, 4], width: int = 2) {
  output y = x[:, 0:width]
}
train m { data = xor; optimizer = none }
)";

void check_source(std::string_view text) {
  if (!is_data_call(text)) return;
  const DataSource source = parse_data_call(text);
  CHECK(parse_data_call(to_text(source)) == source, "`{}` reads back differently", text);
}

}  // namespace

FUZZ_TARGET(setting) {
  const std::string text(fuzz::as_text(bytes));
  if (bytes.size() % 2 == 1) return check_source(text);
  Diagnostics diagnostics;
  const ElaborationOptions options{{{"model.width", text}}};
  try {
    Model::read_text("fuzz.grad", kModel, options, diagnostics).settings();
  } catch (const ModelError&) {
    CHECK(diagnostics.has_errors(), "a setting was refused without a reason");
    if (bytes.size() % 8 == 0) render(diagnostics);
  }
}
