// A program: what the compiler hands to the runtime. Buffers, ordered steps, kernels behind one
// signature.
#pragma once
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "runtime/core/signature.h"
#include "runtime/core/tensor.h"
#include "runtime/library_calls.h"

namespace gradc {

/// Runs iterations [begin, end) of the kernel's parallel loop. `buffers` are in the kernel's order.
using KernelFunction = void (*)(void* const* buffers, int64_t begin, int64_t end);

/// Where a buffer lives.
enum class Place : uint8_t {
  Arena,     // at `offset` bytes of the program's scratch memory
  Constant,  // at `offset` bytes of Program::constants
  Input,     // memory bound to input `offset`
  Output,    // memory bound to output `offset`
  Guard,     // kGuardBytes of the program's own, zero until a kernel finds a new value of a
             // parameter, slot or state that is no finite number
};
inline constexpr int64_t kGuardBytes = 64;
struct Buffer {
  Place place;
  int64_t offset;
  int64_t bytes;
};

/// What a step has to do; estimated where it is a scan or an ordered step.
struct Work {
  double flop = 0;
  double bytes = 0;  // read and written, each place once
};

struct KernelStep {
  std::string name;
  KernelFunction function = nullptr;  // filled in when the code is loaded
  int64_t extent = 1;                 // of the parallel loop
  int64_t grain = 1;                  // ranges are cut at multiples of this
  double cost_ns = 0;                 // estimated, one thread
  std::vector<int32_t> buffers;
  Work work = {};
};

/// out[o, b, m, n] = post(sum_k lhs[o, b, m, k] * rhs[o, b, k, n] (+ bias[n])), f32; strides in
/// elements. Where o has a size, no stride of o or b is 0.
struct MatmulStep {
  enum class Activation : uint8_t { None, Relu, Tanh, Sigmoid };
  std::string name;
  int64_t outer = 1, batch = 1, m = 0, n = 0, k = 0;
  int64_t lhs_outer = 0, rhs_outer = 0, out_outer = 0;         // strides of o
  std::vector<int64_t> lhs_strides, rhs_strides, out_strides;  // of (b, m, k), (b, k, n), (b, m, n)
  int32_t lhs = 0, rhs = 0, out = 0;                           // buffers
  int32_t bias = -1;                                           // buffer of n elements, or -1
  Activation activation = Activation::None;
};

/// A convolution or one of its derivatives, f32; see ir/ops/convolution.h for the formula. Tensors
/// are dense: x [batch, input, channels], kernel [kernel, channels / groups, filters], y [batch,
/// output, filters]. Lists have one entry per spatial axis.
struct ConvStep {
  enum class Kind : uint8_t { Forward, Input, Kernel };
  std::string name;
  Kind kind = Kind::Forward;
  int64_t batch = 0, channels = 0, filters = 0, groups = 1;
  std::vector<int64_t> input, kernel, output, stride, low, high, dilation;
  int32_t lhs = 0, rhs = 0, out = 0;  // buffers: Forward x, kernel; Input y, kernel; Kernel x, y
  int32_t bias = -1;                  // Forward: buffer of `filters` elements, or -1
  double multiplications = 0;
};

struct CopyStep {
  std::string name;
  int32_t from, to;  // buffers of the same size
};

struct Program;

/// `length` rounds of the program `body`. Every place below that is called a buffer is a position
/// in `buffers`; inputs and outputs are positions in those of the body.
struct ScanStep {
  /// A value that goes from round to round. Round t writes it where round t + 1 reads it: into
  /// `last` and `spare` in turn; into the collected value `kept_after` that is the same output; or
  /// into `kept_before`, which collects what the rounds start with.
  struct Carry {
    int32_t input = 0, output = 0;
    int64_t bytes = 0;
    int32_t initial = 0, last = 0, spare = -1;  // buffers
    int32_t kept_after = -1, kept_before = -1;  // buffers
  };
  /// A tensor of which each round reads or writes one element of `bytes`.
  struct Sequence {
    int32_t position = 0;  // of the body's input or output
    int32_t buffer = 0;
    int64_t bytes = 0;
  };
  struct Constant {
    int32_t input = 0;
    int32_t buffer = 0;
  };
  std::string name;
  std::shared_ptr<Program> body;
  int64_t length = 0;
  bool reverse = false;
  std::vector<Carry> carries;
  std::vector<Sequence> sequences;
  std::vector<Constant> constants;
  std::vector<Sequence> collected;
  std::vector<int32_t> buffers;
  int32_t arena = -1;  // buffer: the body's arena
};

/// Along each row of a [rows, columns] matrix, from one buffer to another.
struct OrderedStep {
  enum class Operation : uint8_t { CumulativeSum, ArgSort };
  std::string name;
  Operation operation = Operation::CumulativeSum;
  DType dtype = DType::F32;
  int64_t rows = 0, columns = 0;
  bool is_backward = false;   // sums from the end, sorting from the largest
  bool is_exclusive = false;  // sums without the element itself
  int32_t from = 0, to = 0;   // buffers
};
using Step = std::variant<KernelStep, MatmulStep, ConvStep, CopyStep, OrderedStep, ScanStep>;

struct ProgramInput {
  InputKind kind;
  std::string name;
  Type type;
  int64_t limit = 0;  // see ir Input
};
struct ProgramOutput {
  OutputKind kind;
  std::string name;
  Type type;
  /// The input whose memory takes the new value: set for Parameter, Slot, State and Step outputs of
  /// a training graph (updated in place), -1 for the others.
  int32_t updates_input = -1;
};

/// For those who measure: a line of Program::steps.
struct StepFacts {
  std::string name;
  std::string backend;  // "llvm", "onednn", "own", "copy", "loop"
  Work work;
  int32_t node = -1;  // position in the lowered graph; -1 for copies of outputs
};

/// Data only: no LLVM, no graph. Kernel functions point into code that `code` keeps alive; a
/// program read from an object file has neither owner.
struct Program {
  std::string name;
  GraphMode mode = GraphMode::Body;
  int64_t rows = 0;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramOutput> outputs;
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<StepFacts> facts;  // of each step
  bool is_serial = false;        // too little work for a second thread
  /// Calls of a library are cut by their shapes (library_parts.h), not by the number of threads.
  bool is_deterministic = false;
  double product_flop = 0;  // of the matrix products and convolutions, those of the bodies included
  Tensor constants;         // u8
  int64_t arena_bytes = 0;  // with those of the bodies of scans
  int64_t arena_lower_bound = 0;  // the most bytes alive at once
  /// Outputs that update an input and must be looked through after a run, as no kernel guards them.
  std::vector<int32_t> unguarded;
  std::shared_ptr<void> code;
  const LibraryCalls* library = nullptr;  // computes MatmulSteps and ConvSteps
};

}  // namespace gradc
