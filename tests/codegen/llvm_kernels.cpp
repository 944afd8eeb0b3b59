// Machine code of hand-written loop kernels against loop_interpret, to the bit: every statement and
// kind of access, every dtype, extents around the vector length.
#include <cstring>
#include <random>

#include "runtime/processor.h"
#include "tests/codegen/compile_kernels.h"
#include "tests/codegen/kernel_builder.h"
#include "tests/codegen/loop_interpret.h"

#include <catch2/catch.hpp>

namespace gradc {
namespace {

using loop::Affine;
using loop::KernelBuilder;
using loop::LetId;
using loop::ReduceKind;
using loop::VarId;
using testing::interpret_kernel;

constexpr int64_t kExtents[] = {0, 1, 15, 16, 17, 31, 32, 100};

Affine at(std::initializer_list<std::pair<VarId, int64_t>> terms, int64_t offset = 0) {
  return KernelBuilder::at(terms, offset);
}

/// Small numbers whose sums are exact in any order, so that the vector length does not matter.
Tensor exact_numbers(const loop::Buffer& buffer, uint64_t seed) {
  Tensor tensor(buffer.dtype, {buffer.elements});
  std::mt19937_64 random(seed);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const auto number = static_cast<double>(random() % 8);
    const bool is_signed = buffer.dtype >= DType::I32;
    tensor.set(i, buffer.dtype == DType::Bool ? static_cast<double>(random() % 2)
                                              : number - (is_signed ? 4 : 0));
  }
  return tensor;
}

using Buffers = std::vector<Tensor>;

Buffers make_buffers(const loop::Kernel& kernel, uint64_t seed) {
  Buffers buffers;
  for (const loop::Buffer& buffer : kernel.buffers)
    buffers.push_back(exact_numbers(buffer, seed + buffers.size()));
  return buffers;
}

/// Memory behind a copy of the elements that must stay as it is.
constexpr size_t kGuardBytes = 256;

struct Guarded {
  explicit Guarded(const Tensor& tensor) : bytes(static_cast<size_t>(tensor.size_bytes())) {
    memory.assign(bytes + 2 * kGuardBytes, std::byte{0x5A});
    std::memcpy(memory.data() + kGuardBytes, tensor.raw(), bytes);
  }
  bool is_intact() const {
    const auto is_guard = [](std::byte b) { return b == std::byte{0x5A}; };
    return std::all_of(memory.begin(), memory.begin() + kGuardBytes, is_guard) &&
           std::all_of(memory.end() - kGuardBytes, memory.end(), is_guard);
  }
  std::byte* data() { return memory.data() + kGuardBytes; }

  size_t bytes;
  std::vector<std::byte> memory;
};

void check_kernel(const loop::Kernel& kernel, Buffers buffers, const Target& target) {
  INFO(target.cpu << "\n" << loop::print(kernel));
  const loop::Kernel kernels[] = {kernel};
  const CompiledKernels compiled = compile_kernels(kernels, target);
  std::vector<Guarded> memory;
  for (const Tensor& buffer : buffers) memory.emplace_back(buffer);
  std::vector<void*> pointers;
  for (Guarded& buffer : memory) pointers.push_back(buffer.data());
  for (Tensor& buffer : buffers) buffer = buffer.clone();
  const int64_t extent = kernel.parallel_extent();
  const int64_t piece =
      std::max<int64_t>(extent / 2 / kernel.parallel_grain(), 1) * kernel.parallel_grain();
  for (int64_t begin = 0; begin < extent; begin += piece) {
    const int64_t end = std::min(extent, begin + piece);
    compiled.functions[0](pointers.data(), begin, end);
    interpret_kernel(kernel, buffers, begin, end);
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    INFO("buffer " << i);
    REQUIRE(memory[i].is_intact());
    Tensor actual(buffers[i].type());
    std::memcpy(actual.raw(), memory[i].data(), memory[i].bytes);
    for (int64_t k = 0; k < actual.size(); ++k) {
      INFO("element " << k << " of " << actual.size());
      const bool are_nan = std::isnan(actual.at(k)) && std::isnan(buffers[i].at(k));
      REQUIRE((actual.at(k) == buffers[i].at(k) || are_nan));
    }
  }
}
/// For the host and, one kernel in three each, as for processors with shorter vectors.
void check_kernel(const loop::Kernel& kernel, const Buffers& buffers) {
  static int turn = 0;
  check_kernel(kernel, buffers, host_target());
  if (++turn % 3 == 0 && vector_lanes() > 8) check_kernel(kernel, buffers, x86_level(3));
  if (turn % 3 == 1 && vector_lanes() > 4) check_kernel(kernel, buffers, x86_level(1));
}
void check_kernel(const loop::Kernel& kernel) { check_kernel(kernel, make_buffers(kernel, 1)); }

bool is_number(DType dtype) { return dtype != DType::Bool; }

}  // namespace

