// Walks over loops and graphs that add up their work.
#include "codegen/work.h"

#include <algorithm>

#include "ir/convolution_shape.h"
#include "ir/op.h"

namespace gradc {

namespace {

class KernelWork {
 public:
  explicit KernelWork(const loop::Kernel& kernel)
      : kernel_(kernel), touched_(kernel.buffers.size()) {}

  Work count() {
    add(kernel_.body, 1);
    for (size_t b = 0; b < touched_.size(); ++b) {
      const loop::Buffer& buffer = kernel_.buffers[b];
      const double most = static_cast<double>(buffer.elements);
      work_.bytes += (std::min(touched_[b].read, most) + std::min(touched_[b].written, most)) *
                     static_cast<double>(size_bytes(buffer.dtype));
    }
    return work_;
  }

 private:
  struct Touched {
    double read = 0, written = 0;
  };

  Touched& buffer(const loop::Access& access) {
    return touched_[static_cast<size_t>(access.buffer)];
  }

  void add(const std::vector<loop::Stmt>& body, double trips) {
    for (const loop::Stmt& stmt : body) {
      if (const auto* let = std::get_if<loop::Let>(&stmt)) {
        if (const auto* load = std::get_if<loop::Load>(&let->value))
          buffer(load->access).read += trips;
        if (std::holds_alternative<loop::Apply>(let->value)) work_.flop += trips;
      } else if (const auto* accumulate = std::get_if<loop::Accumulate>(&stmt)) {
        work_.flop += accumulate->factor ? 2 * trips : trips;
      } else if (const auto* store = std::get_if<loop::Store>(&stmt)) {
        buffer(store->access).written += trips;
        if (store->add) buffer(store->access).read += trips;
      } else if (const auto* loop = std::get_if<loop::For>(&stmt)) {
        add(loop->body, trips * static_cast<double>(loop->extent));
      }
    }
  }

  const loop::Kernel& kernel_;
  std::vector<Touched> touched_;
  Work work_;
};

double node_flop(const Graph& graph, const Node& node) {
  if (is_convolution(node.kind)) return 2 * convolution_shape(graph, node).multiplications();
  if (node.kind == OpKind::Dot) {
    double products = static_cast<double>(graph.type(node.results[0]).shape.element_count());
    for (const int64_t axis : node.attrs.ints("lhs_contract"))
      products *=
          static_cast<double>(graph.type(node.operands[0]).shape.dims()[static_cast<size_t>(axis)]);
    return 2 * products;
  }
  if (node.kind == OpKind::Group) return product_flop(*node.attrs.get<BodyRef>("body"));
  if (node.kind == OpKind::Scan)
    return product_flop(*node.attrs.get<BodyRef>("body")) *
           static_cast<double>(node.attrs.integer("length"));
  return 0;
}

}  // namespace

Work work_of(const loop::Kernel& kernel) { return KernelWork(kernel).count(); }

Work work_of(const MatmulStep& step) {
  const auto count = static_cast<double>(step.outer * step.batch);
  const auto m = static_cast<double>(step.m);
  const auto n = static_cast<double>(step.n);
  const auto k = static_cast<double>(step.k);
  return {2 * count * m * n * k, 4 * count * (m * k + k * n + m * n)};
}

Work work_of(const ConvStep& step) {
  const auto product = [](const std::vector<int64_t>& sizes) {
    double count = 1;
    for (const int64_t size : sizes) count *= static_cast<double>(size);
    return count;
  };
  const auto channels = static_cast<double>(step.channels);
  const auto filters = static_cast<double>(step.filters);
  const double image = static_cast<double>(step.batch) * channels * product(step.input);
  const double result = static_cast<double>(step.batch) * filters * product(step.output);
  const double kernel =
      product(step.kernel) * channels * filters / static_cast<double>(step.groups);
  return {2 * step.multiplications, 4 * (image + result + kernel)};
}

double product_flop(const Graph& graph) {
  double flop = 0;
  for (const Node& node : graph.nodes()) flop += node_flop(graph, node);
  return flop;
}

}  // namespace gradc
