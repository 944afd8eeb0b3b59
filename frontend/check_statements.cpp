// Checks on reading: callables and their statements, where they may stand, and their returns.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/name_checker.h"

namespace gradc {
namespace {

using ast::CallableKind;
using ast::DeclareKind;
using ast::PublishKind;
using ast::Statement;

bool always_returns(const ast::Block& block);

/// `require false, "…"` ends the call too.
bool always_returns(const Statement& statement) {
  if (statement.as<ast::Return>()) return true;
  if (const auto* require = statement.as<ast::Require>()) {
    const auto* literal = require->condition->as<ast::Bool>();
    return literal && !literal->value;
  }
  const auto* choice = statement.as<ast::If>();
  return choice && choice->otherwise && always_returns(*choice->otherwise) &&
         std::ranges::all_of(choice->branches,
                             [](const auto& branch) { return always_returns(branch.body); });
}

bool always_returns(const ast::Block& block) {
  return std::ranges::any_of(block.statements,
                             [](const Statement& one) { return always_returns(one); });
}

std::string_view word(DeclareKind kind) {
  switch (kind) {
    case DeclareKind::Param:
      return "param";
    case DeclareKind::State:
      return "state";
    case DeclareKind::Slot:
      return "slot";
    case DeclareKind::Carry:
      return "carry";
  }
  return {};
}

std::string_view word(PublishKind kind) {
  switch (kind) {
    case PublishKind::Loss:
      return "loss";
    case PublishKind::Metric:
      return "metric";
    case PublishKind::Output:
      return "output";
    case PublishKind::Collect:
      return "collect";
    case PublishKind::Penalty:
      return "penalty";
  }
  return {};
}

LocalKind local_kind(DeclareKind kind) {
  switch (kind) {
    case DeclareKind::Param:
      return LocalKind::Param;
    case DeclareKind::State:
      return LocalKind::State;
    case DeclareKind::Slot:
      return LocalKind::Slot;
    case DeclareKind::Carry:
      return LocalKind::Carry;
  }
  return LocalKind::Binding;
}

}  // namespace

void NameChecker::check_callable(const ast::Callable& callable) {
  const bool is_lambda = !locals_.is_empty();
  locals_.open();
  contexts_.push_back({.kind = callable.kind, .is_lambda = is_lambda});
  bind_parameters(callable, is_lambda);
  if (const auto* optimizer = item_->as<ast::Optimizer>();
      optimizer && callable.kind == CallableKind::Optimizer) {
    bind(optimizer->value, LocalKind::OptimizedValue);
    bind(optimizer->gradient, LocalKind::Given);
    if (const Local* other = locals_.find("step"))
      diagnostics_.report(error("E0203", other->span, "`step` is given by the language here")
                              .with_help("use another name"));
    else
      bind({"step", {}, false}, LocalKind::Given);
  }
  check_body(callable);
  if (callable.result)
    for (const ast::Type& type : callable.result->types) check_type(type);
  close_scope();
  contexts_.pop_back();
}

void NameChecker::check_body(const ast::Callable& callable) {
  if (callable.body.expr) {
    check(callable.body.expr);
    return;
  }
  check_returns(callable);
  // The names of the body stand beside the parameters: one level, one scope.
  check_statements(callable.body.block);
}

void NameChecker::check_returns(const ast::Callable& callable) {
  const bool needs_return =
      callable.kind == CallableKind::Fn || callable.kind == CallableKind::Layer;
  if (!needs_return || file_.unread_words.contains("return")) return;
  if (always_returns(callable.body.block)) return;
  const Span block = callable.body.block.span;
  diagnostics_.report(error("E0316", {block.source, block.end - 1, block.end},
                            "the body can end here without `return`")
                          .with_help("end it with return …, in every branch"));
}

void NameChecker::check_block(const ast::Block& block) {
  const bool was_directly_in_scan = contexts_.back().is_directly_in_scan;
  contexts_.back().is_directly_in_scan = false;
  locals_.open();
  check_statements(block);
  close_scope();
  contexts_.back().is_directly_in_scan = was_directly_in_scan;
}

void NameChecker::check_statements(const ast::Block& block) {
  bool has_returned = false;
  bool is_reported = false;
  for (const Statement& statement : block.statements) {
    if (has_returned && !is_reported) {
      diagnostics_.report(error("E0318", statement.span, "this is never reached")
                              .with_help("what is before it always returns"));
      is_reported = true;
    }
    check_placement(statement);
    check_statement(statement);
    has_returned = has_returned || always_returns(statement);
  }
}

void NameChecker::check_statement(const Statement& statement) {
  std::visit([&](const auto& node) { visit(node, statement); }, statement.node);
}

void NameChecker::misplaced(const Statement& statement, std::string_view what,
                            std::string_view where) {
  const Context& context = contexts_.back();
  const auto size = static_cast<uint32_t>(what.size());
  const Span at{statement.span.source, statement.span.begin, statement.span.begin + size};
  const bool is_fn = context.kind == CallableKind::Fn && context.scan_depth == 0;
  if (is_fn && (what == "param" || what == "state" || what == "shared" || what == "penalty")) {
    diagnostics_.report(
        error("E0603", at, fmt::format("a `fn` declares nothing: `{}` stands in {}", what, where))
            .with_help("make it a `layer`"));
    return;
  }
  diagnostics_.report(error("E0208", at, fmt::format("`{}` stands in {}", what, where)));
}

void NameChecker::check_placement(const Statement& statement) {
  const Context& context = contexts_.back();
  const bool owns = context.kind == CallableKind::Layer || context.kind == CallableKind::Model;
  const auto require_owner = [&](std::string_view what) {
    if (!owns) misplaced(statement, what, "a layer or a model");
  };
  if (const auto* declare = statement.as<ast::Declare>()) {
    const std::string_view what = word(declare->kind);
    if (declare->kind == DeclareKind::Slot) {
      if (context.kind != CallableKind::Optimizer) misplaced(statement, what, "an optimizer");
    } else if (declare->kind == DeclareKind::Carry) {
      if (!context.is_directly_in_scan)
        misplaced(statement, what, "the body of a `scan`, not in a block inside it");
    } else {
      require_owner(what);
    }
  } else if (statement.as<ast::Shared>()) {
    require_owner("shared");
  } else if (const auto* publish = statement.as<ast::Publish>()) {
    const std::string_view what = word(publish->kind);
    if (publish->kind == PublishKind::Penalty) {
      require_owner(what);
    } else if (publish->kind == PublishKind::Collect) {
      if (!context.is_directly_in_scan)
        misplaced(statement, what, "the body of a `scan`, not in a block inside it");
    } else if (context.kind != CallableKind::Model || context.scan_depth > 0) {
      misplaced(statement, what, "a model");
    }
  } else if (statement.as<ast::Return>()) {
    const bool returns = context.kind == CallableKind::Fn || context.kind == CallableKind::Layer;
    if (!returns || context.scan_depth > 0)
      misplaced(statement, "return", "a `fn` or a layer, not in a `scan`");
  }
}

void NameChecker::visit(const ast::Binding& binding, const Statement&) {
  check(binding.value);
  if (binding.type) check_type(*binding.type);
  bind(binding.name, binding.is_var ? LocalKind::Var : LocalKind::Binding);
}

void NameChecker::visit(const ast::Unpack& unpack, const Statement&) {
  check(unpack.value);
  for (const ast::Name& name : unpack.names) bind(name, LocalKind::Binding);
}

void NameChecker::visit(const ast::Update& update, const Statement&) {
  check(update.value);
  const std::string& text = update.name.text;
  const Local* local = locals_.find(text);
  if (!local) {
    const Resolution outside = resolve_outside(text, update.name.span);
    if (outside.kind == Resolution::Kind::Opaque) return;
    if (outside.kind == Resolution::Kind::Nothing) return report_unknown(text, update.name.span);
    diagnostics_.report(
        error("E0204", update.name.span,
              fmt::format("`{}` is a definition and cannot be updated", text))
            .with_help(fmt::format("`var {} = …` binds a local of the name", text)));
    return;
  }
  if (!is_updatable(local->kind)) {
    Diagnostic finding =
        error("E0204", update.name.span,
              fmt::format("`{}` is bound once ({}) and cannot be updated", text,
                          local->span.is_somewhere() ? local->span.place() : "by the language"));
    if (local->kind == LocalKind::Binding)
      finding.help = fmt::format("`var {} = …` where it is bound", text);
    diagnostics_.report(std::move(finding));
    return;
  }
  const bool is_in_lambda = local->callable_depth < static_cast<int>(contexts_.size());
  const bool is_in_scan = local->scan_depth < contexts_.back().scan_depth;
  if (is_in_lambda || is_in_scan) {
    const bool is_state = local->kind == LocalKind::State && is_in_scan;
    diagnostics_.report(
        error(is_state ? "E0606" : "E0205", update.name.span,
              fmt::format("`{}` cannot be updated from a {}", text,
                          is_in_lambda ? "lambda" : "`scan` body"))
            .note(fmt::format("`{}` is declared here", text), local->span)
            .with_help(is_in_scan ? fmt::format("carry another name through the loop, then "
                                                "{} := it behind the loop",
                                                text)
                                  : "return the new value"));
  }
}

void NameChecker::visit(const ast::Declare& declare, const Statement&) {
  check(declare.value);
  if (declare.type) check_type(*declare.type);
  bind(declare.name, local_kind(declare.kind));
}

void NameChecker::visit(const ast::Shared& shared, const Statement&) {
  check(shared.lambda);
  for (const ast::Argument& argument : shared.arguments) check(argument.value);
  if (shared.layer) {
    const Resolution callee = resolve(shared.layer->text, shared.layer->span);
    if (callee.kind == Resolution::Kind::Nothing)
      report_unknown(shared.layer->text, shared.layer->span);
    if (const auto signature = signature_of(callee, shared.layer->text))
      check_shared_arguments(*signature, shared.arguments);
  }
  bind(shared.name, LocalKind::Shared, true);
}

void NameChecker::visit(const ast::Publish& publish, const Statement&) {
  check(publish.value);
  if (publish.name)
    bind(*publish.name,
         publish.kind == PublishKind::Collect ? LocalKind::Collect : LocalKind::Published);
}

/// The text of a `require` may show names: "width {width}".
void NameChecker::visit(const ast::Require& require, const Statement&) {
  check(require.condition);
  const std::string& text = require.message;
  for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
    const size_t close = text.find('}', open);
    if (close == std::string::npos) return;
    const std::string name = text.substr(open + 1, close - open - 1);
    const bool is_word = !name.empty() && std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    if (is_word && resolve(name, require.message_span).kind == Resolution::Kind::Nothing)
      report_unknown(name, require.message_span);
  }
}

