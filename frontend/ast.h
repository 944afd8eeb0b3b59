// The syntax tree of model text: one struct per construct of the grammar, each with its place.
//
// Expressions and statements are variants: visit `expr.node`, `statement.node`, `item.node`.
// Nodes own their children. Spans point into `File::source`, so keep the File (it is shared) as
// long as anything of it is used. The height of any expression is bounded (parse.h), so recursion
// over a tree is safe.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "frontend/source.h"

namespace gradc::ast {

struct Expr;
struct Statement;
struct Callable;
using ExprPtr = std::unique_ptr<Expr>;

/// `_` (not in backquotes) is a value thrown away or a dimension not named.
struct Name {
  std::string text;
  Span span;
  bool is_quoted = false;

  bool is_discard() const { return text == "_" && !is_quoted; }
};

// Expressions.

/// 12 is an int, 0.5 and 1e-3 are floats; `float_value` is set for both.
struct Number {
  bool is_float = false;
  int64_t int_value = 0;
  double float_value = 0;
};
struct String {
  std::string text;
};
struct Bool {
  bool value = false;
};
struct None {};
struct Training {};
struct Frozen {};
/// A name, a dtype word (`f32`) or the word `loss`.
struct NameRef {
  std::string text;
  bool is_quoted = false;
};
/// `...` in a list, an index or the dimensions of a type.
struct Ellipsis {};
/// `lower:upper` in an index; either may be null.
struct Slice {
  ExprPtr lower;
  ExprPtr upper;
};
struct List {
  std::vector<ExprPtr> elements;
};
/// [element for variable in sequence if condition]; the condition may be null.
struct Comprehension {
  ExprPtr element;
  Name variable;
  ExprPtr sequence;
  ExprPtr condition;
};
struct Lambda {
  std::unique_ptr<Callable> callable;
};
/// if c1 { v1 } else if c2 { v2 } else { v }
struct Choice {
  struct Branch {
    ExprPtr condition;
    ExprPtr value;
  };
  std::vector<Branch> branches;
  ExprPtr otherwise;
};
/// `name = value` or a positional value.
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};
struct Call {
  ExprPtr callee;
  std::vector<Argument> arguments;
};
/// base[items]; an item is an Ellipsis, a Slice or any expression.
struct Index {
  ExprPtr base;
  std::vector<ExprPtr> items;
};
/// base.member: a path; the member may be digits ("0").
struct Member {
  ExprPtr base;
  Name member;
};

enum class UnaryOp : uint8_t { Negate, Not };
struct Unary {
  UnaryOp op = UnaryOp::Negate;
  ExprPtr operand;
};

enum class BinaryOp : uint8_t {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Remainder,
  MatMul,
  Power
};
/// As written: "+", "and".
std::string_view symbol(BinaryOp op);

struct Binary {
  BinaryOp op = BinaryOp::Add;
  Span op_span;
  ExprPtr left;
  ExprPtr right;
};

