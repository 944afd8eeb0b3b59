// Loop kernels by hand, for tests: names for the parts, ids counted.
#pragma once
#include "codegen/loop.h"

namespace gradc::loop {

class KernelBuilder {
 public:
  explicit KernelBuilder(std::string name) { kernel_.name = std::move(name); }

  int32_t buffer(DType dtype, int64_t elements, bool is_written = false) {
    kernel_.buffers.push_back(
        {"b" + std::to_string(kernel_.buffers.size()), dtype, elements, is_written});
    return static_cast<int32_t>(kernel_.buffers.size() - 1);
  }
  VarId var() { return static_cast<VarId>(kernel_.var_count++); }

  /// Statements go to the innermost open loop.
  template <typename Value>
  LetId let(DType dtype, Value value) {
    const auto id = static_cast<LetId>(kernel_.let_count++);
    add(Let{id, dtype, std::move(value)});
    return id;
  }
  LetId load(int32_t buffer, Affine position, std::vector<Indirection> indirections = {}) {
    return let(kernel_.buffers[static_cast<size_t>(buffer)].dtype,
               Load{{buffer, std::move(position), std::move(indirections)}});
  }
  LetId apply(DType dtype, OpKind kind, std::vector<LetId> operands) {
    return let(dtype, Apply{kind, std::move(operands)});
  }
  LetId literal(DType dtype, double value) {
    return let(dtype, Literal{Tensor::scalar(dtype, value)});
  }
  LetId literal(uint64_t bits) {
    Tensor value(DType::I64, Shape{});
    value.span<int64_t>()[0] = static_cast<int64_t>(bits);
    return let(DType::I64, Literal{value});
  }
  AccumulatorId accumulator(ReduceKind kind, DType dtype) {
    const auto id = static_cast<AccumulatorId>(kernel_.accumulator_count++);
    add(Accumulator{id, kind, dtype});
    return id;
  }
  void accumulate(AccumulatorId accumulator, LetId value, std::optional<LetId> factor = {},
                  Affine position = {}) {
    add(Accumulate{accumulator, value, factor, std::move(position)});
  }
  LetId read(DType dtype, AccumulatorId accumulator) {
    return let(dtype, ReadAccumulator{accumulator});
  }
  void store(int32_t buffer, Affine position, LetId value, bool is_sum = false,
             std::vector<Indirection> indirections = {}) {
    add(Store{{buffer, std::move(position), std::move(indirections)}, value, is_sum});
  }
  void open(VarId var, int64_t extent, bool parallel, bool vector) {
    open_.push_back({var, extent, parallel, vector, {}});
  }
  void close() {
    For loop = std::move(open_.back());
    open_.pop_back();
    add(std::move(loop));
  }
  /// The position strides * variables, from pairs (variable, stride).
  static Affine at(std::initializer_list<std::pair<VarId, int64_t>> terms, int64_t offset = 0) {
    Affine affine{offset, {}};
    for (const auto& [var, stride] : terms) {
      const auto position = static_cast<size_t>(var);
      if (affine.strides.size() <= position) affine.strides.resize(position + 1);
      affine.strides[position] += stride;
    }
    return affine;
  }
  Kernel kernel() const { return kernel_; }

 private:
  void add(Stmt stmt) {
    (open_.empty() ? kernel_.body : open_.back().body).push_back(std::move(stmt));
  }

  Kernel kernel_;
  std::vector<For> open_;
};

}  // namespace gradc::loop
