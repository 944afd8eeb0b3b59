// Reads /proc/self/cmdline, which ends each word with a zero.
#include "runtime/commands/command_words.h"

#include <fstream>

namespace gradc {

std::vector<std::string> command_words() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace gradc
