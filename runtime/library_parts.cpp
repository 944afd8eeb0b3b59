// Where a step is cut, and the parts that run.
#include "runtime/library_parts.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "runtime/core/error.h"
#include "runtime/run_parallel.h"

namespace gradc {
namespace {

/// Enough for the threads of a desktop processor; more would pack their operands more often.
constexpr int64_t kMaxParts = 16;
/// A part of fewer is not worth its call: about 5 us.
constexpr double kPartMultiplications = 1 << 18;
/// Rows and columns of a part are a multiple of these, as the outer or inner index in memory: each
/// part packs the operand that all of them read, which must be little beside the products.
constexpr int64_t kOuterUnit = 32;
constexpr int64_t kInnerUnit = 128;
/// Elements of a kernel gradient that one thread adds up at a time.
constexpr int64_t kSumGrain = 4096;

int64_t rounded_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

/// The size of all parts but the last of `extent` points of `multiplications` in all.
int64_t part_size(int64_t extent, double multiplications, int64_t unit) {
  const double wanted = std::clamp(multiplications / kPartMultiplications, 1.0, double{kMaxParts});
  const auto parts = static_cast<int64_t>(wanted);
  return std::min(extent, rounded_up((extent + parts - 1) / parts, unit));
}

/// A part of a step and where in the step's operands it begins, in elements.
template <typename Step>
struct Part {
  Step step;
  int64_t lhs = 0, rhs = 0, bias = 0, out = 0;
};

/// Of one index of a product: its extent in the step, and strides of the operands.
struct ProductAxis {
  int64_t MatmulStep::*extent;
  int64_t unit;
  int64_t lhs, rhs, bias, out;
};

/// An index with enough points: of rows and columns the outer one in memory, for which the library
/// has the faster code, unless the other one is much longer and the operand that each part reads so
/// much smaller.
ProductAxis axis_to_cut(const MatmulStep& step) {
  if (step.outer > 1 && step.outer >= std::min(kMaxParts, step.batch))
    return {&MatmulStep::outer, 1, step.lhs_outer, step.rhs_outer, 0, step.out_outer};
  if (step.batch > 1 && step.batch >= std::min(kMaxParts, std::max(step.m, step.n) / kOuterUnit))
    return {&MatmulStep::batch,  1, step.lhs_strides[0],
            step.rhs_strides[0], 0, step.out_strides[0]};
  const ProductAxis rows{&MatmulStep::m, 1, step.lhs_strides[1], 0, 0, step.out_strides[1]};
  const ProductAxis columns{&MatmulStep::n, 1, 0, step.rhs_strides[2], 1, step.out_strides[2]};
  const bool has_dense_rows = step.out_strides[2] == 1;
  ProductAxis outer = has_dense_rows ? rows : columns, inner = has_dense_rows ? columns : rows;
  outer.unit = kOuterUnit;
  inner.unit = kInnerUnit;
  const int64_t outer_extent = step.*outer.extent, inner_extent = step.*inner.extent;
  const bool is_inner = outer_extent < 2 * kOuterUnit || inner_extent >= 4 * outer_extent;
  return is_inner && inner_extent >= 2 * kInnerUnit ? inner : outer;
}

std::vector<Part<MatmulStep>> cut(const MatmulStep& step) {
  const ProductAxis axis = axis_to_cut(step);
  const int64_t extent = step.*axis.extent;
  const double multiplications = static_cast<double>(step.outer * step.batch) *
                                 static_cast<double>(step.m * step.n) * static_cast<double>(step.k);
  const int64_t size = part_size(extent, multiplications, axis.unit);
  std::vector<Part<MatmulStep>> parts;
  for (int64_t begin = 0; begin < extent; begin += size) {
    Part<MatmulStep> part{step, begin * axis.lhs, begin * axis.rhs, begin * axis.bias,
                          begin * axis.out};
    part.step.*axis.extent = std::min(size, extent - begin);
    parts.push_back(std::move(part));
  }
  return parts;
}

int64_t product_of(const std::vector<int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

int64_t kernel_elements(const ConvStep& step) {
  return product_of(step.kernel) * (step.channels / step.groups) * step.filters;
}

std::vector<Part<ConvStep>> cut(const ConvStep& step) {
  const int64_t size = part_size(step.batch, step.multiplications, 1);
  const int64_t image = product_of(step.input) * step.channels;
  const int64_t result = product_of(step.output) * step.filters;
  std::vector<Part<ConvStep>> parts;
  for (int64_t begin = 0; begin < step.batch; begin += size) {
    Part<ConvStep> part{step};
    switch (step.kind) {
      case ConvStep::Kind::Forward:
        part.lhs = begin * image;
        part.out = begin * result;
        break;
      case ConvStep::Kind::Input:
        part.lhs = begin * result;
        part.out = begin * image;
        break;
      case ConvStep::Kind::Kernel:
        part.lhs = begin * image;
        part.rhs = begin * result;
        break;
    }
    part.step.batch = std::min(size, step.batch - begin);
    part.step.multiplications *=
        static_cast<double>(part.step.batch) / static_cast<double>(step.batch);
    parts.push_back(std::move(part));
  }
  return parts;
}

/// While it lives, what the library makes is made for one thread.
class OneThread {
 public:
  OneThread() : outer_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(outer_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int outer_;
};

std::unique_ptr<LibraryCall> make_call(const LibraryCalls& library, const MatmulStep& step) {
  return library.matmul(step);
}
std::unique_ptr<LibraryCall> make_call(const LibraryCalls& library, const ConvStep& step) {
  return library.convolution(step);
}

void* moved(void* address, int64_t elements) {
  return address == nullptr ? nullptr : static_cast<float*>(address) + elements;
}

class CallInParts : public LibraryCall {
 public:
  /// `summed`: elements of the result, where the first part makes it and the others are added.
  template <typename Step>
  CallInParts(const LibraryCalls& library, const Step& step, int team, int64_t summed)
      : team_(team), summed_(summed) {
    const OneThread one;
    for (const Part<Step>& part : cut(step)) {
      Bound bound{make_call(library, part.step), part.lhs, part.rhs, part.bias, part.out};
      bound.scratch = scratch_bytes_;
      scratch_bytes_ += rounded_up(bound.call->scratch_bytes(), kAlignment);
      if (summed_ > 0 && !parts_.empty()) {
        bound.sum = scratch_bytes_;
        scratch_bytes_ += rounded_up(summed_ * int64_t{sizeof(float)}, kAlignment);
      }
      parts_.push_back(std::move(bound));
    }
  }

  int64_t scratch_bytes() const override { return scratch_bytes_; }

  void bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) override {
    auto* const bytes = static_cast<std::byte*>(scratch);
    out_ = static_cast<float*>(out);
    sums_.clear();
    for (const Bound& part : parts_) {
      void* target = moved(out, part.out);
      if (part.sum >= 0) {
        sums_.push_back(reinterpret_cast<float*>(bytes + part.sum));
        target = sums_.back();
      }
      part.call->bind(moved(lhs, part.lhs), moved(rhs, part.rhs), moved(bias, part.bias), target,
                      bytes == nullptr ? nullptr : bytes + part.scratch);
    }
  }

  void run() override {
    const OneThread one;
    run_each(static_cast<int64_t>(parts_.size()), team_,
             [&](int64_t i) { parts_[static_cast<size_t>(i)].call->run(); });
    if (!sums_.empty())
      run_parallel(summed_, kSumGrain, team_, [&](int64_t begin, int64_t end) {
        for (const float* sum : sums_)
          for (int64_t i = begin; i < end; ++i) out_[i] += sum[i];
      });
  }

 private:
  static constexpr int64_t kAlignment = 64;
  struct Bound {
    std::unique_ptr<LibraryCall> call;
    int64_t lhs, rhs, bias, out;  // elements
    int64_t scratch = 0;          // bytes
    int64_t sum = -1;             // where in the scratch memory its result goes, or -1
  };

  int team_;
  int64_t summed_;
  int64_t scratch_bytes_ = 0;
  std::vector<Bound> parts_;
  std::vector<float*> sums_;
  float* out_ = nullptr;
};

}  // namespace

std::unique_ptr<LibraryCall> call_in_parts(const LibraryCalls& library, const MatmulStep& step,
                                           int team) {
  return std::make_unique<CallInParts>(library, step, team, 0);
}

std::unique_ptr<LibraryCall> call_in_parts(const LibraryCalls& library, const ConvStep& step,
                                           int team) {
  const bool is_sum = step.kind == ConvStep::Kind::Kernel;
  return std::make_unique<CallInParts>(library, step, team, is_sum ? kernel_elements(step) : 0);
}

}  // namespace gradc
