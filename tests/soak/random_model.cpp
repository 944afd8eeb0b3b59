// Writes a model statement by statement, knowing the shape of each value.
#include "tests/soak/random_model.h"

#include <cctype>

#include "tests/random_source.h"

namespace gradc::testing {
namespace {

using Strings = std::vector<std::string>;

/// Definitions that a file may use; each with layers, states, scans or slots of its own.
const Strings kDefinitions = {
    R"(layer mixed(x: float[..., in], units: int, flip: bool = false) -> float[..., units] {
  param kernel: float[in, units] = normal(0, 0.3)
  param shift: float[units] = 0
  state seen: float[units] = zeros
  y = x @ kernel + shift
  if training and not frozen { seen := 0.9 * seen + 0.1 * mean(y, axis = range(rank(y) - 1)) }
  return if flip { shift - y } else { y * (1 + 0.1 * seen) }
}
)",
    R"(layer gated(x: float[..., width], activation = tanh) -> float[..., width] {
  gate = dense(x, width, activation = sigmoid)
  body = dense(x, width, activation = activation)
  return gate * body + (1 - gate) * x
}
)",
    R"(fn running(x: float[batch, time, width]) {
  scan x_t in x, axis = 1 {
    carry total = zeros([batch, width], dtype(x))
    carry rounds = 0
    total := tanh(0.5 * total + x_t)
    rounds := rounds + 1
    collect totals = total * x_t
  }
  return [total, totals]
}
)",
    R"(optimizer steady(rate = 0.05, keep: float = 0.7, plain: bool = false) for value, gradient {
  if plain { value := value - rate * gradient } else {
    slot first = zeros_like(value)
    slot second = ones_like(value)
    first := keep * first + (1 - keep) * gradient
    second := maximum(keep * second, abs(gradient))
    value := value - rate * (step + 1) / (step + 2) * first / (second + 1e-3)
  }
}
)",
    R"(fn bounded(limit: float) => fn(gradients) {
  norm = sqrt(sum(stack([sum(square(g)) for g in gradients])))
  return [g * (limit / maximum(norm, limit)) for g in gradients]
}
)"};

const Strings kActivations = {"relu", "tanh",     "sigmoid",   "gelu", "silu",      "softplus",
                              "elu",  "softsign", "softmax",   "selu", "hard_tanh", "leaky_relu",
                              "mish", "linear",   "gelu_tanh", "celu"};
const Strings kInitializers = {"glorot_uniform", "he_normal",          "lecun_uniform",
                               "normal(0, 0.2)", "uniform(-0.3, 0.3)", "constant(0.1)",
                               "zeros",          "orthogonal",         "truncated_normal(0, 0.1)"};
const Strings kRegularizers = {"l1(0.01)", "l2(0.02)", "l1_l2(0.01, 0.02)"};
const Strings kElementLosses = {
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "hinge", "squared_hinge",
    "cosine_similarity",  "sum_squared_error"};
const Strings kRates = {"0.1",
                        "0.01",
                        "exponential_decay(0.1, 3, 0.5)",
                        "cosine_decay(0.1, 10)",
                        "fn(step) => 0.1 / (step + 1)",
                        "warmup_cosine(0.1, 2, 20)"};

