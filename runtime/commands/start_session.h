// How every command that runs a model begins.
#pragma once
#include <string>

#include "runtime/commands/runnable_model.h"

namespace gradc {

/// Initial values: all from the file `weights`, if that is not empty; else those that come with the
/// model; else those that its layers ask for, then what `start` of the train block reads. Throws
/// Error (Usage) where none of these is there.
void start_session(Session& session, const RunnableModel& model, const std::string& weights);

}  // namespace gradc
