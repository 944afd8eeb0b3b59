// Checks on reading: the names in expressions.
#include <fmt/format.h>

#include "frontend/name_checker.h"

namespace gradc {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

void NameChecker::check(const ast::ExprPtr& expr) {
  if (expr) check(*expr);
}

void NameChecker::check(const ast::Expr& expr) {
  std::visit(Overloaded{
                 [&](const ast::NameRef& name) { check_name(name, expr.span); },
                 [&](const ast::Slice& slice) {
                   check(slice.lower);
                   check(slice.upper);
                 },
                 [&](const ast::List& list) {
                   for (const ast::ExprPtr& element : list.elements) check(element);
                 },
                 [&](const ast::Comprehension& node) { check_comprehension(node); },
                 [&](const ast::Lambda& lambda) { check_callable(*lambda.callable); },
                 [&](const ast::Choice& choice) {
                   for (const auto& branch : choice.branches) {
                     check(branch.condition);
                     check(branch.value);
                   }
                   check(choice.otherwise);
                 },
                 [&](const ast::Call& call) { check_call(call, expr); },
                 [&](const ast::Index& index) {
                   check(index.base);
                   for (const ast::ExprPtr& item : index.items) check(item);
                 },
                 [&](const ast::Member& member) { check_path(member); },
                 [&](const ast::Unary& unary) { check(unary.operand); },
                 [&](const ast::Binary& binary) { check_binary(binary); },
                 [](const auto&) {},
             },
             expr.node);
}

void NameChecker::check_name(const ast::NameRef& name, Span span, bool is_behind_slashes) {
  if (resolve(name.text, span).kind == Resolution::Kind::Nothing)
    report_unknown(name.text, span, is_behind_slashes);
}

/// The first segment of a path is a local name, one bound in a block that ended, or a callee.
void NameChecker::check_path(const ast::Member& member) {
  const ast::Expr* root = member.base.get();
  while (const auto* inner = root->as<ast::Member>()) root = inner->base.get();
  const auto* name = root->as<ast::NameRef>();
  if (!name) return check(*root);
  const ItemNames& names = names_of_item();
  const bool is_segment = names.bound.contains(name->text) || names.called.contains(name->text);
  const Resolution found = resolve(name->text, root->span);
  if (found.kind == Resolution::Kind::Nothing && !is_segment)
    report_unknown(name->text, root->span);
}

void NameChecker::check_comprehension(const ast::Comprehension& comprehension) {
  check(comprehension.sequence);
  locals_.open();
  bind(comprehension.variable, LocalKind::Element);
  check(comprehension.condition);
  check(comprehension.element);
  close_scope();
}

void NameChecker::check_binary(const ast::Binary& binary) {
  check(binary.left);
  const auto* name = binary.right->as<ast::NameRef>();
  const std::string& text = file_.source->text();
  const size_t next = text.find_first_not_of(" \t\r", binary.right->span.end);
  const bool ends_line = next == std::string::npos || text[next] == '\n';
  if (binary.op == ast::BinaryOp::FloorDivide && name && ends_line)
    return check_name(*name, binary.right->span, true);
  check(binary.right);
}

}  // namespace gradc
