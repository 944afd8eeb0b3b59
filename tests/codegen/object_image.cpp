// The loader of object code: kernels that run, and objects that lie.
#include "runtime/object_image.h"

#include <elf.h>

#include <cstring>
#include <random>

#include "codegen/code_generator.h"
#include "tests/codegen/compile_kernels.h"
#include "tests/codegen/kernel_builder.h"
#include "tests/runtime/scratch_folder.h"

#include <catch2/catch.hpp>

using namespace gradc;
using loop::KernelBuilder;

namespace {

/// out[i] = round(x[i]) * factor: calls the mathematical library on processors without SSE 4.1, and
/// has constants.
loop::Kernel rounding_kernel(double factor) {
  KernelBuilder builder("rounding");
  const int32_t in = builder.buffer(DType::F32, 20);
  const int32_t out = builder.buffer(DType::F32, 20, true);
  const loop::VarId i = builder.var();
  builder.open(i, 20, true, true);
  const loop::LetId x = builder.load(in, KernelBuilder::at({{i, 1}}));
  const loop::LetId rounded = builder.apply(DType::F32, OpKind::Floor, {x});
  const loop::LetId y = builder.literal(DType::F32, factor);
  builder.store(out, KernelBuilder::at({{i, 1}}),
                builder.apply(DType::F32, OpKind::Mul, {rounded, y}));
  builder.close();
  return builder.kernel();
}

std::string object_of(const Target& target) {
  const std::vector<loop::Kernel> kernels = {rounding_kernel(3), rounding_kernel(0.5)};
  return compile_objects(kernels, target).at(0);
}

float float_floor(float x) { return std::floor(x); }
const ExternalFunction kFloor[] = {{"floorf", reinterpret_cast<void*>(float_floor)}};

ObjectImage load(const std::string& object) { return {std::as_bytes(std::span(object)), kFloor}; }

float first_of(const ObjectImage& image, const std::string& symbol, float x) {
  std::vector<float> in(20, x), out(20);
  void* const buffers[] = {in.data(), out.data()};
  const auto function = reinterpret_cast<KernelFunction>(image.find(symbol));
  REQUIRE(function != nullptr);
  function(buffers, 0, 20);
  REQUIRE(out == std::vector<float>(20, out[0]));
  return out[0];
}

template <typename T>
T& part(std::string& object, size_t offset) {
  REQUIRE(offset + sizeof(T) <= object.size());
  return *reinterpret_cast<T*>(object.data() + offset);
}

/// The first section of a type.
Elf64_Shdr& section(std::string& object, uint32_t type) {
  const auto header = part<Elf64_Ehdr>(object, 0);
  for (size_t i = 0; i < header.e_shnum; ++i) {
    auto& found = part<Elf64_Shdr>(object, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (found.sh_type == type) return found;
  }
  throw std::runtime_error("no such section");
}

std::string refusal(const std::string& object) {
  return error_of([&] { load(object); });
}

}  // namespace

TEST_CASE("object images: functions, constants and calls of the library") {
  for (const Target& target : {host_target(), x86_level(1)}) {
    const ObjectImage image = load(object_of(target));
    CHECK(first_of(image, kernel_symbol(0), 2.75F) == 6.0F);
    CHECK(first_of(image, kernel_symbol(1), -2.75F) == -1.5F);
    CHECK(image.find("nothing") == nullptr);
  }
  ObjectImage moved = load(object_of(host_target()));
  const ObjectImage image = std::move(moved);
  CHECK(first_of(image, kernel_symbol(0), 1.5F) == 3.0F);
}

TEST_CASE("object images: functions that are not in the list are refused") {
  const std::string object = object_of(x86_level(1));
  const std::string error = error_of(
      [&] { ObjectImage(std::as_bytes(std::span(object)), std::span<const ExternalFunction>()); });
  CHECK(error == "5 E0923 object code is not usable: it calls `floorf`");
}

TEST_CASE("object images: what is no object of ours is refused with the reason") {
  const std::string good = object_of(x86_level(1));
  CHECK(refusal(good).empty());
  CHECK(refusal("") == "5 E0923 object code is not usable: it is truncated");
  CHECK_THAT(refusal(std::string(100, 'x')), Catch::Contains("no ELF file"));
  const auto changed = [&](const auto& change) {
    std::string object = good;
    change(object);
    return refusal(object);
  };
  CHECK_THAT(changed([](std::string& o) { part<Elf64_Ehdr>(o, 0).e_machine = EM_AARCH64; }),
             Catch::Contains("no relocatable object for x86-64"));
  CHECK_THAT(changed([](std::string& o) { section(o, SHT_PROGBITS).sh_flags |= SHF_WRITE; }),
             Catch::Contains("it has variables"));
  CHECK_THAT(changed([](std::string& o) { section(o, SHT_PROGBITS).sh_offset = 1ULL << 40; }),
             Catch::Contains("truncated"));
  CHECK_THAT(changed([](std::string& o) { section(o, SHT_PROGBITS).sh_addralign = 3; }),
             Catch::Contains("aligned"));
  const auto with_relocation = [&](const auto& change) {
    return changed(
        [&](std::string& o) { change(part<Elf64_Rela>(o, section(o, SHT_RELA).sh_offset)); });
  };
  CHECK_THAT(with_relocation([](Elf64_Rela& r) { r.r_offset = 1 << 20; }),
             Catch::Contains("a relocation is out of bounds"));
  CHECK_THAT(with_relocation([](Elf64_Rela& r) { r.r_offset = ~0ULL; }),
             Catch::Contains("a relocation is out of bounds"));
  CHECK_THAT(with_relocation([](Elf64_Rela& r) { r.r_addend = 1LL << 40; }),
             Catch::Contains("a distance is too large"));
  CHECK_THAT(with_relocation([](Elf64_Rela& r) { r.r_info = ELF64_R_INFO(1, R_X86_64_TPOFF32); }),
             Catch::Contains("a relocation of type 23"));
  CHECK_THAT(
      with_relocation([](Elf64_Rela& r) { r.r_info = ELF64_R_INFO(1 << 20, R_X86_64_PC32); }),
      Catch::Contains("no symbol"));
}

TEST_CASE("object images: damaged objects are loaded or refused, and nothing else happens") {
  const std::string good = object_of(x86_level(1));
  for (size_t size = 0; size < good.size(); size += 7) {
    const std::string cut = good.substr(0, size);
    INFO(size << " of " << good.size() << " bytes");
    CHECK_FALSE(refusal(cut).empty());
  }
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string object = good;
    // The tables are where it matters; the code between them may be anything.
    const size_t header_begin = part<Elf64_Ehdr>(object, 0).e_shoff;
    for (int i = 0; i < 3; ++i) {
      const size_t place = random() % 3 == 0
                               ? random() % object.size()
                               : header_begin + random() % (object.size() - header_begin);
      object[place] = static_cast<char>(random());
    }
    refused += refusal(object).empty() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("the shared object with LLVM makes the code that the emitter makes") {
  const std::vector<loop::Kernel> kernels = {rounding_kernel(3)};
  CHECK(code_generator().objects(kernels) == compile_objects(kernels, host_target()));
  CHECK(code_generator().assembly_text(kernels) == assembly_text(kernels, host_target()));
  CHECK(code_generator().llvm_text(kernels) == llvm_text(kernels, host_target()));
}
