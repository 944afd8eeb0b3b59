// Runs the built gradc program and keeps what it prints.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace gradc {

/// Built with a sanitizer: it must be the first library, and makes programs slow and large.
inline const bool kIsSanitized = std::string(GRADC_SANITIZER) != "";

struct ProgramRun {
  int exit_code = -1;
  std::string out;
  std::string err;
  double seconds = 0;
  double processor_seconds = 0;
  /// Largest resident memory, or that of the test before it started the program.
  int64_t peak_bytes = 0;

  /// The lines of `out` as JSON objects.
  std::vector<nlohmann::json> json_lines() const;
  nlohmann::json last_json() const;
};

/// `input` is its stdin. `while_running`, if given, is called once with the process id.
ProgramRun run_program(const std::vector<std::string>& arguments, const std::string& input = "",
                       const std::function<void(int)>& while_running = {});

/// The same for another program, by its path.
ProgramRun run_executable(const std::string& program, const std::vector<std::string>& arguments,
                          const std::string& input = "",
                          const std::function<void(int)>& while_running = {});

/// Path of a shipped model: model_path("mnist_mlp.grad").
std::string model_path(const std::string& name);
/// A fresh folder that the process removes at exit, and a file in it.
std::string temporary_path(const std::string& name);
std::string write_temporary(const std::string& name, const std::string& text);
std::string read_file(const std::string& path);

/// Every .grad file below models/ that has a train block.
std::vector<std::string> shipped_models();
/// The same without the rows of the tables that differ from another by numbers only.
std::vector<std::string> distinct_models();
/// `arguments` with the flags that make a large model small enough to be put through every stage.
std::vector<std::string> made_small(const std::string& model, std::vector<std::string> arguments);

}  // namespace gradc
