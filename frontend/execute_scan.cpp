// `scan`: its sequences, carries and collected values (section "scan" of docs/language.md).
#include <numeric>

#include "frontend/site.h"

namespace gradc {

/// The scan whose body is running.
struct Elaborator::RunningScan {
  struct Result {
    const ast::Name* name;
    TensorId value;  // in the round
  };
  int64_t axis = 0;
  int64_t length = 0;
  bool reverse = false;
  std::vector<TensorId> sequences;  // the scanned axis first
  std::vector<const ast::Name*> carries;
  std::vector<Result> collected;
};

namespace {

/// Closes what an error left open.
class OpenScans {
 public:
  explicit OpenScans(DraftGraph& draft) : draft_(draft), count_(draft.open_scans().size()) {}
  ~OpenScans() { draft_.open_scans().resize(std::min(count_, draft_.open_scans().size())); }
  OpenScans(const OpenScans&) = delete;
  OpenScans& operator=(const OpenScans&) = delete;

 private:
  DraftGraph& draft_;
  size_t count_;
};

/// The permutation that moves axis `from` to `to`.
std::vector<int64_t> moved_axis(int64_t rank, int64_t from, int64_t to) {
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  axes.erase(axes.begin() + from);
  axes.insert(axes.begin() + to, from);
  return axes;
}

}  // namespace

void Elaborator::execute_scan(const ast::Scan& scan, Span span) {
  RunningScan running;
  bind_elements(scan, running);
  const OpenScans open(draft_);
  const Restored<RunningScan*> inside(scan_, &running);
  std::vector<TensorId> outputs;
  std::vector<TensorId> results;
  {
    const BlockNames names(*frame_);
    const int bad_before = bad_statements_;
    {
      const Site site(*this, span);
      draft_.begin_scan(running.length, running.reverse);
      const size_t level = draft_.open_scans().size() - 1;
      if (running.sequences.empty())
        running.sequences.push_back(ops_.iota(Shape{running.length}, 0, DType::I32));
      for (size_t i = 0; i < running.sequences.size(); ++i)
        bind(scan.targets[i], draft_.add_sequence(level, running.sequences[i]),
             VariableRole::Binding);
    }
    execute_statements(scan.body);
    if (bad_statements_ > bad_before) throw SilentFault{};
    for (const ast::Name* carry : running.carries)
      outputs.push_back(*frame_->find(carry->text)->value.as<TensorId>());
    for (const RunningScan::Result& result : running.collected) outputs.push_back(result.value);
    const Site site(*this, span);
    results = draft_.end_scan(outputs);
  }
  const Site site(*this, span);
  size_t next = 0;
  for (const ast::Name* carry : running.carries)
    bind(*carry, results[next++], VariableRole::Binding);
  for (const RunningScan::Result& collected : running.collected) {
    const TensorId stacked = results[next++];
    const int64_t rank = type(stacked).shape.rank();
    if (running.axis >= rank)
      fail("E0408", collected.name->span,
           fmt::format("`{}` is collected along axis {}, a round has {}", collected.name->text,
                       running.axis, to_string(type(collected.value))));
    bind(*collected.name, ops_.transpose(stacked, moved_axis(rank, 0, running.axis)),
         VariableRole::Binding);
  }
}

void Elaborator::bind_elements(const ast::Scan& scan, RunningScan& running) {
  const Value sequence = evaluate(*scan.sequence);
  std::optional<int64_t> axis;
  for (const ast::Argument& option : scan.options) {
    const Value value = evaluate(*option.value);
    const bool* flag = value.as<bool>();
    const NumberValue* number = value.as<NumberValue>();
    if (option.name->text == "reverse" && flag)
      running.reverse = *flag;
    else if (option.name->text == "axis" && number && number->whole())
      axis = *number->whole();
    else
      fail("E0304", option.value->span,
           fmt::format("`{}` of `scan` must be {}, got {}", option.name->text,
                       option.name->text == "axis" ? "an int" : "a bool", describe(value)));
  }
  const Span span = scan.sequence->span;
  std::vector<Value> sequences;
  if (const NumberValue* number = sequence.as<NumberValue>()) {
    running.length = dimension(sequence, span, "the number of rounds");
    if (axis && *axis != 0) fail("E0304", span, "a scan over a number has no `axis`");
    if (number->of_rows) fail("E0605", span, "the number of rounds depends on the number of rows");
  } else if (sequence.as<TensorId>()) {
    sequences = {sequence};
  } else if (const std::vector<Value>* list = sequence.elements()) {
    sequences = *list;
  } else {
    fail(error("E0321", span,
               fmt::format("`scan` runs over a tensor, a list of tensors or an int, "
                           "got {}",
                           describe(sequence))));
  }
  const bool is_list = sequence.elements() != nullptr;
  if (is_list != scan.is_list || (is_list && sequences.size() != scan.targets.size()) ||
      (is_list && sequences.empty()))
    fail("E0315", span,
         is_list ? fmt::format("a list of {} sequences for {} names", sequences.size(),
                               scan.targets.size())
                 : fmt::format("one sequence for [{} names]", scan.targets.size()));
  if (!sequences.empty() && !axis)
    fail(error("E0303", span, "`scan` is missing its `axis`").with_help("axis = 1"));
  const Site site(*this, span);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const TensorId* tensor = sequences[i].as<TensorId>();
    if (!tensor)
      fail("E0321", span,
           fmt::format("a sequence of `scan` is a tensor, got {}", describe(sequences[i])));
    const int64_t rank = type(*tensor).shape.rank();
    const int64_t at = ops_.checked_axis(*axis, rank);
    const int64_t length = type(*tensor).shape[at];
    if (i > 0 && length != running.length)
      fail("E0403", span, fmt::format("sequences of {} and {} elements", running.length, length));
    if (i > 0 && at != running.axis)
      fail("E0408", span, "a negative axis means different axes of these sequences");
    running.length = length;
    running.axis = at;
    running.sequences.push_back(ops_.transpose(*tensor, moved_axis(rank, at, 0)));
  }
}