TEST_CASE("vector loops load and store with every stride") {
  for (DType dtype : kAllDTypes) {
    for (int64_t n : kExtents) {
      for (int64_t stride : {1, 0, -1, 2, -3, 7}) {
        KernelBuilder builder("strides");
        const int64_t size = std::max<int64_t>(n, 1) * 7 + 3;
        const int64_t from = stride < 0 ? -stride * std::max<int64_t>(n - 1, 0) : 1;
        const int32_t in = builder.buffer(dtype, size), out = builder.buffer(dtype, size, true);
        const int32_t spread = builder.buffer(dtype, size, true);
        const VarId i = builder.var();
        builder.open(i, n, true, true);
        const LetId x = builder.load(in, at({{i, stride}}, from));
        builder.store(out, at({{i, 1}}, 2), x);
        builder.store(spread, at({{i, stride}}, from), builder.load(in, at({{i, 1}})));
        builder.close();
        check_kernel(builder.kernel());
      }
    }
  }
}

TEST_CASE("rows and columns meet in nested loops") {
  for (int64_t n : kExtents) {
    for (bool is_parallel : {false, true}) {
      KernelBuilder builder("rows");
      const int32_t row = builder.buffer(DType::F32, n), column = builder.buffer(DType::F32, 5);
      const int32_t out = builder.buffer(DType::F32, 5 * n, true);
      const VarId i = builder.var(), j = builder.var();
      builder.open(i, 5, is_parallel, false);
      const LetId scale = builder.load(column, at({{i, 1}}));
      const LetId twice = builder.apply(DType::F32, OpKind::Add, {scale, scale});
      builder.open(j, n, false, true);
      const LetId x = builder.load(row, at({{j, 1}}));
      const LetId position = builder.let(DType::F32, loop::Iota{at({{i, 1000}, {j, 3}}, -7)});
      const LetId product = builder.apply(DType::F32, OpKind::Mul, {x, twice});
      builder.store(out, at({{i, n}, {j, 1}}),
                    builder.apply(DType::F32, OpKind::Sub, {product, position}));
      builder.close();
      builder.close();
      check_kernel(builder.kernel());
    }
  }
}

TEST_CASE("reductions along the vector loop and across it, every kind and dtype") {
  for (DType dtype : kAllDTypes) {
    if (!is_number(dtype)) continue;
    for (ReduceKind kind : {ReduceKind::Sum, ReduceKind::Max, ReduceKind::Min, ReduceKind::Prod,
                            ReduceKind::ArgMax, ReduceKind::ArgMin}) {
      const bool is_position = kind == ReduceKind::ArgMax || kind == ReduceKind::ArgMin;
      const DType result = is_position ? DType::I32 : dtype;
      for (int64_t n : kExtents) {
        KernelBuilder builder("reduce");
        const int32_t in = builder.buffer(dtype, 4 * n);
        const int32_t rows = builder.buffer(result, 4, true);
        const int32_t columns = builder.buffer(result, n, true);
        const VarId i = builder.var(), j = builder.var(), k = builder.var(), l = builder.var();
        builder.open(i, 4, false, false);
        const auto sum = builder.accumulator(kind, dtype);
        builder.open(j, n, false, true);
        builder.accumulate(sum, builder.load(in, at({{i, n}, {j, 1}})), {}, at({{j, 1}}));
        builder.close();
        builder.store(rows, at({{i, 1}}), builder.read(result, sum));
        builder.close();
        builder.open(k, n, false, true);
        const auto each = builder.accumulator(kind, dtype);
        builder.open(l, 4, false, false);
        builder.accumulate(each, builder.load(in, at({{l, n}, {k, 1}})), {}, at({{l, 1}}));
        builder.close();
        builder.store(columns, at({{k, 1}}), builder.read(result, each));
        builder.close();
        const loop::Kernel kernel = builder.kernel();
        // Long products are not exact: their order depends on the length of vectors.
        if (kind == ReduceKind::Prod)
          check_kernel(kernel, make_buffers(kernel, 1), host_target());
        else
          check_kernel(kernel);
      }
    }
  }
}

