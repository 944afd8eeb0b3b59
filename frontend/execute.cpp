// Statements: bindings, updates, loops, choices and what a model publishes.
#include "frontend/site.h"
#include "frontend/split_metrics.h"

namespace gradc {

void Elaborator::execute_block(const ast::Block& block) {
  const BlockNames names(*frame_);
  execute_statements(block);
}

void Elaborator::execute_statements(const ast::Block& block) {
  for (const ast::Statement& statement : block.statements) {
    const bool is_out_of_steps = steps_ > ElaborationSetup::kMaxSteps;
    if (frame_->returned || diagnostics_.is_full() || is_out_of_steps) return;
    execute_guarded(statement);
  }
}

// In the model's own body an error ends its statement only, so that independent errors show
// together; elsewhere it ends the call.
void Elaborator::execute_guarded(const ast::Statement& statement) {
  if (frame_->kind != FunctionKind::Model) return execute(statement);
  try {
    execute(statement);
  } catch (const DiagnosticError& fault) {
    diagnostics_.report(fault.diagnostic);
    mark_bad(statement);
  } catch (const SilentFault&) {
    mark_bad(statement);
  }
}

void Elaborator::execute(const ast::Statement& statement) {
  count_step(statement.span);
  const Restored<int> nested(nesting_, nesting_ + 1);
  check_nesting(statement.span);
  const Restored<Naming> naming(frame_->naming, frame_->naming);
  try {
    execute_node(statement);
  } catch (const Error& failure) {
    fail_operation(failure, statement.span, {});
  }
}

void Elaborator::execute_node(const ast::Statement& statement) {
  const Span span = statement.span;
  if (const auto* binding = statement.as<ast::Binding>()) return execute_binding(*binding);
  if (const auto* unpack = statement.as<ast::Unpack>()) return execute_unpack(*unpack);
  if (const auto* update = statement.as<ast::Update>()) return execute_update(*update, span);
  if (const auto* shared = statement.as<ast::Shared>()) return execute_shared(*shared, span);
  if (const auto* require = statement.as<ast::Require>()) return execute_require(*require, span);
  if (const auto* loop = statement.as<ast::For>()) return execute_for(*loop);
  if (const auto* choice = statement.as<ast::If>()) return execute_if(*choice);
  if (const auto* result = statement.as<ast::Return>()) {
    frame_->returned = evaluate(*result->value);
    return;
  }
  if (const auto* declare = statement.as<ast::Declare>()) {
    if (declare->kind == ast::DeclareKind::Slot) return declare_slot(*declare, span);
    if (declare->kind == ast::DeclareKind::Carry) return declare_carry(*declare, span);
    return declare_owned(*declare, span);
  }
  if (const auto* publish = statement.as<ast::Publish>()) {
    if (publish->kind == ast::PublishKind::Penalty) return execute_penalty(*publish);
    if (publish->kind == ast::PublishKind::Collect) return execute_collect(*publish, span);
    return execute_publish(*publish, span);
  }
  const auto* scan = statement.as<ast::Scan>();
  CHECK(scan != nullptr, "a statement of no kind");
  execute_scan(*scan, span);
}

namespace {

// The names that a statement binds or gives a new value.
void collect_names(const ast::Statement& statement, bool is_nested,
                   std::vector<const ast::Name*>& names) {
  const auto add = [&](const ast::Name& name) {
    if (!is_nested) names.push_back(&name);
  };
  if (const auto* binding = statement.as<ast::Binding>()) add(binding->name);
  if (const auto* declare = statement.as<ast::Declare>()) add(declare->name);
  if (const auto* shared = statement.as<ast::Shared>()) add(shared->name);
  if (const auto* update = statement.as<ast::Update>()) names.push_back(&update->name);
  if (const auto* publish = statement.as<ast::Publish>())
    if (publish->name) add(*publish->name);
  if (const auto* unpack = statement.as<ast::Unpack>())
    for (const ast::Name& name : unpack->names) add(name);
  if (const auto* scan = statement.as<ast::Scan>())
    for (const ast::Statement& inner : scan->body.statements)
      if (inner.as<ast::Declare>() || inner.as<ast::Publish>())
        collect_names(inner, is_nested, names);
  const auto descend = [&](const ast::Block& block) {
    for (const ast::Statement& inner : block.statements) collect_names(inner, true, names);
  };
  if (const auto* loop = statement.as<ast::For>()) descend(loop->body);
  if (const auto* choice = statement.as<ast::If>()) {
    for (const ast::If::Branch& branch : choice->branches) descend(branch.body);
    if (choice->otherwise) descend(*choice->otherwise);
  }
}

}  // namespace

void Elaborator::mark_bad(const ast::Statement& statement) {
  ++bad_statements_;
  std::vector<const ast::Name*> names;
  collect_names(statement, false, names);
  for (const ast::Name* name : names) {
    Variable* variable = frame_->find(name->text);
    if (!variable) {
      bind(*name, Bad{}, VariableRole::Var);
      continue;
    }
    variable->value = Bad{};
    variable->role = VariableRole::Var;
  }
}

void Elaborator::bind(const ast::Name& name, Value value, VariableRole role) {
  if (name.is_discard()) return;
  frame_->variables.push_back({name.text, std::move(value), name.span, role, nullptr, {}});
}

void Elaborator::execute_binding(const ast::Binding& binding) {
  frame_->naming.bound = binding.name.is_discard() ? "" : binding.name.text;
  Value value = evaluate(*binding.value, !frame_->naming.bound.empty());
  if (binding.type)
    value = check_value(*binding.type, std::move(value), fmt::format("`{}`", binding.name.text),
                        binding.value->span);
  record_binding(binding.name.text, value);
  bind(binding.name, std::move(value), binding.is_var ? VariableRole::Var : VariableRole::Binding);
}

void Elaborator::execute_unpack(const ast::Unpack& unpack) {
  const Value value = evaluate(*unpack.value);
  const std::vector<Value>* list = value.elements();
  if (!list)
    fail("E0315", unpack.value->span,
         fmt::format("only a list can be taken apart, got {}", describe(value)));
  if (list->size() != unpack.names.size())
    fail("E0315", unpack.value->span,
         fmt::format("a list of {} elements for {} names", list->size(), unpack.names.size()));
  for (size_t i = 0; i < list->size(); ++i) {
    record_binding(unpack.names[i].text, (*list)[i]);
    bind(unpack.names[i], (*list)[i], VariableRole::Binding);
  }
}

void Elaborator::execute_update(const ast::Update& update, Span span) {
  Value value = evaluate(*update.value);
  Variable* variable = frame_->find(update.name.text);
  const auto index = static_cast<size_t>(
      std::find_if(frame_->variables.begin(), frame_->variables.end(),
                   [&](const Variable& candidate) { return &candidate == variable; }) -
      frame_->variables.begin());
  if (!variable || index < frame_->first_own)
    fail("E0205", span, fmt::format("`{}` cannot be updated here", update.name.text));
  const Site site(*this, span);
  const std::string what = fmt::format("`{}`", update.name.text);
  switch (variable->role) {
    case VariableRole::Var:
      record_binding(update.name.text, value);
      variable->value = std::move(value);
      return;
    case VariableRole::Carry:
      return update_carry(*variable, value, update.value->span);
    case VariableRole::State:
      if (!draft_.open_scans().empty())
        fail(error("E0606", span,
                   fmt::format("the state `{}` cannot be updated in a `scan`", update.name.text))
                 .with_help("carry the value through the loop"));
      variable->owned->current =
          expect_type(value, variable->owned->type, update.value->span, what);
      return;
    case VariableRole::Slot:
    case VariableRole::Updated: {
      const TensorId updated =
          expect_type(value, type(*variable->value.as<TensorId>()), update.value->span, what);
      variable->value = updated;
      // The name ends with its block, the slot does not.
      for (SlotUpdate& slot : *slots_)
        if (slot.name == slot_prefix_ + variable->name) slot.current = updated;
      return;
    }
    default:
      fail(error("E0204", span,
                 fmt::format("`{}` is bound once and cannot be updated", update.name.text))
               .note("bound here", variable->where)
               .with_help("`var` where it is bound"));
  }
}

void Elaborator::execute_require(const ast::Require& require, Span span) {
  if (evaluate_condition(*require.condition, "require")) return;
  std::string message;
  for (size_t i = 0; i < require.message.size(); ++i) {
    const size_t end = require.message[i] == '{' ? require.message.find('}', i) : std::string::npos;
    const std::string name =
        end == std::string::npos ? "" : require.message.substr(i + 1, end - i - 1);
    const Variable* variable = name.empty() ? nullptr : frame_->find(name);
    if (!variable) {
      message += require.message[i];
      continue;
    }
    message +=
        variable->value.as<TensorId>() ? describe(variable->value) : to_text(variable->value);
    i = end;
  }
  const bool has_caller = frame_->call.is_somewhere();
  Diagnostic refusal = error("E0314", has_caller ? frame_->call : span, message);
  if (has_caller) refusal.note(fmt::format("required by `{}`", frame_->name), span);
  fail(std::move(refusal));
}

void Elaborator::execute_for(const ast::For& loop) {
  const Value sequence = evaluate(*loop.sequence);
  const std::vector<Value>* list = sequence.elements();
  if (!list)
    fail(error("E0307", loop.sequence->span,
               fmt::format("`for` runs over lists at compile time, got {}", describe(sequence)))
             .with_help(sequence.as<TensorId>()
                            ? "whole-tensor operations need no loop; step by step: scan"
                            : "range(n) is the list 0, 1, …, n - 1"));
  const int errors_before = diagnostics_.error_count();
  for (size_t round = 0; round < list->size(); ++round) {
    if (frame_->returned || diagnostics_.error_count() > errors_before) return;
    count_step(loop.sequence->span);
    const BlockNames names(*frame_);
    bind(loop.variable, (*list)[round], VariableRole::Binding);
    frame_->naming.loops.push_back(loop.variable.text);
    frame_->naming.loops.push_back(fmt::format("{}", round));
    execute_block(loop.body);
    frame_->naming.loops.resize(frame_->naming.loops.size() - 2);
  }
}

void Elaborator::execute_if(const ast::If& choice) {
  for (const ast::If::Branch& branch : choice.branches)
    if (evaluate_condition(*branch.condition, "if")) return execute_block(branch.body);
  if (choice.otherwise) execute_block(*choice.otherwise);
}

/// A field of an event cannot mean two things.
void Elaborator::check_published_name(const ast::Publish& publish) {
  const std::string& name = publish.name->text;
  const bool is_taken = publish.kind == ast::PublishKind::Output
                            ? name == kRowField
                            : std::ranges::find(kEventFields, name) != std::end(kEventFields);
  if (is_taken)
    fail(error("E0203", publish.name->span,
               fmt::format("`{}` is what {} say of their own", name,
                           publish.kind == ast::PublishKind::Output ? "predictions"
                                                                    : "the events of training"))
             .with_help("another name"));
}

void Elaborator::require_whole_pass(TensorId metric, const std::string& name, Span span) {
  if (is_of_whole_pass(draft_, metric)) return;
  const bool has_axes = type(metric).shape.rank() > 0;
  fail(error("E0711", span,
             fmt::format("metric `{}` is {}: a way from it to the data has no reduction over all "
                         "rows",
                         name, to_string(type(metric))))
           .with_help(has_axes ? fmt::format("mean({})", span.text().substr(0, 80))
                               : "mean, sum, min or max without an axis, or accumulate"));
}

void Elaborator::execute_publish(const ast::Publish& publish, Span span) {
  check_published_name(publish);
  const std::string& name = publish.name->text;
  frame_->naming.bound = name;
  const Value value = evaluate(*publish.value, true);
  const Span at = publish.value->span;
  const Site site(*this, at);
  const NumberValue* number = value.as<NumberValue>();
  const TensorId* tensor = value.as<TensorId>();
  if (publish.kind == ast::PublishKind::Loss) {
    if (!tensor || type(*tensor).shape.rank() != 0 || !is_float(type(*tensor).dtype)) {
      const bool is_rows = tensor && is_float(type(*tensor).dtype);
      const std::string wanted = number ? "computed from data or parameters" : "one float number";
      fail(error("E0701", at, fmt::format("a loss is {}, got {}", wanted, describe(value)))
               .with_help(is_rows ? fmt::format("mean({})", at.text()) : std::string()));
    }
    losses_.push_back({name, *tensor, span});
  } else if (publish.kind == ast::PublishKind::Metric) {
    if (!tensor && !number)
      fail("E0711", at,
           fmt::format("metric `{}` is {}, not a value of the rows", name, describe(value)));
    const TensorId metric = tensor ? *tensor : ops_.number(*number, DType::F32);
    require_whole_pass(metric, name, at);
    metrics_.push_back({name, metric, span});
  } else {
    const bool has_rows =
        tensor && type(*tensor).shape.rank() > 0 && type(*tensor).shape[0] == setup_.rows;
    if (!has_rows)
      fail("E0715", at,
           fmt::format("output `{}` is {}: the first axis of an output is the rows", name,
                       describe(value)));
    outputs_.push_back({name, *tensor, span});
  }
  bind(*publish.name, value, VariableRole::Binding);
}

void Elaborator::execute_penalty(const ast::Publish& publish) {
  const Value value = evaluate(*publish.value);
  const NumberValue* number = value.as<NumberValue>();
  if (number && number->real == 0) return;
  const TensorId* tensor = value.as<TensorId>();
  const bool is_scalar = tensor && type(*tensor).shape.rank() == 0 && is_float(type(*tensor).dtype);
  if (!number && !is_scalar)
    fail("E0708", publish.value->span,
         fmt::format("a penalty is one number, got {}", describe(value)));
  const Site site(*this, publish.value->span);
  const TensorId penalty = tensor ? *tensor : ops_.number(*number, DType::F32);
  if (draft_.depends_on(penalty) & kOnRound)
    fail(error("E0611", publish.value->span, "a penalty on the values of a round of a `scan`")
             .with_help("collect the values, and penalize them behind the loop"));
  if (frame_->instance->applications > 1 && !draft_.is_per_row(penalty)) return;
  penalties_.push_back(penalty);
}

}  // namespace gradc
