// Kernels that differ in what a call can tell are one.
#include "codegen/share_kernels.h"

#include "codegen/compile.h"
#include "ir/builder.h"
#include "passes/pipeline.h"
#include "tests/codegen/kernel_builder.h"

#include <catch2/catch.hpp>

using namespace gradc;
using loop::KernelBuilder;

namespace {

loop::Kernel scale_kernel(int64_t elements, double factor, bool is_added = false) {
  KernelBuilder builder("scale");
  const int32_t in = builder.buffer(DType::F32, elements);
  const int32_t out = builder.buffer(DType::F32, elements, true);
  const loop::VarId i = builder.var();
  builder.open(i, elements, true, true);
  const loop::LetId x = builder.load(in, KernelBuilder::at({{i, 1}}));
  const loop::LetId y = builder.literal(DType::F32, factor);
  builder.store(out, KernelBuilder::at({{i, 1}}), builder.apply(DType::F32, OpKind::Mul, {x, y}),
                is_added);
  builder.close();
  return builder.kernel();
}

/// Two parameters drawn with other bounds, shapes and streams.
Graph drawing_graph() {
  GraphBuilder b("draws", GraphMode::Init);
  const ValueId seed = b.input(InputKind::Seed, "seed", {DType::I64, {}});
  const ValueId step = b.constant(Tensor::scalar(DType::I64, 0));
  int64_t stream = 10;
  for (const auto& [name, shape] : {std::pair{"a", Shape{40, 20}}, std::pair{"b", Shape{33, 7}}}) {
    const ValueId unit =
        b.add(OpKind::Random, {seed, step},
              {{"shape", shape.dims()}, {"dtype", DType::F32}, {"stream", stream}});
    b.output(OutputKind::Parameter, name,
             b.mul(unit, b.fill_like(unit, 0.5 / static_cast<double>(stream))));
    ++stream;
  }
  return std::move(b).build();
}

}  // namespace

TEST_CASE("flat loops share their code whatever their extent") {
  CHECK(sharing_key(scale_kernel(1000, 2)) == sharing_key(scale_kernel(77, 2)));
  CHECK(sharing_key(scale_kernel(5, 2)) == sharing_key(scale_kernel(63, 2)));
  CHECK(sharing_key(scale_kernel(5, 2)) != sharing_key(scale_kernel(64, 2)));
  CHECK(sharing_key(scale_kernel(1000, 2)) != sharing_key(scale_kernel(1000, 3)));
  CHECK(sharing_key(scale_kernel(1000, 2, true)) != sharing_key(scale_kernel(1001, 2, true)));
}

TEST_CASE("draws of other streams, bounds and sizes are one kernel") {
  const Graph fused = run_until(drawing_graph(), Stage::Fused);
  const LoweredProgram lowered = lower(fused, {});
  CHECK(lowered.kernels.size() == 1);
  REQUIRE(lowered.program.steps.size() == 2);
}