TEST_CASE("sums of products, in nested and in serial loops") {
  for (DType dtype : {DType::F32, DType::F64, DType::I32, DType::I64}) {
    for (int64_t n : kExtents) {
      for (bool is_vector : {false, true}) {
        KernelBuilder builder("products");
        const int32_t a = builder.buffer(dtype, 3 * n), b = builder.buffer(dtype, 3 * n);
        const int32_t out = builder.buffer(dtype, 2, true);
        const VarId i = builder.var(), j = builder.var();
        const auto sum = builder.accumulator(ReduceKind::Sum, dtype);
        builder.open(i, 3, false, false);
        builder.open(j, n, false, is_vector);
        const LetId x = builder.load(a, at({{i, n}, {j, 1}}));
        builder.accumulate(sum, x, builder.load(b, at({{i, n}, {j, 1}})));
        builder.close();
        builder.close();
        const LetId total = builder.read(dtype, sum);
        builder.store(out, at({}), total);
        builder.store(out, at({}, 1), total, true);
        check_kernel(builder.kernel());
      }
    }
  }
}

TEST_CASE("products by tiles of rows, several vectors together") {
  for (DType dtype : {DType::F32, DType::F64, DType::I32, DType::U8}) {
    for (int64_t rows : {1, 3, 6, 8, 12}) {
      for (int64_t n : {16, 64, 100, 200}) {
        KernelBuilder builder("tile");
        constexpr int64_t kDepth = 9;
        const int32_t a = builder.buffer(dtype, rows * kDepth);
        const int32_t b = builder.buffer(dtype, kDepth * n);
        const int32_t out = builder.buffer(dtype, rows * n, true);
        const VarId j = builder.var(), k = builder.var();
        builder.open(j, n, true, true);
        std::vector<loop::AccumulatorId> sums;
        for (int64_t r = 0; r < rows; ++r)
          sums.push_back(builder.accumulator(ReduceKind::Sum, dtype));
        builder.open(k, kDepth, false, false);
        const LetId column = builder.load(b, at({{k, n}, {j, 1}}));
        for (int64_t r = 0; r < rows; ++r)
          builder.accumulate(sums[static_cast<size_t>(r)],
                             builder.load(a, at({{k, 1}}, r * kDepth)), column);
        builder.close();
        for (int64_t r = 0; r < rows; ++r)
          builder.store(out, at({{j, 1}}, r * n),
                        builder.read(dtype, sums[static_cast<size_t>(r)]));
        builder.close();
        check_kernel(builder.kernel());
      }
    }
  }
}

TEST_CASE("a sum has one order: a lane takes every W-th element, lanes combine as a tree") {
  if (vector_lanes() != testing::kLanes) return;
  std::mt19937_64 random(3);
  for (int64_t n : {5, 16, 40, 1000}) {
    KernelBuilder builder("order");
    const int32_t in = builder.buffer(DType::F32, n), out = builder.buffer(DType::F32, 1, true);
    const VarId i = builder.var();
    const auto sum = builder.accumulator(ReduceKind::Sum, DType::F32);
    builder.open(i, n, false, true);
    builder.accumulate(sum, builder.load(in, at({{i, 1}})));
    builder.close();
    builder.store(out, at({}), builder.read(DType::F32, sum));
    Buffers buffers = make_buffers(builder.kernel(), 1);
    for (float& x : buffers[0].span<float>()) x = static_cast<float>(random()) * 0x1p-63F - 1.3F;
    check_kernel(builder.kernel(), buffers, host_target());
  }
}

