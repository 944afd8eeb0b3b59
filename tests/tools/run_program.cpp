// fork, exec, and files for the output.
#include "tests/tools/run_program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;

namespace gradc {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "gradc_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void redirect(const std::string& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags, 0600);
  dup2(file, descriptor);
}

[[noreturn]] void execute(const std::string& program, const std::vector<std::string>& arguments,
                          const std::string& input, const std::string& out,
                          const std::string& err) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
  redirect(input, O_RDONLY, STDIN_FILENO);
  redirect(out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  redirect(err, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(127);
}

}  // namespace

std::vector<nlohmann::json> ProgramRun::json_lines() const {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(out);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

nlohmann::json ProgramRun::last_json() const {
  const std::vector<nlohmann::json> lines = json_lines();
  INFO("no JSON line; stderr: " << err);
  REQUIRE_FALSE(lines.empty());
  return lines.back();
}

std::string temporary_path(const std::string& name) {
  static const TemporaryFolder folder;
  return folder.path() + "/" + name;
}

std::string write_temporary(const std::string& name, const std::string& text) {
  const std::string path = temporary_path(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string model_path(const std::string& name) {
  return std::string(GRADC_SOURCE_DIR) + "/models/" + name;
}

std::vector<std::string> shipped_models() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(model_path("")))
    if (entry.path().extension() == ".grad" &&
        read_file(entry.path().string()).find("\ntrain ") != std::string::npos)
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> distinct_models() {
  std::vector<std::string> paths = shipped_models();
  std::erase_if(paths, [](const std::string& path) {
    const std::string stem = fs::path(path).stem().string();
    const bool is_row = stem.size() == 3 && stem.front() == 'm';
    const bool is_recurrent_row = stem == "r2" || stem == "r3" || stem.starts_with("r4");
    const bool is_convolution_row = stem == "c1" || stem == "c2" || stem == "c4";
    const bool is_measured = fs::path(path).parent_path().stem() == "bench";
    return is_recurrent_row || is_convolution_row || is_measured || stem == "stacked" ||
           (is_row && stem != "m02" && stem != "m16");
  });
  return paths;
}

std::vector<std::string> made_small(const std::string& model, std::vector<std::string> arguments) {
  const std::string written = read_file(model);
  const bool is_recurrent = written.find("\"rnn.grad\"") != std::string::npos ||
                            written.find("units: int = 256") != std::string::npos;
  if (is_recurrent) arguments.push_back("--set=model.units=12");
  if (written.find("\"cnn.grad\"") != std::string::npos)
    arguments.push_back("--set=model.filters=8");
  const std::string stem = fs::path(model).stem().string();
  if (stem == "resnet8_sgd") arguments.push_back("--set=model.widths=[16, 16, 16]");
  if (stem == "elementwise_chain") arguments.push_back("--set=model.size=100");
  // The gradient of the keys' biases is 0 up to rounding, which a small epsilon would make visible.
  if (stem == "gpt_char_adamw")
    for (const char* flag : {"--set=model.span=16", "--set=model.width=16", "--set=model.depth=1",
                             "--set=model.heads=2", "--set=optimizer.epsilon=1e-4"})
      arguments.push_back(flag);
  if (stem != "gpt") return arguments;
  const std::string text = model_path("gallery/data/sonnets.txt");
  for (const char* flag : {"--set=model.width=16", "--set=model.depth=1", "--set=model.heads=2"})
    arguments.push_back(flag);
  arguments.push_back("--data=text(\"" + text + "\", window = 17)");
  return arguments;
}

ProgramRun run_program(const std::vector<std::string>& arguments, const std::string& input,
                       const std::function<void(int)>& while_running) {
  return run_executable(GRADC_PROGRAM, arguments, input, while_running);
}

ProgramRun run_executable(const std::string& program, const std::vector<std::string>& arguments,
                          const std::string& input, const std::function<void(int)>& while_running) {
  static int serial = 0;
  const std::string stem = "run_" + std::to_string(serial++);
  const std::string in_path = write_temporary(stem + ".in", input);
  const std::string out_path = temporary_path(stem + ".out");
  const std::string err_path = temporary_path(stem + ".err");
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) execute(program, arguments, in_path, out_path, err_path);
  if (while_running) while_running(child);
  int status = 0;
  struct rusage usage {};
  wait4(child, &status, 0, &usage);
  ProgramRun run;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto seconds_of = [](const struct timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  run.processor_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  run.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.out = read_file(out_path);
  run.err = read_file(err_path);
  return run;
}

}  // namespace gradc
