// The pipeline on a whole model: stages dump and resume, the step stays the same, origins survive.
#include "passes/pipeline.h"

#include "ir/interpret.h"
#include "ir/op.h"
#include "ir/text.h"
#include "mlp.h"
#include "passes/gradcheck.h"

#include <catch2/catch.hpp>

using namespace gradc;

namespace {

constexpr Stage kStages[] = {Stage::Model, Stage::Grad, Stage::Optimized, Stage::Fused};

std::vector<Tensor> draw_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (size_t k = 0; k < graph.inputs().size(); ++k) {
    const Type& type = graph.type(Graph::input_value(k));
    const Tensor direction = random_direction(type.shape, 3, k);
    Tensor tensor(type);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      const double value = direction.at(i);
      if (!is_float(type.dtype)) {
        tensor.set(i, std::floor((value + 1) / 2 * (type.shape.rank() == 1 ? 10 : 256)));
      } else {
        tensor.set(i, graph.inputs()[k].kind == InputKind::Slot ? value * value : value / 10);
      }
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

size_t count_kind(const Graph& graph, OpKind kind) {
  return static_cast<size_t>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                           [&](const Node& node) { return node.kind == kind; }));
}

Module module_of(const Graph& graph) { return {"mlp", {}, {graph}}; }

}  // namespace

TEST_CASE("a stage's text resumes where it stopped") {
  const Graph model = mlp_step(5, 7);
  for (bool is_fused : {true, false}) {
    PipelineOptions options;
    options.fuse = is_fused;
    options.verify = true;
    const std::string end = print(run_until(model, Stage::Fused, options));
    for (Stage stage : kStages) {
      INFO(name(stage));
      const Module dumped = module_of(run_until(model, stage, options));
      const Module parsed = parse_module(print(dumped), "dumped");
      CHECK(print(run_until(parsed, Stage::Fused, options).graphs[0]) == end);
      CHECK(parse_stage(name(stage)) == stage);
    }
  }
  CHECK(!parse_stage("loops"));
}

TEST_CASE("the optimized step computes what the elaborated one does") {
  const Graph model = mlp_step(5, 7);
  const std::vector<Tensor> inputs = draw_inputs(model);
  const std::vector<Tensor> expected = interpret(run_until(model, Stage::Grad), inputs);
  const std::vector<Tensor> actual = interpret(run_until(model, Stage::Optimized), inputs);
  REQUIRE(expected.size() == 9);
  for (size_t k = 0; k < expected.size(); ++k) {
    for (int64_t i = 0; i < expected[k].size(); ++i) {
      REQUIRE(actual[k].at(i) == Approx(expected[k].at(i)).epsilon(2e-6).margin(1e-9));
    }
  }
}

TEST_CASE("the optimized step holds no more products, sums and exponentials than needed") {
  const Graph optimized = run_until(mlp_step(128, 512), Stage::Optimized);
  CHECK(count_kind(optimized, OpKind::Dot) == 5);
  CHECK(count_kind(optimized, OpKind::Transpose) == 0);
  CHECK(count_kind(optimized, OpKind::Exp) == 1);
  CHECK(count_kind(optimized, OpKind::Maximum) == 1);
  CHECK(count_kind(optimized, OpKind::StopGradient) == 0);
  CHECK(count_kind(optimized, OpKind::Reshape) == 1);
}

TEST_CASE("the gradients of a whole step agree with central differences") {
  const Graph model = mlp_step(5, 7);
  const GradcheckReport report = check_gradients(model, draw_inputs(model));
  REQUIRE(report.gradients.size() == 4);
  CHECK(report.gradients[0].name == "hidden.kernel");
  for (const GradientCheck& check : report.gradients) {
    INFO(check.name << " " << check.max_rel_error);
    CHECK(check.agrees);
  }
  for (OpKind kind : {OpKind::Dot, OpKind::Exp, OpKind::Log, OpKind::Maximum}) {
    corrupt_derivative_for_test(kind);
    const GradcheckReport corrupted = check_gradients(model, draw_inputs(model));
    corrupt_derivative_for_test(std::nullopt);
    CHECK(!corrupted.agrees());
    REQUIRE(corrupted.fault);
    CHECK(corrupted.fault->kind == kind);
  }
}

TEST_CASE("backward nodes carry the place and role of what they differentiate") {
  GraphBuilder builder("origins", GraphMode::Run);
  const ValueId kernel = builder.input(InputKind::Parameter, "hidden.kernel", {DType::F32, {3}});
  builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", 3, 12, ""}));
  const ValueId y = builder.reduce(OpKind::Sum, builder.add(OpKind::Tanh, {kernel}), {0});
  builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", 8, 3, ""}));
  builder.output(OutputKind::Gradient, "hidden.kernel",
                 builder.add_node(OpKind::Gradient, {y, kernel})[0]);
  const Graph grad = run_until(std::move(builder).build(), Stage::Grad);
  const Node& last = *grad.defining_node(grad.outputs()[0].value);
  REQUIRE(last.origin);
  CHECK(*last.origin == Origin{"m.grad", 3, 12, "gradient of hidden.kernel"});
}

TEST_CASE("differentiation lists all that it cannot do, with lines") {
  const auto make_body = [] {
    GraphBuilder builder("body", GraphMode::Body);
    const ValueId x = builder.input(InputKind::Operand, "x", {DType::F32, {}});
    builder.output(OutputKind::Result, "y", builder.neg(x));
    return std::make_shared<const Graph>(std::move(builder).build());
  };
  GraphBuilder builder("missing", GraphMode::Run);
  const ValueId x = builder.input(InputKind::Parameter, "x", {DType::F32, {}});
  ValueId y = x;
  for (int line : {3, 4}) {
    builder.set_origin(std::make_shared<const Origin>(Origin{"m.grad", line, 5, ""}));
    y = builder.add(OpKind::Group, {y},
                    {{"kind", std::string("loop")},
                     {"body", BodyRef(make_body())},
                     {"reason", std::string("edited")}});
  }
  builder.output(OutputKind::Gradient, "x", builder.add_node(OpKind::Gradient, {y, x})[0]);
  const Graph graph = std::move(builder).build();
  try {
    run_until(graph, Stage::Grad);
    FAIL("no error");
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(error.exit_code() == ExitCode::ModelOrData);
    CHECK(message.find("2 derivatives are missing") == 0);
    CHECK(message.find("m.grad:3:5") != std::string::npos);
    CHECK(message.find("m.grad:4:5") != std::string::npos);
  }
}

TEST_CASE("the hooks see every pass that ran") {
  std::vector<PassTiming> timings;
  std::vector<std::string_view> seen;
  PipelineOptions options;
  options.timings = &timings;
  options.after = [&](const Pass& pass, const Graph&) { seen.push_back(pass.name); };
  run_until(mlp_step(2, 3), Stage::Optimized, options);
  REQUIRE(timings.size() == seen.size());
  REQUIRE(seen.size() >= 6);
  CHECK(seen[0] == "differentiate");
  CHECK(seen[1] == "merge_scans");
  for (size_t k = 0; k < seen.size(); ++k) CHECK(timings[k].name == seen[k]);
}
