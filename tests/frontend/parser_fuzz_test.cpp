// Whatever the text: it is read to the end, in bounded time, and the tree is as high as allowed.
#include <random>

#include "test_library.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

constexpr unsigned kSeed = 20240917;

void read_any(const std::string& text) {
  Diagnostics diagnostics;
  read_model("fuzz.grad", text, diagnostics);
  // Places must be inside the text, and every message must be printable.
  for (const Diagnostic* diagnostic : diagnostics.sorted()) {
    REQUIRE(diagnostic->span.begin <= text.size());
    REQUIRE(diagnostic->code.size() == 5);
    REQUIRE_FALSE(diagnostic->message.empty());
  }
  REQUIRE(diagnostics.error_count() <= Diagnostics::kMaxErrors);
  if (diagnostics.has_errors()) REQUIRE(render(diagnostics).size() < 200'000);
  render_json(diagnostics);
}

std::vector<std::string> example_texts() {
  std::vector<std::string> texts;
  for (const std::string folder : {"language", "library", "diagnostics"})
    for (const auto& path : files_of(golden_folder() / folder, ".grad"))
      texts.push_back(read_text(path));
  return texts;
}

/// Words, numbers, strings, comments and signs of a text.
std::vector<std::string> pieces(const std::string& text) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  std::vector<std::string> all;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (is_word(text[at]) && end < text.size() && is_word(text[end])) ++end;
    all.push_back(text.substr(at, end - at));
    at = end;
  }
  return all;
}

}  // namespace

TEST_CASE("random bytes") {
  std::mt19937 random(kSeed);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 200, '\0');
    const bool is_ascii = round % 4 != 0;
    for (char& c : text) c = static_cast<char>(is_ascii ? 9 + random() % 118 : random() % 256);
    INFO("round " << round);
    read_any(text);
  }
}

TEST_CASE("random sequences of tokens") {
  const std::vector<std::string> words = [] {
    std::vector<std::string> all = {
        "(",   ")",     "[",   "]",  "{",    "}",      ",",        ".",     "...",    ":",    "=",
        ":=",  "=>",    "->",  "+",  "-",    "*",      "**",       "/",     "//",     "%",    "@",
        "==",  "<",     "\n",  "\n", ";",    "x",      "y",        "dense", "in",     "from", "1",
        "0.5", "\"s\"", "`q`", "_",  "#c\n", "## d\n", "optimize", "group", "freeze", "batch"};
    for (const char* word :
         {"and",      "carry",  "collect",   "else",   "false",  "fn",     "for",
          "frozen",   "if",     "import",    "layer",  "loss",   "metric", "model",
          "none",     "not",    "optimizer", "or",     "output", "param",  "penalty",
          "require",  "return", "scan",      "shared", "slot",   "state",  "train",
          "training", "true",   "var",       "f32",    "float",  "int"})
      all.push_back(word);
    return all;
  }();
  std::mt19937 random(kSeed + 1);
  for (int round = 0; round < 3000; ++round) {
    std::string text = round % 2 ? "model m(x: f32[n]) {\n" : "";
    for (unsigned i = random() % 120; i > 0; --i) text += words[random() % words.size()] + " ";
    INFO("round " << round << "\n" << text);
    read_any(text);
  }
}

TEST_CASE("programs cut anywhere") {
  std::mt19937 random(kSeed + 2);
  for (const std::string& text : example_texts())
    for (int round = 0; round < 40; ++round) read_any(text.substr(0, random() % (text.size() + 1)));
}

TEST_CASE("programs with pieces removed, doubled and exchanged") {
  std::mt19937 random(kSeed + 3);
  for (const std::string& original : example_texts()) {
    if (original.size() > 20'000) continue;
    const std::vector<std::string> words = pieces(original);
    for (int round = 0; round < 40; ++round) {
      std::vector<std::string> changed = words;
      for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
        const size_t at = random() % changed.size();
        switch (random() % 3) {
          case 0:
            changed[at].clear();
            break;
          case 1:
            changed[at] += changed[at];
            break;
          default:
            std::swap(changed[at], changed[random() % changed.size()]);
        }
      }
      std::string text;
      for (const std::string& word : changed) text += word;
      INFO(text);
      read_any(text);
    }
  }
}
