// Expressions of model text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "frontend/parser.h"

namespace gradc {
namespace {

using ast::BinaryOp;
using ast::Expr;
using ast::ExprPtr;

/// Binding strength, from `or` to `*`; unary minus, `**` and postfix bind tighter.
enum Level : int { kOr = 1, kAnd, kNot, kComparison, kSum, kProduct };

struct BinaryRule {
  TokenKind token;
  BinaryOp op;
  int level;
};

constexpr std::array kBinaryRules = {
    BinaryRule{TokenKind::Or, BinaryOp::Or, kOr},
    BinaryRule{TokenKind::And, BinaryOp::And, kAnd},
    BinaryRule{TokenKind::EqualEqual, BinaryOp::Equal, kComparison},
    BinaryRule{TokenKind::NotEqual, BinaryOp::NotEqual, kComparison},
    BinaryRule{TokenKind::Less, BinaryOp::Less, kComparison},
    BinaryRule{TokenKind::LessEqual, BinaryOp::LessEqual, kComparison},
    BinaryRule{TokenKind::Greater, BinaryOp::Greater, kComparison},
    BinaryRule{TokenKind::GreaterEqual, BinaryOp::GreaterEqual, kComparison},
    BinaryRule{TokenKind::Plus, BinaryOp::Add, kSum},
    BinaryRule{TokenKind::Minus, BinaryOp::Subtract, kSum},
    BinaryRule{TokenKind::Star, BinaryOp::Multiply, kProduct},
    BinaryRule{TokenKind::Slash, BinaryOp::Divide, kProduct},
    BinaryRule{TokenKind::SlashSlash, BinaryOp::FloorDivide, kProduct},
    BinaryRule{TokenKind::Percent, BinaryOp::Remainder, kProduct},
    BinaryRule{TokenKind::At, BinaryOp::MatMul, kProduct},
};

const BinaryRule* find_rule(TokenKind kind) {
  const auto rule = std::ranges::find(kBinaryRules, kind, &BinaryRule::token);
  return rule == kBinaryRules.end() ? nullptr : &*rule;
}

}  // namespace

uint32_t Parser::height(std::initializer_list<const Expr*> children) {
  uint32_t highest = 0;
  for (const Expr* child : children)
    if (child) highest = std::max(highest, child->height);
  return highest;
}

ExprPtr Parser::expression() { return binary(kOr); }

/// Operators of level `lowest` and tighter, left associative; comparisons do not chain.
ExprPtr Parser::binary(int lowest) {
  ExprPtr left = operand(lowest);
  bool is_comparison = false;
  while (const BinaryRule* rule = find_rule(peek().kind)) {
    if (rule->level < lowest) break;
    if (rule->level == kComparison && is_comparison)
      fail("E0112", span(peek()), "comparisons do not chain",
           "write a < b and b < c, or put one comparison in parentheses");
    const Token op = take();
    ExprPtr right = binary(rule->level + 1);
    const Span whole = join(left->span, right->span);
    const uint32_t children = height({left.get(), right.get()});
    left =
        make(whole, ast::Binary{rule->op, span(op), std::move(left), std::move(right)}, children);
    is_comparison = rule->level == kComparison;
  }
  return left;
}

ExprPtr Parser::operand(int lowest) {
  const Token token = peek();
  if (token.kind != TokenKind::Not) return power();
  if (lowest > kNot) fail_expected("an operand", "put `not …` in parentheses");
  const NestingGuard guard(*this, token);
  take();
  ExprPtr value = binary(kNot);
  const uint32_t children = value->height;
  return make(span_from(token.begin), ast::Unary{ast::UnaryOp::Not, std::move(value)}, children);
}

/// unary = "-" unary | postfix [ "**" unary ]
ExprPtr Parser::power() {
  const Token token = peek();
  if (token.kind == TokenKind::Minus) {
    const NestingGuard guard(*this, token);
    take();
    ExprPtr value = power();
    const uint32_t children = value->height;
    return make(span_from(token.begin), ast::Unary{ast::UnaryOp::Negate, std::move(value)},
                children);
  }
  ExprPtr base = postfix();
  if (!at(TokenKind::StarStar)) return base;
  const NestingGuard guard(*this, peek());
  const Token op = take();
  ExprPtr exponent = power();
  const Span whole = join(base->span, exponent->span);
  const uint32_t children = height({base.get(), exponent.get()});
  return make(whole, ast::Binary{BinaryOp::Power, span(op), std::move(base), std::move(exponent)},
              children);
}

ExprPtr Parser::postfix() {
  ExprPtr value = primary();
  while (true) {
    switch (peek().kind) {
      case TokenKind::LeftParen:
        value = call(std::move(value));
        break;
      case TokenKind::LeftBracket:
        value = index(std::move(value));
        break;
      case TokenKind::Dot:
        value = member(std::move(value));
        break;
      default:
        return value;
    }
  }
}

ExprPtr Parser::call(ExprPtr callee) {
  std::vector<ast::Argument> all = arguments();
  uint32_t highest = callee->height;
  for (const ast::Argument& one : all) highest = std::max(highest, one.value->height);
  const uint32_t begin = callee->span.begin;
  return make(span_from(begin), ast::Call{std::move(callee), std::move(all)}, highest);
}

ExprPtr Parser::index(ExprPtr base) {
  const Token open = take();
  const NestingGuard guard(*this, open);
  std::vector<ExprPtr> items;
  uint32_t highest = base->height;
  bool has_rest = false;
  do {
    items.push_back(index_item());
    const bool is_rest = items.back()->as<ast::Ellipsis>();
    if (is_rest && has_rest)
      fail("E0105", items.back()->span, "an index has only one `...`",
           "an axis that stays whole is written `:`");
    has_rest = has_rest || is_rest;
    highest = std::max(highest, items.back()->height);
  } while (accept(TokenKind::Comma) && !at(TokenKind::RightBracket));
  close(TokenKind::RightBracket, open);
  const uint32_t begin = base->span.begin;
  return make(span_from(begin), ast::Index{std::move(base), std::move(items)}, highest);
}

/// index = "..." | [ expr ] ":" [ expr ] | expr
ExprPtr Parser::index_item() {
  const Token first = peek();
  if (accept(TokenKind::Ellipsis)) return make(span(first), ast::Ellipsis{});
  ExprPtr lower;
  if (first.kind != TokenKind::Colon) {
    lower = expression();
    if (!at(TokenKind::Colon)) return lower;
  }
  take();
  ExprPtr upper;
  const bool has_upper =
      !at(TokenKind::Comma) && !at(TokenKind::RightBracket) && !at(TokenKind::Colon);
  if (has_upper) upper = expression();
  if (at(TokenKind::Colon))
    fail("E0101", span(peek()), "a slice is lower:upper and has no step",
         "with a step: gather(x, tensor(range(lower, upper, step)), axis); backwards: "
         "reverse(x, axis)");
  const uint32_t children = height({lower.get(), upper.get()});
  return make(span_from(first.begin), ast::Slice{std::move(lower), std::move(upper)}, children);
}

ExprPtr Parser::member(ExprPtr base) {
  take();
  const Token token = peek();
  ast::Name segment;
  if (token.kind == TokenKind::Int) {
    take();
    segment = {std::string(span(token).text()), span(token), false};
  } else {
    segment = name("a segment of a path");
  }
  const uint32_t begin = base->span.begin;
  const uint32_t children = base->height;
  return make(span_from(begin), ast::Member{std::move(base), std::move(segment)}, children);
}

ExprPtr Parser::primary() {
  const Token token = peek();
  const auto simple = [&](auto node) {
    take();
    return make(span(token), std::move(node));
  };
  switch (token.kind) {
    case TokenKind::Int:
    case TokenKind::Float:
      return number();
    case TokenKind::String:
      return make(span(token), string_literal());
    case TokenKind::True:
    case TokenKind::False:
      return simple(ast::Bool{token.kind == TokenKind::True});
    case TokenKind::None:
      return simple(ast::None{});
    case TokenKind::Training:
      return simple(ast::Training{});
    case TokenKind::Frozen:
      return simple(ast::Frozen{});
    case TokenKind::Identifier:
    case TokenKind::DTypeWord:
    case TokenKind::Loss:
      return simple(ast::NameRef{lexer_.identifier(token), token.is_quoted});
    case TokenKind::LeftParen:
      return grouped();
    case TokenKind::LeftBracket:
      return list();
    case TokenKind::Fn:
    case TokenKind::Layer:
      return lambda();
    case TokenKind::If:
      return choice();
    default:
      fail_expected("an expression");
  }
}

ExprPtr Parser::number() {
  const Token token = take();
  std::string digits(span(token).text());
  std::erase(digits, '_');
  ast::Number value{.is_float = token.kind == TokenKind::Float};
  const char* end = digits.data() + digits.size();
  const auto as_float = std::from_chars(digits.data(), end, value.float_value);
  std::from_chars_result as_int{end, std::errc()};
  if (!value.is_float) as_int = std::from_chars(digits.data(), end, value.int_value);
  if (as_float.ec != std::errc() || as_int.ec != std::errc())
    fail("E0106", span(token), "the number is out of range",
         value.is_float ? "floats have 64 bits" : "ints have 64 bits; with a point it is a float");
  return make(span(token), value);
}

ast::String Parser::string_literal() {
  const Token token = expect(TokenKind::String, "a string in double quotes");
  return {lexer_.string_value(token)};
}

ExprPtr Parser::grouped() {
  const Token open = take();
  const NestingGuard guard(*this, open);
  ExprPtr value = expression();
  close(TokenKind::RightParen, open);
  return value;
}

/// `...` or an expression.
ExprPtr Parser::element() {
  const Token token = peek();
  if (accept(TokenKind::Ellipsis)) return make(span(token), ast::Ellipsis{});
  return expression();
}

ExprPtr Parser::list() {
  const Token open = take();
  const NestingGuard guard(*this, open);
  std::vector<ExprPtr> elements;
  uint32_t highest = 0;
  while (!at(TokenKind::RightBracket)) {
    elements.push_back(element());
    highest = std::max(highest, elements.back()->height);
    if (elements.size() == 1 && at(TokenKind::For))
      return comprehension(open, std::move(elements.front()));
    if (!accept(TokenKind::Comma)) break;
  }
  close(TokenKind::RightBracket, open);
  return make(span_from(open.begin), ast::List{std::move(elements)}, highest);
}

ExprPtr Parser::comprehension(const Token& open, ExprPtr value) {
  take();
  ast::Name variable = name("the name of an element");
  if (!at_word("in")) fail_expected("`in`");
  take();
  ExprPtr sequence = expression();
  ExprPtr condition;
  if (accept(TokenKind::If)) condition = expression();
  close(TokenKind::RightBracket, open);
  const uint32_t children = height({value.get(), sequence.get(), condition.get()});
  return make(span_from(open.begin),
              ast::Comprehension{std::move(value), std::move(variable), std::move(sequence),
                                 std::move(condition)},
              children);
}

ExprPtr Parser::lambda() {
  const Token word = take();
  const NestingGuard guard(*this, word);
  const uint32_t outside = std::exchange(high_water_, 0);
  auto callable = std::make_unique<ast::Callable>();
  callable->kind = word.kind == TokenKind::Fn ? ast::CallableKind::Fn : ast::CallableKind::Layer;
  if (!at(TokenKind::LeftParen))
    fail_expected(
        "`(`", fmt::format("a function without a name is written {}(x) => …", span(word).text()));
  callable->parameters = parameters();
  callable->body = body();
  callable->span = span_from(word.begin);
  const uint32_t inside = high_water_;
  high_water_ = std::max(outside, inside);
  const Span whole = callable->span;
  return make(whole, ast::Lambda{std::move(callable)}, inside);
}

ExprPtr Parser::choice() {
  const Token word = peek();
  const NestingGuard guard(*this, word);
  ast::Choice choice;
  uint32_t highest = 0;
  while (true) {
    expect(TokenKind::If, "`if`");
    ExprPtr condition = expression();
    ExprPtr value = braced_expression();
    highest = std::max(highest, height({condition.get(), value.get()}));
    choice.branches.push_back({std::move(condition), std::move(value)});
    if (!at(TokenKind::Else))
      fail_expected("`else`", "a choice has a value in both cases: if c { a } else { b }");
    take();
    if (!at(TokenKind::If)) break;
  }
  choice.otherwise = braced_expression();
  highest = std::max(highest, choice.otherwise->height);
  return make(span_from(word.begin), std::move(choice), highest);
}

ExprPtr Parser::braced_expression() {
  const Token open = expect(TokenKind::LeftBrace, "`{`");
  skip_newlines();
  ExprPtr value = expression();
  skip_newlines();
  close(TokenKind::RightBrace, open);
  return value;
}

/// arguments = "(" [ argument { "," argument } [ "," ] ] ")"
std::vector<ast::Argument> Parser::arguments() {
  const Token open = expect(TokenKind::LeftParen, "`(`");
  const NestingGuard guard(*this, open);
  std::vector<ast::Argument> all;
  bool has_named = false;
  while (!at(TokenKind::RightParen)) {
    all.push_back(argument());
    const ast::Argument& last = all.back();
    if (has_named && !last.name)
      fail("E0113", last.value->span, "a positional argument cannot follow a named one",
           "name it too, or put it first");
    has_named = last.name.has_value();
    if (!accept(TokenKind::Comma)) break;
  }
  close(TokenKind::RightParen, open);
  return all;
}

ast::Argument Parser::argument() {
  ast::Argument argument;
  if (peek(1).kind == TokenKind::Assign) {
    argument.name = name("the name of an argument");
    take();
  }
  argument.value = expression();
  return argument;
}

}  // namespace gradc
