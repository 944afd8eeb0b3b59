// docs/tutorial.md: every example is run and prints what the page says. BLESS=1 writes the page
// anew.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/tools/run_program.h"

using namespace gradc;
namespace fs = std::filesystem;

namespace {

const std::string kPage = std::string(GRADC_SOURCE_DIR) + "/docs/tutorial.md";

/// Runs the test in another folder, so that paths in messages are those of the page.
class InFolder {
 public:
  explicit InFolder(const std::string& path) : previous_(fs::current_path()) {
    fs::create_directories(path);
    fs::current_path(path);
  }
  ~InFolder() { fs::current_path(previous_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path previous_;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// "$ gradc run a.grad" and what it prints, on stdout and then on stderr.
std::string with_output(const std::string& command) {
  const std::vector<std::string> words = words_of(command);
  REQUIRE(words.size() > 2);
  REQUIRE(words[1] == "gradc");
  const ProgramRun run = run_program({words.begin() + 2, words.end()});
  return command + "\n" + run.out + run.err;
}

/// The page with the outputs of now. Blocks are files, or commands with their output.
std::string rewritten(const std::string& page) {
  std::istringstream stream(page);
  std::string result;
  for (std::string line; std::getline(stream, line);) {
    result += line + "\n";
    if (line != "```grad" && line != "```text") continue;
    std::string block;
    std::vector<std::string> commands;
    std::string inner;
    while (std::getline(stream, inner) && inner != "```") {
      block += inner + "\n";
      if (inner.starts_with("$ ")) commands.push_back(inner);
    }
    if (line == "```grad") {
      const std::string mark = "# file: ";
      REQUIRE(block.starts_with(mark));
      std::ofstream(block.substr(mark.size(), block.find('\n') - mark.size())) << block;
      result += block;
    } else {
      REQUIRE(!commands.empty());
      for (size_t i = 0; i < commands.size(); ++i)
        result += (i == 0 ? "" : "\n") + with_output(commands[i]);
    }
    result += "```\n";
  }
  return result;
}

void compare(const std::string& path, const std::string& now) {
  if (std::getenv("BLESS")) {
    std::ofstream(path, std::ios::binary) << now;
    return;
  }
  INFO("BLESS=1 rewrites " << path);
  // Line by line: a difference shows where it is.
  std::istringstream expected(read_file(path)), got(now);
  std::string expected_line, got_line;
  while (std::getline(expected, expected_line)) {
    REQUIRE(std::getline(got, got_line));
    REQUIRE(got_line == expected_line);
  }
  CHECK_FALSE(std::getline(got, got_line));
}

}  // namespace

TEST_CASE("the tutorial's examples print what it says") {
  const std::string page = read_file(kPage);
  REQUIRE(page.size() > 1000);
  const InFolder folder(temporary_path("tutorial"));
  const std::string now = rewritten(page);
  compare(kPage, now);
  compare(std::string(GRADC_SOURCE_DIR) + "/docs/two_layers.svg", read_file("two_layers.svg"));
}

TEST_CASE("the README's model is the shipped one and its slip is reported as shown") {
  const std::string page = read_file(std::string(GRADC_SOURCE_DIR) + "/README.md");
  const std::string fence = "```grad\n# models/mnist_mlp.grad\n";
  const size_t start = page.find(fence);
  REQUIRE(start != std::string::npos);
  const std::string shown =
      page.substr(start + fence.size(), page.find("\n```", start) + 1 - start - fence.size());
  const std::string shipped = read_file(model_path("mnist_mlp.grad"));
  CHECK(shipped.substr(shipped.find('\n') + 1) == shown);  // behind the first comment
  const InFolder folder(temporary_path("readme"));
  std::ofstream("m.grad") << "model m(image: f32[batch, 784]) {\n  x = image\n"
                             "  h = dense(x, 512, actvation = relu)\n  output y = h\n}\n";
  const ProgramRun slip = run_program({"check", "m.grad"});
  const std::string command = "$ build/gradc check m.grad\n";
  const size_t error = page.find(command);
  REQUIRE(error != std::string::npos);
  const std::string message =
      page.substr(error + command.size(), page.find("\n```", error) + 1 - error - command.size());
  CHECK_THAT(slip.err, Catch::StartsWith(message));
}
