// Below 2^30: Cody and Waite's subtraction of n pi/2 in three parts, by fma. Above: Payne and
// Hanek's (1983), in 192-bit integers, one lane after the other; entered only if some lane needs
// it.
#include "codegen/llvm/quadrant.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Module.h>

#include <array>
#include <limits>

namespace gradc::math {
namespace {

constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kHalfPi1 = 0x1.921fb54442d18p0;
constexpr double kHalfPi2 = 0x1.1a62633145c07p-54;
constexpr double kHalfPi3 = -0x1.f1976b7ed8fbcp-110;
constexpr double kLargeAngle = 0x1p30;

// 2/pi as bits after the point, with 64 zeros before them.
constexpr std::array<uint64_t, 21> kTwoOverPiBits{0,
                                                  0xA2F9836E4E441529,
                                                  0xFC2757D1F534DDC0,
                                                  0xDB6295993C439041,
                                                  0xFE5163ABDEBBC561,
                                                  0xB7246E3A424DD2E0,
                                                  0x06492EEA09D1921C,
                                                  0xFE1DEB1CB129A73E,
                                                  0xE88235F52EBB4484,
                                                  0xE99C7026B45F7E41,
                                                  0x3991D639835339F4,
                                                  0x9C845F8BBDF9283B,
                                                  0x1FF897FFDE05980F,
                                                  0xEF2F118B5A0A6D1F,
                                                  0x6D367ECF27CB09B7,
                                                  0x4F463F669E5FEA2D,
                                                  0x7527BAC7EBE5F17B,
                                                  0x3D0739F78A5292EA,
                                                  0x6BFB5FB11F8D5D08,
                                                  0x56033046FC7B6BAB,
                                                  0xF0CFBC209AF4361D};

Quadrant reduce_small(Lanes x) {
  const double magic = 0x1.8p52;
  const Lanes shifted = fma(x, kTwoOverPi, magic);
  const Lanes n = shifted - magic;
  // The first difference is exact.
  const Lanes r1 = fma(n, -kHalfPi1, x);
  const Lanes r2 = fma(n, -kHalfPi2, r1);
  const Lanes rest = fma(n, -kHalfPi3, fma(n, -kHalfPi2, r1 - r2));
  return {bits_of(shifted), r2, rest};
}

/// Words first .. first + 3 of the table's bits from bit `position` on, as three words.
std::array<Lanes, 3> bits_from(Lanes position) {
  Code& code = *position.code;
  auto& builder = code.builder;
  auto* words = llvm::ConstantDataArray::get(builder.getContext(), kTwoOverPiBits);
  constexpr const char* kName = "two_over_pi";
  llvm::GlobalVariable* table = code.module.getNamedGlobal(kName);
  if (table == nullptr)
    table = new llvm::GlobalVariable(code.module, words->getType(), true,
                                     llvm::GlobalValue::PrivateLinkage, words, kName);
  const Lanes first = shift_right(position, 6);
  const Lanes shift = position & like_bits(position, 63);
  std::array<Lanes, 4> loaded{first, first, first, first};
  for (uint64_t i = 0; i < loaded.size(); ++i) {
    llvm::Value* place =
        builder.CreateGEP(builder.getInt64Ty(), table, (first + static_cast<double>(i)).value);
    loaded[i].value = builder.CreateLoad(builder.getInt64Ty(), place);
  }
  const auto joined = [&](size_t i) {
    return call_intrinsic(llvm::Intrinsic::fshl, {loaded[i], loaded[i + 1], shift});
  };
  return {joined(0), joined(1), joined(2)};
}

Lanes wide(Lanes a) { return {a.code, a.builder().CreateZExt(a.value, a.builder().getInt128Ty())}; }
Lanes low_half(Lanes a) {
  return {a.code, a.builder().CreateTrunc(a.value, a.builder().getInt64Ty())};
}
Lanes shift_left_by(Lanes a, Lanes count) {
  return {a.code, a.builder().CreateShl(a.value, count.value)};
}

/// One element. Right for finite numbers of at least 2^30 in magnitude, else something defined.
Quadrant reduce_large(Lanes x) {
  const Lanes bits = bits_of(x);
  const Lanes field = shift_right(bits, 52) & like_bits(bits, 0x7FF);
  const Lanes lowest = like_bits(bits, 1023 + 30), highest = like_bits(bits, 2046);
  const Lanes exponent = select(field < lowest, lowest, select(field > highest, highest, field));
  const Lanes mantissa =
      (bits & like_bits(bits, (uint64_t{1} << 52) - 1)) | like_bits(bits, uint64_t{1} << 52);
  // |x| = mantissa 2^(exponent - 1075). Bits of 2/pi that give multiples of 4 are left out; the
  // product's two top bits are n mod 4, the rest a fraction.
  const auto window = bits_from(exponent - (1075 - 62));
  const Lanes low = wide(mantissa) * wide(window[2]);
  const Lanes middle = wide(mantissa) * wide(window[1]) + shift_right(low, 64);
  const Lanes high = mantissa * window[0] + low_half(shift_right(middle, 64));
  const Lanes n = shift_right(high + like_bits(high, uint64_t{1} << 61), 62);
  const Lanes product = shift_left(wide(high), 64) | wide(low_half(middle));
  const Lanes fraction = shift_left(product, 2);  // signed, times 2^-128
  const Lanes is_below = fraction < like_bits(fraction, 0);
  const Lanes absolute = select(is_below, -fraction, fraction);
  auto& builder = x.builder();
  const Lanes zeros{x.code, builder.CreateIntrinsic(llvm::Intrinsic::ctlz, {absolute.type()},
                                                    {absolute.value, builder.getFalse()})};
  const Lanes normal = shift_left_by(absolute, zeros);
  const Lanes top = low_half(shift_right(normal, 128 - 53));
  const Lanes next =
      low_half(shift_right(normal, 128 - 106)) & like_bits(top, (uint64_t{1} << 53) - 1);
  const Lanes unit = from_bits(shift_left(like_bits(top, 1023) - low_half(zeros), 52), x);
  const Lanes part_high = to_float(top, x) * 0x1p-53 * unit;
  const Lanes part_low = to_float(next, x) * 0x1p-106 * unit;
  const Lanes r_high = part_high * kHalfPi1;
  const Lanes r_low =
      fma(part_high, kHalfPi1, -r_high) + fma(part_high, kHalfPi2, part_low * kHalfPi1);
  const Lanes is_negative = bits < like_bits(bits, 0);
  const Lanes flips = is_below ^ is_negative;
  return {select(is_negative, -n, n), select(flips, -r_high, r_high), select(flips, -r_low, r_low)};
}

Lanes needs_large(Lanes x) {
  const Lanes a = magnitude(x);
  return (a >= kLargeAngle) & (a < std::numeric_limits<double>::infinity());
}

Quadrant select(Lanes truth, const Quadrant& a, const Quadrant& b) {
  return {gradc::select(truth, a.n, b.n), gradc::select(truth, a.r_high, b.r_high),
          gradc::select(truth, a.r_low, b.r_low)};
}

/// The vector kept in memory, so that a loop can walk its lanes.
struct Spilled {
  explicit Spilled(Lanes lanes) : vector(lanes) {
    auto& builder = vector.builder();
    const llvm::IRBuilderBase::InsertPointGuard guard(builder);
    llvm::BasicBlock& entry = builder.GetInsertBlock()->getParent()->getEntryBlock();
    builder.SetInsertPoint(&entry, entry.begin());
    memory = builder.CreateAlloca(vector.type());
  }
  void spill() { vector.builder().CreateStore(vector.value, memory); }
  Lanes reload() { return {vector.code, vector.builder().CreateLoad(vector.type(), memory)}; }
  Lanes lane(llvm::Value* index) {
    return {vector.code, vector.builder().CreateLoad(element(), place(index))};
  }
  void set_lane(llvm::Value* index, Lanes value) {
    vector.builder().CreateStore(value.value, place(index));
  }
  llvm::Type* element() { return vector.type()->getScalarType(); }
  llvm::Value* place(llvm::Value* index) {
    return vector.builder().CreateGEP(element(), memory, index);
  }

