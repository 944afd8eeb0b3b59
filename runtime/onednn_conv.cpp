// ConvStep to oneDNN primitives: activations stay channels-last, kernels are reordered for the
// call.
#include "runtime/onednn_conv.h"

#include <array>
#include <vector>

#include "runtime/onednn_handles.h"

namespace gradc {

namespace {

using namespace onednn;
using Dims = std::vector<dnnl_dim_t>;

void check_status(dnnl_status_t status, const ConvStep& step, const char* what) {
  check_memory(status);
  CHECK(status == dnnl_success, "oneDNN: {} failed with status {} for {}", what,
        static_cast<int>(status), step.name);
}

dnnl_memory_desc_t make_desc(const Dims& dims, const Dims& strides, const ConvStep& step) {
  dnnl_memory_desc_t desc;
  check_status(dnnl_memory_desc_init_by_strides(&desc, static_cast<int>(dims.size()), dims.data(),
                                                dnnl_f32, strides.data()),
               step, "an operand's layout");
  return desc;
}

/// The same sizes in whatever layout the library prefers.
dnnl_memory_desc_t any_layout(const dnnl_memory_desc_t& like, const ConvStep& step) {
  dnnl_memory_desc_t desc;
  check_status(
      dnnl_memory_desc_init_by_tag(&desc, like.ndims, like.dims, dnnl_f32, dnnl_format_tag_any),
      step, "an operand's layout");
  return desc;
}

/// [batch, channels, spatial] with the channels last in memory.
dnnl_memory_desc_t image_desc(const ConvStep& step, const std::vector<int64_t>& spatial,
                              int64_t channels) {
  Dims dims{step.batch, channels};
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  Dims strides(dims.size());
  strides[1] = 1;
  int64_t stride = channels;
  for (size_t axis = dims.size(); axis-- > 2;) {
    strides[axis] = stride;
    stride *= dims[axis];
  }
  strides[0] = stride;
  return make_desc(dims, strides, step);
}

/// [filters, channels, spatial], with groups [groups, filters, channels, spatial] of each group.
dnnl_memory_desc_t kernel_desc(const ConvStep& step) {
  const int64_t channels = step.channels / step.groups;
  Dims dims{step.filters / step.groups, channels};
  Dims strides{1, step.filters};
  dims.insert(dims.end(), step.kernel.begin(), step.kernel.end());
  strides.resize(dims.size());
  int64_t stride = step.filters * channels;
  for (size_t axis = dims.size(); axis-- > 2;) {
    strides[axis] = stride;
    stride *= dims[axis];
  }
  if (step.groups > 1) {
    dims.insert(dims.begin(), step.groups);
    strides.insert(strides.begin(), step.filters / step.groups);
  }
  return make_desc(dims, strides, step);
}

struct Layouts {
  dnnl_memory_desc_t input, kernel, any_kernel, output;

  explicit Layouts(const ConvStep& step)
      : input(image_desc(step, step.input, step.channels)),
        kernel(kernel_desc(step)),
        any_kernel(any_layout(kernel, step)),
        output(image_desc(step, step.output, step.filters)) {}
};

/// The geometry as oneDNN counts it: dilation 0 is a dense kernel.
struct Geometry {
  Dims stride, dilation, low, high;

  explicit Geometry(const ConvStep& step)
      : stride(step.stride), dilation(step.dilation), low(step.low), high(step.high) {
    for (dnnl_dim_t& dim : dilation) --dim;
  }
};

/// Scratch memory is shared out in pieces of a cache line.
int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

struct OnednnConv::State {
  ConvStep::Kind kind;
  PrimitiveDesc desc;
  Primitive primitive;
  PrimitiveDesc reorder_desc;
  Primitive reorder;           // of the kernel, before or after the convolution; may be none
  Memory lhs, rhs, bias, out;  // as the step names them
  Memory packed, scratch;      // the kernel in the library's layout; working memory
  int64_t packed_bytes = 0;
  int64_t scratch_bytes = 0;
  std::vector<dnnl_exec_arg_t> arguments, reorder_arguments;

