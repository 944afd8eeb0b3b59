// Inputs, outputs and updates around what GraphGrower grows.
#include "tests/soak/random_sample.h"

#include <algorithm>

#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "tests/soak/graph_grower.h"

namespace gradc::testing {
namespace {

constexpr std::string_view kInputsName = "inputs";

class SampleMaker {
 public:
  explicit SampleMaker(uint64_t seed)
      : seed_(seed),
        random_(seed),
        trains_(random_.chance(35)),
        is_special_(random_.chance(25)),
        is_large_(!is_special_ && random_.between(1, 1000) == 1),
        max_elements_(random_.chance(2) ? 2500 : random_.pick<int64_t>({8, 32, 64, 64, 128, 300})),
        builder_(fmt::format("random {}", seed), trains_ ? GraphMode::Train : GraphMode::Run),
        grower_(random_, builder_, max_elements_, 0, !is_special_) {}

  Sample make() {
    declare_inputs();
    const int64_t nodes = random_.chance(3) ? 30 : is_large_ ? 4 : random_.between(1, 9);
    for (int64_t i = 1; i <= nodes; ++i) {
      builder_.set_origin(std::make_shared<const Origin>(
          Origin{"random.grad", static_cast<int32_t>(i), 1, random_.chance(20) ? "part" : ""}));
      grower_.grow();
    }
    if (random_.chance(trains_ ? 70 : 35)) add_gradients();
    add_updates();
    add_outputs();
    return {std::move(builder_).build(), std::move(inputs_), seed_};
  }

 private:
  ValueId input(InputKind kind, const std::string& name, const Type& type) {
    inputs_.push_back(odd_tensor(random_, type, is_special_));
    return builder_.input(kind, name, type);
  }

  void declare_inputs() {
    const DType main = random_.pick<DType>({DType::F32, DType::F32, DType::F32, DType::F32,
                                            DType::F32, DType::F64, DType::F16, DType::BF16});
    const Shape shared = odd_shape(random_, max_elements_);
    for (int64_t i = 0, count = random_.between(2, 5); i < count; ++i) {
      const Shape shape = i < 2 || random_.chance(30) ? shared : odd_shape(random_, max_elements_);
      const bool is_main = i < 2 || random_.chance(40);
      const DType dtype =
          is_main ? main
                  : random_.pick(std::vector<DType>(std::begin(kAllDTypes), std::end(kAllDTypes)));
      const InputKind kind = random_.pick<InputKind>(
          {InputKind::Data, InputKind::Parameter, InputKind::Parameter,
           is_float(dtype) ? InputKind::Slot : InputKind::State, InputKind::State});
      values_.push_back(input(kind, fmt::format("x{}", i), {dtype, shape}));
    }
    if (is_large_) {
      const int64_t size = random_.between(65537, 70000);
      const Shape shape = random_.chance(50) ? Shape{size} : Shape{size / 64, 8, 8};
      values_.push_back(input(InputKind::Data, "large", {DType::F32, shape}));
    }
    const Type counter{DType::I64, {}};
    const ValueId seed = input(InputKind::Seed, "seed", counter);
    const ValueId step = input(InputKind::Step, "step", counter);
    for (ValueId value : values_) grower_.offer(value);
    grower_.offer_counters(seed, step);
    if (random_.chance(10)) grower_.offer(seed);
    if (!is_large_) return;
    const ValueId large = values_.back();
    for (OpKind kind : {OpKind::Sum, OpKind::Max, OpKind::Prod})
      if (random_.chance(60)) {
        std::vector<int64_t> axes{0};
        if (builder_.shape(large).rank() == 3) axes = {0, 1};
        grower_.offer(builder_.reduce(kind, builder_.add(OpKind::Cos, {large}), axes));
      }
  }

  /// The gradient of a sum of some values, by all inputs that have one.
  void add_gradients() {
    builder_.set_origin(nullptr);
    ValueId loss = builder_.fill({DType::F32, {}}, 0);
    for (int64_t count = random_.between(1, 3); count > 0; --count)
      loss = builder_.add(loss, builder_.convert(grower_.total(grower_.pick_float()), DType::F32));
    loss_ = loss;
    std::vector<ValueId> operands{loss};
    for (ValueId value : values_)
      if (is_float(builder_.dtype(value))) operands.push_back(value);
    if (operands.size() == 1) return;
    const std::vector<ValueId> results = builder_.add_node(OpKind::Gradient, operands);
    for (size_t i = 0; i < results.size(); ++i) gradients_[operands[i + 1]] = results[i];
  }

