// Statements of model text and the blocks they stand in.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/parser.h"

namespace gradc {

using ast::DeclareKind;
using ast::PublishKind;
using ast::Statement;

ast::Block Parser::block() {
  if (!at(TokenKind::LeftBrace)) fail_expected("`{`");
  const Token open = take();
  const NestingGuard guard(*this, open);
  ast::Block block;
  statements_until_brace(open, block.statements);
  block.span = span_from(open.begin);
  return block;
}

void Parser::statements_until_brace(const Token& open, std::vector<Statement>& statements) {
  while (true) {
    skip_newlines();
    if (accept(TokenKind::RightBrace)) return;
    const Token token = peek();
    if (token.kind == TokenKind::EndOfFile || at_item_start()) {
      if (unclosed_at_ != token.begin)
        diagnostics_.report(error("E0102", span(open), "`{` is never closed")
                                .note("reading stopped here", span(token)));
      note_unclosed();
      return;
    }
    recover([&] {
      statements.push_back(statement());
      end_statement();
    });
  }
}

/// The next token starts a definition and cannot start a statement.
bool Parser::at_item_start() {
  switch (peek().kind) {
    case TokenKind::Model:
    case TokenKind::Train:
    case TokenKind::Import:
      return peek(1).kind == TokenKind::Identifier;
    case TokenKind::Optimizer:
    case TokenKind::Fn:
    case TokenKind::Layer:
      return peek(1).kind == TokenKind::Identifier && peek(2).kind == TokenKind::LeftParen;
    default:
      return false;
  }
}

Statement Parser::statement() {
  const Token first = peek();
  Statement statement;
  statement.doc = doc(first);
  statement.node = statement_node();
  statement.span = span_from(first.begin);
  return statement;
}

Statement::Node Parser::statement_node() {
  switch (peek().kind) {
    case TokenKind::Var:
      take();
      return binding(true);
    case TokenKind::LeftBracket:
      return unpack();
    case TokenKind::Param:
      return declare(DeclareKind::Param);
    case TokenKind::State:
      return declare(DeclareKind::State);
    case TokenKind::Slot:
      return declare(DeclareKind::Slot);
    case TokenKind::Carry:
      return declare(DeclareKind::Carry);
    case TokenKind::Shared:
      return shared();
    case TokenKind::Loss:
      return publish(PublishKind::Loss);
    case TokenKind::Metric:
      return publish(PublishKind::Metric);
    case TokenKind::Output:
      return publish(PublishKind::Output);
    case TokenKind::Collect:
      return publish(PublishKind::Collect);
    case TokenKind::Penalty:
      return publish(PublishKind::Penalty);
    case TokenKind::Require:
      return require();
    case TokenKind::Return:
      take();
      return ast::Return{expression()};
    case TokenKind::For:
      return for_statement();
    case TokenKind::If:
      return if_statement();
    case TokenKind::Scan:
      return scan();
    case TokenKind::Identifier:
      if (peek(1).kind != TokenKind::Update) return binding(false);
      break;
    default:
      if (peek(1).kind == TokenKind::Assign || peek(1).kind == TokenKind::Update)
        name("a name to bind");
      fail_expected("a statement");
  }
  ast::Name target = name("a name");
  take();
  return ast::Update{std::move(target), expression()};
}

ast::Binding Parser::binding(bool is_var) {
  ast::Binding binding;
  binding.is_var = is_var;
  binding.name = name("a name to bind");
  const Token after = peek();
  if (accept(TokenKind::Colon)) binding.type = type();
  if (!at(TokenKind::Assign)) {
    const std::string& word = binding.name.text;
    if (after.kind == TokenKind::Identifier || after.kind == TokenKind::LeftParen) {
      std::string help = "a statement binds a name: name = …";
      if (word == "def") help = "definitions start with `fn` or `layer`";
      if (word == "elif") help = "write `else if` behind the `}`";
      if (word == "let" || word == "const") help = "write name = …, or var name = …";
      if (word == "while") help = "there is no `while`; `for` runs over lists";
      fail_expected("`=`", std::move(help));
    }
    fail_expected(binding.type ? "`=`" : "`=` or `:=`");
  }
  take();
  binding.value = expression();
  return binding;
}

ast::Unpack Parser::unpack() {
  const Token open = take();
  ast::Unpack unpack;
  unpack.names = names("a name to bind");
  close(TokenKind::RightBracket, open);
  expect(TokenKind::Assign, "`=`");
  unpack.value = expression();
  return unpack;
}

ast::Declare Parser::declare(DeclareKind kind) {
  const Token word = take();
  ast::Declare declare;
  declare.kind = kind;
  const std::string_view text = span(word).text();
  if (at(TokenKind::Assign) || at(TokenKind::Update))
    fail("E0105", span(word), fmt::format("`{}` is a reserved word, not a name", text),
         fmt::format("use another name, or write it in backquotes: `{}`", text));
  declare.name = name("a name to declare");
  const bool has_type = kind == DeclareKind::Param || kind == DeclareKind::State;
  if (has_type) {
    if (!at(TokenKind::Colon))
      fail_expected("`:` and a type", fmt::format("{} {}: float[…] = …", text, declare.name.text));
    take();
    declare.type = type();
  } else if (at(TokenKind::Colon)) {
    fail("E0101", span(peek()), fmt::format("a {} takes its type from its initial value", text),
         fmt::format("{} {} = …", text, declare.name.text));
  }
  if (!at(TokenKind::Assign))
    fail_expected("`=` and the initial value",
                  has_type ? "for instance = zeros" : "for instance = zeros_like(value)");
  take();
  declare.value = expression();
  return declare;
}

/// shared = "shared" IDENT "=" ( IDENT [ arguments ] | lambda )
ast::Shared Parser::shared() {
  take();
  ast::Shared shared;
  shared.name = name("the name of the instance");
  expect(TokenKind::Assign, "`=`");
  if (at(TokenKind::Fn) || at(TokenKind::Layer)) {
    shared.lambda = lambda();
    return shared;
  }
  shared.layer = name("the name of a layer");
  if (at(TokenKind::LeftParen)) shared.arguments = arguments();
  return shared;
}

ast::Publish Parser::publish(PublishKind kind) {
  const Token word = take();
  ast::Publish publish;
  publish.kind = kind;
  if (kind == PublishKind::Penalty) {
    if (at(TokenKind::Assign))
      fail("E0101", span(peek()), "a penalty has no name",
           "penalty strength * sum(square(kernel))");
    publish.value = expression();
    return publish;
  }
  if (at(TokenKind::Assign)) {
    if (kind == PublishKind::Loss) {
      publish.name = ast::Name{"loss", span(word), false};
    } else {
      report_missing_name(word, kind);
    }
  } else {
    publish.name = name("a name");
  }
  if (at(TokenKind::Update))
    fail("E0101", span(peek()), fmt::format("a {} is bound once, with `=`", span(word).text()));
  expect(TokenKind::Assign, "`=`");
  publish.value = expression();
  if (!publish.name) publish.name = ast::Name{"_", span(word), false};
  return publish;
}

/// `output = softmax(logits)`.
void Parser::report_missing_name(const Token& word, PublishKind kind) {
  const std::string_view text = span(word).text();
  const std::string_view example = kind == PublishKind::Output   ? "probabilities"
                                   : kind == PublishKind::Metric ? "accuracy"
                                                                 : "states";
  const std::string value = rest_of_line(source_->text(), peek().end);
  const bool starts_with_vowel = text.front() == 'o';
  diagnostics_.report(error("E0103", span(word),
                            fmt::format("{} {} needs a name", starts_with_vowel ? "an" : "a", text))
                          .with_help(fmt::format("{} {} = {}", text, example, value)));
}

ast::Require Parser::require() {
  take();
  ast::Require require;
  require.condition = expression();
  if (!at(TokenKind::Comma))
    fail_expected("`,` and the text of the error", "require width > 0, \"width is {width}\"");
  take();
  const Token text = peek();
  require.message = string_literal().text;
  require.message_span = span(text);
  return require;
}

ast::For Parser::for_statement() {
  take();
  ast::For loop;
  loop.variable = name("the name of an element");
  if (!at_word("in")) fail_expected("`in`");
  take();
  loop.sequence = expression();
  loop.body = block();
  return loop;
}

ast::If Parser::if_statement() {
  ast::If statement;
  while (true) {
    expect(TokenKind::If, "`if`");
    ast::ExprPtr condition = expression();
    ast::Block branch = block();
    statement.branches.push_back({std::move(condition), std::move(branch)});
    if (!accept(TokenKind::Else)) return statement;
    if (!at(TokenKind::If)) break;
  }
  statement.otherwise = block();
  return statement;
}

/// scan = "scan" ( IDENT | "[" names "]" ) "in" expr { "," IDENT "=" expr } block
ast::Scan Parser::scan() {
  take();
  ast::Scan scan;
  if (at(TokenKind::LeftBracket)) {
    const Token open = take();
    scan.is_list = true;
    scan.targets = names("the name of an element");
    close(TokenKind::RightBracket, open);
  } else {
    scan.targets.push_back(name("the name of an element"));
  }
  if (!at_word("in")) fail_expected("`in`");
  take();
  scan.sequence = expression();
  while (accept(TokenKind::Comma)) {
    ast::Argument option;
    option.name = name("`axis` or `reverse`");
    expect(TokenKind::Assign, "`=`");
    option.value = expression();
    scan.options.push_back(std::move(option));
  }
  scan.body = block();
  return scan;
}

}  // namespace gradc