/// Parentheses leave no node.
struct Expr {
  using Node =
      std::variant<Number, String, Bool, None, Training, Frozen, NameRef, Ellipsis, Slice, List,
                   Comprehension, Lambda, Choice, Call, Index, Member, Unary, Binary>;
  Span span;
  /// 1 + the height of the highest child; at most kMaxHeight (parse.h).
  uint32_t height = 1;
  Node node;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

// Types and definitions.

/// `units: int` (kind; `fn` and `layer` are kinds too) or `x: float[..., in]` (tensor).
struct Type {
  Span span;
  Name name;
  bool is_tensor = false;
  /// Each is an Ellipsis or an expression.
  std::vector<ExprPtr> dims;
};

struct Parameter {
  Span span;
  Name name;
  std::optional<Type> type;
  /// Null if there is none.
  ExprPtr default_value;
  std::string doc;
};

struct Block {
  Span span;
  std::vector<Statement> statements;
};

/// `=> expr` (expr set) or a block.
struct Body {
  ExprPtr expr;
  Block block;
};

/// `-> type`, or `-> [type, type]` (a list, also with one type).
struct Result {
  Span span;
  bool is_list = false;
  std::vector<Type> types;
};

enum class CallableKind : uint8_t { Fn, Layer, Model, Optimizer };

/// What can be applied: parameters and a body. Models and optimizers have block bodies.
struct Callable {
  CallableKind kind = CallableKind::Fn;
  /// From the first word to the end of the body.
  Span span;
  std::vector<Parameter> parameters;
  std::optional<Result> result;
  Body body;
};

// Statements.

/// [var] name [: type] = value
struct Binding {
  bool is_var = false;
  Name name;
  std::optional<Type> type;
  ExprPtr value;
};
/// [a, b] = value
struct Unpack {
  std::vector<Name> names;
  ExprPtr value;
};
/// name := value
struct Update {
  Name name;
  ExprPtr value;
};
enum class DeclareKind : uint8_t { Param, State, Slot, Carry };
/// param and state have a type, slot and carry have none.
struct Declare {
  DeclareKind kind = DeclareKind::Param;
  Name name;
  std::optional<Type> type;
  ExprPtr value;
};
/// shared name = layer(arguments), or shared name = lambda (then `lambda` is set).
struct Shared {
  Name name;
  std::optional<Name> layer;
  std::vector<Argument> arguments;
  ExprPtr lambda;
};
enum class PublishKind : uint8_t { Loss, Metric, Output, Collect, Penalty };
/// `loss = …` has the name `loss` with the place of the word; only a penalty has no name.
struct Publish {
  PublishKind kind = PublishKind::Loss;
  std::optional<Name> name;
  ExprPtr value;
};
/// require condition, "text {name}"
struct Require {
  ExprPtr condition;
  std::string message;
  Span message_span;
};
struct Return {
  ExprPtr value;
};
struct For {
  Name variable;
  ExprPtr sequence;
  Block body;
};
struct If {
  struct Branch {
    ExprPtr condition;
    Block body;
  };
  std::vector<Branch> branches;
  std::optional<Block> otherwise;
};
/// scan x_t in x, axis = 1 { … }; scan [a_t, b_t] in [a, b], axis = 1 { … }
struct Scan {
  std::vector<Name> targets;
  bool is_list = false;
  ExprPtr sequence;
  /// All named.
  std::vector<Argument> options;
  Block body;
};

struct Statement {
  using Node = std::variant<Binding, Unpack, Update, Declare, Shared, Publish, Require, Return, For,
                            If, Scan>;
  Span span;
  /// The `##` lines before it.
  std::string doc;
  Node node;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

// Items of a file.

struct Import {
  std::vector<Name> names;
  std::string path;
  Span path_span;
};
struct Constant {
  Name name;
  ExprPtr value;
};
/// fn or layer; `callable.kind` says which.
struct Function {
  Name name;
  Callable callable;
};
struct Optimizer {
  Name name;
  Callable callable;
  Name value;
  Name gradient;
};
struct Model {
  Name name;
  Callable callable;
};

struct Pattern {
  std::string text;
  Span span;
};
struct Entry;
/// key = value; `optimizer = …` has the key "optimizer".
struct Setting {
  Name key;
  ExprPtr value;
};
struct Optimize {
  Name loss;
  std::vector<Entry> entries;
};
struct Group {
  std::vector<Pattern> patterns;
  std::vector<Entry> entries;
};
struct Freeze {
  std::vector<Pattern> patterns;
};
struct Entry {
  using Node = std::variant<Setting, Optimize, Group, Freeze>;
  Span span;
  Node node;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};
struct Train {
  Name model;
  std::vector<Argument> arguments;
  std::vector<Entry> entries;
};

struct Item {
  using Node = std::variant<Import, Constant, Function, Optimizer, Model, Train>;
  Span span;
  std::string doc;
  Node node;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

/// The name an item defines; null for imports and `train`.
const Name* defined_name(const Item& item);

struct File {
  SourcePtr source;
  std::vector<Item> items;
  /// Words of the statements that could not be read: any of them may have been bound there.
  std::unordered_set<std::string> unread_words;
};

}  // namespace gradc::ast
