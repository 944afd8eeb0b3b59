// bf16 and f16 to float and back.
#include "codegen/llvm/small_float.h"

namespace gradc {
namespace {

Lanes zero_extended(Lanes bits) {
  auto& builder = bits.builder();
  return {bits.code, builder.CreateZExt(bits.value, with_element(bits, builder.getInt32Ty()))};
}
Lanes cut_to_16(Lanes bits) {
  auto& builder = bits.builder();
  return {bits.code, builder.CreateTrunc(bits.value, with_element(bits, builder.getInt16Ty()))};
}
Lanes as_float(Lanes bits) {
  auto& builder = bits.builder();
  return {bits.code, builder.CreateBitCast(bits.value, with_element(bits, builder.getFloatTy()))};
}

}  // namespace

Lanes bf16_to_f32(Lanes bits) { return as_float(shift_left(zero_extended(bits), 16)); }

Lanes f32_to_bf16(Lanes a) {
  const Lanes wide = bits_of(a);
  const Lanes odd = shift_right(wide, 16) & like_bits(wide, 1);
  const Lanes rounded = shift_right(wide + 0x7FFF + odd, 16);
  const Lanes quiet = shift_right(wide, 16) | like_bits(wide, 0x40);
  return cut_to_16(select(is_nan(a), quiet, rounded));
}

Lanes f16_to_f32(Lanes bits) {
  const Lanes wide = zero_extended(bits);
  const Lanes sign = shift_left(wide & like_bits(wide, 0x8000), 16);
  const Lanes magnitude = wide & like_bits(wide, 0x7FFF);
  const Lanes shifted = shift_left(magnitude, 13);
  // The exponents differ by 112; the product is exact for denormals too.
  const Lanes finite = bits_of(as_float(shifted) * 0x1p112);
  const Lanes infinite = shifted | like_bits(wide, 0x7F800000);
  return as_float(sign | select(magnitude >= 0x7C00, infinite, finite));
}

Lanes f32_to_f16(Lanes a) {
  const Lanes wide = bits_of(a);
  const Lanes sign = shift_right(wide, 16) & like_bits(wide, 0x8000);
  const Lanes magnitude = wide & like_bits(wide, 0x7FFFFFFF);
  const Lanes odd = shift_right(magnitude, 13) & like_bits(wide, 1);
  const Lanes normal = shift_right(magnitude + 0xFFF + odd - 0x38000000, 13);
  // Below 2^-14 the result is a multiple of 2^-24, which is the last place of 0.5.
  const Lanes denormal = bits_of(as_float(magnitude) + 0.5) - 0x3F000000;
  const Lanes finite = select(magnitude < 0x38800000, denormal, normal);
  const Lanes infinite = select(magnitude >= 0x477FF000, like_bits(wide, 0x7C00), finite);
  const Lanes any = select(magnitude > 0x7F800000, like_bits(wide, 0x7E00), infinite);
  return cut_to_16(sign | any);
}

}  // namespace gradc
