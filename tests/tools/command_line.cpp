// Exit codes, streams and messages of the command.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/tools/run_program.h"

using namespace gradc;
using Catch::Contains;

TEST_CASE("usage errors exit 2 with one clear line") {
  CHECK(run_program({}).exit_code == 2);
  const ProgramRun unknown = run_program({"trian", "x.grad"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("did you mean `train`?"));
  CHECK(run_program({"train"}).exit_code == 2);
  CHECK(run_program({"train", model_path("mnist_mlp.grad"), "--no-such-flag"}).exit_code == 2);
  CHECK(run_program({"train", model_path("mnist_mlp.grad"), "--set", "batch"}).exit_code == 2);
  CHECK(run_program({"train", model_path("mnist_mlp.grad"), "--batch", "0"}).exit_code == 2);
  const ProgramRun contradiction =
      run_program({"train", model_path("mnist_mlp.grad"), "--set", "batch=64", "--batch", "32"});
  CHECK(contradiction.exit_code == 2);
  CHECK_THAT(contradiction.err, Contains("contradicts"));
  const ProgramRun key = run_program({"train", model_path("mnist_mlp.grad"), "--set", "bacth=1"});
  CHECK(key.exit_code == 2);
  CHECK_THAT(key.err, Contains("batch"));
}

TEST_CASE("flags that no run can have are usage errors") {
  const auto refused = [](std::vector<std::string> flags, const std::string& message) {
    flags.insert(flags.begin() + 1, model_path("reference/d1.grad"));
    const ProgramRun run = run_program(flags);
    INFO(message << "\n" << run.err);
    CHECK(run.exit_code == 2);
    CHECK_THAT(run.err, Contains(message));
  };
  refused({"train", "--run", ""}, "an empty path");
  refused({"train", "--out", ""}, "an empty path");
  refused({"eval", "--weights", ""}, "an empty path");
  refused({"train", "--val-split", "nan"}, "not a number");
  refused({"train", "--on-nan", "rollback"}, "give it a --run DIR");
  refused({"predict", "--rows", "2-1"}, "1 comes before 2");
  refused({"dump", "--stage", "loops", "--json"}, "text only");
  refused({"dump", "--stage", "grad", "--after", "fuse"}, "--stage");
}

TEST_CASE("text that nobody takes is not written on and on") {
  const std::string command = GRADC_PROGRAM " predict " + model_path("gallery/gpt.grad") +
                              " --set=model.width=16 --set=model.depth=1 --set=model.heads=2"
                              " --generate 100000000 > /dev/full";
  const ProgramRun run = run_executable("/bin/sh", {"-c", command});
  CHECK(run.exit_code == 5);
  CHECK_THAT(run.err, Contains("cannot write to stdout"));
}

TEST_CASE("help and version go to stdout and exit 0") {
  const ProgramRun help = run_program({"help"});
  CHECK(help.exit_code == 0);
  for (const char* command :
       {"check", "summary", "dump", "train", "eval", "predict", "run", "verify"})
    CHECK_THAT(help.out, Contains(command));
  const ProgramRun topic = run_program({"help", "train"});
  CHECK(topic.exit_code == 0);
  CHECK_THAT(topic.out, Contains("--data"));
  const ProgramRun version = run_program({"--version"});
  CHECK(version.exit_code == 0);
  CHECK_THAT(version.out, Contains("gradc "));
}

TEST_CASE("files that cannot be read exit 5, wrong models exit 1") {
  const ProgramRun missing = run_program({"check", "no/such/file.grad"});
  CHECK(missing.exit_code == 5);
  CHECK_THAT(missing.err, Contains("no/such/file.grad"));
  CHECK(run_program({"check", GRADC_SOURCE_DIR}).exit_code == 5);
  const std::string wrong =
      write_temporary("wrong.grad", "model m(x: f32[batch]) {\n  y = xx\n}\n");
  const ProgramRun refused = run_program({"check", wrong});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("wrong.grad:2:7"));
  CHECK(refused.out.empty());
  const ProgramRun as_json = run_program({"check", wrong, "--json"});
  CHECK(as_json.exit_code == 1);
  CHECK(as_json.json_lines().front().at("code") == "E0201");
}

TEST_CASE("a model can come from stdin") {
  const ProgramRun run = run_program({"check", "-"}, read_file(model_path("mnist_mlp.grad")));
  CHECK(run.exit_code == 0);
}

TEST_CASE("a model without a train block can be checked, summarized and dumped") {
  const std::string model = write_temporary(
      "plain.grad", "model m(x: f32[batch, 4]) {\n  h = dense(x, 8)\n  output guess = h\n}\n");
  CHECK(run_program({"check", model}).exit_code == 0);
  CHECK_THAT(run_program({"summary", model}).out, Contains("Total params: 40"));
  CHECK_THAT(run_program({"dump", model}).out, Contains("output output \"guess\""));
  const ProgramRun train = run_program({"train", model});
  CHECK(train.exit_code == 1);
  CHECK_THAT(train.err, Contains("E0903"));
}

