// gradc data and predict: counts, pictures, probabilities, text; the models of the gallery on their
// tables.
#include <filesystem>

#include "tests/tools/run_program.h"

// Last: it defines CHECK for the tests.
#include <catch2/catch.hpp>

using namespace gradc;
using Catch::Contains;

namespace {

std::string shared_folder(const std::string& name) {
  const char* shared = std::getenv("GRADC_DATA");
  const std::string path = (shared != nullptr ? std::string(shared)
                                              : std::string(GRADC_SOURCE_DIR) + "/../shared/data") +
                           "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

const std::vector<std::string> kSmallGpt = {
    "--set=model.width=16", "--set=model.depth=1", "--set=model.heads=2",
    "--data=text(\"" + model_path("gallery/data/sonnets.txt") + "\", window = 17)"};

ProgramRun small_gpt(const std::string& command, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {command, model_path("gallery/gpt.grad")});
  arguments.insert(arguments.end(), kSmallGpt.begin(), kSmallGpt.end());
  return run_program(arguments);
}

}  // namespace

TEST_CASE("data: MNIST has the printed histograms") {
  const std::string folder = shared_folder("mnist");
  if (folder.empty()) {
    WARN("SKIPPED: no MNIST beside the checkout (../shared/data/mnist, or GRADC_DATA)");
    return;
  }
  const ProgramRun run = run_program({"data", folder});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("mnist: 60000 training rows, 10000 test rows"));
  CHECK_THAT(run.out, Contains("{0: 5923, 1: 6742, 2: 5958, 3: 6131, 4: 5842, 5: 5421, 6: 5918, "
                               "7: 6265, 8: 5851, 9: 5949}"));
  CHECK_THAT(run.out, Contains("{0: 980, 1: 1135, 2: 1032, 3: 1010, 4: 982, 5: 892, 6: 958, "
                               "7: 1028, 8: 974, 9: 1009}"));
  CHECK_THAT(run.out, Contains("mean 33.3184"));
}

TEST_CASE("data: of a source with options, of a model, as JSON") {
  const std::string homes = model_path("gallery/data/homes.csv");
  const ProgramRun source = run_program(
      {"data", "csv(\"" + homes + "\", categories = [\"garden\"], test = 0.25)", "--json"});
  INFO(source.err);
  REQUIRE(source.exit_code == 0);
  const nlohmann::json found = source.last_json();
  CHECK(found.at("train_rows") == 300);
  CHECK(found.at("test_rows") == 100);
  const nlohmann::json garden = found.at("fields").at(3);
  CHECK(garden.at("name") == "garden");
  const nlohmann::json counts = garden.at("train").at("counts");
  CHECK(counts.at("no").get<int>() + counts.at("yes").get<int>() == 300);
  const nlohmann::json model =
      run_program({"data", model_path("gallery/linear_regression.grad"), "--json"}).last_json();
  CHECK(model.at("test_rows") == 80);
  CHECK(model.at("fields").at(1).at("dtype") ==
        "f32");  // the model's rooms; the column has whole numbers
  CHECK(std::abs(model.at("fields").at(0).at("test").at("mean_minus_train").get<double>()) < 10);
  CHECK(run_program({"data", homes, "--set", "batch=1"}).exit_code == 2);
  CHECK(run_program({"data", "nothing_here"}).exit_code == 5);
}

TEST_CASE("data: the grid is a picture of the size that follows from its shape") {
  const std::string png = temporary_path("grid.png");
  auto grid = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"data", "digits", "--png", png});
    const ProgramRun run = run_program(flags);
    INFO(run.err);
    CHECK(run.exit_code == 0);
    const std::string bytes = read_file(png);
    REQUIRE(bytes.substr(0, 8) == "\x89PNG\r\n\x1A\n");
    CHECK(bytes.substr(bytes.size() - 8, 4) == "IEND");
    return std::pair(std::pair(big_endian(bytes, 16), big_endian(bytes, 20)), bytes);
  };
  const auto drawn = grid({});
  CHECK(drawn.first == std::pair(5U * 58 + 2, 5U * 58 + 2));
  CHECK((grid({"--seed", "0"}).second == drawn.second));
  CHECK(!(grid({"--seed", "1"}).second == drawn.second));
  CHECK(grid({"--grid", "2x3", "--scale", "1", "--first"}).first == std::pair(92U, 62U));
  CHECK(!(grid({"--first"}).second == grid({"--first", "--test"}).second));
  CHECK(run_program({"data", "digits", "--png", png, "--grid", "0x3"}).exit_code == 2);
  CHECK(run_program({"data", "digits", "--png", png, "--grid", "3"}).exit_code == 2);
  CHECK(run_program({"data", "xor", "--png", png}).exit_code == 2);
  CHECK(run_program({"data", "digits", "--png", "/nowhere/x.png"}).exit_code == 5);
}

