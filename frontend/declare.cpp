// Parameters, states and slots: their paths, types and initial values.
#include "frontend/site.h"

namespace gradc {

std::string Elaborator::owned_path(const std::string& name) const {
  std::string path = frame_->instance->path;
  for (const std::string& segment : frame_->naming.loops) path = join_path(path, segment);
  return join_path(path, name);
}

void Elaborator::declare_owned(const ast::Declare& declare, Span span) {
  const InputKind kind =
      declare.kind == ast::DeclareKind::Param ? InputKind::Parameter : InputKind::State;
  const std::string path = owned_path(declare.name.text);
  const Type type = resolve_type(*declare.type, /*is_stored=*/true);
  if (const std::string_view fault = fault_of_path(path); !fault.empty())
    fail(error("E0601", declare.name.span, fmt::format("`{}` {}", path, fault))
             .with_help("another name"));
  Owned* owned = ownership_.find_owned(path);
  const Instance* instance = ownership_.find_instance(path);
  if (instance)
    fail(error("E0601", span, fmt::format("a layer and a parameter at the path {}", path))
             .note("the layer", instance->where));
  if (owned) {
    redeclare(*owned, declare, kind, type);
  } else {
    const Value given = evaluate(*declare.value);
    const TensorId initial = initial_value(given, type, path, declare.value->span);
    const TensorId input = draft_.input(kind, path, type);
    owned = ownership_.add_owned({path, kind, type, input, initial, input, frame_->instance,
                                  declare.name.span, frame_->instance->applications});
  }
  const VariableRole role =
      kind == InputKind::Parameter ? VariableRole::Owned : VariableRole::State;
  frame_->variables.push_back({declare.name.text, {}, declare.name.span, role, owned, {}});
}

// A later application of a shared instance reads what the first one declared.
void Elaborator::redeclare(Owned& owned, const ast::Declare& declare, InputKind kind,
                           const Type& type) {
  if (owned.application == frame_->instance->applications)
    fail(error("E0601", declare.name.span, fmt::format("two parameters at the path {}", owned.path))
             .note("the first", owned.where));
  if (owned.type != type || owned.kind != kind)
    fail(error("E0604", frame_->call,
               fmt::format("`{}` is applied again, to another type", frame_->instance->path))
             .note(fmt::format("{}: {} then, {} now", owned.path, to_string(owned.type),
                               to_string(type)))
             .note("first applied here", frame_->instance->where)
             .with_help("two layers need two calls; a shared one sees one width"));
  owned.application = frame_->instance->applications;
}

void Elaborator::declare_slot(const ast::Declare& declare, Span span) {
  CHECK(slots_ != nullptr, "a slot outside of an optimizer");
  const Value value = evaluate(*declare.value);
  const TensorId* initial = value.as<TensorId>();
  if (!initial)
    fail(error("E0607", declare.value->span,
               fmt::format("a slot starts with a tensor, got {}", describe(value)))
             .with_help("zeros_like(value)"));
  const Site site(*this, span);
  const std::string path = slot_prefix_ + declare.name.text;
  for (const SlotUpdate& slot : *slots_)
    if (slot.name == path) fail("E0601", span, fmt::format("two slots called {}", path));
  const TensorId input = draft_.input(InputKind::Slot, path, type(*initial));
  slots_->push_back({path, declare.value->span, input, *initial, input});
  frame_->variables.push_back(
      {declare.name.text, input, declare.name.span, VariableRole::Slot, nullptr, {}});
}

// `uniform` where `uniform()` is meant: a function that makes an initializer.
void Elaborator::refuse_unfinished(const FunctionValue& function, Span span) {
  if (!function.callable || function.callable->parameters.empty()) return;
  for (const ast::Parameter& parameter : function.callable->parameters)
    if (!parameter.default_value) return;
  fail(error(
           "E0304", span,
           fmt::format("`{}` makes an initializer, it is none: an initializer takes (shape, dtype)",
                       function.name))
           .with_help(fmt::format("{}()", function.name)));
}

TensorId Elaborator::initial_value(const Value& given, const Type& type, const std::string& path,
                                   Span span) {
  const Restored<std::string> initialized(initialized_path_, path);
  const Restored<int64_t> draws(initial_draws_, 0);
  const Restored<std::string> role(role_, "initial " + path);
  const Restored<std::vector<OpenScan>> scans(draft_.open_scans(), {});
  const Site site(*this, span);
  Value value = given;
  if (const FunctionRef* function = given.as<FunctionRef>()) {
    std::vector<Value> shape;
    for (const int64_t size : type.shape) shape.emplace_back(size);
    Invocation invocation;
    invocation.span = span;
    invocation.callee_span = span;
    invocation.arguments.push_back({"", {}, Value::list(std::move(shape)), span});
    invocation.arguments.push_back({"", {}, type.dtype, span});
    if ((*function)->kind != FunctionKind::Builtin && (*function)->kind != FunctionKind::Fn)
      fail("E0304", span, fmt::format("an initializer is a function, got {}", describe(given)));
    refuse_unfinished(**function, span);
    value = call(*function, invocation);
    if (value.function())
      fail("E0304", span,
           fmt::format("`{}` gives a function, not an initial value", (*function)->name));
  }
  const TensorId initial = expect_type(value, type, span, "the initial value of " + path);
  if (draft_.depends_on(initial) & (kOnData | kOnRound))
    fail("E0608", span, fmt::format("the initial value of {} depends on the data", path));
  return initial;
}

TensorId Elaborator::expect_type(const Value& value, const Type& type, Span span,
                                 const std::string& what) {
  if (const NumberValue* number = value.as<NumberValue>()) {
    if (number->is_float && !is_float(type.dtype))
      fail("E0405", span,
           fmt::format("{} must be {}, the number {} is not whole", what, to_string(type),
                       to_text(*number)));
    return ops_.fill(type, *number);
  }
  const TensorId* tensor = value.as<TensorId>();
  if (tensor && this->type(*tensor) == type) return *tensor;
  fail("E0405", span, fmt::format("{} must be {}, got {}", what, to_string(type), describe(value)));
}

}  // namespace gradc