  explicit State(const ConvStep& step);
  void create_desc(const ConvStep& step, const Layouts& layouts);
  void create_forward(const ConvStep& step, const Layouts& layouts, const Geometry& geometry,
                      bool has_bias, PrimitiveDesc& made) const;
  void set_up_kernel(const ConvStep& step, const Layouts& layouts, Memory& plain, int argument);
  void create_memory(Memory& memory, const dnnl_memory_desc_t& layout) const;
  void add_argument(Memory& memory, const dnnl_memory_desc_t& layout, int argument);
};

OnednnConv::State::State(const ConvStep& step) : kind(step.kind) {
  const Layouts layouts(step);
  create_desc(step, layouts);
  check_status(dnnl_primitive_create(primitive.out(), desc.get()), step, "making code");
  switch (step.kind) {
    case ConvStep::Kind::Forward:
      add_argument(lhs, layouts.input, DNNL_ARG_SRC);
      set_up_kernel(step, layouts, rhs, DNNL_ARG_WEIGHTS);
      add_argument(out, layouts.output, DNNL_ARG_DST);
      break;
    case ConvStep::Kind::Input:
      add_argument(lhs, layouts.output, DNNL_ARG_DIFF_DST);
      set_up_kernel(step, layouts, rhs, DNNL_ARG_WEIGHTS);
      add_argument(out, layouts.input, DNNL_ARG_DIFF_SRC);
      break;
    case ConvStep::Kind::Kernel:
      add_argument(lhs, layouts.input, DNNL_ARG_SRC);
      add_argument(rhs, layouts.output, DNNL_ARG_DIFF_DST);
      set_up_kernel(step, layouts, out, DNNL_ARG_DIFF_WEIGHTS);
      break;
  }
  if (step.bias >= 0) {
    Dims dims(static_cast<size_t>(layouts.output.ndims), 1);
    dims[1] = step.filters;
    Dims strides(dims.size(), step.filters);
    strides[1] = 1;
    add_argument(bias, make_desc(dims, strides, step),
                 DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1);
  }
  const dnnl_memory_desc_t* scratch_desc =
      dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0);
  scratch_bytes = static_cast<int64_t>(dnnl_memory_desc_get_size(scratch_desc));
  if (scratch_bytes > 0) add_argument(scratch, *scratch_desc, DNNL_ARG_SCRATCHPAD);
}

/// The bias is an operation after the sums, so that it rounds as an addition of its own.
void OnednnConv::State::create_forward(const ConvStep& step, const Layouts& layouts,
                                       const Geometry& geometry, bool has_bias,
                                       PrimitiveDesc& made) const {
  PrimitiveAttr attr;
  check_status(dnnl_primitive_attr_create(attr.out()), step, "attributes");
  check_status(dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user), step,
               "attributes");
  PostOps post_ops;
  if (has_bias) {
    Dims dims(static_cast<size_t>(layouts.output.ndims), 1);
    dims[1] = step.filters;
    Dims strides(dims.size(), step.filters);
    strides[1] = 1;
    const dnnl_memory_desc_t bias_desc = make_desc(dims, strides, step);
    check_status(dnnl_post_ops_create(post_ops.out()), step, "attributes");
    check_status(dnnl_post_ops_append_binary(post_ops.get(), dnnl_binary_add, &bias_desc), step,
                 "attributes");
    check_status(dnnl_primitive_attr_set_post_ops(attr.get(), post_ops.get()), step, "attributes");
  }
  dnnl_convolution_desc_t conv;
  check_status(dnnl_dilated_convolution_forward_desc_init(
                   &conv, dnnl_forward_inference, dnnl_convolution_direct, &layouts.input,
                   &layouts.any_kernel, nullptr, &layouts.output, geometry.stride.data(),
                   geometry.dilation.data(), geometry.low.data(), geometry.high.data()),
               step, "describing a convolution");
  check_status(dnnl_primitive_desc_create(made.out(), &conv, attr.get(), engine(), nullptr), step,
               "choosing code");
}

