// Walks the statements of a kernel with tensors of one or kLanes elements as values.
#include "tests/codegen/loop_interpret.h"

#include <cmath>
#include <cstring>
#include <map>

#include "ir/interpret.h"
#include "ir/op.h"
#include "runtime/core/rng.h"

namespace gradc::testing {
namespace {

using namespace gradc::loop;

template <typename Id>
size_t number(Id id) {
  return static_cast<size_t>(id);
}

Tensor apply_op(OpKind kind, const std::vector<Tensor>& operands, DType dtype) {
  const Attrs attrs = kind == OpKind::Convert ? Attrs{{"dtype", dtype}} : Attrs{};
  const Type type{dtype, operands.back().shape()};
  return op_def(kind).eval({operands, attrs, std::span(&type, 1)})[0];
}

void copy_element(Tensor& to, int64_t to_index, const Tensor& from, int64_t from_index) {
  const auto bytes = static_cast<size_t>(size_bytes(to.dtype()));
  CHECK(to.dtype() == from.dtype(), "{} into {}", from.dtype(), to.dtype());
  CHECK(to_index >= 0 && to_index < to.size(), "element {} of {}", to_index, to.size());
  CHECK(from_index >= 0 && from_index < from.size(), "element {} of {}", from_index, from.size());
  std::memcpy(to.raw() + static_cast<size_t>(to_index) * bytes,
              from.raw() + static_cast<size_t>(from_index) * bytes, bytes);
}

double neutral(ReduceKind kind, DType dtype) {
  const double infinity = INFINITY;
  switch (kind) {
    case ReduceKind::Sum:
      return 0;
    case ReduceKind::Prod:
      return 1;
    case ReduceKind::Max:
    case ReduceKind::ArgMax:
      if (dtype == DType::U8) return 0;
      if (dtype == DType::I32) return INT32_MIN;
      if (dtype == DType::I64) return static_cast<double>(INT64_MIN);
      return -infinity;
    case ReduceKind::Min:
    case ReduceKind::ArgMin:
      if (dtype == DType::U8) return 255;
      if (dtype == DType::I32) return INT32_MAX;
      return infinity;
  }
  return 0;
}

struct AccumulatorState {
  ReduceKind kind;
  DType dtype;
  bool is_outside_vector;
  Tensor values;                   // kLanes
  std::vector<int64_t> positions;  // of the best; -1: none yet
};

class Run {
 public:
  Run(const Kernel& kernel, std::span<Tensor> buffers)
      : kernel_(kernel),
        buffers_(buffers),
        vars_(kernel.var_count, 0),
        lets_(kernel.let_count),
        accumulators_(kernel.accumulator_count) {}

  void run(int64_t begin, int64_t end) { statements(kernel_.body, begin, end); }

 private:
  void statements(const std::vector<Stmt>& body, int64_t begin, int64_t end) {
    for (const Stmt& stmt : body) {
      if (const auto* loop = std::get_if<For>(&stmt))
        loop_over(*loop, loop->parallel ? begin : 0, loop->parallel ? end : loop->extent);
      else if (const auto* let = std::get_if<Let>(&stmt))
        lets_[number(let->id)] =
            std::visit([&](const auto& v) { return value(*let, v); }, let->value);
      else if (const auto* accumulator = std::get_if<Accumulator>(&stmt))
        declare(*accumulator);
      else if (const auto* accumulate = std::get_if<Accumulate>(&stmt))
        feed(*accumulate);
      else
        store(std::get<Store>(stmt));
    }
  }

  void loop_over(const For& loop, int64_t begin, int64_t end) {
    if (!loop.vector) {
      for (int64_t i = begin; i < end; ++i) {
        vars_[number(loop.var)] = i;
        statements(loop.body, 0, 0);
      }
      return;
    }
    CHECK(vector_var_ < 0, "a vector loop in a vector loop");
    vector_var_ = static_cast<int64_t>(number(loop.var));
    for (int64_t i = begin; i < end; i += kLanes) {
      vars_[number(loop.var)] = i;
      active_ = std::min(kLanes, end - i);
      statements(loop.body, 0, 0);
    }
    vector_var_ = -1;
    active_ = 1;
  }

