// Runs the body of a model once at compile time: tensors become nodes of a draft, everything else
// is computed on the spot. One object is one elaboration, at one row count, in training or not.
#pragma once
#include <functional>
#include <map>
#include <unordered_map>

#include "frontend/applications.h"
#include "frontend/frame.h"
#include "frontend/tensor_ops.h"

namespace gradc {

/// Leaves a statement whose error was already reported.
struct SilentFault {};

/// An argument as it stands at a call.
struct Argument {
  std::string name;  // empty: positional
  Span name_span;
  Value value;
  Span span;
};

/// A call about to happen.
struct Invocation {
  Span span;  // the whole call
  Span callee_span;
  std::string callee;      // as written, empty where it is not a name
  bool is_direct = false;  // `h = f(x)`: the instance takes the bound name alone
  std::vector<Argument> arguments;
};

/// Limits and switches of an elaboration.
struct ElaborationSetup {
  bool training = false;
  int64_t rows = 0;
  std::vector<ast::Pattern> freezes;
  static constexpr int kMaxCalls = 100;
  static constexpr int kMaxNesting = 2000;  // of evaluations: bounds the host stack
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  static constexpr int64_t kMaxSteps = 10'000;
  static constexpr int64_t kMaxElements = 1'000;
#else
  static constexpr int64_t kMaxSteps = 10'000'000;
  static constexpr int64_t kMaxElements = 250'000;  // of a list
#endif
  static constexpr uint32_t kMaxDepth = 200;  // of lists in lists, functions in functions
};

/// What is known of a model's parameters before its body runs.
struct ModelArguments {
  struct Given {
    Value value;
    Span span;
  };
  std::map<std::string, Given> values;  // by the `train` block or `--set`; also free dimensions
  std::map<std::string, Type> fields;   // of the data: dtype and the shape of a row
};

/// One parameter as an optimizer sees it.
struct UpdatedParameter {
  const Owned& parameter;
  TensorId value{};
  TensorId gradient{};
  TensorId step{};          // updates already made, i64[]
  std::string slot_prefix;  // of the names of slots, behind PATH:
};

class Elaborator {
 public:
  Elaborator(const ElaborationSetup& setup, Diagnostics& diagnostics);
  Elaborator(const Elaborator&) = delete;
  Elaborator& operator=(const Elaborator&) = delete;

  // Entry points.

  /// Runs the model's body; errors are reported and end the statement they are in.
  void run_model(const ast::Model& model, const FileScope& file, const ModelArguments& arguments);
  /// Applies a configured optimizer to one parameter: the new value; slots are appended.
  TensorId run_optimizer(const FunctionValue& optimizer, const UpdatedParameter& updated,
                         Span blamed, std::vector<SlotUpdate>& slots);
  /// Evaluates an expression at the level of a file, with extra names in reach. Throws
  /// DiagnosticError.
  Value evaluate_in_file(const ast::Expr& expr, const FileScope& file,
                         const std::vector<Variable>& names);
  /// Calls a function from the `train` block.
  Value call_from(const FunctionRef& function, std::vector<Argument> arguments, Span blamed,
                  const FileScope& file);

  DraftGraph& draft() { return draft_; }
  const DraftGraph& draft() const { return draft_; }
  TensorOps& ops() { return ops_; }
  const Ownership& ownership() const { return ownership_; }
  const std::vector<Published>& losses() const { return losses_; }
  const std::vector<Published>& metrics() const { return metrics_; }
  const std::vector<Published>& outputs() const { return outputs_; }
  const std::vector<TensorId>& penalties() const { return penalties_; }
  const BodyRecord& body() const { return body_; }

  // For the built-in functions.