void OnednnConv::State::create_desc(const ConvStep& step, const Layouts& layouts) {
  const Geometry geometry(step);
  if (step.kind == ConvStep::Kind::Forward)
    return create_forward(step, layouts, geometry, step.bias >= 0, desc);
  PrimitiveDesc hint;
  create_forward(step, layouts, geometry, false, hint);
  PrimitiveAttr attr;
  check_status(dnnl_primitive_attr_create(attr.out()), step, "attributes");
  check_status(dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user), step,
               "attributes");
  dnnl_convolution_desc_t conv;
  if (step.kind == ConvStep::Kind::Input)
    check_status(dnnl_dilated_convolution_backward_data_desc_init(
                     &conv, dnnl_convolution_direct, &layouts.input, &layouts.any_kernel,
                     &layouts.output, geometry.stride.data(), geometry.dilation.data(),
                     geometry.low.data(), geometry.high.data()),
                 step, "describing a convolution");
  else
    check_status(dnnl_dilated_convolution_backward_weights_desc_init(
                     &conv, dnnl_convolution_direct, &layouts.input, &layouts.any_kernel, nullptr,
                     &layouts.output, geometry.stride.data(), geometry.dilation.data(),
                     geometry.low.data(), geometry.high.data()),
                 step, "describing a convolution");
  check_status(dnnl_primitive_desc_create(desc.out(), &conv, attr.get(), engine(), hint.get()),
               step, "choosing code");
}

/// `plain` is the kernel in our layout, `packed` in the library's; one memory where they agree.
void OnednnConv::State::set_up_kernel(const ConvStep& step, const Layouts& layouts, Memory& plain,
                                      int argument) {
  const bool is_result = kind == ConvStep::Kind::Kernel;
  const dnnl_memory_desc_t wanted = *dnnl_primitive_desc_query_md(
      desc.get(), is_result ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  if (dnnl_memory_desc_equal(&wanted, &layouts.kernel) != 0)
    return add_argument(plain, layouts.kernel, argument);
  create_memory(plain, layouts.kernel);
  add_argument(packed, wanted, argument);
  packed_bytes = rounded(static_cast<int64_t>(dnnl_memory_desc_get_size(&wanted)));
  const dnnl_memory_desc_t& from = is_result ? wanted : layouts.kernel;
  const dnnl_memory_desc_t& to = is_result ? layouts.kernel : wanted;
  check_status(dnnl_reorder_primitive_desc_create(reorder_desc.out(), &from, engine(), &to,
                                                  engine(), nullptr),
               step, "choosing code for a reorder");
  check_status(dnnl_primitive_create(reorder.out(), reorder_desc.get()), step, "making code");
  reorder_arguments = {{DNNL_ARG_FROM, (is_result ? packed : plain).get()},
                       {DNNL_ARG_TO, (is_result ? plain : packed).get()}};
}

void OnednnConv::State::create_memory(Memory& memory, const dnnl_memory_desc_t& layout) const {
  onednn::create_memory(memory, layout);
}

void OnednnConv::State::add_argument(Memory& memory, const dnnl_memory_desc_t& layout,
                                     int argument) {
  create_memory(memory, layout);
  arguments.push_back({argument, memory.get()});
}

OnednnConv::OnednnConv(const ConvStep& step) : state_(std::make_unique<State>(step)) {}
OnednnConv::~OnednnConv() = default;
OnednnConv::OnednnConv(OnednnConv&&) noexcept = default;
OnednnConv& OnednnConv::operator=(OnednnConv&&) noexcept = default;

int64_t OnednnConv::scratch_bytes() const { return state_->packed_bytes + state_->scratch_bytes; }

void OnednnConv::bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) {
  set_address(state_->lhs, lhs);
  set_address(state_->rhs, rhs);
  set_address(state_->bias, bias);
  set_address(state_->out, out);
  set_address(state_->packed, scratch);
  set_address(state_->scratch, static_cast<std::byte*>(scratch) + state_->packed_bytes);
}

void OnednnConv::run() {
  const auto execute = [&](const Primitive& primitive, std::vector<dnnl_exec_arg_t>& arguments) {
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive.get(), stream(), static_cast<int>(arguments.size()), arguments.data());
    check_memory(status);
    CHECK(status == dnnl_success, "oneDNN: a convolution failed with status {}",
          static_cast<int>(status));
  };
  const bool has_reorder = state_->reorder.get() != nullptr;
  const bool is_result = state_->kind == ConvStep::Kind::Kernel;
  if (has_reorder && !is_result) execute(state_->reorder, state_->reorder_arguments);
  execute(state_->primitive, state_->arguments);
  if (has_reorder && is_result) execute(state_->reorder, state_->reorder_arguments);
}

}  // namespace gradc
