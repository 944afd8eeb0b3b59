// Names of the syntax tree's parts.
#include "frontend/ast.h"

#include "runtime/core/error.h"

namespace gradc::ast {

std::string_view symbol(BinaryOp op) {
  switch (op) {
    case BinaryOp::Or:
      return "or";
    case BinaryOp::And:
      return "and";
    case BinaryOp::Equal:
      return "==";
    case BinaryOp::NotEqual:
      return "!=";
    case BinaryOp::Less:
      return "<";
    case BinaryOp::LessEqual:
      return "<=";
    case BinaryOp::Greater:
      return ">";
    case BinaryOp::GreaterEqual:
      return ">=";
    case BinaryOp::Add:
      return "+";
    case BinaryOp::Subtract:
      return "-";
    case BinaryOp::Multiply:
      return "*";
    case BinaryOp::Divide:
      return "/";
    case BinaryOp::FloorDivide:
      return "//";
    case BinaryOp::Remainder:
      return "%";
    case BinaryOp::MatMul:
      return "@";
    case BinaryOp::Power:
      return "**";
  }
  CHECK(false, "operator {}", static_cast<int>(op));
  return {};
}

const Name* defined_name(const Item& item) {
  if (const auto* constant = item.as<Constant>()) return &constant->name;
  if (const auto* function = item.as<Function>()) return &function->name;
  if (const auto* optimizer = item.as<Optimizer>()) return &optimizer->name;
  if (const auto* model = item.as<Model>()) return &model->name;
  return nullptr;
}

}  // namespace gradc::ast