  int64_t lanes() const { return vector_var_ < 0 ? 1 : kLanes; }
  int64_t position(const Affine& map, int64_t lane) const {
    int64_t result = map.offset;
    for (size_t v = 0; v < map.strides.size(); ++v)
      result += map.strides[v] * (vars_[v] + (static_cast<int64_t>(v) == vector_var_ ? lane : 0));
    return result;
  }
  int64_t element(const Access& access, int64_t lane) const {
    int64_t result = position(access.position, lane);
    for (const Indirection& indirection : access.indirections) {
      const Tensor& index = lets_[number(indirection.index)];
      const auto i = static_cast<int64_t>(index.at(index.size() == 1 ? 0 : lane));
      result += std::clamp<int64_t>(i, 0, indirection.size - 1) * indirection.stride;
    }
    return result;
  }
  /// The let with as many lanes as there are now.
  Tensor lanes_of(LetId id) const {
    const Tensor& let = lets_[number(id)];
    if (let.size() == lanes()) return let;
    CHECK(let.size() == 1, "v{} has left its vector loop", number(id));
    Tensor splat(let.dtype(), {lanes()});
    for (int64_t l = 0; l < lanes(); ++l) copy_element(splat, l, let, 0);
    return splat;
  }

  Tensor value(const Let& let, const Load& load) const {
    Tensor result(let.dtype, {lanes()});
    for (int64_t l = 0; l < active_; ++l)
      copy_element(result, l, buffers_[static_cast<size_t>(load.access.buffer)],
                   element(load.access, l));
    return result;
  }
  Tensor value(const Let&, const Literal& literal) const { return literal.value.reshaped({1}); }
  Tensor value(const Let& let, const Iota& iota) const {
    Tensor result(let.dtype, {lanes()});
    for (int64_t l = 0; l < active_; ++l)
      result.set(l, static_cast<double>(position(iota.position, l)));
    return result;
  }
  Tensor value(const Let& let, const Draw& draw) const {
    Tensor result(let.dtype, {lanes()});
    const RngPosition at{static_cast<uint64_t>(lets_[number(draw.seed)].span<int64_t>()[0]),
                         static_cast<uint64_t>(lets_[number(draw.stream)].span<int64_t>()[0]),
                         static_cast<uint64_t>(lets_[number(draw.step)].span<int64_t>()[0])};
    for (int64_t l = 0; l < active_; ++l) {
      const auto i = static_cast<uint64_t>(position(draw.position, l));
      if (let.dtype == DType::F32)
        result.span<float>()[static_cast<size_t>(l)] = random_unit_f32(at, i);
      else
        result.span<double>()[static_cast<size_t>(l)] = random_unit_f64(at, i);
    }
    return result;
  }
  Tensor value(const Let& let, const Apply& apply) const {
    std::vector<Tensor> operands;
    for (LetId operand : apply.operands) operands.push_back(lanes_of(operand));
    return apply_op(apply.kind, operands, let.dtype);
  }
  Tensor value(const Let& let, const ReadAccumulator& read) {
    AccumulatorState state = accumulators_[number(read.accumulator)];
    if (state.is_outside_vector) {
      for (int64_t half = kLanes / 2; half >= 1; half /= 2)
        for (int64_t l = 0; l < half; ++l)
          combine(state, l, state.values, l + half, state.positions[static_cast<size_t>(l + half)]);
    }
    Tensor result(let.dtype, {lanes()});
    const bool is_position = state.kind == ReduceKind::ArgMax || state.kind == ReduceKind::ArgMin;
    for (int64_t l = 0; l < lanes(); ++l) {
      if (is_position)
        result.set(
            l, static_cast<double>(std::max<int64_t>(state.positions[static_cast<size_t>(l)], 0)));
      else
        copy_element(result, l, state.values, l);
    }
    return result;
  }

