// Walks from a metric back to the first full reduction on every path.
#include "frontend/split_metrics.h"

#include <algorithm>
#include <map>

#include "frontend/tensor_ops.h"
#include "ir/accumulator_dtype.h"
#include "ir/op.h"

namespace gradc {

namespace {

// How a tensor on the way from a metric to the data is treated.
enum class Cut : uint8_t {
  Reduction,  // accumulated
  Average,    // one value of each batch, of parameters, draws or a gradient: averaged by rows
  Constant,   // copied
  Inside,     // computed at the end from its operands
  Data,       // reached without a reduction
};

bool is_full_reduction(const DraftGraph& draft, const DraftNode& node) {
  switch (node.kind) {
    case OpKind::Sum:
    case OpKind::Mean:
    case OpKind::Max:
    case OpKind::Min:
      return draft.type(node.results[0]).shape.rank() == 0;
    case OpKind::Accumulate:
      return true;
    default:
      return false;
  }
}

/// Where the values of a draft can be cut.
class Cuts {
 public:
  explicit Cuts(const DraftGraph& draft) : draft_(draft) {
    for (size_t position = 0; position < draft.tensor_count(); ++position)
      add(static_cast<TensorId>(position));
  }

  Cut at(TensorId id) const {
    if (!draft_.is_per_row(id))
      return draft_.depends_on(id) == kOnNothing ? Cut::Constant : Cut::Average;
    const DraftNode* node = draft_.node(id);
    if (!node) return Cut::Data;
    if (is_accumulated(id)) return Cut::Reduction;
    if (is_exact_[index(id)]) return Cut::Inside;
    const bool is_of_batch = draft_.row_axis(id) < 0 && !made_of_accumulated_[index(id)];
    const bool is_indivisible = is_drawn(*node) || op_class(node->kind) == OpClass::Region;
    if (is_of_batch && (is_indivisible || !(draft_.depends_on(id) & kOnData))) return Cut::Average;
    return is_indivisible ? Cut::Data : Cut::Inside;
  }

 private:
  static bool is_drawn(const DraftNode& node) {
    return op_class(node.kind) == OpClass::Random || node.kind == OpKind::Gradient;
  }

  // What is made of something accumulated is in front, reductions too.
  bool is_accumulated(TensorId id) const {
    const DraftNode& node = *draft_.node(id);
    return node.kind == OpKind::Accumulate ||
           (!made_of_accumulated_[index(id)] && is_full_reduction(draft_, node));
  }

  void add(TensorId id) {
    const DraftNode* node = draft_.node(id);
    const auto operand_is = [&](const std::vector<bool>& mark) {
      return [&mark](TensorId operand) { return bool{mark[index(operand)]}; };
    };
    made_of_accumulated_.push_back(
        node && (node->kind == OpKind::Accumulate ||
                 std::ranges::any_of(node->operands, operand_is(made_of_accumulated_))));
    is_exact_.push_back(!draft_.is_per_row(id) ||
                        (node && (is_accumulated(id) ||
                                  (!is_drawn(*node) &&
                                   std::ranges::all_of(node->operands, operand_is(is_exact_))))));
  }

  const DraftGraph& draft_;
  // By tensor.
  std::vector<bool> made_of_accumulated_;
  std::vector<bool> is_exact_;  // every way to the rows has a reduction
};

// Is there a way from `value` to the rows of the data without a cut?
bool finds_data(const DraftGraph& draft, const Cuts& cuts, TensorId value) {
  std::vector<TensorId> open{value};
  std::vector<bool> seen(draft.tensor_count(), false);
  while (!open.empty()) {
    const TensorId id = open.back();
    open.pop_back();
    if (seen[index(id)]) continue;
    seen[index(id)] = true;
    const Cut cut = cuts.at(id);
    if (cut == Cut::Data) return true;
    if (cut == Cut::Inside)
      for (const TensorId operand : draft.node(id)->operands) open.push_back(operand);
  }
  return false;
}

class Splitter {
 public:
  Splitter(DraftGraph& batch, DraftGraph& front, std::string name, int64_t rows)
      : batch_(batch),
        front_(front),
        batch_ops_(batch),
        front_ops_(front),
        name_(std::move(name)),
        rows_(rows),
        cuts_(batch) {}

  SplitMetric split(TensorId value) {
    const TensorId whole = finds_data(batch_, cuts_, value) ? average(value) : visit(value);
    split_.value = front_ops_.convert(whole, DType::F64);
    return std::move(split_);
  }

 private:
  TensorId visit(TensorId id) {
    const auto known = done_.find(id);
    if (known != done_.end()) return known->second;
    switch (cuts_.at(id)) {
      case Cut::Reduction:
        return done_[id] = reduce(id);
      case Cut::Average:
        return done_[id] = average(id);
      case Cut::Constant:
      case Cut::Inside:
        copy(id);
        return done_.at(id);
      case Cut::Data:
        break;
    }
    CHECK(false, "`{}` reaches the data", name_);
  }

