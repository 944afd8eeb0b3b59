// Definitions of model text: files, imports, functions, optimizers, models, types; the train block.
#include <fmt/format.h>

#include "frontend/parser.h"

namespace gradc {

ast::File Parser::file() {
  ast::File file;
  file.source = source_;
  try {
    while (true) {
      skip_newlines();
      if (at(TokenKind::EndOfFile)) break;
      if (at(TokenKind::RightBrace)) {
        const Token brace = take();
        diagnostics_.report(error("E0102", span(brace), "`}` closes nothing"));
        continue;
      }
      recover([&] {
        file.items.push_back(item());
        end_statement();
      });
    }
  } catch (const ParseAbort&) {
  }
  file.unread_words = std::move(unread_words_);
  return file;
}

ast::ExprPtr Parser::only_expression() {
  try {
    skip_newlines();
    ast::ExprPtr value = expression();
    skip_newlines();
    if (!at(TokenKind::EndOfFile)) fail_expected("the end of the expression");
    return value;
  } catch (const ParseFailure&) {
  } catch (const ParseAbort&) {
  }
  return nullptr;
}

ast::Item Parser::item() {
  const Token first = peek();
  ast::Item item;
  item.doc = doc(first);
  item.node = item_node();
  item.span = span_from(first.begin);
  return item;
}

ast::Item::Node Parser::item_node() {
  switch (peek().kind) {
    case TokenKind::Import:
      return import();
    case TokenKind::Fn:
    case TokenKind::Layer:
      return function();
    case TokenKind::Optimizer:
      return optimizer();
    case TokenKind::Model:
      return model();
    case TokenKind::Train:
      return train();
    case TokenKind::Identifier:
      break;
    default:
      if (peek(1).kind == TokenKind::Assign) name("a name to define");
      fail_expected("a definition (import, name = …, fn, layer, optimizer, model or train)",
                    is_reserved_word(peek().kind) ? "statements stand inside definitions" : "");
  }
  ast::Name constant = name("a name to define");
  if (!at(TokenKind::Assign)) {
    const bool is_definition = constant.text == "def" || constant.text == "function";
    const bool is_class = constant.text == "class";
    if (is_definition || is_class)
      fail("E0101", constant.span,
           fmt::format("`{}` is not a word of this language", constant.text),
           is_class ? "a layer is written: layer NAME(x: float[…], units: int) { … }"
                    : "definitions start with `fn`, or with `layer` where they own parameters");
    fail_expected("`=`");
  }
  take();
  return ast::Constant{std::move(constant), expression()};
}

ast::Import Parser::import() {
  take();
  ast::Import import;
  import.names = names("a name to import");
  if (!at_word("from")) fail_expected("`from`", "import NAME from \"FILE.grad\"");
  take();
  const Token path = peek();
  import.path = string_literal().text;
  import.path_span = span(path);
  return import;
}

ast::Function Parser::function() {
  const Token word = take();
  ast::Function function;
  function.name = name("the name of the definition");
  function.callable.kind =
      word.kind == TokenKind::Fn ? ast::CallableKind::Fn : ast::CallableKind::Layer;
  function.callable.parameters = parameters();
  if (accept(TokenKind::Arrow)) function.callable.result = result();
  function.callable.body = body();
  function.callable.span = span_from(word.begin);
  return function;
}

ast::Optimizer Parser::optimizer() {
  const Token word = take();
  ast::Optimizer optimizer;
  optimizer.name = name("the name of the optimizer");
  optimizer.callable.kind = ast::CallableKind::Optimizer;
  optimizer.callable.parameters = parameters();
  if (!at(TokenKind::For))
    fail_expected("`for`", "optimizer NAME(settings) for value, gradient { … }");
  take();
  optimizer.value = name("a name for the value");
  expect(TokenKind::Comma, "`,` and a name for the gradient");
  optimizer.gradient = name("a name for the gradient");
  optimizer.callable.body.block = block();
  optimizer.callable.span = span_from(word.begin);
  return optimizer;
}

ast::Model Parser::model() {
  const Token word = take();
  ast::Model model;
  model.name = name("the name of the model");
  model.callable.kind = ast::CallableKind::Model;
  model.callable.parameters = parameters();
  model.callable.body.block = block();
  model.callable.span = span_from(word.begin);
  return model;
}

std::vector<ast::Parameter> Parser::parameters() {
  const Token open = expect(TokenKind::LeftParen, "`(` and the parameters");
  const NestingGuard guard(*this, open);
  std::vector<ast::Parameter> all;
  while (!at(TokenKind::RightParen)) {
    all.push_back(parameter());
    if (!accept(TokenKind::Comma)) break;
  }
  close(TokenKind::RightParen, open);
  return all;
}

ast::Parameter Parser::parameter() {
  const Token first = peek();
  ast::Parameter parameter;
  parameter.doc = doc(first);
  parameter.name = name("the name of a parameter");
  if (at(TokenKind::DTypeWord))
    fail_expected("`:`", fmt::format("{}: {}…", parameter.name.text, span(peek()).text()));
  if (accept(TokenKind::Colon)) parameter.type = type();
  if (accept(TokenKind::Assign)) parameter.default_value = expression();
  parameter.span = span_from(first.begin);
  return parameter;
}

/// type = ( IDENT | "fn" | "layer" ) | IDENT "[" [ dim { "," dim } ] "]"
ast::Type Parser::type() {
  const Token first = peek();
  ast::Type type;
  const bool is_kind_word = first.kind == TokenKind::Fn || first.kind == TokenKind::Layer;
  if (is_kind_word || first.kind == TokenKind::DTypeWord) {
    take();
    type.name = {std::string(span(first).text()), span(first), false};
  } else {
    if (first.kind != TokenKind::Identifier)
      fail_expected("a type", "for instance int, float, fn, f32[] or float[batch, width]");
    type.name = name("a type");
  }
  if (!is_kind_word && at(TokenKind::LeftBracket)) {
    const Token open = take();
    const NestingGuard guard(*this, open);
    type.is_tensor = true;
    while (!at(TokenKind::RightBracket)) {
      type.dims.push_back(element());
      if (!accept(TokenKind::Comma)) break;
    }
    close(TokenKind::RightBracket, open);
  }
  type.span = span_from(first.begin);
  return type;
}

ast::Result Parser::result() {
  const Token first = peek();
  ast::Result result;
  if (first.kind == TokenKind::LeftBracket) {
    take();
    result.is_list = true;
    do {
      result.types.push_back(type());
    } while (accept(TokenKind::Comma) && !at(TokenKind::RightBracket));
    close(TokenKind::RightBracket, first);
  } else {
    result.types.push_back(type());
  }
  result.span = span_from(first.begin);
  return result;
}

ast::Body Parser::body() {
  ast::Body body;
  if (accept(TokenKind::FatArrow)) {
    body.expr = expression();
    return body;
  }
  if (!at(TokenKind::LeftBrace))
    fail_expected("`=>` or `{`", at(TokenKind::Assign) ? "a short body is written => …" : "");
  body.block = block();
  return body;
}

ast::Train Parser::train() {
  take();
  ast::Train train;
  train.model = name("the name of a model");
  if (at(TokenKind::LeftParen)) train.arguments = arguments();
  train.entries = entries();
  return train;
}

std::vector<ast::Entry> Parser::entries() {
  const Token open = expect(TokenKind::LeftBrace, "`{` and the settings");
  const NestingGuard guard(*this, open);
  std::vector<ast::Entry> all;
  while (true) {
    skip_newlines();
    if (accept(TokenKind::RightBrace)) return all;
    if (at(TokenKind::EndOfFile) || at_item_start()) {
      if (unclosed_at_ != peek().begin)
        diagnostics_.report(error("E0102", span(open), "`{` is never closed")
                                .note("reading stopped here", span(peek())));
      note_unclosed();
      return all;
    }
    recover([&] {
      all.push_back(entry());
      end_statement();
    });
  }
}

ast::Entry Parser::entry() {
  const Token first = peek();
  ast::Entry entry;
  entry.node = entry_node();
  entry.span = span_from(first.begin);
  return entry;
}

ast::Entry::Node Parser::entry_node() {
  const bool is_setting = peek(1).kind == TokenKind::Assign;
  if (at_word("optimize") && !is_setting) {
    take();
    ast::Optimize optimize;
    const Token loss = peek();
    if (accept(TokenKind::Loss)) {
      optimize.loss = {"loss", span(loss), false};
    } else {
      optimize.loss = name("the name of a loss");
    }
    optimize.entries = entries();
    return optimize;
  }
  if (at_word("group") && !is_setting) {
    take();
    ast::Group group;
    group.patterns = patterns();
    group.entries = entries();
    return group;
  }
  if (at_word("freeze") && !is_setting) {
    take();
    return ast::Freeze{patterns()};
  }
  const Token key = peek();
  ast::Setting setting;
  if (accept(TokenKind::Optimizer)) {
    setting.key = {"optimizer", span(key), false};
  } else {
    setting.key = name("a setting");
  }
  if (at(TokenKind::Colon)) fail_expected("`=`", "settings are written key = value");
  expect(TokenKind::Assign, "`=`");
  setting.value = expression();
  return setting;
}

std::vector<ast::Pattern> Parser::patterns() {
  std::vector<ast::Pattern> all;
  do {
    const Token token = peek();
    if (token.kind != TokenKind::String)
      fail_expected("a pattern in double quotes", "for instance \"backbone.stem\" or \"**.bias\"");
    all.push_back({string_literal().text, span(token)});
  } while (accept(TokenKind::Comma));
  return all;
}

}  // namespace gradc
