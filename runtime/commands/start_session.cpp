// Fills the state of a session.
#include "runtime/commands/start_session.h"

#include "runtime/weights_file.h"

namespace gradc {

void start_session(Session& session, const RunnableModel& model, const std::string& weights) {
  if (model.has_initial_values()) session.initialize();
  if (!weights.empty()) {
    NamedTensors content = read_weights(weights, session.state());
    // What only training needs is in the file but not in a program for prediction.
    if (!model.has_initial_values())
      std::erase_if(content.tensors, [&](const NamedTensor& tensor) {
        return session.find_state(tensor.name) == nullptr;
      });
    return session.load(content, weights);
  }
  if (model.weights() != nullptr) return session.load(*model.weights(), "the weights built in");
  if (!model.has_initial_values())
    throw Error(ExitCode::Usage, "",
                "built for prediction alone, without initial values: give --weights FILE");
  const Settings& settings = model.settings();
  if (!settings.has("start")) return;
  std::vector<std::string> patterns;
  std::string rest = settings.has("start_only") ? settings.text("start_only") : "";
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    patterns.push_back(rest.substr(0, end));
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  session.start_from(settings.text("start"), patterns);
}

}  // namespace gradc
