// MatmulStep to oneDNN primitives.
#include "runtime/onednn_matmul.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/onednn_handles.h"

namespace gradc {

namespace {

using namespace onednn;

void check_status(dnnl_status_t status, const MatmulStep& step, const char* what) {
  check_memory(status);
  CHECK(status == dnnl_success, "oneDNN: {} failed with status {} for {} [{}, {}, {}, {}]", what,
        static_cast<int>(status), step.name, step.batch, step.m, step.n, step.k);
}

/// An operand as oneDNN wants it: sizes and strides of (batch, row, column); the outer batch, where
/// there is one, goes before them.
struct Layout {
  std::array<int64_t, 3> dims;
  std::array<int64_t, 3> strides;
  int64_t outer = 1;
  int64_t outer_stride = 0;
};

/// A size of 1 may have any stride: choose the one of a dense row-major or column-major matrix, for
/// which oneDNN has fast code. A broadcast batch (stride 0) has size 1 there.
Layout make_layout(int64_t batch, int64_t rows, int64_t columns,
                   const std::vector<int64_t>& strides) {
  CHECK(strides.size() == 3, "a matrix product with {} strides", strides.size());
  Layout layout{{batch, rows, columns}, {strides[0], strides[1], strides[2]}, 1, 0};
  if (layout.strides[0] == 0) layout.dims[0] = 1;
  int64_t& row = layout.strides[1];
  int64_t& column = layout.strides[2];
  if (columns == 1 && rows == 1)
    row = column = 1;
  else if (columns == 1)
    column = row == 1 ? rows : 1;
  else if (rows == 1)
    row = column == 1 ? columns : 1;
  if (layout.dims[0] == 1) layout.strides[0] = std::max(rows * row, columns * column);
  return layout;
}

/// A product with all that can be said in fewer dimensions said so.
struct Problem {
  Layout lhs, rhs, out;
  int ndims = 2;
  bool is_swapped = false;  // computes the transposed product with operands exchanged
  int64_t repeat = 1;       // both operands shared by all of the batch: one product, many times
};

void set_outer(Layout& layout, int64_t outer, int64_t stride) {
  layout.outer = outer;
  layout.outer_stride = stride;
}

Layout transposed(Layout layout) {
  std::swap(layout.dims[1], layout.dims[2]);
  std::swap(layout.strides[1], layout.strides[2]);
  return layout;
}

/// out[b, m, :] = lhs[b, m, :] rhs with one rhs for all b is one product of b * m rows.
bool rows_can_merge(const Layout& layout) {
  return layout.strides[0] == layout.dims[1] * layout.strides[1];
}
void merge_rows(Layout& layout) {
  layout.dims[1] *= layout.dims[0];
  layout.dims[0] = 1;
  if (layout.dims[2] == 1 && layout.strides[1] == 1) layout.strides[2] = layout.dims[1];
}

Problem make_problem(const MatmulStep& step) {
  Problem problem;
  problem.lhs = make_layout(step.batch, step.m, step.k, step.lhs_strides);
  problem.rhs = make_layout(step.batch, step.k, step.n, step.rhs_strides);
  problem.out = make_layout(step.batch, step.m, step.n, step.out_strides);
  set_outer(problem.lhs, step.outer, step.lhs_outer);
  set_outer(problem.rhs, step.outer, step.rhs_outer);
  set_outer(problem.out, step.outer, step.out_outer);
  // A column-major result costs a factor of hundred where there is a bias.
  if (step.n == 1 && step.bias >= 0) problem.out.strides[2] = 1;
  const bool has_column_major_out = problem.out.strides[2] != 1 && problem.out.strides[1] == 1;
  if (has_column_major_out && step.bias < 0) {
    problem.is_swapped = true;
    const Layout lhs = problem.lhs;
    problem.lhs = transposed(problem.rhs);
    problem.rhs = transposed(lhs);
    problem.out = transposed(problem.out);
  }
  if (step.outer > 1) {
    problem.ndims = 4;
    return problem;
  }
  if (problem.rhs.dims[0] == 1 && problem.out.dims[0] > 1 && problem.lhs.dims[0] > 1 &&
      rows_can_merge(problem.lhs) && rows_can_merge(problem.out)) {
    merge_rows(problem.lhs);
    merge_rows(problem.out);
  }
  if (problem.lhs.dims[0] == 1 && problem.rhs.dims[0] == 1)
    problem.repeat = std::exchange(problem.out.dims[0], 1);
  if (problem.out.dims[0] > 1) problem.ndims = 3;
  return problem;
}

/// The last `ndims` of (outer, batch, row, column).
dnnl_memory_desc_t make_desc(const Layout& layout, int ndims, const MatmulStep& step) {
  const std::array<int64_t, 4> dims{layout.outer, layout.dims[0], layout.dims[1], layout.dims[2]};
  const std::array<int64_t, 4> strides{layout.outer_stride, layout.strides[0], layout.strides[1],
                                       layout.strides[2]};
  const auto first = static_cast<size_t>(4 - ndims);
  dnnl_memory_desc_t desc;
  check_status(dnnl_memory_desc_init_by_strides(&desc, ndims, dims.data() + first, dnnl_f32,
                                                strides.data() + first),
               step, "an operand's layout");
  return desc;
}

dnnl_alg_kind_t algorithm(MatmulStep::Activation activation) {
  switch (activation) {
    case MatmulStep::Activation::Relu:
      return dnnl_eltwise_relu;
    case MatmulStep::Activation::Tanh:
      return dnnl_eltwise_tanh;
    case MatmulStep::Activation::Sigmoid:
      return dnnl_eltwise_logistic;
    case MatmulStep::Activation::None:
      break;
  }
  return dnnl_alg_kind_undef;
}

}  // namespace

struct OnednnMatmul::State {
  PrimitiveDesc desc;
  Primitive primitive;
  Memory lhs, rhs, bias, out, scratch;
  int64_t scratch_bytes = 0;
  bool is_swapped = false;
  int64_t repeat = 1;
  int64_t repeat_bytes = 0;
  std::byte* first_out = nullptr;
  std::vector<dnnl_exec_arg_t> arguments;