TEST_CASE("predict: the likeliest classes with their probabilities, chosen rows") {
  const std::string model = model_path("mnist_mlp.grad");
  const ProgramRun run = run_program({"predict", model, "--rows", "3,9998-9999", "--top", "2"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("row 3: ") && Contains("row 9998: ") && Contains("row 9999: "));
  std::vector<std::string> lines;
  for (size_t at = 0; at < run.out.size(); at = run.out.find('\n', at) + 1)
    lines.push_back(run.out.substr(at, run.out.find('\n', at) - at));
  REQUIRE(lines.size() == 3);
  for (const std::string& line : lines) CHECK(std::count(line.begin(), line.end(), '(') == 2);
  const nlohmann::json whole = run_program({"predict", model, "--rows", "3", "--json"}).last_json();
  CHECK(whole.at("probabilities").size() == 10);
  CHECK(run_program({"predict", model, "--rows", "10000"}).exit_code == 2);
  CHECK(run_program({"predict", model, "--rows", "3-"}).exit_code == 2);
  CHECK(run_program({"predict", model, "--rows", "x"}).exit_code == 2);
  CHECK(run_program({"predict", model, "--first", "2", "--top", "0"}).out.find('(') ==
        std::string::npos);
}

TEST_CASE("predict: text depends on the seed, the temperature and the prompt alone") {
  const std::string weights = temporary_path("gpt.safetensors");
  REQUIRE(small_gpt("train", {"--set=steps=30", "--out", weights}).exit_code == 0);
  auto text = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--weights", weights, "--generate", "40"});
    const ProgramRun run = small_gpt("predict", flags);
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    return run.out;
  };
  const std::string drawn = text({"--seed", "4"});
  CHECK(drawn.size() >= 40);
  CHECK((text({"--seed", "4"}) == drawn));
  CHECK((text({"--seed", "4", "--threads", "1"}) == drawn));
  CHECK(!(text({"--seed", "5"}) == drawn));
  const std::string likeliest = text({"--temperature", "0"});
  CHECK((text({"--temperature", "0", "--seed", "9"}) == likeliest));
  CHECK(text({"--prompt", "Shall I"}).substr(0, 7) == "Shall I");
  const ProgramRun json = small_gpt(
      "predict",
      {"--generate", "5", "--prompt", "a longer text than the seventeen bytes", "--json"});
  CHECK(json.last_json().at("text").get<std::string>().size() >= 5);
}

TEST_CASE("predict: models that write no text say why") {
  const ProgramRun run = run_program({"predict", model_path("mnist_mlp.grad"), "--generate", "5"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Contains("cannot generate text") && Contains("`image`"));
  CHECK(run_program({"predict", model_path("mnist_mlp.grad"), "--temperature", "1"}).exit_code ==
        2);
}

TEST_CASE("gallery: the regressions and the factorization find the rule of their tables") {
  const std::pair<std::string, std::string> bounds[] = {{"linear_regression", "test_error<10.5"},
                                                        {"poisson_regression", "test_error<3"},
                                                        {"ratings", "test_rmse<0.5"}};
  for (const auto& [model, bound] : bounds) {
    const ProgramRun run =
        run_program({"train", model_path("gallery/" + model + ".grad"), "--require", bound});
    INFO(run.out << run.err);
    CHECK(run.exit_code == 0);
  }
}

TEST_CASE("paths in a model count from the model's folder, those of --data from the current one") {
  const std::string table = write_temporary("table.csv", "x,y\n1,2\n2,4\n3,6\n");
  const std::string model = write_temporary(
      "line.grad",
      "model line(x: f32[batch], y: f32[batch]) {\n  param k: f32[] = zeros\n"
      "  loss = mean(square(k * x - y))\n  output guess = k * x\n}\n"
      "train line {\n  data = csv(\"table.csv\")\n  optimizer = sgd(learning_rate = 0.05)\n"
      "  epochs = 50\n}\n");
  const ProgramRun run = run_program({"train", model, "--require", "loss<1e-3"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  const ProgramRun dumped = run_program({"dump", model});
  CHECK(run_program({"train", "-", "--require", "loss<1e-3"}, dumped.out).exit_code == 0);
  CHECK(run_program({"train", model, "--data", "table.csv"}).exit_code == 5);
  CHECK(run_program({"train", model, "--data", table, "--require", "loss<1e-3"}).exit_code == 0);
  const ProgramRun misspelt =
      run_program({"train", model, "--set", "data=csv(\"t.csv\", tst = 0.1)"});
  CHECK(misspelt.exit_code == 1);
  CHECK_THAT(misspelt.err, Contains("E0910") && Contains("categories, features, test"));
  write_temporary("table.csv", "x,y\n1,2\n2,\n");
  const ProgramRun missing = run_program({"train", model});
  CHECK(missing.exit_code == 1);
  CHECK_THAT(missing.err, Contains("table.csv:3:3: `y` is missing"));
}
