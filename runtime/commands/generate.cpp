// One execution of the predict program a byte.
#include "runtime/commands/generate.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/core/rng.h"

namespace gradc {
namespace {

constexpr int64_t kBytes = 256;
constexpr uint64_t kGenerateStream = 0x67656E6572617465U;  // "generate"

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ExitCode::ModelOrData, "E0908", "the model cannot generate text: " + reason);
}

const ProgramInput& text_input(const Program& program) {
  const ProgramInput* found = nullptr;
  for (const ProgramInput& input : program.inputs) {
    if (input.kind != InputKind::Data) continue;
    if (found != nullptr)
      refuse(fmt::format("it reads `{}` and `{}`, not text alone", found->name, input.name));
    found = &input;
  }
  if (found == nullptr) refuse("its outputs read no data");
  const Type& type = found->type;
  if (type.dtype != DType::U8 || type.shape.rank() != 2 || type.shape[1] < 2)
    refuse(fmt::format("its input `{}` is {}, not u8[rows, span]", found->name, to_string(type)));
  return *found;
}

/// The place among the outputs.
size_t next_output(const Program& program) {
  std::vector<size_t> found;
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    const ProgramOutput& output = program.outputs[i];
    if (output.kind != OutputKind::Output || !is_float(output.type.dtype) ||
        output.type.shape != Shape{1, kBytes})
      continue;
    if (output.name == "next") return i;
    found.push_back(i);
  }
  if (found.size() != 1)
    refuse(fmt::format("it has {} outputs of 256 probabilities and none is called `next`",
                       found.empty() ? "no" : fmt::to_string(found.size())));
  return found.front();
}

/// The least place where the running sum of p ** (1 / temperature) passes `unit` of the total.
int64_t draw(const Tensor& probabilities, double temperature, double unit) {
  double best = -1;
  int64_t likeliest = 0;
  for (int64_t i = 0; i < kBytes; ++i) {
    const double p = probabilities.at(i);
    if (!std::isfinite(p) || p < 0)
      throw Error(ExitCode::Numeric, "E0810",
                  fmt::format("the probability of byte {} is {}", i, p));
    if (p > best) {
      best = p;
      likeliest = i;
    }
  }
  if (temperature == 0 || best == 0) return likeliest;
  const auto weight = [&](int64_t i) {
    return std::exp(std::log(probabilities.at(i) / best) / temperature);
  };
  double total = 0;
  for (int64_t i = 0; i < kBytes; ++i) total += weight(i);
  double sum = 0;
  for (int64_t i = 0; i < kBytes; ++i) {
    sum += weight(i);
    if (sum > unit * total) return i;
  }
  return likeliest;
}

}  // namespace

void generate(Session& session, const GenerateOptions& options, const std::atomic<bool>& stop,
              const std::function<void(char)>& on_byte) {
  const Program& program = session.program(GraphMode::Predict, 1);
  const ProgramInput& input = text_input(program);
  const size_t next = next_output(program);
  const auto known = static_cast<size_t>(input.type.shape[1] - 1);
  std::string text(known, '\n');
  text += options.prompt;
  std::vector<Field> fields = {{input.name, Tensor(input.type)}};
  const auto row = fields.front().values.span<uint8_t>();
  for (int64_t i = 0; i < options.count && !stop; ++i) {
    text.erase(0, text.size() - known);
    std::memcpy(row.data(), text.data(), known);
    row.back() = '\n';
    const std::span<const Tensor> outputs = session.execute(GraphMode::Predict, fields, 1);
    const RngPosition position{session.seed(), kGenerateStream, 0};
    const double unit = random_unit_f64(position, static_cast<uint64_t>(i));
    const char byte = static_cast<char>(draw(outputs[next], options.temperature, unit));
    on_byte(byte);
    text += byte;
  }
}

}  // namespace gradc