  explicit State(const MatmulStep& step);
  void create_desc(const MatmulStep& step, const Problem& problem);
  void add_argument(Memory& memory, const dnnl_memory_desc_t& layout, int argument);
};

OnednnMatmul::State::State(const MatmulStep& step) {
  const Problem problem = make_problem(step);
  is_swapped = problem.is_swapped;
  repeat = problem.repeat;
  repeat_bytes = problem.out.strides[0] * static_cast<int64_t>(sizeof(float));
  create_desc(step, problem);
  check_status(dnnl_primitive_create(primitive.out(), desc.get()), step, "making code");
  const auto query = [&](dnnl_query_t what, int position) {
    return dnnl_primitive_desc_query_md(desc.get(), what, position);
  };
  add_argument(lhs, *query(dnnl_query_src_md, 0), DNNL_ARG_SRC);
  add_argument(rhs, *query(dnnl_query_weights_md, 0), DNNL_ARG_WEIGHTS);
  add_argument(out, *query(dnnl_query_dst_md, 0), DNNL_ARG_DST);
  if (step.bias >= 0) add_argument(bias, *query(dnnl_query_weights_md, 1), DNNL_ARG_BIAS);
  const dnnl_memory_desc_t* scratch_desc = query(dnnl_query_scratchpad_md, 0);
  scratch_bytes = static_cast<int64_t>(dnnl_memory_desc_get_size(scratch_desc));
  if (scratch_bytes > 0) add_argument(scratch, *scratch_desc, DNNL_ARG_SCRATCHPAD);
}

void OnednnMatmul::State::create_desc(const MatmulStep& step, const Problem& problem) {
  const dnnl_memory_desc_t lhs_desc = make_desc(problem.lhs, problem.ndims, step);
  const dnnl_memory_desc_t rhs_desc = make_desc(problem.rhs, problem.ndims, step);
  const dnnl_memory_desc_t out_desc = make_desc(problem.out, problem.ndims, step);
  const Layout bias_layout{{1, 1, step.n}, {step.n, step.n, 1}, 1, step.n};
  const dnnl_memory_desc_t bias_desc = make_desc(bias_layout, problem.ndims, step);
  dnnl_matmul_desc_t matmul;
  check_status(dnnl_matmul_desc_init(&matmul, &lhs_desc, &rhs_desc,
                                     step.bias >= 0 ? &bias_desc : nullptr, &out_desc),
               step, "describing a product");
  PrimitiveAttr attr;
  check_status(dnnl_primitive_attr_create(attr.out()), step, "attributes");
  check_status(dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user), step,
               "attributes");
  PostOps post_ops;
  if (step.activation != MatmulStep::Activation::None) {
    check_status(dnnl_post_ops_create(post_ops.out()), step, "attributes");
    check_status(dnnl_post_ops_append_eltwise(post_ops.get(), 1, algorithm(step.activation), 0, 0),
                 step, "attributes");
    check_status(dnnl_primitive_attr_set_post_ops(attr.get(), post_ops.get()), step, "attributes");
  }
  check_status(dnnl_primitive_desc_create(desc.out(), &matmul, attr.get(), engine(), nullptr), step,
               "choosing code");
}

void OnednnMatmul::State::add_argument(Memory& memory, const dnnl_memory_desc_t& layout,
                                       int argument) {
  create_memory(memory, layout);
  arguments.push_back({argument, memory.get()});
}

OnednnMatmul::OnednnMatmul(const MatmulStep& step) : state_(std::make_unique<State>(step)) {}
OnednnMatmul::~OnednnMatmul() = default;
OnednnMatmul::OnednnMatmul(OnednnMatmul&&) noexcept = default;
OnednnMatmul& OnednnMatmul::operator=(OnednnMatmul&&) noexcept = default;

int64_t OnednnMatmul::scratch_bytes() const { return state_->scratch_bytes; }

void OnednnMatmul::bind(void* lhs, void* rhs, void* bias, void* out, void* scratch) {
  if (state_->is_swapped) std::swap(lhs, rhs);
  set_address(state_->lhs, lhs);
  set_address(state_->rhs, rhs);
  set_address(state_->bias, bias);
  set_address(state_->out, out);
  set_address(state_->scratch, scratch);
  state_->first_out = static_cast<std::byte*>(out);
}

void OnednnMatmul::run() {
  for (int64_t i = 0; i < state_->repeat; ++i) {
    if (state_->repeat > 1) set_address(state_->out, state_->first_out + i * state_->repeat_bytes);
    const dnnl_status_t status = dnnl_primitive_execute(state_->primitive.get(), stream(),
                                                        static_cast<int>(state_->arguments.size()),
                                                        state_->arguments.data());
    check_memory(status);
    CHECK(status == dnnl_success, "oneDNN: a matrix product failed with status {}",
          static_cast<int>(status));
  }
}

}  // namespace gradc
