// Walks from a metric back to the first full reduction on every path.
#include "frontend/split_metrics.h"

#include <algorithm>
#include <map>

#include "frontend/tensor_ops.h"
#include "ir/op.h"

namespace gradc {

namespace {

// How a tensor on the way from a metric to the data is treated.
enum class Cut : uint8_t {
  Reduction,  // accumulated
  Trained,    // depends on parameters only: averaged by rows
  Constant,   // copied
  Inside,     // computed at the end from its operands
  Data,       // reached without a reduction: an error
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

// By tensor: is it made of something that is accumulated already? Then nothing in front of that is.
std::vector<bool> made_of_accumulated(const DraftGraph& draft) {
  std::vector<bool> made(draft.tensor_count(), false);
  for (size_t position = 0; position < made.size(); ++position) {
    const DraftNode* node = draft.node(static_cast<TensorId>(position));
    if (!node) continue;
    made[position] =
        node->kind == OpKind::Accumulate ||
        std::ranges::any_of(node->operands, [&](TensorId operand) { return made[index(operand)]; });
  }
  return made;
}

Cut cut_at(const DraftGraph& draft, const std::vector<bool>& made_of_accumulated, TensorId id) {
  const DraftNode* node = draft.node(id);
  if (!draft.is_per_row(id)) {
    if (draft.depends_on(id) == kOnNothing) return Cut::Constant;
    return Cut::Trained;
  }
  if (!node) return Cut::Data;
  const bool is_front = node->kind != OpKind::Accumulate && made_of_accumulated[index(id)];
  if (!is_front && is_full_reduction(draft, *node)) return Cut::Reduction;
  const OpClass op = op_class(node->kind);
  const bool is_end =
      op == OpClass::Random || op == OpClass::Region || node->kind == OpKind::Gradient;
  return is_end ? Cut::Data : Cut::Inside;
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
        made_of_accumulated_(made_of_accumulated(batch)) {}

  SplitMetric split(TensorId value) {
    split_.value = front_ops_.convert(visit(value), DType::F64);
    return std::move(split_);
  }

 private:
  TensorId visit(TensorId id) {
    const auto known = done_.find(id);
    if (known != done_.end()) return known->second;
    TensorId made{};
    switch (cut_at(batch_, made_of_accumulated_, id)) {
      case Cut::Reduction:
        made = reduce(id);
        break;
      case Cut::Trained:
        made = average(id);
        break;
      case Cut::Constant:
      case Cut::Inside:
        made = copy(id);
        break;
      case Cut::Data:
        throw Error(ExitCode::ModelOrData, "E0711",
                    fmt::format("`{}` has no reduction over the rows", name_));
    }
    done_.emplace(id, made);
    return made;
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
    if (node.kind == OpKind::Mean) {
      const TensorId sum = batch_.add(OpKind::Sum, {operand}, node.attrs);
      const TensorId total = accumulate(OutputKind::AccumulateSum, sum);
      const TensorId summands = count(batch_.type(operand).shape.element_count());
      return front_ops_.convert(front_.add(OpKind::Div, {total, summands}), front_dtype(dtype));
    }
    OutputKind kind = OutputKind::AccumulateSum;
    if (node.kind == OpKind::Max) kind = OutputKind::AccumulateMax;
    if (node.kind == OpKind::Min) kind = OutputKind::AccumulateMin;
    return front_ops_.convert(accumulate(kind, id), front_dtype(dtype));
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

  TensorId copy(TensorId id) {
    const DraftNode node = *batch_.node(id);
    std::vector<TensorId> operands;
    for (const TensorId operand : node.operands) operands.push_back(visit(operand));
    split_.has_row_count |= node.of_rows;
    Attrs attrs = node.attrs;
    if (const AttrValue* dtype = attrs.find("dtype"))
      attrs.set("dtype", front_dtype(std::get<DType>(*dtype)));
    front_.set_origin(node.origin);
    if (node.kind == OpKind::Constant) {
      const Tensor& value = attrs.get<Tensor>("value");
      return front_ops_.convert(front_ops_.constant(value), front_dtype(value.dtype()));
    }
    return front_.add(node.kind, std::move(operands), std::move(attrs));
  }

  DraftGraph& batch_;
  DraftGraph& front_;
  TensorOps batch_ops_;
  TensorOps front_ops_;
  std::string name_;
  int64_t rows_;
  std::vector<bool> made_of_accumulated_;
  SplitMetric split_;
  std::map<TensorId, TensorId> done_;
};

}  // namespace

SplitMetric split_metric(DraftGraph& batch, DraftGraph& front, TensorId value,
                         const std::string& name, int64_t rows) {
  return Splitter(batch, front, name, rows).split(value);
}

void check_accumulation(const DraftGraph& batch, TensorId value, const std::string& name,
                        const std::string& word, Span span) {
  const std::string type = to_string(batch.type(value));
  const std::vector<bool> made = made_of_accumulated(batch);
  std::vector<TensorId> open{value};
  std::vector<bool> seen(batch.tensor_count(), false);
  while (!open.empty()) {
    const TensorId id = open.back();
    open.pop_back();
    if (seen[index(id)]) continue;
    seen[index(id)] = true;
    const Cut cut = cut_at(batch, made, id);
    if (cut == Cut::Data)
      throw DiagnosticError{
          error("E0711", span,
                fmt::format("{} `{}` is {}: no reduction over the rows", word, name, type))
              .with_help(fmt::format("mean({})", span.text().substr(0, 80)))};
    if (cut == Cut::Inside)
      for (const TensorId operand : batch.node(id)->operands) open.push_back(operand);
  }
}

}  // namespace gradc
