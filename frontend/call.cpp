// Calls: built-in functions, functions, layers and their instances, optimizers.
#include <algorithm>

#include "frontend/builtin_table.h"
#include "frontend/matching.h"
#include "frontend/site.h"
#include "runtime/core/did_you_mean.h"

namespace gradc {

Variable* Frame::find(const std::string& variable_name) {
  for (size_t i = variables.size(); i-- > 0;)
    if (variables[i].name == variable_name) return &variables[i];
  return nullptr;
}

Value Elaborator::evaluate_call(const ast::Call& call_expr, const ast::Expr& expr, bool is_direct) {
  Invocation invocation;
  invocation.span = expr.span;
  invocation.callee_span = call_expr.callee->span;
  invocation.is_direct = is_direct;
  const auto* name = call_expr.callee->as<ast::NameRef>();
  if (name) invocation.callee = name->text;
  const Value callee = evaluate(*call_expr.callee);
  const FunctionRef* function = callee.as<FunctionRef>();
  if (!function) {
    const bool hides = name && (frame_->file->find_in_library(name->text).item ||
                                find_builtin_function(name->text));
    const std::string written(call_expr.callee->span.text());
    if (hides)
      fail(
          error("E0308", call_expr.callee->span,
                fmt::format("`{}` is the value bound here and hides the library function", written))
              .note(fmt::format("{}: {}", written, describe(callee)),
                    frame_->find(name->text) ? frame_->find(name->text)->where : Span{})
              .with_help("give that value another name"));
    fail("E0305", call_expr.callee->span,
         fmt::format("`{}` is {} and cannot be called", written, describe(callee)));
  }
  for (const ast::Argument& argument : call_expr.arguments)
    invocation.arguments.push_back({argument.name ? argument.name->text : "",
                                    argument.name ? argument.name->span : Span{},
                                    evaluate(*argument.value), argument.value->span});
  const Site site(*this, expr.span);
  return call(*function, invocation);
}

Value Elaborator::call(const FunctionRef& function, Invocation& invocation) {
  if (!is_in_model()) return dispatch(function, invocation);
  const int64_t before = frame_->instance->multiply_adds;
  Value result = dispatch(function, invocation);
  record_call(*function, invocation, result, frame_->instance->multiply_adds - before);
  return result;
}

Value Elaborator::dispatch(const FunctionRef& function, Invocation& invocation) {
  switch (function->kind) {
    case FunctionKind::Builtin:
      return call_builtin(*function, invocation);
    case FunctionKind::Fn:
      return call_callable(*function, invocation, frame_->instance);
    case FunctionKind::Layer:
      return call_layer(*function, invocation);
    case FunctionKind::Shared:
      return call_shared(*function, invocation);
    case FunctionKind::Optimizer:
      return configure_optimizer(*function, invocation);
    case FunctionKind::Model:
      fail("E0305", invocation.span,
           fmt::format("`{}` is a model: models are trained, not called", function->name));
  }
  CHECK(false, "function kind");
}

Value Elaborator::call_builtin(const FunctionValue& function, Invocation& invocation) {
  BuiltinCall call(*this, *function.builtin, invocation);
  try {
    return function.builtin->function(call);
  } catch (const Error& failure) {
    std::vector<DiagnosticNote> notes;
    for (const Argument& argument : invocation.arguments)
      if (argument.value.as<TensorId>())
        notes.push_back(
            {fmt::format("{}: {}", argument.span.text().substr(0, 60), describe(argument.value)),
             {}});
    fail_operation(failure, invocation.span, notes);
  }
}

// The parameter of each argument; null where an argument is left out.
std::vector<const Argument*> Elaborator::assign_arguments(const FunctionValue& function,
                                                          const ast::Callable& callable,
                                                          const Invocation& invocation) {
  const std::vector<ast::Parameter>& parameters = callable.parameters;
  std::vector<const Argument*> assigned(parameters.size(), nullptr);
  size_t position = 0;
  for (const Argument& argument : invocation.arguments) {
    size_t target = position;
    if (argument.name.empty()) {
      if (position++ >= parameters.size())
        fail("E0305", argument.span,
             fmt::format("`{}` takes {} arguments", function.name, parameters.size()));
    } else {
      target = 0;
      while (target < parameters.size() && parameters[target].name.text != argument.name) ++target;
    }
    if (target == parameters.size()) {
      std::vector<std::string> names;
      for (const ast::Parameter& parameter : parameters) names.push_back(parameter.name.text);
      Diagnostic unknown =
          error("E0302", argument.name_span.is_somewhere() ? argument.name_span : invocation.span,
                fmt::format("`{}` has no parameter `{}`", function.name, argument.name));
      unknown.note(fmt::format("it has: {}", fmt::join(names, ", ")));
      if (const auto guess = did_you_mean(argument.name, names))
        unknown.help = fmt::format("did you mean `{}`?", *guess);
      fail(std::move(unknown));
    }
    if (assigned[target])
      fail("E0305", argument.span,
           fmt::format("`{}` of `{}` is given twice", parameters[target].name.text, function.name));
    assigned[target] = &argument;
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!assigned[i] && !parameters[i].default_value)
      fail(
          "E0303", invocation.span,
          fmt::format("`{}` is missing its argument `{}`", function.name, parameters[i].name.text));
  return assigned;
}

void Elaborator::bind_arguments(Frame& frame, const FunctionValue& function,
                                Invocation& invocation) {
  const ast::Callable& callable = *function.callable;
  const std::vector<const Argument*> assigned = assign_arguments(function, callable, invocation);
  Matching matching(*this, frame, function.name);
  for (size_t i = 0; i < assigned.size(); ++i) {
    const ast::Parameter& parameter = callable.parameters[i];
    const Span at = assigned[i] ? assigned[i]->span : invocation.span;
    Value value;
    if (assigned[i]) {
      value = assigned[i]->value;
    } else {
      const Restored<Frame*> inside(frame_, &frame);
      value = evaluate(*parameter.default_value);
    }
    const std::string what = fmt::format("`{}` of `{}`", parameter.name.text, function.name);
    if (parameter.type && !parameter.type->is_tensor)
      value = check_kind(*parameter.type, std::move(value), what, at);
    frame.variables.push_back(
        {parameter.name.text, value, parameter.name.span, VariableRole::Argument, nullptr, {}});
    if (parameter.type && parameter.type->is_tensor)
      matching.add(frame.variables.size() - 1, *parameter.type, at);
  }
  matching.finish();
}

namespace {

struct Counted {
  explicit Counted(int& counter) : counter_(counter) { ++counter_; }
  ~Counted() { --counter_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  int& counter_;
};

}  // namespace

Value Elaborator::call_callable(const FunctionValue& function, Invocation& invocation,
                                Instance* instance) {
  const Counted depth(call_depth_);
  if (call_depth_ > ElaborationSetup::kMaxCalls)
    fail("E0802", invocation.span,
         fmt::format("calls are nested more than {} deep", ElaborationSetup::kMaxCalls));
  Frame frame;
  frame.caller = frame_;
  frame.kind = function.kind == FunctionKind::Shared ? FunctionKind::Layer : function.kind;
  frame.name = function.name;
  frame.callable = function.callable;
  frame.file = function.file;
  frame.call = invocation.span;
  frame.instance = instance;
  if (function.capture) {
    for (const CapturedName& captured : function.capture->names)
      frame.variables.push_back(
          {captured.name, captured.value, captured.where, VariableRole::Binding, nullptr, {}});
    frame.float_dtype = function.capture->float_dtype;
    frame.rest = function.capture->rest;
  }
  frame.first_own = frame.variables.size();
  bind_arguments(frame, function, invocation);
  return run_body(frame, function);
}

Value Elaborator::run_body(Frame& frame, const FunctionValue& function) {
  const Restored<Frame*> inside(frame_, &frame);
  const ast::Callable& callable = *function.callable;
  Span result_span = callable.span;
  if (callable.body.expr) {
    frame.returned = evaluate(*callable.body.expr);
    result_span = callable.body.expr->span;
  } else {
    execute_block(callable.body.block);
  }
  if (!frame.returned)
    fail("E0316", callable.span, fmt::format("`{}` ended without `return`", function.name));
  if (callable.result)
    return check_result(*callable.result, *frame.returned, function, result_span);
  return *frame.returned;
}

std::string Elaborator::named_place() const {
  const Naming& naming = frame_->naming;
  std::string path = frame_->instance->path;
  for (const std::string& segment : naming.loops) path = join_path(path, segment);
  path = join_path(path, naming.bound);
  for (const std::string& segment : naming.rounds) path = join_path(path, segment);
  return path;
}

std::string Elaborator::instance_path(const Invocation& invocation) {
  std::string path = named_place();
  if (invocation.is_direct) return path;
  if (invocation.callee.empty())
    fail(error("E0602", invocation.span, "this layer has no name for its parameters")
             .with_help("bind the result to a name: h = ..."));
  return join_path(path, invocation.callee);
}

Instance* Elaborator::make_instance(const FunctionValue& function, const Invocation& invocation) {
  const std::string path = instance_path(invocation);
  Instance* parent = frame_->instance;
  Instance* instance = ownership_.find_instance(path);
  if (const Owned* owned = ownership_.find_owned(path))
    fail(
        error("E0601", invocation.span, fmt::format("a layer and a parameter at the path {}", path))
            .note("the parameter", owned->where));
  if (!instance) {
    Instance added;
    added.path = path;
    added.layer = function.name;
    added.parent = parent;
    added.where = invocation.span;
    instance = ownership_.add_instance(std::move(added));
  } else if (instance->parent_application == parent->applications || instance->parent != parent) {
    fail(error("E0601", invocation.span, fmt::format("two instances at the path {}", path))
             .note("the first", instance->where)
             .with_help(fmt::format(
                 "bind each to a name; for one set of weights used twice: "
                 "shared {0} = {1}(…), then {0}(x)",
                 invocation.callee.empty() ? "f" : invocation.callee.substr(0, 1), function.name)));
  }
  instance->parent_application = parent->applications;
  return instance;
}

void Elaborator::apply_instance(Instance& instance, const Invocation& invocation) {
  if (++instance.applications == 1) instance.where = invocation.span;
  instance.draws = 0;
  instance.latest = invocation.span;
}

Value Elaborator::call_layer(const FunctionValue& function, Invocation& invocation) {
  if (frame_->kind != FunctionKind::Layer && frame_->kind != FunctionKind::Model)
    fail(error("E0603", invocation.span,
               fmt::format("`{}` is a layer; a function owns nothing and calls no layer",
                           function.name))
             .with_help(frame_->caller
                            ? fmt::format("declare `{}` with the word layer", frame_->name)
                            : std::string()));
  Instance* instance = make_instance(function, invocation);
  apply_instance(*instance, invocation);
  Value value = call_callable(function, invocation, instance);
  describe_result(*instance, value);
  return value;
}

void Elaborator::describe_result(Instance& instance, const Value& value) const {
  if (!instance.output.empty()) return;
  instance.output = describe(value);
  instance.shape = shape_text(value);
}

Value Elaborator::call_shared(const FunctionValue& function, Invocation& invocation) {
  if (frame_->kind != FunctionKind::Layer && frame_->kind != FunctionKind::Model)
    fail("E0603", invocation.span,
         fmt::format("`{}` is a layer; a function owns nothing and calls no layer", function.name));
  for (const BoundArgument& bound : function.arguments)
    invocation.arguments.push_back({bound.name, {}, bound.value, invocation.span});
  apply_instance(*function.instance, invocation);
  Value value = call_callable(function, invocation, function.instance);
  describe_result(*function.instance, value);
  return value;
}

void Elaborator::execute_shared(const ast::Shared& shared, Span span) {
  auto function = std::make_shared<FunctionValue>();
  const Restored<std::string> bound(frame_->naming.bound, shared.name.text);
  Value layer;
  if (shared.lambda) {
    layer = evaluate(*shared.lambda);
  } else {
    ast::NameRef name{shared.layer->text, shared.layer->is_quoted};
    ast::Expr expr;
    expr.span = shared.layer->span;
    expr.node = std::move(name);
    layer = evaluate(expr);
  }
  const FunctionValue* given = layer.function();
  if (!given || given->kind != FunctionKind::Layer)
    fail("E0610", span, fmt::format("`shared` needs a layer, got {}", describe(layer)));
  *function = *given;
  function->kind = FunctionKind::Shared;
  for (const ast::Argument& argument : shared.arguments) {
    if (!argument.name)
      fail("E0610", argument.value->span, "the arguments of `shared` are given by keyword");
    function->arguments.push_back({argument.name->text, evaluate(*argument.value)});
  }
  function->count_depth();
  Invocation invocation;
  invocation.span = span;
  invocation.is_direct = true;
  function->instance = make_instance(*given, invocation);
  function->instance->is_shared = true;
  bind(shared.name, FunctionRef(std::move(function)), VariableRole::Binding);
}

Value Elaborator::configure_optimizer(const FunctionValue& function, Invocation& invocation) {
  if (function.is_configured)
    fail("E0305", invocation.span, fmt::format("`{}` has its settings already", function.name));
  Frame frame;
  frame.caller = frame_;
  frame.name = function.name;
  frame.file = function.file;
  frame.call = invocation.span;
  frame.instance = frame_->instance;
  bind_arguments(frame, function, invocation);
  auto configured = std::make_shared<FunctionValue>(function);
  configured->is_configured = true;
  for (const Variable& variable : frame.variables)
    configured->arguments.push_back({variable.name, variable.value});
  configured->count_depth();
  return FunctionRef(std::move(configured));
}

}  // namespace gradc
