// Runs targets on files without libFuzzer: replay TARGET FOLDER, every file of the folder.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/fuzz/target.h"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: replay TARGET FOLDER\n";
    return 2;
  }
  for (const gradc::fuzz::Target& target : gradc::fuzz::targets()) {
    if (target.name != argv[1]) continue;
    int files = 0;
    for (const auto& entry : fs::directory_iterator(argv[2])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      std::cerr << entry.path().filename().string() << '\n';
      gradc::fuzz::run(target, std::as_bytes(std::span(bytes)));
      ++files;
    }
    std::cout << target.name << ": " << files << " files\n";
    return files > 0 ? 0 : 1;
  }
  std::cerr << "no target " << argv[1] << '\n';
  return 2;
}
