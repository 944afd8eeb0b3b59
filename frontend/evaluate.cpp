// Expressions: literals, names, lists, choices, indices, paths; calls are in call.cpp, operators in
// operators.cpp.
#include <algorithm>

#include "frontend/builtin_table.h"
#include "frontend/site.h"
#include "runtime/core/did_you_mean.h"

namespace gradc {

namespace {

Value read(const Variable& variable) {
  if (variable.role == VariableRole::Owned) return variable.owned->input;
  if (variable.role == VariableRole::State) return variable.owned->current;
  return variable.value;
}

// "block.0.attention.qkv" of a chain of members over a name; empty where the base is no name.
std::string dotted_path(const ast::Expr& expr) {
  if (const auto* name = expr.as<ast::NameRef>()) return name->text;
  const auto* member = expr.as<ast::Member>();
  if (!member) return {};
  const std::string base = dotted_path(*member->base);
  return base.empty() ? base : base + "." + member->member.text;
}

}  // namespace

Value Elaborator::evaluate(const ast::Expr& expr, bool is_direct) {
  count_step(expr.span);
  const Restored<int> nested(nesting_, nesting_ + 1);
  check_nesting(expr.span);
  Value value = evaluate_node(expr, is_direct);
  if (value.is_bad()) throw SilentFault{};
  if (value.depth() > ElaborationSetup::kMaxDepth)
    fail("E0803", expr.span,
         fmt::format("lists or functions are nested more than {} deep",
                     ElaborationSetup::kMaxDepth));
  return value;
}

Value Elaborator::evaluate_node(const ast::Expr& expr, bool is_direct) {
  if (const auto* number = expr.as<ast::Number>())
    return number->is_float ? Value(number->float_value) : Value(number->int_value);
  if (const auto* name = expr.as<ast::NameRef>()) return evaluate_name(*name, expr);
  if (const auto* call = expr.as<ast::Call>()) return evaluate_call(*call, expr, is_direct);
  if (const auto* binary = expr.as<ast::Binary>()) return evaluate_binary(*binary, expr);
  if (const auto* unary = expr.as<ast::Unary>()) return evaluate_unary(*unary, expr);
  if (const auto* index = expr.as<ast::Index>()) return evaluate_index(*index, expr);
  if (const auto* list = expr.as<ast::List>()) return evaluate_list(*list);
  if (const auto* member = expr.as<ast::Member>()) return evaluate_member(*member, expr);
  if (const auto* choice = expr.as<ast::Choice>()) return evaluate_choice(*choice, is_direct);
  if (const auto* text = expr.as<ast::String>()) return text->text;
  if (const auto* value = expr.as<ast::Bool>()) return value->value;
  if (expr.as<ast::None>()) return NoneValue{};
  if (expr.as<ast::Training>()) return setup_.training;
  if (expr.as<ast::Frozen>()) return is_frozen(frame_->instance->path);
  if (const auto* lambda = expr.as<ast::Lambda>()) {
    const Restored<std::string> bound(frame_->naming.bound,
                                      is_direct ? frame_->naming.bound : std::string());
    return evaluate_lambda(*lambda, expr.span);
  }
  if (const auto* comprehension = expr.as<ast::Comprehension>())
    return evaluate_comprehension(*comprehension);
  fail("E0105", expr.span, "this can only stand in an index or a list");
}

Value Elaborator::evaluate_name(const ast::NameRef& name, const ast::Expr& expr) {
  if (const Variable* variable = frame_->find(name.text)) return read(*variable);
  if (!name.is_quoted)
    if (const auto dtype = parse_dtype(name.text)) return *dtype;
  const Definition definition = frame_->file->find(name.text);
  if (definition.item) return definition_value(definition, name.text, expr.span);
  if (const Builtin* builtin = find_builtin_function(name.text)) return builtin_value(*builtin);
  if (const Owned* owned = ownership_.find_owned(join_path(frame_->instance->path, name.text)))
    return owned->current;
  fail("E0201", expr.span, fmt::format("unknown name `{}`", name.text));
}

Value Elaborator::definition_value(const Definition& definition, const std::string& name,
                                   Span span) {
  auto function = std::make_shared<FunctionValue>();
  function->name = name;
  function->file = definition.home;
  function->definition = definition.item->span;
  if (const auto* constant = definition.item->as<ast::Constant>()) {
    if (std::ranges::find(open_constants_, constant) != open_constants_.end())
      fail("E0206", span, fmt::format("the definition of `{}` needs itself", name));
    return constant_value(*constant, *definition.home);
  }
  if (const auto* defined = definition.item->as<ast::Function>()) {
    function->callable = &defined->callable;
    function->kind =
        defined->callable.kind == ast::CallableKind::Layer ? FunctionKind::Layer : FunctionKind::Fn;
  } else if (const auto* optimizer = definition.item->as<ast::Optimizer>()) {
    function->callable = &optimizer->callable;
    function->optimizer = optimizer;
    function->kind = FunctionKind::Optimizer;
  } else {
    function->callable = &definition.item->as<ast::Model>()->callable;
    function->kind = FunctionKind::Model;
  }
  return FunctionRef(std::move(function));
}

Value Elaborator::constant_value(const ast::Constant& constant, const FileScope& file) {
  const auto known = constants_.find(&constant);
  if (known != constants_.end()) return known->second;
  open_constants_.push_back(&constant);
  const Value value = evaluate_in_file(*constant.value, file, {});
  open_constants_.pop_back();
  return constants_.emplace(&constant, value).first->second;
}

Value Elaborator::evaluate_list(const ast::List& list) {
  std::vector<Value> elements;
  for (const auto& element : list.elements) {
    if (!element->as<ast::Ellipsis>()) {
      elements.push_back(evaluate(*element));
      continue;
    }
    if (!frame_->rest)
      fail("E0413", element->span,
           "`...` stands for nothing here: no parameter has a type with it");
    for (const int64_t size : *frame_->rest) elements.emplace_back(size);
  }
  return Value::list(std::move(elements));
}

Value Elaborator::evaluate_comprehension(const ast::Comprehension& comprehension) {
  const Value sequence = evaluate(*comprehension.sequence);
  const std::vector<Value>* list = sequence.elements();
  if (!list)
    fail("E0307", comprehension.sequence->span,
         fmt::format("`for` runs over lists at compile time, got {}", describe(sequence)));
  std::vector<Value> elements;
  for (size_t round = 0; round < list->size(); ++round) {
    const BlockNames names(*frame_);
    bind(comprehension.variable, (*list)[round], VariableRole::Binding);
    frame_->naming.rounds.push_back(comprehension.variable.text);
    frame_->naming.rounds.push_back(fmt::format("{}", round));
    if (!comprehension.condition || evaluate_condition(*comprehension.condition, "if"))
      elements.push_back(evaluate(*comprehension.element));
    frame_->naming.rounds.resize(frame_->naming.rounds.size() - 2);
  }
  return Value::list(std::move(elements));
}

Value Elaborator::evaluate_lambda(const ast::Lambda& lambda, Span span) {
  auto capture = std::make_shared<Capture>();
  for (const Variable& variable : frame_->variables)
    capture->names.push_back({variable.name, read(variable), variable.where});
  capture->float_dtype = frame_->float_dtype;
  capture->rest = frame_->rest;
  auto function = std::make_shared<FunctionValue>();
  function->kind =
      lambda.callable->kind == ast::CallableKind::Layer ? FunctionKind::Layer : FunctionKind::Fn;
  function->name = frame_->naming.bound.empty() ? "fn" : frame_->naming.bound;
  function->definition = span;
  function->callable = lambda.callable.get();
  function->file = frame_->file;
  function->capture = std::move(capture);
  function->count_depth();
  return FunctionRef(std::move(function));
}

bool Elaborator::evaluate_condition(const ast::Expr& expr, const std::string& word) {
  const Value value = evaluate(expr);
  if (const bool* condition = value.as<bool>()) return *condition;
  if (value.as<TensorId>()) {
    const std::string help =
        word == "require" ? std::string() : "select(condition, a, b) chooses element by element";
    fail(error("E0306", expr.span,
               fmt::format("`{}` chooses at compile time; this condition is a tensor, {}", word,
                           describe(value)))
             .with_help(help));
  }
  fail("E0306", expr.span,
       fmt::format("the condition of `{}` must be true or false, got {}", word, describe(value)));
}

Value Elaborator::evaluate_choice(const ast::Choice& choice, bool is_direct) {
  for (const ast::Choice::Branch& branch : choice.branches)
    if (evaluate_condition(*branch.condition, "if")) return evaluate(*branch.value, is_direct);
  return evaluate(*choice.otherwise, is_direct);
}

int64_t Elaborator::evaluate_bound(const ast::Expr& expr) {
  const Value value = evaluate(expr);
  const NumberValue* number = value.as<NumberValue>();
  const auto whole = number ? number->whole() : std::nullopt;
  if (!whole)
    fail("E0310", expr.span,
         fmt::format("an index must be a whole number, got {}", describe(value)));
  return *whole;
}

Value Elaborator::evaluate_index(const ast::Index& index, const ast::Expr& expr) {
  const Value base = evaluate(*index.base);
  if (const std::vector<Value>* list = base.elements()) return index_list(*list, index);
  if (const TensorId* tensor = base.as<TensorId>()) {
    const Site site(*this, expr.span);
    Value part = index_tensor(*tensor, index, expr);
    if (is_in_model()) {
      const size_t base_length = index.base->span.text().size();
      const std::string brackets(
          expr.span.text().substr(std::min(base_length, expr.span.text().size())));
      record_operator(operand_text(*index.base, base) + brackets.substr(0, 30), {*tensor}, part);
    }
    return part;
  }
  fail("E0311", expr.span,
       fmt::format("lists and tensors have elements, {} has none", describe(base)));
}

namespace {

// Bounds of a slice or an index in [0, size], negative ones counted from the end.
struct Range {
  int64_t start = 0;
  int64_t stop = 0;
  bool is_single = false;
};

}  // namespace

Value Elaborator::index_list(const std::vector<Value>& list, const ast::Index& index) {
  const auto size = static_cast<int64_t>(list.size());
  if (index.items.size() != 1) fail("E0310", index.items.at(0)->span, "a list has one index");
  const ast::Expr& item = *index.items[0];
  const auto from_end = [&](int64_t position) { return position < 0 ? position + size : position; };
  if (const auto* slice = item.as<ast::Slice>()) {
    const int64_t start = slice->lower ? from_end(evaluate_bound(*slice->lower)) : 0;
    const int64_t stop = slice->upper ? from_end(evaluate_bound(*slice->upper)) : size;
    const int64_t first = std::clamp<int64_t>(start, 0, size);
    const int64_t last = std::clamp<int64_t>(stop, first, size);
    count_elements(last - first, item.span);
    return Value::list({list.begin() + first, list.begin() + last});
  }
  const int64_t written = evaluate_bound(item);
  const int64_t position = from_end(written);
  if (position < 0 || position >= size)
    fail("E0310", item.span,
         fmt::format("index {} is outside of a list of {} elements", written, size));
  return list[static_cast<size_t>(position)];
}

Value Elaborator::index_tensor(TensorId tensor, const ast::Index& index, const ast::Expr& expr) {
  const Shape shape = type(tensor).shape;
  const auto items = static_cast<int64_t>(index.items.size());
  const bool has_rest = std::ranges::any_of(
      index.items, [](const auto& item) { return item->template as<ast::Ellipsis>() != nullptr; });
  if (items - (has_rest ? 1 : 0) > shape.rank())
    fail("E0407", expr.span,
         fmt::format("{} indices for {} of rank {}", items, describe(tensor), shape.rank()));
  std::vector<int64_t> starts, stops, dropped;
  int64_t axis = 0;
  for (const auto& item : index.items) {
    if (item->as<ast::Ellipsis>()) {
      for (int64_t skipped = shape.rank() - (items - 1); skipped > 0; --skipped, ++axis) {
        starts.push_back(0);
        stops.push_back(shape[axis]);
      }
      continue;
    }
    const int64_t size = shape[axis];
    const auto from_end = [&](int64_t place) { return place < 0 ? place + size : place; };
    Range range{0, size, false};
    if (const auto* slice = item->as<ast::Slice>()) {
      if (slice->lower) range.start = from_end(evaluate_bound(*slice->lower));
      if (slice->upper) range.stop = from_end(evaluate_bound(*slice->upper));
    } else {
      const Value place = evaluate(*item);
      if (place.as<TensorId>()) {
        if (items != 1)
          fail("E0805", item->span, "a tensor index beside others is not supported yet");
        return ops_.gather(tensor, *place.as<TensorId>(), 0);
      }
      range.start = from_end(evaluate_bound(*item));
      range.stop = range.start + 1;
      range.is_single = true;
    }
    if (range.start < 0 || range.stop > size || range.start > range.stop)
      fail(
          "E0407", item->span,
          fmt::format("{} is outside of axis {} of {}", item->span.text(), axis, describe(tensor)));
    if (range.is_single) dropped.push_back(axis);
    starts.push_back(range.start);
    stops.push_back(range.stop);
    ++axis;
  }
  for (; axis < shape.rank(); ++axis) {
    starts.push_back(0);
    stops.push_back(shape[axis]);
  }
  return ops_.squeeze(ops_.slice(tensor, starts, stops), dropped);
}

Value Elaborator::evaluate_member(const ast::Member& member, const ast::Expr& expr) {
  const std::string relative = dotted_path(expr);
  if (relative.empty()) fail("E0309", expr.span, "only names have members: a path is written out");
  if (const Owned* owned = ownership_.find_owned(join_path(frame_->instance->path, relative)))
    return owned->current;
  const std::string base = dotted_path(*member.base);
  Diagnostic unknown =
      error("E0309", expr.span,
            fmt::format("`{}` owns no parameter or state called `{}`", base, member.member.text));
  if (member.member.text == "shape") {
    unknown.help = fmt::format("shape({})", base);
  } else {
    const auto paths = nearest(relative, ownership_.owned_paths(), 3);
    std::string text;
    for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + path;
    if (!text.empty()) unknown.note("nearest: " + text);
  }
  fail(std::move(unknown));
}

}  // namespace gradc