  static std::optional<OutputKind> updating_kind(InputKind kind) {
    if (kind == InputKind::Parameter) return OutputKind::Parameter;
    if (kind == InputKind::Slot) return OutputKind::Slot;
    if (kind == InputKind::State) return OutputKind::State;
    return {};
  }

  /// A step of descent where there is a gradient, any value of the type otherwise.
  void add_updates() {
    if (!trains_) return;
    for (ValueId value : values_) {
      const Input given = builder_.graph().inputs()[index(value)];
      const std::optional<OutputKind> kind = updating_kind(given.kind);
      if (!kind || random_.chance(15)) continue;
      const auto gradient = gradients_.find(value);
      ValueId next{};
      if (gradient != gradients_.end() && random_.chance(80))
        next =
            builder_.sub(value, builder_.mul(builder_.fill_like(value, 0.125), gradient->second));
      else
        next = grower_.pick_like(builder_.type(value));
      builder_.output(*kind, given.name, next);
    }
    const ValueId step = Graph::input_value(builder_.graph().inputs().size() - 1);
    builder_.output(OutputKind::Step, "step",
                    builder_.add(step, builder_.fill({DType::I64, {}}, 1)));
    if (loss_) builder_.output(OutputKind::Loss, "loss", *loss_);
  }

  /// The values nobody reads, and some that others read too.
  void add_outputs() {
    const std::vector<int32_t> users = count_users(builder_.graph());
    std::vector<ValueId> ends;
    for (size_t i = builder_.graph().inputs().size(); i < users.size(); ++i)
      if (users[i] == 0) ends.push_back(static_cast<ValueId>(i));
    for (int64_t count = random_.between(ends.empty() ? 1 : 0, 2); count > 0; --count)
      ends.push_back(grower_.pick());
    for (size_t i = 0; i < ends.size(); ++i)
      builder_.output(OutputKind::Output, fmt::format("y{}", i), ends[i]);
    if (trains_) return;
    size_t count = 0;
    for (const auto& [value, gradient] : gradients_)
      builder_.output(OutputKind::Gradient, fmt::format("g{}", count++), gradient);
  }

  uint64_t seed_;
  RandomSource random_;
  bool trains_, is_special_, is_large_;
  int64_t max_elements_;
  GraphBuilder builder_;
  GraphGrower grower_;
  std::vector<Tensor> inputs_;
  std::vector<ValueId> values_;  // of the inputs that are no counters
  std::optional<ValueId> loss_;
  std::map<ValueId, ValueId> gradients_;
};

}  // namespace

Sample random_sample(uint64_t seed) { return SampleMaker(seed).make(); }

void count_ops(const Graph& graph, std::map<std::string_view, int64_t>& counts) {
  for (const Node& node : graph.nodes()) {
    ++counts[op_info(node.kind).name];
    for (const auto& [name, value] : node.attrs.entries())
      if (const auto* body = std::get_if<BodyRef>(&value)) count_ops(**body, counts);
  }
}

std::string sample_text(const Sample& sample, const std::string& title) {
  GraphBuilder inputs(std::string(kInputsName), GraphMode::Run);
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    inputs.output(OutputKind::Output, fmt::format("{}", i), inputs.constant(sample.inputs[i]));
  std::string text = "# " + title;
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.replace(at, 1, "\n# ");
  return text + "\n" + print(Module{"sample", {}, {sample.graph, std::move(inputs).build()}});
}

Sample parse_sample(const std::string& text, const std::string& file) {
  Module module = parse_module(text, file);
  CHECK(module.graphs.size() == 2 && module.graphs[1].name == kInputsName, "{} holds no sample",
        file);
  std::vector<Tensor> inputs = interpret(module.graphs[1], {});
  CHECK(inputs.size() == module.graphs[0].inputs().size(), "{}: tensors and inputs", file);
  return {std::move(module.graphs[0]), std::move(inputs), 0};
}

}  // namespace gradc::testing
