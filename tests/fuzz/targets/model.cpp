// Model files: parsed, checked, elaborated and differentiated, for data of two fields.
#include "frontend/model.h"

#include "tests/fuzz/target.h"

using namespace gradc;

FUZZ_TARGET(model) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read_text("fuzz.grad", std::string(fuzz::as_text(bytes)), {}, diagnostics);
    const std::vector<FieldType> fields = {{"image", DType::U8, {4, 4}}, {"label", DType::U8, {}}};
    model.bind_data(fields);
    model.bind_row_count(20);
    model.settings();
    for (const GraphMode mode : {GraphMode::Init, GraphMode::Train, GraphMode::Predict})
      model.elaborate(mode, 4);
  } catch (const ModelError&) {
    CHECK(diagnostics.has_errors(), "a model was refused without a reason");
    if (bytes.size() % 8 == 0) render(diagnostics);
  }
}