TEST_CASE("argmax takes the first of equal ones and the first NaN") {
  std::mt19937_64 random(5);
  for (ReduceKind kind : {ReduceKind::ArgMax, ReduceKind::ArgMin, ReduceKind::Max}) {
    const bool is_position = kind != ReduceKind::Max;
    const DType result = is_position ? DType::I32 : DType::F32;
    for (int64_t n : {1, 10, 16, 33, 100}) {
      KernelBuilder builder("first");
      const int32_t in = builder.buffer(DType::F32, n), out = builder.buffer(result, 1, true);
      const VarId i = builder.var();
      const auto best = builder.accumulator(kind, DType::F32);
      builder.open(i, n, false, true);
      builder.accumulate(best, builder.load(in, at({{i, 1}})), {}, at({{i, 1}}));
      builder.close();
      builder.store(out, at({}), builder.read(result, best));
      const loop::Kernel kernel = builder.kernel();
      for (int round = 0; round < 20; ++round) {
        Buffers buffers = make_buffers(kernel, random());
        for (float& x : buffers[0].span<float>()) {
          if (round % 4 == 1 && random() % 8 == 0) x = NAN;
          if (round % 4 == 2) x = random() % 2 == 0 ? -INFINITY : INFINITY;
          if (round % 4 == 3) x = kind == ReduceKind::ArgMax ? -INFINITY : INFINITY;
        }
        check_kernel(kernel, buffers);
      }
    }
  }
}

TEST_CASE("indirect loads are clamped, indirect sums count every lane") {
  for (DType dtype : {DType::F32, DType::F64, DType::I64, DType::U8, DType::BF16}) {
    for (DType index_dtype : {DType::U8, DType::I32, DType::I64}) {
      for (int64_t n : kExtents) {
        KernelBuilder builder("indirect");
        const int32_t index = builder.buffer(index_dtype, std::max<int64_t>(n, 3));
        const int32_t table = builder.buffer(dtype, 3 * n);
        const int32_t picked = builder.buffer(dtype, n, true);
        const int32_t rows = builder.buffer(dtype, 3 * n, true);
        const int32_t sums = builder.buffer(dtype, 3, true);
        const VarId i = builder.var(), r = builder.var(), j = builder.var();
        builder.open(i, n, false, true);
        const LetId where = builder.load(index, at({{i, 1}}));
        const LetId x = builder.load(table, at({{i, 1}}), {{where, 3, n}});
        builder.store(picked, at({{i, 1}}), x);
        builder.store(sums, at({}), x, true, {{where, 3, 1}});
        builder.close();
        builder.open(r, 3, false, false);
        const LetId row = builder.load(index, at({{r, 1}}));
        builder.open(j, n, false, true);
        builder.store(rows, at({{j, 1}}), builder.load(table, at({{j, 1}}), {{row, 3, n}}), true,
                      {{row, 3, n}});
        builder.close();
        builder.close();
        check_kernel(builder.kernel());
      }
    }
  }
}

TEST_CASE("conversions between all dtypes, out of range and NaN too") {
  const double kNumbers[] = {0,    -0.0,  1,     -1,       0.5,    -0.7, 1.5,  2.5,       255,
                             256,  -300,  65504, 65520,    1e5,    -1e5, 3e9,  -3e9,      1e10,
                             1e19, -1e19, 1e38,  INFINITY, 1e-40,  1e-5, 6e-8, -INFINITY, NAN,
                             6e-5, 3e-6,  127.5, 1e300,    1e-300, 2049, 2051, 3.3895e38};
  const auto n = static_cast<int64_t>(std::size(kNumbers));
  for (DType from : kAllDTypes) {
    for (DType to : kAllDTypes) {
      KernelBuilder builder("convert");
      const int32_t in = builder.buffer(from, n), out = builder.buffer(to, n, true);
      const VarId i = builder.var();
      builder.open(i, n, true, true);
      builder.store(out, at({{i, 1}}),
                    builder.apply(to, OpKind::Convert, {builder.load(in, at({{i, 1}}))}));
      builder.close();
      Buffers buffers = make_buffers(builder.kernel(), 1);
      for (int64_t k = 0; k < n && is_float(from); ++k) buffers[0].set(k, kNumbers[k]);
      check_kernel(builder.kernel(), buffers);
    }
  }
}