void Elaborator::declare_carry(const ast::Declare& declare, Span span) {
  CHECK(scan_ != nullptr, "a carry outside of a scan");
  const Value value = evaluate(*declare.value);
  const Site site(*this, span);
  const TensorId* tensor = value.as<TensorId>();
  const NumberValue* number = value.as<NumberValue>();
  if (!tensor && !number)
    fail(error("E0321", declare.value->span,
               fmt::format("a carry starts with a tensor or a number, got {}", describe(value)))
             .with_help("zeros([…])"));
  const TensorId initial =
      tensor ? *tensor : ops_.number(*number, number->is_float ? DType::F32 : DType::I32);
  frame_->variables.push_back({declare.name.text,
                               draft_.add_carry(initial),
                               declare.name.span,
                               VariableRole::Carry,
                               nullptr,
                               {}});
  scan_->carries.push_back(&declare.name);
}

void Elaborator::update_carry(Variable& variable, const Value& value, Span span) {
  const Type expected = type(*variable.value.as<TensorId>());
  const TensorId* tensor = value.as<TensorId>();
  const NumberValue* number = value.as<NumberValue>();
  const bool is_fitting_number = number && (!number->is_float || is_float(expected.dtype));
  if (is_fitting_number) {
    variable.value = ops_.fill(expected, *number);
    return;
  }
  if (!tensor || type(*tensor) != expected) {
    std::string help;
    if (tensor) {
      const Type& wanted = type(*tensor);
      help = fmt::format(
          "carry {} = zeros({}{})", variable.name, to_string(wanted.shape),
          wanted.dtype == DType::F32 ? std::string() : fmt::format(", {}", wanted.dtype));
    }
    fail(error("E0405", span,
               fmt::format("`{}` is carried as {}, the new value is {}", variable.name,
                           to_string(expected), describe(value)))
             .note("its initial value", variable.where)
             .with_help(std::move(help)));
  }
  variable.value = *tensor;
}

void Elaborator::execute_collect(const ast::Publish& publish, Span span) {
  CHECK(scan_ != nullptr, "a collect outside of a scan");
  frame_->naming.bound = publish.name->text;
  const Value value = evaluate(*publish.value, true);
  const Site site(*this, span);
  const TensorId* tensor = value.as<TensorId>();
  const NumberValue* number = value.as<NumberValue>();
  if (!tensor && !number)
    fail("E0321", publish.value->span,
         fmt::format("only tensors can be collected, got {}", describe(value)));
  scan_->collected.push_back(
      {&*publish.name,
       tensor ? *tensor : ops_.number(*number, number->is_float ? DType::F32 : DType::I32)});
}

}  // namespace gradc
