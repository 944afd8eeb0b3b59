// Trees: precedence, paths, calls, every kind of statement and definition, limits.
#include "frontend/parse.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <functional>

using namespace gradc;

namespace {

std::string show(const ast::ExprPtr& expr);

std::string show_all(const std::vector<ast::ExprPtr>& all) {
  std::string text;
  for (const ast::ExprPtr& one : all) text += (text.empty() ? "" : " ") + show(one);
  return text;
}

/// With every grouping in brackets.
std::string show(const ast::ExprPtr& expr) {
  if (!expr) return "-";
  if (const auto* number = expr->as<ast::Number>())
    return number->is_float ? fmt::format("{:?}", std::to_string(number->float_value))
                            : std::to_string(number->int_value);
  if (const auto* name = expr->as<ast::NameRef>()) return name->text;
  if (const auto* text = expr->as<ast::String>()) return '"' + text->text + '"';
  if (const auto* binary = expr->as<ast::Binary>())
    return fmt::format("({} {} {})", show(binary->left), ast::symbol(binary->op),
                       show(binary->right));
  if (const auto* unary = expr->as<ast::Unary>())
    return fmt::format("({} {})", unary->op == ast::UnaryOp::Not ? "not" : "-",
                       show(unary->operand));
  if (const auto* call = expr->as<ast::Call>()) {
    std::string text = show(call->callee) + "{";
    for (const ast::Argument& argument : call->arguments)
      text += fmt::format(" {}{}", argument.name ? argument.name->text + "=" : "",
                          show(argument.value));
    return text + "}";
  }
  if (const auto* index = expr->as<ast::Index>())
    return fmt::format("{}[{}]", show(index->base), show_all(index->items));
  if (const auto* slice = expr->as<ast::Slice>())
    return fmt::format("{}:{}", show(slice->lower), show(slice->upper));
  if (const auto* member = expr->as<ast::Member>())
    return fmt::format("{}.{}", show(member->base), member->member.text);
  if (const auto* list = expr->as<ast::List>())
    return fmt::format("[{}]", show_all(list->elements));
  if (const auto* each = expr->as<ast::Comprehension>())
    return fmt::format("[{} for {} in {} if {}]", show(each->element), each->variable.text,
                       show(each->sequence), show(each->condition));
  if (const auto* choice = expr->as<ast::Choice>()) {
    std::string text;
    for (const auto& branch : choice->branches)
      text += fmt::format("if {} {{ {} }} ", show(branch.condition), show(branch.value));
    return text + fmt::format("else {{ {} }}", show(choice->otherwise));
  }
  if (expr->as<ast::Lambda>()) return "lambda";
  if (expr->as<ast::Ellipsis>()) return "...";
  if (expr->as<ast::Training>()) return "training";
  return "?";
}

std::string parsed(const std::string& text) {
  Diagnostics diagnostics;
  const auto source = Source::make("t", text);
  const ast::ExprPtr expr = parse_expression(source, diagnostics);
  return diagnostics.has_errors() ? render(*diagnostics.sorted()[0]) : show(expr);
}

struct Read {
  std::shared_ptr<const ast::File> file;
  Diagnostics diagnostics;
};

Read read(const std::string& text) {
  Read result;
  result.file = parse(Source::make("t.grad", text), result.diagnostics);
  return result;
}

std::string repeat(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// Of this process's time: other programs do not count.
double seconds_of(const std::function<void()>& action) {
  const std::clock_t start = std::clock();
  action();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("operators bind as the table says") {
  CHECK(parsed("a + b * c") == "(a + (b * c))");
  CHECK(parsed("a - b - c") == "((a - b) - c)");
  CHECK(parsed("x / 255 @ w") == "((x / 255) @ w)");
  CHECK(parsed("-x ** 2") == "(- (x ** 2))");
  CHECK(parsed("2 ** -x ** 3") == "(2 ** (- (x ** 3)))");
  CHECK(parsed("a ** b ** c") == "(a ** (b ** c))");
  CHECK(parsed("-a * -b") == "((- a) * (- b))");
  CHECK(parsed("a // b % c") == "((a // b) % c)");
  CHECK(parsed("not a == b and c or d") == "(((not (a == b)) and c) or d)");
  CHECK(parsed("a or b and not not c") == "(a or (b and (not (not c))))");
  CHECK(parsed("a + 1 < b * 2") == "((a + 1) < (b * 2))");
  CHECK(parsed("(a < b) == (c < d)") == "((a < b) == (c < d))");
}

TEST_CASE("calls, indices and paths apply left to right") {
  CHECK(parsed("f(x)(y)[0].a") == "f{ x}{ y}[0].a");
  CHECK(parsed("dense(x, 1, use_bias = a == b,)") == "dense{ x 1 use_bias=(a == b)}");
  CHECK(parsed("x[:, 1:, :-1, ..., 2]") == "x[-:- 1:- -:(- 1) ... 2]");
  CHECK(parsed("block.0.attention.`w x`.10.kernel") == "block.0.attention.w x.10.kernel");
  CHECK(parsed("-f(x) ** 2") == "(- (f{ x} ** 2))");
  CHECK(parsed("f32") == "f32");
  CHECK(parsed("loss * 2") == "(loss * 2)");
}

TEST_CASE("lists, comprehensions, choices and lambdas") {
  CHECK(parsed("[]") == "[]");
  CHECK(parsed("[..., heads, 3,]") == "[... heads 3]");
  CHECK(parsed("[g * 2 for g in gradients if g > 0]") == "[(g * 2) for g in gradients if (g > 0)]");
  CHECK(parsed("if a { 1 } else if b {\n2\n} else { 3 }") == "if a { 1 } if b { 2 } else { 3 }");
  CHECK(parsed("x + if training { 1 } else { 2 } * 3") ==
        "(x + (if training { 1 } else { 2 } * 3))");
  CHECK(parsed("fn(x, y = 1) => x") == "lambda");
  CHECK(parsed("layer(x: float[..., in]) { return x }") == "lambda");
}

TEST_CASE("the spans of expressions cover their text") {
  Diagnostics diagnostics;
  const auto source = Source::make("t", " a + f(x, [1])[0].b * (c) ");
  const ast::ExprPtr expr = parse_expression(source, diagnostics);
  REQUIRE(expr);
  CHECK(expr->span.text() == "a + f(x, [1])[0].b * (c");
  const auto* sum = expr->as<ast::Binary>();
  CHECK(sum->op_span.text() == "+");
  const auto* product = sum->right->as<ast::Binary>();
  CHECK(product->left->span.text() == "f(x, [1])[0].b");
  CHECK(product->left->as<ast::Member>()->base->span.text() == "f(x, [1])[0]");
}

TEST_CASE("a definition of each kind") {
  const Read result = read(R"(import a, b from "x.grad"
width = 3
## Doc of f.
fn f(x: float[..., n], ## the count
  count: int = 2) -> [float[n], float[]] => [x, x]
layer l(cell: layer) { return cell }
optimizer o(rate = 0.1) for value, gradient { value := value - rate * gradient }
model m(image: u8[batch, 28]) { output y = image }
train m(rate = 1) {
  data = digits
  optimizer = none
  optimize loss { every = 2 }
  optimize critic { parameters = "a"; group "x", "y" { rate = 2 } }
  freeze "a", "**.b"
  optimize = 3
})");
  CHECK(render(result.diagnostics) == "");
  const auto& items = result.file->items;
  REQUIRE(items.size() == 7);
  CHECK(items[0].as<ast::Import>()->names.size() == 2);
  CHECK(items[0].as<ast::Import>()->path == "x.grad");
  CHECK(items[1].as<ast::Constant>()->name.text == "width");
  const auto* f = items[2].as<ast::Function>();
  CHECK(items[2].doc == "Doc of f.");
  CHECK(f->callable.parameters[1].doc == "the count");
  CHECK(f->callable.parameters[1].type->name.text == "int");
  CHECK_FALSE(f->callable.parameters[1].type->is_tensor);
  CHECK(f->callable.result->is_list);
  CHECK(f->callable.result->types[1].is_tensor);
  CHECK(f->callable.result->types[1].dims.empty());
  CHECK(f->callable.body.expr);
  CHECK(items[3].as<ast::Function>()->callable.kind == ast::CallableKind::Layer);
  CHECK(items[4].as<ast::Optimizer>()->gradient.text == "gradient");
  CHECK(ast::defined_name(items[5])->text == "m");
  CHECK(ast::defined_name(items[6]) == nullptr);
  const auto* train = items[6].as<ast::Train>();
  REQUIRE(train->entries.size() == 6);
  CHECK(train->entries[1].as<ast::Setting>()->key.text == "optimizer");
  CHECK(train->entries[2].as<ast::Optimize>()->loss.text == "loss");
  const auto* critic = train->entries[3].as<ast::Optimize>();
  CHECK(critic->entries[1].as<ast::Group>()->patterns.size() == 2);
  CHECK(train->entries[4].as<ast::Freeze>()->patterns[1].text == "**.b");
  CHECK(train->entries[5].as<ast::Setting>()->key.text == "optimize");
}

TEST_CASE("a statement of each kind") {
  const Read result = read(R"(model m(x: f32[n]) {
  var a: f32[n] = x; b = a
  [c, _, d,] = split(x, 3, axis = 0)
  a := a + 1
  param p: f32[n, 2 * n] = zeros
  state s: f32[] = 0
  shared g = dense(units = 3)
  shared h = layer(x) => x
  shared k = judge
  loss = mean(a)
  loss other = mean(b)
  ## What comes out.
  output y = a
  metric z = b
  penalty 0.1 * sum(p)
  require n > 0, "n is {n}"
  for i in range(3) { e = i }
  if a { f = 1 } else if b { f = 2 } else { f = 3 }
  scan [u, v] in [x, x], axis = 0, reverse = true { carry q = 0.0; q := q + u; collect w = v }
  scan t in 3 { }
})");
  CHECK(render(result.diagnostics) == "");
  const auto& body = result.file->items[0].as<ast::Model>()->callable.body.block.statements;
  REQUIRE(body.size() == 19);
  CHECK(body[0].as<ast::Binding>()->is_var);
  CHECK(body[0].as<ast::Binding>()->type->is_tensor);
  CHECK_FALSE(body[1].as<ast::Binding>()->is_var);
  CHECK(body[2].as<ast::Unpack>()->names[1].is_discard());
  CHECK(body[3].as<ast::Update>()->name.text == "a");
  CHECK(body[4].as<ast::Declare>()->kind == ast::DeclareKind::Param);
  CHECK(body[5].as<ast::Declare>()->kind == ast::DeclareKind::State);
  CHECK(body[6].as<ast::Shared>()->arguments.size() == 1);
  CHECK(body[7].as<ast::Shared>()->lambda);
  CHECK(body[8].as<ast::Shared>()->layer->text == "judge");
  CHECK(body[9].as<ast::Publish>()->name->text == "loss");
  CHECK(body[10].as<ast::Publish>()->name->text == "other");
  CHECK(body[11].doc == "What comes out.");
  CHECK(body[13].as<ast::Publish>()->kind == ast::PublishKind::Penalty);
  CHECK(body[14].as<ast::Require>()->message == "n is {n}");
  CHECK(body[15].as<ast::For>()->variable.text == "i");
  CHECK(body[16].as<ast::If>()->branches.size() == 2);
  CHECK(body[16].as<ast::If>()->otherwise);
  CHECK(body[17].as<ast::Scan>()->is_list);
  CHECK(body[17].as<ast::Scan>()->options[1].name->text == "reverse");
  CHECK(body[17].as<ast::Scan>()->body.statements.size() == 3);
  CHECK(body[16].span.text().starts_with("if a {"));
  CHECK(body[16].span.text().ends_with("f = 3 }"));
}

TEST_CASE("after an error reading goes on") {
  const Read result = read("fn f(x) {\n a = )\n b = 1\n c = (\n d = [1, 2\n return b\n}\ny = 3\n");
  CHECK(result.diagnostics.error_count() == 2);
  REQUIRE(result.file->items.size() == 2);
  const auto& body = result.file->items[0].as<ast::Function>()->callable.body.block.statements;
  REQUIRE(body.size() == 2);
  CHECK(body[0].as<ast::Binding>()->name.text == "b");
  CHECK(body[1].as<ast::Return>());
  CHECK(result.file->unread_words.contains("d"));
}

TEST_CASE("at most twenty errors are shown") {
  const Read result = read(repeat("a = )\n", 1000));
  CHECK(result.diagnostics.error_count() == 20);
}

TEST_CASE("nesting has a counted limit") {
  const auto nested = [](const std::string& open, const std::string& middle,
                         const std::string& close, int count) {
    return read("a = " + repeat(open, count) + middle + repeat(close, count)).diagnostics;
  };
  CHECK_FALSE(nested("(", "1", ")", 256).has_errors());
  CHECK_FALSE(nested("-", "1", "", 256).has_errors());
  for (const int count : {257, 5000, 1'000'000}) {
    CHECK(nested("(", "1", ")", count).error_count() == 1);
    CHECK(nested("[", "1", "]", count).error_count() == 1);
    CHECK(nested("f(", "1", ")", count).error_count() == 1);
    CHECK(nested("x[", "1", "]", count).error_count() == 1);
    CHECK(nested("-", "1", "", count).error_count() == 1);
    CHECK(nested("not ", "true", "", count).error_count() == 1);
    CHECK(nested("2 ** ", "2", "", count).error_count() == 1);
    CHECK(nested("fn() => ", "1", "", count).error_count() == 1);
    CHECK(nested("fn() { return ", "1", " }", count).error_count() >= 1);
    CHECK(nested("if c { ", "1", " } else { 1 }", count).error_count() >= 1);
  }
  for (const int count : {2000, 1'000'000}) {
    CHECK(read("a = 1" + repeat(" + 1", count)).diagnostics.error_count() == 1);
    CHECK(read("a = f" + repeat("(1)", count)).diagnostics.error_count() == 1);
    CHECK(read("a = b" + repeat(".c", count)).diagnostics.error_count() == 1);
    CHECK(read("fn f() {" + repeat("if c {", count)).diagnostics.error_count() >= 1);
    CHECK(read("fn f() {" + repeat("for i in c {", count)).diagnostics.error_count() >= 1);
  }
  CHECK_FALSE(read("a = 1" + repeat(" + 1", 1000)).diagnostics.has_errors());
  CHECK_FALSE(
      read("fn f() { if a { }" + repeat(" else if b { }", 100'000) + "}").diagnostics.has_errors());
}

TEST_CASE("heights of lambdas count what is inside them") {
  Diagnostics diagnostics;
  const auto source = Source::make("t", "fn() { return 1" + repeat(" + 1", 900) + " }");
  const ast::ExprPtr expr = parse_expression(source, diagnostics);
  REQUIRE(expr);
  CHECK(expr->height > 900);
}

TEST_CASE("large files are read in linear time") {
  const std::string line = "x = [" + repeat("1, ", 1'000'000) + "1]\n";
  CHECK(seconds_of([&] { CHECK_FALSE(read(line).diagnostics.has_errors()); }) < 20);
  CHECK(seconds_of([&] { CHECK(read(repeat("(", 10'000'000)).diagnostics.has_errors()); }) < 20);
  CHECK(seconds_of([&] { CHECK(read(repeat("// (", 2'000'000)).diagnostics.has_errors()); }) < 20);
  CHECK(seconds_of(
            [&] { CHECK(read(repeat("\n", 10'000'000)).diagnostics.has_errors() == false); }) < 20);
  const Read many = read("x = [" + repeat("1, ", 3'000'000) + "1]\n");
  REQUIRE(many.diagnostics.error_count() == 1);
  CHECK(many.diagnostics.sorted()[0]->code == "E0108");
  const Read huge = read(std::string(kMaxFileBytes + 1, ' '));
  REQUIRE(huge.diagnostics.error_count() == 1);
  CHECK(huge.diagnostics.sorted()[0]->code == "E0110");
}

TEST_CASE("one expression and nothing behind it") {
  CHECK(parsed("adam(1e-3, beta_1 = 0.5)").starts_with("adam{"));
  CHECK(parsed("[1, 2] 3").starts_with("error[E0101] t:1:8"));
  CHECK(parsed("").starts_with("error[E0101] t:1:1"));
  CHECK(parsed("\n 3 \n") == "3");
}
