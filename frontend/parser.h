// Recursive descent over the grammar of docs/language.md; parse.h is the way in.
//
// A syntax error is reported where it is found and thrown as ParseFailure; the statement, item or
// entry it is in is dropped and reading goes on behind it. Depth is counted (NestingGuard), so the
// host stack is never the limit.
#pragma once
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"
#include "frontend/lexer.h"
#include "frontend/parse.h"

namespace gradc {

/// The error was reported; skip to the next statement.
struct ParseFailure {};
/// Nothing more can be read of this file.
struct ParseAbort {};

class Parser {
 public:
  Parser(SourcePtr source, Diagnostics& diagnostics);

  ast::File file();
  ast::ExprPtr only_expression();

 private:
  /// Counts one level while it lives; throws ParseFailure at kMaxNesting.
  class NestingGuard {
   public:
    NestingGuard(Parser& parser, const Token& at);
    ~NestingGuard() { --parser_.depth_; }
    NestingGuard(const NestingGuard&) = delete;
    NestingGuard& operator=(const NestingGuard&) = delete;

   private:
    Parser& parser_;
  };

  // Tokens (parser.cpp).
  const Token& peek(size_t ahead = 0);
  Token take();
  bool at(TokenKind kind) { return peek().kind == kind; }
  bool at_word(std::string_view word);
  bool accept(TokenKind kind);
  Token expect(TokenKind kind, std::string_view what);
  /// Expects the bracket that closes `open`.
  Token close(TokenKind kind, const Token& open);
  void skip_newlines();
  void end_statement();
  void skip_statement(uint32_t brace_depth);
  void note_unread_words(uint32_t begin);
  void note_unclosed();
  /// Runs `read`, and after a ParseFailure skips the rest of the statement. False after a failure.
  template <typename Read>
  bool recover(Read&& read);

  // Errors (parser.cpp).
  [[noreturn]] void fail(std::string code, Span span, std::string message, std::string help = {});
  [[noreturn]] void fail_expected(std::string_view what, std::string help = {});
  std::string remedy_at(const Token& token);
  bool is_slashes_comment(const Token& token) const;
  std::string found(const Token& token) const;
  Span span(const Token& token) const { return lexer_.span(token); }
  /// From `begin` to the end of the last token taken.
  Span span_from(uint32_t begin) const { return {source_.get(), begin, last_end_}; }
  std::string doc(const Token& token) const;

  // Names (parser.cpp).
  ast::Name name(std::string_view what);
  ast::Name type_name();
  std::vector<ast::Name> names(std::string_view what);

  // Expressions (parse_expression.cpp).
  template <typename Node>
  ast::ExprPtr make(Span span, Node node, uint32_t height_of_children = 0);
  static uint32_t height(std::initializer_list<const ast::Expr*> children);
  ast::ExprPtr expression();
  ast::ExprPtr binary(int lowest);
  ast::ExprPtr operand(int lowest);
  ast::ExprPtr power();
  ast::ExprPtr postfix();
  ast::ExprPtr call(ast::ExprPtr callee);
  ast::ExprPtr index(ast::ExprPtr base);
  ast::ExprPtr index_item();
  ast::ExprPtr member(ast::ExprPtr base);
  ast::ExprPtr primary();
  ast::ExprPtr number();
  ast::ExprPtr grouped();
  ast::ExprPtr list();
  ast::ExprPtr comprehension(const Token& open, ast::ExprPtr element);
  ast::ExprPtr lambda();
  ast::ExprPtr choice();
  ast::ExprPtr braced_expression();
  ast::ExprPtr element();
  std::vector<ast::Argument> arguments();
  ast::Argument argument();
  ast::String string_literal();

  // Types, parameters and bodies (parse_item.cpp).
  ast::Type type();
  ast::Result result();
  std::vector<ast::Parameter> parameters();
  ast::Parameter parameter();
  ast::Body body();

  // Statements (parse_statement.cpp).
  ast::Block block();
  void statements_until_brace(const Token& open, std::vector<ast::Statement>& statements);
  bool at_item_start();
  ast::Statement statement();
  ast::Statement::Node statement_node();
  ast::Binding binding(bool is_var);
  ast::Unpack unpack();
  ast::Declare declare(ast::DeclareKind kind);
  ast::Shared shared();
  ast::Publish publish(ast::PublishKind kind);
  void report_missing_name(const Token& word, ast::PublishKind kind);
  ast::Require require();
  ast::For for_statement();
  ast::If if_statement();
  ast::Scan scan();

  // Items (parse_item.cpp).
  ast::Item item();
  ast::Item::Node item_node();
  ast::Import import();
  ast::Function function();
  ast::Optimizer optimizer();
  ast::Model model();
  ast::Train train();
  std::vector<ast::Entry> entries();
  ast::Entry entry();
  ast::Entry::Node entry_node();
  std::vector<ast::Pattern> patterns();

  SourcePtr source_;
  Diagnostics& diagnostics_;
  Lexer lexer_;
  std::deque<Token> ahead_;
  uint32_t last_end_ = 0;
  int depth_ = 0;
  int64_t expression_count_ = 0;
  /// The greatest height of an expression since the innermost lambda began.
  uint32_t high_water_ = 0;
  /// The last `//` token taken, if on the current line.
  Token slashes_;
  bool has_slashes_ = false;
  /// Where a `}` was found missing, so that it is said once.
  uint32_t unclosed_at_ = UINT32_MAX;
  std::unordered_set<std::string> unread_words_;
};

template <typename Read>
bool Parser::recover(Read&& read) {
  const uint32_t brace_depth = peek().brace_depth;
  const uint32_t begin = peek().begin;
  try {
    read();
    return true;
  } catch (const ParseFailure&) {
    if (diagnostics_.is_full()) throw ParseAbort{};
    skip_statement(brace_depth);
    note_unread_words(begin);
    return false;
  }
}

template <typename Node>
ast::ExprPtr Parser::make(Span span, Node node, uint32_t height_of_children) {
  if (++expression_count_ > kMaxExpressions) {
    diagnostics_.report(error("E0108", span, "the file has more than 2000000 expressions")
                            .with_help("read large tables from data files"));
    throw ParseAbort{};
  }
  if (height_of_children >= kMaxHeight)
    fail("E0108", span, "the expression is too deep: more than 1024 operators in a row",
         "name parts of it");
  const uint32_t height = height_of_children + 1;
  high_water_ = std::max(high_water_, height);
  return std::make_unique<ast::Expr>(ast::Expr{span, height, std::move(node)});
}

}  // namespace gradc
