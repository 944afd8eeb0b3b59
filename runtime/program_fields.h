// What a program consists of, for archives: one list of members for each type. A member that is
// added to a type and not here does not compile.
#pragma once
#include "runtime/archive.h"
#include "runtime/program.h"

namespace gradc {

template <typename A>
void fields(A& archive, typename A::template Ref<Program> value);

template <typename A>
void fields(A& archive, typename A::template Ref<Buffer> value) {
  auto& [place, offset, bytes] = value;
  archive(place, offset, bytes);
}

template <typename A>
void fields(A& archive, typename A::template Ref<Work> value) {
  auto& [flop, bytes] = value;
  archive(flop, bytes);
}

/// The function is found again by the name.
template <typename A>
void fields(A& archive, typename A::template Ref<KernelStep> value) {
  auto& [name, function, extent, grain, cost_ns, buffers, work] = value;
  archive(name, extent, grain, cost_ns, buffers, work);
}

template <typename A>
void fields(A& archive, typename A::template Ref<MatmulStep> value) {
  auto& [name, outer, batch, m, n, k, lhs_outer, rhs_outer, out_outer, lhs_strides, rhs_strides,
         out_strides, lhs, rhs, out, bias, activation] = value;
  archive(name, outer, batch, m, n, k, lhs_outer, rhs_outer, out_outer, lhs_strides, rhs_strides,
          out_strides, lhs, rhs, out, bias, activation);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ConvStep> value) {
  auto& [name, kind, batch, channels, filters, groups, input, kernel, output, stride, low, high,
         dilation, lhs, rhs, out, bias, multiplications] = value;
  archive(name, kind, batch, channels, filters, groups, input, kernel, output, stride, low, high,
          dilation, lhs, rhs, out, bias, multiplications);
}

template <typename A>
void fields(A& archive, typename A::template Ref<CopyStep> value) {
  auto& [name, from, to] = value;
  archive(name, from, to);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ScanStep::Carry> value) {
  auto& [input, output, bytes, initial, last, spare, kept_after, kept_before] = value;
  archive(input, output, bytes, initial, last, spare, kept_after, kept_before);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ScanStep::Sequence> value) {
  auto& [position, buffer, bytes] = value;
  archive(position, buffer, bytes);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ScanStep::Constant> value) {
  auto& [input, buffer] = value;
  archive(input, buffer);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ScanStep> value) {
  auto& [name, body, length, reverse, carries, sequences, constants, collected, buffers, arena] =
      value;
  archive(name, body, length, reverse, carries, sequences, constants, collected, buffers, arena);
}

template <typename A>
void fields(A& archive, typename A::template Ref<OrderedStep> value) {
  auto& [name, operation, dtype, rows, columns, is_backward, is_exclusive, from, to] = value;
  archive(name, operation, dtype, rows, columns, is_backward, is_exclusive, from, to);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ProgramInput> value) {
  auto& [kind, name, type, limit] = value;
  archive(kind, name, type, limit);
}

template <typename A>
void fields(A& archive, typename A::template Ref<ProgramOutput> value) {
  auto& [kind, name, type, updates_input] = value;
  archive(kind, name, type, updates_input);
}

template <typename A>
void fields(A& archive, typename A::template Ref<StepFacts> value) {
  auto& [name, backend, work, node] = value;
  archive(name, backend, work, node);
}

/// Code and library are bound by whoever reads it.
template <typename A>
void fields(A& archive, typename A::template Ref<Program> value) {
  auto& [name, mode, rows, inputs, outputs, buffers, steps, facts, is_serial, is_deterministic,
         product_flop, constants, arena_bytes, arena_lower_bound, unguarded, code, library] = value;
  archive(name, mode, rows, inputs, outputs, buffers, steps, facts, is_serial, is_deterministic,
          product_flop, constants, arena_bytes, arena_lower_bound, unguarded);
}

}  // namespace gradc