class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  RandomModel write() {
    for (const std::string& definition : kDefinitions) text_ += definition;
    declare();
    for (int64_t count = random_.between(1, 5); count > 0; --count) grow();
    finish();
    text_ += "}\n";
    write_train();
    return {std::move(text_), std::move(fields_)};
  }

 private:
  using Dims = std::vector<int64_t>;  // behind the rows

  void line(const std::string& statement) {
    note_owner(statement);
    text_ += std::string(static_cast<size_t>(2 * depth_), ' ') + statement + "\n";
  }
  /// Remembers names that own parameters.
  void note_owner(const std::string& statement) {
    static const Strings kLayers = {"dense(",  "_norm(",     "gated",     "mixed(",
                                    "prelu(",  "lstm(",      "gru(",      "simple_rnn",
                                    "conv2d(", "attention(", "embedding("};
    const size_t equals = statement.find(" = ");
    if (equals == std::string::npos || statement.starts_with("loss")) return;
    const std::string target = statement.substr(0, equals);
    const size_t start = target.starts_with("shared ") ? 7 : 0;
    for (const std::string& layer : kLayers)
      if (statement.find(layer, equals) != std::string::npos) {
        owners_.push_back(target.substr(start));
        return;
      }
  }
  std::string name() { return fmt::format("v{}", names_++); }
  int64_t width() const { return dims_.back(); }

  void declare() {
    const int64_t kind = random_.between(0, 3);
    const DType dtype =
        kind == 3 ? DType::I32 : random_.pick<DType>({DType::F32, DType::F32, DType::U8});
    dims_ = kind == 0   ? Dims{random_.between(1, 9)}
            : kind == 1 ? Dims{random_.between(1, 5), random_.between(1, 6)}
            : kind == 2 ? Dims{random_.between(4, 6), random_.between(4, 6), random_.between(1, 2)}
                        : Dims{random_.between(1, 5)};
    classes_ = random_.between(2, 6);
    fields_ = {
        {"x", dtype, Shape(dims_)}, {"label", DType::U8, {}}, {"wanted", DType::F32, {classes_}}};
    text_ += fmt::format("model m(x: {}[batch, {}], label: u8[batch], wanted: f32[batch, {}],\n",
                         gradc::name(dtype), fmt::join(dims_, ", "), classes_);
    text_ +=
        fmt::format("        units: int = {}, rate: float = 0.25) {{\n", random_.between(1, 7));
    var_ = "y";
    if (kind == 3) {
      line(fmt::format("code = embedding(x, 9, {})", random_.between(1, 6)));
      dims_.push_back(0);
      line("width = size(code, -1)");
      const size_t at = text_.rfind("embedding(x, 9, ") + 16;
      dims_.back() = std::stoll(text_.substr(at));
      line("var y = code * width / width");
    } else {
      const bool is_double = random_.chance(10);
      line(fmt::format("var y = {}{}", is_double ? "convert(x, f64)" : "convert(x, f32)",
                       dtype == DType::U8 ? " / 255" : ""));
      is_double_ = is_double;
    }
    line("var pulled = 0");
  }

  /// A call that makes y another tensor; the dims follow.
  void grow() {
    if (random_.chance(12) && depth_ < 3) return grow_block();
    switch (dims_.size()) {
      case 1:
        return grow_flat();
      case 2:
        return grow_sequence();
      default:
        return grow_image();
    }
  }

  void update(const std::string& expression) {
    const std::string fresh = name();
    line(fmt::format("{} = {}", fresh, expression));
    line("y := " + fresh);
  }

  std::string dense_arguments() {
    std::string text;
    if (random_.chance(60)) text += ", activation = " + random_.pick(kActivations);
    if (random_.chance(30)) text += ", kernel_init = " + random_.pick(kInitializers);
    if (random_.chance(20)) text += ", kernel_regularizer = " + random_.pick(kRegularizers);
    if (random_.chance(20)) text += ", use_bias = false";
    return text;
  }

  /// Statements that hold the shape, in a loop or a branch.
  void grow_block() {
    const int64_t choice = random_.between(0, 2);
    if (choice == 0)
      line(fmt::format("for round{} in range({}) {{", names_++, random_.between(1, 3)));
    if (choice == 1)
      line(random_.pick<std::string>({"if training {", "if units > 3 {", "if rate == 0 {"}));
    if (choice == 2) line("if not training and units < 3 {");
    ++depth_;
    for (int64_t count = random_.between(1, 2); count > 0; --count) grow_same();
    --depth_;
    line(choice == 1 && random_.chance(50) ? "} else { y := -y }" : "}");
  }

  /// Layers that a branch may leave out own nothing: all elaborations declare the same parameters.
  void grow_same() {
    static const Strings kFree = {"dropout(y, rate)",
                                  "y + sin(y)",
                                  "y * sigmoid(y)",
                                  "select(y > 0, y, 0.1 * y)",
                                  "y - mean(y)",
                                  "clip(y, -1, 1)",
                                  "y / (1 + max(abs(y)))",
                                  "tanh(y) ** 2",
                                  "gaussian_noise(y, 0.1)",
                                  "maximum(y, 0) + minimum(y, 0.5)",
                                  "y + stop_gradient(round(y) - y)",
                                  "erf(y) + expm1(minimum(y, 1))",
                                  "cumulative_sum(y, axis = -1) / 4",
                                  "reverse(y, -1)",
                                  "sort(y, axis = -1)",
                                  "log1p(abs(y)) * sign(y)",
                                  "softmax(y)",
                                  "concat([y[..., 1:], y[..., :1]], axis = -1)",
                                  "(y + y[:1]) / 2",
                                  "y * random_uniform(shape(y), dtype = dtype(y))"};
    line("y := " + random_.pick(kFree));
  }

  void grow_flat() {
    const int64_t n = width();
    switch (random_.between(0, 11)) {
      case 0:
      case 1:
        dims_ = {random_.between(1, 9)};
        return update(fmt::format("dense(y, {}{})", dims_[0], dense_arguments()));
      case 2:
        return update("batch_norm(y)");
      case 3:
        return update(random_.chance(50) ? "layer_norm(y)" : "rms_norm(y)");
      case 4:
        return update(random_.chance(50) ? "y + gated(y)" : "residual(y, gated)");
      case 5:
        dims_ = {random_.between(1, 6)};
        return update(
            fmt::format("mixed(y, {}{})", dims_[0], random_.chance(40) ? ", flip = true" : ""));
      case 6:
        if (n % 2 == 0) {
          dims_ = {n / 2, 2};
          return update(fmt::format("reshape(y, [batch, {}, 2])", n / 2));
        }
        return grow_same();
      case 7: {
        const std::string parts = name();
        line(fmt::format("{} = [dense(y, {}) for _ in range(2)]", parts, n));
        return update(fmt::format("{}[0] * tanh({}[1])", parts, parts));
      }
      case 8: {
        const std::string slope = name();
        line(fmt::format("{} = gradient(sum(tanh(y) * y), y)", slope));
        return update(slope + " + y");
      }
      case 9: {
        const std::string shared = name();
        line(fmt::format("shared {} = dense(units = {}, activation = tanh)", shared, n));
        return update(fmt::format("{}({}(y)) + y", shared, shared));
      }
      case 10:
        return update("prelu(y)");
      default:
        return grow_same();
    }
  }

  void grow_sequence() {
    const int64_t time = dims_[0], n = width();
    const std::string returns = random_.chance(50) ? "true" : "false";
    const auto recurrent = [&](const std::string& call, int64_t units) {
      update(fmt::format("{}, return_sequences = {})", call, returns));
      dims_ = returns == "true" ? Dims{time, units} : Dims{units};
    };
    const int64_t units = random_.between(1, 5);
    switch (random_.between(0, 11)) {
      case 0:
        return recurrent(fmt::format("lstm(y, {}", units), units);
      case 1:
        return recurrent(
            fmt::format("gru(y, {}{}", units, random_.chance(40) ? ", reset_after = false" : ""),
            units);
      case 2:
        return recurrent(
            fmt::format("simple_rnn(y, {}{}", units, random_.chance(40) ? ", reverse = true" : ""),
            units);
      case 3:
        return recurrent(fmt::format("bidirectional(y, simple_rnn, {}", units), 2 * units);
      case 4: {
        const std::string last = name(), all = name();
        line(fmt::format("[{}, {}] = running(y)", last, all));
        const bool takes_all = random_.chance(50);
        if (!takes_all) dims_ = {n};
        line(fmt::format("y := {}", takes_all ? all + " + 0.1 * expand(" + last + ", 1)" : last));
        return;
      }
      case 5:
        return update(fmt::format("multi_head_attention(y, 1{})",
                                  random_.chance(50) ? ", causal = true" : ""));
      case 6:
        dims_ = {time * n};
        return update("flatten(y)");
      case 7:
        dims_ = {n};
        return update(random_.pick<std::string>(
            {"mean(y, axis = 1)", "max(y, axis = 1)", "y[:, -1, :]", "sum(y, axis = 1)"}));
      case 8:
        dims_ = {time, units};
        return update(fmt::format("dense(y, {}{})", units, dense_arguments()));
      case 9:
        return update("position_embedding(layer_norm(y))");
      case 10:
        return update("y @ transpose(y, [0, 2, 1]) @ y / 4");
      default:
        return grow_same();
    }
  }

  void grow_image() {
    const int64_t height = dims_[0], width_of_image = dims_[1], channels = dims_[2];
    const int64_t filters = random_.between(1, 4);
    switch (random_.between(0, 6)) {
      case 0:
      case 1:
        dims_ = {height, width_of_image, filters};
        return update(fmt::format("conv2d(y, {}, kernel_size = 3, padding = \"same\")", filters));
      case 2:
        if (height < 3 || width_of_image < 3) break;
        dims_ = {height - 1, width_of_image - 1, filters};
        return update(fmt::format("conv2d(y, {}, kernel_size = 2, activation = relu)", filters));
      case 3:
        if (height < 2 || width_of_image < 2) break;
        dims_ = {height / 2, width_of_image / 2, channels};
        return update(fmt::format("{}_pooling2d(y, 2)", random_.chance(50) ? "max" : "average"));
      case 4:
        dims_ = {channels};
        return update("global_average_pooling(y)");
      case 5:
        return update("batch_norm(y)");
      default:
        break;
    }
    dims_ = {height * width_of_image * channels};
    update("flatten(y)");
  }

  void finish() {
    if (dims_.size() > 1) line("flat = flatten(y)");
    const std::string last = dims_.size() > 1 ? "flat" : "y";
    line(fmt::format("logits = dense({}, {})", last, classes_));
    const std::string target = is_double_ ? "convert(wanted, f64)" : "wanted";
    const Strings losses = {
        "mean(sparse_categorical_crossentropy(logits, label))",
        fmt::format("mean({}(logits, {}))", random_.pick(kElementLosses), target),
        fmt::format("mean(binary_crossentropy(logits, {}))", target),
        fmt::format("mean(categorical_crossentropy(logits, softmax({})))", target)};
    has_two_losses_ = random_.chance(20);
    if (has_two_losses_) {
      line("side = dense(stop_gradient(" + last + "), 2)");
      line("loss first = " + random_.pick(losses));
      line("loss second = mean(square(side)) + sum(abs(side)) / batch");
    } else {
      line("loss = " + random_.pick(losses));
      if (random_.chance(50)) line("metric doubled = 2 * loss");
    }
    if (random_.chance(60)) line("metric accuracy = mean(argmax(logits) == label)");
    if (random_.chance(30)) line("metric spread = sqrt(mean(square(logits)))");
    if (random_.chance(20)) line("metric highest = max(logits) - min(logits)");
    if (random_.chance(70)) line("output chances = softmax(logits)");
    if (random_.chance(30)) line("output best = argmax(logits)");
  }

  std::string optimizer() {
    const std::string rate = random_.pick(kRates);
    switch (random_.between(0, 9)) {
      case 0:
        return fmt::format("sgd({})", rate);
      case 1:
        return fmt::format("sgd({}, momentum = 0.9{})", rate,
                           random_.chance(50) ? ", nesterov = true" : "");
      case 2:
        return fmt::format("rmsprop({})", rate);
      case 3:
        return fmt::format("adagrad({})", rate);
      case 4:
        return fmt::format("adam({})", rate);
      case 5:
        return fmt::format("adamw({}, weight_decay = 0.1)", rate);
      case 6:
        return fmt::format("nadam({})", rate);
      case 7:
        return fmt::format("torch_sgd({})", rate);
      default:
        return fmt::format("steady({}{})", rate, random_.chance(30) ? ", plain = true" : "");
    }
  }

  void write_train() {
    text_ += fmt::format("train m(units = {}) {{\n", random_.between(1, 6));
    depth_ = 1;
    line("data = digits");
    line("batch = 4");
    line("steps = 3");
    if (random_.chance(25)) line("averaging = ema(0.9)");
    if (has_two_losses_) {
      line(fmt::format("optimize second {{ parameters = \"side\"; optimizer = {} }}", optimizer()));
      line("optimize first {");
      line("  parameters = [" + others() + "]");
      line("  optimizer = " + optimizer());
      if (random_.chance(30)) line("  every = 2");
      line("}");
      text_ += "}\n";
      return;
    }
    if (random_.chance(30))
      line("gradients = " + random_.pick<std::string>({"clip_by_global_norm(1.0)", "bounded(0.5)",
                                                       "clip_by_value(0.1)"}));
    line("optimizer = " + optimizer());
    if (random_.chance(25)) line("freeze \"logits.bias\"");
    text_ += "}\n";
  }

  /// Patterns of all that own parameters, but `side`.
  std::string others() const {
    Strings patterns;
    for (const std::string& owner : owners_)
      if (owner != "side") patterns.push_back("\"" + owner + "\"");
    return fmt::format("{}", fmt::join(patterns, ", "));
  }

  RandomSource random_;
  std::string text_;
  std::vector<FieldType> fields_;
  Dims dims_;
  std::string var_;
  Strings owners_;
  int64_t classes_ = 2;
  int64_t names_ = 0;
  int depth_ = 1;
  bool is_double_ = false;
  bool has_two_losses_ = false;
};