TEST_CASE("every shipped model passes check and has a summary") {
  REQUIRE(shipped_models().size() >= 3);
  for (const std::string& model : shipped_models()) {
    INFO(model);
    const ProgramRun checked = run_program({"check", model});
    CHECK(checked.exit_code == 0);
    CHECK(checked.err.empty());
    CHECK(run_program({"summary", model}).exit_code == 0);
  }
  const ProgramRun mlp = run_program({"summary", model_path("mnist_mlp.grad")});
  CHECK_THAT(mlp.out, Contains("Total params: 407,050"));
}

TEST_CASE("the last JSON line of train is the end event with every figure") {
  const ProgramRun run =
      run_program({"train", model_path("reference/d1.grad"), "--epochs", "3", "--json"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const nlohmann::json end = run.last_json();
  CHECK(end.at("event") == "end");
  CHECK(end.at("loss").is_number());
  CHECK(end.at("seconds").is_number());
  int epochs = 0;
  for (const nlohmann::json& line : run.json_lines()) epochs += line.at("event") == "epoch";
  CHECK(epochs == 3);
}

TEST_CASE("a requirement that is not met exits 3") {
  const std::vector<std::string> train = {"train", model_path("reference/d1.grad"), "--epochs",
                                          "1"};
  auto with = [&](const std::string& requirement) {
    std::vector<std::string> arguments = train;
    arguments.insert(arguments.end(), {"--require", requirement});
    return run_program(arguments).exit_code;
  };
  CHECK(with("loss<1e9") == 0);
  CHECK(with("loss<=-1") == 3);
  CHECK(with("nonsense>1") == 2);
  CHECK(with("loss") == 2);
}

namespace {

// Until the program surely trains; under the sanitizers it starts slowly.
#ifdef __SANITIZE_ADDRESS__
constexpr int kStartMs = 6000;
#else
constexpr int kStartMs = 1500;
#endif

}  // namespace

TEST_CASE("a signal finishes the step, saves and gives the exit code") {
  const int signal = GENERATE(SIGINT, SIGHUP);
  const std::string out = temporary_path("interrupted.safetensors");
  const ProgramRun run =
      run_program({"train", model_path("reference/d1.grad"), "--epochs", "100000000", "--out", out},
                  "", [&](int process) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(kStartMs));
                    kill(process, signal);
                  });
  CHECK(run.exit_code == signal + 128);
  CHECK(std::filesystem::file_size(out) > 100);
  CHECK(run_program({"eval", model_path("reference/d1.grad"), "--weights", out}).exit_code == 0);
}

TEST_CASE("a message that nobody can read changes nothing") {
  const std::string out = temporary_path("unheard.safetensors");
  const auto run = [](const std::string& arguments) {
    return run_executable("/bin/sh", {"-c", GRADC_PROGRAM " " + arguments}).exit_code;
  };
  const std::string train = "train " + model_path("reference/d1.grad") + " --epochs 2 --out " + out;
  for (const char* nowhere : {" 2> /dev/full", " 2>&-"}) {
    INFO(nowhere);
    CHECK(run(std::string("check /nonexistent") + nowhere) == 5);
    std::filesystem::remove(out);
    CHECK(run(train + nowhere) == 0);
    CHECK(run("eval " + model_path("reference/d1.grad") + " --weights " + out) == 0);
  }
  CHECK(run("check " + model_path("reference/d1.grad") + " >&-") == 5);
}

TEST_CASE("an interrupt while a line waits for its reader is no failure to write") {
  const std::string pipe = temporary_path("slow_reader");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::string lines;
  const ProgramRun run =
      run_executable("/bin/sh",
                     {"-c", "exec " GRADC_PROGRAM " train " + model_path("reference/d1.grad") +
                                " --epochs 100000000 --json --log-every 1 > " + pipe},
                     "", [&](int process) {
                       std::ifstream reader(pipe);
                       std::this_thread::sleep_for(std::chrono::milliseconds(kStartMs));
                       kill(process, SIGTERM);
                       std::this_thread::sleep_for(std::chrono::milliseconds(200));
                       for (std::string line; std::getline(reader, line);) lines = line;
                     });
  INFO(run.err);
  CHECK(run.exit_code == 143);
  CHECK_THAT(lines, Contains("\"interrupted\":true"));
}

TEST_CASE("a place that cannot be written is refused before training") {
  const ProgramRun run = run_program({"train", model_path("reference/d1.grad"), "--epochs",
                                      "100000000", "--out", temporary_path("no/folder/w.st")});
  CHECK(run.exit_code == 5);
  CHECK_THAT(run.err, Contains("E0922"));
  const ProgramRun folder = run_program({"train", model_path("reference/d1.grad"), "--epochs",
                                         "100000000", "--out", temporary_path("")});
  CHECK(folder.exit_code == 5);
  CHECK_THAT(folder.err, Contains("directory"));
}

TEST_CASE("a loss that is not a number exits 4") {
  const ProgramRun run = run_program({"train", model_path("reference/d1.grad"), "--epochs", "50",
                                      "--set", "optimizer.learning_rate=1e30"});
  CHECK(run.exit_code == 4);
  CHECK_THAT(run.err, Contains("epoch"));
}
