// FLOP and bytes of kernels and graphs, against counts by hand.
#include "codegen/work.h"

#include "ir/text.h"
#include "tests/codegen/kernel_builder.h"

#include <catch2/catch.hpp>

using namespace gradc;
using loop::KernelBuilder;

namespace {

/// A product of two matrices, twice; then seven rounds of a vector times a matrix.
const char* const kProducts = R"(graph file counted
graph run "counted" {
  %0 = input data "a" : f32[2, 3, 4]
  %1 = input data "b" : f32[2, 4, 5]
  %2 = input data "h" : f32[1, 4]
  %3 = input data "w" : f32[4, 4]
  %4 = dot(%0, %1) {lhs_batch = [0], rhs_batch = [0], lhs_contract = [2], rhs_contract = [1]} : f32[2, 3, 5]
  %5 = scan(%2, %3) {body = graph body "round" {
    %0 = input operand "a0" : f32[1, 4]
    %1 = input operand "a1" : f32[4, 4]
    %2 = dot(%0, %1) {lhs_batch = [], rhs_batch = [], lhs_contract = [1], rhs_contract = [0]} : f32[1, 4]
    output result "r0" = %2
  }, carries = 1, sequences = 0, length = 7, reverse = false} : f32[1, 4]
  output output "c" = %4
  output output "d" = %5
}
)";

}  // namespace

TEST_CASE("the work of a kernel: ops of all iterations, each place of a buffer once") {
  KernelBuilder builder("work");
  const int32_t x = builder.buffer(DType::F32, 60);
  const int32_t row = builder.buffer(DType::F32, 10);
  const int32_t out = builder.buffer(DType::F32, 6, true);
  const loop::VarId i = builder.var();
  const loop::VarId j = builder.var();
  builder.open(i, 6, true, false);
  const loop::AccumulatorId sum = builder.accumulator(loop::ReduceKind::Sum, DType::F32);
  builder.open(j, 10, false, true);
  const loop::LetId a = builder.load(x, KernelBuilder::at({{i, 10}, {j, 1}}));
  const loop::LetId b = builder.load(row, KernelBuilder::at({{j, 1}}));
  const loop::LetId c = builder.apply(DType::F32, OpKind::Exp, {a});
  builder.accumulate(sum, c, b);
  builder.close();
  builder.store(out, KernelBuilder::at({{i, 1}}), builder.read(DType::F32, sum), true);
  builder.close();
  const Work work = work_of(builder.kernel());
  // 60 exponentials and 60 multiply-adds.
  CHECK(work.flop == 60 + 2 * 60);
  // 60 elements, 10 of the row although read 60 times, 6 added to: read and written.
  CHECK(work.bytes == 4 * (60 + 10 + 2 * 6));
}

TEST_CASE("the products of a graph, those of a scan in all rounds") {
  const Graph graph = parse_module(kProducts, "counted").graphs.front();
  CHECK(product_flop(graph) == 2.0 * (2 * 3 * 5 * 4 + 7 * 4 * 4));
}
