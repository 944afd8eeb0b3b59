// Fills the state of a session.
#include "tools/start_session.h"

namespace gradc {

void start_session(Session& session, const Workspace& workspace, const std::string& weights) {
  session.initialize();
  if (!weights.empty()) return session.load(weights);
  const Attrs& settings = workspace.settings();
  if (!settings.has("start")) return;
  std::vector<std::string> patterns;
  std::string rest = settings.has("start_only") ? settings.get<std::string>("start_only") : "";
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    patterns.push_back(rest.substr(0, end));
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  session.start_from(settings.get<std::string>("start"), patterns);
}

}  // namespace gradc
