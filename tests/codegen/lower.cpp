// Programs from fused graphs made by hand: structure, and values against the interpreter.
#include "ir/builder.h"

#include "codegen/compile.h"
#include "ir/interpret.h"
#include "ir/verify.h"
#include "runtime/core/rng.h"
#include "runtime/execute.h"

#include <catch2/catch.hpp>
#include <functional>
#include <random>

namespace gradc {
namespace {

using Values = std::vector<ValueId>;
using BodyMaker = std::function<Values(GraphBuilder&, const Values&)>;

/// Appends a group whose body `make` builds from its inputs.
Values add_group(GraphBuilder& builder, const std::string& kind, const std::string& name,
                 const Values& operands, const BodyMaker& make) {
  GraphBuilder body(name, GraphMode::Body);
  Values inputs;
  for (size_t i = 0; i < operands.size(); ++i)
    inputs.push_back(
        body.input(InputKind::Operand, fmt::format("i{}", i), builder.type(operands[i])));
  const Values results = make(body, inputs);
  for (size_t i = 0; i < results.size(); ++i)
    body.output(OutputKind::Result, fmt::format("o{}", i), results[i]);
  Attrs attrs;
  attrs.set("kind", kind);
  attrs.set("body", std::make_shared<const Graph>(std::move(body).build()));
  attrs.set("reason", std::string("by hand"));
  return builder.add_node(OpKind::Group, operands, attrs);
}

ValueId add_binary(GraphBuilder& builder, OpKind kind, const std::string& name, ValueId a,
                   ValueId b) {
  return add_group(builder, "loop", name, {a, b}, [&](GraphBuilder& body, const Values& in) {
    return Values{body.add(kind, {in[0], in[1]})};
  })[0];
}

Tensor random_tensor(const Type& type, uint64_t stream) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.size(); ++i)
    tensor.set(i, random_unit_f32({3, stream, 0}, static_cast<uint64_t>(i)) * 2 - 1);
  return tensor;
}

bool same_values(const Tensor& a, const Tensor& b, double tolerance) {
  if (a.type() != b.type()) return false;
  for (int64_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a.at(i) - b.at(i)) <= tolerance)) return false;
  return true;
}

/// Runs the compiled graph twice over its own state and the interpreter beside it.
void check_against_interpreter(const Graph& graph, double tolerance) {
  verify(graph, "in a test");
  const auto program = std::make_shared<const Program>(compile(graph, {}));
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i)
    inputs.push_back(random_tensor(graph.type(Graph::input_value(i)), i));
  std::vector<Tensor> state = inputs;
  for (Tensor& tensor : state) tensor = tensor.clone();
  std::vector<Tensor> outputs;
  for (const ProgramOutput& output : program->outputs)
    outputs.push_back(output.updates_input >= 0 ? Tensor() : Tensor(output.type));
  Executor executor(program);
  for (int round = 0; round < 2; ++round) {
    const std::vector<Tensor> expected = interpret(graph, inputs);
    executor.run(state, outputs);
    for (size_t i = 0; i < expected.size(); ++i) {
      const int32_t updated = program->outputs[i].updates_input;
      INFO("output " << program->outputs[i].name << "\n" << lower(graph, {}).report);
      const Tensor& actual = updated >= 0 ? state[static_cast<size_t>(updated)] : outputs[i];
      REQUIRE(same_values(actual, expected[i], tolerance));
      if (updated >= 0) inputs[static_cast<size_t>(updated)] = expected[i].clone();
    }
  }
}

template <typename T>
size_t count_steps(const Program& program) {
  return static_cast<size_t>(
      std::count_if(program.steps.begin(), program.steps.end(),
                    [](const Step& step) { return std::holds_alternative<T>(step); }));
}

const Type kRow{DType::F32, Shape{5, 7}};

