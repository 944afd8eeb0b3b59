// Random numbers in kernels. One Philox block serves four runs of 16 neighbours, so a vector loop
// that draws along its variable does 64 elements an iteration and makes each block once.
#include "codegen/llvm/kernel_emitter.h"

namespace gradc {

using namespace loop;

namespace {

constexpr int64_t kBlockElements = 64;  // of 16 blocks of four words
constexpr int64_t kBlockLanes = 16;
static_assert(kLongExtent == kBlockElements);

}  // namespace

void KernelEmitter::remember_keys(LetId seed) {
  const auto found = facts_.streams.find(seed);
  if (found == facts_.streams.end()) return;
  const LlvmScalar& value = let(seed);
  CHECK(value.dtype == DType::I64 && !value.lanes.is_vector(), "kernel {}: a seed of {}",
        kernel_.name, value.dtype);
  for (const DrawnStream& stream : found->second) {
    const Lanes number = let(stream.number).lanes;
    const Lanes bits = stream.is_flipped ? number ^ like_bits(number, ~uint64_t{0}) : number;
    keys_.insert_or_assign({seed, stream}, draw_key(value.lanes, bits));
  }
}

/// Are the 64 elements from a multiple of 64 of the vector variable those of 16 blocks?
bool KernelEmitter::has_block_position(const Draw& draw, VarId vector_var) const {
  if (stride_of(draw.position, vector_var) != 1) return false;
  if (draw.position.offset % kBlockElements != 0) return false;
  for (size_t var = 0; var < draw.position.strides.size(); ++var)
    if (static_cast<VarId>(var) != vector_var && draw.position.strides[var] % kBlockElements != 0)
      return false;
  return true;
}

int64_t KernelEmitter::vectors_per_iteration(const For& loop) const {
  // Shorter vectors would make the body too long.
  if (code_.target.lanes < 8 || loop.extent < kLongExtent) return 1;
  for (const Stmt& stmt : loop.body)
    if (const auto* let = std::get_if<Let>(&stmt))
      if (const auto* draw = std::get_if<Draw>(&let->value))
        if (has_block_position(*draw, loop.var)) return kBlockElements / code_.target.lanes;
  return 1;
}

/// The word of the current lanes; its block is made by the first vector that needs it.
Lanes KernelEmitter::shared_word(const Draw& draw, DrawnStream stream, Lanes key, Lanes step) {
  const int64_t lanes = code_.target.lanes;
  const int64_t element = *vector_of_iteration_ * lanes;
  const int64_t first_lane = element % kBlockLanes;
  const auto place = std::tuple(&draw, stream, first_lane);
  auto found = blocks_.find(place);
  if (found == blocks_.end()) {
    const Lanes start{&code_, affine(draw.position)};
    const Lanes first = shift_left(shift_right(start, 6), 4) + static_cast<double>(first_lane);
    const Lanes number{&code_, lane_numbers(first.value, 1)};
    found = blocks_.emplace(place, draw_block(key, step, number)).first;
  }
  return word_of(found->second, static_cast<int>(element / kBlockLanes));
}

LlvmScalar KernelEmitter::draw(const Draw& draw, DType dtype) {
  CHECK(dtype == DType::F32 || dtype == DType::F64, "kernel {}: a draw of {}", kernel_.name, dtype);
  const Lanes step = let(draw.step).lanes;
  const bool is_shared = vector_of_iteration_ && has_block_position(draw, *vector_var_);
  const int64_t stride = is_in_vector_loop() ? vector_stride(draw.position) : 0;
  const auto word = [&](bool is_flipped) {
    const DrawnStream stream{draw.stream, is_flipped};
    const Lanes key = keys_.at({draw.seed, stream});
    if (is_shared) return shared_word(draw, stream, key, step);
    llvm::Value* first = affine(draw.position);
    return draw_word(key, step, {&code_, stride == 0 ? first : lane_numbers(first, stride)});
  };
  if (dtype == DType::F32) return {unit_f32(word(false)), dtype};
  return {unit_f64(word(false), word(true)), dtype};
}

}  // namespace gradc
