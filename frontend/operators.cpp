// Unary and binary operators: on numbers at compile time, on tensors as nodes.
#include <algorithm>

#include "frontend/number_ops.h"
#include "frontend/site.h"

namespace gradc {

namespace {

using ast::BinaryOp;

bool is_comparison(BinaryOp op) { return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual; }

OpKind op_kind(BinaryOp op) {
  switch (op) {
    case BinaryOp::Or:
      return OpKind::Or;
    case BinaryOp::And:
      return OpKind::And;
    case BinaryOp::Equal:
      return OpKind::Equal;
    case BinaryOp::NotEqual:
      return OpKind::NotEqual;
    case BinaryOp::Less:
      return OpKind::Less;
    case BinaryOp::LessEqual:
      return OpKind::LessEqual;
    case BinaryOp::Greater:
      return OpKind::Greater;
    case BinaryOp::GreaterEqual:
      return OpKind::GreaterEqual;
    case BinaryOp::Add:
      return OpKind::Add;
    case BinaryOp::Subtract:
      return OpKind::Sub;
    case BinaryOp::Multiply:
      return OpKind::Mul;
    case BinaryOp::Divide:
      return OpKind::Div;
    case BinaryOp::FloorDivide:
      return OpKind::FloorDiv;
    case BinaryOp::Remainder:
      return OpKind::Mod;
    case BinaryOp::Power:
      return OpKind::Pow;
    case BinaryOp::MatMul:
      return OpKind::Dot;
  }
  CHECK(false, "operator {}", static_cast<int>(op));
}

bool is_equality(BinaryOp op) { return op == BinaryOp::Equal || op == BinaryOp::NotEqual; }

bool is_operand(const Value& value) { return value.as<TensorId>() || value.as<NumberValue>(); }

}  // namespace

DiagnosticNote Elaborator::describe_operand(const ast::Expr& expr, const Value& value) {
  const auto* name = expr.as<ast::NameRef>();
  if (!name) return {fmt::format("{}: {}", expr.span.text().substr(0, 60), describe(value)), {}};
  const Variable* variable = frame_->find(name->text);
  const bool is_input =
      variable && variable->role == VariableRole::Argument && frame_->kind == FunctionKind::Model;
  return {fmt::format("{}: {}{}", name->text, describe(value), is_input ? ", an input" : ""),
          variable ? variable->where : Span{}};
}

void Elaborator::fail_operation(const Error& failure, Span span,
                                std::span<const DiagnosticNote> notes) {
  // The machine has no memory for a value: no fault of the model.
  if (failure.code() == "E0802") throw failure;
  const std::string text = failure.what();
  const size_t line_end = text.find('\n');
  Diagnostic diagnostic = error(failure.code(), span, text.substr(0, line_end));
  for (const DiagnosticNote& note : notes) diagnostic.note(note.text, note.span);
  if (line_end != std::string::npos) diagnostic.help = text.substr(line_end + 1);
  fail(std::move(diagnostic));
}

Value Elaborator::evaluate_unary(const ast::Unary& unary, const ast::Expr& expr) {
  const Value operand = evaluate(*unary.operand);
  const Site site(*this, expr.span);
  const TensorId* tensor = operand.as<TensorId>();
  if (unary.op == ast::UnaryOp::Not) {
    if (const bool* value = operand.as<bool>()) return !*value;
    if (tensor && type(*tensor).dtype == DType::Bool) return ops_.unary(OpKind::Not, *tensor);
    fail("E0313", expr.span, fmt::format("`not` needs true or false, got {}", describe(operand)));
  }
  if (const NumberValue* number = operand.as<NumberValue>()) {
    if (number->is_float) return NumberValue::of(-number->real).marked(number->of_rows);
    try {
      return apply_numbers(BinaryOp::Subtract, NumberValue::of(int64_t{0}), *number);
    } catch (const Error& failure) {
      fail_operation(failure, expr.span, {});
    }
  }
  if (tensor) {
    const TensorId negated = ops_.arithmetic_unary(OpKind::Neg, *tensor);
    if (is_in_model())
      record_operator("-" + operand_text(*unary.operand, operand), {*tensor}, negated);
    return negated;
  }
  fail("E0313", expr.span,
       fmt::format("`-` needs a number or a tensor, got {}", describe(operand)));
}

Value Elaborator::evaluate_binary(const ast::Binary& binary, const ast::Expr& expr) {
  if (binary.op == BinaryOp::And || binary.op == BinaryOp::Or) return evaluate_logic(binary, expr);
  const Value left = evaluate(*binary.left);
  const Value right = evaluate(*binary.right);
  const Span at = binary.op_span.is_somewhere() ? binary.op_span : expr.span;
  const Site site(*this, at);
  try {
    Value result = apply_binary(binary, left, right, at);
    if (is_in_model()) record_binary(binary, left, right, result);
    return result;
  } catch (const Error& failure) {
    std::vector<DiagnosticNote> notes;
    if (left.as<TensorId>()) notes.push_back(describe_operand(*binary.left, left));
    if (right.as<TensorId>()) notes.push_back(describe_operand(*binary.right, right));
    fail_operation(failure, at, notes);
  }
}

// A constant true or false decides alone where it can; tensors combine elementwise.
Value Elaborator::evaluate_logic(const ast::Binary& binary, const ast::Expr& expr) {
  const bool is_and = binary.op == BinaryOp::And;
  const std::string word(ast::symbol(binary.op));
  const auto check = [&](const Value& value, const ast::Expr& operand) {
    const TensorId* tensor = value.as<TensorId>();
    if (value.as<bool>() || (tensor && type(*tensor).dtype == DType::Bool)) return;
    fail("E0313", operand.span,
         fmt::format("`{}` needs true or false on both sides, got {}", word, describe(value)));
  };
  const Value left = evaluate(*binary.left);
  check(left, *binary.left);
  const bool* left_constant = left.as<bool>();
  if (left_constant && *left_constant != is_and) return *left_constant;
  const Value right = evaluate(*binary.right);
  check(right, *binary.right);
  if (left_constant) return right;
  if (const bool* constant = right.as<bool>()) {
    if (*constant == is_and) return left;
    const Site site(*this, expr.span);
    return ops_.fill({DType::Bool, type(*left.as<TensorId>()).shape}, *constant ? 1 : 0);
  }
  Value result = apply_binary(binary, left, right, expr.span);
  if (is_in_model()) record_binary(binary, left, right, result);
  return result;
}

void Elaborator::record_binary(const ast::Binary& binary, const Value& left, const Value& right,
                               const Value& result) {
  std::vector<TensorId> operands;
  collect_tensors(left, operands);
  collect_tensors(right, operands);
  if (operands.empty()) return;
  record_operator(fmt::format("{} {} {}", operand_text(*binary.left, left), ast::symbol(binary.op),
                              operand_text(*binary.right, right)),
                  std::move(operands), result);
}

// A bool tensor is compared with true or false elementwise, what is no tensor at compile time.
Value Elaborator::apply_equality(const ast::Binary& binary, const Value& left, const Value& right,
                                 Span span) {
  const bool is_equal = binary.op == BinaryOp::Equal;
  const TensorId* tensor = left.as<TensorId>() ? left.as<TensorId>() : right.as<TensorId>();
  if (!tensor) return equal_values(left, right) == is_equal;
  const bool* truth = left.as<bool>() ? left.as<bool>() : right.as<bool>();
  if (truth && type(*tensor).dtype == DType::Bool)
    return *truth == is_equal ? *tensor : ops_.unary(OpKind::Not, *tensor);
  const std::string_view sign = ast::symbol(binary.op);
  const ast::Expr& asked = right.is_none() ? *binary.left : *binary.right;
  const bool asks_if_given = left.is_none() || right.is_none();
  fail(error("E0313", span,
             fmt::format("`{}` cannot compare {} and {}", sign, describe(left), describe(right)))
           .with_help(asks_if_given ? fmt::format("kind({}) {} \"none\"", asked.span.text(), sign)
                                    : std::string()));
}

Value Elaborator::apply_binary(const ast::Binary& binary, const Value& left, const Value& right,
                               Span span) {
  const BinaryOp op = binary.op;
  const NumberValue* a = left.as<NumberValue>();
  const NumberValue* b = right.as<NumberValue>();
  const bool has_tensor = left.as<TensorId>() || right.as<TensorId>();
  if (a && b && op != BinaryOp::MatMul)
    return is_comparison(op) ? Value(compare_numbers(op, *a, *b))
                             : Value(apply_numbers(op, *a, *b));
  if (has_tensor && is_operand(left) && is_operand(right)) {
    if (op != BinaryOp::MatMul) return ops_.binary(op_kind(op), left, right);
    if (a || b) fail("E0313", span, "`@` multiplies two tensors; a number scales with `*`");
    const TensorId product = ops_.matmul(*left.as<TensorId>(), *right.as<TensorId>());
    const Shape& contracted = type(*left.as<TensorId>()).shape;
    count_multiply_adds(type(product).shape.element_count() * contracted[contracted.rank() - 1]);
    return product;
  }
  if (is_equality(op)) return apply_equality(binary, left, right, span);
  if (op == BinaryOp::Add && left.elements() && right.elements()) {
    count_elements(static_cast<int64_t>(left.elements()->size() + right.elements()->size()), span);
    std::vector<Value> joined = *left.elements();
    joined.insert(joined.end(), right.elements()->begin(), right.elements()->end());
    if (static_cast<int64_t>(joined.size()) > ElaborationSetup::kMaxElements)
      fail("E0804", span,
           fmt::format("a list of more than {} elements", ElaborationSetup::kMaxElements));
    return Value::list(std::move(joined));
  }
  const bool is_text = is_comparison(op) && left.as<std::string>() && right.as<std::string>();
  if (is_text) {
    const int order = left.as<std::string>()->compare(*right.as<std::string>());
    return compare_numbers(op, NumberValue::of(int64_t{order}), NumberValue::of(int64_t{0}));
  }
  fail("E0313", span,
       fmt::format("`{}` cannot join {} and {}", ast::symbol(op), describe(left), describe(right)));
}

}  // namespace gradc
