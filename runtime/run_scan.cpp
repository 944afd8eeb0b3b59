// Where each round reads and writes.
#include "runtime/run_scan.h"

#include <cstring>

#include "runtime/run_parallel.h"

namespace gradc {

namespace {

void copy_bytes(std::byte* to, const std::byte* from, int64_t bytes) {
  if (to != from && bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
}

}  // namespace

ScanRunner::ScanRunner(const ScanStep& step, std::byte* arena)
    : step_(step),
      body_(step.body, arena),
      inputs_(step.body->inputs.size()),
      outputs_(step.body->outputs.size()) {}

std::byte* ScanRunner::memory(int32_t buffer) const {
  return static_cast<std::byte*>(buffers_[buffer]);
}

std::byte* ScanRunner::element(int32_t buffer, int64_t bytes, int64_t round) const {
  return memory(buffer) + (step_.reverse ? step_.length - 1 - round : round) * bytes;
}

std::byte* ScanRunner::read_by(const ScanStep::Carry& carry, int64_t round) const {
  if (carry.kept_before >= 0 && carry.kept_after < 0)
    return element(carry.kept_before, carry.bytes, round);
  return round == 0 ? memory(carry.initial) : written_by(carry, round - 1);
}

std::byte* ScanRunner::written_by(const ScanStep::Carry& carry, int64_t round) const {
  if (carry.kept_after >= 0) return element(carry.kept_after, carry.bytes, round);
  const int64_t later = step_.length - 1 - round;
  if (carry.kept_before >= 0 && later > 0)
    return element(carry.kept_before, carry.bytes, round + 1);
  return memory(carry.kept_before >= 0 || later % 2 == 0 ? carry.last : carry.spare);
}

/// kept_before[t] = what round t starts with, where that is kept in kept_after.
void ScanRunner::copy_kept_before(const ScanStep::Carry& carry) const {
  copy_bytes(element(carry.kept_before, carry.bytes, 0), memory(carry.initial), carry.bytes);
  const int64_t shift = step_.reverse ? 0 : carry.bytes;
  std::byte* to = memory(carry.kept_before) + shift;
  const std::byte* from = memory(carry.kept_after) + (carry.bytes - shift);
  const auto copy = [&](int64_t begin, int64_t end) {
    for (int64_t round = begin; round < end; ++round)
      copy_bytes(to + round * carry.bytes, from + round * carry.bytes, carry.bytes);
  };
  constexpr int64_t kParallelFromBytes = 65536;
  if (carry.bytes * step_.length <= kParallelFromBytes)
    copy(0, step_.length - 1);
  else
    run_parallel(step_.length - 1, 1, threads(), copy);
}

void ScanRunner::finish(const ScanStep::Carry& carry) const {
  const bool has_rounds = step_.length > 0;
  copy_bytes(memory(carry.last),
             has_rounds ? written_by(carry, step_.length - 1) : memory(carry.initial), carry.bytes);
  if (has_rounds && carry.kept_before >= 0 && carry.kept_after >= 0) copy_kept_before(carry);
}

void ScanRunner::run(void* const* buffers) {
  buffers_ = buffers;
  for (const ScanStep::Constant& constant : step_.constants)
    inputs_[static_cast<size_t>(constant.input)] = memory(constant.buffer);
  for (const ScanStep::Carry& carry : step_.carries)
    if (step_.length > 0 && carry.kept_before >= 0 && carry.kept_after < 0)
      copy_bytes(read_by(carry, 0), memory(carry.initial), carry.bytes);
  for (int64_t round = 0; round < step_.length; ++round) {
    for (const ScanStep::Carry& carry : step_.carries) {
      inputs_[static_cast<size_t>(carry.input)] = read_by(carry, round);
      outputs_[static_cast<size_t>(carry.output)] = written_by(carry, round);
    }
    for (const ScanStep::Sequence& sequence : step_.sequences)
      inputs_[static_cast<size_t>(sequence.position)] =
          element(sequence.buffer, sequence.bytes, round);
    for (const ScanStep::Sequence& collected : step_.collected)
      outputs_[static_cast<size_t>(collected.position)] =
          element(collected.buffer, collected.bytes, round);
    body_.run_at(inputs_, outputs_);
  }
  for (const ScanStep::Carry& carry : step_.carries) finish(carry);
}

}  // namespace gradc