  void declare(const Accumulator& accumulator) {
    AccumulatorState state{accumulator.kind, accumulator.dtype, vector_var_ < 0,
                           Tensor(accumulator.dtype, {kLanes}), std::vector<int64_t>(kLanes, -1)};
    for (int64_t l = 0; l < kLanes; ++l)
      state.values.set(l, neutral(accumulator.kind, accumulator.dtype));
    const bool is_minimum =
        accumulator.kind == ReduceKind::Min || accumulator.kind == ReduceKind::ArgMin;
    if (is_minimum && accumulator.dtype == DType::I64)
      std::fill_n(state.values.span<int64_t>().begin(), kLanes,
                  std::numeric_limits<int64_t>::max());
    if (accumulator.start) {
      const Tensor& start = lets_[number(*accumulator.start)];
      for (int64_t l = 0; l < kLanes; ++l)
        copy_element(state.values, l, start, start.size() == 1 ? 0 : l);
    }
    accumulators_[number(accumulator.id)] = std::move(state);
  }

  static Tensor single(const Tensor& from, int64_t lane) {
    Tensor result(from.dtype(), {1});
    copy_element(result, 0, from, lane);
    return result;
  }
  static void combine(AccumulatorState& state, int64_t lane, const Tensor& from, int64_t from_lane,
                      int64_t from_position) {
    int64_t& at = state.positions[static_cast<size_t>(lane)];
    switch (state.kind) {
      case ReduceKind::ArgMax:
      case ReduceKind::ArgMin: {
        if (from_position < 0) return;
        const double a = state.values.at(lane);
        const double b = from.at(from_lane);
        const bool is_better = state.kind == ReduceKind::ArgMax ? b > a : b < a;
        const bool is_tie = a == b || (std::isnan(a) && std::isnan(b));
        const bool wins = at < 0 || (std::isnan(b) && !std::isnan(a)) ||
                          (is_better && !std::isnan(a)) || (is_tie && from_position < at);
        if (!wins) return;
        at = from_position;
        copy_element(state.values, lane, from, from_lane);
        return;
      }
      case ReduceKind::Sum:
      case ReduceKind::Prod:
      case ReduceKind::Max:
      case ReduceKind::Min: {
        static constexpr OpKind kOps[] = {OpKind::Add, OpKind::Maximum, OpKind::Minimum,
                                          OpKind::Mul};
        const Tensor combined =
            apply_op(kOps[static_cast<size_t>(state.kind)],
                     {single(state.values, lane), single(from, from_lane)}, state.dtype);
        copy_element(state.values, lane, combined, 0);
      }
    }
  }

  void feed(const Accumulate& accumulate) {
    AccumulatorState& state = accumulators_[number(accumulate.accumulator)];
    const Tensor fed = lanes_of(accumulate.value);
    for (int64_t l = 0; l < active_; ++l) {
      if (accumulate.factor) {
        add_product(state, l, fed, lanes_of(*accumulate.factor));
        continue;
      }
      combine(state, l, fed, l, position(accumulate.position, l));
    }
  }
  static void add_product(AccumulatorState& state, int64_t lane, const Tensor& a, const Tensor& b) {
    const auto l = static_cast<size_t>(lane);
    if (state.dtype == DType::F32) {
      float& sum = state.values.span<float>()[l];
      sum = std::fma(a.span<float>()[l], b.span<float>()[l], sum);
    } else if (state.dtype == DType::F64) {
      double& sum = state.values.span<double>()[l];
      sum = std::fma(a.span<double>()[l], b.span<double>()[l], sum);
    } else {
      const Tensor product = apply_op(OpKind::Mul, {single(a, lane), single(b, lane)}, state.dtype);
      combine(state, lane, product, 0, 0);
    }
  }

  void store(const Store& statement) {
    Tensor& buffer = buffers_[static_cast<size_t>(statement.access.buffer)];
    const Tensor stored = lanes_of(statement.value);
    for (int64_t l = 0; l < active_; ++l) {
      const int64_t at = element(statement.access, l);
      if (!statement.add) {
        copy_element(buffer, at, stored, l);
      } else {
        const Tensor sum =
            apply_op(OpKind::Add, {single(buffer, at), single(stored, l)}, stored.dtype());
        copy_element(buffer, at, sum, 0);
      }
      if (statement.guard) watch(*statement.guard, buffer.at(at));
    }
  }

  void watch(const Guard& guard, double value) {
    const bool is_found = guard.admits_infinity ? std::isnan(value) : !std::isfinite(value);
    if (is_found) buffers_[static_cast<size_t>(guard.buffer)].set(0, 1);
  }

