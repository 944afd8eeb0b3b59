// The walk behind check_names: every definition of a file, once, in text order.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/builtins.h"
#include "frontend/check_names.h"
#include "frontend/item_names.h"
#include "frontend/local_scopes.h"

namespace gradc {

/// What a name of the file or the library stands for.
struct FileName {
  /// Null for an import that is not known further.
  const ast::Item* item = nullptr;
  Span span;
  bool is_import = false;
  bool is_used = false;
};

/// What a name stands for at a place.
struct Resolution {
  enum class Kind : uint8_t { Nothing, Local, Item, Builtin, Opaque } kind = Kind::Nothing;
  Local* local = nullptr;
  const ast::Item* item = nullptr;
  const BuiltinSignature* builtin = nullptr;
};

/// Parameters of what a direct call calls.
struct CalledParameter {
  std::string name;
  bool has_default = false;
  /// Null for a built-in function's.
  const ast::Parameter* declared = nullptr;
};
struct CalledSignature {
  std::string name;
  std::vector<CalledParameter> parameters;
};

/// What a value is known to be without evaluating it.
enum class LiteralKind : uint8_t {
  Unknown,
  Int,
  Float,
  Bool,
  String,
  None,
  List,
  Function,
  Layer,
  DType
};

class NameChecker {
 public:
  NameChecker(const ast::File& file, const NameScope& scope, Diagnostics& diagnostics);
  void run();

 private:
  /// One callable being checked: what may stand in it.
  struct Context {
    ast::CallableKind kind;
    bool is_lambda = false;
    int scan_depth = 0;
    /// The innermost block is the body of a scan.
    bool is_directly_in_scan = false;
  };

  // check_names.cpp: the file.
  void collect_names(const NameScope& scope);
  void define(const ast::Name& name, FileName definition);
  void check_item(const ast::Item& item);
  void report_cycles();
  void find_cycles_from(const ast::Item* start);
  void report_cycle(const std::vector<const ast::Item*>& cycle);
  void report_unused_definitions();

  // resolve_names.cpp: names at a place.
  /// Marks what it finds as used; `span` is where the name stands.
  Resolution resolve(const std::string& text, Span span);
  /// Among the names of the file, the library and the language.
  Resolution resolve_outside(const std::string& text, Span span);
  void report_unknown(const std::string& text, Span span, bool is_behind_slashes = false);
  std::string help_for_unknown(const std::string& text, Span span, bool is_behind_slashes);
  std::vector<std::string> visible_names() const;
  const ItemNames& names_of_item();
  void bind(const ast::Name& name, LocalKind kind, bool is_layer = false);
  /// Without the check that no other local of the name is in reach.
  void bind_hiding(const ast::Name& name, LocalKind kind, bool is_layer = false);
  std::string rest_of_statement(Span name) const;
  void close_scope();
  void report_unused(const Local& local);

  // check_statements.cpp.
  void check_callable(const ast::Callable& callable);
  void check_body(const ast::Callable& callable);
  void check_block(const ast::Block& block);
  void check_statements(const ast::Block& block);
  void check_statement(const ast::Statement& statement);
  void check_placement(const ast::Statement& statement);
  void misplaced(const ast::Statement& statement, std::string_view word, std::string_view where);
  void check_returns(const ast::Callable& callable);
  void visit(const ast::Binding& binding, const ast::Statement& statement);
  void visit(const ast::Unpack& unpack, const ast::Statement& statement);
  void visit(const ast::Update& update, const ast::Statement& statement);
  void visit(const ast::Declare& declare, const ast::Statement& statement);
  void visit(const ast::Shared& shared, const ast::Statement& statement);
  void visit(const ast::Publish& publish, const ast::Statement& statement);
  void visit(const ast::Require& require, const ast::Statement& statement);
  void visit(const ast::Return& statement, const ast::Statement& whole);
  void visit(const ast::For& loop, const ast::Statement& statement);
  void visit(const ast::If& choice, const ast::Statement& statement);
  void visit(const ast::Scan& scan, const ast::Statement& statement);

  // check_expressions.cpp.
  void check(const ast::ExprPtr& expr);
  void check(const ast::Expr& expr);
  void check_name(const ast::NameRef& name, Span span, bool is_behind_slashes = false);
  void check_path(const ast::Member& member);
  void check_comprehension(const ast::Comprehension& comprehension);
  void check_binary(const ast::Binary& binary);

  // check_calls.cpp.
  void check_call(const ast::Call& call, const ast::Expr& expr);
  void check_callee(const Resolution& callee, const ast::NameRef& name, Span span);
  void check_layer_call(const std::string& name, Span span);
  std::optional<CalledSignature> signature_of(const Resolution& callee, const std::string& name);
  void check_arguments(const CalledSignature& signature,
                       const std::vector<ast::Argument>& arguments, Span call);
  /// Of `shared`: by keyword, and the input comes later.
  void check_shared_arguments(const CalledSignature& signature,
                              const std::vector<ast::Argument>& arguments);
  /// The parameter of that name; null after a report.
  const CalledParameter* find_parameter(const CalledSignature& signature, const ast::Name& name);
  void report_missing(const CalledSignature& signature, const CalledParameter& missing,
                      const std::vector<ast::Argument>& arguments, Span call);
  void check_argument_kind(const CalledSignature& signature, const CalledParameter& parameter,
                           const ast::Expr& value);
  LiteralKind literal_kind(const ast::Expr& expr);
  LiteralKind kind_of_name(const ast::NameRef& name);
  bool wants_function(const ast::Parameter& parameter);
  void report_kind(const CalledSignature& signature, const CalledParameter& parameter,
                   const ast::Expr& value, std::string_view wanted);

  // check_signatures.cpp.
  void bind_parameters(const ast::Callable& callable, bool may_hide);
  void check_signature_type(const ast::Type& type, const std::vector<ast::Parameter>& parameters);
  void check_type(const ast::Type& type);
  void check_type_name(const ast::Type& type);
  void bind_dimension(const ast::Expr& dimension, const std::vector<ast::Parameter>& parameters);
  void solve_dimension(const ast::Expr& dimension, const std::vector<ast::Parameter>& parameters);

  // check_train.cpp.
  void check_train(const ast::Train& train);
  void check_train_arguments(const ast::Train& train);
  void check_entries(const std::vector<ast::Entry>& entries, std::string_view block,
                     std::span<const std::string> known);
  void report_entry(Diagnostic finding, const std::vector<ast::Entry>& entries,
                    const ast::Setting& setting);

  const ast::File& file_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, FileName> own_;
  std::unordered_map<std::string, const ast::Item*> library_;
  LocalScopes locals_;
  std::vector<Context> contexts_;
  const ast::Item* item_ = nullptr;
  std::optional<ItemNames> item_names_;
  /// Which definitions of this file each uses, and where first.
  std::unordered_map<const ast::Item*, std::unordered_map<const ast::Item*, Span>> uses_;
  std::set<const ast::Item*> finished_;
  /// Reported at the end, and only if nothing is wrong: an error can leave names unused.
  std::vector<Diagnostic> unused_;
  /// Each unknown name is reported once a file.
  std::set<std::string> unknown_;
  /// Names of data and schedules can be used.
  bool is_in_train_ = false;
};

}  // namespace gradc
