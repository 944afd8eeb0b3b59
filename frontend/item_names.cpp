// Every name a definition binds anywhere in it, and every name it calls.
#include "frontend/item_names.h"

namespace gradc {
namespace {

class Collector {
 public:
  explicit Collector(ItemNames& names) : names_(names) {}

  void item(const ast::Item& item) {
    std::visit([&](const auto& node) { visit(node); }, item.node);
  }

 private:
  void bind(const ast::Name& name) { names_.bound.emplace(name.text, name.span); }
  void bind(const std::optional<ast::Name>& name) {
    if (name) bind(*name);
  }

  void expr(const ast::ExprPtr& pointer) {
    if (pointer) std::visit([&](const auto& node) { visit(node); }, pointer->node);
  }
  void arguments(const std::vector<ast::Argument>& all) {
    for (const ast::Argument& argument : all) expr(argument.value);
  }
  void callable(const ast::Callable& callable) {
    for (const ast::Parameter& parameter : callable.parameters) {
      bind(parameter.name);
      expr(parameter.default_value);
    }
    expr(callable.body.expr);
    block(callable.body.block);
  }
  void block(const ast::Block& block) {
    for (const ast::Statement& statement : block.statements)
      std::visit([&](const auto& node) { visit(node); }, statement.node);
  }

  void visit(const ast::Number&) {}
  void visit(const ast::String&) {}
  void visit(const ast::Bool&) {}
  void visit(const ast::None&) {}
  void visit(const ast::Training&) {}
  void visit(const ast::Frozen&) {}
  void visit(const ast::NameRef&) {}
  void visit(const ast::Ellipsis&) {}
  void visit(const ast::Slice& slice) {
    expr(slice.lower);
    expr(slice.upper);
  }
  void visit(const ast::List& list) {
    for (const ast::ExprPtr& element : list.elements) expr(element);
  }
  void visit(const ast::Comprehension& comprehension) {
    bind(comprehension.variable);
    expr(comprehension.element);
    expr(comprehension.sequence);
    expr(comprehension.condition);
  }
  void visit(const ast::Lambda& lambda) { callable(*lambda.callable); }
  void visit(const ast::Choice& choice) {
    for (const auto& branch : choice.branches) {
      expr(branch.condition);
      expr(branch.value);
    }
    expr(choice.otherwise);
  }
  void visit(const ast::Call& call) {
    if (const auto* name = call.callee->as<ast::NameRef>()) names_.called.insert(name->text);
    expr(call.callee);
    arguments(call.arguments);
  }
  void visit(const ast::Index& index) {
    expr(index.base);
    for (const ast::ExprPtr& item : index.items) expr(item);
  }
  void visit(const ast::Member& member) { expr(member.base); }
  void visit(const ast::Unary& unary) { expr(unary.operand); }
  void visit(const ast::Binary& binary) {
    expr(binary.left);
    expr(binary.right);
  }

  void visit(const ast::Binding& binding) {
    bind(binding.name);
    expr(binding.value);
  }
  void visit(const ast::Unpack& unpack) {
    for (const ast::Name& name : unpack.names) bind(name);
    expr(unpack.value);
  }
  void visit(const ast::Update& update) { expr(update.value); }
  void visit(const ast::Declare& declare) {
    bind(declare.name);
    expr(declare.value);
  }
  void visit(const ast::Shared& shared) {
    bind(shared.name);
    arguments(shared.arguments);
    expr(shared.lambda);
  }
  void visit(const ast::Publish& publish) {
    bind(publish.name);
    expr(publish.value);
  }
  void visit(const ast::Require& require) { expr(require.condition); }
  void visit(const ast::Return& statement) { expr(statement.value); }
  void visit(const ast::For& loop) {
    bind(loop.variable);
    expr(loop.sequence);
    block(loop.body);
  }
  void visit(const ast::If& statement) {
    for (const auto& branch : statement.branches) {
      expr(branch.condition);
      block(branch.body);
    }
    if (statement.otherwise) block(*statement.otherwise);
  }
  void visit(const ast::Scan& scan) {
    for (const ast::Name& name : scan.targets) bind(name);
    expr(scan.sequence);
    arguments(scan.options);
    block(scan.body);
  }

  void visit(const ast::Import&) {}
  void visit(const ast::Train&) {}
  void visit(const ast::Constant& constant) { expr(constant.value); }
  void visit(const ast::Function& function) { callable(function.callable); }
  void visit(const ast::Model& model) { callable(model.callable); }
  void visit(const ast::Optimizer& optimizer) {
    bind(optimizer.value);
    bind(optimizer.gradient);
    callable(optimizer.callable);
  }

  ItemNames& names_;
};

}  // namespace

ItemNames item_names(const ast::Item& item) {
  ItemNames names;
  Collector(names).item(item);
  return names;
}

}  // namespace gradc