  const Kernel& kernel_;
  std::span<Tensor> buffers_;
  std::vector<int64_t> vars_;
  std::vector<Tensor> lets_;
  std::vector<AccumulatorState> accumulators_;
  int64_t vector_var_ = -1;
  int64_t active_ = 1;
};

}  // namespace

void interpret_kernel(const Kernel& kernel, std::span<Tensor> buffers, int64_t begin, int64_t end) {
  Run(kernel, buffers).run(begin, end);
}

std::vector<Tensor> run_group(const Graph& body, std::span<const Tensor> operands,
                              const std::pair<int32_t, int32_t>* in_place) {
  const LoweredGroup group = lower_group(body, "test");
  std::vector<Tensor> memory(operands.begin(), operands.end());
  std::vector<Tensor> results;
  for (const Output& output : body.outputs()) {
    Tensor result(body.type(output.value));
    for (int64_t i = 0; i < result.size(); ++i)
      result.set(i, result.dtype() == DType::Bool ? 1 : 77);
    results.push_back(std::move(result));
  }
  if (in_place != nullptr) {
    Tensor& operand = memory[static_cast<size_t>(in_place->first)];
    Tensor& result = results[static_cast<size_t>(in_place->second)];
    const Tensor shared = operand.clone();
    operand = shared;
    result = Tensor(result.type(), const_cast<std::byte*>(shared.raw()),
                    std::make_shared<Tensor>(shared));
  }
  std::vector<Tensor> scratch;
  for (int64_t bytes : group.scratch_bytes) scratch.emplace_back(DType::U8, Shape{bytes});
  for (const GroupKernel& step : group.kernels) {
    std::vector<Tensor> buffers;
    for (size_t b = 0; b < step.buffers.size(); ++b) {
      const auto position = static_cast<size_t>(step.buffers[b].position);
      const Buffer& buffer = step.kernel.buffers[b];
      if (step.buffers[b].source == GroupBuffer::Source::Operand)
        buffers.push_back(memory[position]);
      else if (step.buffers[b].source == GroupBuffer::Source::Result)
        buffers.push_back(results[position]);
      else
        buffers.emplace_back(Type{buffer.dtype, {buffer.elements}}, scratch[position].raw(),
                             std::make_shared<Tensor>(scratch[position]));
    }
    for (size_t b = buffers.size(); b < step.kernel.buffers.size(); ++b)
      buffers.emplace_back(step.kernel.buffers[b].dtype, Shape{step.kernel.buffers[b].elements});
    const int64_t extent = step.kernel.parallel_extent();
    const int64_t grain = step.kernel.parallel_grain();
    const int64_t piece = std::max<int64_t>(extent / 3 / grain, 1) * grain;
    if (extent == 0) continue;
    for (int64_t begin = (extent - 1) / piece * piece; begin >= 0; begin -= piece)
      interpret_kernel(step.kernel, buffers, begin, std::min(extent, begin + piece));
  }
  return results;
}

std::vector<Tensor> run_fused(const Graph& fused, std::span<const Tensor> inputs) {
  std::vector<Tensor> values(inputs.begin(), inputs.end());
  values.resize(fused.value_count());
  for (const Node& node : fused.nodes()) {
    std::vector<Tensor> operands;
    for (ValueId operand : node.operands) operands.push_back(values[index(operand)]);
    if (node.kind == OpKind::Group) {
      const Graph& body = *node.attrs.get<BodyRef>("body");
      const bool has_loops = node.attrs.get<std::string>("kind") != "ordered";
      const std::vector<Tensor> results =
          has_loops ? run_group(body, operands) : interpret(body, operands);
      for (size_t k = 0; k < results.size(); ++k) values[index(node.results[k])] = results[k];
    } else if (node.kind == OpKind::Reshape) {
      values[index(node.results[0])] = operands[0].reshaped(fused.type(node.results[0]).shape);
    } else {
      CHECK(node.kind == OpKind::Constant, "{} in a fused graph", op_info(node.kind).name);
      values[index(node.results[0])] = node.attrs.get<Tensor>("value");
    }
  }
  std::vector<Tensor> outputs;
  for (const Output& output : fused.outputs()) outputs.push_back(values[index(output.value)]);
  return outputs;
}

}  // namespace gradc::testing