TEST_CASE("lower: a product with bias and relu, then an update in place") {
  GraphBuilder builder("layer", GraphMode::Train, 6);
  const ValueId x = builder.input(InputKind::Data, "x", Type{DType::F32, Shape{6, 9}});
  const ValueId w = builder.input(InputKind::Parameter, "w", Type{DType::F32, Shape{9, 4}});
  const ValueId b = builder.input(InputKind::Parameter, "b", Type{DType::F32, Shape{4}});
  const Attrs contract{{"lhs_contract", std::vector<int64_t>{1}},
                       {"rhs_contract", std::vector<int64_t>{0}},
                       {"lhs_batch", std::vector<int64_t>{}},
                       {"rhs_batch", std::vector<int64_t>{}}};
  const ValueId hidden =
      add_group(builder, "matmul", "hidden", {x, w, b}, [&](GraphBuilder& body, const Values& in) {
        const ValueId product = body.add(OpKind::Dot, {in[0], in[1]}, contract);
        const ValueId sum = body.add(product, body.broadcast(in[2], Shape{6, 4}, {1}));
        return Values{body.add(OpKind::Maximum, {sum, body.fill_like(sum, 0)})};
      })[0];
  const ValueId next = add_binary(builder, OpKind::Sub, "update", w, w);
  builder.output(OutputKind::Output, "hidden", hidden);
  builder.output(OutputKind::Parameter, "w", next);
  const Graph graph = std::move(builder).build();
  const LoweredProgram lowered = lower(graph, {});
  CHECK(count_steps<MatmulStep>(lowered.program) == 1);
  CHECK(count_steps<KernelStep>(lowered.program) == 1);
  CHECK(count_steps<CopyStep>(lowered.program) == 0);
  CHECK(lowered.program.arena_bytes == 0);
  const auto& product = std::get<MatmulStep>(lowered.program.steps[0]);
  CHECK(product.bias >= 0);
  CHECK(product.activation == MatmulStep::Activation::Relu);
  CHECK(lowered.report.find("onednn") != std::string::npos);
  CHECK(lowered.report.find("by hand") != std::string::npos);
  check_against_interpreter(graph, 1e-5);
  const LoweredProgram own = lower(graph, {.backend = Backend::Llvm});
  CHECK(count_steps<MatmulStep>(own.program) == 0);
}

TEST_CASE("lower: an update waits for later readers of the old value") {
  GraphBuilder builder("late", GraphMode::Train);
  const ValueId w = builder.input(InputKind::Parameter, "w", kRow);
  const ValueId x = builder.input(InputKind::Data, "x", kRow);
  const ValueId next = add_binary(builder, OpKind::Add, "update", w, x);
  const ValueId product = add_binary(builder, OpKind::Mul, "reader", w, x);
  builder.output(OutputKind::Parameter, "w", next);
  builder.output(OutputKind::Output, "y", product);
  const Graph graph = std::move(builder).build();
  const Program program = lower(graph, {}).program;
  REQUIRE(program.steps.size() == 2);
  CHECK(std::get<KernelStep>(program.steps[0]).name == "mul");
  CHECK(program.outputs[0].updates_input == 0);
  CHECK(program.arena_bytes == 0);
  check_against_interpreter(graph, 0);
}

TEST_CASE("lower: a reader of old and new value forces a copy") {
  GraphBuilder builder("both", GraphMode::Train);
  const ValueId w = builder.input(InputKind::Parameter, "w", kRow);
  const ValueId x = builder.input(InputKind::Data, "x", kRow);
  const ValueId next = add_binary(builder, OpKind::Add, "update", w, x);
  builder.output(OutputKind::Parameter, "w", next);
  builder.output(OutputKind::Output, "y", add_binary(builder, OpKind::Mul, "both", w, next));
  const Graph graph = std::move(builder).build();
  const Program program = lower(graph, {}).program;
  CHECK(count_steps<CopyStep>(program) == 1);
  CHECK(std::holds_alternative<CopyStep>(program.steps.back()));
  check_against_interpreter(graph, 0);
}

TEST_CASE("lower: an update that reads other elements of the old value is not in place") {
  GraphBuilder builder("transposed", GraphMode::Train);
  const Type square{DType::F32, Shape{6, 6}};
  const ValueId w = builder.input(InputKind::Parameter, "w", square);
  const ValueId next =
      add_group(builder, "loop", "update", {w}, [](GraphBuilder& body, const Values& in) {
        return Values{body.add(in[0], body.transpose(in[0], {1, 0}))};
      })[0];
  builder.output(OutputKind::Parameter, "w", next);
  const Graph graph = std::move(builder).build();
  CHECK(count_steps<CopyStep>(lower(graph, {}).program) == 1);
  check_against_interpreter(graph, 0);
}

TEST_CASE("lower: states that exchange their values") {
  GraphBuilder builder("exchange", GraphMode::Train);
  const ValueId a = builder.input(InputKind::State, "a", kRow);
  const ValueId b = builder.input(InputKind::State, "b", kRow);
  const ValueId c = builder.input(InputKind::State, "c", kRow);
  const ValueId sum = add_binary(builder, OpKind::Add, "sum", a, c);
  builder.output(OutputKind::State, "a", b);
  builder.output(OutputKind::State, "b", a);
  builder.output(OutputKind::State, "c", sum);
  builder.output(OutputKind::Output, "old", c);
  builder.output(OutputKind::Output, "new", sum);
  builder.output(OutputKind::Output, "again", sum);
  check_against_interpreter(std::move(builder).build(), 0);
}