  const ElaborationSetup& setup() const { return setup_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  /// Throws the finding, blamed on the innermost place in a user's file.
  [[noreturn]] void fail(Diagnostic diagnostic);
  [[noreturn]] void fail(std::string code, Span span, std::string message);
  void warn(Diagnostic diagnostic);
  /// "f32[128, 784]" for a tensor, "a function", "the number 3".
  std::string describe(const Value& value) const;
  /// "(None, 784)": what tables show of a result; None is the axis of the rows.
  std::string shape_text(const Value& value) const;
  const Type& type(TensorId id) const { return draft_.type(id); }
  /// A `freeze` pattern selects what is at the path, or something above it.
  bool is_frozen(const std::string& path) const;
  /// The stream of the next draw of the running instance.
  uint64_t next_stream();
  bool is_initializing() const { return !initialized_path_.empty(); }
  void count_multiply_adds(int64_t count);
  /// Counts the making of `count` list elements as so many steps (E0801).
  void count_elements(int64_t count, Span span);
  /// A tensor of the type; a number fills. Blames `span` where the type differs (E0405).
  TensorId expect_type(const Value& value, const Type& type, Span span, const std::string& what);

 private:
  friend class Matching;

  // elaborator.cpp.
  void bind_model_arguments(Frame& frame, const ast::Model& model, const ModelArguments& arguments);
  Type input_type(const ast::Parameter& parameter, const ModelArguments& arguments);

  // evaluate.cpp: expressions.
  Value evaluate(const ast::Expr& expr, bool is_direct = false);
  Value evaluate_node(const ast::Expr& expr, bool is_direct);
  Value evaluate_name(const ast::NameRef& name, const ast::Expr& expr);
  Value evaluate_list(const ast::List& list);
  Value evaluate_comprehension(const ast::Comprehension& comprehension);
  Value evaluate_lambda(const ast::Lambda& lambda, Span span);
  Value evaluate_choice(const ast::Choice& choice, bool is_direct);
  Value evaluate_index(const ast::Index& index, const ast::Expr& expr);
  Value index_list(const std::vector<Value>& list, const ast::Index& index);
  Value index_tensor(TensorId tensor, const ast::Index& index, const ast::Expr& expr);
  Value evaluate_member(const ast::Member& member, const ast::Expr& expr);
  Value evaluate_call(const ast::Call& call, const ast::Expr& expr, bool is_direct);
  Value definition_value(const Definition& definition, const std::string& name, Span span);
  Value constant_value(const ast::Constant& constant, const FileScope& file);
  bool evaluate_condition(const ast::Expr& expr, const std::string& word);
  int64_t evaluate_bound(const ast::Expr& expr);

  // operators.cpp.
  Value evaluate_unary(const ast::Unary& unary, const ast::Expr& expr);
  Value evaluate_binary(const ast::Binary& binary, const ast::Expr& expr);
  Value evaluate_logic(const ast::Binary& binary, const ast::Expr& expr);
  Value apply_equality(const ast::Binary& binary, const Value& left, const Value& right, Span span);
  Value apply_binary(const ast::Binary& binary, const Value& left, const Value& right, Span span);
  /// Reports a shape or dtype error of the graph at a place, with the operands' origins.
  [[noreturn]] void fail_operation(const Error& failure, Span span,
                                   std::span<const DiagnosticNote> notes);
  /// "`x` is f32[128, 784]" and where it is bound.
  DiagnosticNote describe_operand(const ast::Expr& expr, const Value& value);

  // execute.cpp: statements.
  void execute_block(const ast::Block& block);
  /// The names of the block stay.
  void execute_statements(const ast::Block& block);
  void execute(const ast::Statement& statement);
  void execute_guarded(const ast::Statement& statement);
  void execute_node(const ast::Statement& statement);
  void execute_binding(const ast::Binding& binding);
  void execute_unpack(const ast::Unpack& unpack);
  void execute_update(const ast::Update& update, Span span);
  void execute_declare(const ast::Declare& declare, Span span);
  void execute_shared(const ast::Shared& shared, Span span);
  void check_published_name(const ast::Publish& publish);
  void require_whole_pass(TensorId metric, const std::string& name, Span span);
  void execute_publish(const ast::Publish& publish, Span span);
  void execute_penalty(const ast::Publish& publish);
  void execute_require(const ast::Require& require, Span span);
  void execute_for(const ast::For& loop);
  void execute_if(const ast::If& choice);
  // execute_scan.cpp.
  struct RunningScan;
  void execute_scan(const ast::Scan& scan, Span span);
  void bind_elements(const ast::Scan& scan, RunningScan& running);
  void declare_carry(const ast::Declare& declare, Span span);
  void update_carry(Variable& variable, const Value& value, Span span);
  void execute_collect(const ast::Publish& publish, Span span);

  void mark_bad(const ast::Statement& statement);
  void bind(const ast::Name& name, Value value, VariableRole role);

  // declare.cpp: parameters, states, slots.
  void declare_owned(const ast::Declare& declare, Span span);
  void redeclare(Owned& owned, const ast::Declare& declare, InputKind kind, const Type& type);
  void declare_slot(const ast::Declare& declare, Span span);
  TensorId initial_value(const Value& given, const Type& type, const std::string& path, Span span);
  void refuse_unfinished(const FunctionValue& function, Span span);
  std::string owned_path(const std::string& name) const;

  // call.cpp: functions, layers, optimizers.
  Value call(const FunctionRef& function, Invocation& invocation);
  Value dispatch(const FunctionRef& function, Invocation& invocation);
  Value call_builtin(const FunctionValue& function, Invocation& invocation);
  Value call_callable(const FunctionValue& function, Invocation& invocation, Instance* instance);
  Value call_layer(const FunctionValue& function, Invocation& invocation);
  Value call_shared(const FunctionValue& function, Invocation& invocation);
  Value configure_optimizer(const FunctionValue& function, Invocation& invocation);
  Instance* make_instance(const FunctionValue& function, const Invocation& invocation);
  std::string instance_path(const Invocation& invocation);
  /// The path that the frame and the statement give; an empty one in a model's plain expression.
  std::string named_place() const;
  void bind_arguments(Frame& frame, const FunctionValue& function, Invocation& invocation);
  std::vector<const Argument*> assign_arguments(const FunctionValue& function,
                                                const ast::Callable& callable,
                                                const Invocation& invocation);
  Value run_body(Frame& frame, const FunctionValue& function);
  /// Keeps what tables show of the first result.
  void describe_result(Instance& instance, const Value& value) const;
  void apply_instance(Instance& instance, const Invocation& invocation);

  // signature.cpp: kinds and types.
  Value check_kind(const ast::Type& kind, Value value, const std::string& what, Span span);
  /// The dtype and dimensions of a type whose names are all known.
  Type resolve_type(const ast::Type& type, bool is_stored);
  DType resolve_dtype(const ast::Type& type, const std::string& word);
  /// Checks a value against a result or annotation; `what` names it in the message.
  Value check_value(const ast::Type& type, Value value, const std::string& what, Span span);
  Value check_result(const ast::Result& result, Value value, const FunctionValue& function,
                     Span span);
  int64_t dimension(const Value& value, Span span, const std::string& what);

  // applications.cpp.
  bool is_in_model() const;
  void record(Application application);
  void record_call(const FunctionValue& function, const Invocation& invocation, const Value& result,
                   int64_t multiply_adds);
  void record_operator(std::string what, std::vector<TensorId> operands, const Value& result);
  void record_binary(const ast::Binary& binary, const Value& left, const Value& right,
                     const Value& result);
  /// A number, a name, or "..." for an expression.
  std::string operand_text(const ast::Expr& expr, const Value& value) const;
  void record_binding(const std::string& name, const Value& value);

  // blame.cpp.
  Diagnostic blame(Diagnostic diagnostic) const;
  void count_step(Span span);
  void check_nesting(Span span);

  /// The origin of the nodes of `expr`, while it is evaluated.
  class Site;
  friend class Site;

  ElaborationSetup setup_;
  Diagnostics& diagnostics_;
  DraftGraph draft_;
  TensorOps ops_;
  Ownership ownership_;
  std::vector<Published> losses_;
  std::vector<Published> metrics_;
  std::vector<Published> outputs_;
  std::vector<TensorId> penalties_;
  BodyRecord body_;
  std::unordered_map<const ast::Constant*, Value> constants_;
  std::vector<const ast::Constant*> open_constants_;  // being evaluated
  Frame* frame_ = nullptr;
  Instance* root_ = nullptr;
  std::vector<SlotUpdate>* slots_ = nullptr;  // of the running optimizer
  std::string slot_prefix_;                   // "hidden.kernel:": of the names of its slots
  std::string initialized_path_;              // the parameter whose initial value is computed
  int64_t initial_draws_ = 0;
  int bad_statements_ = 0;       // had an error, or read a value whose statement had one
  RunningScan* scan_ = nullptr;  // the innermost
  std::string role_;             // of the nodes made now
  int call_depth_ = 0;
  int nesting_ = 0;
  int64_t steps_ = 0;
};

}  // namespace gradc
