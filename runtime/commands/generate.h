// Text from a model that predicts the next byte.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "runtime/session.h"

namespace gradc {

struct GenerateOptions {
  int64_t count = 0;
  /// The probabilities are raised to 1 / temperature; 0 takes the likeliest byte.
  double temperature = 1;
  std::string prompt;
};

/// Draws `count` bytes, each handed to `on_byte` as it comes, until `stop` becomes true. The model
/// reads one field u8[rows, span] and has an output of 256 probabilities (`next`, or the only one);
/// it is run at one row with the last span - 1 bytes and a newline in the last place. Newlines
/// stand before a shorter text. The draws depend on the session's seed alone. Throws Error
/// (ModelOrData, E0908) where the model is of another form, (Numeric, E0810) where the
/// probabilities are no numbers.
void generate(Session& session, const GenerateOptions& options, const std::atomic<bool>& stop,
              const std::function<void(char)>& on_byte);

}  // namespace gradc