  TensorId accumulate(OutputKind kind, TensorId value) {
    const std::string name = fmt::format("{}.{}", name_, split_.accumulations.size());
    const TensorId wide = batch_ops_.convert(value, DType::F64);
    split_.accumulations.push_back({kind, name, wide});
    return front_.input(InputKind::Accumulator, name, batch_.type(wide));
  }

  TensorId count(int64_t number) {
    return accumulate(OutputKind::AccumulateSum, batch_ops_.fill({DType::F64, {}}, number));
  }

  TensorId reduce(TensorId id) {
    const DraftNode node = *batch_.node(id);
    const DType dtype = batch_.type(id).dtype;
    batch_.set_origin(node.origin);
    const TensorId operand = node.operands[0];
    const DType wide = accumulator_dtype(dtype);
    if (node.kind == OpKind::Mean) {
      const TensorId sum = batch_.add(OpKind::Sum, {batch_ops_.convert(operand, wide)}, node.attrs);
      const TensorId total = accumulate(OutputKind::AccumulateSum, sum);
      const TensorId summands = count(batch_.type(operand).shape.element_count());
      return front_ops_.convert(front_.add(OpKind::Div, {total, summands}), front_dtype(dtype));
    }
    OutputKind kind = OutputKind::AccumulateSum;
    if (node.kind == OpKind::Max) kind = OutputKind::AccumulateMax;
    if (node.kind == OpKind::Min) kind = OutputKind::AccumulateMin;
    const bool widens = node.kind == OpKind::Sum && wide != dtype;
    const TensorId value =
        widens ? batch_.add(OpKind::Sum, {batch_ops_.convert(operand, wide)}, node.attrs) : id;
    return front_ops_.convert(accumulate(kind, value), front_dtype(dtype));
  }

  // Sum over batches of value * rows, by the sum of rows.
  TensorId average(TensorId id) {
    batch_.set_origin(batch_.node(id) ? batch_.node(id)->origin : nullptr);
    const DType dtype = batch_.type(id).dtype;
    const TensorId wide = batch_ops_.convert(id, DType::F64);
    const TensorId weighted = batch_ops_.binary(OpKind::Mul, wide, static_cast<double>(rows_));
    const TensorId total = accumulate(OutputKind::AccumulateSum, weighted);
    const TensorId mean = front_ops_.binary(OpKind::Div, total, count(rows_));
    return front_ops_.convert(mean, front_dtype(dtype));
  }

  // What is in front is computed in f64, whatever float the model computes in.
  static DType front_dtype(DType dtype) { return is_float(dtype) ? DType::F64 : dtype; }

  // Makes all results of the node of `id` in front.
  void copy(TensorId id) {
    const DraftNode node = *batch_.node(id);
    std::vector<TensorId> operands;
    for (const TensorId operand : node.operands) operands.push_back(visit(operand));
    split_.has_row_count |= node.of_rows;
    front_.set_origin(node.origin);
    std::vector<TensorId> results;
    if (node.kind == OpKind::Constant) {
      results = {front_ops_.constant(node.attrs.get<Tensor>("value"))};
    } else if (op_class(node.kind) == OpClass::Region) {
      // A body takes the dtypes that it was made for.
      for (size_t i = 0; i < operands.size(); ++i)
        operands[i] = front_ops_.convert(operands[i], batch_.type(node.operands[i]).dtype);
      results = front_.add_node(node.kind, std::move(operands), node.attrs);
    } else {
      Attrs attrs = node.attrs;
      if (const AttrValue* dtype = attrs.find("dtype"))
        attrs.set("dtype", front_dtype(std::get<DType>(*dtype)));
      results = front_.add_node(node.kind, std::move(operands), std::move(attrs));
    }
    for (size_t i = 0; i < results.size(); ++i)
      done_[node.results[i]] =
          front_ops_.convert(results[i], front_dtype(batch_.type(node.results[i]).dtype));
  }

  DraftGraph& batch_;
  DraftGraph& front_;
  TensorOps batch_ops_;
  TensorOps front_ops_;
  std::string name_;
  int64_t rows_;
  Cuts cuts_;
  SplitMetric split_;
  std::map<TensorId, TensorId> done_;
};

}  // namespace

SplitMetric split_metric(DraftGraph& batch, DraftGraph& front, TensorId value,
                         const std::string& name, int64_t rows) {
  return Splitter(batch, front, name, rows).split(value);
}

bool is_of_whole_pass(const DraftGraph& batch, TensorId value) {
  return !finds_data(batch, Cuts(batch), value);
}

}  // namespace gradc