TEST_CASE("lower: outputs that are inputs, constants, views and each other") {
  GraphBuilder builder("views", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Data, "x", kRow);
  const ValueId constant = builder.constant(random_tensor(kRow, 77));
  const ValueId sum = add_binary(builder, OpKind::Add, "sum", x, constant);
  builder.output(OutputKind::Output, "x", x);
  builder.output(OutputKind::Output, "flat", builder.reshape(x, Shape{35}));
  builder.output(OutputKind::Output, "constant", constant);
  builder.output(OutputKind::Output, "sum", sum);
  builder.output(OutputKind::Output, "flat sum", builder.reshape(sum, Shape{7, 5}));
  const Graph graph = std::move(builder).build();
  CHECK(count_steps<CopyStep>(lower(graph, {}).program) == 4);
  CHECK(lower(graph, {}).program.constants.size() % 64 == 0);
  check_against_interpreter(graph, 0);
}

TEST_CASE("lower: equal groups share a kernel") {
  GraphBuilder builder("shared", GraphMode::Run);
  ValueId value = builder.input(InputKind::Data, "x", kRow);
  const ValueId x = value;
  for (int i = 0; i < 5; ++i) value = add_binary(builder, OpKind::Add, "same", value, x);
  value = add_binary(builder, OpKind::Mul, "same", value, x);
  builder.output(OutputKind::Output, "y", value);
  const Graph graph = std::move(builder).build();
  const LoweredProgram lowered = lower(graph, {});
  CHECK(lowered.kernels.size() == 2);
  CHECK(lowered.kernels[0].name != lowered.kernels[1].name);
  CHECK(lowered.program.steps.size() == 6);
  // In place from the second on: x is the program's own input.
  CHECK(lowered.program.arena_bytes == 192);
  check_against_interpreter(graph, 0);
}

TEST_CASE("lower: small programs run on one thread, large ones and bodies do not say so") {
  const auto sum_of = [](int64_t size, GraphMode mode) {
    GraphBuilder builder("sum", mode);
    const InputKind kind = mode == GraphMode::Body ? InputKind::Operand : InputKind::Data;
    const ValueId x = builder.input(kind, "x", {DType::F32, {size}});
    const ValueId y = add_binary(builder, OpKind::Add, "twice", x, x);
    builder.output(mode == GraphMode::Body ? OutputKind::Result : OutputKind::Output, "y", y);
    return lower(std::move(builder).build(), {}).program;
  };
  CHECK(sum_of(100, GraphMode::Run).is_serial);
  CHECK_FALSE(sum_of(1 << 22, GraphMode::Run).is_serial);
  CHECK_FALSE(sum_of(100, GraphMode::Body).is_serial);
}

TEST_CASE("lower: nodes outside groups are a bug of the fusion pass") {
  GraphBuilder builder("unfused", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Data, "x", kRow);
  builder.output(OutputKind::Output, "y", builder.neg(x));
  const Graph graph = std::move(builder).build();
  CHECK_THROWS_AS(lower(graph, {}), InternalError);
}

/// A random fused graph of single-op groups over a few states, with updates among them.
Graph random_graph(std::mt19937& random) {
  const auto pick = [&](size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(random);
  };
  GraphBuilder builder("random", GraphMode::Train);
  const size_t states = 1 + pick(4);
  Values values;
  for (size_t i = 0; i < states; ++i)
    values.push_back(builder.input(InputKind::State, fmt::format("s{}", i), kRow));
  values.push_back(builder.input(InputKind::Data, "x", kRow));
  values.push_back(builder.constant(random_tensor(kRow, 5)));
  const size_t nodes = pick(14);
  constexpr OpKind kKinds[] = {OpKind::Add, OpKind::Sub, OpKind::Maximum, OpKind::Minimum};
  for (size_t i = 0; i < nodes; ++i) {
    const ValueId a = values[pick(values.size())];
    const ValueId b = values[pick(values.size())];
    if (pick(6) == 0)
      values.push_back(builder.reshape(builder.reshape(a, Shape{35}), kRow.shape));
    else
      values.push_back(add_binary(builder, kKinds[pick(4)], fmt::format("g{}", i), a, b));
  }
  for (size_t i = 0; i < states; ++i)
    builder.output(OutputKind::State, fmt::format("s{}", i), values[pick(values.size())]);
  const size_t outputs = pick(4);
  for (size_t i = 0; i < outputs; ++i)
    builder.output(OutputKind::Output, fmt::format("y{}", i), values[pick(values.size())]);
  return std::move(builder).build();
}

TEST_CASE("lower: random graphs with state keep their meaning") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const Graph graph = random_graph(random);
    INFO("seed " << seed);
    check_against_interpreter(graph, 0);
    CHECK(lower(graph, {}).report == lower(graph, {}).report);
  }
}

}  // namespace
}  // namespace gradc