Strings words_of(const std::string& text) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  Strings words;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (is_word(text[at]) && end < text.size() && is_word(text[end])) ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

RandomModel random_model(uint64_t seed) { return Writer(seed).write(); }

std::string spoilt(const std::string& text, uint64_t seed) {
  static const Strings kOthers = {
      "none", "true", "-1",  "0",    "1e300",  "9223372036854775807", "[]",    "...",
      ":",    "f64",  "i32", "bool", "[1, 2]", "fn(x) => x",          "batch", "y",
      "x",    "(",    "}",   "scan"};
  RandomSource random(seed);
  Strings words = words_of(text);
  const auto any = [&] {
    return static_cast<size_t>(random.between(0, static_cast<int64_t>(words.size()) - 1));
  };
  for (int64_t edits = random.between(1, 3); edits > 0; --edits) {
    const size_t at = any();
    switch (random.between(0, 4)) {
      case 0:
        words[at].clear();
        break;
      case 1:
        words[at] = random.pick(kOthers);
        break;
      case 2:
        words[at] += " " + words[at];
        break;
      case 3:
        words[at] = words[any()];
        break;
      default:
        std::swap(words[at], words[any()]);
    }
  }
  std::string result;
  for (const std::string& word : words) result += word;
  return result;
}

}  // namespace gradc::testing
