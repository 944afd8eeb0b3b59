// What `summary` says of one layer.
#pragma once
#include <cstdint>
#include <string>

namespace gradc {

/// One line of `summary`: an instance of a layer, in the order of first application, or a function
/// that the model's body calls. Values that the model owns itself have the path "" and come last.
struct LayerRow {
  std::string path;    // "hidden"
  std::string layer;   // "dense"
  std::string output;  // "f32[128, 512]", "[f32[128, 2], f32[128, 2]]"; empty for the model's own
  std::string shape;   // "(None, 512)", "[(None, 2), (None, 2)]": None stands for the rows
  int64_t parameters = 0;     // elements of the instance's own parameters, not of those inside it
  int64_t trainable = 0;      // of `parameters`, what no `freeze` selects
  int64_t states = 0;         // likewise
  int64_t multiply_adds = 0;  // of its own contractions, for the rows asked for, all applications
  int64_t applications = 1;   // more than 1 for a shared instance only
};

}  // namespace gradc
