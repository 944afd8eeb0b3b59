// Mutated programs are elaborated or refused with located errors; nothing else happens to them.
#include <random>

#include "frontend/model.h"
#include "golden_text.h"

using namespace gradc;
using namespace gradc::testing;

namespace {

constexpr unsigned kSeed = 77;

/// Small programs that touch every part of elaboration.
const std::vector<std::string> kPrograms = {
    R"(model m(image: u8[batch, 4, 4], label: u8[batch], width: int = 6, widths = [3, 5]) {
  var x = flatten(image) / 255
  for hidden in range(len(widths)) { x := dropout(dense(x, widths[hidden], activation = relu), 0.2) }
  shared last = dense(units = width)
  logits = last(last(dense(x, width)))
  penalty 0.01 * sum(last.kernel ** 2)
  loss = mean(sparse_categorical_crossentropy(logits, label))
  metric accuracy = mean(argmax(logits) == label)
  metric perplexity = exp(loss)
  output probabilities = softmax(logits)
}
train m(width = 7) {
  data = digits
  batch = 8
  steps = 3
  gradients = clip_by_global_norm(1.0)
  optimizer = adamw(learning_rate = warmup_cosine(1e-3, warmup = 2, total = total_steps))
}
)",
    R"(half = 0.5
fn scale(x: float[..., n], by: float = half) -> float[..., n] => if by == 1 { x } else { x * by }
layer counted(x: float[..., in], units: int) -> float[..., units] {
  param kernel: float[in, units] = fn(shape, dtype) => random_normal(shape, 0, 1, dtype)
  param bias: float[units] = 0
  state mean_of: float[units] = zeros
  y = x @ kernel + bias
  if training and not frozen { mean_of := 0.9 * mean_of + 0.1 * mean(y, axis = range(rank(y) - 1)) }
  require units > 0, "units is {units}"
  return y - mean_of
}
optimizer slow(rate = 0.1, momentum: float = 0.9) for value, gradient {
  slot velocity = zeros_like(value)
  velocity := momentum * velocity + gradient
  value := value - rate * velocity / (step + 1)
}
model m(image: u8[batch, 4, 4], label: u8[batch]) {
  pixels = reshape(image, [batch, 16]) / 255
  [left, right] = split(pixels, 2, axis = 1)
  parts = [counted(part, 3) for part in [left, right]]
  joined = concat(parts, axis = -1)[:, ..., 1:]
  score = scale(joined, by = 2) @ transpose(joined)
  slope = gradient(sum(joined), left)
  total = sum(square(slope), axis = 1) + sum(score, axis = [1]) + convert(label, f32)
  loss = mean(select(total > 0, total, -total))
  output ranked = [total, maximum(total, 1)][0]
}
train m { data = digits; batch = 4; epochs = 1; optimizer = slow(rate = fn(step) => 0.1 / (step + 1)) }
)"};

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

/// Reads and elaborates every mode; true if nothing was refused.
bool elaborate_all(const std::string& text) {
  Diagnostics diagnostics;
  try {
    Model model = Model::read_text("fuzz.grad", text, {}, diagnostics);
    const std::vector<FieldType> fields = {{"image", DType::U8, {4, 4}}, {"label", DType::U8, {}}};
    model.bind_data(fields);
    model.bind_row_count(20);
    model.settings();
    for (const GraphMode mode : {GraphMode::Init, GraphMode::Train, GraphMode::Evaluate,
                                 GraphMode::Predict, GraphMode::Metrics})
      model.elaborate(mode, 4);
    return true;
  } catch (const Error& refused) {
    REQUIRE_FALSE(std::string(refused.what()).empty());
    if (dynamic_cast<const ModelError*>(&refused)) REQUIRE(diagnostics.has_errors());
    render(diagnostics);
    return false;
  }
}

std::string mutated(std::vector<std::string> words, const std::vector<std::string>& others,
                    std::mt19937& random) {
  for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
    const size_t at = random() % words.size();
    switch (random() % 4) {
      case 0:
        words[at].clear();
        break;
      case 1:
        words[at] = others[random() % others.size()];
        break;
      case 2:
        words[at] += " " + words[at];
        break;
      default:
        std::swap(words[at], words[random() % words.size()]);
    }
  }
  std::string text;
  for (const std::string& word : words) text += word;
  return text;
}

}  // namespace

TEST_CASE("the programs that are mutated are correct") {
  for (const std::string& program : kPrograms) {
    Diagnostics diagnostics;
    try {
      Model::read_text("fuzz.grad", program, {}, diagnostics);
    } catch (const Error&) {
    }
    CHECK(render(diagnostics) == "");
    CHECK(elaborate_all(program));
  }
}

TEST_CASE("what a step replaces without reading it is still an input") {
  CHECK(elaborate_all(R"(optimizer fresh(rate = 0.1) for value, gradient {
  slot last = zeros_like(value)
  last := gradient
  value := rate * last
}
model m(image: u8[batch, 4, 4]) {
  state seen: f32[] = 0
  x = flatten(image) / 255
  if training { seen := mean(x) }
  shown = if training { x } else { x + seen }
  loss = mean(dense(shown, 3))
  output y = shown
}
train m { data = digits; optimizer = fresh }
)"));
}

TEST_CASE("mutated programs are elaborated or refused") {
  std::mt19937 random(kSeed);
  std::vector<std::string> all = {
      "none", "true", "-1",  "0",    "1e300",  "9223372036854775807", "[]", "...",
      ":",    "f64",  "i32", "bool", "[1, 2]", "fn(x) => x"};
  for (const std::string& program : kPrograms)
    for (const std::string& word : pieces(program)) all.push_back(word);
  int elaborated = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string text = mutated(pieces(kPrograms[round % kPrograms.size()]), all, random);
    INFO("round " << round << "\n" << text);
    REQUIRE_NOTHROW(elaborated += elaborate_all(text));
  }
  CHECK(elaborated > 30);
}
