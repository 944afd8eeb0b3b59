// Matches the types of a signature with the tensors of a call: section "Shapes and dimensions" of
// docs/language.md.
#pragma once
#include "frontend/elaborator.h"

namespace gradc {

/// Collects the tensor parameters of one call, then binds dtypes, `...` and dimension names in that
/// order, so that messages do not depend on the order of parameters.
class Matching {
 public:
  Matching(Elaborator& elaborator, Frame& frame, std::string function)
      : elaborator_(elaborator), frame_(frame), function_(std::move(function)) {}

  /// The value at frame.variables[variable] must have `type`; `at` is blamed.
  void add(size_t variable, const ast::Type& type, Span at);
  /// Throws (E0410, E0411, E0412, E0404, E0501, E0503) or binds the dimensions in the frame.
  void finish();

 private:
  struct Tensor {
    size_t variable;
    const ast::Type* type;
    Span at;
  };
  struct Pair {  // a dimension as written and as it is
    const ast::Expr* written;
    int64_t size;
    int64_t axis;
    const Tensor* tensor;
  };
  void check_dtypes();
  void check_dtype(const Tensor& tensor);
  void convert_numbers();
  void match_ranks(const Tensor& tensor);
  void match_rest(const Tensor& tensor, size_t first, int64_t count);
  /// True if the pair needs a later round.
  bool match_known(const Pair& pair);
  bool match_name(const Pair& pair);
  void match_expression(const Pair& pair);
  void bind(const Pair& pair, const std::string& name, int64_t size);
  std::string unbound_name(const ast::Expr& expr) const;
  int64_t evaluate_at(const ast::Expr& expr, const std::string& unknown, int64_t value);
  Variable* own(const std::string& name) const;
  bool is_of_rows(const Pair& pair) const;

  void note_source(TensorId id, Diagnostic& mismatch);
  std::string expected(const Tensor& tensor) const;
  [[noreturn]] void fail(const std::string& code, const Tensor& tensor, const std::string& detail);
  const std::string& name_of(const Tensor& tensor) const {
    return frame_.variables[tensor.variable].name;
  }
  const Type* type_of(const Tensor& tensor) const;

  Elaborator& elaborator_;
  Frame& frame_;
  std::string function_;
  std::vector<Tensor> tensors_;
  std::vector<Pair> pairs_;
};

}  // namespace gradc