  Lanes vector;
  llvm::Value* memory = nullptr;
};

/// A loop over the lanes: `small` where the angle is not large. Ends in another block.
Quadrant reduce_lanes(Lanes x, const Quadrant& small) {
  auto& builder = x.builder();
  Spilled angle(x), n(small.n), r_high(small.r_high), r_low(small.r_low);
  for (Spilled* vector : {&angle, &n, &r_high, &r_low}) vector->spill();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::Function* function = before->getParent();
  auto* block = llvm::BasicBlock::Create(builder.getContext(), "angle", function);
  auto* after = llvm::BasicBlock::Create(builder.getContext(), "angles", function);
  builder.CreateBr(block);
  builder.SetInsertPoint(block);
  auto* lane = builder.CreatePHI(builder.getInt64Ty(), 2, "lane");
  lane->addIncoming(builder.getInt64(0), before);
  const Lanes one = angle.lane(lane);
  const Quadrant old{n.lane(lane), r_high.lane(lane), r_low.lane(lane)};
  const Quadrant reduced = select(needs_large(one), reduce_large(one), old);
  n.set_lane(lane, reduced.n);
  r_high.set_lane(lane, reduced.r_high);
  r_low.set_lane(lane, reduced.r_low);
  llvm::Value* next = builder.CreateAdd(lane, builder.getInt64(1));
  lane->addIncoming(next, block);
  const auto lanes = llvm::cast<llvm::FixedVectorType>(x.type())->getNumElements();
  builder.CreateCondBr(builder.CreateICmpULT(next, builder.getInt64(lanes)), block, after);
  builder.SetInsertPoint(after);
  return {n.reload(), r_high.reload(), r_low.reload()};
}

}  // namespace

Quadrant reduce_quadrant(Lanes x) {
  auto& builder = x.builder();
  const Quadrant small = reduce_small(x);
  const Lanes is_large = needs_large(x);
  llvm::Value* is_any_large =
      x.is_vector() ? builder.CreateOrReduce(is_large.value) : is_large.value;
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::Function* function = before->getParent();
  auto* block = llvm::BasicBlock::Create(builder.getContext(), "large_angles", function);
  auto* after = llvm::BasicBlock::Create(builder.getContext(), "reduced", function);
  builder.CreateCondBr(is_any_large, block, after);
  builder.SetInsertPoint(block);
  const Quadrant large = x.is_vector() ? reduce_lanes(x, small) : reduce_large(x);
  llvm::BasicBlock* end = builder.GetInsertBlock();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
  const auto merged = [&](Lanes from_small, Lanes from_large) {
    auto* phi = builder.CreatePHI(from_small.type(), 2);
    phi->addIncoming(from_small.value, before);
    phi->addIncoming(from_large.value, end);
    return Lanes{x.code, phi};
  };
  return {merged(small.n, large.n), merged(small.r_high, large.r_high),
          merged(small.r_low, large.r_low)};
}

}  // namespace gradc::math