TEST_CASE("draws are the bits of the random number generator") {
  for (DType dtype : {DType::F32, DType::F64}) {
    for (int64_t n : {1, 16, 17, 64, 100, 256}) {
      for (const auto& [row_stride, stride, offset] : {std::array<int64_t, 3>{n, 1, 0},
                                                       {n, 1, 5},
                                                       {1, 4, 0},
                                                       {64, 1, 128},
                                                       {64, 1, 16},
                                                       {16, 1, 64},
                                                       {1, 0, 3},
                                                       {int64_t{1} << 40, 1, 0}}) {
        KernelBuilder builder("draw");
        const int32_t numbers = builder.buffer(DType::I64, 2);
        const int32_t out = builder.buffer(dtype, 4 * n, true);
        const VarId i = builder.var(), j = builder.var();
        const LetId stream = builder.literal(uint64_t{0x123456789ABCDEF0});
        const LetId seed = builder.load(numbers, at({}));
        const LetId step = builder.load(numbers, at({}, 1));
        builder.open(i, 4, true, false);
        builder.open(j, n, false, true);
        const LetId x = builder.let(
            dtype, loop::Draw{seed, step, stream, at({{i, row_stride}, {j, stride}}, offset)});
        builder.store(out, at({{i, n}, {j, 1}}), x);
        builder.close();
        builder.close();
        Buffers buffers = make_buffers(builder.kernel(), 1);
        buffers[0].span<int64_t>()[0] = int64_t{0x0FEDCBA987654321};
        buffers[0].span<int64_t>()[1] = int64_t{1} << 33;
        check_kernel(builder.kernel(), buffers);
      }
    }
  }
}

TEST_CASE("draws of a parallel vector loop do not depend on where its ranges are cut") {
  for (DType dtype : {DType::F32, DType::F64}) {
    for (int64_t n : {1, 63, 64, 100, 128, 200, 333}) {
      KernelBuilder builder("draws");
      const int32_t numbers = builder.buffer(DType::I64, 2);
      const int32_t out = builder.buffer(dtype, n, true), other = builder.buffer(dtype, n, true);
      const VarId i = builder.var();
      const LetId five = builder.literal(uint64_t{5}), six = builder.literal(uint64_t{6});
      const LetId seed = builder.load(numbers, at({}));
      const LetId step = builder.load(numbers, at({}, 1));
      builder.open(i, n, true, true);
      const auto draw = [&](LetId stream, int64_t offset) {
        return builder.let(dtype, loop::Draw{seed, step, stream, at({{i, 1}}, offset)});
      };
      const LetId x = draw(five, 0), y = draw(six, 640), z = draw(five, 3);
      builder.store(out, at({{i, 1}}), builder.apply(dtype, OpKind::Sub, {x, y}));
      builder.store(other, at({{i, 1}}), z);
      builder.close();
      check_kernel(builder.kernel());
    }
  }
}

TEST_CASE("text of kernels is the same each time") {
  KernelBuilder builder("copy");
  const int32_t in = builder.buffer(DType::F32, 20), out = builder.buffer(DType::F32, 20, true);
  const VarId i = builder.var();
  builder.open(i, 20, true, true);
  builder.store(out, at({{i, 1}}), builder.load(in, at({{i, 1}})));
  builder.close();
  const loop::Kernel kernels[] = {builder.kernel(), builder.kernel()};
  REQUIRE(llvm_text(kernels, host_target()) == llvm_text(kernels, host_target()));
  REQUIRE(llvm_text(kernels, host_target()).find("define void @copy.1(") != std::string::npos);
  REQUIRE(assembly_text(kernels, host_target()) == assembly_text(kernels, host_target()));
  REQUIRE(assembly_text(kernels, host_target()).find("copy.0:") != std::string::npos);
  REQUIRE(target_description().find(" lanes") != std::string::npos);
}

}  // namespace gradc