void NameChecker::visit(const ast::Return& statement, const Statement&) { check(statement.value); }

void NameChecker::visit(const ast::For& loop, const Statement&) {
  check(loop.sequence);
  locals_.open();
  bind(loop.variable, LocalKind::Element);
  check_block(loop.body);
  close_scope();
}

void NameChecker::visit(const ast::If& choice, const Statement&) {
  for (const auto& branch : choice.branches) {
    check(branch.condition);
    check_block(branch.body);
  }
  if (choice.otherwise) check_block(*choice.otherwise);
}

void NameChecker::visit(const ast::Scan& scan, const Statement&) {
  check(scan.sequence);
  for (const ast::Argument& option : scan.options) {
    check(option.value);
    const std::string& key = option.name->text;
    if (key == "axis" || key == "reverse") continue;
    diagnostics_.report(
        error("E0302", option.name->span, fmt::format("`scan` has no option `{}`", key))
            .note("it has: axis, reverse"));
  }
  const bool was_directly_in_scan = contexts_.back().is_directly_in_scan;
  contexts_.back().is_directly_in_scan = true;
  ++contexts_.back().scan_depth;
  locals_.open();
  for (const ast::Name& name : scan.targets) bind(name, LocalKind::Element);
  check_statements(scan.body);
  std::vector<Local> body = locals_.close();
  --contexts_.back().scan_depth;
  contexts_.back().is_directly_in_scan = was_directly_in_scan;
  // What is carried and collected outlives the body.
  std::ranges::reverse(body);
  for (const Local& local : body) {
    const bool outlives = local.kind == LocalKind::Carry || local.kind == LocalKind::Collect;
    if (!outlives) {
      report_unused(local);
    } else {
      bind_hiding({local.name, local.span, false},
                  local.kind == LocalKind::Carry ? LocalKind::Published : LocalKind::Collect);
    }
  }
}

}  // namespace gradc
