// Entry points of an elaboration: the model's body, an optimizer, an expression of a file.
#include "frontend/elaborator.h"

#include <algorithm>

#include "frontend/matching.h"
#include "frontend/site.h"
#include "runtime/core/path_pattern.h"

namespace gradc {

Elaborator::Elaborator(const ElaborationSetup& setup, Diagnostics& diagnostics)
    : setup_(setup), diagnostics_(diagnostics), ops_(draft_) {
  Instance root;
  root.applications = 1;
  root_ = ownership_.add_instance(std::move(root));
}

void Elaborator::run_model(const ast::Model& model, const FileScope& file,
                           const ModelArguments& arguments) {
  Frame frame;
  frame.kind = FunctionKind::Model;
  frame.name = model.name.text;
  frame.callable = &model.callable;
  frame.file = &file;
  frame.instance = root_;
  root_->layer = model.name.text;
  root_->where = model.name.span;
  try {
    bind_model_arguments(frame, model, arguments);
  } catch (const DiagnosticError& fault) {
    diagnostics_.report(fault.diagnostic);
    return;
  } catch (const SilentFault&) {
    return;
  }
  const Restored<Frame*> inside(frame_, &frame);
  execute_block(model.callable.body.block);
}

void Elaborator::bind_model_arguments(Frame& frame, const ast::Model& model,
                                      const ModelArguments& arguments) {
  const Restored<Frame*> inside(frame_, &frame);
  Matching matching(*this, frame, model.name.text);
  for (const ast::Parameter& parameter : model.callable.parameters) {
    const std::string& name = parameter.name.text;
    Variable variable{name, {}, parameter.name.span, VariableRole::Argument, nullptr, {}};
    if (parameter.type && parameter.type->is_tensor) {
      const Site site(*this, parameter.span);
      variable.value = draft_.input(InputKind::Data, name, input_type(parameter, arguments));
      frame.variables.push_back(std::move(variable));
      matching.add(frame.variables.size() - 1, *parameter.type, parameter.span);
      continue;
    }
    Span at = parameter.span;
    const auto given = arguments.values.find(name);
    if (given != arguments.values.end()) {
      variable.value = given->second.value;
      at = given->second.span;
    } else if (parameter.default_value) {
      variable.value = evaluate(*parameter.default_value);
    } else {
      fail(error("E0303", parameter.span,
                 fmt::format("the model `{}` needs a value for `{}`", model.name.text, name))
               .with_help(fmt::format("train {}({} = …), or --set model.{}=…", model.name.text,
                                      name, name)));
    }
    if (parameter.type)
      variable.value = check_kind(*parameter.type, std::move(variable.value),
                                  fmt::format("`{}` of `{}`", name, model.name.text), at);
    frame.variables.push_back(std::move(variable));
  }
  matching.finish();
}

// The type of an input: of the data if that is known, else as declared, with free dimensions from
// `--set model.NAME`.
Type Elaborator::input_type(const ast::Parameter& parameter, const ModelArguments& arguments) {
  const std::string& name = parameter.name.text;
  const auto dtype = parse_dtype(parameter.type->name.text);
  if (!dtype)
    fail("E0508", parameter.type->span,
         fmt::format("input `{}` needs a fixed dtype such as f32 or u8", name));
  if (static_cast<int64_t>(parameter.type->dims.size()) > DraftGraph::kMaxRank)
    fail("E0409", parameter.type->span,
         fmt::format("the highest rank is {}", DraftGraph::kMaxRank));
  const auto field = arguments.fields.find(name);
  std::vector<int64_t> dims{setup_.rows};
  if (field != arguments.fields.end()) {
    dims.insert(dims.end(), field->second.shape.begin(), field->second.shape.end());
    return {*dtype, Shape(std::move(dims))};
  }
  for (size_t axis = 1; axis < parameter.type->dims.size(); ++axis) {
    const ast::Expr& dim = *parameter.type->dims[axis];
    const auto* free = dim.as<ast::NameRef>();
    const auto set = free ? arguments.values.find(free->text) : arguments.values.end();
    const bool is_known = !free || frame_->find(free->text);
    if (dim.as<ast::Ellipsis>()) continue;
    if (!is_known && set == arguments.values.end())
      fail(error("E0415", dim.span,
                 fmt::format("the size `{}` of input `{}` is not known without data", free->text,
                             name))
               .with_help(fmt::format("--set model.{}=…", free->text)));
    const Value size = is_known ? evaluate(dim) : set->second.value;
    dims.push_back(dimension(size, dim.span, fmt::format("`{}`", dim.span.text())));
  }
  return {*dtype, Shape(std::move(dims))};
}

TensorId Elaborator::run_optimizer(const FunctionValue& optimizer, const UpdatedParameter& updated,
                                   Span blamed, std::vector<SlotUpdate>& slots) {
  const std::string& path = updated.parameter.path;
  const ast::Optimizer& definition = *optimizer.optimizer;
  Frame frame;
  frame.kind = FunctionKind::Optimizer;
  frame.name = optimizer.name;
  frame.callable = optimizer.callable;
  frame.file = optimizer.file;
  frame.call = blamed;
  frame.instance = root_;
  const Restored<Frame*> inside(frame_, &frame);
  const Restored<std::vector<SlotUpdate>*> slot_list(slots_, &slots);
  const Restored<std::string> prefix(slot_prefix_, path + ":" + updated.slot_prefix);
  const Restored<std::string> role(role_, fmt::format("{} update by {}", path, optimizer.name));
  const Site site(*this, blamed);
  for (const BoundArgument& setting : optimizer.arguments) {
    Value value = setting.value;
    if (const FunctionRef* schedule = value.as<FunctionRef>()) {
      Invocation invocation;
      invocation.span = blamed;
      invocation.arguments.push_back({"", {}, updated.step, blamed});
      value = call(*schedule, invocation);
    }
    frame.variables.push_back(
        {setting.name, std::move(value), blamed, VariableRole::Argument, nullptr, {}});
  }
  frame.variables.push_back(
      {"step", updated.step, optimizer.definition, VariableRole::Binding, nullptr, {}});
  frame.variables.push_back({definition.gradient.text,
                             updated.gradient,
                             definition.gradient.span,
                             VariableRole::Binding,
                             nullptr,
                             {}});
  frame.variables.push_back({definition.value.text,
                             updated.value,
                             definition.value.span,
                             VariableRole::Updated,
                             nullptr,
                             {}});
  const BlockNames names(frame);
  for (const ast::Statement& statement : definition.callable.body.block.statements)
    execute(statement);
  return *frame.find(definition.value.text)->value.as<TensorId>();
}

Value Elaborator::evaluate_in_file(const ast::Expr& expr, const FileScope& file,
                                   const std::vector<Variable>& names) {
  Frame frame;
  frame.name = "constant";
  frame.file = &file;
  frame.caller = frame_;
  frame.instance = root_;
  for (const Variable& variable : names) frame.variables.push_back(variable);
  const Restored<Frame*> inside(frame_, &frame);
  try {
    return evaluate(expr);
  } catch (const Error& failure) {
    fail_operation(failure, expr.span, {});
  }
}

Value Elaborator::call_from(const FunctionRef& function, std::vector<Argument> arguments,
                            Span blamed, const FileScope& file) {
  Frame frame;
  frame.name = "train";
  frame.file = &file;
  frame.instance = root_;
  const Restored<Frame*> inside(frame_, &frame);
  const Site site(*this, blamed);
  Invocation invocation;
  invocation.span = blamed;
  invocation.callee_span = blamed;
  invocation.arguments = std::move(arguments);
  return call(function, invocation);
}

bool Elaborator::is_frozen(const std::string& path) const {
  return std::ranges::any_of(
      setup_.freezes, [&](const ast::Pattern& pattern) { return selects(pattern.text, path); });
}

uint64_t Elaborator::next_stream() {
  if (is_initializing()) return stream_of_draw(initialized_path_, initial_draws_++, 1);
  Instance& instance = *frame_->instance;
  return stream_of_draw(instance.path, instance.draws++, instance.applications);
}

void Elaborator::count_multiply_adds(int64_t count) {
  for (const OpenScan& scan : draft_.open_scans()) count *= scan.length;
  frame_->instance->multiply_adds += count;
}

}  // namespace gradc
