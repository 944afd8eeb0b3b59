// How every command that runs a model begins.
#pragma once
#include <string>

#include "tools/workspace.h"

namespace gradc {

/// Initial values: those of the model, then what `start` of the train block reads; or all from
/// `weights`, if that is not empty.
void start_session(Session& session, const Workspace& workspace, const std::string& weights);

}  // namespace gradc
