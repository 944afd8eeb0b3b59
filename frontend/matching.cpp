// Binds the dimensions of a signature.
#include "frontend/matching.h"

#include <algorithm>

#include "frontend/site.h"

namespace gradc {

namespace {

bool has_ellipsis(const ast::Type& type) {
  return std::ranges::any_of(
      type.dims, [](const auto& dim) { return dim->template as<ast::Ellipsis>() != nullptr; });
}

const std::string* bare_name(const ast::Expr& expr) {
  const auto* name = expr.as<ast::NameRef>();
  return name ? &name->text : nullptr;
}

// Calls `visit` with every name in the expression.
void for_each_name(const ast::Expr& expr, const std::function<void(const std::string&)>& visit) {
  if (const std::string* name = bare_name(expr)) return visit(*name);
  if (const auto* unary = expr.as<ast::Unary>()) return for_each_name(*unary->operand, visit);
  if (const auto* binary = expr.as<ast::Binary>()) {
    for_each_name(*binary->left, visit);
    for_each_name(*binary->right, visit);
  }
  if (const auto* call = expr.as<ast::Call>())
    for (const ast::Argument& argument : call->arguments) for_each_name(*argument.value, visit);
  if (const auto* choice = expr.as<ast::Choice>()) {
    for (const ast::Choice::Branch& branch : choice->branches) {
      for_each_name(*branch.condition, visit);
      for_each_name(*branch.value, visit);
    }
    for_each_name(*choice->otherwise, visit);
  }
  if (const auto* index = expr.as<ast::Index>()) for_each_name(*index->base, visit);
}

}  // namespace

void Matching::add(size_t variable, const ast::Type& type, Span at) {
  // The surroundings of a lambda lend it `...` and `float` only where its own signature is silent.
  if (tensors_.empty() || !has_ellipsis(*tensors_[0].type)) {
    if (has_ellipsis(type)) frame_.rest.reset();
  }
  if (type.name.text == "float" &&
      std::ranges::none_of(tensors_, [](const Tensor& t) { return t.type->name.text == "float"; }))
    frame_.float_dtype.reset();
  tensors_.push_back({variable, &type, at});
}

const Type* Matching::type_of(const Tensor& tensor) const {
  const TensorId* id = frame_.variables[tensor.variable].value.as<TensorId>();
  return id ? &elaborator_.type(*id) : nullptr;
}

std::string Matching::expected(const Tensor& tensor) const {
  return std::string(tensor.type->span.text());
}

// The input whose dtype the tensor still has.
void Matching::note_source(TensorId id, Diagnostic& mismatch) {
  DraftGraph& draft = elaborator_.draft();
  const DType dtype = elaborator_.type(id).dtype;
  while (const DraftNode* node = draft.node(id)) {
    if (node->operands.empty() || elaborator_.type(node->operands[0]).dtype != dtype) return;
    id = node->operands[0];
  }
  const DraftInput* input = draft.find_input(id);
  if (!input || input->kind != InputKind::Data) return;
  const Frame* model = elaborator_.frame_;
  while (model && model->kind != FunctionKind::Model) model = model->caller;
  for (size_t i = 0; model && i < model->variables.size(); ++i)
    if (model->variables[i].name == input->name)
      mismatch.note(fmt::format("{} comes from the input `{}`", dtype, input->name),
                    model->variables[i].where);
}

void Matching::fail(const std::string& code, const Tensor& tensor, const std::string& detail) {
  const Variable& variable = frame_.variables[tensor.variable];
  Diagnostic mismatch =
      error(code, tensor.at,
            fmt::format("`{}` of `{}` must be {}, got {}", variable.name, function_,
                        expected(tensor), elaborator_.describe(variable.value)));
  if (!detail.empty()) mismatch.note(detail);
  const TensorId* id = variable.value.as<TensorId>();
  if (id && !is_float(elaborator_.type(*id).dtype) && tensor.type->name.text == "float")
    mismatch.help = fmt::format("{} / 255, or convert({}, f32)", tensor.at.text().substr(0, 60),
                                tensor.at.text().substr(0, 60));
  if (id && code == "E0501") note_source(*id, mismatch);
  const auto written = static_cast<int64_t>(tensor.type->dims.size());
  if (id && code == "E0410" && elaborator_.type(*id).shape.rank() == written - 1)
    mismatch.help = fmt::format("expand({}, axis) adds an axis", tensor.at.text().substr(0, 60));
  elaborator_.fail(std::move(mismatch));
}

void Matching::finish() {
  check_dtypes();
  for (const Tensor& tensor : tensors_) match_ranks(tensor);
  std::erase_if(pairs_, [&](const Pair& pair) { return !match_known(pair); });
  std::erase_if(pairs_, [&](const Pair& pair) { return !match_name(pair); });
  for (const Pair& pair : pairs_) match_expression(pair);
}

void Matching::check_dtypes() {
  for (const Tensor& tensor : tensors_)
    if (type_of(tensor)) check_dtype(tensor);
  for (const Tensor& tensor : tensors_) {
    Variable& variable = frame_.variables[tensor.variable];
    if (type_of(tensor)) continue;
    const NumberValue* number = variable.value.as<NumberValue>();
    if (!number) fail("E0304", tensor, "");
    const std::string& word = tensor.type->name.text;
    DType dtype = number->is_float ? DType::F32 : DType::I32;
    if (word == "float") dtype = frame_.float_dtype.value_or(DType::F32);
    if (const auto fixed = parse_dtype(word)) dtype = *fixed;
    if (number->is_float && !is_float(dtype)) fail("E0501", tensor, "");
    variable.value = elaborator_.ops().number(*number, dtype);
    check_dtype(tensor);
  }
}

void Matching::check_dtype(const Tensor& tensor) {
  const DType dtype = type_of(tensor)->dtype;
  const std::string& word = tensor.type->name.text;
  if (word == "any") return;
  if (word == "int") {
    if (!is_int(dtype)) fail("E0501", tensor, "int[…] is u8, i32 or i64");
    return;
  }
  if (word == "float") {
    if (!is_float(dtype)) fail("E0501", tensor, "");
    if (!frame_.float_dtype) frame_.float_dtype = dtype;
    if (*frame_.float_dtype != dtype)
      fail("E0503", tensor, fmt::format("float is {} in this call", *frame_.float_dtype));
    return;
  }
  std::optional<DType> fixed = parse_dtype(word);
  if (!fixed)
    if (const Variable* variable = own(word))
      if (const DType* value = variable->value.as<DType>()) fixed = *value;
  if (!fixed)
    elaborator_.fail("E0317", tensor.type->name.span,
                     fmt::format("`{}` is no dtype; tensors are f32, float, int, any, …", word));
  if (*fixed != dtype) fail("E0502", tensor, "");
}

void Matching::match_ranks(const Tensor& tensor) {
  const auto& dims = tensor.type->dims;
  const Shape shape = type_of(tensor)->shape;
  const auto written = static_cast<int64_t>(dims.size());
  const bool has_rest = has_ellipsis(*tensor.type);
  if (has_rest ? shape.rank() < written - 1 : shape.rank() != written)
    fail("E0410", tensor,
         fmt::format("rank {}{} is needed, this has rank {}", has_rest ? written - 1 : written,
                     has_rest ? " or more" : "", shape.rank()));
  int64_t axis = 0;
  for (const auto& dim : dims) {
    if (dim->as<ast::Ellipsis>()) {
      match_rest(tensor, static_cast<size_t>(axis), shape.rank() - (written - 1));
      axis += shape.rank() - (written - 1);
      continue;
    }
    pairs_.push_back({dim.get(), shape[axis], axis, &tensor});
    ++axis;
  }
}

void Matching::match_rest(const Tensor& tensor, size_t first, int64_t count) {
  const std::vector<int64_t>& dims = type_of(tensor)->shape.dims();
  const auto begin = dims.begin() + static_cast<int64_t>(first);
  std::vector<int64_t> rest(begin, begin + count);
  if (!frame_.rest) {
    frame_.rest = std::move(rest);
    return;
  }
  if (*frame_.rest == rest) return;
  const Tensor* other = nullptr;
  for (const Tensor& candidate : tensors_) {
    if (&candidate == &tensor) break;
    if (!other && has_ellipsis(*candidate.type)) other = &candidate;
  }
  const std::string first_name = other ? fmt::format(" in `{}`", name_of(*other)) : "";
  Diagnostic mismatch = error("E0411", tensor.at,
                              fmt::format("the dimensions `...` of `{}` are {}{} and {} in `{}`",
                                          function_, to_string(Shape(*frame_.rest)), first_name,
                                          to_string(Shape(rest)), name_of(tensor)));
  if (other)
    mismatch.note(fmt::format("`{}` is {}", name_of(*other), to_string(*type_of(*other))),
                  other->at);
  mismatch.note(fmt::format("`{}` is {}", name_of(tensor), to_string(*type_of(tensor))));
  elaborator_.fail(std::move(mismatch));
}

Variable* Matching::own(const std::string& name) const {
  for (size_t i = frame_.first_own; i < frame_.variables.size(); ++i)
    if (frame_.variables[i].name == name) return &frame_.variables[i];
  return nullptr;
}

bool Matching::is_of_rows(const Pair& pair) const {
  const TensorId id = *frame_.variables[pair.tensor->variable].value.as<TensorId>();
  return elaborator_.draft().row_axis(id) == pair.axis;
}

bool Matching::match_known(const Pair& pair) {
  if (const auto* number = pair.written->as<ast::Number>()) {
    if (number->int_value != pair.size || number->is_float)
      fail("E0410", *pair.tensor,
           fmt::format("axis {} must be {}, not {}", pair.axis, number->int_value, pair.size));
    return false;
  }
  const std::string* name = bare_name(*pair.written);
  if (!name) return true;
  if (*name == "_") return false;
  const Variable* variable = own(*name);
  if (!variable || variable->role == VariableRole::Dimension) return true;
  const NumberValue* number = variable->value.as<NumberValue>();
  const auto whole = number ? number->whole() : std::nullopt;
  if (!whole || *whole != pair.size)
    fail("E0410", *pair.tensor,
         fmt::format("axis {} must be `{}`, which is {}, not {}", pair.axis, *name,
                     elaborator_.describe(variable->value), pair.size));
  return false;
}

void Matching::bind(const Pair& pair, const std::string& name, int64_t size) {
  Variable variable{name,
                    NumberValue::of(size).marked(is_of_rows(pair)),
                    pair.tensor->at,
                    VariableRole::Dimension,
                    nullptr,
                    fmt::format("axis {} of `{}`, {}", pair.axis, name_of(*pair.tensor),
                                to_string(*type_of(*pair.tensor)))};
  frame_.variables.push_back(std::move(variable));
}

bool Matching::match_name(const Pair& pair) {
  const std::string* name = bare_name(*pair.written);
  if (!name) return true;
  const Variable* bound = own(*name);
  if (!bound) {
    bind(pair, *name, pair.size);
    return false;
  }
  const int64_t size = bound->value.as<NumberValue>()->integer;
  if (size == pair.size) return false;
  Diagnostic mismatch = error(
      "E0412", pair.tensor->at,
      fmt::format("`{}` of `{}` is {} and {} in one call", *name, function_, size, pair.size));
  mismatch.note(fmt::format("{} from {}", size, bound->from), bound->where);
  mismatch.note(fmt::format("{} from axis {} of `{}`, {}", pair.size, pair.axis,
                            name_of(*pair.tensor), to_string(*type_of(*pair.tensor))),
                pair.tensor->at);
  elaborator_.fail(std::move(mismatch));
}

std::string Matching::unbound_name(const ast::Expr& expr) const {
  std::string unknown;
  for_each_name(expr, [&](const std::string& name) {
    if (!own(name) && !frame_.file->find(name).item && !parse_dtype(name)) unknown = name;
  });
  return unknown;
}

int64_t Matching::evaluate_at(const ast::Expr& expr, const std::string& unknown, int64_t value) {
  const Restored<Frame*> inside(elaborator_.frame_, &frame_);
  const BlockNames names(frame_);
  if (!unknown.empty())
    frame_.variables.push_back({unknown, value, {}, VariableRole::Dimension, nullptr, {}});
  return elaborator_.dimension(elaborator_.evaluate(expr), expr.span,
                               fmt::format("`{}`", expr.span.text()));
}

void Matching::match_expression(const Pair& pair) {
  const ast::Expr& expr = *pair.written;
  const std::string unknown = unbound_name(expr);
  const std::string written(expr.span.text());
  if (unknown.empty()) {
    const int64_t size = evaluate_at(expr, unknown, 0);
    if (size != pair.size)
      fail("E0410", *pair.tensor,
           fmt::format("axis {} must be `{}`, which is {}, not {}", pair.axis, written, size,
                       pair.size));
    return;
  }
  // written = slope * unknown + offset, from two sizes large enough not to become negative.
  constexpr int64_t kProbe = int64_t{1} << 20;
  const int64_t at_probe = evaluate_at(expr, unknown, kProbe);
  const int64_t slope = evaluate_at(expr, unknown, kProbe + 1) - at_probe;
  const int64_t offset = at_probe - slope * kProbe;
  const int64_t solution = slope == 0 ? -1 : (pair.size - offset) / slope;
  if (solution < 0 || solution * slope + offset != pair.size)
    fail("E0410", *pair.tensor,
         fmt::format("axis {} is {}, and no whole `{}` makes `{}` that", pair.axis, pair.size,
                     unknown, written));
  bind(pair, unknown, solution);
}

}  // namespace gradc
