// Every derivative rule against central differences, first and second order; wrong rules are found.
#include "passes/gradcheck.h"

#include <catch2/catch.hpp>

#include "ir/op.h"
#include "op_cases.h"

using namespace gradc;

namespace {

/// Sets the corrupted rule for one scope.
struct CorruptedRule {
  explicit CorruptedRule(OpKind kind) { corrupt_derivative_for_test(kind); }
  ~CorruptedRule() { corrupt_derivative_for_test(std::nullopt); }
};

std::string describe(const OpCase& op_case) {
  std::string text(op_info(op_case.kind).name);
  for (const Type& type : op_case.operands) text += " " + to_string(type);
  return text;
}

void require_agreement(const OpCase& op_case, const GradcheckReport& report) {
  for (const GradientCheck& check : report.gradients) {
    INFO(describe(op_case) << ", " << check.name << ": absolute error " << check.max_abs_error
                           << ", relative " << check.max_rel_error);
    CHECK(check.agrees);
  }
}

}  // namespace

TEST_CASE("first derivatives of every op agree with central differences") {
  for (OpKind kind : kAllOpKinds) {
    const std::vector<OpCase> cases = op_cases(kind);
    const OpClass op_class = gradc::op_class(kind);
    const bool is_covered = op_def(kind).vjp == nullptr || op_class == OpClass::Meta ||
                            op_class == OpClass::Region || cases.size() >= 20;
    INFO(op_info(kind).name << ": " << cases.size() << " cases");
    REQUIRE(is_covered);
    for (const OpCase& op_case : cases) {
      const Graph graph = gradient_graph(op_case, false, 7);
      require_agreement(op_case, check_gradients(graph, draw_operands(op_case, 11)));
    }
  }
}

TEST_CASE("second derivatives of every op agree with central differences") {
  for (OpKind kind : kAllOpKinds) {
    // prod states that its gradient has none.
    if (kind == OpKind::Prod) continue;
    for (const OpCase& op_case : op_cases(kind)) {
      const Graph graph = gradient_graph(op_case, true, 7);
      require_agreement(op_case, check_gradients(graph, draw_operands(op_case, 11)));
    }
  }
}

TEST_CASE("a corrupted derivative is detected and its op is named") {
  for (OpKind kind : kAllOpKinds) {
    const std::vector<OpCase> cases = op_cases(kind);
    if (cases.empty()) continue;
    const CorruptedRule corrupted(kind);
    size_t detected = 0;
    for (const OpCase& op_case : cases) {
      const Graph graph = gradient_graph(op_case, false, 7);
      const GradcheckReport report = check_gradients(graph, draw_operands(op_case, 11));
      if (report.agrees()) continue;
      ++detected;
      INFO(describe(op_case));
      REQUIRE(report.fault.has_value());
      CHECK(report.fault->kind == kind);
    }
    INFO(op_info(kind).name << ": " << detected << " of " << cases.size());
    CHECK(2 * detected > cases.size());
  }
}

TEST_CASE("terms that cancel do not look like a wrong derivative") {
  for (const double offset : {30.0, 3e3, 3e6}) {
    GraphBuilder builder("cancelling", GraphMode::Run);
    const ValueId x = builder.input(InputKind::Data, "x", {DType::F32, {50}});
    const ValueId w = builder.input(InputKind::Parameter, "w", {DType::F32, {}});
    const ValueId product = builder.mul(x, builder.broadcast_to(w, {50}));
    const ValueId plus = builder.add(product, builder.fill_like(product, offset));
    const ValueId terms =
        builder.add(OpKind::Concat, {plus, builder.neg(plus)}, {{"axis", int64_t{0}}});
    const ValueId y = builder.reduce(OpKind::Sum, terms, {0});
    builder.output(OutputKind::Gradient, "w", builder.add(OpKind::Gradient, {y, w}));
    Tensor data(DType::F32, {50});
    for (int64_t i = 0; i < data.size(); ++i) data.set(i, 0.37 * static_cast<double>(i % 7) - 1);
    CHECK(check_gradients(std::move(builder).build(), {{data, Tensor::scalar(DType::F32, 1)}})
              .agrees());
  }
}
